"""What a journal holds at one time: its facts, and the counts of its meters."""

from dataclasses import dataclass, field
from datetime import datetime

from aidc.ledger.journal.counts import Counts, nothing, read_counts
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.register import Register


@dataclass(slots=True)
class Readings:
    """The journal as it stood after ``register.upto`` entries."""

    register: Register
    index: Index
    _read: dict[tuple[str, datetime, datetime], Counts] = field(default_factory=dict)

    def counts(self, meter: str, period: tuple[datetime, datetime]) -> Counts:
        """What a meter counted in a period, which its intervals cover without a gap.

        Calendar days are those of its site's zone. Where its site joined or left the boundary within the period, the part inside counts.

        Raises:
            LedgerError: a gap, an overlap, an interval across an edge (D12), or an edited entry.
        """
        key = (meter, *period)
        if key not in self._read:
            site = self.register.key(self.register.meters[meter].site)
            part = self.register.inside(site, self.register.own_period(site, period))
            self._read[key] = (
                nothing(meter)
                if part is None
                else read_counts(
                    self.index, meter, part, self.register.upto, self.register.calendar_of(site)
                )
            )
        return self._read[key]
