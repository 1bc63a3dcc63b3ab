"""Weather on the horizon, and how hourly values come to its steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.supply.sun import Array, edges_h, light_until
from aidc.units import H_PER_DAY, MIN_PER_H, S_PER_H

STATES: Final = ("drybulb_degc", "dewpoint_degc", "pressure_pa", "wind_m_per_s")
IRRADIANCES: Final = ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2")
COLUMNS: Final = (
    "drybulb_degc",
    "dewpoint_degc",
    "pressure_pa",
    *IRRADIANCES,
    "wind_m_per_s",
)
HOURS: Final = 8_760
_FEBRUARY_28 = 58  # days of a common year before it


@dataclass(frozen=True, slots=True)
class Weather:
    """Outdoor air and sun of one site.

    Attributes:
        frame: `COLUMNS` on the horizon's index; each value is the mean over its step.
        label: what it is, in words.
        synthetic: whether it is generated.
        notes: what was filled, clipped or coerced.
    """

    frame: pd.DataFrame
    label: str
    synthetic: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Values at a regular interval, each the mean over its own interval.

    Attributes:
        first_h: start of the first interval [h since 1970 UTC].
        interval_h: length of an interval [h].
        columns: column -> shape (n,).
    """

    first_h: float
    interval_h: float
    columns: Mapping[str, Array]


