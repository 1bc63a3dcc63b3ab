"""Every job against every pool: run, first and last start in slots, and where it may go at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.pricing import GRID_TOLERANCE, last_starts, open_pools
from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Starts:
    """Starts that are open; times in slots, shape (n, pools) where nothing else is said.

    Attributes:
        run: length.
        opened: whether the job may run there.
        early, late: between which it may start.
        first: first edge of a slot after ``early``.
        at: where it stands at home, shape (n,).
        fixed: whether it has no choice and stands at home, shape (n,).
    """

    run: Array
    opened: NDArray[np.bool_]
    early: Array
    late: Array
    first: Rows
    at: Array
    fixed: NDArray[np.bool_]

    @property
    def slack(self) -> Array:
        """Between the first and the last start on the pool that leaves most, shape (n,)."""
        return np.asarray(np.where(self.opened, self.late - self.early, 0.0).max(axis=1))

    @classmethod
    def of(cls, problem: NetworkProblem) -> "Starts":
        """Of a window."""
        pools = range(len(problem.boards))
        opened = open_pools(problem)
        early = np.stack([problem.earliest_on(p) for p in pools], axis=1)
        late = np.stack([problem.latest_on(p) for p in pools], axis=1)
        late = last_starts(early, late, problem.slots)
        first = np.floor(early).astype(np.int64) + 1
        return cls(
            run=problem.jobs.run_s / problem.slot_s,
            opened=opened,
            early=early,
            late=late,
            first=first,
            at=(problem.jobs.at_s - problem.edges_s[0]) / problem.slot_s,
            fixed=(opened & (late > early + GRID_TOLERANCE)).sum(axis=1) + opened.sum(axis=1) <= 1,
        )
