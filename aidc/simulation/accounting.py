"""Who took what of a site: energy, overhead, carbon, water and money, in accounts that add up to the meter.

Rule: dynamic power goes to the job; the idle power of the boards a job holds goes to the job; idle power
of boards that nobody holds is an account of its own. IT power of a step is shared in proportion to power
at the reference inlet, and everything else follows IT power within the step, so that the jobs and the
unallocated account add up to the site in each step and each quantity.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.trace import SHARES, Runs
from aidc.units import L_PER_M3, S_PER_H

Array = NDArray[np.float64]
OVERHEAD_PARTS = ("cooling_kw", "electrical_loss_kw", "other_kw", "battery_loss_kw")


def flows_of(frame: pd.DataFrame, water_cny_per_m3: float) -> dict[str, Array]:
    """What a site takes per hour, by `SHARES`, shape (steps,) each.

    Carbon is that of the grid import at the trace's intensity; money is energy and water. The demand
    charge hangs on one step of a month and is nobody's.

    Args:
        frame: trace of the site.
        water_cny_per_m3: price of water.
    """
    imported = frame["grid_import_kw"].to_numpy(np.float64)
    water = frame["water_l_per_h"].to_numpy(np.float64)
    paid = imported * frame["tariff_cny_per_kwh"].to_numpy(np.float64)
    flows = (
        frame["it_kw"].to_numpy(np.float64),
        np.sum([frame[name].to_numpy(np.float64) for name in OVERHEAD_PARTS], axis=0),
        imported * frame["grid_kgco2e_per_kwh"].to_numpy(np.float64),
        water,
        paid + water / L_PER_M3 * water_cny_per_m3,
    )
    return dict(zip(SHARES, flows, strict=True))


def per_job(
    flows: Mapping[str, Array], reference_kw: Array, runs: Runs, job_kw: Array, step_s: int
) -> dict[str, Array]:
    """Shares of each job by `SHARES`, shape (n,) each: exact integrals over its runs.

    Args:
        flows: of the site, per hour.
        reference_kw: IT power at the reference inlet, all pools, shape (steps,).
        runs: of its jobs; cut at the end of the horizon.
        job_kw: power of each job at the reference inlet, its boards' idle power included, shape (n,).
        step_s: length of a step [s].
    """
    steps = len(reference_kw)
    run_kw = job_kw[runs.job]
    ends = [_place(time_s, steps, step_s) for time_s in (runs.start_s, runs.end_s)]
    once = len(runs.job) == len(job_kw) and not np.any(np.diff(runs.job) != 1)
    shares: dict[str, Array] = {}
    for name, flow in flows.items():
        rate = np.divide(flow, reference_kw, out=np.zeros(steps), where=reference_kw > 0) / S_PER_H
        before = np.concatenate([[0.0], np.cumsum(rate[:-1] * step_s)])
        start, end = (before[step] + rate[step] * inside_s for step, inside_s in ends)
        share = run_kw * (end - start)
        if not once:
            share = np.bincount(runs.job, weights=share, minlength=len(job_kw)).astype(np.float64)
        shares[name] = share
    return shares


def _place(time_s: Array, steps: int, step_s: int) -> tuple[NDArray[np.int64], Array]:
    """Step of each time, and seconds into it; the end of the horizon and beyond is its last instant."""
    step = np.minimum((time_s / step_s).astype(np.int64), steps - 1)
    return step, np.minimum(time_s - step * float(step_s), step_s)


def unallocated(
    flows: Mapping[str, Array], reference_kw: Array, unheld_kw: Array, step_h: float
) -> dict[str, float]:
    """Shares of the boards that no job holds, over the run, by `SHARES`.

    Where a site draws no IT power at all, what it takes is nobody's as well.

    Args:
        flows: of the site, per hour.
        reference_kw: IT power at the reference inlet, all pools, shape (steps,).
        unheld_kw: idle power of the boards that nobody holds, sleeping ones nearly off, shape
            (pools, steps).
        step_h: length of a step [h].
    """
    frac = np.divide(
        unheld_kw.sum(axis=0), reference_kw, out=np.ones(len(reference_kw)), where=reference_kw > 0
    )
    return {name: float(flow @ frac) * step_h for name, flow in flows.items()}
