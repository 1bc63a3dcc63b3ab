"""One site of a statement in the making: what a book's cells are made from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from aidc.ledger.factors.policies import Policies
from aidc.ledger.journal.counts import Counts
from aidc.ledger.journal.payloads import LedgerSite
from aidc.ledger.journal.register import Register
from aidc.ledger.statements.books import Book


@dataclass(frozen=True, slots=True)
class Place:
    """A site, what it counted, and where warnings go.

    Attributes:
        counts: of a meter over the period, which they cover without a gap.
        key: id of the site's entry.
        years: calendar years of the period with their start and end.
        warnings: grows while cells are made.
    """

    register: Register
    counts: Callable[[str], Counts]
    policies: Policies
    book: Book
    key: str
    site: LedgerSite
    years: tuple[tuple[int, datetime, datetime], ...]
    report_date: date
    warnings: list[str]
