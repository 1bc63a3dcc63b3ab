"""What a site took in as electricity: bought, and from own PV with its attribute kept or sold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aidc.errors import InputError
from aidc.ledger.journal.counts import Counts, IntColumn, exact_sum
from aidc.ledger.journal.payloads import LedgerSite, Meter
from aidc.ledger.journal.register import Register


@dataclass(frozen=True, slots=True)
class PvUse:
    """PV used on site [Wh] by interval: with its attribute kept, and with certificates sold."""

    counts: Counts
    kept: IntColumn
    sold: IntColumn

    def within(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Wh kept and sold of the intervals that begin in a part of the period."""
        first, last = np.searchsorted(self.counts.start_s, [start.timestamp(), end.timestamp()])
        return exact_sum(self.kept[first:last]), exact_sum(self.sold[first:last])


@dataclass(frozen=True, slots=True)
class SiteEnergy:
    """Electricity of one site over a period.

    Attributes:
        key: id of the site's entry.
        site: the site.
        bought: of each import meter.
        own_pv: of each PV meter.
    """

    key: str
    site: LedgerSite
    bought: tuple[Counts, ...]
    own_pv: tuple[PvUse, ...]

    def year(self, start: datetime, end: datetime) -> "YearEnergy":
        """A part of the period, within a calendar year."""
        parts = [counts.part(start, end) for counts in self.bought]
        used = [(pv, *pv.within(start, end)) for pv in self.own_pv]
        own, sold = sum(kept for _, kept, _ in used), sum(lost for _, _, lost in used)
        read = [name for part in parts for name in part.used]
        read += [name for pv, _, lost in used if lost for name in pv.counts.used]
        kept_in = tuple(name for pv, kept, _ in used if kept for name in pv.counts.used)
        return YearEnergy(sum(part.total for part in parts) + sold, own, sold, tuple(read), kept_in)


@dataclass(frozen=True, slots=True)
class YearEnergy:
    """Gross consumption of a site in a year: of the grid, and of own PV.

    Attributes:
        grid_wh: bought, and own PV whose certificates are sold.
        own_wh: own PV with its attribute kept.
        sold_wh: the part of ``grid_wh`` that own PV gave.
        grid_sources: entries that ``grid_wh`` stands in.
        own_sources: entries that ``own_wh`` stands in.
    """

    grid_wh: int
    own_wh: int
    sold_wh: int
    grid_sources: tuple[str, ...]
    own_sources: tuple[str, ...]

    @property
    def gross_wh(self) -> int:
        """All that was taken in; storage losses are part of it."""
        return self.grid_wh + self.own_wh


def site_energy(
    register: Register, counts: Callable[[str], Counts], key: str, site: LedgerSite
) -> SiteEnergy:
    """Electricity of a site.

    Args:
        register: facts of the journal.
        counts: of a meter over the period.
        key: id of the site's entry.
        site: the site.

    Raises:
        InputError: it has no import meter.
    """
    imports = register.meters_of(key, "grid_import")
    if not imports:
        raise InputError(f"{key} has no grid_import meter: absent is not zero")
    bought = tuple(counts(meter) for meter in imports)
    return SiteEnergy(key, site, bought, tuple(_own_pv(register, counts, key)))


def _own_pv(register: Register, read: Callable[[str], Counts], key: str) -> Iterator[PvUse]:
    """What each PV plant gave to its site; an export is taken from the PV of its interval first."""
    exported: dict[int, int] = {}
    for meter in register.meters_of(key, "grid_export"):
        counts = read(meter)
        for time, wh in zip(counts.start_s.tolist(), counts.amount.tolist(), strict=True):
            exported[time] = exported.get(time, 0) + wh
    for name in register.meters_of(key, "pv"):
        counts = read(name)
        used = counts.amount.copy()
        for row, time in enumerate(counts.start_s.tolist()):
            out = min(int(used[row]), exported.get(time, 0))
            if out:
                exported[time] -= out
                used[row] -= out
        keeps = _attribute_kept(register, name, counts)
        yield PvUse(counts, np.where(keeps, used, 0), np.where(keeps, 0, used))


def _attribute_kept(register: Register, name: str, counts: Counts) -> np.ndarray:
    """Whether the attribute of each interval is kept: a later version of the meter may end that."""
    keeps = np.zeros(len(counts.start_s), bool)
    for number, entry in enumerate(register.versions(name)):
        meter = entry.payload
        if isinstance(meter, Meter):
            since = 0 if number == 0 else entry.valid_from.timestamp()
            keeps[counts.start_s >= since] = bool(meter.attribute_kept)
    return keeps


def kept_during(register: Register, meter: str, period: tuple[datetime, datetime]) -> bool:
    """Whether any part of a period counts as kept by a PV meter or what superseded it."""
    versions = register.versions(meter)
    for number, entry in enumerate(versions):
        since = period[0] if number == 0 else max(period[0], entry.valid_from)
        later = versions[number + 1 :]
        until = min(period[1], later[0].valid_from) if later else period[1]
        kept = isinstance(entry.payload, Meter) and bool(entry.payload.attribute_kept)
        if kept and since < until:
            return True
    return False


def disclosures(
    disclosure: str, site: LedgerSite, year: int, lag_years: int, level: str, sold_wh: int
) -> Iterator[str]:
    """What a statement says about the price of a site's grid electricity.

    Args:
        disclosure: of the book's rule.
        site: whose.
        year: of the activity.
        lag_years: activity year less data year.
        level: place of the factor.
        sold_wh: own PV whose certificates are sold.
    """
    if disclosure:
        yield f"{site.name}: {disclosure}"
    if lag_years > 0:
        yield f"{site.name}: activity of {year} at a factor of {year - lag_years}, {lag_years} years earlier"
    if site.region == "CN" and level == "CN":
        yield f"{site.name}: a total without a split by site takes the national factor"
    elif level not in (site.region, "CN"):
        yield f"{site.name}: no row for {site.region}, factor of {level}"
    if sold_wh:
        yield f"{site.name}: own PV whose certificates are sold counts as grid electricity (D4)"
