"""A pool of GPUs with its queue: gang jobs, FIFO or EASY backfill, exact event times.

One SimPy process serves a pool. It sleeps until the next arrival, end or planning time, so its cost
is a few events a job, and power is integrated only when it changes: the energy of a step is exact for
any step. At one instant ends come before starts, then submission order, then row order.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Generator
from typing import Final, Literal

import numpy as np
import simpy
from numpy.typing import NDArray

from aidc.units import S_PER_H

Policy = Literal["fifo", "easy_backfill"]
NOT_STARTED: Final = float("nan")


class Pool:
    """State of one pool while the clock runs.

    Args:
        capacity: boards.
        gpu_count, run_s, limit_s, added_kw: columns of the pool's jobs.
        eligible_s: when each job may start: its submission, or the start a schedule gives it; inf
            for a job that a planner has still to speak for.
        policy: queue order.
        boundaries_s: planning times at which the pool waits for the planner.

    Attributes:
        start_s: actual start of each job, nan where not started.
    """

    def __init__(
        self,
        capacity: int,
        gpu_count: NDArray[np.int64],
        run_s: NDArray[np.float64],
        limit_s: NDArray[np.float64],
        added_kw: NDArray[np.float64],
        eligible_s: NDArray[np.float64],
        policy: Policy,
        boundaries_s: tuple[float, ...] = (),
    ) -> None:
        self.capacity = capacity
        self.free = capacity
        self._gpus: list[int] = gpu_count.tolist()
        self._run: list[float] = np.minimum(run_s, limit_s).tolist()
        self._predicted: list[float] = limit_s.tolist()
        self._kw: list[float] = added_kw.tolist()
        self._backfill = policy == "easy_backfill"
        self.refused = gpu_count > capacity
        self.start_s = np.full(len(run_s), NOT_STARTED)
        known = np.flatnonzero(np.isfinite(eligible_s) & ~self.refused)
        order = known[np.lexsort((known, eligible_s[known]))]
        self._arrivals: list[tuple[float, int]] = list(
            zip(eligible_s[order].tolist(), order.tolist(), strict=True)
        )
        self._next = 0
        self._late_arrivals: list[tuple[float, int]] = []  # heap of those a planner added
        self._queue: list[int] = []
        self._ends: list[tuple[float, int]] = []  # heap of (end, row)
        self._expected: list[tuple[float, int]] = []  # sorted (predicted end, row) of running jobs
        self._shadow: tuple[float, int] | None = None  # reservation of the queue's head
        self._boundaries = list(boundaries_s)
        self._planned: dict[float, simpy.Event] = {}
        self._now = 0.0
        self._power_kw = 0.0
        self._energy_kws = 0.0
        self._gpu_s = 0.0
        self._queue_s = 0.0

    def assign(self, rows: NDArray[np.int64], start_s: NDArray[np.float64]) -> None:
        """Gives jobs the time from which they may start."""
        for row, start in zip(rows.tolist(), start_s.tolist(), strict=True):
            if not self.refused[row]:
                heapq.heappush(self._late_arrivals, (start, row))

    def wait_for(self, planned: dict[float, simpy.Event]) -> None:
        """Names the events that say that the planner has spoken at a boundary."""
        self._planned = dict(planned)

    def process(self, env: simpy.Environment, end_s: float) -> Generator[simpy.Event, None, None]:
        """The SimPy process of the pool."""
        while True:
            at = self._next_time()
            if at > end_s:
                return
            if at > env.now:
                yield env.timeout(at - env.now)
            if self._boundaries and self._boundaries[0] <= at:
                yield self._planned.pop(self._boundaries.pop(0))
            self._advance(at)
            self._events(at)

    def read(self, now_s: float) -> tuple[float, float, float]:
        """Energy above idle [kWh], GPU time [GPU-s] and queue time [job-s] since the last reading."""
        self._advance(now_s)
        taken = self._energy_kws / S_PER_H, self._gpu_s, self._queue_s
        self._energy_kws = self._gpu_s = self._queue_s = 0.0
        running = [row for _, row in self._ends]
        self._power_kw = float(sum(map(self._kw.__getitem__, running)))  # against float drift
        return taken

    def _next_time(self) -> float:
        at = self._ends[0][0] if self._ends else float("inf")
        if self._next < len(self._arrivals):
            at = min(at, self._arrivals[self._next][0])
        if self._late_arrivals:
            at = min(at, self._late_arrivals[0][0])
        if self._boundaries:
            at = min(at, self._boundaries[0])
        return at

    def _advance(self, now_s: float) -> None:
        """Integrates power, GPUs and queue up to now."""
        length = now_s - self._now
        if length > 0:
            self._energy_kws += self._power_kw * length
            self._gpu_s += (self.capacity - self.free) * length
            self._queue_s += len(self._queue) * length
            self._now = now_s

    def _events(self, now: float) -> None:
        """Everything that happens at one instant: ends, arrivals, starts."""
        ended = False
        while self._ends and self._ends[0][0] <= now:
            _, row = heapq.heappop(self._ends)
            self.free += self._gpus[row]
            self._power_kw -= self._kw[row]
            self._forget(row)
            ended = True
        first_new = len(self._queue)
        while self._next < len(self._arrivals) and self._arrivals[self._next][0] <= now:
            self._queue.append(self._arrivals[self._next][1])
            self._next += 1
        while self._late_arrivals and self._late_arrivals[0][0] <= now:
            self._queue.append(heapq.heappop(self._late_arrivals)[1])
        if ended or first_new == 0:
            self._dispatch(now)
        elif self._backfill:
            self._backfill_from(first_new, now)

    def _forget(self, row: int) -> None:
        if not self._backfill:
            return
        key = (float(self.start_s[row]) + self._predicted[row], row)
        del self._expected[bisect_left(self._expected, key)]

    def _start(self, row: int, now: float) -> None:
        self.start_s[row] = now
        self.free -= self._gpus[row]
        self._power_kw += self._kw[row]
        heapq.heappush(self._ends, (now + self._run[row], row))
        if self._backfill:
            insort(self._expected, (now + self._predicted[row], row))

    def _dispatch(self, now: float) -> None:
        """Starts the head of the queue while it fits, then fills the gaps behind it."""
        self._shadow = None
        started = 0
        for row in self._queue:
            if self._gpus[row] > self.free:
                break
            self._start(row, now)
            started += 1
        if started:
            del self._queue[:started]
        if self._queue and self._backfill:
            self._backfill_from(1, now)

    def _reservation(self) -> tuple[float, int]:
        """When the head can start by predicted ends, and how many boards it leaves over then."""
        need = self._gpus[self._queue[0]]
        free = self.free
        for end, row in self._expected:
            free += self._gpus[row]
            if free >= need:
                return end, free - need
        return float("inf"), 0

    def _backfill_from(self, first: int, now: float) -> None:
        """EASY: a later job starts now if it ends before the head's reservation or leaves it its boards."""
        if self.free <= 0 or first >= len(self._queue):
            return
        shadow, spare = self._shadow or self._reservation()
        kept = self._queue[:first]
        for index in range(first, len(self._queue)):
            row = self._queue[index]
            gpus = self._gpus[row]
            if gpus <= self.free:
                if now + self._predicted[row] <= shadow:
                    self._start(row, now)
                    continue
                if gpus <= spare:
                    spare -= gpus
                    self._start(row, now)
                    continue
            kept.append(row)
            if self.free <= 0:
                kept.extend(self._queue[index + 1 :])
                break
        self._queue = kept
        self._shadow = (shadow, spare)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)
