"""A start and a pool for every job, which fit the boards at exact times.

Jobs are placed where they cost least among what is still open, the densest first, at the prices that were
found; a small pull towards the load of the master's mix bends them, since many starts cost nearly the same. A pass
over all jobs follows in which boards that are left over are free. Prices are never renewed from the
loads between passes: that diverges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.cells import Cells
from aidc.optimization.network.pricing import (
    GRID_TOLERANCE,
    board_integrals,
    energy_integrals,
    open_pools,
)
from aidc.optimization.network.problem import NetworkProblem, mean_use_by

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
LARGEST_BATCH, BATCHES = 256, 200
HOME_ROUNDS = 8
SWEEPS = 8  # over those displaced
WORTH_FRAC = 1e-9  # of a job's cost: less is no reason to move


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


class Placement:
    """Pool and start of every job, with the boards and the loads that follow.

    Attributes:
        pool: shape (n,); -1 is not placed.
        start: in slots, shape (n,).
        load_kw: IT power of the sites, shape (sites, slots).
    """

    def __init__(self, problem: NetworkProblem) -> None:
        self.problem = problem
        jobs, slot_s = problem.jobs, problem.slot_s
        n, pools = len(jobs), len(problem.boards)
        self.pool, self.start = np.full(n, -1, np.int64), np.zeros(n)
        self._run = jobs.run_s / slot_s
        self._open = open_pools(problem)
        self._early = np.stack([problem.earliest_on(p) for p in range(pools)], axis=1)
        late = np.stack([problem.latest_on(p) for p in range(pools)], axis=1)
        self._first = np.floor(self._early).astype(np.int64) + 1
        last = np.floor(late + GRID_TOLERANCE).astype(np.int64)
        self._last = np.minimum(last, problem.slots - 1)
        self._at = (jobs.at_s - problem.edges_s[0]) / slot_s
        choices = np.where(self._open, np.maximum(self._last - self._first + 1, 0) + 1, 0)
        self._held = choices.sum(axis=1) <= 1  # stand at home at their exact times
        self._fixed_kw = np.stack([site.fixed_kw for site in problem.sites])
        self._reset()

    def _reset(self) -> None:
        """Boards and loads with only held jobs in them."""
        problem, held = self.problem, self.problem.held
        jobs, mine = problem.jobs, np.flatnonzero(self._held)
        self.pool[:] = -1
        self.pool[mine], self.start[mine] = jobs.home[mine], self._at[mine]
        first = problem.edges_s[0]
        home, begin = jobs.home[mine], self._at[mine]
        self.cells = Cells(
            problem,
            np.concatenate([(held.start_s - first) / problem.slot_s, begin]),
            np.concatenate([(held.end_s - first) / problem.slot_s, begin + self._run[mine, home]]),
            np.concatenate([held.gpus, jobs.gpus[mine, home]]),
            np.concatenate([held.pool, home]),
        )
        self.load_kw = self._fixed_kw + self.loads(mine, home, begin)

    def loads(self, jobs: Rows, pool: Rows, start: Array) -> Array:
        """IT power of some runs, shape (sites, slots)."""
        problem = self.problem
        site = problem.site_of_pool[pool]
        end, kw = start + self._run[jobs, pool], problem.jobs.kw[jobs, pool]
        return mean_use_by(start, end, kw, site, len(problem.sites), problem.slots)

    def _integrals(self, guide: Guide) -> tuple[Array, Array]:
        """Integrated prices of energy and boards by pool, the pull in them."""
        problem = self.problem
        bent = guide.price_per_kwh + guide.pull[:, None] * (self.load_kw - guide.load_kw)
        energy = energy_integrals(problem, bent)[problem.site_of_pool]
        return energy, board_integrals(problem, guide.price_per_board_h)

    def best(self, rows: Rows, guide: Guide) -> Best:
        """Cheapest start of each job, at least one, that finds its boards free."""
        jobs = self.problem.jobs
        which, pool = np.nonzero(self._open[rows])
        first, last = self._first[rows[which], pool], self._last[rows[which], pool]
        count = np.maximum(last - first + 1, 0) + 1
        begin = np.cumsum(count) - count
        which, pool, first = (np.repeat(each, count) for each in (which, pool, first))
        job = rows[which]
        position = np.arange(len(job)) - np.repeat(
            begin, count
        )  # the earliest start, then the grid
        start = np.where(position == 0, self._early[job, pool], first + position - 1.0)
        run, gpus = self._run[job, pool], jobs.gpus[job, pool]
        cost = self._cost(*self._integrals(guide), pool, start, run, jobs.kw[job, pool], gpus)
        cells, length = self.cells.span(start, start + run)
        used = self.cells.most(self.cells.windows(), pool, cells, length)
        cost[used > self.cells.boards[pool] - gpus] = np.inf
        segment = np.searchsorted(which, np.arange(len(rows)))
        least = np.minimum.reduceat(cost, segment)
        hits = np.flatnonzero(cost == least[which])
        _, at = np.unique(which[hits], return_index=True)
        chosen = hits[at]
        return Best(least, pool[chosen], start[chosen])

    @staticmethod
    def _cost(
        energy: Array,
        boards: Array,
        pool: Rows,
        start: Array,
        run: Array,
        kw: Array,
        gpus: Array,
    ) -> Array:
        """Priced cost of runs on pools, shape (runs,); see `between`, here with the pools in one row."""
        row = pool * energy.shape[1]
        cost = np.zeros(len(pool))
        for at, sign in ((start + run, 1.0), (start, -1.0)):
            slot = at.astype(np.int64)
            part = at - slot
            slot += row
            for amount, integral in ((kw, energy.reshape(-1)), (gpus, boards.reshape(-1))):
                reached = integral[slot]
                cost += sign * amount * (reached + part * (integral[slot + 1] - reached))
        return cost

    def _put(self, job: int, pool: int, start: float) -> bool:
        """Puts a job that is nowhere, if its boards are free."""
        run, gpus = self._run[job, pool], self.problem.jobs.gpus[job, pool]
        if not self.cells.fits(pool, start, start + run, gpus):
            return False
        self.cells.put(pool, start, start + run, gpus)
        self.pool[job], self.start[job] = pool, start
        return True

    def _move(self, job: int, pool: int, start: float) -> bool:
        """Moves a placed job, if its boards are free there."""
        here, now, gpus = int(self.pool[job]), float(self.start[job]), self.problem.jobs.gpus[job]
        cells, run = self.cells, self._run[job]
        take = cells.release if self._held[job] else cells.put
        sign = 1.0 if self._held[job] else -1.0
        take(here, now, now + run[here], sign * gpus[here])
        fits = cells.fits(pool, start, start + run[pool], gpus[pool])
        if fits:
            cells.put(pool, start, start + run[pool], gpus[pool])
            self.pool[job], self.start[job], self._held[job] = pool, start, False
        else:
            take(here, now, now + run[here], -sign * gpus[here])
        return fits

    def fill(self, order: Rows, guide: Guide) -> None:
        """Places all jobs, so that at every exact time there are boards for all.

        A job that fits nowhere is held where it stands at home, and the others are placed again around it.
        All of them at home fit, so this ends.

        Args:
            order: jobs in the order of placement.
            guide: prices.
        """
        self._settle(order, guide)
        for _ in range(HOME_ROUNDS):
            lost = self.pool < 0
            if not lost.any():
                return
            pool, start = self.pool.copy(), self.start.copy()
            self._held |= lost
            self._reset()
            again = order[~self._held[order]]
            displaced = [job for job in again.tolist() if not self._put(job, pool[job], start[job])]
            self.load_kw += self._added(again)
            self._settle(np.array(displaced, np.int64), guide)
        if (self.pool < 0).any():
            self._held[:] = True
            self._reset()

    def _added(self, rows: Rows) -> Array:
        placed = rows[self.pool[rows] >= 0]
        return self.loads(placed, self.pool[placed], self.start[placed])

    def _settle(self, order: Rows, guide: Guide) -> None:
        """Places jobs where they fit best; one that another of its batch displaced is tried again."""
        waiting = order[~self._held[order]]
        for _ in range(SWEEPS):
            displaced: list[int] = []
            for rows in batches(waiting):
                best = self.best(rows, guide)
                for job, cost, pool, start in zip(
                    rows.tolist(),
                    best.cost.tolist(),
                    best.pool.tolist(),
                    best.start.tolist(),
                    strict=True,
                ):
                    if np.isfinite(cost) and not self._put(job, pool, start):
                        displaced.append(job)
                self.load_kw += self._added(rows)
            waiting = np.array(displaced, np.int64)

    def improve(self, order: Rows, guide: Guide) -> int:
        """Moves each job to where it costs less at the guide's prices, if boards are free; how many moved."""
        moved = 0
        jobs = self.problem.jobs
        for rows in batches(order):
            best = self.best(rows, guide)
            energy, boards = self._integrals(guide)
            here, now = self.pool[rows], self.start[rows].copy()
            run, kw, gpus = self._run[rows, here], jobs.kw[rows, here], jobs.gpus[rows, here]
            stands = self._cost(energy, boards, here, now, run, kw, gpus)
            gain = stands - best.cost > WORTH_FRAC * np.abs(stands)
            done = [
                index
                for index in np.flatnonzero(gain).tolist()
                if self._move(int(rows[index]), int(best.pool[index]), float(best.start[index]))
            ]
            if done:
                self.load_kw -= self.loads(rows[done], here[done], now[done])
                self.load_kw += self._added(rows[done])
            moved += len(done)
        return moved


def batches(order: Rows) -> list[Rows]:
    """Jobs in an order, a small share of them at a time, and fewer at first: loads follow only in between."""
    most = int(np.clip(len(order) // BATCHES, 1, LARGEST_BATCH))
    found, at, size = [], 0, max(1, most // 16)
    while at < len(order):
        found.append(order[at : at + size])
        at += size
        size = min(most, size + max(1, most // 16))
    return found
