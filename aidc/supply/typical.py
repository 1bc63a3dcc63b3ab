"""A typical year made from monthly climate: labelled synthetic, for running without any file.

Daily means follow a bivariate first-order autoregression about the year's course, daily clearness
another; hours follow the mean shapes of a day. Not in it: heat waves of weeks, typhoons, and any
link between cities or between wind and the rest.
"""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import Field

from aidc import catalog
from aidc.config import Number
from aidc.equipment import Row
from aidc.errors import CatalogError, Fault
from aidc.horizon import Horizon
from aidc.streams import stream
from aidc.supply.sun import DEG_PER_H, Array
from aidc.supply.weather import (
    HOURS,
    Weather,
    coerced,
    distance_km,
    on_steps,
    standard_offset_h,
)
from aidc.units import H_PER_DAY, MIN_PER_H, PA_PER_HPA, W_PER_KW

_DAYS_OF_MONTHS: Final = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MONTH: Final = np.repeat(np.arange(12), _DAYS_OF_MONTHS)  # of every day
_DAYS: Final = len(_MONTH)
_NEAR_KM: Final = 50.0  # farther from the climate's station than this is said in a note


class ClimateMonth(Row):
    """A month of a city: ``models/climates.csv``."""

    city: str
    month: int = Field(ge=1, le=12)
    latitude_deg: Number
    longitude_deg: Number
    elevation_m: Number
    drybulb_mean_degc: Number
    drybulb_daily_range_k: Number = Field(gt=0)
    drybulb_daily_sd_k: Number = Field(gt=0)  # of the daily mean about the year's course
    drybulb_lag1: Number = Field(ge=0, lt=1)
    dewpoint_mean_degc: Number
    dewpoint_daily_sd_k: Number = Field(gt=0)
    dewpoint_lag1: Number = Field(ge=0, lt=1)
    corr_drybulb_dewpoint: Number = Field(gt=-1, lt=1)
    ghi_kwh_per_m2_day: Number = Field(gt=0)
    clearness_daily_sd: Number = Field(gt=0)
    wind_mean_m_per_s: Number = Field(ge=0)
    pressure_hpa: Number = Field(gt=0)
    source_temperature: str = Field(min_length=3)
    source_humidity: str = Field(min_length=3)
    source_variability: str = Field(min_length=3)
    source_radiation: str = Field(min_length=3)
    source_wind: str = Field(min_length=3)


class ClimateHour(Row):
    """The mean course of a day: ``models/climate_hours.csv``."""

    hour: int = Field(ge=0, le=23)
    drybulb_k_per_k: Number  # departure from the day's mean per kelvin of its range
    dewpoint_k: Number


class ClimateMethod(Row):
    """What the generator assumes of every climate: ``models/climate_method.csv``."""

    range_factor: Number = Field(gt=0)  # on range times course, so that the range comes out
    range_log_sd: Number = Field(gt=0)
    range_min_k: Number = Field(ge=0)
    clearness_lag1: Number = Field(ge=0, lt=1)
    clearness_range_corr: Number = Field(ge=0, le=1)  # clear days swing more
    clearness_min: Number = Field(ge=0)
    clearness_max: Number = Field(gt=0, le=1)
    run_in_days: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class _Place:
    latitude_deg: float
    longitude_deg: float
    utc_offset_h: float


def typical(
    climate: str,
    horizon: Horizon,
    seed: int,
    *,
    latitude_deg: float,
    longitude_deg: float,
    elevation_m: float,
) -> Weather:
    """Generated weather of a climate on the horizon; all seeds share the monthly means.

    One typical year is drawn and laid on the calendar, so a week and the year around it agree and
    one year is like the next. Pressure is carried to the site's elevation.

    Args:
        climate: a city of ``models/climates.csv``.
        horizon: the steps, in any years.
        seed: of the scenario.
        latitude_deg: of the site, for the sun.
        longitude_deg: of the site, for the sun.
        elevation_m: of the site.

    Raises:
        CatalogError: no such climate, or one without its twelve months.
    """
    from pvlib.atmosphere import alt2pres

    months = _months(climate)
    offset_h = standard_offset_h(horizon)
    year = _year(climate, seed, _Place(latitude_deg, longitude_deg, offset_h))
    city = months[0]
    lifted = alt2pres(elevation_m) / alt2pres(city.elevation_m)
    year = year | {"pressure_pa": year["pressure_pa"] * lifted}
    series, notes = coerced(year, horizon, utc_offset_h=offset_h)
    frame, more = on_steps(
        series,
        horizon,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        irradiance_shift_h=0.0,
    )
    away_km = distance_km(latitude_deg, longitude_deg, city.latitude_deg, city.longitude_deg)
    if away_km > _NEAR_KM:
        notes = (*notes, f"climate {climate} is {away_km:.0f} km from the site")
    label = f"synthetic typical year of {climate} (seed {seed}) from monthly climate"
    return Weather(frame, label, True, (*notes, *more))


