"""Fair share: each virtual cluster has a quota of the pool, and what it does not use is lent.

Of the clusters with waiting jobs, those come first whose next job stays within their quota, so what was
lent comes back as it ends; then the one with the least use for its share. Use is GPU time that counts half
after each half-life, the usual measure of batch systems (Slurm's multifactor priority has it with a
half-life of 7 days). The first blocks, so a large gang gets its boards; within a cluster it is first come,
first served.
"""

from collections import deque
from collections.abc import Mapping
from math import exp, expm1, log

from aidc.job import JobTable
from aidc.simulation.policies.queue import NEVER, Boards


class FairShare:
    """A queue of each virtual cluster, and the use of each.

    Args:
        jobs: the pool's jobs, with the cluster of each in ``vc``.
        capacity: boards.
        shares: weights of clusters; those that are not named weigh 1.
        half_life_s: time in which use comes to count half.
    """

    def __init__(
        self, jobs: JobTable, capacity: int, shares: Mapping[str, float], half_life_s: float
    ) -> None:
        names = sorted(set(jobs.vc.tolist()))
        number = {name: place for place, name in enumerate(names)}
        weights = [shares.get(name, 1.0) for name in names]
        self._gpus: list[int] = jobs.gpu_count.tolist()
        self._vc = [number[name] for name in jobs.vc.tolist()]
        self._share = [weight / sum(weights) for weight in weights]
        self._quota = [share * capacity for share in self._share]
        self._waiting = [deque[int]() for _ in names]
        self._held = [0] * len(names)
        self._used = [0.0] * len(names)  # GPU-s at the time below, decayed
        self._at_s = 0.0
        self._per_s = log(2) / half_life_s

    def add(self, row: int, now_s: float) -> bool:  # noqa: ARG002
        """Takes every job."""
        self._waiting[self._vc[row]].append(row)
        return True

    def ended(self, row: int, now_s: float) -> None:
        """The cluster holds fewer boards."""
        if row >= len(self._vc):
            return  # a node, which no cluster held
        self._use(now_s)
        self._held[self._vc[row]] -= self._gpus[row]

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """No cluster holds it; quotas are of all boards."""

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts the first job of the first cluster while it fits."""
        self._use(now_s)
        while any(self._waiting):
            _, _, row = min(self._claim(vc) for vc, rows in enumerate(self._waiting) if rows)
            if self._gpus[row] > boards.free:
                break
            vc = self._vc[row]
            self._waiting[vc].popleft()
            self._held[vc] += self._gpus[row]
            boards.start(row, now_s)
        return NEVER

    def _claim(self, vc: int) -> tuple[bool, float, int]:
        """Whether its next job is beyond its quota, use for its share, that job: least comes first."""
        row = self._waiting[vc][0]
        beyond = self._held[vc] + self._gpus[row] > self._quota[vc]
        return beyond, self._used[vc] / self._share[vc], row

    def _use(self, now_s: float) -> None:
        """Brings use up to now; exact, since what is held is constant between two events."""
        passed = self._per_s * (now_s - self._at_s)
        if passed > 0:
            kept, fresh = exp(-passed), -expm1(-passed) / self._per_s
            self._used = [
                used * kept + held * fresh
                for used, held in zip(self._used, self._held, strict=True)
            ]
            self._at_s = now_s
