"""From the journal's facts and counts to a statement: which Wh end in which tier, at which factor."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from aidc.errors import BalanceError, InputError, LedgerError
from aidc.ledger import units
from aidc.ledger.books import Book
from aidc.ledger.counts import Counts, IntColumn, exact_sum
from aidc.ledger.payloads import LedgerSite, Meter
from aidc.ledger.periods import years_in
from aidc.ledger.policies import Policies, select
from aidc.ledger.readings import Readings
from aidc.ledger.statement import FUEL, OWN_PV, Cell, Statement


@dataclass(frozen=True, slots=True)
class Question:
    """What a statement is asked for."""

    book: Book
    entity: str
    period: tuple[datetime, datetime]
    report_date: date
    known_on: datetime | None


@dataclass(slots=True)
class _Work:
    """One statement in the making."""

    readings: Readings
    policies: Policies
    asked: Question
    qualities: dict[str, int] = field(default_factory=dict)
    methods: dict[str, None] = field(default_factory=dict)  # of estimates, in order
    warnings: list[str] = field(default_factory=list)

    def counts(self, meter: str) -> Counts:
        """Counts of a meter over the period, which they cover without a gap."""
        found = self.readings.counts(meter, self.asked.period)
        for quality, amount in found.by_quality().items():
            self.qualities[quality] = self.qualities.get(quality, 0) + amount
        for number in np.unique(found.source).tolist():
            source = found.sources[number]
            if source in found.methods:
                text = f"{meter}: {found.qualities[number]}, {found.methods[source]}"
                self.methods[text] = None
        return found


def derive(readings: Readings, policies: Policies, asked: Question, head: str) -> Statement:
    """The statement of a book from what is registered.

    Raises:
        InputError: unknown entity, or a factor that is not there.
        LedgerError: a gap, or simulated data beside measured.
    """
    register, book = readings.register, asked.book
    sites = register.sites_of(asked.entity)
    if register.head is None or not sites:
        listed = ", ".join(sorted({site.entity for site in register.sites.values()})) or "none"
        raise InputError(f"no entity '{asked.entity}' in this ledger; it has {listed}")
    work = _Work(readings, policies, asked)
    zone = register.head.zone
    cells: list[Cell] = []
    for key, site in sites.items():
        made = _fuel_cells if book.mainland is None else _grid_cells
        cells.extend(made(work, key, site, zone))
    assessed = bool(cells)
    if not assessed:
        work.warnings.append(
            f"{book.name} is not assessed: no site has a meter for it; this is not a zero"
        )
    qualities = work.qualities
    if "simulated" in qualities and len(qualities) > 1:
        raise LedgerError(
            f"simulated data beside {', '.join(sorted(set(qualities) - {'simulated'}))}: "
            "one statement never mixes them; give the simulation an entity of its own"
        )
    whole = sum(qualities.values())
    estimated = Decimal(qualities.get("estimated", 0))
    gases = sorted({cell.factor.gas for cell in cells if cell.factor is not None}) or ["CO2"]
    if len(gases) > 1:
        raise LedgerError(f"factors of {' and '.join(gases)} in one statement are never exchanged")
    return Statement(
        book.name,
        asked.entity,
        asked.period,
        asked.report_date,
        asked.known_on,
        tuple(cells),
        policies.digest(book.policies),
        units.EXACT.divide(estimated, Decimal(whole)) if whole else Decimal(0),
        "simulated" in qualities,
        assessed,
        tuple(dict.fromkeys([*work.warnings, *work.methods])),
        head,
        "CO2 only" if gases == ["CO2"] else gases[0],
        register.upto,
    )


def _grid_cells(work: _Work, key: str, site: LedgerSite, zone: str) -> Iterator[Cell]:
    register, book, asked = work.readings.register, work.asked.book, work.asked
    imports = register.meters_of(key, "grid_import")
    if not imports:
        raise InputError(f"{key} has no grid_import meter: absent is not zero")
    rule = book.rule(site.region)
    bought = [work.counts(meter) for meter in imports]
    own_pv = _own_pv(work, key)
    for year, start, end in years_in(asked.period, zone):
        parts = [counts.part(start, end) for counts in bought]
        used = [(pv, *pv.within(start, end)) for pv in own_pv]
        own, sold = sum(kept for _, kept, _ in used), sum(lost for _, _, lost in used)
        uncovered = sum(part.total for part in parts) + sold
        gross = uncovered + own
        chosen = select(
            work.policies,
            rule.policy,
            register.grid.values(),
            region=site.region,
            activity_year=year,
            report_date=asked.report_date,
        )
        read = [name for part in parts for name in part.used]
        read += [name for pv, _, lost in used if lost for name in pv.counts.used]
        made = [
            Cell(
                site.name,
                year,
                rule.tier,
                uncovered,
                "Wh",
                chosen.factor,
                chosen.lag_years,
                chosen.factor.tonnes(uncovered),
                tuple(read),
            )
        ]
        if own:
            sources = tuple(name for pv, kept, _ in used if kept for name in pv.counts.used)
            made.append(Cell(site.name, year, OWN_PV, own, "Wh", None, 0, Decimal(0), sources))
        if sum(cell.amount for cell in made) != gross:
            raise BalanceError(f"{book.name}, {site.name}: tiers do not add up to {gross} Wh")
        work.warnings.extend(
            _disclosures(rule.disclosure, site, year, chosen.lag_years, chosen.level, sold)
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


@dataclass(frozen=True, slots=True)
class _PvUse:
    """PV used on site [Wh] by interval: with its attribute kept, and with certificates sold."""

    counts: Counts
    kept: IntColumn
    sold: IntColumn

    def within(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Wh kept and sold of the intervals that begin in a part of the period."""
        first, last = np.searchsorted(self.counts.start_s, [start.timestamp(), end.timestamp()])
        return exact_sum(self.kept[first:last]), exact_sum(self.sold[first:last])


