"""What meters counted, as sheets: energy, water, key figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.ledger.lots.lot import Lot
from aidc.ledger.market.claims import OWN_PV
from aidc.ledger.reports.kpi import Emissions, EnergyWeight, PueCategory, fixed_share, kpis
from aidc.ledger.reports.material import (
    LOCATION_BOOK,
    MARKET_BOOK,
    MEGA,
    Material,
    picked,
    tonnes,
)
from aidc.ledger.reports.meter_totals import MeterTotals
from aidc.ledger.reports.sheet import NOT_ASSESSED, NOT_REPORTED, Amount, Row, Sheet, less, sum_of
from aidc.ledger.statements.statement import FUEL, Cell


class RenewableTechnology(Config):
    """A row of models/renewable_technologies.csv."""

    name: str = Field(min_length=1)
    source: str = Field(min_length=3)


_STREAMS: Final = {
    "grid_import": "grid electricity taken",
    "pv": "own PV",
    "generator": "generators, output",
    "grid_export": "electricity given to the grid",
    "it_in": "IT",
    "cooling": "cooling",
    "loss": "electrical losses",
    "other": "other uses",
    "heat_out": "heat reused outside",
}
_WATER: Final = {"water_in": "water withdrawn", "water_out": "water discharged"}


def energy_sheet(material: Material) -> Sheet:
    """What each site took in and used, by stream."""
    streams = _STREAMS | {name: name.removeprefix(f"{FUEL}:") for name in material.fuels}
    return Sheet(
        "energy",
        "Energy [MWh]",
        ("site", "stream"),
        tuple(map(str, material.years)),
        tuple(row for site in material.sites for row in _rows(material, site, streams, "MWh")),
        3,
        ("a stream without a meter has no line; one with a gap is not reported",),
    )


def water_sheet(material: Material) -> Sheet:
    """Water withdrawn, discharged and consumed by site."""
    rows: list[Row] = []
    for site in material.sites:
        rows.extend(_rows(material, site, _WATER, "m3"))
        cells = {str(year): consumed(material.of(year, site)) for year in material.years}
        if any(cell.value is not None for cell in cells.values()):
            rows.append(Row(f"{site}/water_consumed", (site, "water consumed"), cells, is_sum=True))
    return Sheet(
        "water",
        "Water [m3]",
        ("site", "stream"),
        tuple(map(str, material.years)),
        tuple(rows),
        1,
        ("consumed is withdrawn less discharged", *_coefficients(material)),
    )


def _coefficients(material: Material) -> Iterator[str]:
    """Sites whose waste water is a fixed share of intake, over months and years."""
    for site in material.sites:
        pairs = [pair for year in material.years for pair in material.of(year, site).water_pairs]
        share = fixed_share(pairs)
        if share is not None:
            yield f"{site}: waste water is {share} of the intake throughout: a coefficient, not a meter"


def kpi_sheet(material: Material, category: PueCategory) -> Sheet:
    """Key figures of each data centre."""
    found: dict[str, dict[str, Amount]] = {}
    heads: dict[str, tuple[str, ...]] = {}
    for year in material.years:
        for totals in material.totals[year]:
            if totals.use != "AIDC" or not (totals.of or totals.missing):
                continue
            for one in kpis(totals, _emissions(material, year, totals.site), category):
                key = f"{one.site}/{one.name}"
                heads[key] = (one.site, one.title, one.standard)
                amount = Amount(one.value, one.unit, one.text, one.note, one.sources)
                found.setdefault(key, {})[str(year)] = amount
    rows = tuple(Row(key, heads[key], cells) for key, cells in found.items())
    columns = tuple(map(str, material.years))
    return Sheet(
        "kpi",
        "Key figures",
        ("site", "key figure", "standard"),
        columns,
        rows,
        3,
        ("two values of carbon usage effectiveness, never one",)
        if rows
        else ("no site of this entity is a data centre",),
    )


def metered(material: Material, year: int, streams: Sequence[str], unit: str) -> Amount:
    """Sum over the sites that have the meters; a gap at any of them leaves no sum."""
    parts = [
        _amount(one, stream, unit)
        for one in material.totals[year]
        for stream in streams
        if stream in one.of or stream in one.missing
    ]
    return sum_of(parts, unit)


def consumed(totals: MeterTotals) -> Amount:
    """Water withdrawn less discharged [m3]."""
    return less(_amount(totals, "water_in", "m3"), _amount(totals, "water_out", "m3"))


def water_measures(material: Material, year: int) -> dict[str, Amount]:
    """Water of all sites: withdrawn, discharged, and consumed where every site meters both [m3].

    A site without a discharge meter has not discharged nothing: it leaves no sum of what is consumed.
    """
    wet = [
        one for one in material.totals[year] if any(s in (*one.of, *one.missing) for s in _WATER)
    ]
    made = {stream: metered(material, year, (stream,), "m3") for stream in _WATER}
    for stream, words in _WATER.items():
        lacking = [one.site for one in wet if stream not in (*one.of, *one.missing)]
        if lacking and made[stream].value is not None:
            note = f"{words} is not metered at {', '.join(lacking)}"
            made[stream] = replace(made[stream], note=note)
    parts = {one.site: consumed(one) for one in wet}
    unknown = [site for site, amount in parts.items() if amount.value is None]
    if unknown:
        note = f"not both of water in and out at {', '.join(unknown)}"
        return made | {"water_consumed": Amount(None, "m3", NOT_ASSESSED, note)}
    return made | ({"water_consumed": sum_of([*parts.values()], "m3")} if parts else {})


def _rows(material: Material, site: str, streams: Mapping[str, str], unit: str) -> Iterator[Row]:
    of_site = {year: material.of(year, site) for year in material.years}
    for stream, words in streams.items():
        if any(stream in one.of or stream in one.missing for one in of_site.values()):
            cells = {str(year): _amount(one, stream, unit) for year, one in of_site.items()}
            yield Row(f"{site}/{stream}", (site, words), cells)


def _amount(totals: MeterTotals, stream: str, unit: str) -> Amount:
    amount = totals.amount(stream)
    if amount is None:
        return Amount(None, unit, NOT_REPORTED, totals.missing.get(stream, "no meter"))
    note = ", ".join(sorted(totals.of[stream].qualities))
    return Amount(Decimal(amount).scaleb(MEGA), unit, "", note, totals.of[stream].sources)


def _emissions(material: Material, year: int, site: str) -> Emissions:
    location, market = (
        tonnes(material, book, year, site=site) for book in (LOCATION_BOOK, MARKET_BOOK)
    )
    covered = picked(material, MARKET_BOOK, year, site=site, tier=None)
    burned = picked(material, material.scope1_book, year, site=site, tier=None)
    weights = catalog.table("energy_weights", EnergyWeight)
    # tiers are fuel:NAME, and fuel:NAME:GAS; a vehicle's fuel is no energy of the centre
    own = [cell for cell in burned or () if _fuel(cell) in weights]
    sources = [*location.sources, *market.sources, *(s for cell in own for s in cell.sources)]
    fuel = [Amount(cell.tco2e, "t", sources=cell.sources) for cell in own]
    return Emissions(
        None if burned is None else sum_of(fuel, "t").value or Decimal(0),
        location.value,
        market.value,
        None if covered is None else sum(_renewable_wh(cell, material.lots) for cell in covered),
        tuple(dict.fromkeys(sources)),
    )


def _fuel(cell: Cell) -> str:
    kind, _, rest = cell.tier.partition(":")
    return rest.partition(":")[0] if kind == FUEL else ""


def _renewable_wh(cell: Cell, lots: Mapping[str, Lot]) -> int:
    """Wh of a cell whose renewable attribute is kept or retired; all its lots have to be renewable."""
    if cell.tier == OWN_PV:
        return cell.amount
    known = catalog.table("renewable_technologies", RenewableTechnology)
    used = [lots[name] for name in cell.sources if name in lots]
    return cell.amount if used and all(lot.technology in known for lot in used) else 0
