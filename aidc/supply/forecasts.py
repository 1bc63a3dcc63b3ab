"""Forecasts of weather, PV and grid intensity from what has been measured so far.

``persistence``: the last day again; for PV its clear-sky index, held. ``learned``: the mix of last value,
last day and mean day that would have been best so far (`aidc.persistence.combined`); for PV of its
clear-sky index, for grid intensity with last and mean week too.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.horizon import Horizon
from aidc.persistence import Method, combined, repeated
from aidc.site import Site
from aidc.supply import sun
from aidc.supply.pv import pv_kw

Array = NDArray[np.float64]
STATES: Final = ("drybulb_degc", "dewpoint_degc", "pressure_pa", "wind_m_per_s")
DAYS_PER_WEEK: Final = 7
LOW_SUN_FRAC: Final = 0.05  # of the clearest output; below it a quotient says nothing


def outdoor(past: pd.DataFrame, method: Method, per_day: int, steps: int) -> dict[str, Array]:
    """Dry bulb, dew point, pressure and wind of the next steps, each of shape (steps,).

    Args:
        past: `STATES` up to now.
        method: how.
        per_day: steps of a day.
        steps: to forecast.
    """
    found = {}
    for name in STATES:
        seen = past[name].to_numpy(np.float64)
        if method == "persistence":
            found[name] = repeated(seen, per_day, steps)
        else:
            found[name] = combined(seen, (per_day,), steps)
    found["dewpoint_degc"] = np.minimum(found["dewpoint_degc"], found["drybulb_degc"])
    found["wind_m_per_s"] = np.maximum(found["wind_m_per_s"], 0.0)
    return found


def intensity(past: Array, method: Method, per_day: int, steps: int) -> Array:
    """Grid intensity of the next steps [kgCO2e/kWh], shape (steps,); never negative."""
    if method == "persistence":
        return repeated(past, per_day, steps)
    return np.maximum(combined(past, (DAYS_PER_WEEK * per_day, per_day), steps), 0.0)


def clear_sky_pv_kw(
    site: Site, horizon: Horizon, drybulb_degc: float, wind_m_per_s: float
) -> Array:
    """What the PV plant would give under a cloudless sky [kW], shape (steps,).

    Global irradiance is Haurwitz's, which hangs on the sun's height alone and is among the best of
    the simple models [1]; its beam is split off after Erbs.

    Args:
        site: its place and PV plant.
        horizon: the steps.
        drybulb_degc: of the air about the modules, a constant; the index takes up what it is off.
        wind_m_per_s: the same.

    References:
        [1] M. J. Reno, C. W. Hansen, J. S. Stein, "Global horizontal irradiance clear sky models",
        Sandia SAND2012-2389 (2012).
    """
    from pvlib import clearsky, irradiance

    if site.pv_kwp == 0:
        return np.zeros(horizon.steps)
    zenith = sun.position(horizon, site.latitude_deg, site.longitude_deg, site.elevation_m)[
        "apparent_zenith"
    ]
    ghi = clearsky.haurwitz(zenith)["ghi"]
    parts = irradiance.erbs(ghi, zenith, horizon.index.tz_convert("UTC").day_of_year)
    air = pd.DataFrame(
        {
            "drybulb_degc": drybulb_degc,
            "ghi_w_per_m2": ghi.to_numpy(),
            "dni_w_per_m2": np.nan_to_num(np.asarray(parts["dni"], np.float64)),
            "dhi_w_per_m2": np.nan_to_num(np.asarray(parts["dhi"], np.float64)),
            "wind_m_per_s": wind_m_per_s,
        },
        index=horizon.index,
    )
    return pv_kw(site, air, horizon)


def pv(past_kw: Array, clear_kw: Array, method: Method, per_day: int, steps: int) -> Array:
    """PV output of the next steps [kW], shape (steps,); nought where the clear sky gives none.

    ``persistence`` holds the clear-sky index of the last day's energy, so-called smart persistence
    [1]; ``learned`` forecasts the index as it does the weather.

    Args:
        past_kw: output up to now, shape (n,).
        clear_kw: output under a clear sky, from the first of ``past_kw`` to the last of the forecast,
            shape (n + steps,).
        method: how.
        per_day: steps of a day.
        steps: to forecast.

    References:
        [1] D. Yang et al., "Verification of deterministic solar forecasts", Solar Energy 210, 2020.
    """
    before, after = clear_kw[: len(past_kw)], clear_kw[len(past_kw) :][:steps]
    if method == "persistence":
        day = slice(-per_day, None)
        clear = float(before[day].sum())
        index = float(past_kw[day].sum()) / clear if clear > 0 else 1.0
        return np.asarray(index * after, np.float64)
    return np.asarray(
        np.maximum(combined(_index(past_kw, before), (per_day,), steps), 0.0) * after, np.float64
    )


def _index(past_kw: Array, clear_kw: Array) -> Array:
    """Clear-sky index of each step; in the dark and at low sun the last one before, else 1."""
    high = clear_kw > LOW_SUN_FRAC * float(clear_kw.max(initial=0.0))
    index = np.divide(past_kw, clear_kw, out=np.ones_like(past_kw), where=high)
    last = np.maximum.accumulate(np.where(high, np.arange(len(index)), -1))
    return np.where(last >= 0, index[last], 1.0)
