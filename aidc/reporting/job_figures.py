"""Key figures of the jobs of one run and of the boards that they held."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.reporting.numbers import ratio
from aidc.trace import Runs, Trace
from aidc.units import S_PER_H

Array = NDArray[np.float64]
ENDS: Final = ("completed", "cancelled", "failed", "killed", "refused", "running", "waiting")
ENDED: Final = ("completed", "cancelled", "failed", "killed")
UNFINISHED: Final = ("cancelled", "failed", "killed")  # ended, and their work is not wanted
INTERACTIVE: Final = ("debug", "inference")  # classes somebody waits for at a screen
BOUND_S: Final = (
    10.0  # of the bounded slowdown: shorter runs count as so long (Feitelson et al., 1997)
)
EVERY: Final = "all"


def job_figures(trace: Trace) -> dict[str, Any]:
    """What happened to the jobs; ends add up to all jobs of the run. None: nothing to take it of.

    Waits, response and slowdown are of jobs submitted in the run and not refused; a job that has not
    started at the end counts with the wait so far.
    """
    jobs, state = trace.jobs, trace.jobs["state"].to_numpy(object)
    busy = float(trace.frame["gpus_busy"].sum())
    allocatable = float(trace.frame["gpus_allocatable"].sum())
    ends = _ends(jobs, state)
    waits = _waits(jobs, state)
    unfinished = sum(ends[end]["it_kwh"] for end in UNFINISHED)
    useful_gpu_s = float(jobs["useful_s"].to_numpy() @ jobs["gpu_count"].to_numpy())
    every = waits[EVERY]
    return {
        "jobs_submitted": len(jobs),
        "jobs_warm": int(jobs["warm"].sum()),
        "jobs_completed": ends["completed"]["jobs"],
        "jobs_late": int(jobs["late"].sum()),
        "jobs_stopped": int((jobs["stops"] > 0).sum()),
        "job_ends": {end: sums["jobs"] for end, sums in ends.items()},
        "job_ends_gpu_h": {end: sums["gpu_h"] for end, sums in ends.items()},
        "refusals": {
            why: int(n) for why, n in jobs["reason"][state == "refused"].value_counts().items()
        },
        "job_ends_it_kwh": {end: sums["it_kwh"] for end, sums in ends.items()},
        "unfinished_work_it_kwh": unfinished,
        "unfinished_work_frac": ratio(unfinished, sum(sums["it_kwh"] for sums in ends.values())),
        "waits": waits,
        "waits_censored": every["censored"],
        "mean_wait_s": every["mean_s"],
        "p95_wait_s": every["p95_s"],
        "mean_deferred_s": every["deferred_mean_s"],
        **_response(jobs, state),
        **_slowdown(jobs, state),
        "deadlines": _deadlines(jobs, state),
        "gpu_hours": busy * trace.step_h,
        "slowed_gpu_hours": slowed_gpu_seconds(trace) / S_PER_H,
        "utilisation_frac": ratio(busy, allocatable),
        "utilisation_by_pool_frac": _by_pool(trace),
        "goodput_frac": ratio(useful_gpu_s, allocatable * trace.step_h * S_PER_H),
        **server_figures(trace),
    }


def _ends(jobs: pd.DataFrame, state: NDArray[np.object_]) -> dict[str, dict[str, Any]]:
    """Jobs, GPU time inside the horizon and IT energy by how jobs ended."""
    code, names = pd.factorize(state)
    gpu_s = jobs["ran_s"].to_numpy() * jobs["gpu_count"].to_numpy()
    count = np.bincount(code, minlength=len(names))
    gpu_h = np.bincount(code, weights=gpu_s, minlength=len(names)) / S_PER_H
    kwh = np.bincount(code, weights=jobs["energy_kwh"].to_numpy(), minlength=len(names))
    found = {
        str(name): {"jobs": int(count[at]), "gpu_h": float(gpu_h[at]), "it_kwh": float(kwh[at])}
        for at, name in enumerate(names)
    }
    none = {"jobs": 0, "gpu_h": 0.0, "it_kwh": 0.0}
    return {end: found.get(end, none) for end in (*ENDS, *sorted(set(found) - set(ENDS)))}


def _waits(jobs: pd.DataFrame, state: NDArray[np.object_]) -> dict[str, dict[str, Any]]:
    """Waits of new jobs, of all and by class; a planned delay is apart."""
    new = ~jobs["warm"].to_numpy(bool) & (state != "refused")
    wait_s, deferred_s = (jobs[name].to_numpy(np.float64)[new] for name in ("wait_s", "deferred_s"))
    open_ = np.isnan(jobs["start_s"].to_numpy(np.float64))[new]
    code, names = pd.factorize(jobs["class"].to_numpy(object)[new], sort=True)
    groups = {EVERY: slice(None), **{str(n): code == at for at, n in enumerate(names)}}
    return {
        name: {
            "jobs": len(wait_s[of]),
            "censored": int(open_[of].sum()),
            **_spread(wait_s[of], (50, 95, 99), "_s"),
            "max_s": float(wait_s[of].max()) if len(wait_s[of]) else None,
            "deferred_mean_s": float(deferred_s[of].mean()) if len(wait_s[of]) else None,
        }
        for name, of in groups.items()
    }


def _spread(values: Array, percentiles: tuple[int, ...], unit: str) -> dict[str, Any]:
    """Mean and percentiles; None where there are no values."""
    names = [f"p{p}{unit}" for p in percentiles]
    if not len(values):
        return dict.fromkeys((f"mean{unit}", *names))
    at = np.percentile(values, percentiles).tolist()
    return {f"mean{unit}": float(values.mean()), **dict(zip(names, at, strict=True))}


def _response(jobs: pd.DataFrame, state: NDArray[np.object_]) -> dict[str, Any]:
    """Submission to start, planned delay included, of interactive jobs: the demand response cycle."""
    mine = jobs["class"].isin(INTERACTIVE).to_numpy() & ~jobs["warm"].to_numpy(bool)
    mine &= state != "refused"
    cycle_s = (jobs["wait_s"] + jobs["deferred_s"]).to_numpy(np.float64)[mine]
    spread = _spread(cycle_s, (95,), "_s")
    return {
        "demand_response_jobs": len(cycle_s),
        "demand_response_cycle_s": spread["mean_s"],
        "demand_response_cycle_p95_s": spread["p95_s"],
    }


def _slowdown(jobs: pd.DataFrame, state: NDArray[np.object_]) -> dict[str, Any]:
    """Submission to end over run time, of new jobs that ended; bounded: runs count as 10 s at least.

    The time that a job was stopped counts as waiting. Jobs that ran for no time have no slowdown, and
    a bounded one.
    """
    mine = np.isin(state, ENDED) & ~jobs["warm"].to_numpy(bool)
    submit_s, end_s, ran_s = (
        jobs[name].to_numpy(np.float64)[mine] for name in ("submit_s", "end_s", "ran_s")
    )
    whole_s, ran = end_s - submit_s, ran_s > 0
    bounded = np.maximum(whole_s / np.maximum(ran_s, BOUND_S), 1.0)
    return {
        "slowdown": _spread(whole_s[ran] / ran_s[ran], (50, 95), ""),
        "bounded_slowdown": _spread(bounded, (50, 95), ""),
    }


def _deadlines(jobs: pd.DataFrame, state: NDArray[np.object_]) -> dict[str, int]:
    """Jobs with a deadline: met, missed, refused, and those of which it is still open."""
    due = np.isfinite(jobs["deadline_s"].to_numpy(np.float64))
    refused, late = state == "refused", jobs["late"].to_numpy(bool)
    ended = np.isin(state, ENDED)
    found = {
        "met": due & ended & ~late,
        "missed": due & late,
        "refused": due & refused,
        "open": due & ~ended & ~late & ~refused,
    }
    return {"jobs": int(due.sum()), **{name: int(of.sum()) for name, of in found.items()}}


def _by_pool(trace: Trace) -> dict[str, float | None]:
    """Utilisation of every pool, named by site and pool."""
    return {
        f"{name}/{pool.name}": ratio(float(gpus.mean()), pool.gpu_count)
        for name, choice in trace.scenario.sites.items()
        for pool, gpus in zip(choice.site.pools, trace.job_runs[name].gpus, strict=True)
    }


def server_figures(trace: Trace) -> dict[str, Any]:
    """Occupancy of the servers, and the share of powered ones that do no work, each with its two ends.

    Boards are simulated, their place in servers is not. A gang of whole servers fills them. What is
    smaller lies anywhere between two ends: packed on as few servers as hold the boards (least occupied,
    most out of service), or every job on servers of its own as far as there are any (the other way
    round). Both are exact integrals over the runs.
    """
    packed = spread = installed = powered = 0.0
    for name, choice in trace.scenario.sites.items():
        run, jobs = trace.job_runs[name], trace.jobs[trace.jobs["site"] == name]
        length_s = float(trace.scenario.horizon(name).length_s)
        gpus, home = jobs["gpu_count"].to_numpy(np.int64), jobs["pool"].to_numpy(object)
        within = run.runs.within(length_s)
        for index, pool in enumerate(choice.site.pools):
            each = pool.server.gpu_count
            of = home[within.job] == pool.name
            mine = Runs(within.job[of], within.start_s[of], within.end_s[of])
            low_s, high_s = _server_s(mine, gpus[mine.job], each, pool.server_count)
            packed, spread = packed + low_s, spread + high_s
            installed += pool.server_count * length_s
            asleep = float(run.asleep[index].mean()) / each if run.asleep.size else 0.0
            powered += (pool.server_count - asleep) * length_s
    return {
        "occupancy_frac": ratio(packed, installed),
        "occupancy_most_frac": ratio(spread, installed),
        "out_of_service_server_frac": ratio(max(powered - packed, 0.0), powered),
        "out_of_service_server_least_frac": ratio(max(powered - spread, 0.0), powered),
    }


def _server_s(runs: Runs, gpus: NDArray[np.int64], each: int, servers: int) -> tuple[float, float]:
    """Server-seconds with work, packed and spread."""
    time_s = np.concatenate([runs.start_s, runs.end_s])
    order = np.argsort(time_s, kind="stable")
    lasts_s = np.diff(time_s[order])
    alone = -(-gpus // each)
    held, wide = (
        np.cumsum(np.concatenate([change, -change])[order])[:-1] for change in (gpus, alone)
    )
    return (
        float(-(-held // each) @ lasts_s),
        float(np.minimum(wide, servers) @ lasts_s),
    )


def gpu_seconds(trace: Trace) -> float:
    """Work delivered inside the horizon: GPU time, less what a plan's power caps cost [GPU-s]."""
    held = float(trace.frame["gpus_busy"].sum() * trace.step_h * S_PER_H)
    return held - slowed_gpu_seconds(trace)


def slowed_gpu_seconds(trace: Trace) -> float:
    """GPU time that jobs held only because a plan capped their boards [GPU-s]."""
    return float(trace.jobs["slowed_s"].to_numpy() @ trace.jobs["gpu_count"].to_numpy())