def on_steps(
    series: Series,
    horizon: Horizon,
    *,
    latitude_deg: float,
    longitude_deg: float,
    irradiance_shift_h: float,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Weather on the horizon from a series that covers it, and notes.

    States go from the middle of one interval to the middle of the next in a line (to longer steps
    by their mean). Irradiance follows the light inside its interval, so that every interval keeps
    its energy and its clearness; what a source has in an interval without any sun is dropped.

    Args:
        series: `COLUMNS`, at least over the horizon.
        horizon: the steps.
        latitude_deg: of the sun; north positive.
        longitude_deg: of the sun; east positive.
        irradiance_shift_h: what to add to the start of an interval to get that of its irradiance.
    """
    edges = edges_h(horizon)
    notes: list[str] = []
    columns: dict[str, Array] = {}
    for name in STATES:
        columns[name] = states_on_steps(
            edges, series.first_h, series.interval_h, series.columns[name]
        )
    wet = int(np.count_nonzero(columns["dewpoint_degc"] > columns["drybulb_degc"]))
    if wet:
        notes.append(f"dew point above dry bulb in {wet} steps, set to dry bulb")
        columns["dewpoint_degc"] = np.minimum(columns["dewpoint_degc"], columns["drybulb_degc"])

    count = len(series.columns["ghi_w_per_m2"])
    first_h = series.first_h + irradiance_shift_h
    bounds = first_h + series.interval_h * np.arange(count + 1, dtype=np.float64)
    plane, beam = light_until(np.concatenate([bounds, edges]), latitude_deg, longitude_deg)
    for name in IRRADIANCES:
        light: Array = beam if name == "dni_w_per_m2" else plane
        mean = series.columns[name]
        dark: NDArray[np.bool_] = np.diff(light[: count + 1]) <= 0
        lost = (mean > 0) & dark & (bounds[1:] > edges[0]) & (bounds[:-1] < edges[-1])
        if lost.any():
            notes.append(
                f"{name} in {int(lost.sum())} intervals without sun dropped (most {mean[lost].max():.0f} W/m2)"
            )
        columns[name] = _by_light(edges, bounds, mean, light[: count + 1], light[count + 1 :])
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS}, index=horizon.index)
    return horizon.check(frame, COLUMNS), tuple(notes)


def states_on_steps(edges: Array, first_h: float, interval_h: float, values: Array) -> Array:
    """Means over the steps between ``edges`` of a series of interval means."""
    step_h = edges[1] - edges[0]
    at = edges - first_h
    if interval_h < step_h:
        sums = np.concatenate([[0.0], np.cumsum(values) * interval_h])
        up_to = np.interp(at, interval_h * np.arange(len(values) + 1), sums)
        return np.asarray(np.diff(up_to) / step_h, np.float64)
    middles = interval_h * (np.arange(len(values)) + 0.5)
    return np.asarray(np.interp((at[:-1] + at[1:]) / 2, middles, values), np.float64)


def _by_light(
    edges: Array, bounds: Array, mean: Array, light_at_bounds: Array, light_at_edges: Array
) -> Array:
    """Interval means spread over the steps in proportion to the light of each."""
    light = np.diff(light_at_bounds)
    energy = np.where(light > 0, mean * np.diff(bounds), 0.0)
    per_light = np.divide(energy, light, out=np.zeros_like(energy), where=light > 0)
    before = np.concatenate([[0.0], np.cumsum(energy)])
    at = np.clip(np.searchsorted(bounds, edges, side="right") - 1, 0, len(mean) - 1)
    up_to = before[at] + per_light[at] * (light_at_edges - light_at_bounds[at])
    return np.maximum(np.diff(up_to) / np.diff(edges), 0.0)


def coerced(
    year: Mapping[str, Array], horizon: Horizon, *, utc_offset_h: float
) -> tuple[Series, tuple[str, ...]]:
    """A typical year laid on the calendar of the horizon, a day longer at both ends, and notes.

    Args:
        year: `COLUMNS`, each of shape (8760,), hour by hour of a common year in standard time;
            29 February is 28 February again, and the year follows itself.
        horizon: the steps.
        utc_offset_h: of the standard time that the year is in.
    """
    edges = edges_h(horizon)
    first = int(np.floor(edges[0] + utc_offset_h)) - H_PER_DAY
    last = int(np.ceil(edges[-1] + utc_offset_h)) + H_PER_DAY
    hours = np.arange(first, last)
    dates = (hours // H_PER_DAY).astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    day = (dates - years).astype(np.int64)
    number = years.astype(np.int64) + 1970
    leap = ((number % 4 == 0) & (number % 100 != 0)) | (number % 400 == 0)
    day = np.where(leap & (day > _FEBRUARY_28), day - 1, day)
    row = day * H_PER_DAY + hours % H_PER_DAY

    local = hours + 0.5 - utc_offset_h
    inside = (local > edges[0]) & (local < edges[-1])
    notes = []
    if len(covered := np.unique(number[inside])) > 1:
        notes.append(f"the same typical year in each of {covered[0]} to {covered[-1]}")
    if (leap & ((dates - years).astype(np.int64) == _FEBRUARY_28 + 1) & inside).any():
        notes.append("29 February repeats 28 February of the typical year")
    values = {name: np.asarray(year[name], np.float64)[row] for name in COLUMNS}
    return Series(first - utc_offset_h, 1.0, values), tuple(notes)


def standard_offset_h(horizon: Horizon) -> float:
    """Standard time of the horizon's zone at its start [h east of UTC].

    Raises:
        SeriesError: the zone gives no offset.
    """
    start = horizon.index[0].to_pydatetime()
    offset, summer = start.utcoffset(), start.dst()
    if offset is None:
        raise SeriesError(f"zone {horizon.zone} has no offset at {start}; give an IANA name")
    standard = offset - (summer or timedelta(0))
    return float(standard.total_seconds() / S_PER_H)


def distance_km(
    latitude_deg: float, longitude_deg: float, other_latitude_deg: float, other_longitude_deg: float
) -> float:
    """Great-circle distance of two places [km], from nautical miles (one an arc minute)."""
    a, b = np.radians(latitude_deg), np.radians(other_latitude_deg)
    turn = np.radians(other_longitude_deg - longitude_deg)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(turn / 2) ** 2
    km_per_arc_minute = 1.852
    angle_deg = np.degrees(2 * np.arcsin(np.sqrt(half)))
    return float(angle_deg * MIN_PER_H * km_per_arc_minute)
