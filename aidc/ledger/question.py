"""What a statement is asked for."""

from dataclasses import dataclass
from datetime import date, datetime

from aidc.ledger.books import Book


@dataclass(frozen=True, slots=True)
class Question:
    """What a statement is asked for."""

    book: Book
    entity: str
    period: tuple[datetime, datetime]
    report_date: date
    known_on: datetime | None
