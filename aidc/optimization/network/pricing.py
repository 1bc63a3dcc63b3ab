"""Each job at its cheapest start under given prices, exact and without a loop over jobs.

With prices that are even in each slot the cost of a run is linear in its start between any two starts at which it
begins or ends at an edge of slots. So its least is at one of these or at an end of the job's window. With the integral
I of the price at the edges, a run of ``q + f`` slots costs ``I[i+q] - I[i] + f (I[i+q+1] - I[i+q])`` from the
start of slot i, and ``I[i+q] - I[i] + f (I[i] - I[i-1])`` if it ends at edge ``i+q``. For all jobs of one q both are
products of two small matrices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
BLOCK_ROWS = 1024
GRID_TOLERANCE = 1e-9  # slots by which a time may miss the grid


@dataclass(frozen=True, slots=True)
class Line:
    """Runs that are priced by one set of prices, sorted by length and release.

    Times are in slots from the start of the window.

    Attributes:
        job: whose run it is, shape (runs,).
        run: length.
        earliest, latest: between which it may start.
        first: first edge after the earliest start at which it may begin, and
        last: the last one; none where it is less than the first.
        kw: power.
        gpus: boards; 0 where the price of energy has them in it.
    """

    job: Rows
    run: Array
    earliest: Array
    latest: Array
    first: Rows
    last: Rows
    kw: Array
    gpus: Array

    @classmethod
    def of(
        cls,
        job: Rows,
        run: Array,
        earliest: Array,
        latest: Array,
        slots: int,
        kw: Array,
        gpus: Array,
    ) -> "Line":
        """A line of runs in any order."""
        first = np.maximum(np.floor(earliest).astype(np.int64) + 1, 1)
        latest = last_starts(earliest, latest, slots)
        last = np.floor(latest + GRID_TOLERANCE).astype(np.int64)
        order = np.lexsort((first, np.floor(run).astype(np.int64)))
        return cls(
            job[order],
            run[order],
            earliest[order],
            latest[order],
            first[order],
            last[order],
            kw[order],
            gpus[order],
        )

    def least(self, energy: Array, boards: Array, *, proof: bool) -> tuple[Array, Array]:
        """Least cost of each run and the start that has it.

        Args:
            energy: integrated price of a kW at the edges of slots, beyond the window as far as runs reach.
            boards: of a board, same shape.
            proof: whether every start is priced; else those at which a slot begins, and the earliest.

        Returns:
            Cost, shape (runs,), and start in slots.
        """
        cost, start = self._cost(energy, boards, self.earliest), self.earliest.copy()
        if proof:
            _take(cost, start, self._cost(energy, boards, self.latest), self.latest)
        whole = np.floor(self.run).astype(np.int64)
        part = self.run - whole
        ending = (
            np.maximum(np.floor(self.earliest + part).astype(np.int64) + 1, 1),
            np.floor(self.latest + part + GRID_TOLERANCE).astype(np.int64),
        )
        amounts = np.stack([self.kw, self.gpus], axis=1)
        for begin, stop in _blocks(whole):
            mine = slice(begin, stop)
            low = int(self.first[begin])
            high = int((ending[1] if proof else self.last)[mine].max()) + 1
            if high <= low:
                continue
            q = int(whole[begin])
            from_to = np.stack([energy[low - 1 : high], boards[low - 1 : high]])
            to = np.stack([energy[low + q : high + q + 1], boards[low + q : high + q + 1]])
            full = amounts[mine] @ (to[:, :-1] - from_to[:, 1:])
            partly = amounts[mine] * part[mine, None]
            edge = np.arange(low, high)
            rows = np.arange(stop - begin)
            kinks = [(np.diff(to, axis=1), (self.first, self.last), np.zeros(len(rows)))]
            if proof:
                kinks.append((np.diff(from_to, axis=1), ending, part[mine]))
            for steps, (first, last), before in kinks:
                tried = full + partly @ steps
                tried[(edge < first[mine, None]) | (edge > last[mine, None])] = np.inf
                best = tried.argmin(axis=1)
                _take(cost[mine], start[mine], tried[rows, best], edge[best] - before)
        return cost, start

    def _cost(self, energy: Array, boards: Array, start: Array) -> Array:
        """Cost of each run from a start."""
        end = start + self.run
        return self.kw * between(energy, start, end) + self.gpus * between(boards, start, end)


def last_starts(earliest: Array, latest: Array, slots: int) -> Array:
    """Last starts in slots: no later than the end of the window, except at the earliest."""
    return np.asarray(np.maximum(earliest, np.minimum(latest, slots)), np.float64)


def _take(cost: Array, start: Array, other: Array, its_start: Array) -> None:
    """Takes over what costs less."""
    better = other < cost
    cost[better], start[better] = other[better], its_start[better]


def _blocks(whole: Rows) -> list[tuple[int, int]]:
    """Spans of rows of one length, none longer than `BLOCK_ROWS`."""
    edges = np.flatnonzero(np.diff(whole)) + 1
    spans = zip([0, *edges.tolist()], [*edges.tolist(), len(whole)], strict=True)
    return [
        (at, min(at + BLOCK_ROWS, end))
        for begin, end in spans
        for at in range(begin, end, BLOCK_ROWS)
    ]


def between(integral: Array, start: Array, end: Array) -> Array:
    """What an integral known at the edges of slots grows by between two times in slots."""

    def until(at: Array) -> Array:
        slot = np.minimum(at.astype(np.int64), len(integral) - 2)
        return np.asarray(integral[slot] + (at - slot) * (integral[slot + 1] - integral[slot]))

    return np.asarray(until(end) - until(start))


def energy_integrals(problem: NetworkProblem, price_per_kwh: Array) -> Array:
    """Cost of a kW held from the start of the window to each edge, shape (sites, reach + 1).

    After the window it costs the tail price, a day repeated.
    """
    after = np.arange(max(problem.reach_slots - problem.slots, 0)) % problem.tail_price.shape[1]
    price = np.hstack([price_per_kwh, problem.tail_price[:, after]])
    return _integral(price * problem.slot_h)


def board_integrals(problem: NetworkProblem, price_per_board_h: Array) -> Array:
    """Cost of a board held from the start of the window to each edge, shape (pools, reach + 1)."""
    after = max(problem.reach_slots - problem.slots, 0)
    return _integral(np.pad(price_per_board_h, ((0, 0), (0, after))) * problem.slot_h)


def _integral(price: Array) -> Array:
    return np.pad(np.cumsum(price, axis=1), ((0, 0), (1, 0)))


def open_pools(problem: NetworkProblem) -> NDArray[np.bool_]:
    """Whether a job has any start on a pool, shape (n, pools); on its home it always has."""
    jobs = problem.jobs
    found = jobs.allowed.copy()
    for pool in range(len(problem.boards)):
        early, late = problem.earliest_on(pool), problem.latest_on(pool)
        found[:, pool] &= (early <= late + GRID_TOLERANCE) & (early < problem.slots)
    found[np.arange(len(jobs)), jobs.home] = True
    return found


def lines_of_pools(problem: NetworkProblem) -> list[Line]:
    """A line for each pool with all jobs that may run there, which take power and boards."""
    jobs, opened = problem.jobs, open_pools(problem)
    lines = []
    for pool in range(len(problem.boards)):
        rows = np.flatnonzero(opened[:, pool])
        lines.append(
            Line.of(
                rows,
                jobs.run_s[rows, pool] / problem.slot_s,
                problem.earliest_on(pool)[rows],
                problem.latest_on(pool)[rows],
                problem.slots,
                jobs.kw[rows, pool],
                jobs.gpus[rows, pool],
            )
        )
    return lines


def at_home_cost(problem: NetworkProblem, energy: Array, boards: Array) -> Array:
    """Priced cost of each job where it stands, shape (n,)."""
    jobs = problem.jobs
    every = np.arange(len(jobs))
    start = (jobs.at_s - problem.edges_s[0]) / problem.slot_s
    end = start + problem.home_run_s / problem.slot_s
    cost = np.zeros(len(jobs))
    for pool in np.unique(jobs.home):
        mine = every[jobs.home == pool]
        site = int(problem.site_of_pool[pool])
        cost[mine] = jobs.kw[mine, pool] * between(energy[site], start[mine], end[mine])
        cost[mine] += jobs.gpus[mine, pool] * between(boards[pool], start[mine], end[mine])
    return cost


def tail_at_earliest(problem: NetworkProblem) -> float:
    """What the jobs would cost after the window from their earliest starts at home: the zero of the tail."""
    jobs = problem.jobs
    energy = energy_integrals(problem, np.zeros((len(problem.sites), problem.slots)))
    start = (jobs.earliest_s - problem.edges_s[0]) / problem.slot_s
    end = start + problem.home_run_s / problem.slot_s
    total = 0.0
    for pool in np.unique(jobs.home):
        mine = jobs.home == pool
        integral = energy[int(problem.site_of_pool[pool])]
        total += float(jobs.kw[mine, pool] @ between(integral, start[mine], end[mine]))
    return total
