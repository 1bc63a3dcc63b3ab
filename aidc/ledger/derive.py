"""From the journal's index to a statement: which Wh end in which tier, at which factor."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from aidc.errors import BalanceError, InputError, LedgerError
from aidc.ledger import units
from aidc.ledger.activity import Block, gaps
from aidc.ledger.books import Book, book_named
from aidc.ledger.canonical import utc_text
from aidc.ledger.payloads import LedgerSite
from aidc.ledger.policies import Policies, select
from aidc.ledger.register import Register
from aidc.ledger.statement import FUEL, OWN_PV, Cell, Statement, years_in


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
