"""Least slack first, and what cannot be met is refused at submission.

The slack of a job is the time until its latest start, so the order of two jobs never changes. A new job
is taken in only if, by the limits of all jobs, it and every job taken in before still start in time; as
jobs end no later than their limits, and a queue that nobody overtakes in only moves forward when they end
early, every job that is taken in starts by its latest start.
"""

from bisect import bisect_left, insort
from heapq import heappop, heappush

import numpy as np

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards


class Deadline:
    """Jobs by latest start, those without a deadline last; ties in order of the table.

    The latest start is what the job says (submission and slack), or its deadline less its limit where
    that is later.

    Args:
        jobs: the pool's jobs.
        capacity: boards.
    """

    def __init__(self, jobs: JobTable, capacity: int) -> None:
        limited = np.isfinite(jobs.limit_s)
        own = np.where(limited, jobs.deadline_s - np.where(limited, jobs.limit_s, 0.0), -np.inf)
        said = np.where(np.isfinite(jobs.deadline_s), jobs.submit_s + jobs.slack_s, np.inf)
        self.latest_s: list[float] = np.maximum(own, said).tolist()
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._limit: list[float] = jobs.limit_s.tolist()
        self._free = capacity
        self._waiting: list[tuple[float, int]] = []  # sorted (latest start, row)
        self._due = 0  # how many of them have a deadline
        self._ends: list[tuple[float, int]] = []  # sorted (predicted end, row) of running jobs
        self._end: dict[int, float] = {}

    def add(self, row: int, now_s: float) -> bool:
        """Takes in a job unless a latest start would be missed."""
        latest = self.latest_s[row]
        if latest < NEVER:
            place = bisect_left(self._waiting, (latest, row))
            promised = self._waiting[: self._due]
            promised.insert(place, (latest, row))
            if not self._in_time(promised, place, now_s):
                return False
            self._due += 1
        insort(self._waiting, (latest, row))
        return True

    def ended(self, row: int, now_s: float) -> None:  # noqa: ARG002
        """Boards are free."""
        end = self._end.pop(row)
        del self._ends[bisect_left(self._ends, (end, row))]
        self._free += self._gpus[row]

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:  # noqa: ARG002
        """Counts like a job that runs until then; who is taken in already may be late by it."""
        self._gpus.append(gpus)
        self._free -= gpus
        self._end[row] = until_s
        insort(self._ends, (until_s, row))

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first while it fits."""
        begun = 0
        for latest, row in self._waiting:
            if self._gpus[row] > boards.free:
                break
            begun += 1
            self._due -= latest < NEVER
            self._free -= self._gpus[row]
            end = self._end[row] = now_s + self._limit[row]
            insort(self._ends, (end, row))
            boards.start(row, now_s)
        del self._waiting[:begun]
        return NEVER

    def _in_time(self, queue: list[tuple[float, int]], new: int, now_s: float) -> bool:
        """Whether a queue, played by limits, meets every latest start; up to ``new`` it is known to."""
        free, at = self._free, now_s
        ends = self._ends.copy()  # sorted, and so a heap
        for place, (latest, row) in enumerate(queue):
            gpus = self._gpus[row]
            while free < gpus:
                end, other = heappop(ends)
                at, free = max(at, end), free + self._gpus[other]
            if at > latest and place >= new:
                return False
            free -= gpus
            heappush(ends, (at + self._limit[row], row))
        return True
