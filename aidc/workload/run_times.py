"""How long a job will run, from the jobs that have ended before.

Users repeat themselves: the mean of a user's last two runs predicts better than the user's own estimate
[1], and on SenseTime's Helios clusters the history of user and job gives the order of a queue [2].

References:
    [1] D. Tsafrir, Y. Etsion, D. G. Feitelson, "Backfilling using system-generated predictions rather than
    user runtime estimates", IEEE Trans. Parallel and Distributed Systems 18(6), 2007.
    [2] Q. Hu, P. Sun, S. Yan, Y. Wen, T. Zhang, "Characterization and prediction of deep learning workloads
    in large-scale GPU datacenters", SC '21.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from aidc.job import FloatColumn, JobTable
from aidc.persistence import Method

LAST: Final = {"persistence": 2, "learned": 20}  # runs that are looked back at
LEAST: Final = {"persistence": 1, "learned": 5}  # runs that must be known
LAST_OF_ALL: Final = 2_000


@dataclass(slots=True)
class RunTimes:
    """What has been seen of run times up to now; it learns a job when it ends, and never before.

    ``persistence``: the mean of the last two runs of the user [1]. ``learned``: the median, or another
    quantile, of the last 20 runs of the nearest group that has five: user and boards, user, virtual
    cluster and boards, class and boards. Where no group has as many, the last 2,000 runs of everybody. A
    job that has run for a time is compared with those alone that ran longer; where nobody did, it is
    taken to run as long again. With no history at all the answer is inf: it goes on.
    """

    method: Method
    _groups: dict[Hashable, deque[float]] = field(default_factory=dict)
    _all: deque[float] = field(default_factory=lambda: deque(maxlen=LAST_OF_ALL))
    _sorted: list[float] = field(default_factory=list)

    def learn(self, jobs: JobTable, run_s: FloatColumn, order: FloatColumn) -> None:
        """Takes in jobs that have ended.

        Args:
            jobs: that ended since the last time.
            run_s: how long each ran, shape (n,).
            order: when each ended, shape (n,).
        """
        for row in np.argsort(order, kind="stable").tolist():
            ran = float(run_s[row])
            for key in self._keys(jobs, row):
                self._groups.setdefault(key, deque(maxlen=LAST[self.method])).append(ran)
            if len(self._all) == LAST_OF_ALL:
                gone = self._all[0]
                del self._sorted[bisect_right(self._sorted, gone) - 1]
            self._all.append(ran)
            insort(self._sorted, ran)

    def predict_s(self, jobs: JobTable, ran_s: FloatColumn, quantile: float = 0.5) -> FloatColumn:
        """Whole run time of each job [s], at least what it has run, shape (n,).

        Args:
            jobs: to predict.
            ran_s: how long each has run by now; 0: it waits.
            quantile: of the runs that are compared with; persistence takes their mean instead.
        """
        found = np.array(
            [self._of(jobs, row, float(ran), quantile) for row, ran in enumerate(ran_s.tolist())],
            np.float64,
        )
        return np.maximum(found, ran_s)

    def remaining_s(self, ran_s: FloatColumn, quantile: float = 0.5) -> FloatColumn:
        """The same for jobs that were under way when the clock began, counted from there, shape (n,).

        How long they had run before is not known. What is left of a run that is met at a random
        time is at least ``r`` with a probability in proportion to the mean of ``max(run - r, 0)``
        (D. R. Cox, "Renewal Theory", 1962).
        """
        runs = np.asarray(self._sorted, np.float64)
        if not len(runs):
            return np.full(len(ran_s), np.inf)
        suffix = np.concatenate([np.cumsum(runs[::-1])[::-1], [0.0]])
        beyond = suffix[1:] - runs * np.arange(len(runs) - 1, -1, -1)  # sum of max(run - r, 0)
        at, left = np.concatenate([[0.0], runs]), np.concatenate([[runs.sum()], beyond])
        target = np.interp(ran_s, at, left) * (1.0 - quantile)
        found = np.interp(target, left[::-1], at[::-1])
        return np.where(ran_s >= runs[-1], 2.0 * ran_s, np.maximum(found, ran_s))

    def _keys(self, jobs: JobTable, row: int) -> tuple[Hashable, ...]:
        """Groups of a job, the nearest first."""
        user = jobs.user[row]
        if self.method == "persistence":
            return (("user", user),)
        boards = int(jobs.gpu_count[row])
        return (
            ("user", user, boards),
            ("user", user),
            ("vc", jobs.vc[row], boards),
            ("class", jobs.job_class[row], boards),
        )

    def _of(self, jobs: JobTable, row: int, ran_s: float, quantile: float) -> float:
        for key in self._keys(jobs, row):
            longer = sorted(run for run in self._groups.get(key, ()) if run > ran_s)
            if len(longer) >= LEAST[self.method]:
                if self.method == "persistence":
                    return sum(longer) / len(longer)
                return _quantile(longer, 0, quantile)
        first = bisect_right(self._sorted, ran_s)
        if first < len(self._sorted):
            return _quantile(self._sorted, first, quantile)
        return 2.0 * ran_s if ran_s > 0 else np.inf


def _quantile(ordered: list[float], first: int, quantile: float) -> float:
    """Quantile of the tail of an ordered list, linear between."""
    place = first + quantile * (len(ordered) - 1 - first)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
