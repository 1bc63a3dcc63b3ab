"""A queue in the order of a number that each job carries; the first blocks the others."""

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards


class Ordered:
    """Least key first, ties in order of the table (submission, then id).

    Jobs that ran already when the horizon began go before all others.

    Args:
        jobs: the pool's jobs.
        key: the number of each job, shape (n,).
    """

    def __init__(self, jobs: JobTable, key: NDArray[np.float64]) -> None:
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._key: list[float] = np.where(jobs.warm, -np.inf, key).tolist()
        self._waiting: list[tuple[float, int]] = []  # heap

    def add(self, row: int, now_s: float) -> bool:  # noqa: ARG002
        """Takes every job."""
        heappush(self._waiting, (self._key[row], row))
        return True

    def ended(self, row: int, now_s: float) -> None:
        """Free boards are all that counts."""

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """Free boards are all that counts."""

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first while it fits."""
        waiting, gpus = self._waiting, self._gpus
        while waiting and gpus[waiting[0][1]] <= boards.free:
            boards.start(heappop(waiting)[1], now_s)
        return NEVER
