"""When jobs arrive: a Poisson process whose rate follows the hour and the weekday."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from aidc import catalog
from aidc.config import Number
from aidc.equipment import Row
from aidc.errors import CatalogError, Fault
from aidc.horizon import Horizon
from aidc.job import FloatColumn
from aidc.units import H_PER_DAY, S_PER_DAY, S_PER_H

DAYS_PER_WEEK: Final = 7


class ArrivalFactor(Row):
    """Submissions in one hour or on one weekday over their mean: ``models/arrival_shapes.csv``."""

    shape: str = Field(min_length=1)
    cycle: Literal["hour", "weekday"]
    position: int = Field(ge=0, lt=H_PER_DAY)  # hour of the local day; Monday is 0
    factor: Number = Field(ge=0)


def week_shape(name: str) -> NDArray[np.float64]:
    """Rate over its mean by weekday and hour, shape (7, 24), of mean one.

    Raises:
        CatalogError: no such shape, or one without a factor for each hour and weekday.
    """
    rows = [r for r in catalog.table("arrival_shapes", ArrivalFactor).values() if r.shape == name]
    if not rows:
        known = dict.fromkeys(catalog.names("arrival_shapes", "shape"))
        raise CatalogError(Fault("", 0, 0, "", catalog.missing("arrival_shapes.csv", name, known)))
    hours = {r.position: r.factor for r in rows if r.cycle == "hour"}
    weekdays = {r.position: r.factor for r in rows if r.cycle == "weekday"}
    if sorted(hours) != list(range(H_PER_DAY)) or sorted(weekdays) != list(range(DAYS_PER_WEEK)):
        message = f"'{name}' needs a factor for each of 24 hours and 7 weekdays"
        raise CatalogError(Fault("models/arrival_shapes.csv", 0, 0, "", message))
    by_day = np.array([weekdays[day] for day in range(DAYS_PER_WEEK)])
    by_hour = np.array([hours[hour] for hour in range(H_PER_DAY)])
    shape: NDArray[np.float64] = np.outer(by_day, by_hour)
    shape /= shape.mean()
    return shape


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """Expected arrivals in cells of one local hour; the rate is constant in each.

    Attributes:
        edges_s: edges of the cells, seconds from the horizon's start, shape (n + 1,).
        expected: arrivals expected in each cell, shape (n,).
    """

    edges_s: FloatColumn
    expected: FloatColumn

    def draw_s(self, rng: np.random.Generator) -> FloatColumn:
        """Arrivals in order [whole s], a Poisson number, uniform inside each cell."""
        cell = np.repeat(np.arange(len(self.expected)), rng.poisson(self.expected))
        width_s = np.diff(self.edges_s)[cell]
        at_s: FloatColumn = np.floor(self.edges_s[cell] + rng.random(len(cell)) * width_s)
        at_s.sort()
        return at_s


def arrival_rate(
    shape: NDArray[np.float64],
    jobs_per_day: float,
    ramp: tuple[float, float],
    horizon: Horizon,
    from_s: float,
    to_s: float,
) -> ArrivalRate:
    """Arrivals expected from ``from_s`` to ``to_s``, in seconds from the horizon's start.

    The cells depend on the local hour alone, so the step of the horizon changes no job.

    Args:
        shape: rate over its mean by weekday and local hour, shape (7, 24).
        jobs_per_day: mean over whole weeks.
        ramp: factor on the rate at the horizon's start and end, linear between; constant outside.
        horizon: its start and zone.
        from_s: may be negative, before the horizon.
        to_s: exclusive.
    """
    begin = pd.Timestamp(horizon.start + timedelta(seconds=from_s)).tz_convert(horizon.zone)
    first = begin - pd.Timedelta(minutes=begin.minute, seconds=begin.second)
    cells = int(np.ceil((to_s - from_s) / S_PER_H)) + 1
    starts = pd.date_range(first.tz_convert("UTC"), periods=cells, freq="h")
    local = starts.tz_convert(horizon.zone)
    since_start_s = (starts - pd.Timestamp(horizon.start)) / pd.Timedelta(seconds=1)
    edges_s = np.append(since_start_s.to_numpy(np.float64), to_s).clip(from_s, to_s)
    width_s = np.diff(edges_s)
    factor = np.interp(edges_s[:-1] + width_s / 2, [0.0, horizon.length_s], ramp)
    share = shape[local.day_of_week.to_numpy(), local.hour.to_numpy()]
    return ArrivalRate(edges_s, jobs_per_day / S_PER_DAY * share * factor * width_s)
