"""Which shipped factors the books of an entity select: those its journal takes in."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from aidc.errors import InputError
from aidc.ledger.factors.gases import Gwp, RefrigerantPart, gwps, refrigerants
from aidc.ledger.factors.policies import Policies, with_shipped
from aidc.ledger.factors.pricing import priced
from aidc.ledger.factors.registry import Row, dated, series_name
from aidc.ledger.factors.rows import (
    ActivityFactor,
    activity_factors,
    fuel_factors,
    grid_factors,
)
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.register import Register
from aidc.ledger.scopes.scope3 import LossRate, loss_rates
from aidc.ledger.statements.books import Book, book_named
from aidc.ledger.statements.question import Question
from aidc.ledger.statements.statement import Statement


def factors_of(
    register: Register,
    index: Index,
    policies: Policies,
    books: Iterable[str],
    entity: str,
    report_date: date,
) -> dict[str, Row]:
    """Shipped factors by version that the books select for what an entity has counted.

    Raises:
        InputError: a policy has no row for a site and year.
    """
    chosen: dict[str, Row] = {}
    for name in books:
        book = book_named(name)
        for key, site in register.sites_of(entity).items():
            if book.scope == 1:
                chosen |= {row.name: row for row in _scope_1(register, key, book.gwp_set)}
                continue
            if book.scope == 3:
                chosen |= {row.name: row for row in _scope_3(register, policies, book, site.region)}
                continue
            if not book.holds(site.region):
                continue
            for year in _years(register, index, key, register.calendar_of(key)):
                _, picked = priced(
                    policies,
                    book,
                    with_shipped(register.grid.values()),
                    site=site,
                    activity_year=year,
                    report_date=report_date,
                )
                if picked.factor.name not in register.grid:
                    chosen[picked.factor.name] = picked.factor
    return chosen


def later_shipped(
    register: Register, policies: Policies, made: Statement, asked: Question, zone: str
) -> Iterator[str]:
    """Shipped rows that the book would take in place of those of the journal, a line each."""
    if asked.book.scope != 2:
        return
    used = {(cell.site, cell.year) for cell in made.cells if cell.factor is not None}
    for site in register.sites_of(asked.entity).values():
        for year, _, _ in years_in(asked.period, zone):
            if (site.name, year) not in used:
                continue
            given: dict[str, Any] = {
                "site": site,
                "activity_year": year,
                "report_date": asked.report_date,
                "reporting_year": asked.reporting_year(zone),
            }
            rows = register.grid.values()
            _, now = priced(policies, asked.book, rows, **given)
            try:
                _, then = priced(policies, asked.book, with_shipped(rows), **given)
            except InputError:
                continue  # adopting tells what is wrong with it
            if then.factor.name not in register.grid:
                yield (
                    f"{site.name}, {year}: {now.factor.name} is used; a later row {then.factor.name}, "
                    f"published {then.factor.published_on}, is shipped: --adopt posts it"
                )


def newer_shipped(register: Register) -> Iterator[tuple[Row, Row]]:
    """Shipped rows later than any of their series in a journal, each behind the one that it follows."""
    last: dict[str, Row] = {}
    for one in register.factors:
        name = series_name(one.row)
        if name not in last or dated(one.row) >= dated(last[name]):
            last[name] = one.row
    held = {one.row.name for one in register.factors}
    tables = (grid_factors(), fuel_factors(), activity_factors(), loss_rates())
    for row in (row for table in tables for row in table.values()):
        before = last.get(series_name(row))
        if before is not None and row.name not in held and dated(row) > dated(before):
            yield before, row


def _scope_1(register: Register, site: str, gwp_set: str | None) -> Iterator[Row]:
    """CO2 of the fuels a site burns; with a set their CH4 and N2O, its refrigerants and potentials.

    Where the journal has a row for the same thing already, that row stands and none is added.
    """
    held = {row.fuel for row in register.fuels.values()}
    fuels = {meter.fuel for meter in register.meters_of(site, "fuel").values()}
    yield from (row for row in fuel_factors().values() if row.fuel in fuels - held)
    if gwp_set is None:
        return
    own = {(row.activity, row.gas) for row in register.rows(ActivityFactor).values()}
    others = [row for row in activity_factors().values() if row.activity in fuels]
    yield from (row for row in others if (row.activity, row.gas) not in own)
    blends = {part.refrigerant for part in register.rows(RefrigerantPart).values()}
    items = {meter.item for meter in register.meters_of(site, "refrigerant").values()}
    parts = [part for part in refrigerants().values() if part.refrigerant in items - blends]
    yield from parts
    gases = {gas for _, gas in own} | {row.gas for row in others} | {part.gas for part in parts}
    gases |= {part.gas for part in register.rows(RefrigerantPart).values()}
    yield from _potentials(register, gases, gwp_set)


def _scope_3(register: Register, policies: Policies, book: Book, region: str) -> Iterator[Row]:
    """What a book of scope 3 rests on beside the user's own rows."""
    if book.gwp_set is not None:
        gases = {row.gas for row in register.rows(ActivityFactor).values()}
        yield from _potentials(register, gases, book.gwp_set)
    if book.category == 3:
        places = {*policies.levels(region), "CN"}
        for name in ("PCF", "MEE-NATIONAL"):
            where = policies.policies[name].where
            for row in with_shipped(register.grid.values()):
                same = {
                    "basis": row.basis,
                    "kind": row.kind,
                    "gas": row.gas,
                    "publisher": row.publisher,
                }
                fits = row.geography in places and where.items() <= same.items()
                if fits and row.name not in register.grid:
                    yield row
        own = {row.key for row in register.rows(LossRate).values()}
        for rate in loss_rates().values():
            if rate.geography in places and rate.key not in own:
                yield rate


def _potentials(register: Register, gases: set[str], gwp_set: str) -> Iterator[Row]:
    own = {(row.gas, row.gwp_set) for row in register.rows(Gwp).values()}
    for row in gwps().values():
        if row.gwp_set == gwp_set and row.gas in gases - {"CO2"} and (row.gas, gwp_set) not in own:
            yield row


def _years(register: Register, index: Index, site: str, zone: str) -> list[int]:
    """Calendar years in which a site has counted an import."""
    years: set[int] = set()
    for meter in register.meters_of(site, "grid_import"):
        reach = index.reach(meter)
        if reach is None:
            continue
        period = (datetime.fromtimestamp(reach[0], UTC), datetime.fromtimestamp(reach[1], UTC))
        for year, start, stop in years_in(period, zone):
            span = (int(start.timestamp()), int(stop.timestamp()))
            if index.any(meter, *span, register.upto):
                years.add(year)
    return sorted(years)
