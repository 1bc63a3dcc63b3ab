"""When jobs run: a start each, and the runs of those that a plan stops and lets go on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
ROUNDING_S = 1e-6
Segments = NDArray[
    np.float64
]  # start and end of each run of one job, restarts inside, shape (runs, 2)


@dataclass(frozen=True, slots=True)
class Timing:
    """When jobs run.

    Attributes:
        start_s: first start of each, shape (n,).
        broken: runs of those that are stopped at least once, by their index; all others run unbroken.
    """

    start_s: Array
    broken: Mapping[int, Segments]

    @classmethod
    def whole(cls, start_s: Array) -> "Timing":
        """Unbroken runs from their starts."""
        return cls(start_s, {})

    def take(self, rows: Rows) -> "Timing":
        """Some of the jobs, in the given order."""
        if not self.broken:
            return Timing.whole(self.start_s[rows])
        held = {k: self.broken[row] for k, row in enumerate(rows.tolist()) if row in self.broken}
        return Timing(self.start_s[rows], held)

    def with_part(self, rows: Rows, part: "Timing") -> "Timing":
        """The same with another timing of some of the jobs."""
        start_s, broken = self.start_s.copy(), dict(self.broken)
        start_s[rows] = part.start_s
        for k, row in enumerate(rows.tolist()):
            broken.pop(row, None)
            if k in part.broken:
                broken[row] = part.broken[k]
        return Timing(start_s, broken)

    def moved(self, earliest_s: Array) -> int:
        """How many start later than they might, or are stopped."""
        moved = self.start_s > earliest_s + ROUNDING_S
        moved[list(self.broken)] = True
        return int(moved.sum())

    def runs(self, run_s: Array) -> tuple[Rows, Array, Array]:
        """Every run: its job, start and length, by job.

        Args:
            run_s: run time of each job, of which only that of unbroken ones is read.
        """
        every = np.arange(len(self.start_s))
        if not self.broken:
            return every, self.start_s, run_s
        whole = np.setdiff1d(every, list(self.broken))
        parts = [(job, *run) for job in sorted(self.broken) for run in self.broken[job]]
        broken = np.array(parts).reshape(-1, 3)
        job = np.concatenate([whole, broken[:, 0].astype(np.int64)])
        start = np.concatenate([self.start_s[whole], broken[:, 1]])
        length = np.concatenate([run_s[whole], broken[:, 2] - broken[:, 1]])
        order = np.lexsort((start, job))
        return job[order], start[order], length[order]

    def end_s(self, run_s: Array) -> Array:
        """End of each job, shape (n,)."""
        end_s = self.start_s + run_s
        for job, runs in self.broken.items():
            end_s[job] = runs[-1, 1]
        return end_s

    def like(self, other: "Timing") -> bool:
        """Whether two place all jobs alike."""
        return (
            bool((self.start_s == other.start_s).all())
            and self.broken.keys() == other.broken.keys()
            and all(np.array_equal(runs, other.broken[job]) for job, runs in self.broken.items())
        )
