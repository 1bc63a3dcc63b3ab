"""Statements: what a book says about an entity and a period, derived from the journal."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from aidc.errors import InputError
from aidc.ledger.factors.registry import Row, magnitude_text
from aidc.ledger.factors.rows import ActivityFactor, FuelFactor, GridFactor
from aidc.ledger.journal import units
from aidc.ledger.journal.canonical import canonical, decimal_text, utc_text
from aidc.ledger.journal.names import one_line
from aidc.ledger.journal.periods import local_text, span_text
from aidc.ledger.market.claims import NotApplied
from aidc.ledger.scopes.scope3 import LossRate
from aidc.ledger.statements.books import Total, book_named

if TYPE_CHECKING:
    import pandas as pd

FUEL: Final = "fuel"
MEMO: Final = "memo."  # tiers beside the inventory: in no total
ROUNDING: Final = "exact decimals; only the print is rounded, half to even"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one site took in one year in one tier, with its factor and tonnes.

    Attributes:
        amount: whole base units.
        unit: Wh, g, ml, fen, pm, night or piece.
        factor: None where there is none to multiply with: own generation, certificates at zero.
        sources: ids of the entries that it rests on: counts, lots, assets.
        gas: which gas, where a tier is split by gas.
        gas_t: its mass [t]; ``tco2e`` is what it counts for.
        also: further rows of factor tables that it rests on: potentials, a loss rate.
    """

    site: str
    year: int
    tier: str
    amount: int
    unit: str
    factor: Row | None
    lag_years: int
    tco2e: Decimal
    sources: tuple[str, ...] = ()
    gas: str | None = None
    gas_t: Decimal | None = None
    also: tuple[Row, ...] = ()

    @property
    def is_memo(self) -> bool:
        """Whether it stands beside the inventory."""
        return self.tier.startswith(MEMO)


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
        estimated_frac: share of what was counted that is estimated, of the unit where it is largest.
        simulated: whether the activity is simulated; never mixed with measured data.
        assessed: false where the journal has nothing for this book: the zero is then no finding.
        head: hash of the last entry it was derived from.
        input_seq: how many entries it could read.
        boundary: version of the boundary: hash of sites and boundary events of the entity.
        notes: what a market-based book prints: terms, shares of the tiers, excess.
        not_applied: retired lots that the book passes over, with the criterion.
        methods: how what was counted came about, and heat contents; estimates are warnings.
        remarks: why it read fewer entries than there are; no part of `canonical`.
        advice: what the shipped tables would change, once adopted; no part of `canonical`.
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
    boundary: str
    notes: tuple[str, ...] = ()
    not_applied: tuple[NotApplied, ...] = ()
    methods: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def zone(self) -> str:
        """Zone in which people read its times: the ledger's; a replay has UTC."""
        return str(self.period[0].tzinfo)

    @property
    def known_text(self) -> str:
        """What the ledger knew, in words."""
        known = self.known_on
        return local_text(known, self.zone) if known else "all that is recorded"

    @property
    def heading(self) -> str:
        """The book with its title."""
        return f"{self.book}, {book_named(self.book).title}"

    @property
    def inside(self) -> tuple[Cell, ...]:
        """Cells of the inventory, without memos."""
        return tuple(cell for cell in self.cells if not cell.is_memo)

    @property
    def by_gas(self) -> dict[str, Decimal]:
        """Mass of each gas [t], where the book splits by gas; memos are left out."""
        made: dict[str, Decimal] = {}
        for cell in self.inside:
            if cell.gas is not None and cell.gas_t is not None:
                made[cell.gas] = units.EXACT.add(made.get(cell.gas, Decimal(0)), cell.gas_t)
        return made

    @property
    def total(self) -> Total:
        """Tonnes, typed by book; memos stand beside it."""
        tonnes = Decimal(0)
        for cell in self.inside:
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
        for cell in self.inside:
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
        used |= {row.name: row for cell in self.cells for row in cell.also}
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
                "boundary": self.boundary,
                "simulated": self.simulated,
                "assessed": self.assessed,
                "estimated_frac": self.estimated_frac,
                "warnings": list(self.warnings),
                "notes": list(self.notes),
                "methods": list(self.methods),
                "not_applied": [str(one) for one in self.not_applied],
                "gases": self.gases,
                "cells": [
                    {
                        "site": cell.site,
                        "year": cell.year,
                        "tier": cell.tier,
                        "amount": str(cell.amount),
                        "unit": cell.unit,
                        "factor": cell.factor.name if cell.factor else None,
                        "also": [row.name for row in cell.also],
                        "gas_t": cell.gas_t,
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

    def to_dict(self) -> dict[str, Any]:
        """All that it says, as JSON has it: tonnes and factors as exact text."""
        made: dict[str, Any] = json.loads(self.canonical())
        made["total_t"] = decimal_text(self.total_tco2e) if self.assessed else None
        made["factors"] = [asdict(use) for use in self.factors]
        made["head"], made["entries"] = self.head, self.input_seq
        made["advice"] = list(self.advice)
        return made

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
        known = self.known_text
        shown = (
            f"{self.total_tco2e.quantize(place, ROUND_HALF_EVEN):,} t {self.gases}"
            if self.assessed
            else "not assessed"
        )
        lines = [
            f"{self.heading}  {self.entity}  {span_text(self.period, self.zone)}"
            + ("  SIMULATED" if self.simulated else ""),
            f"total {shown}; {ROUNDING}",
            *(
                f"  {cell.site}  {cell.year}  {cell.tier}  {units.amount_text(cell.amount, cell.unit)}  "
                f"{cell.tco2e.quantize(place, ROUND_HALF_EVEN):,} t"
                for cell in self.cells
            ),
            *(
                f"factor {use.version}: {use.value}, {use.publisher}, data year {use.data_year or '-'}, {use.status}"
                for use in self.factors
            ),
            f"report date {self.report_date}; known: {known}; estimated {self.estimated_frac:.1%}",
            f"policy {self.policy_hash}",
            f"boundary {self.boundary}",
            f"head {self.head}",
            *(f"method: {method}" for method in self.methods),
            *(f"note: {note}" for note in (*self.remarks, *self.notes)),
            *(
                f"warning: {warning}"
                for warning in (*self.not_applied, *self.advice, *self.warnings)
            ),
        ]
        return "\n".join(map(one_line, lines))


FRAME_COLUMNS: Final = (
    "entity", "book", "period_start", "period_end", "report_date", "site", "year", "tier", "amount",
    "unit", "factor", "factor_value", "lag_years", "tco2e", "gases", "simulated", "policy_hash", "head",
)  # fmt: skip


def _use(row: Row) -> FactorUse:
    if isinstance(row, FuelFactor):
        value = (
            f"{row.carbon_content} {row.carbon_unit} x {row.oxidation} x "
            f"{row.ratio_num}/{row.ratio_den}"
        )
        return FactorUse(row.fuel, row.name, row.publisher, None, value, row.status)
    if isinstance(row, GridFactor | ActivityFactor):
        value = f"{format(row.value, 'f')} {row.unit_num}/{row.unit_den}"
        return FactorUse(row.id, row.name, row.publisher, row.data_year, value, row.status)
    if isinstance(row, LossRate):
        value = f"{row.loss_frac} of consumption"
        return FactorUse(row.key, row.name, row.publisher, row.data_year, value, row.status)
    return FactorUse(row.key, row.name, row.source, None, magnitude_text(row), row.status)
