"""Exact use of boards over time, to check that planned runs fit before anybody relies on them."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.timing import Timing

Array = NDArray[np.float64]
ROUNDS = 4  # of settling jobs


class Calendar:
    """Boards in use in one pool between given times, with room to move jobs about.

    Args:
        capacity: boards in the pool.
        start_s, end_s, gpus: every run as it stands.
        times_s: further times at which runs may be placed to start or end.
    """

    def __init__(
        self, capacity: float, start_s: Array, end_s: Array, gpus: Array, times_s: Array
    ) -> None:
        self.capacity = capacity
        self._times = np.unique(np.concatenate([start_s, end_s, times_s]))
        change = np.zeros(len(self._times) + 1)
        np.add.at(change, self._at(start_s), gpus)
        np.add.at(change, self._at(end_s), -gpus)
        self._used = np.cumsum(change)

    def _at(self, time_s: Array | float) -> NDArray[np.intp]:
        return self._times.searchsorted(time_s)

    def fits(self, start_s: float, end_s: float, gpus: float) -> bool:
        """Whether a run finds its boards free from start to end."""
        span = self._used[int(self._at(start_s)) : int(self._at(end_s))]
        return span.size == 0 or float(span.max()) + gpus <= self.capacity + 1e-9

    def put(self, start_s: float, end_s: float, gpus: float) -> None:
        """Timing a run; a negative number of boards takes it away."""
        self._used[int(self._at(start_s)) : int(self._at(end_s))] += gpus


def settle(
    calendars: Sequence[Sequence[Calendar]],
    now: Timing,
    wanted: Timing,
    run_s: Array,
    gpus: Array,
    options: list[Array],
    now_run_s: Array | None = None,
) -> tuple[Timing, Array]:
    """Moves jobs to when they are wanted where they fit, else to the nearest unbroken start that does.

    Those that move later make room, so jobs that found none try again.
    A job that fits nowhere stays where it is ``now``, which always fits: so the result is feasible at every
    stage.

    Args:
        calendars: of each job: of its pool and of its quota, if it has one. Each holds all its jobs where
            they are ``now``.
        now: where each job to move stands, n of them.
        wanted: where the plan wants it.
        run_s: its run time there, and at its options.
        gpus: its boards.
        options: allowed starts of each job.
        now_run_s: its run time where it stands; None: the same.

    Returns:
        When they run, and their run times.
    """
    settled, runs = now, (run_s if now_run_s is None else now_run_s).copy()
    for _ in range(ROUNDS):
        stood, ran = settled, runs.copy()
        settled = _one_round(calendars, settled, runs, wanted, run_s, gpus, options)
        if settled.like(stood) and (runs == ran).all():
            break
    return settled, runs


def _one_round(
    calendars: Sequence[Sequence[Calendar]],
    stood: Timing,
    runs_s: Array,
    wanted: Timing,
    run_s: Array,
    gpus: Array,
    options: list[Array],
) -> Timing:
    """Moves each job that is not where it is wanted as near to there as it fits now; ``runs_s`` follows."""
    start_s, broken = stood.start_s.copy(), dict(stood.broken)
    for job in np.argsort(wanted.start_s, kind="stable").tolist():
        run, boards = float(run_s[job]), float(gpus[job])
        before, wish = _runs(stood, job, float(runs_s[job])), _runs(wanted, job, run)
        if before == wish:
            continue
        for calendar in calendars[job]:
            for start, end in before:
                calendar.put(start, end, -boards)
        away_s = np.abs(options[job] - wanted.start_s[job])
        nearest = options[job][np.argsort(away_s, kind="stable")]
        placed = before
        for runs in chain([wish], ([(start, start + run)] for start in nearest.tolist())):
            if all(one.fits(start, end, boards) for one in calendars[job] for start, end in runs):
                placed, runs_s[job] = runs, run
                break
        start_s[job] = placed[0][0]
        broken.pop(job, None)
        if len(placed) > 1:
            broken[job] = np.array(placed)
        for calendar in calendars[job]:
            for start, end in placed:
                calendar.put(start, end, boards)
    return Timing(start_s, broken)


def _runs(placed: Timing, job: int, run_s: float) -> list[tuple[float, float]]:
    """Start and end of each run of one job."""
    if job in placed.broken:
        return [(float(start), float(end)) for start, end in placed.broken[job].tolist()]
    start = float(placed.start_s[job])
    return [(start, start + run_s)]
