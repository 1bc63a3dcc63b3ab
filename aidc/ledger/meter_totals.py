"""What the meters of a site counted in a period: exact sums by stream, absent where one has a gap."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.activity import Block, gaps
from aidc.ledger.canonical import utc_text
from aidc.ledger.fields import base_unit_of
from aidc.ledger.payloads import Meter
from aidc.ledger.register import Register


@dataclass(frozen=True, slots=True)
class StreamTotal:
    """Sum of a stream over a period.

    Attributes:
        amount: in the base unit of the stream.
        sources: ids of the entries that it was counted by.
        qualities: how they were counted.
    """

    amount: int
    unit: str
    sources: tuple[str, ...]
    qualities: frozenset[str]


@dataclass(frozen=True, slots=True)
class MeterTotals:
    """Streams of a site in a period.

    Attributes:
        site: name of the site.
        use: what the site is.
        months: full calendar months in the period.
        of: by stream; own PV as ``pv_kept`` or ``pv_sold``, fuel as ``fuel:NAME``.
        missing: stream -> why there is no sum although there is a meter.
        water_pairs: water in and water out of equal intervals, where both are counted [ml].
    """

    site: str
    use: str
    period: tuple[datetime, datetime]
    months: int
    of: Mapping[str, StreamTotal]
    missing: Mapping[str, str]
    water_pairs: tuple[tuple[int, int], ...]

    def amount(self, stream: str) -> int | None:
        """Sum of a stream in its base unit; ``None`` where it is not counted, which is no zero."""
        found = self.of.get(stream)
        return None if found is None else found.amount

    def sources(self, streams: Iterable[str]) -> tuple[str, ...]:
        """Entries behind some streams."""
        return tuple(name for s in streams if s in self.of for name in self.of[s].sources)


def meter_totals(
    register: Register,
    site: str,
    period: tuple[datetime, datetime],
    known_on: datetime | None,
) -> MeterTotals:
    """Sums of every stream of a site.

    Args:
        register: index of the journal.
        site: id of the site's entry.
        period: start and end.
        known_on: entries recorded by then; ``None`` is all.

    Raises:
        InputError: no such site.
    """
    if site not in register.sites or register.head is None:
        raise InputError(f"no site '{site}'{nearest(site, register.sites)} in this ledger")
    start, end = period
    blocks: dict[str, list[Block]] = {}
    missing: dict[str, str] = {}
    for name, meter in register.meters.items():
        if meter.site != site:
            continue
        found = [b for b in register.live(name, known_on) if b.start < end and b.end > start]
        stream, reason = _name(meter), _hole(name, found, start, end)
        if reason:
            missing[stream] = reason
        blocks.setdefault(stream, []).extend(found)
    whole = {stream: rows for stream, rows in blocks.items() if stream not in missing}
    return MeterTotals(
        register.sites[site].name,
        register.sites[site].use,
        period,
        full_months(period, register.head.zone),
        {stream: _total(stream, rows, start, end) for stream, rows in whole.items()},
        missing,
        tuple(_pairs(register, site, known_on)),
    )


def _name(meter: Meter) -> str:
    if meter.stream == "pv":
        return "pv_kept" if meter.attribute_kept else "pv_sold"
    return f"fuel:{meter.fuel}" if meter.stream == "fuel" else meter.stream


def _hole(meter: str, found: list[Block], start: datetime, end: datetime) -> str:
    for block in found:
        if block.cut(start, end):
            return f"{block.entry_id} has an interval across the edge of the period (D12)"
    for since, until in gaps(found, start, end):
        return f"{meter} has nothing from {utc_text(since)} to {utc_text(until)} (D12)"
    return ""


def _total(stream: str, rows: list[Block], start: datetime, end: datetime) -> StreamTotal:
    return StreamTotal(
        sum(block.part(start, end) for block in rows),
        base_unit_of(stream),
        tuple(block.entry_id for block in rows),
        frozenset(block.quality for block in rows),
    )


def _pairs(register: Register, site: str, known_on: datetime | None) -> Iterable[tuple[int, int]]:
    """Water in and out of the same stretch, over the whole life of the meters."""
    taken, given = (
        {
            (block.start, block.end): sum(block.quantities)
            for meter in register.meters_of(site, stream)
            for block in register.live(meter, known_on)
        }
        for stream in ("water_in", "water_out")
    )
    return [(taken[stretch], given[stretch]) for stretch in sorted(taken.keys() & given.keys())]


def full_months(period: tuple[datetime, datetime], zone: str) -> int:
    """Full calendar months of a zone inside a period.

    Examples:
        >>> from aidc.ledger.statement import period_of
        >>> full_months(period_of("2023", "Asia/Shanghai"), "Asia/Shanghai")
        12
    """
    here = ZoneInfo(zone)
    start, end = (time.astimezone(here) for time in period)
    first, last = start.year * 12 + start.month, end.year * 12 + end.month
    if start > start.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        first += 1
    return max(0, last - first)
