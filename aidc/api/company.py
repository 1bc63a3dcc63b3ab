"""The reference company's published inventory, derived from its activity and held against what it printed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from aidc.ledger import inventory
from aidc.ledger.checks.published import Reconciled

YEARS = (2021, 2022)
ZONE = "Asia/Shanghai"
DOCUMENT = "SenseTime Sustainability Report 2022"
REPORT_DATE = date(2023, 6, 30)  # of the document


@dataclass(frozen=True, slots=True)
class CompanyCheck:
    """Published figures of the inventory with the derived ones, and what its documents hide."""

    figures: tuple[Reconciled, ...]
    findings: tuple[str, ...]


def company_check() -> CompanyCheck:
    """The published tables of 2021 and 2022 from activity data, each with its rounding interval."""
    at = datetime.combine(REPORT_DATE, datetime.min.time(), UTC)
    fuels: dict[int, dict[str, Decimal]] = {}
    derived: dict[tuple[str, int], Decimal] = {}
    with inventory.company_ledger(YEARS, zone=ZONE, recorded_at=at) as ledger:
        for year in YEARS:
            derived |= inventory.derived_figures(
                ledger, year, report_date=REPORT_DATE, recorded_at=at
            )
            scope1 = ledger.statement(
                "S1", entity=inventory.ENTITY, period=str(year), report_date=REPORT_DATE
            )
            fuels[year] = {cell.tier.partition(":")[2]: cell.tco2e for cell in scope1.cells}
        figures = ledger.reconcile(derived, DOCUMENT)
    inside = tuple(figure for figure in figures if figure.year in YEARS)
    return CompanyCheck(inside, tuple(inventory.traps(inventory.facts(), fuels)))
