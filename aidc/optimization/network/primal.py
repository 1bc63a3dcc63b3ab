"""A start and a pool for every job, which fit the boards at exact times.

Where each job should run is found with boards counted by their mean over slots (`Rough`); then jobs start as boards
come free (`dispatched`). What found none in time is placed where it costs least among what is still open.
"""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.cells import Cells
from aidc.optimization.network.dispatch import dispatched
from aidc.optimization.network.pricing import GRID_TOLERANCE, board_integrals, energy_integrals
from aidc.optimization.network.problem import NetworkProblem, mean_use_by
from aidc.optimization.network.rough import Best, Guide, fill
from aidc.optimization.network.starts import Starts

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
HOME_ROUNDS = 16


class Placement:
    """Pool and start of every job, with the boards and the loads that follow.

    Args:
        problem: the window.
        starts: what its jobs may do.
        per_slot: starts that are tried in each slot, besides the earliest.

    Attributes:
        pool: shape (n,); -1 is not placed.
        start: in slots, shape (n,).
        load_kw: IT power of the sites, shape (sites, slots).
    """

    def __init__(self, problem: NetworkProblem, starts: Starts, per_slot: int) -> None:
        self.problem, self.starts, self._per_slot = problem, starts, per_slot
        n = len(problem.jobs)
        self.pool, self.start = np.full(n, -1, np.int64), np.zeros(n)
        self._held = starts.fixed.copy()  # stand at home at their exact times
        self._fixed_kw = np.stack([site.fixed_kw for site in problem.sites])
        self._reset()

    def _reset(self) -> None:
        """Boards and loads with only held jobs in them."""
        problem, held = self.problem, self.problem.held
        jobs, mine = problem.jobs, np.flatnonzero(self._held)
        self.pool[:] = -1
        self.pool[mine], self.start[mine] = jobs.home[mine], self.starts.at[mine]
        first = problem.edges_s[0]
        home, begin = jobs.home[mine], self.starts.at[mine]
        self.cells = Cells(
            problem,
            np.concatenate([(held.start_s - first) / problem.slot_s, begin]),
            np.concatenate(
                [(held.end_s - first) / problem.slot_s, begin + self.starts.run[mine, home]]
            ),
            np.concatenate([held.gpus, jobs.gpus[mine, home]]),
            np.concatenate([held.pool, home]),
        )
        self.load_kw = self._fixed_kw + self.loads(mine, home, begin)

    def loads(self, jobs: Rows, pool: Rows, start: Array) -> Array:
        """IT power of some runs, shape (sites, slots)."""
        problem = self.problem
        site = problem.site_of_pool[pool]
        end, kw = start + self.starts.run[jobs, pool], problem.jobs.kw[jobs, pool]
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
        starts, per_slot = self.starts, self._per_slot
        which, pool = np.nonzero(starts.opened[rows])
        job = rows[which]
        first = np.floor(starts.early[job, pool] * per_slot).astype(np.int64) + 1
        last = np.floor((starts.late[job, pool] + GRID_TOLERANCE) * per_slot).astype(np.int64)
        count = np.maximum(last - first + 1, 0) + 1
        begin = np.cumsum(count) - count
        which, pool, first = (np.repeat(each, count) for each in (which, pool, first))
        job = rows[which]
        position = np.arange(len(job)) - np.repeat(
            begin, count
        )  # the earliest start, then the grid
        start = np.where(
            position == 0, starts.early[job, pool], (first + position - 1.0) / per_slot
        )
        run, gpus = self.starts.run[job, pool], jobs.gpus[job, pool]
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
        run, gpus = self.starts.run[job, pool], self.problem.jobs.gpus[job, pool]
        if not self.cells.fits(pool, start, start + run, gpus):
            return False
        self.cells.put(pool, start, start + run, gpus)
        self.pool[job], self.start[job] = pool, start
        return True

    def dispatch(self, pool: Rows, meant: Array, scarce: NDArray[np.bool_]) -> None:
        """Starts jobs on their pools as boards come free; those that found none in time are not placed.

        Args:
            pool: of each job, -1 of one without, shape (n,).
            meant: about when it should start, in slots, same shape.
            scarce: where boards have a price, shape (pools, slots).
        """
        rows = np.flatnonzero((pool >= 0) & ~self._held)
        found = dispatched(self.problem, self.starts, self.cells, pool, meant, scarce, rows)
        rows = rows[np.isfinite(found[rows])]
        self.pool[rows], self.start[rows] = pool[rows], found[rows]
        self.load_kw += self._added(rows)

    def fill(self, order: Rows, guide: Guide) -> None:
        """Places the jobs that are not, so that at every exact time there are boards for all.

        A job that fits nowhere is held where it stands at home, and the others are placed again around it.
        All of them at home fit, so this ends.

        Args:
            order: jobs in the order of placement.
            guide: prices.
        """
        self._settle(order, guide)
        everywhere = np.ones((len(self.cells.boards), self.problem.slots), bool)
        for turn in range(HOME_ROUNDS):
            lost = self.pool < 0
            if not lost.any():
                return
            pool, start = self.pool.copy(), self.start.copy()
            self._held |= lost
            self._reset()
            if turn < HOME_ROUNDS // 2:
                for job in order[~self._held[order]].tolist():
                    self._put(job, pool[job], start[job])
                self.load_kw += self._added(order[~self._held[order]])
            else:  # those displaced find no end: all start anew
                self.dispatch(np.where(self._held, -1, pool), start, everywhere)
            self._settle(order, guide)
        if (self.pool < 0).any():
            self._held[:] = True
            self._reset()

    def _added(self, rows: Rows) -> Array:
        placed = rows[self.pool[rows] >= 0]
        return self.loads(placed, self.pool[placed], self.start[placed])

    def _settle(self, order: Rows, guide: Guide) -> None:
        """Places jobs where they fit best; one that another of its batch displaced is tried again."""
        fill(
            order[self.pool[order] < 0], lambda rows: self.best(rows, guide), self._put, self._book
        )

    def _book(self, rows: Rows) -> None:
        self.load_kw += self._added(rows)
