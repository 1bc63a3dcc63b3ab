"""Checks D5 to D11 and D16: what an inventory adds, prices or takes off that it must not."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from aidc.ledger.checks.double_counting import (
    Counted,
    Deduction,
    Place,
    Trip,
    d5_savings_subtracted,
    d6_fuel_in_scope_1_and_2,
    d7_lease_in_scope_2_and_category_8,
    d8_equipment_in_category_1_and_2,
    d9_losses_in_scope_2,
    d16_sold_credits,
)
from aidc.ledger.checks.inspection import Inspection
from aidc.ledger.checks.published import printed
from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.journal.periods import years_in
from aidc.ledger.lots.lot import Lot, LotMove, lot_rules
from aidc.ledger.scopes.scope3 import Asset
from aidc.ledger.statements.statement import Cell, Statement

_FOOTPRINT: Final = "PCF"
_LOCATION, _MARKET = "S2-LB", "S2-MB-2015"
_KG_PER_T: Final = 1000


def d5_subtracted(asked: Inspection) -> Iterator[Trip]:
    """Avoided emissions or a measure's saving subtracted from a metered inventory."""
    deductions = []
    for book, statement in asked.statements.items():
        for cell in statement.cells:
            if cell.amount < 0 or cell.tco2e < 0:
                entry = (
                    cell.sources[0]
                    if cell.sources
                    else f"{book}/{cell.site}/{cell.year}/{cell.tier}"
                )
                wh = -cell.amount if cell.unit == "Wh" else 0
                deductions.append(Deduction(entry, "avoided", wh, -cell.tco2e, book))
    yield from d5_savings_subtracted(deductions)


def d6_fuel_twice(asked: Inspection) -> Iterator[Trip]:
    """Same fuel or heat in scope 1 and 2 (generators, CHP)."""
    document = {one.entry_id: one.sha256 for one in asked.evidence}
    counted = []
    for statement in asked.statements.values():
        place: Place = "scope_1" if statement.book.startswith("S1") else "scope_2"
        for cell in _of_scopes(statement):
            for source in cell.sources:
                counted.append(Counted(f"entry {source}", place, source))
                if source in document:
                    what = f"document {document[source][:12]}"
                    counted.append(Counted(what, place, source))
    yield from d6_fuel_in_scope_1_and_2(counted)


def _of_scopes(statement: Statement) -> tuple[Cell, ...]:
    """Cells of books of scope 1 and 2; a product footprint is neither."""
    beside = statement.book == _FOOTPRINT or statement.book.startswith("S3")
    return () if beside else statement.inside


def d7_leased_twice(asked: Inspection) -> Iterator[Trip]:
    """Leased or colocated site in scope 2 and in category 8."""
    counted = []
    for statement in asked.statements.values():
        for cell in statement.cells:
            source = cell.sources[0] if cell.sources else cell.site
            if statement.book.startswith("S2"):
                counted.append(Counted(f"site {cell.site}", "scope_2", source))
            elif cell.tier.startswith("category_8"):
                counted.append(Counted(f"site {cell.site}", "category_8", source))
    yield from d7_lease_in_scope_2_and_category_8(counted)


def d8_equipment_twice(asked: Inspection) -> Iterator[Trip]:
    """GPU in category 1 and in category 2."""
    counted = [
        Counted(f"{one.pieces} {one.asset} of {one.site}, {one.purchased_on}", one.booked_in, name)
        for name, one in asked.readings.register.of(Asset).items()
    ]
    yield from d8_equipment_in_category_1_and_2(counted)


def d9_losses(asked: Inspection) -> Iterator[Trip]:
    """Factor that includes transmission and distribution used in scope 2 (category 3 adds them)."""
    for book, statement in asked.statements.items():
        used = {
            cell.factor.name: (f"factor:{cell.factor.name}", cell.factor)
            for cell in statement.cells
            if cell.factor is not None
        }
        yield from d9_losses_in_scope_2(book, used.values())


def d10_two_rules(asked: Inspection) -> Iterator[Trip]:
    """Residual mix and grid average for the same kind of uncovered Wh in one book."""
    for book, statement in asked.statements.items():
        tiers: dict[tuple[str, int], dict[str, Cell]] = {}
        for cell in statement.cells:
            tiers.setdefault((cell.site, cell.year), {})[cell.tier] = cell
        for (site, year), found in tiers.items():
            residual = [tier for tier in found if tier.startswith("residual")]
            if residual and "grid_average" in found:
                sources = [
                    s for tier in (*residual, "grid_average") for s in found[tier].sources[:1]
                ]
                yield Trip(
                    "D10",
                    tuple(dict.fromkeys(sources)) or (site,),
                    f"{book}: uncovered electricity of {site} in {year} is in {residual[0]} and in grid_average",
                    "one rule prices all that is uncovered",
                )


def d11_books_added(asked: Inspection) -> Iterator[Trip]:
    """LB and MB added or netted: a published figure that is their sum or difference."""
    both = [asked.statements.get(book) for book in (_LOCATION, _MARKET)]
    location, market = both
    if location is None or market is None:
        return
    figures = asked.readings.register.of(ReportedFigure)
    for year, _, _ in years_in(asked.period, asked.zone):
        one, other = _tonnes(location, year), _tonnes(market, year)
        wrong: Mapping[str, Decimal] = {"sum": one + other, "difference": abs(one - other)}
        for name, figure in figures.items():
            if (figure.entity, figure.year) != (asked.entity, year) or figure.relation != "=":
                continue
            allowed = printed(figure.value, figure.decimals)
            if allowed.holds(one) or allowed.holds(other):
                continue
            for word, tonnes in wrong.items():
                if tonnes and figure.unit == "t" and allowed.holds(tonnes):
                    yield Trip(
                        "D11",
                        (name,),
                        f"{figure.quantity} of {year} in {figure.document} is the {word} of {_LOCATION} and {_MARKET}",
                        "print the two side by side; supersede the figure",
                    )


def _tonnes(statement: Statement, year: int) -> Decimal:
    return sum((cell.tco2e for cell in statement.cells if cell.year == year), Decimal(0))


def d16_sold(asked: Inspection) -> Iterator[Trip]:
    """Credits from an own project sold and not added back."""
    register = asked.readings.register
    lots = register.of(Lot)
    own = {
        site.entity: name for name, site in register.sites.items() if site.entity == asked.entity
    }
    sold = {}
    for name, move in register.of(LotMove).items():
        lot = lots.get(move.lot)
        if lot is None or lot_rules()[lot.type].account == "scope2" or lot.meter is None:
            continue
        site = register.key(register.meters[lot.meter].site)
        leaves = move.to if move.act == "transfer" else move.entity
        at = register.entries[name].valid_from
        inside = asked.period[0] <= at < asked.period[1]
        given = move.act in ("acquire", "transfer") and leaves != asked.entity
        if own and register.sites[site].entity == asked.entity and inside and given:
            sold[name] = Decimal(move.quantity) / _KG_PER_T
    yield from d16_sold_credits(sold, asked.added_back_t)
