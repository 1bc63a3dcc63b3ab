"""What an entry is held against when it joins a journal."""

from dataclasses import dataclass
from datetime import datetime

from aidc.config import Config
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.payloads import Activity, Adjustment, EnergyTx
from aidc.ledger.journal.register import Register


@dataclass(slots=True)
class Context:
    """What is recorded already, where the next entry will stand, and who posts."""

    register: Register
    index: Index
    seq: int
    role: str
    recorded_by: str
    recorded_at: datetime

    @property
    def zone(self) -> str:
        """Zone of calendar periods."""
        return self.register.zone

    def calendar(self, counted: Config) -> str:
        """Zone in which the months and years of a count are read: that of its site."""
        register = self.register
        if isinstance(counted, Adjustment):
            counted = counted.replacement or counted
        named = counted.site if isinstance(counted, EnergyTx) else ""
        if isinstance(counted, Activity) and counted.meter in register.meters:
            named = register.meters[counted.meter].site
        site = register.key(named)
        return register.calendar_of(site) if site in register.sites else self.zone
