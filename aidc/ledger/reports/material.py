"""What the sheets of a report are made from: statements by book, meter totals by year, figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aidc.ledger.journal import units
from aidc.ledger.lots.lot import Lot
from aidc.ledger.reports.meter_totals import MeterTotals
from aidc.ledger.reports.sheet import NOT_ASSESSED, Amount
from aidc.ledger.statements.books import book_named
from aidc.ledger.statements.statement import FUEL, Cell, Statement

FUEL_BOOK: Final = "S1"
LOCATION_BOOK: Final = "S2-LB"
MARKET_BOOK: Final = "S2-MB-2015"
SCOPE2: Final = {LOCATION_BOOK: "scope2_location", MARKET_BOOK: "scope2_market"}
MEGA: Final = -6  # power of ten from Wh to MWh and from ml to m3


@dataclass(frozen=True, slots=True)
class Material:
    """What the sheets of one entity and period are made from.

    Attributes:
        statements: by book; books that were not drawn up are absent.
        years: reporting years, one part of the period each.
        totals: meter totals by year and site, in the order of the sites.
        lots: certificates, contracts and credits by entry id.
    """

    statements: Mapping[str, Statement]
    years: tuple[int, ...]
    totals: Mapping[int, tuple[MeterTotals, ...]]
    lots: Mapping[str, Lot]

    @property
    def scope1_book(self) -> str:
        """The book of scope 1 that was drawn up; the plain one where there is none."""
        return next((book for book in self.statements if book_named(book).scope == 1), FUEL_BOOK)

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites."""
        return tuple(dict.fromkeys(one.site for one in self.all_totals))

    @property
    def all_totals(self) -> tuple[MeterTotals, ...]:
        """Meter totals of every year and site."""
        return tuple(one for rows in self.totals.values() for one in rows)

    @property
    def fuels(self) -> tuple[str, ...]:
        """Streams of fuel that any site has a meter of."""
        met = (stream for one in self.all_totals for stream in (*one.of, *one.missing))
        return tuple(sorted({stream for stream in met if stream.startswith(f"{FUEL}:")}))

    def of(self, year: int, site: str) -> MeterTotals:
        """Meter totals of a site in a year."""
        return next(one for one in self.totals[year] if one.site == site)


def tiers(material: Material, book: str, *, site: str | None = None) -> list[str]:
    """Tiers of a book, in order."""
    cells = material.statements[book].cells if book in material.statements else ()
    return list(dict.fromkeys(cell.tier for cell in cells if site in (None, cell.site)))


def tonnes(
    material: Material, book: str, year: int, *, site: str | None = None, tier: str | None = None
) -> Amount:
    """Emissions of a book in a year, of a site or tier alone where one is named; memos only by name."""
    cells = picked(material, book, year, site=site, tier=tier)
    if cells is None:
        return Amount(None, "t", NOT_ASSESSED)
    total = Decimal(0)
    for cell in cells:
        total = units.EXACT.add(total, cell.tco2e)
    return Amount(total, "t", sources=_sources(cells))


def energy_of(
    material: Material, book: str, year: int, *, site: str | None = None, tier: str | None = None
) -> Amount:
    """Energy that a book counted in a year [MWh], of a site or tier alone where one is named."""
    cells = picked(material, book, year, site=site, tier=tier)
    if cells is None:
        return Amount(None, "MWh", NOT_ASSESSED)
    wh = sum(cell.amount for cell in cells if cell.unit == "Wh")
    return Amount(Decimal(wh).scaleb(MEGA), "MWh", sources=_sources(cells))


def picked(
    material: Material, book: str, year: int, *, site: str | None, tier: str | None
) -> list[Cell] | None:
    """Cells of a book in a year; ``None`` where the book is not drawn up or not assessed."""
    found = material.statements.get(book)
    if found is None or not found.assessed:
        return None
    return [
        cell
        for cell in found.cells
        if cell.year == year
        and site in (None, cell.site)
        and (tier == cell.tier or (tier is None and not cell.is_memo))
    ]


def _sources(cells: Iterable[Cell]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for cell in cells for name in cell.sources))
