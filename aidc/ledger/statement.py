"""Statements: what a book says about an entity and a period, derived from the journal."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aidc.errors import InputError
from aidc.ledger import units
from aidc.ledger.books import Total
from aidc.ledger.canonical import canonical, utc_text
from aidc.ledger.factors import Factor, FuelFactor

if TYPE_CHECKING:
    import pandas as pd

OWN_PV: Final = "own_pv"
FUEL: Final = "fuel"
ROUNDING: Final = "exact decimals; only the print is rounded, half to even"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one site took in one year in one tier, with its factor and tonnes.

    Attributes:
        amount: whole base units.
        unit: Wh, g or ml.
        factor: None where there is none to multiply with: own generation, certificates at zero.
        sources: ids of the entries that it rests on: counts, lots, assets.
    """

    site: str
    year: int
    tier: str
    amount: int
    unit: str
    factor: Factor | None
    lag_years: int
    tco2e: Decimal
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactorUse:
    """A factor that a statement rests on."""

    id: str
    version: str
    publisher: str
    data_year: int | None
    value: str
    status: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One book, one entity, one period. Decimals are exact.

    Attributes:
        gases: what the tonnes hold.
        known_on: what the ledger knew at that time; ``None`` is all that is recorded.
        estimated_frac: share of the Wh that is estimated.
        simulated: whether the activity is simulated; never mixed with measured data.
        assessed: false where the journal has nothing for this book: the zero is then no finding.
        head: hash of the last entry it was derived from.
        input_seq: how many entries it could read.
    """

    book: str
    entity: str
    period: tuple[datetime, datetime]
    report_date: date
    known_on: datetime | None
    cells: tuple[Cell, ...]
    policy_hash: str
    estimated_frac: Decimal
    simulated: bool
    assessed: bool
    warnings: tuple[str, ...]
    head: str
    gases: str
    input_seq: int

    @property
    def total(self) -> Total:
        """Tonnes, typed by book."""
        tonnes = Decimal(0)
        for cell in self.cells:
            tonnes = units.EXACT.add(tonnes, cell.tco2e)
        return Total(tonnes, self.book)

    @property
    def total_tco2e(self) -> Decimal:
        """Tonnes, exact."""
        return self.total.tonnes

    @property
    def by_site(self) -> dict[str, Decimal]:
        """Tonnes of each site."""
        made: dict[str, Decimal] = {}
        for cell in self.cells:
            made[cell.site] = units.EXACT.add(made.get(cell.site, Decimal(0)), cell.tco2e)
        return made

    @property
    def tiers(self) -> dict[str, int]:
        """Base units that ended in each tier; energy tiers in Wh."""
        made: dict[str, int] = {}
        for cell in self.cells:
            made[cell.tier] = made.get(cell.tier, 0) + cell.amount
        return made

    @property
    def lag_years(self) -> int:
        """Largest distance from activity year to data year."""
        return max((cell.lag_years for cell in self.cells), default=0)

    @property
    def factors(self) -> tuple[FactorUse, ...]:
        """Factor versions it rests on."""
        used = {cell.factor.name: cell.factor for cell in self.cells if cell.factor is not None}
        return tuple(_use(used[name]) for name in sorted(used))

    def canonical(self) -> bytes:
        """All that it says in one order of bytes: what a replay is held against.

        The head is left out: entries that this statement does not read do not change it.
        """
        return canonical(
            {
                "book": self.book,
                "entity": self.entity,
                "period": list(self.period),
                "report_date": self.report_date,
                "known_on": self.known_on,
                "policy_hash": self.policy_hash,
                "simulated": self.simulated,
                "assessed": self.assessed,
                "estimated_frac": self.estimated_frac,
                "warnings": list(self.warnings),
                "gases": self.gases,
                "cells": [
                    {
                        "site": cell.site,
                        "year": cell.year,
                        "tier": cell.tier,
                        "amount": str(cell.amount),
                        "unit": cell.unit,
                        "factor": cell.factor.name if cell.factor else None,
                        "lag_years": cell.lag_years,
                        "tco2e": cell.tco2e,
                    }
                    for cell in self.cells
                ],
            }
        )

    @property
    def sha256(self) -> str:
        """Hash of `canonical`."""
        return sha256(self.canonical()).hexdigest()

    def cell(self, site: str, period: str, tier: str | None = None) -> tuple[Cell, ...]:
        """The cells of a site and year, or of one of its tiers.

        Raises:
            InputError: there is none; lists what there is.
        """
        found = tuple(
            cell
            for cell in self.cells
            if (cell.site, str(cell.year)) == (site, period) and tier in (None, cell.tier)
        )
        if not found:
            listed = sorted({f"{cell.site} {cell.year} {cell.tier}" for cell in self.cells})
            raise InputError(
                f"{self.book} has no cell {site} {period} {tier or ''}; there are {', '.join(listed)}"
            )
        return found

    def to_frame(self) -> "pd.DataFrame":
        """A row a site, year and tier; tonnes and factors as exact text."""
        import pandas as pd

        rows = [
            {
                "entity": self.entity,
                "book": self.book,
                "period_start": utc_text(self.period[0]),
                "period_end": utc_text(self.period[1]),
                "report_date": self.report_date.isoformat(),
                "site": cell.site,
                "year": cell.year,
                "tier": cell.tier,
                "amount": cell.amount,
                "unit": cell.unit,
                "factor": cell.factor.name if cell.factor else "",
                "factor_value": _use(cell.factor).value if cell.factor else "0",
                "lag_years": cell.lag_years,
                "tco2e": format(cell.tco2e, "f"),
                "gases": self.gases,
                "simulated": self.simulated,
                "policy_hash": self.policy_hash,
                "head": self.head,
            }
            for cell in self.cells
        ]
        return pd.DataFrame(rows, columns=list(FRAME_COLUMNS))

    def text(self, decimals: int = 1) -> str:
        """The statement as a reader sees it; the only place where it is rounded."""
        place = Decimal(1).scaleb(-decimals)
        known = utc_text(self.known_on) if self.known_on else "all that is recorded"
        shown = (
            f"{self.total_tco2e.quantize(place, ROUND_HALF_EVEN)} t {self.gases}"
            if self.assessed
            else "not assessed"
        )
        lines = [
            f"{self.book}  {self.entity}  {utc_text(self.period[0])} to {utc_text(self.period[1])}"
            + ("  SIMULATED" if self.simulated else ""),
            f"total {shown}; {ROUNDING}",
            *(
                f"  {cell.site}  {cell.year}  {cell.tier}  {cell.amount} {cell.unit}  "
                f"{cell.tco2e.quantize(place, ROUND_HALF_EVEN)} t"
                for cell in self.cells
            ),
            *(
                f"factor {use.version}: {use.value}, {use.publisher}, data year {use.data_year or '-'}, {use.status}"
                for use in self.factors
            ),
            f"report date {self.report_date}; known: {known}; estimated {self.estimated_frac:.1%}",
            f"policy {self.policy_hash}",
            f"head {self.head}",
            *(f"warning: {warning}" for warning in self.warnings),
        ]
        return "\n".join(lines)


FRAME_COLUMNS: Final = (
    "entity", "book", "period_start", "period_end", "report_date", "site", "year", "tier", "amount",
    "unit", "factor", "factor_value", "lag_years", "tco2e", "gases", "simulated", "policy_hash", "head",
)  # fmt: skip


def _use(factor: Factor) -> FactorUse:
    if isinstance(factor, FuelFactor):
        value = (
            f"{factor.carbon_content} {factor.carbon_unit} x {factor.oxidation} x "
            f"{factor.ratio_num}/{factor.ratio_den}"
        )
        return FactorUse(factor.fuel, factor.name, factor.publisher, None, value, factor.status)
    value = f"{format(factor.value, 'f')} {factor.unit_num}/{factor.unit_den}"
    return FactorUse(
        factor.id, factor.name, factor.publisher, factor.data_year, value, factor.status
    )
