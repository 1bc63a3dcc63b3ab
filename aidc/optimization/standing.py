"""All jobs of a scenario as a planner sees them from window to window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable, beyond_quota
from aidc.moves import pool_index, pools_of
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
        )

    def happened(self, state: PlanningState) -> None:
        """Takes over what has started at a site."""
        begun = np.isfinite(state.start_s)
        self.start_s[begun] = state.start_s[begun]
        took_s = state.end_s - state.start_s  # its servers may have had to boot
        longer = begun & (took_s > self.run_s + LATE_S)
        self.run_s[longer] = took_s[longer]

    @property
    def places(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Site and pool of each job, as the plan has it."""
        site = np.array([name for name, _ in self.pools], object)
        pool = np.array([one.name for _, one in self.pools], object)
        return site[self.pool], pool[self.pool]
