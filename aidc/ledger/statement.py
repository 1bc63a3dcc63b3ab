"""Statements: what a book says about an entity and a period, derived from the journal."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from aidc.errors import BalanceError, InputError, LedgerError
from aidc.ledger import units
from aidc.ledger.activity import Block, gaps
from aidc.ledger.books import Book, Total, book_named
from aidc.ledger.canonical import utc_text
from aidc.ledger.entries import LedgerSite
from aidc.ledger.factors import Factor, FuelFactor
from aidc.ledger.policies import Policies, select
from aidc.ledger.register import Register

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


@dataclass(slots=True)
class _Reading:
    """Blocks of a period with what they are made of."""

    register: Register
    period: tuple[datetime, datetime]
    known_on: datetime | None
    qualities: dict[str, int]
    methods: dict[str, None]  # of estimates, in order

    def blocks(self, meter: str) -> list[Block]:
        """Blocks of a meter in the period, which they cover without a gap.

        Raises:
            LedgerError: a gap or an interval across the edge of the period (D12).
        """
        start, end = self.period
        found = [
            b for b in self.register.live(meter, self.known_on) if b.start < end and b.end > start
        ]
        for block in found:
            if block.cut(start, end):
                raise LedgerError(
                    f"D12: {block.entry_id} has an interval across {utc_text(start)} or {utc_text(end)}"
                )
            if block.method is not None:
                self.methods[f"{block.meter}: {block.quality}, {block.method}"] = None
            total = self.qualities.get(block.quality, 0)
            self.qualities[block.quality] = total + block.part(start, end)
        for since, until in gaps(found, start, end):
            raise LedgerError(
                f"D12: {meter} has nothing from {utc_text(since)} to {utc_text(until)}; "
                "fill it with an estimate and its method"
            )
        return found


def derive(
    register: Register,
    policies: Policies,
    book_name: str,
    *,
    entity: str,
    period: tuple[datetime, datetime],
    report_date: date,
    known_on: datetime | None,
    head: str,
) -> Statement:
    """The statement of a book from what is registered.

    Raises:
        InputError: unknown book or entity, or a factor that is not there.
        LedgerError: a gap, or simulated data beside measured.
    """
    book = book_named(book_name)
    sites = register.sites_of(entity)
    if register.head is None or not sites:
        listed = ", ".join(sorted({site.entity for site in register.sites.values()})) or "none"
        raise InputError(f"no entity '{entity}' in this ledger; it has {listed}")
    reading = _Reading(register, period, known_on, {}, {})
    warnings: list[str] = []
    cells: list[Cell] = []
    for key, site in sites.items():
        zone = register.head.zone
        if book.mainland is None:
            cells.extend(_fuel_cells(reading, key, site, zone, warnings))
        else:
            cells.extend(
                _grid_cells(reading, policies, book, key, site, zone, report_date, warnings)
            )
    assessed = bool(cells)
    if not assessed:
        warnings.append(
            f"{book.name} is not assessed: no site has a meter for it; this is not a zero"
        )
    if "simulated" in reading.qualities and len(reading.qualities) > 1:
        raise LedgerError(
            f"simulated data beside {', '.join(sorted(set(reading.qualities) - {'simulated'}))}: "
            "one statement never mixes them; give the simulation an entity of its own"
        )
    whole = sum(reading.qualities.values())
    estimated = Decimal(reading.qualities.get("estimated", 0))
    gases = sorted({cell.factor.gas for cell in cells if cell.factor is not None}) or ["CO2"]
    if len(gases) > 1:
        raise LedgerError(f"factors of {' and '.join(gases)} in one statement are never exchanged")
    return Statement(
        book.name,
        entity,
        period,
        report_date,
        known_on,
        tuple(cells),
        policies.digest(book.policies),
        units.EXACT.divide(estimated, Decimal(whole)) if whole else Decimal(0),
        "simulated" in reading.qualities,
        assessed,
        tuple(dict.fromkeys([*warnings, *reading.methods])),
        head,
        "CO2 only" if gases == ["CO2"] else gases[0],
    )


def _grid_cells(
    reading: _Reading,
    policies: Policies,
    book: Book,
    key: str,
    site: LedgerSite,
    zone: str,
    report_date: date,
    warnings: list[str],
) -> Iterator[Cell]:
    imports = reading.register.meters_of(key, "grid_import")
    if not imports:
        raise InputError(f"{key} has no grid_import meter: absent is not zero")
    rule = book.rule(site.region)
    bought = [block for meter in imports for block in reading.blocks(meter)]
    kept, sold = _own_pv(reading, key)
    rows = [
        row
        for row, recorded in reading.register.grid.values()
        if reading.known_on is None or recorded <= reading.known_on
    ]
    for year, start, end in years_in(reading.period, zone):
        own, lost = _within(kept, start, end), _within(sold, start, end)
        import_wh = sum(block.part(start, end) for block in bought)
        chosen = select(
            policies,
            rule.policy,
            rows,
            region=site.region,
            activity_year=year,
            report_date=report_date,
        )
        uncovered = import_wh + lost
        gross = import_wh + own + lost
        grid = Cell(
            site.name,
            year,
            rule.tier,
            uncovered,
            chosen.factor,
            chosen.lag_years,
            chosen.factor.tonnes(uncovered),
        )
        made = [grid]
        if own:
            made.append(Cell(site.name, year, OWN_PV, own, None, 0, Decimal(0)))
        if sum(cell.wh for cell in made) != gross:
            raise BalanceError(f"{book.name}, {site.name}: tiers do not add up to {gross} Wh")
        warnings.extend(
            _disclosures(rule.disclosure, site, year, chosen.lag_years, chosen.level, lost)
        )
        yield from made


def _disclosures(
    disclosure: str, site: LedgerSite, year: int, lag_years: int, level: str, sold_wh: int
) -> Iterator[str]:
    if disclosure:
        yield disclosure
    if lag_years:
        yield f"{site.name}: activity of {year} at a factor of {year - lag_years}, {lag_years} years earlier"
    if site.region == "CN" and level == "CN":
        yield f"{site.name}: a total without a split by site takes the national factor"
    elif level not in (site.region, "CN"):
        yield f"{site.name}: no row for {site.region}, factor of {level}"
    if sold_wh:
        yield f"{site.name}: own PV whose certificates are sold counts as grid electricity (D4)"


def _own_pv(reading: _Reading, key: str) -> tuple[dict[datetime, int], dict[datetime, int]]:
    """PV used on site [Wh] by interval: with its attribute kept, and with certificates sold.

    What is exported in an interval is taken from the PV of that interval.
    """
    exports: dict[datetime, int] = {}
    for meter in reading.register.meters_of(key, "grid_export"):
        for block in reading.blocks(meter):
            for time, wh in block.intervals():
                exports[time] = exports.get(time, 0) + wh
    kept: dict[datetime, int] = {}
    sold: dict[datetime, int] = {}
    for name, pv in reading.register.meters_of(key, "pv").items():
        used = kept if pv.attribute_kept else sold
        for block in reading.blocks(name):
            for time, wh in block.intervals():
                out = min(wh, exports.get(time, 0))
                if out:
                    exports[time] -= out
                used[time] = used.get(time, 0) + wh - out
    return kept, sold


def _within(by_time: dict[datetime, int], start: datetime, end: datetime) -> int:
    return sum(wh for time, wh in by_time.items() if start <= time < end)


def _fuel_cells(
    reading: _Reading, key: str, site: LedgerSite, zone: str, warnings: list[str]
) -> Iterator[Cell]:
    known = [
        row
        for row, recorded in reading.register.fuels.values()
        if reading.known_on is None or recorded <= reading.known_on
    ]
    for name, meter in reading.register.meters_of(key, "fuel").items():
        factors = [row for row in known if row.fuel == meter.fuel]
        if len(factors) != 1:
            listed = ", ".join(sorted(row.name for row in known)) or "none"
            raise InputError(f"{name}: no single factor for {meter.fuel}; the ledger has {listed}")
        factor = factors[0]
        blocks = reading.blocks(name)
        for year, start, end in years_in(reading.period, zone):
            wh = sum(block.part(start, end) for block in blocks)
            yield Cell(site.name, year, f"{FUEL}:{meter.fuel}", wh, factor, 0, factor.tonnes(wh))
        if factor.status != "source":
            warnings.append(f"{factor.name}: {factor.status}")
