"""Jobs that a window may move, and the power caps that it may give them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.timing import Segments, Timing

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
NO_CAP = 0  # level of a job that runs without a cap


@dataclass(frozen=True, slots=True)
class CapLevels:
    """Run times and power of movable jobs by level of power cap; the first level is none.

    Attributes:
        run_s: shape (n, levels); inf at a level that is not offered to a job, because its cap does not
            bind or the run would end too late at any start.
        kw: IT power, as `Movable.kw`, same shape.
    """

    run_s: Array
    kw: Array

    @classmethod
    def offered(
        cls, run_s: Array, kw: Array, capped_run_s: Array, capped_kw: Array, spare_s: Array
    ) -> "CapLevels":
        """The levels by which a job ends no later than it would from its latest start without a cap.

        Args:
            run_s: without a cap, shape (n,).
            kw: without a cap, same shape.
            capped_run_s: under each cap, shape (n, caps).
            capped_kw: same shape.
            spare_s: from earliest to latest start, shape (n,).
        """
        longer_s = capped_run_s - run_s[:, None]
        may = (longer_s <= spare_s[:, None]) & (capped_kw < kw[:, None])
        return cls(
            np.column_stack([run_s, np.where(may, capped_run_s, np.inf)]),
            np.column_stack([kw, capped_kw]),
        )

    def take(self, which: NDArray[np.generic]) -> "CapLevels":
        """Those of a part of the jobs."""
        return CapLevels(self.run_s[which], self.kw[which])


@dataclass(frozen=True, slots=True)
class Movable:
    """Jobs of a window that may start at more than one time.

    Attributes:
        row: of the site's job table, shape (n,).
        earliest_s: first start, seconds from the start of the horizon.
        latest_s: last start without a cap.
        run_s: run time.
        kw: IT power above idle, or above off where idle servers sleep.
        gpus: boards.
        pool: pool index.
        caps: what they become under a power cap; None: the plan caps nothing.
    """

    row: Rows
    earliest_s: Array
    latest_s: Array
    run_s: Array
    kw: Array
    gpus: Array
    pool: Rows
    caps: CapLevels | None = None

    def take(self, which: NDArray[np.generic]) -> "Movable":
        """A part of them."""
        return Movable(
            self.row[which],
            self.earliest_s[which],
            self.latest_s[which],
            self.run_s[which],
            self.kw[which],
            self.gpus[which],
            self.pool[which],
            None if self.caps is None else self.caps.take(which),
        )

    def under(self, level: Rows) -> "Movable":
        """The same jobs, each at a level of its caps."""
        if self.caps is None:
            return self
        job = np.arange(len(level))
        return replace(self, run_s=self.caps.run_s[job, level], kw=self.caps.kw[job, level])

    @property
    def uncapped(self) -> "Movable":
        """The same jobs without a cap."""
        return self.under(np.full(len(self.row), NO_CAP))


@dataclass(frozen=True, slots=True)
class Choice:
    """What a plan decides about the movable jobs.

    Attributes:
        start_s: first start of each, shape (n,).
        level: of its power cap, same shape.
        broken: runs of those that are stopped and go on, by their index.
    """

    start_s: Array
    level: Rows
    broken: Mapping[int, Segments] = field(default_factory=dict)

    @property
    def timing(self) -> Timing:
        """When the jobs run."""
        return Timing(self.start_s, self.broken)

    def is_same(self, other: "Choice") -> bool:
        """Whether both decide the same."""
        return self.timing.like(other.timing) and bool((self.level == other.level).all())


@dataclass(frozen=True, slots=True)
class Variants:
    """Every movable job at every level that is offered to it, job by job.

    Attributes:
        jobs: with run time, power and latest start of the level, shape (variants,).
        job: which of the movable jobs each is.
        level: of each.
    """

    jobs: Movable
    job: Rows
    level: Rows

    @classmethod
    def of(cls, jobs: Movable) -> "Variants":
        """Those of some jobs, given without a cap."""
        if jobs.caps is None:
            every = np.arange(len(jobs.row))
            return cls(jobs, every, np.full(len(every), NO_CAP))
        job, level = np.nonzero(np.isfinite(jobs.caps.run_s))
        of_level = jobs.take(job).under(level)
        latest_s = jobs.latest_s[job] - (of_level.run_s - jobs.run_s[job])
        return cls(
            replace(of_level, latest_s=np.maximum(latest_s, of_level.earliest_s)), job, level
        )
