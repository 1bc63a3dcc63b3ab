"""All sheets of a report: inventory, scope 2, tiers, energy, water, key figures, disclosure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, get_args

from aidc.errors import InputError
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.journal.fields import Stream
from aidc.ledger.journal.payloads import Calc, LedgerSite, ReportedFigure
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.readings import Readings
from aidc.ledger.journal.register import Register
from aidc.ledger.lots.lot import Lot
from aidc.ledger.reports.disclosure import disclosure_sheet, published
from aidc.ledger.reports.emission_sheets import inventory_sheet, scope2_sheet, tiers_sheet
from aidc.ledger.reports.kpi import PueCategory
from aidc.ledger.reports.material import Material
from aidc.ledger.reports.meter_sheets import (
    energy_sheet,
    kpi_sheet,
    metered,
    water_measures,
    water_sheet,
)
from aidc.ledger.reports.meter_totals import MeterTotals, meter_totals, one_origin
from aidc.ledger.reports.sheet import Amount, Sheet, Workbook, provenance, sum_of
from aidc.ledger.statements.books import book_named
from aidc.ledger.statements.statement import Statement

GWP_SET: Final = "GWP set"  # label of a report's parameter


def workbook(
    readings: Readings,
    statements: Sequence[Statement],
    *,
    category: PueCategory,
    parameters: Mapping[str, str],
    texts: Mapping[str, str],
) -> Workbook:
    """All sheets of an entity and a period.

    Args:
        readings: the journal as the statements read it.
        statements: of one entity, period and known time, a book each.
        category: where the PUE reads its IT energy.
        parameters: of the report, printed with it; a GWP set has to be that of the books.
        texts: words for measures without a number, such as ``climate``.

    Raises:
        InputError: no statement, a book twice, statements of different entities or periods, or a GWP
            set that is not that of the books.
        LedgerError: simulated meters beside measured ones.
    """
    first, register = _alike(statements), readings.register
    if register.head is None:
        raise InputError("the journal has no ledger entry")
    zone = register.head.zone
    material = material_of(readings, first.entity, first.period, statements, zone)
    simulated = one_origin(material.all_totals)
    inventory = inventory_sheet(material)
    derived = measures(material, inventory)
    derived |= {(k, y): Amount(None, "", text) for k, text in texts.items() for y in material.years}
    sheets = (
        inventory,
        scope2_sheet(material),
        tiers_sheet(material),
        energy_sheet(material),
        water_sheet(material),
        kpi_sheet(material, category),
        disclosure_sheet(material.years, derived, published(_of(first.entity, register))),
    )
    return Workbook(
        first.entity,
        first.period,
        first.report_date,
        zone,
        simulated or any(one.simulated for one in statements),
        sheets,
        (
            *provenance(statements, {**parameters, **_gwp_set(statements, parameters)}),
            *_calcs(statements, register),
        ),
        (
            *_not_drawn_up(statements, register),
            *dict.fromkeys(text for one in statements for text in (*one.advice, *one.warnings)),
        ),
    )


def material_of(
    readings: Readings,
    entity: str,
    period: tuple[datetime, datetime],
    statements: Iterable[Statement],
    zone: str,
) -> Material:
    """What the sheets and measures of an entity and period are made from.

    Args:
        readings: the journal.
        entity: whose.
        period: start and end.
        statements: of that entity and period, a book each; none leaves what meters say.
        zone: calendar years are read in it.
    """
    sites = readings.register.sites_of(entity)
    parts = {year: (start, end) for year, start, end in years_in(period, zone)}
    totals = {
        year: tuple(_totals(readings, key, site, part) for key, site in sites.items())
        for year, part in parts.items()
    }
    books = {one.book: one for one in statements}
    return Material(books, tuple(parts), totals, readings.register.of(Lot))


def _gwp_set(statements: Sequence[Statement], parameters: Mapping[str, str]) -> dict[str, str]:
    """The GWP sets that the books and their factors use; nothing where none is used.

    Raises:
        InputError: the report is asked for another set than its books count by.
    """
    asked = parameters.get(GWP_SET)
    books = {one.book: book_named(one.book).gwp_set for one in statements}
    sets = {book: gwp_set for book, gwp_set in books.items() if gwp_set is not None}
    if asked is not None and set(sets.values()) != {asked}:
        held = ", ".join(f"{book} by {gwp_set}" for book, gwp_set in sets.items())
        raise InputError(
            f"GWP set '{asked}': the books count {held or 'by no set'}; the set follows from the book: "
            f"name S1-{asked} in place of S1, or leave the set out (aidc ledger books)"
        )
    said = [f"{gwp_set} ({book})" for book, gwp_set in sets.items()]
    of_factors: dict[str, list[str]] = {}
    for one in statements:
        rows = [cell.factor for cell in one.cells if isinstance(cell.factor, GridFactor)]
        used = sorted({str(row.gwp_set) for row in rows if row.gwp_set is not None})
        for gwp_set in used:
            of_factors.setdefault(gwp_set, []).append(one.book)
    said += [f"{gwp_set} (factors of {', '.join(books)})" for gwp_set, books in of_factors.items()]
    return {GWP_SET: ", ".join(said)} if said else {}


def _calcs(statements: Sequence[Statement], register: Register) -> Iterator[tuple[str, str]]:
    """Which calc of the journal records each statement."""
    recorded = {calc.statement_sha256: key for key, calc in register.of(Calc).items()}
    for one in statements:
        yield f"calc of {one.book}", recorded.get(one.sha256, "not drawn up")


def _not_drawn_up(statements: Sequence[Statement], register: Register) -> Iterator[str]:
    books = [one.book for one in statements]
    for (_, calc), book in zip(_calcs(statements, register), list(books), strict=True):
        if calc != "not drawn up":
            books.remove(book)
    if books:
        yield f"{', '.join(books)}: not drawn up: no calc records what is printed here; --adopt does"


def _totals(
    readings: Readings, key: str, site: LedgerSite, part: tuple[datetime, datetime]
) -> MeterTotals:
    """Meter totals of a site while it is inside the boundary; empty where it is not."""
    register = readings.register
    part = register.own_period(key, part)
    held = register.inside(key, part)
    meters = {} if held is None else register.meters_of(key, *get_args(Stream))
    return meter_totals(
        site, meters, readings.counts, held or (part[0], part[0]), register.calendar_of(key)
    )


def _of(entity: str, register: Register) -> dict[str, ReportedFigure]:
    figures = register.of(ReportedFigure).items()
    return {key: figure for key, figure in figures if figure.entity == entity}


def _alike(statements: Sequence[Statement]) -> Statement:
    if not statements:
        raise InputError("no statement was drawn up; name at least one book")
    first = statements[0]
    for one in statements[1:]:
        if (one.entity, one.period, one.known_on) != (first.entity, first.period, first.known_on):
            raise InputError(
                f"{one.book} of {one.entity} and {first.book} of {first.entity} do not speak of the "
                "same entity, period and known time"
            )
    books = [one.book for one in statements]
    if len(set(books)) < len(books):
        raise InputError(f"a book is given twice: {', '.join(books)}")
    scope1 = [book for book in books if book_named(book).scope == 1]
    if len(scope1) > 1:
        raise InputError(f"{' and '.join(scope1)} both hold scope 1; report one of them")
    return first


def measures(material: Material, inventory: Sheet) -> dict[tuple[str, int], Amount]:
    """What the disclosure table may ask for: (measure, year) -> amount; absent is not there."""
    made: dict[tuple[str, int], Amount] = {}
    for year in material.years:
        found = {row.key: row.cells[str(year)] for row in inventory.rows if "/" not in row.key}
        energy = {
            "direct_energy": metered(material, year, material.fuels, "MWh"),
            "purchased_electricity": metered(material, year, ("grid_import",), "MWh"),
            "own_pv": metered(material, year, ("pv",), "MWh"),
        }
        found |= energy
        found["total_energy"] = sum_of(_known(energy.values()), "MWh")
        found |= water_measures(material, year)
        made |= {
            (k, year): amount
            for k, amount in found.items()
            if amount.value is not None or k == "water_consumed"
        }
        gases = sorted({one.gases for one in material.statements.values() if one.assessed})
        if gases:
            made["gases", year] = Amount(None, "", ", ".join(gases))
    return made


def _known(amounts: Iterable[Amount]) -> list[Amount]:
    return [amount for amount in amounts if amount.value is not None]
