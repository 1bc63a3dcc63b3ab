"""Quotas of virtual clusters in front of any queue: a job comes to it only once its cluster has room.

Boards count from when the queue has the job until it ends, so a cluster never holds more than its quota;
jobs beyond it stand aside, first come, first served within their cluster, and block nobody else.
"""

from collections import deque
from collections.abc import Mapping

from aidc.job import JobTable
from aidc.simulation.policies.queue import Boards, Queue


class WithinQuotas:
    """A queue whose virtual clusters hold no more boards of the pool than their quotas.

    Args:
        queue: the policy, which refuses nobody.
        jobs: the pool's jobs.
        quotas: boards by virtual cluster; clusters that are not named have none.
    """

    def __init__(self, queue: Queue, jobs: JobTable, quotas: Mapping[str, int]) -> None:
        self._queue, self._quota, self._room = queue, quotas, dict(quotas)
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._vc: list[str] = jobs.vc.tolist()
        self._aside = {vc: deque[int]() for vc in quotas}

    def add(self, row: int, now_s: float) -> bool:
        """Takes a job in, at once or once there is room; False: it is larger than the quota."""
        vc = self._vc[row]
        if vc not in self._quota:
            return self._queue.add(row, now_s)
        if self._gpus[row] > self._quota[vc]:
            return False
        self._aside[vc].append(row)
        self._admit(vc, now_s)
        return True

    def ended(self, row: int, now_s: float) -> None:
        """The job's cluster has room again; nodes under repair are nobody's."""
        self._queue.ended(row, now_s)
        vc = self._vc[row] if row < len(self._vc) else None
        if vc in self._room:
            self._room[vc] += self._gpus[row]
            self._admit(vc, now_s)

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """Quotas are of boards, whoever is under repair."""
        self._queue.lost(row, gpus, now_s, until_s)

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """As the queue does."""
        return self._queue.dispatch(now_s, boards)

    def _admit(self, vc: str, now_s: float) -> None:
        aside = self._aside[vc]
        while aside and self._gpus[aside[0]] <= self._room[vc]:
            self._room[vc] -= self._gpus[aside[0]]
            self._queue.add(aside.popleft(), now_s)
