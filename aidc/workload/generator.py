"""Jobs drawn from published moments; synthetic, and labelled so."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from aidc.horizon import Horizon
from aidc.job import FloatColumn, IntColumn, JobTable, TextColumn, no_failures
from aidc.site import Site
from aidc.streams import stream
from aidc.workload.accepts import ByClass, accepted_by_class
from aidc.workload.arrivals import week_shape
from aidc.workload.bursts import Arrivals, arrivals
from aidc.workload.homes import classes, homes
from aidc.workload.power import with_power
from aidc.workload.profile import Fit, Profile, fit

WarmStart = Literal["stationary", "empty"]
END_STATES: Final = np.array(["failed", "completed", "cancelled"], object)


@dataclass(frozen=True, slots=True)
class _Draws:
    """Jobs before they have an id and a home: each column has shape (n,)."""

    submit_s: FloatColumn  # negative: before the horizon
    gpu_count: IntColumn
    run_s: FloatColumn
    end_state: TextColumn
    user: IntColumn


def generate(
    profile: Profile,
    jobs_per_day: float,
    horizon: Horizon,
    sites: tuple[Site, ...],
    seed: int,
    *,
    ramp: tuple[float, float],
    warm_start: WarmStart,
    id_prefix: str = "",
    accepts: ByClass = None,
) -> JobTable:
    """Jobs of a profile over a horizon, in order of submission, ready to run.

    Arrivals follow the local hour and the weekday in the horizon's zone, in bursts where the
    profile has them. Times are whole seconds.
    Size, run time and end state have the moments of the profile; class, home site and pool are
    lots of the job's id. A job larger than its home pool is cut to the greatest power of two
    that the pool has; ``rows_of`` says how many. No job may wait: see `flexibility.with_slack`.

    Args:
        profile: what the jobs look like.
        jobs_per_day: mean arrivals a day over whole weeks, before the ramp.
        horizon: when, and in whose local time.
        sites: where; jobs go to pools in proportion to their GPUs.
        seed: the same seed gives the same bytes; arrivals, jobs and warm start have streams of
            their own.
        ramp: factor on the rate at the start and at the end of the horizon, linear between.
        warm_start: ``stationary`` begins with the jobs that would be running had they all
            started on arrival, which takes a longest run of arrivals before the horizon;
            ``empty`` begins with none, and carries about two thirds of its steady load in the
            first week.
        id_prefix: before every id, where several workloads make one table.
        accepts: names of boards that the jobs run on, or names by class; None: any.

    Raises:
        CatalogError: a profile whose moments cannot be met, or an unknown arrival shape.
    """
    fitted, shape = fit(profile), week_shape(profile.arrival_shape)

    def arrive(between_s: tuple[float, float], rng: np.random.Generator) -> Arrivals:
        return arrivals(
            shape, jobs_per_day, ramp, horizon, between_s, rng,
            burst_jobs_mean=profile.burst_jobs_mean, burst_gap_mean_s=profile.burst_gap_mean_s,
        )  # fmt: skip

    fresh = arrive((0.0, horizon.length_s), stream(seed, "arrivals"))
    draws = _draw(fresh, profile, fitted, stream(seed, "jobs"))
    if warm_start == "stationary":
        rng = stream(seed, "warm_start")
        past = _draw(arrive((-fitted.run_max_s, 0.0), rng), profile, fitted, rng)
        draws = _joined(past, past.submit_s + past.run_s > 0, draws)
    label = f"generated {profile.name}, seed {seed}"
    return _table(draws, profile, sites, label, id_prefix, accepts)


def _draw(arrived: Arrivals, profile: Profile, fitted: Fit, rng: np.random.Generator) -> _Draws:
    """Size, run time and end state of each arrival, and the user of each burst."""
    n = len(arrived.submit_s)
    z_run = rng.standard_normal(n)
    z_size = _correlated(z_run, fitted.size_correlation, rng)
    z_state = _correlated(z_run, fitted.state_correlation, rng)
    state_cuts = (fitted.failed_below, fitted.cancelled_above)
    return _Draws(
        submit_s=arrived.submit_s,
        gpu_count=fitted.gpu_counts[np.searchsorted(fitted.size_cuts, z_size)],
        run_s=np.maximum(np.rint(fitted.run_s(z_run)), 1.0),
        end_state=END_STATES[np.searchsorted(state_cuts, z_state)],
        user=rng.integers(profile.user_count, size=n)[arrived.burst],
    )


def _correlated(z: FloatColumn, correlation: float, rng: np.random.Generator) -> FloatColumn:
    """Standard normals with the given correlation to z."""
    noise = rng.standard_normal(len(z))
    return np.asarray(correlation * z + np.sqrt(1 - correlation**2) * noise, np.float64)


def _joined(past: _Draws, still_runs: NDArray[np.bool_], draws: _Draws) -> _Draws:
    """The jobs of the past that still run, then the others."""
    return _Draws(
        submit_s=np.concatenate((past.submit_s[still_runs], draws.submit_s)),
        gpu_count=np.concatenate((past.gpu_count[still_runs], draws.gpu_count)),
        run_s=np.concatenate((past.run_s[still_runs], draws.run_s)),
        end_state=np.concatenate((past.end_state[still_runs], draws.end_state)),
        user=np.concatenate((past.user[still_runs], draws.user)),
    )


def _table(
    draws: _Draws,
    profile: Profile,
    sites: tuple[Site, ...],
    label: str,
    id_prefix: str,
    accepts: ByClass,
) -> JobTable:
    """The draws as jobs with id, home, class and power."""
    n, warm = len(draws.submit_s), draws.submit_s < 0
    job_id = np.array(
        [f"{id_prefix}warm-{i:08d}" for i in range(1, int(warm.sum()) + 1)]
        + [f"{id_prefix}job-{i:08d}" for i in range(1, int((~warm).sum()) + 1)],
        object,
    )
    job_class = classes(job_id, profile.class_shares)
    home = homes(job_id, sites, accepted_by_class(accepts, job_class))
    fits = 2 ** np.floor(np.log2(home.pool_gpu_count)).astype(np.int64)
    if cut := int((draws.gpu_count > fits).sum()):
        label = f"{label}, {cut} jobs cut to their pool"
    users = np.array([f"user-{i:04d}" for i in range(profile.user_count)], object)
    vcs = np.array([f"vc-{i:03d}" for i in range(profile.vc_count)], object)
    elapsed_s = np.maximum(-draws.submit_s, 0.0)
    jobs = JobTable(
        job_id=job_id,
        user=users[draws.user],
        vc=vcs[draws.user % profile.vc_count],
        job_class=job_class,
        site=home.site,
        pool=home.pool,
        gpu_count=np.minimum(draws.gpu_count, fits),
        submit_s=np.maximum(draws.submit_s, 0.0),
        run_s=draws.run_s - elapsed_s,
        limit_s=profile.limit_factor * draws.run_s - elapsed_s,
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=np.zeros(n),
        end_state=draws.end_state,
        warm=warm,
        useful_s=draws.run_s - elapsed_s,
        interruptions=np.zeros(n, np.int64),
        node_fails_s=no_failures(n),
        accepted=home.accepted,
        rows_of=label,
    )
    return with_power(jobs, sites, "value")
