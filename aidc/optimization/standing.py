"""All jobs of a scenario as a planner sees them from window to window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable, beyond_quota
from aidc.moves import pool_index, pools_of
from aidc.optimization.movable import NO_CAP, CapLevels, Choice, Movable
from aidc.optimization.timing import Segments, Timing
from aidc.scenario import Scenario
from aidc.schedule import PlanningState
from aidc.site import Pool
from aidc.workload.planned_caps import NO_CAP_FRAC, under_caps

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
LATE_S = 1e-6  # less than this is rounding


@dataclass(frozen=True, slots=True)
class Capped:
    """All jobs under the caps that a plan may choose; the first level is none.

    Attributes:
        cap_frac: over the boards' maximum power, shape (levels,).
        run_s: of each job, shape (n, levels).
        added_kw: IT power above idle, same shape.
    """

    cap_frac: Array
    run_s: Array
    added_kw: Array

    @classmethod
    def of(cls, scenario: Scenario, jobs: JobTable, run_s: Array) -> "Capped | None":
        """Those of a scenario's jobs; None: its plan caps nothing.

        Args:
            scenario: with its plan.
            jobs: all of them.
            run_s: of each without a cap.
        """
        levels = scenario.plan.caps_frac
        if not levels:
            return None
        sites = tuple(choice.site for choice in scenario.sites.values())
        under = [under_caps(jobs, sites, np.full(len(jobs), cap)) for cap in levels]
        return cls(
            np.array([NO_CAP_FRAC, *levels]),
            np.column_stack([run_s, *(run_s / speed for speed, _ in under)]),
            np.column_stack([jobs.added_kw, *(kw for _, kw in under)]),
        )


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
        power_cap_frac: cap under which it stands, over its boards' maximum power, shape (n,); 1: none.
        added_kw: its IT power above idle under that cap.
        capped: what it becomes under the caps that the plan may choose; None: there are none.
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
    power_cap_frac: Array
    added_kw: Array
    capped: "Capped | None"
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
            power_cap_frac=np.ones(len(jobs)),
            added_kw=jobs.added_kw.copy(),
            capped=Capped.of(scenario, jobs, run),
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

    def movable(self, rows: Rows, earliest_s: Array, kw: Array, pool: Rows) -> Movable:
        """Jobs of a window that may move, as they are without caps.

        Args:
            rows: which of all jobs.
            earliest_s: first start of each.
            kw: IT power of each as it stands, as `Movable.kw`.
            pool: of each, by its place at its site.
        """
        run_s, latest_s = self.run_s[rows], self.latest_s[rows]
        gpus, caps = self.jobs.gpu_count[rows].astype(np.float64), None
        if self.capped is not None:
            run_s = self.capped.run_s[rows, NO_CAP]
            more_kw = self.capped.added_kw[rows] - self.added_kw[rows, None]
            every_kw = kw[:, None] + more_kw
            kw = every_kw[:, NO_CAP]
            caps = CapLevels.offered(
                run_s, kw, self.capped.run_s[rows, 1:], every_kw[:, 1:], latest_s - earliest_s
            )
        return Movable(rows, earliest_s, latest_s, run_s, kw, gpus, pool, caps)

    def level(self, rows: Rows) -> Rows | None:
        """Level of cap under which jobs stand; None: the plan caps nothing."""
        if self.capped is None:
            return None
        return np.asarray(
            np.argmax(self.power_cap_frac[rows, None] == self.capped.cap_frac, axis=1)
        )

    def follow(self, rows: Rows, choice: Choice) -> None:
        """Takes over what a window decides."""
        self.start_s[rows] = choice.start_s
        for k, row in enumerate(rows.tolist()):
            self.broken.pop(row, None)
            if k in choice.broken:
                self.broken[row] = choice.broken[k]
        if self.capped is not None:
            self.power_cap_frac[rows] = self.capped.cap_frac[choice.level]
            self.run_s[rows] = self.capped.run_s[rows, choice.level]
            self.added_kw[rows] = self.capped.added_kw[rows, choice.level]

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
