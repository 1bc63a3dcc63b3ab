"""Weather from an EPW file: a typical year, coerced to the years of the scenario.

What such files get wrong is met here: relative humidity that contradicts the dew point (not read),
a fill value as pressure (said in a note), and irradiance centred on its label instead of half an
hour later (found by closure, then shifted).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.supply.sun import Array, light_until
from aidc.supply.weather import HOURS, Weather, coerced, distance_km, on_steps
from aidc.units import H_PER_DAY, PA_PER_HPA

if TYPE_CHECKING:
    import pandas as pd

FAR_KM: Final = 300.0  # beyond this it is another climate
_HEADER_LINES: Final = 8
_LEAP_HOURS: Final = HOURS + H_PER_DAY
_SHOWN: Final = 5  # faults of one column that are listed
# pvlib's name and the mark of a missing value (EnergyPlus, Auxiliary Programs, "EPW CSV Format")
_FIELDS: Final = {
    "drybulb_degc": ("temp_air", 99.9),
    "dewpoint_degc": ("temp_dew", 99.9),
    "pressure_pa": ("atmospheric_pressure", 999_999.0),
    "ghi_w_per_m2": ("ghi", 9_999.0),
    "dni_w_per_m2": ("dni", 9_999.0),
    "dhi_w_per_m2": ("dhi", 9_999.0),
    "wind_m_per_s": ("wind_speed", 999.0),
}
# weather moves pressure by several hPa within a month; less is a fill value
_PRESSURE_SPREAD_PA: Final = PA_PER_HPA


def read_epw(path: Path, horizon: Horizon, *, latitude_deg: float, longitude_deg: float) -> Weather:
    """Weather of an EPW file on the horizon.

    Args:
        path: the file.
        horizon: the steps, in any years.
        latitude_deg: of the site; the file must be within `FAR_KM` of it.
        longitude_deg: of the site.

    Raises:
        SeriesError: no EPW file, a wrong number of hours, hours out of order, missing values, or
            a station too far away; every fault at once.
    """
    file = str(path)
    lines = _lines(path)
    faults = _length_faults(file, lines)
    frame, meta = _parsed(path)
    faults += _place_faults(file, meta, latitude_deg, longitude_deg)
    faults += _order_faults(file, frame) if not faults else []
    faults += _value_faults(file, frame)
    if faults:
        raise SeriesError(faults)

    leap = (frame["month"] == 2) & (frame["day"] == 29)
    frame = frame[~leap]
    year = {name: frame[field].to_numpy(np.float64) for name, (field, _) in _FIELDS.items()}
    offset_h = float(str(meta["TZ"]))
    shift_h, closure_note = _irradiance_shift(year, meta)
    series, calendar_notes = coerced(year, horizon, utc_offset_h=offset_h)
    on_horizon, notes = on_steps(
        series,
        horizon,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        irradiance_shift_h=shift_h,
    )
    all_notes = [
        "humidity from the dew point; the file's relative humidity is not read",
        closure_note,
        *calendar_notes,
        *_pressure_notes(frame),
        *notes,
    ]
    if leap.any():
        all_notes.append("29 February of the file left out")
    label = f"typical year {path.name} ({meta['city']}, {meta['data_type']})"
    return Weather(on_horizon, label, False, tuple(all_notes))


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SeriesError(Fault(str(path), 0, 0, "", f"cannot be read: {error.strerror}")) from None
    if not lines or not lines[0].upper().startswith("LOCATION,"):
        message = (
            "is no EPW file: its first line does not begin with LOCATION; for a table use kind: csv"
        )
        raise SeriesError(Fault(str(path), 1, 0, "", message))
    return lines


def _length_faults(file: str, lines: list[str]) -> list[Fault]:
    rows = sum(1 for line in lines[_HEADER_LINES:] if line.strip())
    if rows in (HOURS, _LEAP_HOURS):
        return []
    message = (
        f"has {rows} hours, not {HOURS} or {_LEAP_HOURS}; a typical year is needed whole: "
        "fetch the file again, or give a part of a year as kind: csv"
    )
    return [Fault(file, len(lines), 0, "", message)]


def _parsed(path: Path) -> "tuple[pd.DataFrame, Mapping[str, object]]":
    import pandas as pd
    from pvlib.iotools import read_epw as parse

    try:
        frame, meta = parse(str(path))
    except (ValueError, KeyError, IndexError, pd.errors.ParserError) as error:
        message = f"cannot be read as EPW ({error}); fetch the file again"
        raise SeriesError(Fault(str(path), 0, 0, "", message)) from None
    return frame, meta


def _place_faults(
    file: str, meta: Mapping[str, object], latitude_deg: float, longitude_deg: float
) -> list[Fault]:
    latitude, longitude = float(str(meta["latitude"])), float(str(meta["longitude"]))
    faults = []
    if latitude * latitude_deg < 0:
        message = f"latitude {latitude:g} is in the other hemisphere than the site's {latitude_deg:g}; its summer is the site's winter: give a file of the site's region"
        faults.append(Fault(file, 1, 0, "LOCATION", message))
    away_km = distance_km(latitude, longitude, latitude_deg, longitude_deg)
    if away_km > FAR_KM:
        message = f"station {meta['city']} at {latitude:g}, {longitude:g} is {away_km:.0f} km from the site at {latitude_deg:g}, {longitude_deg:g}, more than {FAR_KM:g} km; give a nearer station"
        faults.append(Fault(file, 1, 0, "LOCATION", message))
    return faults


def _order_faults(file: str, frame: "pd.DataFrame") -> list[Fault]:
    """The first row that is not the next hour of the calendar."""
    start = "2000-01-01" if len(frame) == _LEAP_HOURS else "2001-01-01"
    hours = np.datetime64(start, "h") + np.arange(len(frame))
    months = hours.astype("datetime64[M]")
    expected = np.column_stack(
        [
            months.astype(np.int64) % 12 + 1,
            (hours.astype("datetime64[D]") - months).astype(np.int64) + 1,
            hours.astype(np.int64) % H_PER_DAY + 1,
        ]
    )
    given = frame[["month", "day", "hour"]].to_numpy(np.int64)
    wrong = np.flatnonzero((given != expected).any(axis=1))
    if not len(wrong):
        return []
    row = int(wrong[0])
    is_, should = (f"{m:02d}-{d:02d} hour {h}" for m, d, h in (given[row], expected[row]))
    message = f"row is {is_} where {should} belongs; hours run from 1 to 24 of every day, in order"
    return [Fault(file, row + 1 + _HEADER_LINES, 0, "", message)]


def _value_faults(file: str, frame: "pd.DataFrame") -> list[Fault]:
    import pandas as pd

    faults = []
    for column, (name, mark) in enumerate(_FIELDS.values(), 1):
        values = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
        wrong = np.flatnonzero(~(values < mark))  # not a number, or the mark
        for row in wrong[:_SHOWN].tolist():
            rest = f"; {len(wrong)} such hours in all" if len(wrong) > _SHOWN else ""
            message = f"{frame[name].iloc[row]} is missing or no number; fill it and say how, or take another file{rest}"
            faults.append(Fault(file, row + 1 + _HEADER_LINES, column, name, message))
    return faults


def _irradiance_shift(year: Mapping[str, Array], meta: Mapping[str, object]) -> tuple[float, str]:
    """Where the irradiance of a row lies: from its start, or half an hour earlier.

    By the format a row of hour 1 is the mean of 00:00 to 01:00; files made from reanalysis have it
    centred on 00:00. The better closure ``GHI = DNI cos z + DHI`` tells.
    """
    start = np.datetime64("2001-01-01", "h").astype(np.int64) - float(str(meta["TZ"]))
    beam_on_plane = year["ghi_w_per_m2"] - year["dhi_w_per_m2"]
    residual = {}
    for shift_h in (0.0, -0.5):
        bounds = start + shift_h + np.arange(HOURS + 1)
        plane, _ = light_until(bounds, float(str(meta["latitude"])), float(str(meta["longitude"])))
        cosine = np.diff(plane)
        sunny = (cosine > 0) & (year["ghi_w_per_m2"] > 0)
        miss = (beam_on_plane - year["dni_w_per_m2"] * cosine)[sunny]
        residual[shift_h] = float(np.sqrt(np.mean(miss**2))) if len(miss) else 0.0
    if residual[-0.5] < residual[0.0]:
        return -0.5, (
            f"irradiance of the file is centred on its hours: closure {residual[-0.5]:.0f} W/m2 rms, "
            f"against {residual[0.0]:.0f} for means from the hour on; shifted by half an hour"
        )
    return 0.0, f"irradiance closes within {residual[0.0]:.0f} W/m2 rms"


def _pressure_notes(frame: "pd.DataFrame") -> list[str]:
    spread = frame["atmospheric_pressure"].groupby(frame["month"]).std()
    filled = [str(month) for month in spread.index[spread < _PRESSURE_SPREAD_PA]]
    if not filled:
        return []
    return [f"pressure is a fill value in months {', '.join(filled)}; used as it stands"]
