"""What each job took: energy, overhead, water, carbon and money, in accounts that add up to the meter.

Rule: dynamic power goes to the job; the idle power of the boards a job holds goes to the job; idle power
of boards that nobody holds is an account of its own; the site's overhead follows IT power within each step.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.units import L_PER_M3, S_PER_H

Array = NDArray[np.float64]


def per_job(
    frame: pd.DataFrame,
    it_reference_kw: Array,
    start_s: Array,
    end_s: Array,
    job_kw: Array,
    step_s: int,
    water_cny_per_m3: float,
) -> dict[str, Array]:
    """Shares of each job, shape (n,): ``energy_kwh, cooling_share_kwh, kgco2e, water_l, cost_cny``.

    Args:
        frame: trace of the site.
        it_reference_kw: IT power at the reference inlet, all pools, shape (steps,).
        start_s: start of each job [s]; nan for none.
        end_s: end of each job, cut at the end of the horizon [s].
        job_kw: power of each job at the reference inlet, its boards' idle power included.
        step_s: length of a step [s].
        water_cny_per_m3: price of water.
    """
    it_kw = frame["it_kw"].to_numpy(np.float64)
    scale = it_kw / it_reference_kw
    facility = it_kw + sum(
        frame[name].to_numpy(np.float64)
        for name in ("cooling_kw", "electrical_loss_kw", "other_kw")
    )
    imported = frame["grid_import_kw"].to_numpy(np.float64)
    water = frame["water_l_per_h"].to_numpy(np.float64)
    paid = imported * frame["tariff_cny_per_kwh"].to_numpy(np.float64)
    rates: Mapping[str, Array] = {
        "energy_kwh": scale,
        "cooling_share_kwh": (facility - it_kw) / it_reference_kw,
        "kgco2e": imported * frame["grid_kgco2e_per_kwh"].to_numpy(np.float64) / it_reference_kw,
        "water_l": water / it_reference_kw,
        "cost_cny": (paid + water / L_PER_M3 * water_cny_per_m3) / it_reference_kw,
    }
    edges_s = np.arange(len(frame) + 1, dtype=np.float64) * step_s
    started = np.isfinite(start_s)
    shares: dict[str, Array] = {}
    for name, rate in rates.items():
        integral = np.concatenate([[0.0], np.cumsum(rate * (step_s / S_PER_H))])
        share = np.zeros(len(start_s))
        share[started] = job_kw[started] * (
            np.interp(end_s[started], edges_s, integral)
            - np.interp(start_s[started], edges_s, integral)
        )
        shares[name] = share
    return shares


def unallocated_kwh(
    frame: pd.DataFrame, it_reference_kw: Array, unheld_kw: Array, step_h: float
) -> float:
    """Energy of boards that no job holds, over the run [kWh].

    Args:
        frame: trace of the site.
        it_reference_kw: shape (steps,).
        unheld_kw: idle power of the boards that nobody holds, sleeping ones nearly off, shape
            (pools, steps).
        step_h: length of a step [h].
    """
    scale = frame["it_kw"].to_numpy(np.float64) / it_reference_kw
    return float((unheld_kw.sum(axis=0) * scale).sum() * step_h)
