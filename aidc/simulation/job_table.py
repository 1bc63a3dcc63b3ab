"""The job table of a trace: what became of every job."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.job import NO_BOARDS, NOT_IN_TIME, OVER_QUOTA, TOO_LARGE, JobTable, beyond_quota
from aidc.site import Pool
from aidc.trace import JobRun
from aidc.workload.planned_caps import NO_CAP_FRAC

Array = NDArray[np.float64]
LATE_S: Final = 1e-6  # less than this is rounding


def job_table(
    jobs: JobTable,
    pools: Sequence[Pool],
    run: JobRun,
    length_s: float,
    moved_s: Array,
    planned_cap_frac: Array,
    shares: Mapping[str, Array],
    quotas: Mapping[str, int],
) -> pd.DataFrame:
    """A row a job with `aidc.trace.JOB_COLUMNS`.

    A job that still runs has the end that it will come to; one that was stopped and waits again has
    none and counts as waiting. ``ran_s`` is the time it held its boards inside the horizon, ``useful_s``
    what of that is work kept: of completed jobs alone. ``power_cap_frac`` is the plan's cap or that of the
    pool, 1 for none; ``slowed_s`` is the part of ``ran_s`` that a plan's cap cost.

    Args:
        jobs: of one site.
        pools: of the site.
        run: what they did.
        length_s: of the horizon.
        moved_s: delay that a plan meant, shape (n,).
        planned_cap_frac: power cap that a plan gave each over its boards' maximum power; 1: none.
        shares: of energy, overhead, carbon, water and money, by column.
        quotas: boards by virtual cluster.
    """
    started, ended = np.isfinite(run.start_s), run.end_s <= length_s
    state = np.full(len(jobs), "waiting", object)
    state[run.end_s > length_s] = "running"
    state[ended] = np.where(jobs.limit_s < jobs.run_s, "killed", jobs.end_state)[ended]
    state[run.refused] = "refused"
    wait_s = np.where(started, run.start_s, length_s) - jobs.submit_s - moved_s
    late = np.where(
        np.isfinite(run.end_s), run.end_s > jobs.deadline_s + LATE_S, jobs.deadline_s < length_s
    )
    cap_frac, ran_s = planned_cap_frac.copy(), run.runs.within(length_s).held_s(len(jobs))
    for pool in pools:
        here = jobs.pool == pool.name
        cap_frac[here] = np.minimum(cap_frac[here], pool.power_cap_frac or NO_CAP_FRAC)
    speed = np.divide(jobs.useful_s, jobs.run_s, out=np.ones(len(jobs)), where=jobs.run_s > 0)
    slowed_s = np.where(planned_cap_frac < NO_CAP_FRAC, ran_s * (1.0 - speed), 0.0)
    stops = np.bincount(run.runs.job, minlength=len(jobs)) - np.isfinite(run.end_s)
    return pd.DataFrame(
        {
            "job_id": jobs.job_id,
            "user": jobs.user,
            "vc": jobs.vc,
            "class": jobs.job_class,
            "site": jobs.site,
            "pool": jobs.pool,
            "gpu_count": jobs.gpu_count,
            "submit_s": jobs.submit_s,
            "start_s": run.start_s,
            "end_s": run.end_s,
            "deadline_s": jobs.deadline_s,
            "state": state,
            "reason": _reasons(jobs, pools, run.refused, quotas),
            "wait_s": np.maximum(wait_s, 0.0),
            "deferred_s": moved_s,
            "ran_s": ran_s,
            "useful_s": np.where(state == "completed", jobs.useful_s, 0.0),
            "power_cap_frac": cap_frac,
            "slowed_s": slowed_s,
            "stops": stops,
            "late": late & ~run.refused,
            "warm": jobs.warm,
            **shares,
        }
    )


def _reasons(
    jobs: JobTable, pools: Sequence[Pool], refused: NDArray[np.bool_], quotas: Mapping[str, int]
) -> NDArray[np.object_]:
    """Why jobs were refused; empty for all others, shape (n,)."""
    reason = np.full(len(jobs), "", object)
    reason[refused] = NOT_IN_TIME  # no queue refuses for anything else
    for pool in pools:
        larger = (jobs.pool == pool.name) & (jobs.gpu_count > pool.gpu_count)
        reason[larger & refused] = TOO_LARGE
    reason[beyond_quota(jobs, quotas) & refused] = OVER_QUOTA
    reason[~jobs.accepted & refused] = NO_BOARDS
    return reason
