"""The job side of a window: which jobs may move, their starts, and their classes.

A class is jobs alike in pool, quota, release slot, latest slot and length, and where the plan caps power in the
latest slot under each cap; its columns, one for each start and cap, carry the exact summed profile of its
members, so a class that starts as a whole under one cap is not approximated.
Starts are on the plan's grid, or the earliest one, which is where the baseline puts the job.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.model import ClassColumns
from aidc.optimization.movable import NO_CAP, Movable, Variants
from aidc.optimization.timing import Timing
from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
MOVED_WORK_FRAC = 0.98  # of the movable energy is planned; the rest, many tiny jobs, starts at once
MANY_JOBS = 10_000  # from here on all are planned: small ones fall into classes that are there
SMALLEST_GPUS = 1e-12  # mean of a slot; less is rounding
NOT_OFFERED = np.iinfo(np.int64).min  # no slot
LENGTH_BINS_H = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to break a run: on which slots it stops and goes on; a run that is over before is not stopped.

    Attributes:
        first: slot that begins with the run; -1: its earliest start.
        stops: slot whose beginning stops it, and slot with whose beginning it goes on, rising.
    """

    first: int
    stops: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Tail:
    """What a start costs beside the slots of the window.

    Attributes:
        price: of a kWh of IT energy after the window, by slot of a day that repeats, shape (slots,).
        delay_price: of an hour's delay of a board's work.
    """

    price: Array
    delay_price: float

    def plus(self, weight: float, other: "Tail") -> "Tail":
        """With another's prices at a weight."""
        return Tail(
            self.price + weight * other.price, self.delay_price + weight * other.delay_price
        )


@dataclass(frozen=True, slots=True)
class Starts:
    """Every start of every movable job, flat.

    Attributes:
        job: index into the movable jobs, shape (starts,).
        slot: slot of the window in which the start lies; -1 marks the earliest start.
        start_s: the time itself.
        pattern: how the run is broken from there on, of `JobSide.patterns`; -1: not at all.
    """

    job: Rows
    slot: Rows
    start_s: Array
    pattern: Rows


def starts_of(jobs: Movable, window_s: float, slot_s: float, slots: int) -> Starts:
    """All starts: the earliest one, then each slot's beginning up to the latest start.

    Args:
        jobs: movable jobs.
        window_s: start of the window.
        slot_s: length of a slot.
        slots: slots in the window.
    """
    first = np.floor((jobs.earliest_s - window_s) / slot_s).astype(np.int64) + 1
    last = np.minimum(_last_slot(jobs.latest_s, window_s, slot_s), slots - 1)
    count = np.maximum(last - first + 1, 0)
    job = np.repeat(np.arange(len(first)), count + 1)
    begin = np.concatenate([[0], np.cumsum(count + 1)[:-1]]).astype(np.int64)
    position = np.arange(len(job)) - np.repeat(begin, count + 1)
    earliest = position == 0
    slot = np.where(earliest, -1, np.repeat(first, count + 1) + position - 1)
    start = np.where(earliest, jobs.earliest_s[job], window_s + slot * slot_s)
    return Starts(job, slot, start, np.full(len(job), -1))


def _last_slot(latest_s: Array, window_s: float, slot_s: float) -> Rows:
    return np.floor((latest_s - window_s) / slot_s + 1e-9).astype(np.int64)


def profile(start_s: Array, run_s: Array, edges_s: Array) -> Array:
    """Share of each slot in which a job runs, shape (n, slots)."""
    run_until = np.clip(edges_s[None, :] - start_s[:, None], 0.0, run_s[:, None])
    return np.diff(run_until, axis=1) / np.diff(edges_s)[None, :]


def worth_planning(jobs: Movable) -> NDArray[np.bool_]:
    """The biggest jobs, which hold `MOVED_WORK_FRAC` of the movable energy; all of very many."""
    energy = jobs.kw * jobs.run_s
    if len(energy) >= MANY_JOBS:
        return np.ones(len(energy), bool)
    order = np.argsort(-energy, kind="stable")
    reached = np.cumsum(energy[order]) <= MOVED_WORK_FRAC * energy.sum()
    chosen = np.zeros(len(energy), bool)
    chosen[order[: int(reached.sum()) + 1]] = True
    return chosen