def _months(climate: str) -> tuple[ClimateMonth, ...]:
    """The twelve months in order."""
    rows = catalog.table("climates", ClimateMonth).values()
    months = sorted((row for row in rows if row.city == climate), key=lambda row: row.month)
    if not months:
        names = dict.fromkeys(row.city for row in rows)
        raise CatalogError(Fault("", 0, 0, "", catalog.missing("climates.csv", climate, names)))
    if [row.month for row in months] != list(range(1, 13)):
        message = (
            f"climate {climate} has months {[row.month for row in months]}; give 1 to 12 once each"
        )
        raise CatalogError(Fault("models/climates.csv", 0, 0, climate, message))
    return tuple(months)


@functools.lru_cache(maxsize=8)
def _year(climate: str, seed: int, place: _Place) -> dict[str, Array]:
    """Hours of a common year in standard time, each column of shape (8760,)."""
    months, method = _months(climate), catalog.row("climate_method", ClimateMethod, "typical")
    course = sorted(catalog.table("climate_hours", ClimateHour).values(), key=lambda h: h.hour)
    rng = stream(seed, "weather")
    dry_k, dew_k = _departures(months, method, rng)
    clear = _autoregression(
        np.full(_DAYS, method.clearness_lag1), rng.standard_normal(_DAYS + method.run_in_days)
    )
    own = rng.standard_normal(_DAYS)

    # clear days swing more: the range shares part of its draw with the clearness
    shared = method.clearness_range_corr
    normal = shared * clear + np.sqrt(1 - shared**2) * own
    spread = np.exp(method.range_log_sd * normal - method.range_log_sd**2 / 2)
    range_k = np.maximum(
        _daily([m.drybulb_daily_range_k for m in months]) * spread, method.range_min_k
    )
    drybulb = _hourly(_daily([m.drybulb_mean_degc for m in months]) + dry_k)
    drybulb += method.range_factor * np.outer(range_k, [h.drybulb_k_per_k for h in course]).ravel()
    dewpoint = _hourly(_daily([m.dewpoint_mean_degc for m in months]) + dew_k)
    dewpoint += np.tile([h.dewpoint_k for h in course], _DAYS)
    ghi, dni, dhi = _radiation(months, method, clear, place)
    hours = np.repeat(_MONTH, H_PER_DAY)
    return {
        "drybulb_degc": drybulb,
        "dewpoint_degc": np.minimum(dewpoint, drybulb),
        "pressure_pa": np.array([m.pressure_hpa for m in months])[hours] * PA_PER_HPA,
        "ghi_w_per_m2": ghi,
        "dni_w_per_m2": dni,
        "dhi_w_per_m2": dhi,
        "wind_m_per_s": np.array([m.wind_mean_m_per_s for m in months])[hours],
    }


def _between_months() -> Array:
    """Weights of the mid-month nodes on every day, linear and periodic, shape (days, 12)."""
    ends = np.cumsum(_DAYS_OF_MONTHS)
    middles = ends - _DAYS_OF_MONTHS / 2
    x = np.concatenate([[middles[-1] - _DAYS], middles, [middles[0] + _DAYS]])
    day = np.arange(_DAYS) + 0.5
    nodes = np.eye(12)
    return np.column_stack([np.interp(day, x, np.concatenate([[n[-1]], n, [n[0]]])) for n in nodes])


def _daily(table: list[float], *, keep_mean: bool = True) -> Array:
    """Every day's value of a monthly table, shape (days,).

    With ``keep_mean`` the nodes are moved until each month's mean is the table's. Not so for
    deviations and lags: the correction overshoots, and a lag above 1 has no process.
    """
    weights = _between_months()
    nodes = np.array(table, np.float64)
    if keep_mean:
        means = np.stack([weights[month == _MONTH].mean(axis=0) for month in range(12)])
        nodes = np.linalg.solve(means, nodes)
    return np.asarray(weights @ nodes, np.float64)


def _autoregression(lag1: Array, innovations: Array) -> Array:
    """A first-order autoregression of unit variance; the days before the first run it in."""
    lag = np.concatenate([np.full(len(innovations) - len(lag1), lag1[0]), lag1])
    state, out = 0.0, np.empty(len(lag))
    scaled = np.sqrt(1 - lag**2) * innovations
    for day, (r, e) in enumerate(zip(lag.tolist(), scaled.tolist(), strict=True)):
        state = r * state + e
        out[day] = state
    return out[-len(lag1) :]


