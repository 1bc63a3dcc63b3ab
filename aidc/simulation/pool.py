"""A pool of GPUs: gang jobs that wait in a queue, start whole and end at exact times.

A pool has a calendar of its own, and SimPy wakes it where others meet it: at a reading of its meter, at a
planning time, at the end. Power is integrated when it changes, so energy is exact for any step. At one
instant ends come before starts, then the order of the queue's policy.
"""

from array import array
from collections.abc import Generator
from heapq import heapify, heappop, heappush
from math import inf, nextafter
from typing import Final

import numpy as np
import simpy
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Queue
from aidc.simulation.sleep import Sleepers
from aidc.units import S_PER_H

NOT_YET: Final = float("nan")
KW: Final = 2.0**40  # power is summed in whole parts of a kW, exactly, so that it cannot drift


class Pool:
    """State of one pool while the clock runs.

    Args:
        capacity: boards.
        jobs: the pool's jobs.
        eligible_s: when each job may start: its submission, or the start a schedule gives it; inf
            for a job that a planner has still to speak for.
        queue: the policy, made for these jobs.
        boundaries_s: planning times at which the pool waits for the planner.
        sleepers: idle servers that switch off; a job that needs them holds its boards longer, by the
            time they boot. None: all stay on.

    Attributes:
        capacity: boards.
        free: boards that nobody holds.
        waiting: jobs in the queue.
        refused: jobs larger than the pool, those that no pool has boards for, and those that the policy
            refused, shape (n,).
        start_s: first start of each job, nan where not started, shape (n,).
        end_s: end of each job, nan where it has not ended, shape (n,).
        stopped: runs that were broken off, as (row, start, end); the job goes on where it was.
    """

    def __init__(
        self,
        capacity: int,
        jobs: JobTable,
        eligible_s: NDArray[np.float64],
        queue: Queue,
        boundaries_s: tuple[float, ...] = (),
        sleepers: Sleepers | None = None,
    ) -> None:
        self.capacity = self.free = capacity
        self.waiting = 0
        self.refused = (jobs.gpu_count > capacity) | ~jobs.accepted
        self._start, self._end = (array("d", [NOT_YET]) * len(jobs) for _ in range(2))
        self.start_s, self.end_s = np.frombuffer(self._start), np.frombuffer(self._end)  # views
        self.stopped: list[tuple[int, float, float]] = []
        self._queue = queue
        self.sleepers = sleepers
        self._over_limit = jobs.run_s > jobs.limit_s
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._left: list[float] = np.minimum(jobs.run_s, jobs.limit_s).tolist()
        self._power: list[int] = np.rint(jobs.added_kw * KW).astype(np.int64).tolist()
        known = np.flatnonzero(np.isfinite(eligible_s) & ~self.refused)
        order = known[np.lexsort((known, eligible_s[known]))]
        self._arrival_rows: list[int] = order.tolist()
        self._arrival_s: list[float] = [*eligible_s[order].tolist(), NEVER]
        self._next = 0
        self._late: list[tuple[float, int]] = []  # heap of arrivals that a planner added
        self._ends: list[tuple[float, int]] = []  # heap of (end, row)
        self._wake_s = NEVER  # when the queue wants to be asked
        self._again_s: dict[int, float] = {}  # last start of those that were stopped
        self._boundaries = boundaries_s
        self._planned: dict[float, simpy.Event] = {}
        self._now = 0.0
        self._running_power = 0
        self._energy = 0.0
        self._gpu_s = 0.0
        self._queue_s = 0.0

    @property
    def killed(self) -> NDArray[np.bool_]:
        """Jobs that were cut at their limit, shape (n,)."""
        return np.asarray(np.isfinite(self.end_s) & self._over_limit)

    @property
    def due_s(self) -> NDArray[np.float64]:
        """End of each job, of a running one when it will come; nan: it waits, shape (n,)."""
        due_s = self.end_s.copy()
        for at_s, job in self._ends:
            due_s[job] = at_s
        return due_s

    def runs(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Every run without a break: its job, start and end (nan: it still runs), shape (runs,) each.

        A job that was never stopped has one.
        """
        last_s = self.start_s.copy()
        for job, start_s in self._again_s.items():
            last_s[job] = start_s
        begun = np.flatnonzero(np.isfinite(last_s))
        broken = np.array(self.stopped).reshape(-1, 3)
        return (
            np.concatenate((broken[:, 0].astype(np.int64), begun)),
            np.concatenate((broken[:, 1], last_s[begun])),
            np.concatenate((broken[:, 2], self.end_s[begun])),
        )

    def assign(self, rows: NDArray[np.int64], start_s: NDArray[np.float64]) -> None:
        """Gives jobs the time from which they may start, not before now."""
        for row, start in zip(rows.tolist(), start_s.tolist(), strict=True):
            if not self.refused[row]:
                heappush(self._late, (start, row))

    def wait_for(self, planned: dict[float, simpy.Event]) -> None:
        """Names the events that say that the planner has spoken at a boundary."""
        self._planned = dict(planned)

    def process(self, env: simpy.Environment, end_s: float) -> Generator[simpy.Event, None, None]:
        """The SimPy process of the pool."""
        for boundary in self._boundaries:
            if boundary > end_s:
                break
            yield env.timeout(boundary - env.now)
            self.play(boundary)
            yield self._planned[boundary]
        yield env.timeout(end_s - env.now)
        self.play(nextafter(end_s, inf))

    def read(self, now_s: float) -> tuple[float, float, float]:
        """Energy above idle [kWh], GPU time [GPU-s] and queue time [job-s] since the last reading.

        What happens at ``now_s`` itself is still to come.
        """
        self.play(now_s)
        self._advance(now_s)
        taken = self._energy / KW / S_PER_H, self._gpu_s, self._queue_s
        self._energy = self._gpu_s = self._queue_s = 0.0
        return taken

    def play(self, until_s: float) -> None:
        """Everything that happens before a time: at each instant ends, arrivals, starts."""
        ends, late, gpus, power = self._ends, self._late, self._gpus, self._power
        arrival_s, arrival_rows, end_s = self._arrival_s, self._arrival_rows, self._end
        sleepers = self.sleepers
        add, ended, dispatch = self._queue.add, self._queue.ended, self._queue.dispatch
        while True:
            at = min(arrival_s[self._next], self._wake_s)
            if ends and ends[0][0] < at:
                at = ends[0][0]
            if late and late[0][0] < at:
                at = late[0][0]
            if at >= until_s:
                return
            self._advance(at)
            while ends and ends[0][0] <= at:
                row = heappop(ends)[1]
                end_s[row] = at
                self.free += gpus[row]
                if sleepers is not None:
                    sleepers.give(gpus[row], at)
                self._running_power -= power[row]
                ended(row, at)
            while arrival_s[self._next] <= at:
                row = arrival_rows[self._next]
                self._next += 1
                if add(row, at):
                    self.waiting += 1
                else:
                    self.refused[row] = True
            while late and late[0][0] <= at:
                row = heappop(late)[1]
                if add(row, at):
                    self.waiting += 1
                else:
                    self.refused[row] = True
            self._wake_s = dispatch(at, self)

    def start(self, row: int, now_s: float) -> None:
        """Starts a job that waits; the queue asks for it."""
        self.free -= self._gpus[row]
        self.waiting -= 1
        self._running_power += self._power[row]
        boot_s = 0.0 if self.sleepers is None else self.sleepers.take(self._gpus[row], now_s)
        heappush(self._ends, (now_s + boot_s + self._left[row], row))
        if row in self._again_s:
            self._again_s[row] = now_s
        else:
            self._start[row] = now_s

    def stop(self, row: int, now_s: float) -> None:
        """Takes a running job off its boards, to go on later where it stopped; the queue asks for it."""
        place = next(place for place, (_, other) in enumerate(self._ends) if other == row)
        self._left[row] = self._ends[place][0] - now_s
        self._ends[place] = self._ends[-1]
        self._ends.pop()
        heapify(self._ends)
        if self.sleepers is not None:
            self.sleepers.give(self._gpus[row], now_s)
        self.stopped.append((row, self._again_s.get(row, self._start[row]), now_s))
        self._again_s[row] = NOT_YET
        self.free += self._gpus[row]
        self.waiting += 1
        self._running_power -= self._power[row]

    def _advance(self, now_s: float) -> None:
        """Integrates power, GPUs and queue up to now."""
        length_s = now_s - self._now
        if length_s > 0:
            self._energy += self._running_power * length_s
            self._gpu_s += (self.capacity - self.free) * length_s
            self._queue_s += self.waiting * length_s
            self._now = now_s
