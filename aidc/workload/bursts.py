"""Bursts: users submit several jobs in a row, so arrivals are clustered where Poisson is smooth.

A Neyman-Scott process: bursts begin at the arrivals of a Poisson process; a burst has a geometric
number of jobs, one exponential gap after the other. It keeps the mean rate. A profile has bursts
only where both its columns ``burst_jobs_mean`` and ``burst_gap_mean_s`` are filled in. The jobs of
a burst share their user; size and run time are drawn for each job, although real bursts repeat them.

References:
    [1] Daley, Vere-Jones, "An Introduction to the Theory of Point Processes", vol. 1, section 6.3.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.horizon import Horizon
from aidc.job import FloatColumn, IntColumn
from aidc.workload.arrivals import arrival_rate

_LEAD: Final = 20  # mean bursts before the first second: of longer ones there are e^-20


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Submissions in order, shape (n,).

    Attributes:
        submit_s: whole seconds from the horizon's start.
        burst: number of the burst, 0 to n - 1; jobs with one number have one user.
    """

    submit_s: FloatColumn
    burst: IntColumn


def arrivals(
    shape: NDArray[np.float64],
    jobs_per_day: float,
    ramp: tuple[float, float],
    horizon: Horizon,
    between_s: tuple[float, float],
    rng: np.random.Generator,
    *,
    burst_jobs_mean: float | None,
    burst_gap_mean_s: float | None,
) -> Arrivals:
    """Submissions in a part of time, single where the burst is ``None``.

    Args:
        shape: rate over its mean by weekday and local hour, shape (7, 24).
        jobs_per_day: mean over whole weeks, with or without bursts.
        ramp: factor on the rate at the horizon's start and end.
        horizon: its start and zone.
        between_s: first second and the one after the last, from the horizon's start.
        rng: what draws.
        burst_jobs_mean: mean number of jobs in a burst, above 1.
        burst_gap_mean_s: mean time between two jobs of a burst.
    """
    from_s, to_s = between_s
    if burst_jobs_mean is None or burst_gap_mean_s is None:
        at_s = arrival_rate(shape, jobs_per_day, ramp, horizon, from_s, to_s).draw_s(rng)
        return Arrivals(at_s, np.arange(len(at_s)))
    lead_s = _LEAD * burst_jobs_mean * burst_gap_mean_s
    bursts_per_day = jobs_per_day / burst_jobs_mean
    rate = arrival_rate(shape, bursts_per_day, ramp, horizon, from_s - lead_s, to_s)
    start_s = rate.draw_s(rng)
    burst, since_s = _followers(len(start_s), burst_jobs_mean, burst_gap_mean_s, rng)
    at_s = np.floor(start_s[burst] + since_s)
    rows = np.flatnonzero((at_s >= from_s) & (at_s < to_s))
    rows = rows[np.argsort(at_s[rows], kind="stable")]
    _, number = np.unique(burst[rows], return_inverse=True)
    return Arrivals(at_s[rows], number.astype(np.int64))


def _followers(
    count: int, jobs_mean: float, gap_mean_s: float, rng: np.random.Generator
) -> tuple[IntColumn, FloatColumn]:
    """Burst of each job, and the time since its first job [s]."""
    sizes = rng.geometric(1 / jobs_mean, size=count)
    burst = np.repeat(np.arange(count), sizes)
    elapsed_s = np.cumsum(rng.exponential(gap_mean_s, size=len(burst)))
    first = np.cumsum(sizes) - sizes
    return burst, elapsed_s - elapsed_s[first[burst]]
