"""Conservative backfill: every job has a reservation from its arrival, and nothing delays any of them.

A job that arrives is promised the first gap that is long enough for its limit and wide enough for its
boards, beside all earlier promises. When a job ends before its limit, its gap goes to jobs that can
start in it at once, in order of arrival; promises are kept or beaten, never put off. The other promises
stay where they are until their jobs can start (there is no compression of the whole plan, whose cost
is that of all waiting jobs at every end).

References:
    A. W. Mu'alem, D. G. Feitelson, "Utilization, predictability, workloads, and user runtime estimates
    in scheduling the IBM SP2 with backfilling", IEEE Trans. Parallel and Distributed Systems 12(6), 2001
    (conservative against EASY; with compression of the plan).
"""

from heapq import heappop, heappush

from aidc.job import JobTable
from aidc.simulation.policies.profile import Profile
from aidc.simulation.policies.queue import NEVER, Boards
from aidc.simulation.policies.waiting import BySize


class ConservativeBackfill:
    """Promised starts on the pool's profile of free boards.

    Attributes:
        promised_s: start promised to each job at its arrival; inf: not yet, or after a job without
            a limit.
    """

    def __init__(self, jobs: JobTable, capacity: int) -> None:
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._limit: list[float] = jobs.limit_s.tolist()
        self.promised_s = [NEVER] * len(jobs)
        self._profile = Profile(capacity)
        self._by_limit = BySize(self._gpus, self._limit)
        self._by_promise = BySize(self._gpus, self.promised_s)  # the same jobs
        self._due: list[tuple[float, int]] = []  # heap of (promise, row)
        self._early: set[int] = set()  # of those, jobs that have started before their promise
        self._end: dict[int, float] = {}  # predicted, of those that run
        self._freed = False  # boards came back since the last dispatch

    def add(self, row: int, now_s: float) -> bool:
        """Promises the first gap; takes every job."""
        gpus, limit = self._gpus[row], self._limit[row]
        start = self.promised_s[row] = self._profile.first_gap(gpus, limit, now_s)
        self._profile.take(gpus, start, start + limit)
        heappush(self._due, (start, row))
        self._by_limit.append(row)
        self._by_promise.append(row)
        return True

    def ended(self, row: int, now_s: float) -> None:
        """Gives back what the job was promised beyond its end."""
        self._profile.pass_to(now_s)
        self._profile.take(-self._gpus[row], now_s, self._end.pop(row))
        self._freed = True

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts what was promised for now, then what can use a gap; wakes for the next promise."""
        while (row := self._next_due(now_s)) is not None:
            heappop(self._due)
            self._start(row, now_s, boards)
        if self._freed:
            while boards.free and (row := self._fits_now(boards.free, now_s)) is not None:
                gpus, limit, promise = self._gpus[row], self._limit[row], self.promised_s[row]
                self._profile.take(-gpus, promise, promise + limit)
                self._profile.take(gpus, now_s, now_s + limit)
                self._early.add(row)
                self._start(row, now_s, boards)
            self._freed = False
        self._next_due(now_s)
        return self._due[0][0] if self._due else NEVER

    def _next_due(self, now_s: float) -> int | None:
        """The first job whose promise is due; None: there is none."""
        due = self._due
        while due and due[0][1] in self._early:
            self._early.remove(heappop(due)[1])
        return due[0][1] if due and due[0][0] <= now_s else None

    def _fits_now(self, free: int, now_s: float) -> int | None:
        """The first in order of arrival that can run at once beside all other promises.

        Either its limit ends before boards get short, or its own promise begins before that: then
        it only moves forward.
        """
        best = None
        for gpus, peers in self._by_limit.up_to(free):
            until = self._profile.free_until_s(gpus, now_s)
            for found in (
                peers.first_within(until - now_s),
                self._by_promise.of_size(gpus).first_within(until),
            ):
                if found is not None and (best is None or found < best):
                    best = found
        return None if best is None else best[1]

    def _start(self, row: int, now_s: float, boards: Boards) -> None:
        self._by_limit.remove(row)
        self._by_promise.remove(row)
        self._end[row] = now_s + self._limit[row]
        boards.start(row, now_s)
