"""Calendar periods in a ledger's zone."""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aidc.errors import InputError

MIDNIGHT: Final = time()

_FORM: Final = re.compile(r"(19|20|21)[0-9]{2}(-(0[1-9]|1[0-2]))?")  # one way to write each
_YEAR_DIGITS: Final = 4


def period_of(text: str | tuple[datetime, datetime], zone: str) -> tuple[datetime, datetime]:
    """A period: ``"2022"`` or ``"2022-07"`` in the ledger's zone, or start and end.

    Raises:
        InputError: it is none.

    Examples:
        >>> from aidc.ledger.journal.canonical import utc_text
        >>> [utc_text(time) for time in period_of("2022", "Asia/Shanghai")]
        ['2021-12-31T16:00:00Z', '2022-12-31T16:00:00Z']
    """
    if isinstance(text, tuple):
        start, end = text
        if start.tzinfo is None or end.tzinfo is None or end <= start:
            raise InputError(f"{start} to {end} is no period; give two times with offset, in order")
        return start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    here = ZoneInfo(zone)
    if not _FORM.fullmatch(text):
        raise InputError(f"'{text}' is no period; write 2022 or 2022-07")
    year, month = int(text[:4]), int(text[5:]) if len(text) > _YEAR_DIGITS else None
    if month is None:
        return datetime(year, 1, 1, tzinfo=here), datetime(year + 1, 1, 1, tzinfo=here)
    after = (year, month + 1) if month < 12 else (year + 1, 1)
    return datetime(year, month, 1, tzinfo=here), datetime(*after, 1, tzinfo=here)


def local_text(at: datetime, zone: str) -> str:
    """A time as people of a zone read it, with its offset.

    Examples:
        >>> local_text(datetime.fromisoformat("2021-12-31T16:00:00Z"), "Asia/Shanghai")
        '2022-01-01T00:00:00+08:00'
    """
    return at.astimezone(ZoneInfo(zone)).isoformat()


def span_text(period: tuple[datetime, datetime], zone: str) -> str:
    """A period as people of a zone read it: first and last day, or times where it is no whole days.

    Examples:
        >>> span_text(period_of("2022", "Asia/Shanghai"), "Asia/Shanghai")
        '2022-01-01 to 2022-12-31 (Asia/Shanghai)'
    """
    start, end = (at.astimezone(ZoneInfo(zone)) for at in period)
    if any(at.time() != MIDNIGHT for at in (start, end)):
        return f"{start.isoformat()} to {end.isoformat()}"
    last = end.date() - timedelta(days=1)
    days = f"{start.date()}" if last == start.date() else f"{start.date()} to {last}"
    return f"{days} ({zone})"


def in_zone(period: tuple[datetime, datetime], zone: str, own: str) -> tuple[datetime, datetime]:
    """A period with the midnights of one zone read as the same midnights of another.

    Times that are no midnight of ``zone`` stay as they are.

    Examples:
        >>> from aidc.ledger.journal.canonical import utc_text
        >>> year = period_of("2022", "Asia/Shanghai")
        >>> [utc_text(time) for time in in_zone(year, "Asia/Shanghai", "Europe/London")]
        ['2022-01-01T00:00:00Z', '2023-01-01T00:00:00Z']
    """
    if zone == own:
        return period
    start, end = (_same_day(at, ZoneInfo(zone), ZoneInfo(own)) for at in period)
    return start, end


def _same_day(at: datetime, here: ZoneInfo, there: ZoneInfo) -> datetime:
    local = at.astimezone(here)
    if local.time() != MIDNIGHT:
        return at
    return local.replace(tzinfo=there)


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
