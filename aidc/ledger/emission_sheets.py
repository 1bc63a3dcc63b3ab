"""Emissions as sheets: the inventory, scope 2 in two books side by side, and its tiers."""

from typing import Final

from aidc.ledger.material import (
    FUEL_BOOK,
    LOCATION_BOOK,
    MARKET_BOOK,
    SCOPE2,
    Material,
    energy_of,
    tiers,
    tonnes,
)
from aidc.ledger.sheet import NOT_ASSESSED, Amount, Row, Sheet, sum_of
from aidc.ledger.statement import FUEL

_APART: Final = (
    "location-based and market-based scope 2 stand side by side; they are never added or netted"
)


def inventory_sheet(material: Material) -> Sheet:
    """Scope 1 by fuel, scope 2 in each book, and a total a book: of two books there is none."""
    years = material.years
    rows = [
        Row(
            tier,
            ("scope 1", tier.removeprefix(f"{FUEL}:")),
            {str(year): tonnes(material, FUEL_BOOK, year, tier=tier) for year in years},
        )
        for tier in tiers(material, FUEL_BOOK)
    ]
    scope1 = {str(year): tonnes(material, FUEL_BOOK, year) for year in years}
    rows.append(Row("scope1", ("scope 1", "total"), scope1, is_sum=True))
    books = _books(material)
    for key, book in books.items():
        cells = {str(year): tonnes(material, book, year) for year in years}
        rows.append(Row(key, ("scope 2", book), cells))
    for key, book in books.items():
        cells = {str(year): _both(material, book, year) for year in years}
        rows.append(
            Row(key.replace("scope2", "scope1_and_2"), ("scope 1 and 2", book), cells, is_sum=True)
        )
    gases = [f"{one.book}: {one.gases}" for one in material.statements.values()]
    return Sheet(
        "inventory",
        "Greenhouse gas inventory [t]",
        ("scope", "of"),
        tuple(map(str, years)),
        tuple(rows),
        1,
        (_APART, f"gases covered: {'; '.join(gases)}"),
    )


def scope2_sheet(material: Material) -> Sheet:
    """A line a site: its electricity, and the tonnes of both books beside each other."""
    rows = []
    for site in (*material.sites, None):
        cells: dict[str, Amount] = {}
        for year in material.years:
            cells[f"{year} MWh"] = energy_of(material, LOCATION_BOOK, year, site=site)
            for book in SCOPE2:
                cells[f"{year} {book}"] = tonnes(material, book, year, site=site)
        rows.append(Row(site or "total", (site or "total",), cells, is_sum=site is None))
    heads = ("MWh", LOCATION_BOOK, MARKET_BOOK)
    return Sheet(
        "scope2",
        "Scope 2, location-based and market-based [t]",
        ("site",),
        tuple(f"{year} {head}" for year in material.years for head in heads),
        tuple(rows),
        1,
        (_APART,),
    )


def tiers_sheet(material: Material) -> Sheet:
    """Where each Wh of a site ended, in every book of electricity."""
    rows = []
    for book in material.statements:
        if book == FUEL_BOOK:
            continue
        for site in material.sites:
            for tier in tiers(material, book, site=site):
                cells = {
                    str(year): energy_of(material, book, year, site=site, tier=tier)
                    for year in material.years
                }
                rows.append(Row(f"{book}/{site}/{tier}", (book, site, tier), cells))
    return Sheet(
        "tiers",
        "Electricity by tier [MWh]",
        ("book", "site", "tier"),
        tuple(map(str, material.years)),
        tuple(rows),
        3,
        ("the tiers of a site add up to its gross consumption, in every book",),
    )


def _books(material: Material) -> dict[str, str]:
    """Row key -> book: the two that are always printed, then the others that were drawn up."""
    made = {key: book for book, key in SCOPE2.items()}
    others = [one for one in material.statements if one not in (FUEL_BOOK, *SCOPE2)]
    return made | {f"scope2_{book}": book for book in others}


def _both(material: Material, book: str, year: int) -> Amount:
    parts = [tonnes(material, FUEL_BOOK, year), tonnes(material, book, year)]
    if any(part.value is None for part in parts):
        return Amount(None, "t", NOT_ASSESSED)
    return sum_of(parts, "t")
