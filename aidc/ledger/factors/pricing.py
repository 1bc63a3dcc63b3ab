"""What prices the grid electricity of a site in a book: its rules in order, and the factor they choose."""

from collections.abc import Iterable
from datetime import date

from aidc.errors import InputError
from aidc.ledger.factors.policies import Policies, Selection, select, select_if_any
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.journal.payloads import LedgerSite
from aidc.ledger.statements.books import RESIDUAL, Book, Rule


def priced(
    policies: Policies,
    book: Book,
    rows: Iterable[GridFactor],
    *,
    site: LedgerSite,
    activity_year: int,
    report_date: date,
    reporting_year: tuple[date, date] | None = None,
) -> tuple[Rule, Selection]:
    """The rule that holds and the factor it chooses: a residual mix where the book takes one, else by place.

    Args:
        policies: where the policies of the rules stand.
        book: the book; it has electricity.
        rows: candidates that stand.
        site: where the electricity was taken.
        activity_year: calendar year of the consumption.
        report_date: day by which a row must have been published, for a dated policy.
        reporting_year: first and last day of the statement; None is the calendar year.

    Raises:
        InputError: no rule has a factor, or two win; names book, site and remedy.
    """
    kept = list(rows)
    rules = [RESIDUAL] if book.takes_residual else []
    *first, last = [*rules, *book.rules(site.region)]
    try:
        for rule in first:
            found = select_if_any(
                policies,
                rule.policy,
                kept,
                region=site.region,
                activity_year=activity_year,
                report_date=report_date,
                reporting_year=reporting_year,
            )
            if found is not None:
                return rule, found
        return last, select(
            policies,
            last.policy,
            kept,
            region=site.region,
            activity_year=activity_year,
            report_date=report_date,
            reporting_year=reporting_year,
        )
    except InputError as error:
        place = f"{book.name}, site {site.name} ({site.region}), {activity_year}"
        raise InputError(f"{place}: {error}") from None
