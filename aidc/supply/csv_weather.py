"""Weather from a CSV file with `COLUMNS` and ``time`` with an offset."""

from pathlib import Path
from typing import Final

from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.supply.timeseries import read_series
from aidc.supply.weather import Weather, on_steps

# What can be on Earth: outside of it a file has another unit or a mark for missing values.
_LIMITS: Final = {
    "drybulb_degc": (-90.0, 60.0),
    "dewpoint_degc": (-110.0, 40.0),
    "pressure_pa": (45_000.0, 110_000.0),
    "ghi_w_per_m2": (0.0, 1_700.0),
    "dni_w_per_m2": (0.0, 1_420.0),
    "dhi_w_per_m2": (0.0, 1_400.0),
    "wind_m_per_s": (0.0, 115.0),
}
_SUPERSATURATED_K: Final = 2.0  # more than two instruments can differ in fog


def read_csv(path: Path, horizon: Horizon, *, latitude_deg: float, longitude_deg: float) -> Weather:
    """Weather of a CSV file on the horizon.

    Each row holds from its ``time`` to the next; rows may be longer or shorter than the steps.

    Args:
        path: the file, with columns ``time`` and `aidc.supply.weather.COLUMNS`.
        horizon: the steps, all of them inside the file.
        latitude_deg: of the site, for the sun inside a row.
        longitude_deg: of the site.

    Raises:
        SeriesError: naive or uneven times, gaps, missing columns, values that cannot be, or a
            part of the horizon not covered; every fault at once, each with its line.
    """
    series = read_series(path, horizon, _LIMITS)
    above_k = series.columns["dewpoint_degc"] - series.columns["drybulb_degc"]
    if above_k.max() > _SUPERSATURATED_K:
        message = (
            f"is up to {above_k.max():.1f} K above drybulb_degc, in {int((above_k > 0).sum())} rows; "
            "check that the columns are not swapped"
        )
        raise SeriesError(Fault(str(path), 0, 0, "dewpoint_degc", message))
    frame, notes = on_steps(
        series,
        horizon,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        irradiance_shift_h=0.0,
    )
    return Weather(frame, f"series {path.name}", False, notes)
