"""A pool and a slot for every job, with boards counted by their mean over each slot.

Jobs are placed where they cost least among what is still open, the densest first, at the prices that were
found; a small pull towards the load of the master's mix bends them, since many starts cost nearly the same. A pass
over all jobs follows in which boards that are left over are free. Prices are never renewed from the
loads between passes: that diverges.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.pricing import GRID_TOLERANCE, board_integrals, energy_integrals
from aidc.optimization.network.problem import NetworkProblem, mean_use_by
from aidc.optimization.network.starts import Starts

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
LARGEST_BATCH, BATCHES = 256, 200
MARGIN_SLOTS = 0.5  # before its last start, so that there is time to wait for boards
SWEEPS = 8  # over those displaced
WORTH_FRAC = 1e-9  # of a job's cost: less is no reason to move
BOARDS = 1e-6  # by which a sum of boards may be off


@dataclass(frozen=True, slots=True)
class Guide:
    """What placements are judged by.

    Attributes:
        price_per_kwh: shape (sites, slots).
        price_per_board_h: shape (pools, slots).
        load_kw: IT power to be drawn to, shape (sites, slots).
        pull: price of a kWh by which a kW beside it counts, shape (sites,).
    """

    price_per_kwh: Array
    price_per_board_h: Array
    load_kw: Array
    pull: Array


@dataclass(frozen=True, slots=True)
class Best:
    """Cheapest open start of some jobs; infinite cost where nothing is open."""

    cost: Array
    pool: Rows
    start: Array


class Rough:
    """Pool and start of every job: its earliest or the beginning of a slot.

    Attributes:
        pool: shape (n,); -1 is not placed.
        start: in slots, shape (n,).
        load_kw: IT power of the sites, shape (sites, slots).
    """

    def __init__(self, problem: NetworkProblem, starts: Starts) -> None:
        self.problem, self.starts = problem, starts
        jobs, first, fixed = problem.jobs, problem.edges_s[0], np.flatnonzero(starts.fixed)
        self.pool, self.start = np.full(len(jobs), -1, np.int64), np.zeros(len(jobs))
        self.pool[fixed], self.start[fixed] = jobs.home[fixed], starts.at[fixed]
        home, begin, held = jobs.home[fixed], starts.at[fixed], problem.held
        self._used = mean_use_by(
            np.concatenate([(held.start_s - first) / problem.slot_s, begin]),
            np.concatenate(
                [(held.end_s - first) / problem.slot_s, begin + starts.run[fixed, home]]
            ),
            np.concatenate([held.gpus, jobs.gpus[fixed, home]]),
            np.concatenate([held.pool, home]),
            len(problem.boards),
            problem.reach_slots + 1,
        )
        self._boards = problem.boards + BOARDS
        self._whole = np.floor(starts.run).astype(np.int64)
        self._part = starts.run - self._whole
        fixed_kw = np.stack([site.fixed_kw for site in problem.sites])
        self.load_kw = fixed_kw + self._loads(fixed)

    def _loads(self, rows: Rows) -> Array:
        problem, pool, start = self.problem, self.pool[rows], self.start[rows]
        end, kw = start + self.starts.run[rows, pool], problem.jobs.kw[rows, pool]
        site = problem.site_of_pool[pool]
        return mean_use_by(start, end, kw, site, len(problem.sites), problem.slots)

    def best(self, rows: Rows, guide: Guide) -> Best:
        """Cheapest start of each job, at least one, that finds its boards free on the mean."""
        problem, starts, jobs = self.problem, self.starts, self.problem.jobs
        bent = guide.price_per_kwh + guide.pull[:, None] * (self.load_kw - guide.load_kw)
        energy = energy_integrals(problem, bent)[problem.site_of_pool]
        boards = board_integrals(problem, guide.price_per_board_h)
        which, pool = np.nonzero(starts.opened[rows])
        job = rows[which]
        kw, gpus = jobs.kw[job, pool], jobs.gpus[job, pool]
        room = self._boards[pool] - gpus
        cost, start = self._at_once(job, pool, energy, boards)
        # the grid: a row for each run and slot
        first, q, f = starts.first[job, pool], self._whole[job, pool], self._part[job, pool]
        late = starts.late[job, pool]
        in_slot = np.minimum(late.astype(np.int64), problem.slots - 1)
        waits = (
            guide.price_per_board_h[pool, in_slot] > 0
        )  # nobody waits where boards are left over
        waits &= np.abs(late - np.rint(late)) > GRID_TOLERANCE  # runs of whole slots need no margin
        last = np.floor(late - np.where(waits, MARGIN_SLOTS, 0.0) + GRID_TOLERANCE).astype(np.int64)
        count = np.maximum(np.minimum(last, problem.slots - 1) - first + 1, 0)
        run = np.repeat(np.arange(len(job)), count)
        begin = np.cumsum(count) - count
        slot = np.arange(len(run)) + (first - begin)[run]
        width = energy.shape[1]
        flat = (pool * width)[run] + slot
        to = flat + q[run]
        e, b = energy.reshape(-1), boards.reshape(-1)
        de, db = np.diff(e, append=0.0), np.diff(b, append=0.0)
        priced = kw[run] * (e[to] - e[flat]) + gpus[run] * (b[to] - b[flat])
        priced += (kw * f)[run] * de[to] + (gpus * f)[run] * db[to]
        used = self._most(int(q.max(initial=0)))
        wide = self._used.shape[1]
        at = (pool * wide)[run] + slot
        full = used.reshape(-1)[(q * len(self._boards) * wide)[run] + at] > room[run]
        full |= self._used.reshape(-1)[at + q[run]] > (self._boards[pool] - gpus * f)[run]
        priced[full] = np.inf
        has = np.flatnonzero(count > 0)
        if len(has):
            least = np.minimum.reduceat(priced, begin[has])
            hits = np.flatnonzero(priced == np.repeat(least, count[has]))
            _, one = np.unique(run[hits], return_index=True)
            better = least < cost[has]
            cost[has[better]], start[has[better]] = least[better], slot[hits[one]][better]
        segment = np.searchsorted(which, np.arange(len(rows)))
        least = np.minimum.reduceat(cost, segment)
        hits = np.flatnonzero(cost == least[which])
        _, one = np.unique(which[hits], return_index=True)
        chosen = hits[one]
        return Best(least, pool[chosen], start[chosen])

    def _most(self, longest: int) -> Array:
        """Most in use over so many slots from each, shape (longest + 1, pools, slots)."""
        table = np.zeros((longest + 1, *self._used.shape))
        for length in range(1, longest + 1):
            stop = self._used.shape[1] - length + 1
            np.maximum(
                table[length - 1, :, :stop],
                self._used[:, length - 1 :],
                out=table[length, :, :stop],
            )
        return table

    def _at_once(self, job: Rows, pool: Rows, energy: Array, boards: Array) -> tuple[Array, Array]:
        """Cost and start of runs at their earliest; infinite where boards lack on the mean."""
        starts, jobs = self.starts, self.problem.jobs
        start = starts.early[job, pool]
        end = start + starts.run[job, pool]
        gpus, room = jobs.gpus[job, pool], self._boards[pool]
        cost = jobs.kw[job, pool] * _grown(energy, pool, start, end)
        cost += gpus * _grown(boards, pool, start, end)
        low, high = start.astype(np.int64), end.astype(np.int64)
        head = np.minimum(low + 1.0, end) - start
        full = self._used[pool, low] + gpus * head > room
        full |= (high > low) & (self._used[pool, high] + gpus * (end - high) > room)
        middle = np.maximum(high - low - 1, 0)
        most = self._most(int(middle.max(initial=0)))
        full |= most[middle, pool, low + 1] > room - gpus
        cost[full] = np.inf
        return cost, start

    def _add(self, pool: int, start: float, end: float, gpus: float) -> None:
        used, low, high = self._used[pool], int(start), int(end)
        if high == low:
            used[low] += gpus * (end - start)
            return
        used[low] += gpus * (low + 1 - start)
        used[low + 1 : high] += gpus
        used[high] += gpus * (end - high)

    def _put(self, job: int, pool: int, start: float) -> bool:
        """Puts a job that is nowhere, if its boards are free on the mean."""
        end, gpus = start + self.starts.run[job, pool], self.problem.jobs.gpus[job, pool]
        used, low, high, boards = self._used[pool], int(start), int(end), self._boards[pool]
        if used[low] + gpus * (min(low + 1, end) - start) > boards:
            return False
        if high > low and used[high] + gpus * (end - high) > boards:
            return False
        if high > low + 1 and used[low + 1 : high].max() + gpus > boards:
            return False
        self._add(pool, start, end, gpus)
        self.pool[job], self.start[job] = pool, start
        return True

    def fill(self, order: Rows, guide: Guide) -> None:
        """Places jobs where they fit best; one that another of its batch displaced is tried again."""
        fill(
            order[self.pool[order] < 0], lambda rows: self.best(rows, guide), self._put, self._book
        )

    def _book(self, rows: Rows) -> None:
        self.load_kw += self._loads(rows[self.pool[rows] >= 0])

    def improve(self, order: Rows, guide: Guide) -> int:
        """Moves each job to where it costs less at the guide's prices, if boards are free; how many moved."""
        moved, jobs, problem = 0, self.problem.jobs, self.problem
        order = order[(self.pool[order] >= 0) & ~self.starts.fixed[order]]
        for rows in batches(order):
            best = self.best(rows, guide)
            bent = guide.price_per_kwh + guide.pull[:, None] * (self.load_kw - guide.load_kw)
            energy = energy_integrals(problem, bent)[problem.site_of_pool]
            boards = board_integrals(problem, guide.price_per_board_h)
            here, now = self.pool[rows], self.start[rows].copy()
            end = now + self.starts.run[rows, here]
            stands = jobs.kw[rows, here] * _grown(energy, here, now, end)
            stands += jobs.gpus[rows, here] * _grown(boards, here, now, end)
            gain = np.flatnonzero(stands - best.cost > WORTH_FRAC * np.abs(stands))
            if not len(gain):
                continue
            self.load_kw -= self._loads(rows[gain])
            for index in gain.tolist():
                job, old = int(rows[index]), int(here[index])
                gpus = jobs.gpus[job, old]
                self._add(old, now[index], end[index], -gpus)
                if self._put(job, int(best.pool[index]), float(best.start[index])):
                    moved += 1
                else:
                    self._add(old, now[index], end[index], gpus)
            self.load_kw += self._loads(rows[gain])
        return moved


