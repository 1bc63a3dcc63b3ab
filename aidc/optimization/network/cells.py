"""Boards in use over short cells of time: never less than what is in use at any instant of a cell."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
CELL_S = 30.0  # about; work that starts or ends inside a cell counts in all of it
ROUNDING = 1e-9  # cells
BOARDS = 1e-6  # by which a sum of boards may be off


class Cells:
    """Use of every pool, an upper bound on it in each cell.

    Work at its exact times counts by its peak in a cell, work placed later in every cell it touches.

    Args:
        problem: the window.
        start, end: of the work at its exact times, in slots.
        gpus: its boards.
        pool: its pool.
    """

    def __init__(
        self, problem: NetworkProblem, start: Array, end: Array, gpus: Array, pool: Rows
    ) -> None:
        self.per_slot = max(1, round(problem.slot_s / CELL_S))
        self.count = problem.reach_slots * self.per_slot
        self.boards = problem.boards.astype(np.float64) + BOARDS
        self.used = np.zeros((len(problem.boards), self.count))
        for index in range(len(problem.boards)):
            mine = pool == index
            self.used[index] = self._peaks(start[mine], end[mine], gpus[mine])

    def _peaks(self, start: Array, end: Array, gpus: Array) -> Array:
        time = np.concatenate([end, start]) * self.per_slot
        order = np.argsort(time, kind="stable")  # at one time boards are given back first
        time = time[order]
        level = np.cumsum(np.concatenate([-gpus, gpus])[order])
        if not len(time):
            return np.zeros(self.count)
        last = np.searchsorted(time, np.arange(self.count), side="right") - 1
        peaks = np.where(last >= 0, level[np.maximum(last, 0)], 0.0)
        # between two events of one time the level is that after the second
        settled = np.append(np.diff(time) > 0, True)
        inside = settled & (time >= 0) & (time < self.count)
        np.maximum.at(peaks, time[inside].astype(np.int64), level[inside])
        return np.maximum(peaks, 0.0)

    def touched(self, start: float, end: float) -> slice:
        """Cells that a run touches."""
        return slice(
            int(start * self.per_slot + ROUNDING), int(np.ceil(end * self.per_slot - ROUNDING))
        )

    def fits(self, pool: int, start: float, end: float, gpus: float) -> bool:
        """Whether a run finds its boards free."""
        span = self.used[pool, self.touched(start, end)]
        return span.size == 0 or float(span.max()) + gpus <= self.boards[pool]

    def put(self, pool: int, start: float, end: float, gpus: float) -> None:
        """Places a run."""
        self.used[pool, self.touched(start, end)] += gpus

    def windows(self) -> Array:
        """Most in use over 2^k cells from each, flat over (k, pool, cell): what `most` reads."""
        levels = [self.used]
        while 2 ** len(levels) <= self.count:
            half = 2 ** (len(levels) - 1)
            level = levels[-1].copy()
            np.maximum(levels[-1][:, :-half], levels[-1][:, half:], out=level[:, :-half])
            levels.append(level)
        return np.stack(levels).reshape(-1)

    def span(self, start: Array, end: Array) -> tuple[Rows, Rows]:
        """First cell and number of cells, at least one, that runs touch."""
        first = (start * self.per_slot + ROUNDING).astype(np.int64)
        last = np.ceil(end * self.per_slot - ROUNDING).astype(np.int64)
        return first, np.maximum(last - first, 1)

    def most(self, windows: Array, pool: Rows, first: Rows, length: Rows) -> Array:
        """Most in use from each first cell over a length of at least one; the arguments broadcast."""
        level = np.frexp(length)[1] - 1  # floor of the logarithm to base 2
        base = (level * len(self.boards) + pool) * self.count + first
        shift = length - (1 << level)
        last = windows.size - 1  # past the end nothing is in use, and no open start reaches there
        return np.asarray(
            np.maximum(windows[np.minimum(base, last)], windows[np.minimum(base + shift, last)])
        )
