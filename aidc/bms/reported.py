"""The jobs that a scheduler has reported, as a table on a window, with the rest of the IT power beside them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.bms.look import Look, site_of
from aidc.bms.observation import Job
from aidc.job import JobTable, no_failures
from aidc.scenario import Scenario
from aidc.units import S_PER_H, S_PER_MIN
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
REST: Final = "the rest of the IT power"


def reported_jobs(scenario: Scenario, seen: Look) -> JobTable:
    """Running and waiting jobs at the start of a window, seconds from there.

    What runs comes first and goes on for what is left of its predicted time, at least a step. IT power above
    idle that no reported job explains stays over the window, without boards.
    """
    begin_s = (seen.plan_start - scenario.start).total_seconds()
    step_s, state = scenario.step_min * S_PER_MIN, seen.state
    running = [job for key, job in state.known.items() if key in state.started]
    waiting = [job for key, job in state.known.items() if key not in state.started]
    waiting.sort(key=lambda job: (job.submitted, job.job_id))
    jobs = [_rest(scenario, seen, running), *running, *waiting]
    left_s = [job.run_s - max(begin_s - state.started[job.job_id], 0.0) for job in running]
    submit_s = [min((job.submitted - seen.plan_start).total_seconds(), 0.0) for job in waiting]
    run_s = [
        jobs[0].run_s,
        *(max(left, step_s) for left in left_s),
        *(job.run_s for job in waiting),
    ]
    moves = np.arange(len(jobs)) > len(running)
    return _table(
        site_of(scenario),
        jobs,
        np.array([0.0] * (1 + len(running)) + submit_s),
        np.array(run_s),
        moves,
    )


def with_rest(
    jobs: JobTable, start_s: Array, rest_kw: Array, edges_s: Array
) -> tuple[JobTable, Array]:
    """The jobs with a rest that changes from step to step, and the starts of all.

    Args:
        jobs: of `reported_jobs`; its first is the rest.
        start_s: of them.
        rest_kw: power above idle that no reported job explains, shape (steps,).
        edges_s: of the steps, shape (steps + 1,).
    """
    steps, reported = len(rest_kw), np.arange(1, len(jobs))
    made = jobs.take(np.concatenate([np.zeros(steps, np.int64), reported]))

    def put(first: Array, column: Array) -> Array:
        return np.concatenate([first, column[1:]])

    length_s = np.diff(edges_s)
    made = made.with_columns(
        submit_s=put(edges_s[:-1], jobs.submit_s),
        run_s=put(length_s, jobs.run_s),
        useful_s=put(length_s, jobs.useful_s),
        added_kw=put(rest_kw, jobs.added_kw),
    )
    return made, put(edges_s[:-1], start_s)


def _rest(scenario: Scenario, seen: Look, running: Sequence[Job]) -> Job:
    pools = scenario.sites[site_of(scenario)].site.pools
    known_kw = sum(idle_kw(pool) for pool in pools) + sum(job.added_kw for job in running)
    rest_kw = max(seen.state.readings["it_kw"].value - known_kw, 0.0)
    biggest = max(pools, key=lambda pool: pool.gpu_count)
    window_s = scenario.plan.window_h * S_PER_H
    return Job(REST, biggest.name, 0, rest_kw, seen.plan_start, window_s, 0.0)


def _table(
    site: str,
    jobs: Sequence[Job],
    submit_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    run_s: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    moves: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> JobTable:
    count = len(jobs)
    none, forever = np.full(count, "", object), np.full(count, np.inf)
    return JobTable(
        job_id=np.array([job.job_id for job in jobs], object),
        user=none,
        vc=none,
        job_class=none,
        site=np.full(count, site, object),
        pool=np.array([job.pool for job in jobs], object),
        gpu_count=np.array([job.gpu_count for job in jobs], np.int64),
        submit_s=submit_s,
        run_s=run_s,
        limit_s=forever,
        slack_s=np.where(moves, [job.slack_s for job in jobs], 0.0),
        deadline_s=forever,
        added_kw=np.array([job.added_kw for job in jobs], np.float64),
        end_state=np.full(count, "completed", object),
        warm=~moves,
        useful_s=run_s,
        interruptions=np.zeros(count, np.int64),
        accepted=np.ones(count, np.bool_),
        node_fails_s=no_failures(count),
        rows_of="observation",
    )