def _own_pv(work: _Work, key: str) -> list[_PvUse]:
    """What each PV plant gave to its site; an export is taken from the PV of its interval first."""
    register = work.readings.register
    exported: dict[int, int] = {}
    for meter in register.meters_of(key, "grid_export"):
        counts = work.counts(meter)
        for time, wh in zip(counts.start_s.tolist(), counts.amount.tolist(), strict=True):
            exported[time] = exported.get(time, 0) + wh
    made = []
    for name in register.meters_of(key, "pv"):
        counts = work.counts(name)
        used = counts.amount.copy()
        for row, time in enumerate(counts.start_s.tolist()):
            out = min(int(used[row]), exported.get(time, 0))
            if out:
                exported[time] -= out
                used[row] -= out
        keeps = _attribute_kept(work, name, counts)
        made.append(_PvUse(counts, np.where(keeps, used, 0), np.where(keeps, 0, used)))
    return made


def _attribute_kept(work: _Work, name: str, counts: Counts) -> np.ndarray:
    """Whether the attribute of each interval is kept: a later version of the meter may end that."""
    keeps = np.zeros(len(counts.start_s), bool)
    for number, entry in enumerate(work.readings.register.versions(name)):
        meter = entry.payload
        if isinstance(meter, Meter):
            since = 0 if number == 0 else entry.valid_from.timestamp()
            keeps[counts.start_s >= since] = bool(meter.attribute_kept)
    return keeps


def _fuel_cells(work: _Work, key: str, site: LedgerSite, zone: str) -> Iterator[Cell]:
    register = work.readings.register
    known = register.fuels.values()
    for name, meter in register.meters_of(key, "fuel").items():
        factors = [row for row in known if row.fuel == meter.fuel]
        if len(factors) != 1:
            listed = ", ".join(sorted(row.name for row in known)) or "none"
            raise InputError(f"{name}: no single factor for {meter.fuel}; the ledger has {listed}")
        factor = factors[0]
        counts = work.counts(name)
        for year, start, end in years_in(work.asked.period, zone):
            part = counts.part(start, end)
            yield Cell(
                site.name,
                year,
                f"{FUEL}:{meter.fuel}",
                part.total,
                "Wh",
                factor,
                0,
                factor.tonnes(part.total),
                part.used,
            )
        if factor.status != "source":
            work.warnings.append(f"{factor.name}: {factor.status}")