def _departures(
    months: tuple[ClimateMonth, ...], method: ClimateMethod, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Departures of the daily dry bulb and dew point [K], mean zero in every month."""
    lags = [
        _daily([m.drybulb_lag1 for m in months], keep_mean=False),
        _daily([m.dewpoint_lag1 for m in months], keep_mean=False),
    ]
    together = _daily([m.corr_drybulb_dewpoint for m in months], keep_mean=False)
    first, second = rng.standard_normal((2, _DAYS + method.run_in_days))
    # correlation of the innovations that gives the departures theirs, from stationarity
    share = together * (1 - lags[0] * lags[1]) / np.sqrt((1 - lags[0] ** 2) * (1 - lags[1] ** 2))
    share = np.clip(np.concatenate([np.full(method.run_in_days, share[0]), share]), -1.0, 1.0)
    draws = (first, share * first + np.sqrt(1 - share**2) * second)
    tables = (
        [m.drybulb_daily_sd_k for m in months],
        [m.dewpoint_daily_sd_k for m in months],
    )
    dry_k, dew_k = (
        _daily(table, keep_mean=False) * _autoregression(lag, draw)
        for table, lag, draw in zip(tables, lags, draws, strict=True)
    )
    return dry_k - _monthly_mean(dry_k), dew_k - _monthly_mean(dew_k)


def _monthly_mean(daily: Array) -> Array:
    """Each day's month's mean, shape (days,)."""
    return np.asarray((np.bincount(_MONTH, daily) / _DAYS_OF_MONTHS)[_MONTH], np.float64)


def _hourly(daily: Array) -> Array:
    """Hours of a line from noon to noon that keeps each day's mean, shape (8760,)."""
    hour = np.arange(H_PER_DAY) + 0.5
    back = np.maximum(H_PER_DAY / 2 - hour, 0) / H_PER_DAY  # weight of the day before
    ahead = np.maximum(hour - H_PER_DAY / 2, 0) / H_PER_DAY
    share = back.mean()
    # each day's mean is a circular convolution of the noons: solve for the noons
    kernel = np.zeros(_DAYS)
    kernel[[0, 1, -1]] = 1 - 2 * share, share, share
    noon = np.fft.irfft(np.fft.rfft(daily) / np.fft.rfft(kernel), _DAYS)
    here = 1 - back - ahead
    return np.asarray(
        np.outer(np.roll(noon, 1), back) + np.outer(noon, here) + np.outer(np.roll(noon, -1), ahead)
    ).reshape(HOURS)


def _radiation(
    months: tuple[ClimateMonth, ...], method: ClimateMethod, clear: Array, place: _Place
) -> tuple[Array, Array, Array]:
    """Global, direct and diffuse irradiance [W/m2], each of shape (8760,).

    References:
        Collares-Pereira and Rabl, Solar Energy 22 (1979) 155: hours of the day's total.
        Erbs, Klein and Duffie, Solar Energy 28 (1982) 293: diffuse share.
    """
    from pvlib.irradiance import erbs, get_extra_radiation
    from pvlib.solarposition import declination_spencer71, equation_of_time_spencer71
    from scipy.special import betaincinv, ndtr

    day = np.arange(1, _DAYS + 1)
    declination, latitude = declination_spencer71(day), np.radians(place.latitude_deg)
    sunset = np.arccos(np.clip(-np.tan(latitude) * np.tan(declination), -1.0, 1.0))
    outside = (  # of the atmosphere, on the horizontal [kWh/m2 a day]
        get_extra_radiation(day)
        * (H_PER_DAY / np.pi)
        * (
            np.cos(latitude) * np.cos(declination) * np.sin(sunset)
            + sunset * np.sin(latitude) * np.sin(declination)
        )
        / W_PER_KW
    )

    table = np.array([m.ghi_kwh_per_m2_day for m in months])
    width = method.clearness_max - method.clearness_min
    mean = np.clip((_daily(list(table)) / outside - method.clearness_min) / width, 0.01, 0.99)
    deviation = _daily([m.clearness_daily_sd for m in months], keep_mean=False) / width
    sharpness = np.maximum(mean * (1 - mean) / deviation**2 - 1, 0.1)
    clearness = method.clearness_min + width * betaincinv(
        mean * sharpness, (1 - mean) * sharpness, ndtr(clear)
    )
    total = clearness * outside
    total *= table[_MONTH] / _monthly_mean(total)

    solar_noon_h = (
        H_PER_DAY / 2
        - equation_of_time_spencer71(day) / MIN_PER_H
        - (place.longitude_deg / DEG_PER_H - place.utc_offset_h)
    )
    hour = np.arange(H_PER_DAY) + 0.5
    angle = np.radians(DEG_PER_H) * (hour[None, :] - solar_noon_h[:, None])
    up = np.maximum(np.cos(angle) - np.cos(sunset)[:, None], 0.0)
    a = 0.409 + 0.5016 * np.sin(sunset - np.radians(60))
    b = 0.6609 - 0.4767 * np.sin(sunset - np.radians(60))
    profile = np.maximum(a[:, None] + b[:, None] * np.cos(angle), 0.0) * up
    profile /= np.maximum(profile.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    ghi = (total[:, None] * profile * W_PER_KW).ravel()
    height = np.sin(latitude) * np.sin(declination)[:, None] + (
        np.cos(latitude) * np.cos(declination)[:, None] * np.cos(angle)
    )
    zenith_deg = np.degrees(np.arccos(np.clip(height, -1.0, 1.0))).ravel()
    split = erbs(ghi, zenith_deg, np.repeat(day, H_PER_DAY))
    return ghi, np.asarray(split["dni"]), np.asarray(split["dhi"])
