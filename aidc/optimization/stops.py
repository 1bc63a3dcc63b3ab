"""Jobs that a plan stops and lets go on: ways to break the runs of a class, found by price.

A job that writes checkpoints may be stopped with a slot and go on with a later one, as often as it pays, and
ends no later than one that was put off as a whole. Each time it goes on costs a restart: boards and power for
that long and no work. To the class model such a way is a column like a start: there is no further
constraint. Columns are made where they win at the prices of IT energy that the model without integers finds,
and again at the prices with them, until none wins.

References:
    P. Wiesner et al., "Let's wait awhile", ACM/IFIP Middleware 2021: interruptible against uninterruptible jobs.
    G. Desaulniers, J. Desrosiers, M. M. Solomon (eds.), "Column Generation", Springer 2005.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.class_relaxation import relaxed_or_mean
from aidc.optimization.classes import (
    JobSide,
    Pattern,
    Starts,
    Tail,
    profile,
    timing_tail_cost,
)
from aidc.optimization.movable import NO_CAP, Movable
from aidc.optimization.objective import Prices
from aidc.optimization.timing import Segments, Timing
from aidc.optimization.view import View
from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
ROUNDS = 8  # of new columns
WINS_FRAC = 1e-6  # of a class's cost that a new column must win
LEAST_FRAC = 1e-12  # of a slot; less is rounding
ROUNDING_S = 1e-6
MARGINS = (0, 1, 2)  # slots left for restarts and for a start inside a slot, as few as do


def broken_runs(
    pattern: Pattern, start_s: float, run_s: float, restart_s: float, begin_s: float, slot_s: float
) -> Segments:
    """Runs of one job under a pattern, shape (runs, 2); one that is over before a stop is not stopped.

    Args:
        pattern: where to stop.
        start_s: of the job.
        run_s: work to do, as time.
        restart_s: boards are held for so long without work each time that it goes on.
        begin_s: start of the window.
        slot_s: length of its slots.
    """
    runs, at_s, left_s = [], start_s, run_s
    for stop, go_on in pattern.stops:
        stop_s = begin_s + stop * slot_s
        if at_s + left_s <= stop_s:
            break
        runs.append((at_s, stop_s))
        at_s, left_s = begin_s + go_on * slot_s, left_s - (stop_s - at_s) + restart_s
    return np.array([*runs, (at_s, at_s + left_s)])


def cheapest_stops(
    price: Array, later: Array, first: int, latest: int, length: int, restart: float, wait: float
) -> Pattern | None:
    """The cheapest way to break a run of whole slots; None: it is cheapest unbroken.

    Dynamic programming over slots and slots waited so far, before the start and between the runs.

    Args:
        price: of each slot of the window to a running job.
        later: of so many slots after the window, shape (at least ``length`` + 1,).
        first: slot of the earliest start.
        latest: latest slot to start unbroken; so much may be waited in all.
        length: slots of work.
        restart: share of a slot that each restart takes.
        wait: price of a slot's wait.
    """
    slots, most = len(price), latest - first
    if most < 1 or length < 2 or first >= slots - 1:
        return None
    waited = np.arange(most + 1)
    runs, rests = (np.full((slots - first + 1, most + 1), np.inf) for _ in range(2))
    left = length - (np.arange(first, slots + 1)[:, None] - first - waited)
    runs[-1] = later[np.clip(left[-1], 0, len(later) - 1)]
    for n in range(slots - first - 1, -1, -1):
        pause = np.append(rests[n + 1, 1:], np.inf) + wait
        runs[n] = np.where(left[n] <= 0, 0.0, np.minimum(price[first + n] + runs[n + 1], pause))
        rests[n] = np.minimum(price[first + n] * (1 + restart) + runs[n + 1], pause)
    starts = np.arange(min(most + 1, slots - first))
    n = q = int(np.argmin(price[first + starts] + runs[starts + 1, starts] + wait * starts))
    start, stops, n = n, [], n + 1
    while first + n < slots and left[n, q] > 0:
        if price[first + n] + runs[n + 1, q] <= runs[n, q]:
            n += 1
            continue
        stop, n, q = n, n + 1, q + 1
        while price[first + n] * (1 + restart) + runs[n + 1, q] > rests[n, q]:
            n, q = n + 1, q + 1
        stops.append((first + stop, first + n))
        n += 1
    return Pattern(-1 if start == 0 else first + start, tuple(stops)) if stops else None


def with_patterns(
    side: JobSide,
    found: Sequence[tuple[int, Pattern]],
    restart_s: Array,
    edges: Array,
    tails: Sequence[Tail],
) -> JobSide:
    """The job side with a column for each pattern of a class that all its jobs can keep.

    Args:
        side: without them.
        found: class and pattern.
        restart_s: of each planned job, shape (n,).
        edges: of the slots.
        tails: of the objective, then of each limit.
    """
    jobs, columns, slot_s = side.jobs, side.columns, float(edges[1] - edges[0])
    members, patterns = side.class_of_job, list(side.patterns)
    starts, column_of, level = [side.starts], [side.column_of], [side.level]
    column, slot, kw, gpus, held = ([one] for one in _entries_of(side))
    of_class: list[int] = []
    tail: list[list[float]] = []
    for which, pattern in found:
        mine = np.flatnonzero(members == which)
        of_jobs = jobs.take(mine)
        placed = _placed(of_jobs, pattern, restart_s[mine], float(edges[0]), slot_s)
        if not _in_time(of_jobs, placed):
            continue
        number = len(columns.class_of) + len(of_class)
        job, start_s, run_s = placed.runs(of_jobs.run_s)
        share = profile(start_s, run_s, edges)
        at = np.flatnonzero((share > LEAST_FRAC).any(axis=0))
        column.append(np.full(len(at), number))
        slot.append(at)
        kw.append(of_jobs.kw[job] @ share[:, at])
        gpus.append(of_jobs.gpus[job] @ share[:, at])
        held.append(_touched(share[:, at], job, len(mine)).T @ of_jobs.gpus)
        tail.append(
            [
                timing_tail_cost(of_jobs, placed, float(edges[-1]), slot_s, one).sum()
                for one in tails
            ]
        )
        of_class.append(which)
        starts.append(
            Starts(
                mine,
                np.full(len(mine), pattern.first),
                placed.start_s,
                np.full(len(mine), len(patterns)),
            )
        )
        column_of.append(np.full(len(mine), number))
        level.append(np.full(len(mine), NO_CAP))
        patterns.append(pattern)
    if not of_class:
        return side
    added = np.array(of_class, np.int64)
    example = np.zeros(columns.classes, np.int64)
    example[columns.class_of] = np.arange(len(columns.class_of))
    more = np.array(tail).T
    every = [np.concatenate([getattr(s, n) for s in starts]) for n in _STARTS]
    order = np.argsort(every[0], kind="stable")
    return replace(
        side,
        starts=Starts(*(one[order] for one in every)),
        level=np.concatenate(level)[order],
        column_of=np.concatenate(column_of)[order],
        held_gpus=np.concatenate(held),
        patterns=tuple(patterns),
        columns=replace(
            columns,
            class_of=np.concatenate([columns.class_of, added]),
            pool=np.concatenate([columns.pool, columns.pool[example[added]]]),
            quota=np.concatenate([columns.quota, columns.quota[example[added]]]),
            column=np.concatenate(column),
            slot=np.concatenate(slot),
            kw=np.concatenate(kw),
            gpus=np.concatenate(gpus),
            tail=np.concatenate([columns.tail, more[0]]),
            cap_tails=np.concatenate([columns.cap_tails, more[1:]], axis=1),
        ),
    )


_STARTS = ("job", "slot", "start_s", "pattern")


def _entries_of(side: JobSide) -> tuple[Rows, Rows, Array, Array, Array]:
    columns = side.columns
    return columns.column, columns.slot, columns.kw, columns.gpus, side.held_gpus


def _touched(share: Array, job: Rows, count: int) -> Array:
    """Whether each job touches each slot, as 0 or 1, shape (jobs, slots)."""
    touched = np.zeros((count, share.shape[1]))
    np.maximum.at(touched, job, (share > LEAST_FRAC).astype(np.float64))
    return touched


def _placed(
    jobs: Movable, pattern: Pattern, restart_s: Array, begin_s: float, slot_s: float
) -> Timing:
    """Jobs under one pattern."""
    first_s = begin_s + pattern.first * slot_s
    start_s = jobs.earliest_s.copy() if pattern.first < 0 else np.full(len(jobs.row), first_s)
    runs = {
        job: broken_runs(pattern, start, run, restart, begin_s, slot_s)
        for job, (start, run, restart) in enumerate(
            zip(start_s.tolist(), jobs.run_s.tolist(), restart_s.tolist(), strict=True)
        )
    }
    return Timing(start_s, {job: one for job, one in runs.items() if len(one) > 1})


def timing_of(side: JobSide, chosen: Rows, restart_s: Array, edges: Array) -> Timing:
    """Where the planned jobs stand with chosen starts.

    Args:
        side: the jobs.
        chosen: start of each, as `classes.assign` gives them.
        restart_s: of each, shape (n,).
        edges: of the slots.
    """
    starts, slot_s, broken = side.starts, float(edges[1] - edges[0]), {}
    for job in np.flatnonzero(starts.pattern[chosen] >= 0).tolist():
        runs = broken_runs(
            side.patterns[int(starts.pattern[chosen[job]])],
            float(starts.start_s[chosen[job]]),
            float(side.jobs.run_s[job]),
            float(restart_s[job]),
            float(edges[0]),
            slot_s,
        )
        if len(runs) > 1:
            broken[job] = runs
    return Timing(starts.start_s[chosen], broken)


def with_stops(
    view: View,
    aims: Sequence[tuple[Prices, int]],
    fixed_kw: Array,
    side: JobSide,
    restart_s: Array,
    tails: Sequence[Tail],
) -> JobSide:
    """The job side with columns for the ways to break runs that win at its prices.

    Args:
        view: of the window.
        aims: prices of the objective and of what limits it, each with the place of its tail.
        fixed_kw: IT power of all else, shape (slots,).
        side: starts alone.
        restart_s: of each planned job; inf: it may not be stopped.
        tails: of the objective, then of each limit.

    Raises:
        InfeasibleError: the boards leave no plan.
        SolverTimeoutError: no optimum within the time.
    """
    for money, place in aims:
        for _ in range(ROUNDS):
            own_tail = np.vstack([side.columns.tail, side.columns.cap_tails])[place]
            nothing = np.zeros((0, len(own_tail)))
            own = replace(side, columns=replace(side.columns, tail=own_tail, cap_tails=nothing))
            found = relaxed_or_mean(view, money, fixed_kw, own)
            slots = range(len(view.edges) - 1)
            price = np.array([found.duals["it_load"][t] for t in slots]) / view.bus.slot_h
            more = _that_win(own, price, tails[place], restart_s, view.edges)
            if not more:
                break
            side = with_patterns(side, more, restart_s, view.edges, tails)
    return side


def _that_win(
    side: JobSide, price: Array, tail: Tail, restart_s: Array, edges: Array
) -> list[tuple[int, Pattern]]:
    """Class and pattern where a class has one that is cheaper than all its columns.

    Args:
        side: with the costs of ``tail``.
        price: of a kWh in each slot.
        tail: of the same objective.
        restart_s: of each planned job.
        edges: of the slots.
    """
    jobs, members, slot_s = side.jobs, side.class_of_job, float(edges[1] - edges[0])
    may_stop = np.flatnonzero(np.isfinite(restart_s))
    release = np.floor((jobs.earliest_s - edges[0]) / slot_s).astype(np.int64)
    latest = np.floor((jobs.latest_s - edges[0]) / slot_s + 1e-9).astype(np.int64)
    length = np.ceil(jobs.run_s / slot_s - 1e-9).astype(np.int64)
    longest = int(length[may_stop].max(initial=0))
    later = np.append(0.0, np.cumsum(np.resize(tail.price, longest)))
    own = _cheapest_column(side, price, slot_s)
    ways = []
    for which in np.unique(members[may_stop]).tolist():
        mine = np.flatnonzero(members == which)
        of_class, one = jobs.take(mine), mine[0]
        wait = tail.delay_price * of_class.gpus.sum() / of_class.kw.sum()
        for margin in MARGINS:
            pattern = cheapest_stops(
                price,
                later,
                int(release[one]),
                int(latest[one]) - margin,
                int(length[one]),
                float(restart_s[one]) / slot_s,
                wait,
            )
            if pattern is None:
                break
            placed = _placed(of_class, pattern, restart_s[mine], float(edges[0]), slot_s)
            if _in_time(of_class, placed):
                ways.append((which, pattern))
                break
    tried = with_patterns(side, ways, restart_s, edges, [tail])
    won = _cheapest_column(tried, price, slot_s) < own - WINS_FRAC * np.abs(own)
    return [(which, pattern) for which, pattern in ways if won[which]]


def _cheapest_column(side: JobSide, price: Array, slot_s: float) -> Array:
    """Cost of the cheapest column of each class at a price, shape (classes,)."""
    columns = side.columns
    used_kwh = columns.kw * slot_s / S_PER_H
    count = len(columns.class_of)
    cost = columns.tail + np.bincount(columns.column, used_kwh * price[columns.slot], count)
    least = np.full(columns.classes, np.inf)
    np.minimum.at(least, columns.class_of, cost)
    return least


def _in_time(jobs: Movable, placed: Timing) -> bool:
    """Whether every job ends by when it does at its latest start."""
    last_s = jobs.latest_s + jobs.run_s
    return bool((placed.end_s(jobs.run_s) <= last_s + ROUNDING_S).all())
