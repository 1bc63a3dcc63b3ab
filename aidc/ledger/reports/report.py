"""A report from a ledger: statements held to the checks, then laid out as sheets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.checks.inspection import Inspection, evidence_uses
from aidc.ledger.checks.reconciliation import comparisons, reconciliation_sheet
from aidc.ledger.checks.run import run_checks
from aidc.ledger.journal.fields import Exact
from aidc.ledger.ledger import Ledger
from aidc.ledger.reports.kpi import PueCategory
from aidc.ledger.reports.report_sheets import workbook
from aidc.ledger.reports.sheet import Workbook
from aidc.ledger.restatement.base_year import base_year_sheet, restated_words
from aidc.ledger.statements.statement import Statement


class CheckTerms(Config):
    """A row of models/check_terms.csv."""

    name: str = Field(min_length=1)
    balance_frac: Exact = Field(gt=0, lt=1)
    source: str = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class Report:
    """Sheets of an entity and a period, with the checks that tripped.

    Attributes:
        trips: of every check; `aidc.ledger.checks.run.stop` raises those that stop a statement.
    """

    workbook: Workbook
    trips: tuple[Trip, ...]


def inspect(
    ledger: Ledger, statements: Sequence[Statement], *, added_back_t: Mapping[str, Decimal]
) -> tuple[Trip, ...]:
    """What the checks D1 to D17 find in a ledger and its statements of one entity and period.

    Args:
        ledger: where the statements come from.
        statements: at least one.
        added_back_t: tonnes of sold credits that are added back, by id of the move that sold them.

    Raises:
        InputError: no statement.
    """
    if not statements:
        raise InputError("no statement was drawn up; name at least one book")
    first = statements[0]
    return inspect_period(
        ledger, first.entity, first.period, statements, first.known_on, added_back_t=added_back_t
    )


def inspect_period(
    ledger: Ledger,
    entity: str,
    period: tuple[datetime, datetime],
    statements: Sequence[Statement],
    known_on: datetime | None,
    *,
    added_back_t: Mapping[str, Decimal],
) -> tuple[Trip, ...]:
    """As `inspect`, of an entity and period, also where no statement could be derived.

    Args:
        ledger: what is looked at.
        entity: whose.
        period: start and end.
        statements: those that could be derived; checks of statements look at these alone.
        known_on: what the ledger knew; None is all.
        added_back_t: as for `inspect`.
    """
    market = ledger.policies.market
    terms = catalog.row("check_terms", CheckTerms, "default")
    readings = ledger.store.readings(known_on)
    return tuple(
        run_checks(
            Inspection(
                readings,
                entity,
                period,
                {one.book: one for one in statements},
                tuple(evidence_uses(ledger.store.journal.lines(0, readings.register.upto))),
                market.vintage_before_months,
                market.vintage_after_months,
                terms.balance_frac,
                added_back_t,
            )
        )
    )


def report(
    ledger: Ledger,
    statements: Sequence[Statement],
    *,
    category: PueCategory,
    parameters: Mapping[str, str],
    texts: Mapping[str, str],
    added_back_t: Mapping[str, Decimal],
) -> Report:
    """Everything that a report of an entity and a period prints.

    Args:
        ledger: where the statements come from.
        statements: a book each, of one entity, period and known time.
        category: where the PUE reads its IT energy: 1 UPS output, 2 PDU output, 3 IT input.
        parameters: of the report, printed with it, such as the method relief; a GWP set has to be the books'.
        texts: words for measures of the disclosure table without a number, such as ``climate``.
        added_back_t: tonnes of sold credits that are added back, by id of the move that sold them.

    Raises:
        InputError: statements that do not belong together.
    """
    trips = inspect(ledger, statements, added_back_t=added_back_t)
    first = statements[0]
    readings = ledger.store.readings(first.known_on)
    words = {"restatements": restated_words(readings.register, first.entity), **texts}
    made = workbook(readings, statements, category=category, parameters=parameters, texts=words)
    stated = tuple(comparisons(readings, first.entity, first.period))
    base_year = base_year_sheet(readings.register, first.entity)
    sheets = [*made.sheets, *([reconciliation_sheet(stated)] if stated else [])]
    sheets += [base_year] if base_year is not None else []
    flags = {"D13": "severity W", "D17": "not reconciled"}
    notes = (f"{trip} ({flags[trip.check]})" for trip in trips if trip.check in flags)
    return Report(made.with_sheets(tuple(sheets), tuple(notes)), trips)
