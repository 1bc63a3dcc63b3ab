"""From mean power to whole watt-hours, and what a journal says was counted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aidc.errors import Fault
from aidc.ledger.canonical import utc_text
from aidc.ledger.entries import Entry
from aidc.ledger.payloads import Activity
from aidc.units import W_PER_KW


def wh_from_kw(power_kw: ArrayLike, step_h: float) -> NDArray[np.int64]:
    """Whole Wh of each step from mean power, shape as given.

    The cumulative energy is rounded, not each step, so that any run of steps agrees with the float
    total to 1 Wh.

    Args:
        power_kw: mean power of each step, shape (n,).
        step_h: length of a step [h].

    Examples:
        >>> wh_from_kw([0.0004, 0.0004, 0.0004], 1.0)
        array([0, 1, 0])
    """
    return whole(np.asarray(power_kw, np.float64) * (step_h * W_PER_KW))


def whole(amounts: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers whose running sums are the rounded running sums of the amounts, shape (n,)."""
    running = np.rint(np.cumsum(np.asarray(amounts, np.float64))).astype(np.int64)
    return np.diff(running, prepend=np.int64(0))


@dataclass(frozen=True, slots=True)
class Block:
    """Equal intervals of one meter as one entry posted them."""

    entry_id: str
    meter: str
    start: datetime
    interval: timedelta
    quantities: tuple[int, ...]
    quality: str
    method: str | None
    recorded_at: datetime

    @property
    def end(self) -> datetime:
        """End of the last interval."""
        return self.start + self.interval * len(self.quantities)

    def intervals(self) -> Iterator[tuple[datetime, int]]:
        """Start and quantity of each interval."""
        for number, quantity in enumerate(self.quantities):
            yield self.start + number * self.interval, quantity

    def part(self, start: datetime, end: datetime) -> int:
        """Sum of the intervals inside a period; see `cut` for those across its edge."""
        first, last = self._range(start, end)
        return sum(self.quantities[first:last])

    def cut(self, start: datetime, end: datetime) -> bool:
        """Whether an interval lies across an edge of the period."""
        inside_start = self.start < start < self.end and (start - self.start) % self.interval
        inside_end = self.start < end < self.end and (end - self.start) % self.interval
        return bool(inside_start or inside_end)

    def _range(self, start: datetime, end: datetime) -> tuple[int, int]:
        first = max(0, -((self.start - start) // self.interval)) if start > self.start else 0
        last = (end - self.start) // self.interval if end < self.end else len(self.quantities)
        return first, max(first, last)


def block_of(entry: Entry, activity: Activity, recorded_at: datetime) -> Block:
    """The block that an entry posted."""
    return Block(
        entry.id,
        activity.meter,
        entry.valid_from,
        timedelta(seconds=activity.interval_s),
        activity.quantities,
        activity.quality,
        activity.method,
        recorded_at,
    )


@dataclass(slots=True)
class Blocks:
    """What each meter counted, with what was taken back."""

    of_meter: dict[str, list[Block]] = field(default_factory=dict)
    taken_back: dict[str, datetime] = field(default_factory=dict)  # entry id -> recorded at

    def add(self, block: Block) -> None:
        """Adds a block."""
        self.of_meter.setdefault(block.meter, []).append(block)

    def live(self, meter: str, known_on: datetime | None) -> list[Block]:
        """Blocks of a meter that stood at a time, in order."""

        def stood(block: Block) -> bool:
            back = self.taken_back.get(block.entry_id)
            if known_on is None:
                return back is None
            return block.recorded_at <= known_on and (back is None or back > known_on)

        return sorted(filter(stood, self.of_meter.get(meter, ())), key=lambda block: block.start)

    def overlap(self, new: Block, without: str | None) -> Fault | None:
        """The fault of a block that lies over a recorded one."""
        for block in self.of_meter.get(new.meter, ()):
            gone = block.entry_id in self.taken_back or block.entry_id == without
            if not gone and block.start < new.end and new.start < block.end:
                message = (
                    f"overlaps {block.entry_id}, which holds {utc_text(block.start)} to "
                    f"{utc_text(block.end)}; post an adjustment that supersedes it"
                )
                return Fault("", 0, 0, f"{new.entry_id}: valid_from", message)
        return None


def gaps(
    blocks: Iterable[Block], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of a period that no block covers."""
    reached = start
    for block in blocks:
        if block.end <= start or block.start >= end:
            continue
        if block.start > reached:
            yield reached, block.start
        reached = max(reached, block.end)
    if reached < end:
        yield reached, end


def block_entry(
    entry_id: str,
    meter: str,
    unit: str,
    start: datetime,
    interval: timedelta,
    quantities: Iterable[int],
    quality: str,
    method: str | None = None,
) -> dict[str, Any]:
    """An ``activity`` entry, ready to post."""
    counted = [int(quantity) for quantity in quantities]
    payload: dict[str, Any] = {
        "meter": meter,
        "unit": unit,
        "interval_s": int(interval.total_seconds()),
        "quantities": counted,
        "quality": quality,
    }
    if method is not None:
        payload["method"] = method
    return {
        "id": entry_id,
        "kind": "activity",
        "valid_from": utc_text(start),
        "valid_to": utc_text(start + interval * len(counted)),
        "payload": payload,
    }
