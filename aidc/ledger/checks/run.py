"""Checks D1 to D17 as a list: what each asks, whether it stops a statement, and the function that runs it."""

from collections.abc import Container, Iterable, Iterator
from typing import Final

from aidc.errors import LedgerError
from aidc.ledger.checks import of_lots as lot_checks
from aidc.ledger.checks import of_meters as meter_checks
from aidc.ledger.checks import of_statements as statement_checks
from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.checks.inspection import Check, Inspection, Severity

CHECKS: Final[tuple[Check, ...]] = (
    Check("D1", "E", "no serial is retired twice, in any book, period or company", lot_checks.d1_retired_twice),
    Check("D2", "E", "no more is retired than was acquired or issued", lot_checks.d2_more_than_held),
    Check("D3", "E", "no MWh is two certificates, contracts or credits, and no frozen GEC moves", lot_checks.d3_same_mwh),
    Check("D4", "E", "own PV whose certificate was sold does not count zero", lot_checks.d4_sold_and_at_zero),
    Check("D5", "E", "no saving is taken off a metered inventory", statement_checks.d5_subtracted),
    Check("D6", "E", "no fuel or heat is in scope 1 and in scope 2", statement_checks.d6_fuel_twice),
    Check("D7", "E", "no leased site is in scope 2 and in category 8", statement_checks.d7_leased_twice),
    Check("D8", "E", "no equipment is in category 1 and in category 2", statement_checks.d8_equipment_twice),
    Check("D9", "E", "no factor of scope 2 includes transmission and distribution", statement_checks.d9_losses),
    Check("D10", "E", "one rule prices all uncovered electricity of a book", statement_checks.d10_two_rules),
    Check("D11", "E", "location-based and market-based are never added or netted", statement_checks.d11_books_added),
    Check("D12", "E", "the intervals of a meter neither overlap nor leave gaps", meter_checks.d12_holes),
    Check("D13", "W", "no document stands behind two entries of one kind and period", meter_checks.d13_evidence_twice),
    Check("D14", "E", "no offset or removal serves two years or two claims", lot_checks.d14_credit_used_twice),
    Check("D15", "E", "the vintage of a lot lies within the declared window", lot_checks.d15_vintage),
    Check("D16", "E", "credits of own projects that were sold are added back", statement_checks.d16_sold),
    Check("D17", "E", "bills agree with meters, and the energy balance is closed", meter_checks.d17_bills_and_balance),
)  # fmt: skip
SEVERITY: Final[dict[str, Severity]] = {check.id: check.severity for check in CHECKS}


def run_checks(asked: Inspection, checks: Iterable[Check] = CHECKS) -> Iterator[Trip]:
    """What tripped, in the order of the checks."""
    for check in checks:
        yield from check.run(asked)


def stopping(trips: Iterable[Trip]) -> list[Trip]:
    """Those that stop a statement: all of severity E but D15, whose lot is not applied."""
    return [trip for trip in trips if SEVERITY[trip.check] == "E" and trip.check != "D15"]


def counted(trips: Iterable[Trip]) -> str:
    """Which checks stop a statement and how often, as ``D12 (2), D17 (1)``."""
    checks = [trip.check for trip in stopping(trips)]
    return ", ".join(f"{name} ({checks.count(name)})" for name in dict.fromkeys(checks))


def stop(trips: Iterable[Trip], *, flagged: Container[str] = ()) -> None:
    """Lets a statement pass, or not.

    Args:
        trips: of all checks.
        flagged: checks that let it pass with a flag, such as D17 on a report that shows both sides.

    Raises:
        LedgerError: every trip that stops, a line each.
    """
    said = [str(trip) for trip in stopping(trips) if trip.check not in flagged]
    if said:
        raise LedgerError("\n".join(said))
