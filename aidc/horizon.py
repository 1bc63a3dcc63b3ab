"""The time axis: one regular, tz-aware index in the site's zone, stamped at the start of a step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from aidc.errors import Fault, SeriesError
from aidc.units import MIN_PER_H, S_PER_MIN


@dataclass(frozen=True, slots=True)
class Horizon:
    """From ``start`` to ``end`` (exclusive) in steps of ``step_min``, in one zone.

    Raises:
        SeriesError: naive times, an end before the start, or a length that is no whole number of steps.
    """

    start: datetime
    end: datetime
    step_min: int
    zone: str

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise SeriesError(f"start {self.start} and end {self.end} need an offset, e.g. +08:00")
        if self.end <= self.start:
            raise SeriesError(
                f"end {self.end.isoformat()} is not after start {self.start.isoformat()}"
            )
        if (self.end - self.start) % timedelta(minutes=self.step_min):
            raise SeriesError(
                f"{self.end - self.start} is not a whole number of {self.step_min} min steps"
            )

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step_min / MIN_PER_H

    @property
    def step_s(self) -> int:
        """Length of a step [s]."""
        return self.step_min * S_PER_MIN

    @property
    def steps(self) -> int:
        """Number of steps."""
        return int((self.end - self.start) / timedelta(minutes=self.step_min))

    @property
    def length_s(self) -> int:
        """Length of the whole [s]."""
        return self.steps * self.step_s

    @property
    def index(self) -> pd.DatetimeIndex:
        """Start of each step in the zone."""
        first = pd.Timestamp(self.start).tz_convert(self.zone)
        index = pd.date_range(
            first.tz_convert("UTC"), periods=self.steps, freq=pd.Timedelta(minutes=self.step_min)
        )
        return index.tz_convert(self.zone)

    @property
    def full_years(self) -> bool:
        """Whether the horizon covers twelve months or more."""
        first = pd.Timestamp(self.start)
        return bool(pd.Timestamp(self.end) >= first + pd.DateOffset(years=1))

    def check(self, frame: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """The frame, if it is on this very index and has the columns without gaps.

        Raises:
            SeriesError: a naive, shifted, gappy or incomplete frame; every fault at once.
        """
        faults: list[str] = []
        index, own = frame.index, self.index
        if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
            faults.append("the index is naive; give every time its zone")
        elif len(index) != len(own) or not (index == own).all():
            missing = own.difference(index)
            where = f", first missing {missing[0]}" if len(missing) else ""
            faults.append(f"the index has {len(index)} of {len(own)} steps from {own[0]}{where}")
        for name in columns:
            if name not in frame:
                faults.append(f"column {name} is missing")
            elif not np.isfinite(frame[name].to_numpy(np.float64)).all():
                gaps = int((~np.isfinite(frame[name].to_numpy(np.float64))).sum())
                faults.append(f"column {name} has {gaps} gaps; fill them and say how")
        if faults:
            raise SeriesError([Fault("", 0, 0, "series", fault) for fault in faults])
        return frame
