"""Jobs that may wait are promised their cheapest window in which boards are free.

Cheap is what a series says: grid intensity for carbon, a tariff for money. A job draws constant power,
so its cost is the mean of the series over its run, with the limit for the run time. When it arrives it is
planned, on the profile of boards that running jobs and earlier promises leave free, at the cheapest start
between its submission and ``submit + slack`` from which enough boards are free for its limit; never so
late that it would leave the horizon for being put off. A promise is kept, so such a job is never late for
the queue before it. One that finds no free boards within its slack, and every job that cannot wait, is
promised the first gap and starts before that if it can: conservative backfill.

References:
    P. Wiesner et al., "Let's wait awhile: how temporal workload shifting can reduce carbon emissions in
    the cloud", ACM/IFIP Middleware 2021 (the same idea, on real grid intensities; boards never run out).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.simulation.policies.conservative_backfill import Choice, ConservativeBackfill
from aidc.simulation.policies.profile import Profile

Array = NDArray[np.float64]
ANY = np.zeros(1), np.full(1, np.inf)  # a span of starts
SAME: Final = 1e-9  # relative; costs that differ by less are equal, and the earlier start wins


class CheapestWindow:
    """The exact cheapest start in a series that is constant in each of its steps.

    Args:
        price: value of each step; any unit.
        step_s: length of a step.
    """

    def __init__(self, price: Array, step_s: float) -> None:
        self._edges_s = np.arange(len(price) + 1, dtype=np.float64) * step_s
        self._total = np.concatenate(([0.0], np.cumsum(price * step_s)))

    def start_s(
        self, earliest_s: float, latest_s: float, run_s: float, first_s: Array, last_s: Array
    ) -> float | None:
        """The earliest of the cheapest starts of a run that ends within the series; None: there is none.

        Cost as a function of the start is linear between the times at which start or end cross an edge,
        so one of these, or an end of a span, is the cheapest.

        Args:
            earliest_s: first start.
            latest_s: last start.
            run_s: length.
            first_s: first start of each span of starts that are allowed, rising, shape (spans,).
            last_s: last start of each, same shape.
        """
        latest_s = min(latest_s, float(self._edges_s[-1]) - run_s)
        begin, end = np.maximum(first_s, earliest_s), np.minimum(last_s, latest_s)
        begin, end = begin[begin <= end], end[begin <= end]
        if not len(begin):
            return None
        earliest_s, latest_s = float(begin[0]), float(end[-1])
        crossings = np.concatenate(
            (
                self._between(earliest_s, latest_s),
                self._between(earliest_s + run_s, latest_s + run_s) - run_s,
            )
        )
        span = np.searchsorted(begin, crossings, "right") - 1
        starts = np.concatenate((begin, crossings[(span >= 0) & (crossings <= end[span])], end))
        starts.sort()
        cost = self._until(starts + run_s) - self._until(starts)
        return float(starts[np.argmax(cost <= cost.min() + SAME * np.abs(cost).max())])

    def _between(self, first_s: float, last_s: float) -> Array:
        first, last = np.searchsorted(self._edges_s, (first_s, last_s), "right")
        return np.asarray(self._edges_s[first:last], np.float64)

    def _until(self, at_s: Array) -> Array:
        """Sum of the series up to each time."""
        return np.asarray(np.interp(at_s, self._edges_s, self._total), np.float64)


def carbon(jobs: JobTable, capacity: int, price: Array, step_s: float) -> ConservativeBackfill:
    """The queue.

    Args:
        jobs: the pool's jobs; ``slack_s`` above zero makes a job deferrable.
        capacity: boards.
        price: what to go by, a value a step from the start of the horizon.
        step_s: length of a step.
    """
    latest: list[float] = (jobs.submit_s + jobs.slack_s).tolist()
    limit: list[float] = jobs.limit_s.tolist()
    gpus: list[int] = jobs.gpu_count.tolist()
    window = CheapestWindow(price, step_s)

    def choose(row: int, now_s: float, profile: Profile) -> Choice:
        """The cheapest start within the slack, or the first gap."""
        if latest[row] > now_s:
            spans = profile.starts(gpus[row], limit[row], now_s)
            promised_s = window.start_s(now_s, latest[row], limit[row], *spans)
            wished_s = window.start_s(now_s, latest[row], limit[row], *ANY)
            if promised_s is not None and wished_s is not None:
                return promised_s, wished_s
        return profile.first_gap(gpus[row], limit[row], now_s), now_s

    return ConservativeBackfill(jobs, capacity, choose)
