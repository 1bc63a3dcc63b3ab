"""Grid intensity that a plan decides on; the ledger books its own factors."""

from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from aidc import catalog
from aidc.config import Config, Number
from aidc.errors import CatalogError, Fault, SeriesError
from aidc.horizon import Horizon
from aidc.supply.timeseries import means_on_steps, read_series
from aidc.units import H_PER_DAY

Season = Literal["winter", "spring", "summer", "autumn"]
_SEASONS: Final[tuple[Season, ...]] = ("winter", "spring", "summer", "autumn")
_INTENSITY: Final = "kgco2e_per_kwh"
_HIGHEST: Final = 3.0  # kgCO2e per kWh; above it a series is in another unit (g per kWh)


class Intensity(NamedTuple):
    """Carbon intensity of grid electricity on the horizon.

    Attributes:
        kgco2e_per_kwh: shape (steps,).
        label: what it is, in words.
        synthetic: whether its course is made up.
    """

    kgco2e_per_kwh: NDArray[np.float64]
    label: str
    synthetic: bool


class IntensityShape(Config):
    """A day of one season: ``models/intensity_shapes.csv``."""

    row: str
    name: str
    season: Season
    h00: Number
    h01: Number
    h02: Number
    h03: Number
    h04: Number
    h05: Number
    h06: Number
    h07: Number
    h08: Number
    h09: Number
    h10: Number
    h11: Number
    h12: Number
    h13: Number
    h14: Number
    h15: Number
    h16: Number
    h17: Number
    h18: Number
    h19: Number
    h20: Number
    h21: Number
    h22: Number
    h23: Number
    source: str = Field(min_length=3)

    @property
    def hours(self) -> list[float]:
        """Departure from the annual mean at hours 0 to 23, in units of the amplitude."""
        values = self.model_dump()
        return [float(values[f"h{hour:02d}"]) for hour in range(H_PER_DAY)]


def flat(kgco2e_per_kwh: float, horizon: Horizon) -> Intensity:
    """The annual factor in every step."""
    label = f"flat annual factor {kgco2e_per_kwh:g} kgCO2e/kWh"
    return Intensity(np.full(horizon.steps, float(kgco2e_per_kwh)), label, False)


def synthetic(
    kgco2e_per_kwh: float, amplitude_frac: float, shape: str, horizon: Horizon
) -> Intensity:
    """The annual factor with a made-up course by hour and season.

    The mean over each whole calendar year is exactly the factor. Only differences between hours
    are made up, and a figure that rests on them has to say so.

    Args:
        kgco2e_per_kwh: annual mean.
        amplitude_frac: largest departure over the mean, 0 to below 1.
        shape: a name of ``models/intensity_shapes.csv``.
        horizon: the steps.

    Raises:
        CatalogError: no such shape, or one without its four seasons.
        SeriesError: an amplitude outside 0 to below 1.
    """
    if not 0 <= amplitude_frac < 1:
        message = f"{amplitude_frac:g} is not within 0 and below 1; an intensity is never negative"
        raise SeriesError(Fault("", 0, 0, "amplitude", message))
    table = _table(shape)
    index = horizon.index
    course = table[_season(index), index.hour]
    for year in np.unique(index.year):
        days = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="D")
        course = course - np.where(index.year == year, table[_season(days)].mean(), 0.0)
    values = kgco2e_per_kwh * (1 + amplitude_frac * course)
    label = (
        f"synthetic hourly intensity, shape {shape}, amplitude {amplitude_frac:.0%} "
        f"about {kgco2e_per_kwh:g} kgCO2e/kWh"
    )
    return Intensity(np.maximum(values, 0.0), label, True)


def series(path: Path, horizon: Horizon) -> Intensity:
    """The intensity of a CSV file with ``time`` and ``kgco2e_per_kwh``.

    A row holds from its time to the next; longer steps take the mean.

    Raises:
        SeriesError: every fault of the file at once, each with its line.
    """
    read = read_series(path, horizon, {_INTENSITY: (0.0, _HIGHEST)})
    return Intensity(means_on_steps(read, _INTENSITY, horizon), f"series {path.name}", False)


def _season(index: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Place of each time's season in `_SEASONS`; winter begins in December."""
    return np.asarray(index.month % 12 // 3, np.int64)


def _table(shape: str) -> NDArray[np.float64]:
    """Hours of the four seasons, shape (4, 24)."""
    rows = catalog.table("intensity_shapes", IntensityShape, key="row").values()
    own = {row.season: row.hours for row in rows if row.name == shape}
    if not own:
        names = dict.fromkeys(row.name for row in rows)
        message = catalog.missing("intensity_shapes.csv", shape, names)
        raise CatalogError(Fault("", 0, 0, "", message))
    if missing := [season for season in _SEASONS if season not in own]:
        message = f"has no row for {', '.join(missing)}; give all four seasons"
        raise CatalogError(Fault("models/intensity_shapes.csv", 0, 0, shape, message))
    return np.array([own[season] for season in _SEASONS])