def class_of(
    jobs: Movable,
    window_s: float,
    slot_s: float,
    group: Rows,
    may_stop: NDArray[np.bool_] | None = None,
) -> Rows:
    """Class of each job, numbered from 0; jobs of different quotas (``group``) are never alike.

    Nor are jobs that a cap leaves other starts, nor those that may be stopped and run for another number of slots.
    """
    release = np.floor((jobs.earliest_s - window_s) / slot_s).astype(np.int64)
    latest = _last_slot(jobs.latest_s, window_s, slot_s)
    length = np.digitize(jobs.run_s / S_PER_H, LENGTH_BINS_H)
    if may_stop is not None:
        whole = np.ceil(jobs.run_s / slot_s - 1e-9).astype(np.int64)
        length = np.where(may_stop, len(LENGTH_BINS_H) + whole, length)
    keys = np.stack([jobs.pool, group, release, latest, length], axis=1)
    if not len(keys):
        return np.zeros(0, np.int64)
    if jobs.caps is not None:
        every = Variants.of(jobs)
        last = np.full(jobs.caps.run_s.shape, NOT_OFFERED)
        last[every.job, every.level] = _last_slot(every.jobs.latest_s, window_s, slot_s)
        keys = np.column_stack([keys, last])
    _, which = np.unique(keys, axis=0, return_inverse=True)
    return which.reshape(-1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class JobSide:
    """Classes of a window with their columns, and the way back to single jobs.

    Attributes:
        jobs: the planned jobs.
        starts: their starts, under each cap that is offered.
        level: level of cap of each start, shape (starts,).
        column_of: column of each start, shape (starts,).
        columns: for the model.
        held_gpus: boards that each entry holds where a run that touches a slot holds it whole.
        patterns: ways to break runs that some of the columns have.
    """

    jobs: Movable
    starts: Starts
    level: Rows
    column_of: Rows
    columns: ClassColumns
    held_gpus: Array
    patterns: tuple[Pattern, ...] = ()

    @property
    def class_of_job(self) -> Rows:
        """Class of each job, shape (n,)."""
        of_job = np.zeros(len(self.jobs.row), np.int64)
        of_job[self.starts.job] = self.columns.class_of[self.column_of]
        return of_job


def job_side(
    jobs: Movable,
    window_s: float,
    edges_s: Array,
    tails: Sequence[Tail],
    gpus_free: Array,
    group: Rows,
    quota_free: Array,
    may_stop: NDArray[np.bool_] | None = None,
) -> JobSide:
    """Classes and columns of the planned jobs.

    Args:
        jobs: planned jobs, at least one.
        window_s: start of the window.
        edges_s: edges of the slots, shape (slots + 1,).
        tails: of the objective, then of each limit; see `tail_cost`.
        gpus_free: boards left by fixed work, shape (pools, slots).
        group: quota of each job; -1: none, shape (n,).
        quota_free: boards of each quota left by fixed work, shape (quotas, slots).
        may_stop: jobs that may be stopped, shape (n,); None: nobody may.
    """
    slot_s, slots = float(edges_s[1] - edges_s[0]), len(edges_s) - 1
    every, which = Variants.of(jobs), class_of(jobs, window_s, slot_s, group, may_stop)
    starts = starts_of(every.jobs, window_s, slot_s, slots)
    job, levels = every.job[starts.job], int(every.level.max(initial=NO_CAP)) + 1
    capped, variant = np.unique(which[every.job] * levels + every.level, return_inverse=True)
    variant = variant.reshape(-1).astype(np.int64)  # a class at a level
    by_slot = slots + 1  # slots of starts, from the earliest at -1
    keys, column_of = np.unique(
        variant[starts.job] * by_slot + starts.slot + 1, return_inverse=True
    )
    column_of = column_of.reshape(-1).astype(np.int64)
    unique = np.stack([keys // by_slot, keys % by_slot - 1], axis=1)
    column, slot, kw, gpus, held = _entries(every.jobs, variant, unique, edges_s)
    tail = np.zeros((len(tails), len(unique)))
    for row, one in enumerate(tails):
        cost = tail_cost(starts, every.jobs, float(edges_s[-1]), slot_s, one)
        cost += cap_cost(every.jobs, jobs.take(every.job), float(edges_s[-1]), slot_s, one)[
            starts.job
        ]
        tail[row] = np.bincount(column_of, cost, len(unique))
    pool = np.zeros(len(unique), np.int64)
    pool[column_of] = jobs.pool[job]
    quota = np.full(len(unique), -1)
    quota[column_of] = group[job]
    columns = ClassColumns(
        class_of=capped[unique[:, 0]] // levels,
        pool=pool,
        classes=int(which.max()) + 1,
        column=column,
        slot=slot,
        kw=kw,
        gpus=gpus,
        tail=tail[0],
        cap_tails=tail[1:],
        gpus_free=gpus_free,
        quota=quota,
        quota_free=quota_free,
    )
    of_jobs = Starts(job, starts.slot, starts.start_s, starts.pattern)
    return JobSide(jobs, of_jobs, every.level[starts.job], column_of, columns, held)


def _entries(
    jobs: Movable, which: Rows, columns: Rows, edges_s: Array
) -> tuple[Rows, Rows, Array, Array, Array]:
    """What columns add: column, slot, IT power, boards and boards held of each entry, by column and slot.

    Starts on the grid are one profile of their class, moved along; only earliest starts lie inside slots.

    Args:
        jobs: planned jobs.
        which: class of each.
        columns: class and slot of each column, shape (columns, 2).
        edges_s: edges of the slots.
    """
    slot_s, slots = float(edges_s[1] - edges_s[0]), len(edges_s) - 1
    of_class, of_slot = columns[:, 0], columns[:, 1]
    first = np.flatnonzero(of_slot == -1)[which]  # classes are numbered in order, and each has one
    job, at, share = _touched(jobs.earliest_s - edges_s[0], jobs.run_s, slot_s)
    early = (
        first[job] * slots + at,
        share * jobs.kw[job],
        share * jobs.gpus[job],
        jobs.gpus[job],
        at < slots,
    )

    job, at, share = _touched(np.zeros(len(which)), jobs.run_s, slot_s)
    width = int(at.max(initial=0)) + 1
    shape, part = np.unique(which[job] * width + at, return_inverse=True)
    added = share * jobs.kw[job], share * jobs.gpus[job], jobs.gpus[job]
    kw, gpus, held = (np.bincount(part.reshape(-1), one) for one in added)
    begin = np.searchsorted(shape // width, np.arange(int(of_class.max()) + 2))
    late = np.flatnonzero(of_slot >= 0)
    length = np.diff(begin)[of_class[late]]
    place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    row = np.repeat(begin[of_class[late]], length) + place
    at = np.repeat(of_slot[late], length) + shape[row] % width
    on_grid = np.repeat(late, length) * slots + at, kw[row], gpus[row], held[row], at < slots

    place, kw, gpus, held, inside = (
        np.concatenate(pair) for pair in zip(early, on_grid, strict=True)
    )
    entry, part = np.unique(place[inside], return_inverse=True)
    kw, gpus, held = (np.bincount(part.reshape(-1), one[inside]) for one in (kw, gpus, held))
    some = gpus > SMALLEST_GPUS
    at = np.asarray(entry[some], np.int64)
    return at // slots, at % slots, _floats(kw[some]), _floats(gpus[some]), _floats(held[some])


def _floats(values: NDArray[Any]) -> Array:
    return np.asarray(values, np.float64)


def _touched(start_s: Array, run_s: Array, slot_s: float) -> tuple[Rows, Rows, Array]:
    """Slots that runs touch: run, slot from the start of the window, and share of it, flat; see `profile`."""
    end_s = start_s + run_s
    first = np.floor(start_s / slot_s).astype(np.int64)
    count = np.maximum(np.ceil(end_s / slot_s).astype(np.int64) - first, 0)
    run = np.repeat(np.arange(len(first)), count)
    slot = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count) + first[run]
    begin = slot * slot_s
    inside = np.minimum(end_s[run], begin + slot_s) - np.maximum(start_s[run], begin)
    return run, slot, inside / slot_s


def tail_cost(starts: Starts, jobs: Movable, end_s: float, slot_s: float, tail: Tail) -> Array:
    """Cost of delay and of what a start runs after the window, less that of the earliest start, shape (starts,).

    Both under the caps that the jobs have; see `cap_cost`.

    Work pushed past the window is not free: it pays the price of the window's last day, hour by hour.
    """
    mine = starts.job
    cost = cost_after(starts.start_s, jobs.run_s[mine], jobs.kw[mine], end_s, slot_s, tail.price)
    if tail.delay_price:
        cost += tail.delay_price * jobs.gpus[mine] * starts.start_s / S_PER_H
    earliest = np.zeros(len(jobs.row))
    first = starts.slot == -1
    earliest[starts.job[first]] = cost[first]
    return cost - earliest[starts.job]


def timing_tail_cost(
    jobs: Movable, timing: Timing, end_s: float, slot_s: float, tail: Tail
) -> Array:
    """The same of jobs at some timing, shape (n,); one that was stopped is late by how much later it ends."""
    job, start_s, run_s = timing.runs(jobs.run_s)
    cost = cost_after(start_s, run_s, jobs.kw[job], end_s, slot_s, tail.price)
    early = cost_after(jobs.earliest_s, jobs.run_s, jobs.kw, end_s, slot_s, tail.price)
    cost = np.bincount(job, cost, len(jobs.row)) - early
    late_s = timing.end_s(jobs.run_s) - jobs.run_s - jobs.earliest_s
    return np.asarray(cost + tail.delay_price * jobs.gpus * late_s / S_PER_H)


def cap_cost(jobs: Movable, uncapped: Movable, end_s: float, slot_s: float, tail: Tail) -> Array:
    """What a cap adds to `tail_cost` at the earliest start: work after the window, and a later end, shape (n,).

    Args:
        jobs: under their caps.
        uncapped: the same jobs without.
        end_s: of the window.
        slot_s: length of a slot.
        tail: prices.
    """
    cost = np.zeros(len(jobs.row))
    for one, sign in ((jobs, 1.0), (uncapped, -1.0)):
        after = cost_after(one.earliest_s, one.run_s, one.kw, end_s, slot_s, tail.price)
        cost += sign * (after + tail.delay_price * one.gpus * one.run_s / S_PER_H)
    return cost


def cost_after(
    start_s: Array, run_s: Array, kw: Array, end_s: float, slot_s: float, tail_price: Array
) -> Array:
    """Cost of what runs after the window at the repeated price of its last day, shape as the starts."""
    after, before = np.maximum(start_s + run_s - end_s, 0.0), np.maximum(start_s - end_s, 0.0)
    later = _cumulative(tail_price, slot_s, after) - _cumulative(tail_price, slot_s, before)
    return np.asarray(kw * later)


def _cumulative(price: Array, slot_s: float, time_s: Array) -> Array:
    """Integral [price x h] of a price that repeats every ``len(price)`` slots, from 0 to each time."""
    edges = np.concatenate([[0.0], np.cumsum(price * (slot_s / S_PER_H))])
    period = len(price) * slot_s
    whole, rest = np.divmod(time_s, period)
    inside = np.interp(rest, np.arange(len(price) + 1) * slot_s, edges)
    return np.asarray(whole * edges[-1] + inside, np.float64)


def assign(side: JobSide, start_share: Array) -> Rows:
    """A start for each planned job that follows the classes' shares, as rows of ``side.starts``, shape (jobs,).

    Within a class the biggest jobs choose first, each the start with most work still owed to it.
    """
    jobs, starts = side.jobs, side.starts
    energy = jobs.kw * jobs.run_s
    of_class = side.columns.class_of
    once = (starts.slot == -1) & (side.level == NO_CAP) & (starts.pattern < 0)
    total = np.bincount(of_class[side.column_of], energy[starts.job] * once, side.columns.classes)
    owed = start_share * total[of_class]
    chosen = np.zeros(len(energy), np.int64)
    first = np.searchsorted(starts.job, np.arange(len(energy)))
    last = np.searchsorted(starts.job, np.arange(len(energy)), side="right")
    for job in np.argsort(-energy, kind="stable"):
        options = slice(int(first[job]), int(last[job]))
        columns = side.column_of[options]
        best = int(np.argmax(owed[columns]))
        owed[columns[best]] -= energy[job]
        chosen[job] = options.start + best
    return chosen
