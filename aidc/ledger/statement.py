"""Statements: what a book says about an entity and a period, derived from the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from aidc.errors import InputError
from aidc.ledger import units
from aidc.ledger.books import Total
from aidc.ledger.canonical import utc_text
from aidc.ledger.factors import Factor, FuelFactor

if TYPE_CHECKING:
    import pandas as pd

OWN_PV: Final = "own_pv"
FUEL: Final = "fuel"
ROUNDING: Final = "exact decimals; only the print is rounded, half to even"


@dataclass(frozen=True, slots=True)
class Cell:
    """Energy of one site and year in one tier, with its factor and tonnes."""

    site: str
    year: int
    tier: str
    wh: int
    factor: Factor | None  # own generation has none: it counts zero
    lag_years: int
    tco2e: Decimal


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
        """Wh that ended in each tier."""
        made: dict[str, int] = {}
        for cell in self.cells:
            made[cell.tier] = made.get(cell.tier, 0) + cell.wh
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
                "wh": cell.wh,
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
                f"  {cell.site}  {cell.year}  {cell.tier}  {cell.wh} Wh  "
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
    "entity", "book", "period_start", "period_end", "report_date", "site", "year", "tier", "wh",
    "factor", "factor_value", "lag_years", "tco2e", "gases", "simulated", "policy_hash", "head",
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


def period_of(text: str | tuple[datetime, datetime], zone: str) -> tuple[datetime, datetime]:
    """A period: ``"2022"`` or ``"2022-07"`` in the ledger's zone, or start and end.

    Raises:
        InputError: it is none.

    Examples:
        >>> [utc_text(time) for time in period_of("2022", "Asia/Shanghai")]
        ['2021-12-31T16:00:00Z', '2022-12-31T16:00:00Z']
    """
    if isinstance(text, tuple):
        start, end = text
        if start.tzinfo is None or end.tzinfo is None or end <= start:
            raise InputError(f"{start} to {end} is no period; give two times with offset, in order")
        return start, end
    here = ZoneInfo(zone)
    parts = text.split("-")
    if not all(part.isdecimal() for part in parts) or len(parts) > 2:
        raise InputError(f"'{text}' is no period; write 2022 or 2022-07")
    year, month = int(parts[0]), int(parts[1]) if len(parts) == 2 else None
    if month is not None and not 1 <= month <= 12:
        raise InputError(f"'{text}' is no period; months are 01 to 12")
    if month is None:
        return datetime(year, 1, 1, tzinfo=here), datetime(year + 1, 1, 1, tzinfo=here)
    after = (year, month + 1) if month < 12 else (year + 1, 1)
    return datetime(year, month, 1, tzinfo=here), datetime(*after, 1, tzinfo=here)


def years_in(
    period: tuple[datetime, datetime], zone: str
) -> Iterator[tuple[int, datetime, datetime]]:
    """The parts of a period by calendar year of a zone."""
    here = ZoneInfo(zone)
    start, end = period
    while start < end:
        year = start.astimezone(here).year
        stop = min(end, datetime(year + 1, 1, 1, tzinfo=here))
        yield year, start, stop
        start = stop
