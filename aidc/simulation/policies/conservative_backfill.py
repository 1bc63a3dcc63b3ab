"""Conservative backfill: every job has a reservation from its arrival, and nothing delays any of them.

A job that arrives is promised the first gap that is long enough for its limit and wide enough for its
boards, beside all earlier promises (another rule may choose among the gaps, see `carbon`). When a job
ends before its limit, its gap goes to jobs that can start in it at once, in order of arrival; promises
are kept or beaten, never put off. The other promises stay where they are until their jobs can start
(there is no compression of the whole plan, whose cost is that of all waiting jobs at every end). Only
where a node is lost is everything promised anew, in the order of arrival, and later where it must be.

References:
    A. W. Mu'alem, D. G. Feitelson, "Utilization, predictability, workloads, and user runtime estimates
    in scheduling the IBM SP2 with backfilling", IEEE Trans. Parallel and Distributed Systems 12(6), 2001
    (conservative against EASY; with compression of the plan).
"""

from collections.abc import Callable
from heapq import heappop, heappush

from aidc.job import JobTable
from aidc.simulation.policies.profile import Profile
from aidc.simulation.policies.queue import NEVER, Boards
from aidc.simulation.policies.waiting import BySize

Choice = tuple[
    float, float
]  # a promised start, and from when on the job would rather start before it


class ConservativeBackfill:
    """Promised starts on the pool's profile of free boards.

    Args:
        jobs: the pool's jobs.
        capacity: boards.
        choose: what to promise a job, by its row, now, on the profile of all earlier promises; None: the
            first gap, or anything before it.

    Attributes:
        promised_s: start promised to each job at its arrival; inf: not yet, or after a job without
            a limit.
    """

    def __init__(
        self,
        jobs: JobTable,
        capacity: int,
        choose: Callable[[int, float, Profile], Choice] | None = None,
    ) -> None:
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._limit: list[float] = jobs.limit_s.tolist()
        self.promised_s = [NEVER] * len(jobs)
        self._choose = choose or self._first_gap
        self._profile = Profile(capacity)
        self._by_limit = BySize(self._gpus, self._limit)  # those that would rather start before
        self._by_promise = BySize(self._gpus, self.promised_s)  # the same jobs
        self._due: list[tuple[float, int]] = []  # heap of (promise, row)
        self._hurries: set[int] = set()  # waiting jobs that would rather start before their promise
        self._waiting: dict[int, None] = {}  # in order of arrival
        self._held: list[tuple[float, int]] = []  # heap of (from when on, row) of those that will
        self._early: set[int] = set()  # of those, jobs that have started before their promise
        self._end: dict[int, float] = {}  # predicted, of those that run
        self._freed = False  # boards came back since the last dispatch

    def add(self, row: int, now_s: float) -> bool:
        """Promises a gap; takes every job."""
        gpus, limit = self._gpus[row], self._limit[row]
        start, release = self._choose(row, now_s, self._profile)
        self.promised_s[row] = start
        self._waiting[row] = None
        self._profile.take(gpus, start, start + limit)
        heappush(self._due, (start, row))
        if release <= now_s:
            self._release(row)
        elif release < start:
            heappush(self._held, (release, row))
        return True

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """Takes back every promise, lets the node go, and promises anew."""
        self._profile.pass_to(now_s)
        waiting, self._waiting = self._waiting, {}
        for one in waiting:
            start = self.promised_s[one]
            if start < NEVER:
                self._profile.take(-self._gpus[one], max(start, now_s), start + self._limit[one])
        for one in self._hurries:
            self._by_limit.remove(one)
            self._by_promise.remove(one)
        self._hurries.clear()
        self._early.clear()
        self._due, self._held = [], []
        self._gpus.append(gpus)
        self._end[row] = until_s
        self._profile.take(gpus, now_s, until_s)
        for one in waiting:
            self.add(one, now_s)
        self._freed = True

    def ended(self, row: int, now_s: float) -> None:
        """Gives back what the job was promised beyond its end."""
        self._profile.pass_to(now_s)
        self._profile.take(-self._gpus[row], now_s, self._end.pop(row))
        self._freed = True

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts what was promised for now, then what can use a gap; wakes for the next promise."""
        while (row := self._next_due(now_s)) is not None and self._gpus[row] <= boards.free:
            heappop(self._due)
            due_until = self.promised_s[row] + self._limit[row]
            if now_s + self._limit[row] > due_until:  # boards came back later by a rounding
                self._profile.take(self._gpus[row], due_until, now_s + self._limit[row])
            self._start(row, now_s, boards)
        held = self._held
        while held and held[0][0] <= now_s:
            row = heappop(held)[1]
            self._release(row)
            self._freed = True
        if self._freed:
            while boards.free and (row := self._fits_now(boards.free, now_s)) is not None:
                gpus, limit, promise = self._gpus[row], self._limit[row], self.promised_s[row]
                self._profile.take(-gpus, promise, promise + limit)
                self._profile.take(gpus, now_s, now_s + limit)
                self._early.add(row)
                self._start(row, now_s, boards)
            self._freed = False
        if self._next_due(now_s) is not None:
            return NEVER  # it waits for boards
        due_s = self._due[0][0] if self._due else NEVER
        return min(due_s, held[0][0]) if held else due_s

    def _release(self, row: int) -> None:
        """From now on the job starts as soon as it fits."""
        self._by_limit.append(row)
        self._by_promise.append(row)
        self._hurries.add(row)

    def _first_gap(self, row: int, now_s: float, profile: Profile) -> Choice:
        return profile.first_gap(self._gpus[row], self._limit[row], now_s), now_s

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
        if row in self._hurries:
            self._hurries.remove(row)
            self._by_limit.remove(row)
            self._by_promise.remove(row)
        del self._waiting[row]
        self._end[row] = now_s + self._limit[row]
        boards.start(row, now_s)
