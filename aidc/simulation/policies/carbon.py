"""Jobs that may wait are held back until their cheapest window; behind that it is EASY backfill.

Cheap is what a series says: grid intensity for carbon, a tariff for money. A job draws constant power,
so its cost is the mean of the series over its run, with the limit for the run time. It is released
between its submission and ``submit + slack``, never later, and never so late that it would leave the
horizon for being put off. At its release it joins the queue behind those already there.

References:
    P. Wiesner et al., "Let's wait awhile: how temporal workload shifting can reduce carbon emissions in
    the cloud", ACM/IFIP Middleware 2021 (the same idea, on real grid intensities).
"""

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.simulation.policies.easy_backfill import EasyBackfill
from aidc.simulation.policies.queue import Boards

SAME: float = 1e-9  # relative; costs that differ by less are equal, and the earlier start wins


class CheapestWindow:
    """The exact cheapest start in a series that is constant in each of its steps.

    Args:
        price: value of each step; any unit.
        step_s: length of a step.
    """

    def __init__(self, price: NDArray[np.float64], step_s: float) -> None:
        self._edges_s = np.arange(len(price) + 1, dtype=np.float64) * step_s
        self._total = np.concatenate(([0.0], np.cumsum(price * step_s)))

    def start_s(self, earliest_s: float, latest_s: float, run_s: float) -> float:
        """The earliest of the cheapest starts of a run that ends within the series.

        Cost as a function of the start is linear between the times at which start or end cross an edge,
        so one of these, or an end of the range, is the cheapest. A run that would not end within the
        series starts at ``earliest_s``.
        """
        latest_s = min(latest_s, float(self._edges_s[-1]) - run_s)
        if latest_s <= earliest_s:
            return earliest_s
        crossings = np.concatenate(
            (
                self._between(earliest_s, latest_s),
                self._between(earliest_s + run_s, latest_s + run_s) - run_s,
            )
        )
        starts = np.concatenate(([earliest_s], np.sort(crossings), [latest_s]))
        cost = self._until(starts + run_s) - self._until(starts)
        return float(starts[np.argmax(cost <= cost.min() + SAME * np.abs(cost).max())])

    def _between(self, first_s: float, last_s: float) -> NDArray[np.float64]:
        first, last = np.searchsorted(self._edges_s, (first_s, last_s), "right")
        return np.asarray(self._edges_s[first:last], np.float64)

    def _until(self, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the series up to each time."""
        return np.asarray(np.interp(at_s, self._edges_s, self._total), np.float64)


class Carbon:
    """Holds deferrable jobs back for their cheapest window.

    Args:
        jobs: the pool's jobs; ``slack_s`` above zero makes a job deferrable.
        price: what to go by, a value a step from the start of the horizon.
        step_s: length of a step.
    """

    def __init__(self, jobs: JobTable, price: NDArray[np.float64], step_s: float) -> None:
        self._latest = np.asarray(jobs.submit_s + jobs.slack_s).tolist()
        self._limit: list[float] = jobs.limit_s.tolist()
        self._window = CheapestWindow(price, step_s)
        self._held: list[tuple[float, int]] = []  # heap of (release, row)
        self._queue = EasyBackfill(jobs)

    def add(self, row: int, now_s: float) -> bool:
        """Takes every job; finds its window."""
        if self._latest[row] <= now_s:
            return self._queue.add(row, now_s)
        release = self._window.start_s(now_s, self._latest[row], self._limit[row])
        heappush(self._held, (release, row))
        return True

    def ended(self, row: int, now_s: float) -> None:
        """As in the queue behind."""
        self._queue.ended(row, now_s)

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Releases what is due, starts what the queue behind starts; wakes for the next release."""
        while self._held and self._held[0][0] <= now_s:
            self._queue.add(heappop(self._held)[1], now_s)
        wake_s = self._queue.dispatch(now_s, boards)
        return min(wake_s, self._held[0][0]) if self._held else wake_s
