"""A pool of GPUs: gang jobs that wait in a queue, start whole and end at exact times.

A pool has a calendar of its own, and SimPy wakes it where others meet it: at a reading of its meter, at a
planning time, at the end. Power is integrated when it changes, so energy is exact for any step. At one
instant ends come before starts, then the order of the queue's policy.

A node that fails under a gang leaves for repair. The gang goes on with another from the free boards, so its
own run is as drawn (a restart is in it). Where too few boards are free it goes on with the failed node, and
the boards that come back next are the node's: free boards are negative until then, and nothing starts.

Where a plan stops a job it leaves its boards at that time and comes back to the queue at another. It goes on
where it stopped, after a restart in which it holds its boards, draws its power and does no work. A stop that does
not find its job running is passed over.
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
from aidc.simulation.repairs import Repairs
from aidc.units import S_PER_H
from aidc.workload.sleep import Sleepers

NOT_YET: Final = float("nan")
FAILS: Final = 1 << 60  # in the calendar a row beyond this is a node that fails under that job
STOPS: Final = 1 << 61  # and beyond this a planned stop of that job
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
        repairs: where nodes that fail go; None: no node leaves, whatever the jobs say.

    Attributes:
        capacity: boards.
        free: healthy boards that nobody holds; below 0: boards of failed nodes that still work.
        out: boards of nodes under repair.
        repaired: nodes that have left for repair, those away at the start not among them.
        without_spare_gpu_s: GPU time worked on failed nodes because no boards were free.
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
        repairs: Repairs | None = None,
    ) -> None:
        self.capacity = self.free = capacity
        self.waiting = self.out = self.repaired = 0
        self.without_spare_gpu_s = 0.0
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
        self._go_on_s: dict[tuple[int, float], float] = {}  # when each planned stop ends
        self._restart_s: dict[int, float] = {}  # of those that a plan has stopped
        self._boundaries = boundaries_s
        self._count = len(jobs)  # rows from here on are nodes under repair
        self._nodes = 0  # that were ever away
        self._repairs = repairs
        self._fails: dict[int, tuple[float, ...]] = {}
        if repairs is not None:
            self._fails = {row: at for row, at in enumerate(jobs.node_fails_s.tolist()) if at}
        self._first_s: dict[
            int, float
        ] = {}  # of those that run: when they would have begun, unstopped
        self._warm: list[bool] = jobs.warm.tolist() if repairs and repairs.out_until_s else []
        self._run: list[float] = self._left.copy() if self._fails else []
        self._planned: dict[float, simpy.Event] = {}
        self._now = 0.0
        self._running_power = 0
        self._energy = 0.0
        self._gpu_s = 0.0
        self._queue_s = 0.0
        self._out_s = 0.0

    @property
    def killed(self) -> NDArray[np.bool_]:
        """Jobs that were cut at their limit, shape (n,)."""
        return np.asarray(np.isfinite(self.end_s) & self._over_limit)

    @property
    def due_s(self) -> NDArray[np.float64]:
        """End of each job, of a running one when it will come; nan: it waits, shape (n,)."""
        due_s = self.end_s.copy()
        for at_s, job in self._ends:
            if job < self._count:
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

    def stop_at(self, row: int, stops: NDArray[np.float64], restart_s: float) -> None:
        """Plans stops of a job that has not started yet.

        Args:
            row: of the job.
            stops: when it is stopped and when it goes on, shape (stops, 2).
            restart_s: time without work each time that it goes on.
        """
        if self.refused[row]:
            return
        self._restart_s[row] = restart_s
        for stop_s, go_on_s in stops.tolist():
            self._go_on_s[row, stop_s] = go_on_s
            heappush(self._ends, (stop_s, STOPS + row))

    def change(
        self, rows: NDArray[np.int64], run_s: NDArray[np.float64], added_kw: NDArray[np.float64]
    ) -> None:
        """Gives jobs that have not started another run time and power."""
        power = np.rint(added_kw * KW).astype(np.int64)
        for row, left, drawn in zip(rows.tolist(), run_s.tolist(), power.tolist(), strict=True):
            self._left[row], self._power[row] = left, drawn

    def wait_for(self, planned: dict[float, simpy.Event]) -> None:
        """Names the events that say that the planner has spoken at a boundary."""
        self._planned = dict(planned)

    def process(self, env: simpy.Environment, end_s: float) -> Generator[simpy.Event, None, None]:
        """The SimPy process of the pool."""
        if self._warm:
            self._go_on()
        for boundary in self._boundaries:
            if boundary > end_s:
                break
            yield env.timeout(boundary - env.now)
            self.play(boundary)
            yield self._planned[boundary]
        yield env.timeout(end_s - env.now)
        self.play(nextafter(end_s, inf))

    def back_s(self) -> tuple[float, ...]:
        """When the nodes come back that are away now."""
        return tuple(sorted(at_s for at_s, row in self._ends if self._count <= row < FAILS))

    def read(self, now_s: float) -> tuple[float, float, float, float]:
        """What there was since the last reading.

        Energy above idle [kWh], GPU time held [GPU-s], queue time [job-s], and GPU time out of service [GPU-s].

        What happens at ``now_s`` itself is still to come.
        """
        self.play(now_s)
        self._advance_beside_repairs(now_s)
        taken = self._energy / KW / S_PER_H, self._gpu_s, self._queue_s, self._out_s
        self._energy = self._gpu_s = self._queue_s = self._out_s = 0.0
        return taken

    def play(self, until_s: float) -> None:
        """Everything that happens before a time: at each instant ends, arrivals, starts."""
        ends, late, gpus, power = self._ends, self._late, self._gpus, self._power
        arrival_s, arrival_rows, end_s = self._arrival_s, self._arrival_rows, self._end
        sleepers, count = self.sleepers, self._count
        advance = self._advance if self._repairs is None else self._advance_beside_repairs
        add, ended, dispatch = self._queue.add, self._queue.ended, self._queue.dispatch
        while True:
            at = min(arrival_s[self._next], self._wake_s)
            if ends and ends[0][0] < at:
                at = ends[0][0]
            if late and late[0][0] < at:
                at = late[0][0]
            if at >= until_s:
                return
            advance(at)
            while ends and ends[0][0] <= at:
                row = heappop(ends)[1]
                if row >= count:
                    self._node(row, at)
                    continue
                end_s[row] = at
                self.free += gpus[row]
                if sleepers is not None:
                    sleepers.give(min(gpus[row], max(self.free, 0)), at)
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
        begin_s = now_s + boot_s
        if row in self._again_s:
            begin_s += self._restart_s.get(row, 0.0)
        heappush(self._ends, (begin_s + self._left[row], row))
        if self._fails and row in self._fails:
            self._foresee(row, begin_s)
        if row in self._again_s:
            self._again_s[row] = now_s
        else:
            self._start[row] = now_s

    def stop(self, row: int, now_s: float) -> None:
        """Takes a running job off its boards, to go on later where it stopped; the queue asks for it."""
        place = next(place for place, (_, other) in enumerate(self._ends) if other == row)
        self._left[row] = min(self._left[row], self._ends[place][0] - now_s)
        self._ends[place] = self._ends[-1]
        self._ends.pop()
        heapify(self._ends)
        self._first_s.pop(row, None)
        self.stopped.append((row, self._again_s.get(row, self._start[row]), now_s))
        self._again_s[row] = NOT_YET
        self.free += self._gpus[row]
        if self.sleepers is not None:
            self.sleepers.give(min(self._gpus[row], max(self.free, 0)), now_s)
        self.waiting += 1
        self._running_power -= self._power[row]

    def _go_on(self) -> None:
        """At the start: jobs that ran before take their boards, then nodes are away as they were."""
        for row in filter(self._warm.__getitem__, self._arrival_rows):  # they come first
            self._next += 1
            self._queue.add(row, 0.0)
            self.waiting += 1
        self._queue.dispatch(0.0, self)
        for until_s in self._repairs.out_until_s:  # type: ignore[union-attr]
            self._lose(0.0, until_s)
        self._warm = []
        self._wake_s = 0.0

    def _foresee(self, row: int, begin_s: float) -> None:
        """Puts the failures of a run that begins into the calendar."""
        done_s = self._run[row] - self._left[row]
        first_s = self._first_s[row] = begin_s - done_s
        for fail_s in self._fails[row]:
            if done_s < fail_s < self._run[row]:
                heappush(self._ends, (first_s + fail_s, FAILS + row))

    def _node(self, row: int, now_s: float) -> None:
        """A planned stop; or a node comes back, or one fails under a job that still runs."""
        if row >= STOPS:
            self._break_off(row - STOPS, now_s)
            return
        gpus = self._repairs.gpus  # type: ignore[union-attr]
        if row < FAILS:
            self.out -= gpus
            self.free += gpus
            if self.sleepers is not None:
                self.sleepers.give(min(gpus, max(self.free, 0)), now_s)
            self._queue.ended(row, now_s)
            return
        job = row - FAILS
        first_s = self._first_s.get(job)
        if first_s is None or all(first_s + at_s != now_s for at_s in self._fails[job]):
            return  # the job was stopped before that
        self.repaired += 1
        self._lose(now_s, now_s + self._repairs.repair_s)  # type: ignore[union-attr]

    def _break_off(self, job: int, now_s: float) -> None:
        """Stops a job for its plan, if it runs, and has it come back to the queue in time."""
        if not any(row == job for _, row in self._ends):
            return
        self.stop(job, now_s)
        self.waiting -= 1  # it is not in the queue until it comes back
        self._queue.ended(job, now_s)
        heappush(self._late, (self._go_on_s[job, now_s], job))

    def _lose(self, now_s: float, until_s: float) -> None:
        """A node leaves."""
        gpus = self._repairs.gpus  # type: ignore[union-attr]
        row, self._nodes = self._count + self._nodes, self._nodes + 1
        if self.sleepers is not None:
            self.sleepers.take(min(gpus, max(self.free, 0)), now_s)
        self.out += gpus
        self.free -= gpus
        heappush(self._ends, (until_s, row))
        self._queue.lost(row, gpus, now_s, until_s)

    def _advance_beside_repairs(self, now_s: float) -> None:
        """The same where nodes may be away."""
        length_s, short = now_s - self._now, max(-self.free, 0)
        if self.out and length_s > 0:
            self._gpu_s -= self.out * length_s
            self._out_s += (self.out - short) * length_s
            self.without_spare_gpu_s += short * length_s
        self._advance(now_s)

    def _advance(self, now_s: float) -> None:
        """Integrates power, GPUs and queue up to now."""
        length_s = now_s - self._now
        if length_s > 0:
            self._energy += self._running_power * length_s
            self._gpu_s += (self.capacity - self.free) * length_s
            self._queue_s += self.waiting * length_s
            self._now = now_s
