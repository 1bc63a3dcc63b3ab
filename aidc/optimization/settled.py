"""Wanted starts and caps of planned jobs, checked against boards that are really free."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import calendar, classes
from aidc.optimization.movable import NO_CAP, Choice
from aidc.optimization.problem import WindowProblem
from aidc.optimization.quotas import NO_GROUP
from aidc.optimization.timing import Timing

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


def settled(
    problem: WindowProblem,
    big: NDArray[np.bool_],
    side: classes.JobSide,
    wanted: Timing,
    level: Rows,
) -> Choice:
    """The wanted starts and caps where boards are free, else the nearest start that fits.

    A job that fits nowhere under the cap that is wanted of it tries the next higher one, and at last none.

    Args:
        problem: the window.
        big: movable jobs that are planned, shape (n,).
        side: those jobs in classes.
        wanted: when each is wanted to run; none of those that may have a cap is broken.
        level: of cap that is wanted.
    """
    choice = _placed(problem, big, side, problem.stands, wanted, level)
    for _ in range(int(level.max(initial=NO_CAP))):
        left_out = (choice.level[big] != level) & (level > NO_CAP)
        if not left_out.any():
            break
        wanted = Timing.whole(np.where(left_out, wanted.start_s, choice.start_s[big]))
        level = np.where(left_out, _milder(problem, big, level), choice.level[big])
        choice = _placed(problem, big, side, choice, wanted, level)
    return choice


def _milder(problem: WindowProblem, big: NDArray[np.bool_], level: Rows) -> Rows:
    """The next higher cap of each job, or none where it would not bind."""
    caps = problem.movable.caps
    if caps is None:
        return level
    higher = np.maximum(level - 1, NO_CAP)
    offered = np.isfinite(caps.run_s[big][np.arange(len(level)), higher])
    return np.where(offered, higher, NO_CAP)


def _placed(
    problem: WindowProblem,
    big: NDArray[np.bool_],
    side: classes.JobSide,
    stands: Choice,
    wanted: Timing,
    level: Rows,
) -> Choice:
    """Jobs from where they stand to where they are wanted, each at one level of cap."""
    every, own = problem.movable.under(stands.level), np.flatnonzero(big)
    now = stands.timing.take(own)
    jobs, now_run_s = side.jobs.under(level), every.run_s[big]
    first = np.searchsorted(side.starts.job, np.arange(len(own) + 1))
    options = []
    for job in range(len(own)):
        of_job = slice(int(first[job]), int(first[job + 1]))
        open_to = (side.level[of_job] == level[job]) & (side.starts.pattern[of_job] < 0)
        options.append(side.starts.start_s[of_job][open_to])
    of_start, begin_s, lasts_s = stands.timing.runs(every.run_s)
    standing = begin_s, begin_s + lasts_s, every.gpus[of_start], every.pool[of_start]
    start, end, gpus, of_pool = (
        np.concatenate(pair) for pair in zip(problem.fixed_runs, standing, strict=True)
    )
    groups = problem.groups
    quota_of = np.full(len(own), NO_GROUP) if groups is None else groups.of_movable[big]
    of_run = (
        np.full(len(start), NO_GROUP)
        if groups is None
        else np.concatenate([groups.of_fixed_run, groups.of_movable[of_start]])
    )
    placed, runs_s = now, now_run_s.copy()
    stops_s = np.array([at for runs in wanted.broken.values() for at in runs.ravel()])
    for index, pool in enumerate(problem.site.pools):
        mine, theirs = np.flatnonzero(jobs.pool == index), of_pool == index
        times = [options[job] for job in mine]
        until = [options[job] + jobs.run_s[job] for job in mine]
        moments = np.concatenate([*times, *until, stops_s])

        def shared(boards: float, who: NDArray[np.bool_], at: Array = moments) -> calendar.Calendar:
            return calendar.Calendar(boards, start[who], end[who], gpus[who], at)

        plan, quotas = shared(pool.gpu_count, theirs), dict[int, calendar.Calendar]()
        for group in () if groups is None else set(quota_of[mine].tolist()) - {NO_GROUP}:
            quotas[group] = shared(float(groups.boards[group]), of_run == group)  # type: ignore[union-attr]
        found, runs_s[mine] = calendar.settle(
            [
                (plan, quotas[group]) if group != NO_GROUP else (plan,)
                for group in quota_of[mine].tolist()
            ],
            now.take(mine),
            wanted.take(mine),
            jobs.run_s[mine],
            jobs.gpus[mine],
            times,
            now_run_s[mine],
        )
        placed = placed.with_part(mine, found)
    whole, levels = stands.timing.with_part(own, placed), stands.level.copy()
    levels[big] = np.where(runs_s == jobs.run_s, level, stands.level[big])
    return Choice(whole.start_s, levels, whole.broken)
