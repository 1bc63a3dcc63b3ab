"""The search for good prices: columns of jobs against a restricted master, with smoothed prices.

Wentges' smoothing: jobs are priced between the prices with the best bound so far and the master's own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.bound import sites_bound
from aidc.optimization.network.hull import Hulls, by_period
from aidc.optimization.network.master import Duals, Master
from aidc.optimization.network.merged import Merged
from aidc.optimization.network.pricing import between, tail_at_earliest
from aidc.optimization.network.problem import NetworkProblem, mean_use_by

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
SMOOTHING = 0.6  # share of the best prices so far
PERIOD_S = 2_700.0
SINGLE_SLOTS = 6
MOST_ROUNDS = 200
PATIENCE, PROGRESS_FRAC = 10, 1e-5  # rounds without so much of a better bound end the search


@dataclass(frozen=True, slots=True)
class Column:
    """One start for every job.

    Attributes:
        good: the good as which each job runs, shape (n,).
        start: its start in slots, same shape.
    """

    good: Rows
    start: Array


@dataclass(frozen=True, slots=True)
class Found:
    """What the search ends with.

    Attributes:
        price_per_kwh: prices of the best relaxed bound, shape (sites, slots).
        price_per_board_h: same, shape (pools, slots).
        relaxed_bound: that bound; it takes mean powers per board, so it proves nothing by itself.
        master: the last mix.
        prices: candidates for the certificate: these, and the same without steps between periods.
        rounds: of the search.
    """

    price_per_kwh: Array
    price_per_board_h: Array
    relaxed_bound: float
    master: Master
    prices: list[tuple[Array, Array]]
    rounds: int


def periods(slots: int, slot_s: float) -> Rows:
    """Slots in each period of the master: about `PERIOD_S` long, and single ones at the end of the window.

    Where a period ends with the window, work could hide in its last slot.
    """
    single = min(SINGLE_SLOTS, slots)
    size = max(1, round(PERIOD_S / slot_s))
    whole, rest = divmod(slots - single, size)
    return np.array([size] * whole + [1] * (rest + single), np.int64)


class Search:
    """Jobs of a merged problem, priced and turned into columns."""

    def __init__(self, problem: NetworkProblem, merged: Merged, curves: Hulls) -> None:
        self.problem, self.merged, self.curves = problem, merged, curves
        self.slots_in = periods(problem.slots, problem.slot_s)
        self.first = np.cumsum(self.slots_in) - self.slots_in
        self.master = Master(
            problem,
            merged.goods,
            merged.blocks,
            by_period(curves, self.first, self.slots_in),
            self.first,
            self.slots_in,
        )
        self._zero = tail_at_earliest(problem)

    def price(self, price_per_kwh: Array, price_per_board_h: Array) -> tuple[Column, Array]:
        """Cheapest start of each job, and what each block costs at it, shape (blocks,)."""
        n, merged = len(self.problem.jobs), self.merged
        least, start = np.full(n, np.inf), np.zeros(n)
        which = np.zeros(n, np.int64)
        prices = merged.prices(self.problem, price_per_kwh, price_per_board_h)
        for number, (good, integral) in enumerate(zip(merged.goods, prices, strict=True)):
            cost, begin = good.line.least(integral, np.zeros_like(integral), proof=False)
            job = good.line.job
            better = cost < least[job]
            rows = job[better]
            least[rows], start[rows], which[rows] = cost[better], begin[better], number
        by_block = np.bincount(merged.block_of, least, merged.blocks).astype(np.float64)
        return Column(which, start), by_block

    def add(self, column: Column, wanted: NDArray[np.bool_]) -> None:
        """Hands a column to the master, for some blocks."""
        merged, problem = self.merged, self.problem
        goods, blocks = len(merged.goods), merged.blocks
        load = np.zeros((goods, blocks, problem.slots))
        tail = np.zeros(blocks)
        zero = np.zeros((len(problem.sites), problem.slots))
        after = merged.prices(problem, zero, np.zeros((len(problem.boards), problem.slots)))
        for number, good in enumerate(merged.goods):
            line = good.line
            mine = column.good[line.job] == number
            job, run, kw = line.job[mine], line.run[mine], line.kw[mine]
            begin = column.start[job]
            block = merged.block_of[job]
            load[number] = mean_use_by(begin, begin + run, kw, block, blocks, problem.slots)
            cost = kw * between(after[number], begin, begin + run)
            tail += np.bincount(block, cost, blocks)
        rows = np.flatnonzero(wanted)
        load = np.add.reduceat(load, self.first, axis=2) / self.slots_in
        self.master.add(rows, load.transpose(1, 0, 2)[rows], tail[rows])

    def run(
        self,
        gap_frac: float,
        deadline: float,
        progress: Callable[[str], None] | None = None,
    ) -> Found:
        """Prices until the master and the relaxed bound are as near as asked, or time is up."""
        self._begin()
        problem = self.problem
        duals = self.master.solve()
        best = self._prices(duals)
        least, keep, rounds, last_better = -np.inf, 0.0, 0, 0
        every = np.ones(self.merged.blocks, bool)
        while rounds < MOST_ROUNDS:
            rounds += 1
            new = self._prices(duals)
            tried = keep * best[0] + (1 - keep) * new[0], keep * best[1] + (1 - keep) * new[1]
            column, by_block = self.price(*tried)
            bound = sites_bound(problem, self.curves, *tried) + float(by_block.sum()) - self._zero
            self.add(column, every)
            before = duals.objective
            if bound > least + PROGRESS_FRAC * abs(bound):
                last_better = rounds
            if bound > least:
                least, best = bound, tried
            duals = self.master.solve()
            objective = duals.objective - self._zero
            if progress is not None:
                progress(f"round {rounds}: master {objective:.6g}, relaxed bound {least:.6g}")
            near = objective - least <= gap_frac * abs(objective)
            if near or rounds > last_better + PATIENCE or time.perf_counter() > deadline:
                break
            stalled = before - duals.objective <= 1e-9 * abs(before)
            keep = max(0.0, keep - 0.3) if stalled else SMOOTHING
        return Found(
            best[0],
            best[1],
            least,
            self.master,
            [best, (self._smooth(best[0]), self._smooth(best[1]))],
            rounds,
        )

    def _prices(self, duals: Duals) -> tuple[Array, Array]:
        """The master's prices in each slot."""
        times = self.slots_in
        return (
            np.repeat(duals.price_per_kwh, times, axis=1),
            np.repeat(duals.price_per_board_h, times, axis=1),
        )

    def _smooth(self, price: Array) -> Array:
        """A price that is even in each period, as lines between the middles of periods."""
        middle = self.first + self.slots_in / 2
        at = np.arange(self.problem.slots) + 0.5
        return np.stack([np.interp(at, middle, row[self.first]) for row in price])

    def _begin(self) -> None:
        """First columns: jobs where they stand, as early and as late as they may, and between."""
        jobs, merged = self.problem.jobs, self.merged
        n = len(jobs)
        at_home = np.zeros(n, np.int64)
        early, late = np.zeros(n), np.zeros(n)
        for number, good in enumerate(merged.goods):
            line = good.line
            home = np.isin(jobs.home[line.job], good.pools)
            rows = line.job[home]
            at_home[rows] = number
            early[rows] = line.earliest[home]
            late[rows] = np.maximum(line.last[home], line.earliest[home])
        stands = (jobs.at_s - self.problem.edges_s[0]) / self.problem.slot_s
        every = np.ones(merged.blocks, bool)
        half = np.where(late > early, np.floor((early + late) / 2), early)
        for start in (stands, early, np.maximum(half, early), late):
            self.add(Column(at_home, start), every)
