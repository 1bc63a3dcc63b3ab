"""First come, first served: the first that waits blocks all others until its boards are free."""

from collections import deque

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards


class Fifo:
    """Jobs in order of arrival, ties in order of the table; nobody overtakes."""

    def __init__(self, jobs: JobTable) -> None:
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._waiting: deque[int] = deque()

    def add(self, row: int, now_s: float) -> bool:  # noqa: ARG002
        """Takes every job."""
        self._waiting.append(row)
        return True

    def ended(self, row: int, now_s: float) -> None:
        """Free boards are all that counts."""

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """Free boards are all that counts."""

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first while it fits."""
        waiting, gpus = self._waiting, self._gpus
        while waiting and gpus[waiting[0]] <= boards.free:
            boards.start(waiting.popleft(), now_s)
        return NEVER
