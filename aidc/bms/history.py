"""What was read, remembered step by step: the past that forecasts are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.bms.json_form import Number
from aidc.bms.observation import Reading

Array = NDArray[np.float64]
REMEMBERED: Final = ("drybulb_degc", "dewpoint_degc", "it_kw", "pv_kw")
MOST: Final = timedelta(days=28)  # as long as the past that a simulation forecasts from


@dataclass(frozen=True, slots=True)
class History:
    """Readings on the scenario's steps, without a gap in time.

    Attributes:
        start: of the first step; None: nothing was read yet.
        columns: a value a step of each point of `REMEMBERED` that the site has; NaN: none was usable.
    """

    start: datetime | None = None
    columns: Mapping[str, tuple[Number, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return max((len(column) for column in self.columns.values()), default=0)

    def noted(
        self, at: datetime, step: timedelta, readings: Mapping[str, Reading], points: set[str]
    ) -> "History":
        """The history with what was read in a step; a clock set back forgets its future.

        Args:
            at: start of the step.
            step: its length.
            readings: usable ones, by point; of one that is missing there is a gap.
            points: of the site.
        """
        start, before = self.start, self.columns
        if start is None or at < start or at - (start + len(self) * step) > MOST:
            start, before = at, {}
        steps = (at - start) // step
        first = max(steps + 1 - MOST // step, 0)
        made: dict[str, tuple[float, ...]] = {}
        for name in (name for name in REMEMBERED if name in points):
            column = tuple(before.get(name, ()))[:steps]
            value = float(readings[name].value) if name in readings else nan
            made[name] = (*column, *(nan,) * (steps - len(column)), value)[first:]
        return History(start + first * step, made)

    def series(self, name: str) -> Array:
        """One point's values, shape (steps,); a gap holds what was read before it, or else after it.

        Raises:
            KeyError: the point was never read.
        """
        values = np.array(self.columns[name], np.float64)
        good = np.flatnonzero(np.isfinite(values))
        if not len(good):
            raise KeyError(name)
        last = np.searchsorted(good, np.arange(len(values)), side="right") - 1
        return values[good[np.maximum(last, 0)]]
