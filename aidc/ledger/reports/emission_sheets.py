"""Emissions as sheets: the inventory, scope 2 in two books side by side, and its tiers."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from aidc.ledger.reports.material import (
    LOCATION_BOOK,
    MARKET_BOOK,
    SCOPE2,
    Material,
    energy_of,
    tiers,
    tonnes,
)
from aidc.ledger.reports.sheet import NOT_ASSESSED, Amount, Row, Sheet, sum_of
from aidc.ledger.scopes.scope3 import not_drawn_up
from aidc.ledger.statements.books import book_named
from aidc.ledger.statements.statement import FUEL, MEMO

_APART: Final = (
    "location-based and market-based scope 2 stand side by side; they are never added or netted"
)


def inventory_sheet(material: Material) -> Sheet:
    """Scope 1 by source, scope 2 in each book, scope 3 by category; a total a book, none of two books."""
    gases = [f"{one.book}: {one.gases}" for one in material.statements.values()]
    return Sheet(
        "inventory",
        "Greenhouse gas inventory [t]",
        ("scope", "of"),
        tuple(map(str, material.years)),
        (*_scope1(material), *_scope2(material), *_beside(material)),
        1,
        (_APART, f"gases covered: {'; '.join(gases)}"),
    )


def _scope1(material: Material) -> Iterator[Row]:
    years, book = material.years, material.scope1_book
    for tier in tiers(material, book):
        if not tier.startswith(MEMO):
            cells = {str(year): tonnes(material, book, year, tier=tier) for year in years}
            yield Row(f"scope1/{tier}", ("scope 1", tier.removeprefix(f"{FUEL}:")), cells)
    if not any(tier.startswith("refrigerant:") for tier in tiers(material, book)):
        amount = Amount(None, "t", NOT_ASSESSED, _no_refrigerant(material, book))
        heads = ("scope 1", "refrigerant")
        yield Row("scope1/refrigerant", heads, {str(year): amount for year in years})
    total = {str(year): tonnes(material, book, year) for year in years}
    yield Row("scope1", ("scope 1", "total"), total, is_sum=True)


def _no_refrigerant(material: Material, book: str) -> str:
    """Why scope 1 holds no refrigerant: absent is not zero."""
    met = [t.site for t in material.all_totals if {"refrigerant"} & {*t.of, *t.missing}]
    if not met:
        return "no refrigerant meter"
    why = f"{book} counts CO2 only; S1-AR6 counts refrigerants too"
    if book_named(book).gwp_set is not None:
        why = "its meters have gaps"
    return f"metered at {', '.join(dict.fromkeys(met))}; {why}"


def _scope2(material: Material) -> Iterator[Row]:
    """The two books that are always printed, and the others of scope 2 that were drawn up."""
    years = material.years
    others = [one for one in material.statements if one == "NDRC" or one.startswith("S2-")]
    books = {key: book for book, key in SCOPE2.items()}
    books |= {f"scope2_{book}": book for book in others if book not in SCOPE2}
    for key, book in books.items():
        yield Row(key, ("scope 2", book), _all_of(material, book))
    for key, book in books.items():
        cells = {str(year): _both(material, book, year) for year in years}
        heads = ("scope 1 and 2", book)
        yield Row(key.replace("scope2", "scope1_and_2"), heads, cells, is_sum=True)


def _beside(material: Material) -> Iterator[Row]:
    """Scope 3 by category, books of no scope, and memos."""
    for book in material.statements:
        category = book_named(book).category
        if category is not None:
            yield Row(
                f"scope3_{book}", ("scope 3", book_named(book).title), _all_of(material, book)
            )
    drawn = (book_named(book).category for book in material.statements)
    rest = not_drawn_up(number for number in drawn if number is not None)
    cells = {str(year): Amount(None, "t", NOT_ASSESSED, rest) for year in material.years}
    yield Row("scope3_rest", ("scope 3", "categories that no book was drawn up for"), cells)
    for book in material.statements:
        if book in ("PCF", "SH-ETS"):
            yield Row(book, ("beside", book_named(book).title), _all_of(material, book))
    for book in material.statements:
        for tier in tiers(material, book):
            if tier.startswith(MEMO):
                cells = {
                    str(year): tonnes(material, book, year, tier=tier) for year in material.years
                }
                yield Row(f"{book}/{tier}", ("memo", tier.removeprefix(MEMO)), cells)


def _all_of(material: Material, book: str) -> dict[str, Amount]:
    return {str(year): tonnes(material, book, year) for year in material.years}


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
    rows = [
        Row(
            f"{book}/{site}/{tier}",
            (book, site, tier),
            {
                str(year): energy_of(material, book, year, site=site, tier=tier)
                for year in material.years
            },
        )
        for book in _of_electricity(material.statements)
        for site in material.sites
        for tier in tiers(material, book, site=site)
    ]
    return Sheet(
        "tiers",
        "Electricity by tier [MWh]",
        ("book", "site", "tier"),
        tuple(map(str, material.years)),
        tuple(rows),
        3,
        ("the tiers of a site add up to its gross consumption, in every book",),
    )


def _of_electricity(books: Iterable[str]) -> list[str]:
    return [book for book in books if book_named(book).scope == 2]


def _both(material: Material, book: str, year: int) -> Amount:
    parts = [tonnes(material, material.scope1_book, year), tonnes(material, book, year)]
    if any(part.value is None for part in parts):
        return Amount(None, "t", NOT_ASSESSED)
    whole = sum_of(parts, "t")
    held = [material.statements[name] for name in (material.scope1_book, book)]
    if len({one.gases for one in held}) > 1:
        return replace(whole, note=", ".join(f"{one.book} in {one.gases}" for one in held))
    return whole
