"""What an entry is held against when it joins a journal."""

from dataclasses import dataclass
from datetime import datetime

from aidc.ledger.journal.index import Index
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
        head = self.register.head
        return "UTC" if head is None else head.zone
