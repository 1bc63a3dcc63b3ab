"""Exact use of boards over time, to check that planned starts fit before anybody relies on them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ROUNDS = 4  # of settling jobs


class Calendar:
    """Boards in use in one pool between given times, with room to move jobs about.

    Args:
        capacity: boards in the pool.
        start_s, end_s, gpus: every job that runs, as it stands.
        times_s: further times at which jobs may be placed to start or end.
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
        return np.searchsorted(self._times, time_s)

    def fits(self, start_s: float, end_s: float, gpus: float) -> bool:
        """Whether a job finds its boards free from start to end."""
        span = self._used[int(self._at(start_s)) : int(self._at(end_s))]
        return span.size == 0 or float(span.max()) + gpus <= self.capacity + 1e-9

    def put(self, start_s: float, end_s: float, gpus: float) -> None:
        """Places a job; a negative number of boards takes it away."""
        self._used[int(self._at(start_s)) : int(self._at(end_s))] += gpus


def settle(
    calendars: Sequence[Sequence[Calendar]],
    now_s: Array,
    wanted_s: Array,
    run_s: Array,
    gpus: Array,
    options: list[Array],
    now_run_s: Array | None = None,
) -> tuple[Array, Array]:
    """Moves jobs to their wanted starts where they fit, else to the nearest option that does.

    Those that move later make room, so jobs that found none try again.
    A job that fits nowhere stays at ``now_s``, which always fits: so the result is feasible at every
    stage.

    Args:
        calendars: of each job: of its pool and of its quota, if it has one. Each holds all its jobs at
            ``now_s``.
        now_s: where each job to move stands, shape (n,).
        wanted_s: where the plan wants it.
        run_s: its run time there, and at its options.
        gpus: its boards.
        options: allowed starts of each job.
        now_run_s: its run time where it stands; None: the same.

    Returns:
        Starts and run times.
    """
    settled, runs = now_s.copy(), (run_s if now_run_s is None else now_run_s).copy()
    for _ in range(ROUNDS):
        stood = settled.copy(), runs.copy()
        _one_round(calendars, settled, runs, wanted_s, run_s, gpus, options)
        if (settled == stood[0]).all() and (runs == stood[1]).all():
            break
    return settled, runs


def _one_round(
    calendars: Sequence[Sequence[Calendar]],
    settled: Array,
    runs: Array,
    wanted_s: Array,
    run_s: Array,
    gpus: Array,
    options: list[Array],
) -> None:
    """Moves each job that is not where it is wanted as near to there as it fits now."""
    for job in np.argsort(wanted_s, kind="stable"):
        before, ran, run = float(settled[job]), float(runs[job]), float(run_s[job])
        boards = float(gpus[job])
        if wanted_s[job] == before and ran == run:
            continue
        for calendar in calendars[job]:
            calendar.put(before, before + ran, -boards)
        nearest = options[job][np.argsort(np.abs(options[job] - wanted_s[job]), kind="stable")]
        for start in (float(wanted_s[job]), *nearest.tolist()):
            if all(one.fits(start, start + run, boards) for one in calendars[job]):
                settled[job], runs[job] = start, run
                break
        placed, lasts = float(settled[job]), float(runs[job])
        for calendar in calendars[job]:
            calendar.put(placed, placed + lasts, boards)
