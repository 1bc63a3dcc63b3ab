"""All jobs of a scenario as a planner sees them from window to window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable, beyond_quota
from aidc.moves import pool_index, pools_of
from aidc.optimization.timing import Segments, Timing
from aidc.scenario import Scenario
from aidc.schedule import PlanningState
from aidc.site import Pool

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
LATE_S = 1e-6  # less than this is rounding


@dataclass(slots=True)
class Standing:
    """All jobs of the scenario as they stand: what has happened, is planned, or is the baseline's.

    Pools are counted over all sites, in the order of the scenario.

    Attributes:
        jobs: of the scenario, n of them.
        pools: of all sites, each with the name of its site.
        home, pool: of each job, and the pool that it now has, shape (n,).
        run_s: until it ends by itself or at its limit, shape (n,).
        baseline_s: its start in the baseline; nan: none.
        earliest_s, latest_s: between which it may start.
        start_s: as it stands.
        refused: it is larger than its pool or its quota, or nobody has boards that it accepts.
        restart_s: time that it takes to go on where a plan stops it; inf: no plan may.
        broken: runs of the jobs that a plan stops, by row.
    """

    jobs: JobTable
    pools: tuple[tuple[str, Pool], ...]
    home: Rows
    pool: Rows
    run_s: Array
    baseline_s: Array
    earliest_s: Array
    latest_s: Array
    start_s: Array
    refused: NDArray[np.bool_]
    restart_s: Array
    broken: dict[int, Segments] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario, drivers: Drivers, baseline_start_s: Array) -> "Standing":
        """Jobs where the baseline has them, all at home."""
        jobs = drivers.jobs
        pools, pool = pools_of(scenario), pool_index(scenario, jobs)
        run, baseline = np.minimum(jobs.run_s, jobs.limit_s), baseline_start_s
        # no later than its slack, and never out of the horizon to look like a saving
        end = (scenario.end - scenario.start).total_seconds()
        latest = np.maximum(baseline, np.minimum(jobs.submit_s + jobs.slack_s, end - run))
        capacity = np.array([one.gpu_count for _, one in pools])
        return cls(
            jobs=jobs,
            pools=pools,
            home=pool,
            pool=pool.copy(),
            run_s=run,
            baseline_s=baseline,
            earliest_s=baseline.copy(),
            latest_s=np.where(jobs.slack_s > 0, latest, baseline),
            start_s=baseline.copy(),
            refused=(jobs.gpu_count > capacity[pool])
            | ~jobs.accepted
            | beyond_quota(jobs, scenario.baseline.queue.vc_quota),
            restart_s=np.where(
                drivers.interruptible, scenario.flexibility.restart_s or 0.0, np.inf
            ),
        )

    def happened(self, state: PlanningState) -> None:
        """Takes over what has started at a site."""
        begun = np.isfinite(state.start_s)
        self.start_s[begun] = state.start_s[begun]
        took_s = state.end_s - state.start_s  # its servers may have had to boot
        longer = begun & (took_s > self.run_s + LATE_S)
        longer[list(self.broken)] = False  # its runs say how long it takes
        self.run_s[longer] = took_s[longer]

    @property
    def at(self) -> Timing:
        """All jobs as they stand."""
        return Timing(self.start_s, self.broken)

    @property
    def end_s(self) -> Array:
        """End of each job as it stands, shape (n,)."""
        return self.at.end_s(self.run_s)

    def runs(self, rows: Rows) -> tuple[Rows, Array, Array]:
        """Every run of some jobs: its job, start and length."""
        job, start_s, run_s = self.at.take(rows).runs(self.run_s[rows])
        return rows[job], start_s, run_s

    def place(self, rows: Rows, timing: Timing) -> None:
        """Moves jobs to when a plan has them run."""
        self.start_s[rows] = timing.start_s
        for k, row in enumerate(rows.tolist()):
            self.broken.pop(row, None)
            if k in timing.broken:
                self.broken[row] = timing.broken[k]

    def stops_of(self, rows: Rows) -> Mapping[int, Segments]:
        """When each of those that a plan stops is stopped and goes on, by row, shape (stops, 2)."""
        mine = set(rows.tolist()) & self.broken.keys()
        return {
            row: np.column_stack([self.broken[row][:-1, 1], self.broken[row][1:, 0]])
            for row in sorted(mine)
        }

    @property
    def places(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Site and pool of each job, as the plan has it."""
        site = np.array([name for name, _ in self.pools], object)
        pool = np.array([one.name for _, one in self.pools], object)
        return site[self.pool], pool[self.pool]
