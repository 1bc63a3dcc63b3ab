"""EASY backfill: the first that waits has a reservation, and others may overtake if they leave it alone.

The reservation (shadow time) is the first instant at which, by the limits of the running jobs, the
boards of the first job are free; spare boards are those that it leaves over then. A later job starts
now only if its limit ends before the shadow time or if it fits into the spare boards. The shadow time
goes by the time at which running jobs will end (start + limit), not by the limit itself. Jobs without a
limit never end by prediction: where that leaves no shadow time nobody overtakes.

References:
    D. A. Lifka, "The ANL/IBM SP scheduling system", Job Scheduling Strategies for Parallel Processing,
    1995.
    A. W. Mu'alem, D. G. Feitelson, "Utilization, predictability, workloads, and user runtime estimates
    in scheduling the IBM SP2 with backfilling", IEEE Trans. Parallel and Distributed Systems 12(6), 2001.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards
from aidc.simulation.policies.waiting import BySize


class EasyBackfill:
    """First come, first served, with the gaps before the first job's reservation filled.

    The reservation is kept between events: while the same job is first, ends only bring it forward,
    and jobs that start leave it where it is. Jobs that were looked at in vain are looked at again only
    after an end, and an index by board count passes over those that cannot start. Where nobody has
    waited for as many ends as jobs run, their order is given up until somebody does.
    """

    def __init__(self, jobs: JobTable) -> None:
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._limit: list[float] = jobs.limit_s.tolist()
        self._new: deque[int] = deque()  # arrived since the last dispatch
        self._head: int | None = None  # the first that waits; not in the index
        self._behind = BySize(self._gpus, self._limit)
        self._expected: dict[int, float] = {}  # predicted end of running jobs
        self._ends: list[tuple[float, int]] | None = []  # the same, sorted; None: given up
        self._unasked = 0  # ends since the last reservation
        self._shadow = NEVER
        self._spare = 0
        self._freed = False  # boards came back since the last dispatch

    def add(self, row: int, now_s: float) -> bool:  # noqa: ARG002
        """Takes every job."""
        self._new.append(row)
        return True

    def ended(self, row: int, now_s: float) -> None:  # noqa: ARG002
        """Boards that were to come back after the shadow time are spare at it."""
        end = self._expected.pop(row)
        if self._ends is not None:
            del self._ends[bisect_left(self._ends, (end, row))]
            self._unasked += 1
            if self._head is None and self._unasked > len(self._ends):
                self._ends = None
        if end > self._shadow:
            self._spare += self._gpus[row]
        self._freed = True

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:  # noqa: ARG002
        """Counts like a job that runs until then; the reservation is made anew."""
        self._gpus.append(gpus)
        self._expect(row, until_s)
        self._shadow, self._freed = NEVER, True

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first while it fits, then all that leave its reservation alone, in order."""
        if self._head is None or self._gpus[self._head] <= boards.free:
            self._start_in_order(now_s, boards)
            if self._head is None:
                return NEVER
            self._reserve(boards.free)
            self._fill(now_s, boards)
        elif self._freed:
            if self._shadow == NEVER:
                self._reserve(boards.free)
            else:
                self._bring_forward()
            self._fill(now_s, boards)
        self._freed = False
        self._look_at_new(now_s, boards)
        return NEVER

    def _start_in_order(self, now_s: float, boards: Boards) -> None:
        """Starts from the front until one does not fit: the head."""
        while True:
            if self._head is None:
                self._head = self._behind.pop_first()
            if self._head is None and self._new:
                self._head = self._new.popleft()
            if self._head is None or self._gpus[self._head] > boards.free:
                return
            self._start(self._head, now_s + self._limit[self._head], now_s, boards)
            self._head = None

    def _start(self, row: int, end_s: float, now_s: float, boards: Boards) -> None:
        self._expect(row, end_s)
        boards.start(row, now_s)

    def _expect(self, row: int, end_s: float) -> None:
        self._expected[row] = end_s
        if self._ends is not None:
            insort(self._ends, (end_s, row))

    def _in_order(self) -> list[tuple[float, int]]:
        """Predicted ends of the running jobs, with their rows."""
        if self._ends is None:
            self._ends = sorted((end, row) for row, end in self._expected.items())
        return self._ends

    def _reserve(self, free: int) -> None:
        """Shadow time and spare boards of a new head."""
        need, self._unasked = self._gpus[self._head], 0  # type: ignore[index]
        ends, gpus, self._shadow = self._in_order(), self._gpus, NEVER
        for end, row in ends:
            if end > self._shadow:
                break
            free += gpus[row]
            if free >= need:
                self._shadow = end
        self._spare = free - need if self._shadow < NEVER else 0

    def _bring_forward(self) -> None:
        """After ends: the shadow time is earlier where the boards that come back at it are all spare."""
        ends, gpus = self._in_order(), self._gpus
        place = bisect_right(ends, (self._shadow, len(gpus)))
        while place:
            end = self._shadow = ends[place - 1][0]
            first = bisect_left(ends, (end, 0))
            back = sum(gpus[row] for _, row in ends[first:place])
            if back > self._spare:
                return
            self._spare -= back
            place = first

    def _fill(self, now_s: float, boards: Boards) -> None:
        """Starts, in order, all that waited before and leave the reservation alone."""
        if self._shadow == NEVER:
            return
        within = self._shadow - now_s
        while boards.free:
            best = None
            for count, peers in self._behind.up_to(boards.free):
                found = peers.first() if count <= self._spare else peers.first_within(within)
                if found is not None and (best is None or found < best):
                    best = found
            if best is None:
                return
            self._behind.remove(best[1])
            self._overtake(best[1], within, now_s, boards)

    def _look_at_new(self, now_s: float, boards: Boards) -> None:
        """The same for those that have just arrived, behind all others."""
        within = self._shadow - now_s
        while self._new:
            row = self._new.popleft()
            gpus = self._gpus[row]
            fits = gpus <= boards.free and self._shadow < NEVER
            if fits and (self._limit[row] <= within or gpus <= self._spare):
                self._overtake(row, within, now_s, boards)
            else:
                self._behind.append(row)

    def _overtake(self, row: int, within_s: float, now_s: float, boards: Boards) -> None:
        end = now_s + self._limit[row]
        if self._limit[row] <= within_s:
            end = min(end, self._shadow)  # rounding of the sum must not pass the shadow time
        if end > self._shadow:
            self._spare -= self._gpus[row]
        self._start(row, end, now_s, boards)