def _grown(integral: Array, row: Rows, start: Array, end: Array) -> Array:
    """What integrals at the edges of slots grow by between two times, each in a row."""
    total = np.zeros(len(row))
    for at, sign in ((end, 1.0), (start, -1.0)):
        slot = at.astype(np.int64)
        reached = integral[row, slot]
        total += sign * (reached + (at - slot) * (integral[row, slot + 1] - reached))
    return total


def fill(
    waiting: Rows,
    best: Callable[[Rows], Best],
    put: Callable[[int, int, float], bool],
    book: Callable[[Rows], None],
) -> None:
    """Places jobs where they fit best; one that another of its batch displaced is tried again.

    Args:
        waiting: jobs in order.
        best: the cheapest open start of some jobs.
        put: takes a job, a pool and a start; whether boards were still free.
        book: told of each batch that was tried.
    """
    for _ in range(SWEEPS):
        displaced: list[int] = []
        for rows in batches(waiting):
            found = best(rows)
            open_rows = np.flatnonzero(np.isfinite(found.cost)).tolist()
            displaced += [
                int(rows[n])
                for n in open_rows
                if not put(int(rows[n]), int(found.pool[n]), float(found.start[n]))
            ]
            book(rows)
        waiting = np.array(displaced, np.int64)


def batches(order: Rows) -> list[Rows]:
    """Jobs in an order, a small share of them at a time, and fewer at first: loads follow only in between."""
    most = int(np.clip(len(order) // BATCHES, 1, LARGEST_BATCH))
    found, at, size = [], 0, max(1, most // 16)
    while at < len(order):
        found.append(order[at : at + size])
        at += size
        size = min(most, size + max(1, most // 16))
    return found
