"""Cells of scope 3: what is assessed stands in a cell, what is not in a warning."""

from collections.abc import Iterator
from datetime import date

from aidc.errors import InputError
from aidc.ledger.factors.gases import Gwp
from aidc.ledger.factors.policies import select
from aidc.ledger.factors.rows import ActivityFactor, GridFactor
from aidc.ledger.scopes.scope3 import (
    CATEGORY_OF,
    Asset,
    Line,
    LossRate,
    activity_line,
    category_2,
    category_3,
    fuel_line,
    same_grid,
)
from aidc.ledger.statements.books import in_mainland
from aidc.ledger.statements.place import Place
from aidc.ledger.statements.statement import Cell


def category_3_cells(place: Place) -> Iterator[Cell]:
    """What stands behind the electricity that a site bought and the fuel that it burnt.

    Raises:
        InputError: a loss rate that leaves nothing for the fuel, or two for one place and year.
    """
    yield from _electricity(place)
    yield from _fuels(place)


def _fuels(place: Place) -> Iterator[Cell]:
    """Fuel before it was burnt, at the user's rows of basis ``upstream`` in CO2e."""
    register = place.register
    rows = [row for row in register.rows(ActivityFactor).values() if row.basis == "upstream"]
    for name, meter in register.meters_of(place.key, "fuel").items():
        counts = place.counts(name)
        for year, start, end in place.years:
            part = counts.part(start, end)
            line = fuel_line(str(meter.fuel), part.total, year, rows)
            yield from _cells(place, (line,), part.used)


def _electricity(place: Place) -> Iterator[Cell]:
    register, region = place.register, place.site.region
    average = "MEE-NATIONAL" if in_mainland(region) else "USER"
    rows = list(register.grid.values())
    bought = {name: place.counts(name) for name in register.meters_of(place.key, "grid_import")}
    for year, start, end in place.years if bought else ():
        parts = [counts.part(start, end) for counts in bought.values()]
        used = tuple(name for part in parts for name in part.used)
        chosen: dict[str, GridFactor | None] = {}
        for policy in ("PCF", average):
            try:
                chosen[policy] = select(
                    place.policies, policy, rows, region=region, activity_year=year,
                    report_date=place.report_date,
                ).factor  # fmt: skip
            except InputError as missing:
                chosen[policy] = None
                place.warnings.append(f"{place.site.name}: {missing}")
        lifecycle, direct = chosen["PCF"], chosen[average]
        if lifecycle is not None and direct is not None and not same_grid(lifecycle, direct):
            place.warnings.append(
                f"{place.site.name}: {direct.name} is not of the place and year of {lifecycle.name}"
            )
            direct = None
        rate = None if lifecycle is None else _loss_rate(place, lifecycle.geography, year)
        wh = sum(part.total for part in parts)
        lines = category_3(wh, year, lifecycle, direct, rate, place.policies.s3_c3)
        yield from _cells(place, lines, used)


def _loss_rate(place: Place, geography: str, year: int) -> LossRate | None:
    """The rate of a place: of the year, else of the nearest earlier one."""
    levels = place.policies.levels(geography)
    known = [
        row
        for row in place.register.rows(LossRate).values()
        if row.geography in levels
        and row.data_year <= year
        and (row.published_on or date.max) <= place.report_date
    ]
    if not known:
        return None
    finest = min(levels.index(row.geography) for row in known)
    here = [row for row in known if levels.index(row.geography) == finest]
    newest = max(row.data_year for row in here)
    found = [row for row in here if row.data_year == newest]
    if len(found) > 1:
        listed = ", ".join(sorted(row.name for row in found))
        raise InputError(f"two loss rates for {geography} in {newest}: {listed}; withdraw one")
    if newest != year:
        place.warnings.append(
            f"{place.site.name}: loss rate of {newest}, {year - newest} years earlier"
        )
    return found[0]


def category_2_cells(place: Place) -> Iterator[Cell]:
    """Equipment that a site bought, whole in its year."""
    register = place.register
    for key, asset in register.of(Asset).items():
        if register.key(asset.site) != place.key:
            continue
        for year, start, end in place.years:
            first, last = start.date(), end.date()
            if not first <= asset.purchased_on < last:
                continue
            yield from _cells(place, category_2([asset], year), (key,))


def activity_cells(place: Place) -> Iterator[Cell]:
    """Goods, travel and commuting of a site at the user's factors.

    Raises:
        InputError: a row of another dimension or GWP set than is asked for, or two rows.
    """
    register, gwp_set = place.register, str(place.book.gwp_set)
    factors = list(register.rows(ActivityFactor).values())
    potentials = list(register.rows(Gwp).values())
    streams = [s for s, category in CATEGORY_OF.items() if category == place.book.category]
    for name, meter in register.meters_of(place.key, *streams).items():
        counts = place.counts(name)
        for year, start, end in place.years:
            part = counts.part(start, end)
            line = activity_line(
                meter.stream, str(meter.item), part.total, year, factors, gwp_set, potentials
            )
            yield from _cells(place, (line,), part.used)


def _cells(place: Place, lines: tuple[Line, ...], used: tuple[str, ...]) -> Iterator[Cell]:
    for line in lines:
        tier = f"category {line.category}:{line.tier}"
        if line.note:
            place.warnings.append(f"{place.site.name}, {line.year}, {tier}: {line.note}")
        if line.tco2e is None:
            continue
        rows = tuple(place.register.row_named(name) for name in line.rows)
        first = rows[0] if rows else None
        lag = 0
        if isinstance(first, GridFactor | ActivityFactor):
            lag = line.year - first.data_year
        yield Cell(
            place.site.name, line.year, tier, line.amount, line.unit, first, lag, line.tco2e, used,
            "CO2e", None, rows[1:],
        )  # fmt: skip
