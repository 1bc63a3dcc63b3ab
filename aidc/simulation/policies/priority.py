"""Priority by class: a higher class first, first come first served within one; preemption if allowed."""

from collections.abc import Sequence, Set
from heapq import heappop, heappush
from typing import Final

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards

FIRST: Final = -1  # before all ranks


class Priority:
    """Jobs in order of class, ties in order of the table; the first blocks the others.

    Where the first does not fit, running jobs of lower classes that write checkpoints are stopped for
    it: the lowest class first, within one the job that has run least since its last start; nobody is
    stopped in vain. They wait in their old place and go on where they stopped.

    Args:
        jobs: the pool's jobs.
        class_order: classes from the first to the last; others come after them.
        checkpoints: classes whose jobs may be stopped; empty: no preemption.
    """

    def __init__(
        self, jobs: JobTable, class_order: Sequence[str], checkpoints: Set[str] = frozenset()
    ) -> None:
        rank = {name: place for place, name in enumerate(class_order)}
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._rank = [rank.get(name, len(rank)) for name in jobs.job_class.tolist()]
        self._stops = [name in checkpoints for name in jobs.job_class.tolist()]
        self._warm: list[bool] = jobs.warm.tolist()
        self._waiting: list[tuple[int, int]] = []  # heap of (rank, row)
        self._runs: dict[int, float] = {}  # last start of jobs that may be stopped

    def add(self, row: int, now_s: float) -> bool:  # noqa: ARG002
        """Takes every job."""
        heappush(self._waiting, (FIRST if self._warm[row] else self._rank[row], row))
        return True

    def ended(self, row: int, now_s: float) -> None:  # noqa: ARG002
        """Its boards are free; it can no longer be stopped."""
        self._runs.pop(row, None)

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """Free boards are all that counts."""

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first while it fits or can be made to fit."""
        while self._waiting:
            rank, first = self._waiting[0]
            if self._gpus[first] > boards.free:
                victims = self._victims(rank, self._gpus[first] - boards.free)
                if not victims:
                    break
                for row in victims:
                    boards.stop(row, now_s)
                    del self._runs[row]
                    heappush(self._waiting, (self._rank[row], row))
            heappop(self._waiting)
            boards.start(first, now_s)
            if self._stops[first]:
                self._runs[first] = now_s
        return NEVER

    def _victims(self, rank: int, missing: int) -> list[int]:
        """Whom to stop so that so many boards come free; nobody if it cannot be."""
        lower = [row for row in self._runs if self._rank[row] > rank]
        if sum(self._gpus[row] for row in lower) < missing:
            return []
        lower.sort(key=lambda row: (-self._rank[row], -self._runs[row], row))
        chosen = []
        for row in lower:
            chosen.append(row)
            missing -= self._gpus[row]
            if missing <= 0:
                break
        for row in chosen[:-1]:  # the last is needed
            if missing + self._gpus[row] <= 0:
                missing += self._gpus[row]
                chosen.remove(row)
        return chosen
