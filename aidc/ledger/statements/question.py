"""What a statement is asked for."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aidc.ledger.statements.books import Book


@dataclass(frozen=True, slots=True)
class Question:
    """What a statement is asked for."""

    book: Book
    entity: str
    period: tuple[datetime, datetime]
    report_date: date
    known_on: datetime | None

    def reporting_year(self, zone: str) -> tuple[date, date] | None:
        """First and last day of the period in a zone; None where it is longer than a year."""
        here = ZoneInfo(zone)
        start, end = self.period
        if end - start > timedelta(days=366):
            return None
        last = (end - timedelta(seconds=1)).astimezone(here)
        return start.astimezone(here).date(), last.date()
