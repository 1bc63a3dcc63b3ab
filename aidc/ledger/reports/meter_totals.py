"""What the meters of a site counted in a period: exact sums by stream, absent where one has a gap."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from aidc.errors import LedgerError
from aidc.ledger.journal.fields import base_unit_of
from aidc.ledger.journal.payloads import LedgerSite, Meter


class Reading(Protocol):
    """What a meter counted in a period that it covers without a gap."""

    @property
    def total(self) -> int:
        """Sum in the base unit."""

    @property
    def used(self) -> tuple[str, ...]:
        """Ids of the entries that it was counted by."""

    def by_quality(self) -> Mapping[str, int]:
        """Amount of each quality."""

    def part(self, start: datetime, end: datetime) -> "Reading":
        """The intervals that begin in a part of the period."""


Read: TypeAlias = Callable[[str, tuple[datetime, datetime]], Reading]


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
        region: where it stands: ISO 3166-2, or the country.
        months: full calendar months in the period.
        of: by stream; fuel as ``fuel:NAME``.
        missing: stream -> why there is no sum although there is a meter.
        water_pairs: water in and water out of each month, where both are counted [ml].
    """

    site: str
    use: str
    region: str
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
    site: LedgerSite,
    meters: Mapping[str, Meter],
    read: Read,
    period: tuple[datetime, datetime],
    zone: str,
) -> MeterTotals:
    """Sums of every stream of a site.

    Args:
        site: the site.
        meters: its meters by entry id.
        read: what a meter counted in a period; raises `LedgerError` where it has a gap (D12).
        period: start and end.
        zone: calendar months are read in it.
    """
    readings: dict[str, list[Reading]] = {}
    missing: dict[str, str] = {}
    for name, meter in meters.items():
        try:
            readings.setdefault(_stream(meter), []).append(read(name, period))
        except LedgerError as error:
            missing[_stream(meter)] = str(error)
    whole = {stream: rows for stream, rows in readings.items() if stream not in missing}
    months = list(months_in(period, zone))
    return MeterTotals(
        site.name,
        site.use,
        site.region,
        period,
        full_months(period, zone),
        {stream: _total(stream, rows) for stream, rows in whole.items() if rows},
        missing,
        tuple(_pairs(whole.get("water_in", []), whole.get("water_out", []), months)),
    )


def one_origin(totals: Iterable[MeterTotals]) -> bool:
    """Whether the streams of a report are simulated; it never has simulated ones beside others.

    Raises:
        LedgerError: simulated streams beside measured ones; names both.
    """
    made: dict[bool, list[str]] = {True: [], False: []}
    for one in totals:
        for stream, total in one.of.items():
            for simulated in {quality == "simulated" for quality in total.qualities}:
                made[simulated].append(f"{stream} of {one.site}")
    if made[True] and made[False]:
        raise LedgerError(
            f"simulated {', '.join(dict.fromkeys(made[True]))} beside measured "
            f"{', '.join(dict.fromkeys(made[False]))}: one report never mixes them; give the "
            "simulation an entity of its own"
        )
    return bool(made[True])


def _stream(meter: Meter) -> str:
    return f"fuel:{meter.fuel}" if meter.stream == "fuel" else meter.stream


def _total(stream: str, rows: list[Reading]) -> StreamTotal:
    return StreamTotal(
        sum(reading.total for reading in rows),
        base_unit_of(stream),
        tuple(name for reading in rows for name in reading.used),
        frozenset(quality for reading in rows for quality in reading.by_quality()),
    )


def _pairs(
    taken: list[Reading], given: list[Reading], months: list[tuple[datetime, datetime]]
) -> Iterator[tuple[int, int]]:
    """Water in and out of each month in which any was taken in."""
    for start, end in months if taken and given else ():
        water_in, water_out = (
            sum(reading.part(start, end).total for reading in rows) for rows in (taken, given)
        )
        if water_in:
            yield water_in, water_out


def months_in(period: tuple[datetime, datetime], zone: str) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a period by calendar month of a zone."""
    here = ZoneInfo(zone)
    start, end = period
    while start < end:
        local = start.astimezone(here)
        year, month = (local.year, local.month + 1) if local.month < 12 else (local.year + 1, 1)
        stop = min(end, datetime(year, month, 1, tzinfo=here))
        yield start, stop
        start = stop


def full_months(period: tuple[datetime, datetime], zone: str) -> int:
    """Full calendar months of a zone inside a period.

    Examples:
        >>> from aidc.ledger.journal.periods import period_of
        >>> full_months(period_of("2023", "Asia/Shanghai"), "Asia/Shanghai")
        12
    """
    here = ZoneInfo(zone)
    start, end = (time.astimezone(here) for time in period)
    first, last = start.year * 12 + start.month, end.year * 12 + end.month
    if start > start.replace(day=1, hour=0, minute=0, second=0, microsecond=0):
        first += 1
    return max(0, last - first)
