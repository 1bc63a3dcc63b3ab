"""What a journal holds at one time: its facts, and the counts of its meters."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from aidc.errors import LedgerError
from aidc.ledger.journal.counts import Counts, nothing, read_counts
from aidc.ledger.journal.heat import HeatContent, whole_wh
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.payloads import Meter
from aidc.ledger.journal.register import Register


@dataclass(slots=True)
class Readings:
    """The journal as it stood after ``register.upto`` entries."""

    register: Register
    index: Index
    _read: dict[tuple[str, datetime, datetime], Counts] = field(default_factory=dict)
    _energy: dict[tuple[str, datetime, datetime], Counts] = field(default_factory=dict)

    def counts(self, meter: str, period: tuple[datetime, datetime]) -> Counts:
        """What a meter counted in a period, which its intervals cover without a gap.

        Calendar days are those of its site's zone. Where its site joined or left the boundary within the
        period, the part inside counts. Fuel that its bill counts by volume or mass is energy [Wh] here, by
        the heat content of its meter.

        Raises:
            LedgerError: a gap, an overlap, an interval across an edge (D12), or an edited entry.
        """
        key = (meter, *period)
        if key not in self._energy:
            found = self.as_billed(meter, period)
            contents = self.heat_contents(meter, found)
            self._energy[key] = (
                replace(found, amount=whole_wh(found.amount, contents)) if contents else found
            )
        return self._energy[key]

    def as_billed(self, meter: str, period: tuple[datetime, datetime]) -> Counts:
        """As `counts`, in the meter's own unit.

        Raises:
            LedgerError: as `counts`.
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

    def heat_contents(self, meter: str, found: Counts) -> list[HeatContent]:
        """Of each interval; none where the meter counts energy. A later version holds from its day on."""
        versions = [
            (0.0 if number == 0 else entry.valid_from.timestamp(), entry.payload.heat_content)
            for number, entry in enumerate(self.register.versions(meter))
            if isinstance(entry.payload, Meter)
        ]
        if all(content is None for _, content in versions):
            return []
        made = []
        for start in found.start_s.tolist():
            content = next(one for since, one in reversed(versions) if since <= start)
            if content is None:
                raise LedgerError(
                    f"{meter}: a version of it has no heat_content; supersede that one"
                )
            made.append(content)
        return made
