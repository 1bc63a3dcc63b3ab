"""From where a plan wants jobs to where boards are free."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import calendar
from aidc.optimization.classes import JobSide
from aidc.optimization.problem import WindowProblem
from aidc.optimization.quotas import NO_GROUP
from aidc.optimization.timing import Timing

Array = NDArray[np.float64]


def settled(
    problem: WindowProblem, big: NDArray[np.bool_], side: JobSide, wanted: Timing
) -> Timing:
    """All movable jobs: the planned ones where they are wanted and boards are free, else as near as fits.

    Args:
        problem: the window.
        big: its jobs that are planned.
        side: those.
        wanted: where the plan wants them.
    """
    jobs, every, now = side.jobs, problem.movable, problem.at.take(np.flatnonzero(big))
    unbroken = side.starts.pattern < 0
    starts_s, of_start = side.starts.start_s[unbroken], side.starts.job[unbroken]
    first = np.searchsorted(of_start, np.arange(len(jobs.row) + 1))
    options = [starts_s[first[i] : first[i + 1]] for i in range(len(jobs.row))]
    job, begin, run = problem.at.runs(every.run_s)
    standing = begin, begin + run, every.gpus[job], every.pool[job]
    start, end, gpus, of_pool = (
        np.concatenate(pair) for pair in zip(problem.fixed_runs, standing, strict=True)
    )
    groups, timing = problem.groups, now
    of_job = np.full(len(jobs.row), NO_GROUP) if groups is None else groups.of_movable[big]
    of_run = (
        np.full(len(start), NO_GROUP)
        if groups is None
        else np.concatenate([groups.of_fixed_run, groups.of_movable[job]])
    )
    edges_s = [run for runs in wanted.broken.values() for run in runs.ravel()]
    for index, pool in enumerate(problem.site.pools):
        mine, theirs = np.flatnonzero(jobs.pool == index), of_pool == index
        ours = np.isin(of_start, mine)
        times = starts_s[ours]
        moments = np.concatenate([times, times + jobs.run_s[of_start[ours]], edges_s])

        def shared(boards: float, who: NDArray[np.bool_], at: Array = moments) -> calendar.Calendar:
            return calendar.Calendar(boards, start[who], end[who], gpus[who], at)

        plan, quotas = shared(pool.gpu_count, theirs), dict[int, calendar.Calendar]()
        for group in () if groups is None else set(of_job[mine].tolist()) - {NO_GROUP}:
            quotas[group] = shared(float(groups.boards[group]), of_run == group)  # type: ignore[union-attr]
        found = calendar.settle(
            [
                (plan, quotas[group]) if group != NO_GROUP else (plan,)
                for group in of_job[mine].tolist()
            ],
            now.take(mine),
            wanted.take(mine),
            jobs.run_s[mine],
            jobs.gpus[mine],
            [options[i] for i in mine],
        )
        timing = timing.with_part(mine, found)
    return problem.at.with_part(np.flatnonzero(big), timing)
