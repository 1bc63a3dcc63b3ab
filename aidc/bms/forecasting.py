"""Forecasts of air, PV and IT power from what was read: the same as a simulation makes from its own past."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.bms.history import History
from aidc.horizon import Horizon
from aidc.persistence import Method
from aidc.site import Site
from aidc.supply import forecasts
from aidc.supply.pressure import standard_pressure_pa
from aidc.units import H_PER_DAY, MIN_PER_H
from aidc.workload.load_forecast import seasonal

Array = NDArray[np.float64]
CALM_M_PER_S = 0.0  # no wind is read; what that is off is in the clear-sky index


@dataclass(frozen=True, slots=True)
class Air:
    """Outside and PV over a window, each a value or one a step.

    Attributes:
        drybulb_degc: outside air.
        dewpoint_degc: outside air, no warmer.
        pv_kw: what the PV plant could give.
    """

    drybulb_degc: float | Array
    dewpoint_degc: float | Array
    pv_kw: float | Array


@dataclass(frozen=True, slots=True)
class Told:
    """A forecast over a window.

    Attributes:
        air: outside and PV, a value a step.
        it_kw: IT power of the site in all, shape (steps,).
    """

    air: Air
    it_kw: Array


def forecast(history: History, site: Site, window: Horizon, method: Method) -> Told:
    """What is expected over a window that begins in the past read so far, or just after it.

    Steps that were read already are as they were read.

    Args:
        history: what was read; its last step is the present one.
        site: its place and PV plant.
        window: on the grid of the history.
        method: ``persistence`` or ``learned``, as in `aidc.supply.forecasts`.

    Raises:
        ValueError: nothing was read yet.
    """
    if history.start is None:
        raise ValueError("there is no history to forecast from")
    seen = len(history)
    offset = round((window.start - history.start).total_seconds() / window.step_s)
    ahead = offset + window.steps - seen
    per_day = H_PER_DAY * MIN_PER_H // window.step_min
    read = {name: history.series(name) for name in history.columns}
    past = pd.DataFrame(
        {
            "drybulb_degc": read["drybulb_degc"],
            "dewpoint_degc": np.minimum(read["dewpoint_degc"], read["drybulb_degc"]),
            "pressure_pa": standard_pressure_pa(site.elevation_m),
            "wind_m_per_s": CALM_M_PER_S,
        }
    )
    air = forecasts.outdoor(past, method, per_day, ahead)

    def joined(before: Array, after: Array) -> Array:
        return np.concatenate([before, after])[offset:]

    pv_kw = np.zeros(window.steps)
    if site.pv_kwp > 0:
        whole = Horizon(history.start, window.end, window.step_min, window.zone)
        mean_degc = float(past["drybulb_degc"].mean())
        clear_kw = forecasts.clear_sky_pv_kw(site, whole, mean_degc, CALM_M_PER_S)
        given_kw = forecasts.pv(read["pv_kw"], clear_kw, method, per_day, ahead)
        pv_kw = joined(read["pv_kw"], given_kw)
    drybulb, dewpoint = (
        joined(past[name].to_numpy(np.float64), air[name])
        for name in ("drybulb_degc", "dewpoint_degc")
    )
    load = joined(read["it_kw"], seasonal(read["it_kw"], method, per_day, ahead))
    return Told(Air(drybulb, dewpoint, pv_kw), load)
