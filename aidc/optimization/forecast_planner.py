"""Rolling planning without perfect foresight: what each window is told comes from a forecaster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Drivers, Forecaster
from aidc.job import NO_BOARDS, OVER_QUOTA, TOO_LARGE, beyond_quota
from aidc.optimization.known_work import KnownWork
from aidc.optimization.record import Record, schedule_of
from aidc.optimization.window import WindowPlan
from aidc.scenario import Scenario
from aidc.schedule import (
    AS_SOON_AS_FREE,
    Commitment,
    PlanningState,
    Schedule,
    WindowProof,
    stop_columns,
)

MOVED_S = 1e-6  # less than this is rounding, not a move


@dataclass(slots=True)
class ForecastPlanner:
    """Plans one window after another for every site on what is known by then.

    It is a ``planner`` of `simulate` as `RollingPlanner` is, and knows nothing of the baseline. Jobs run
    at home: none is moved to another site.

    Args:
        scenario: what is planned.
        drivers: of all sites; of the jobs it reads what has been submitted.
        forecaster: says what is to be expected.
        progress: called after each window with its proof.
    """

    scenario: Scenario
    drivers: Drivers
    forecaster: Forecaster
    progress: Callable[[WindowProof], None] | None = None
    _sites: dict[str, "_SitePlan"] = field(default_factory=dict)

    def __call__(self, states: Mapping[str, PlanningState]) -> dict[str, Commitment]:
        """The next commitment of every site."""
        said = {}
        for name, state in states.items():
            if name not in self._sites:
                self._sites[name] = _SitePlan.of(self.scenario, self.drivers, name, self.forecaster)
            plan, said[name] = self._sites[name].commit(state)
            if self.progress is not None:
                self.progress(plan.proof)
        return said

    def schedule(self) -> Schedule:
        """What was decided, once the last window is planned.

        A start is the time from which the job was free to start; what was put off is counted from its
        submission.

        Raises:
            PlanError: no window has a plan; the fault of the first.
        """
        jobs = self.drivers.jobs
        start, refused = np.full(len(jobs), np.nan), np.zeros(len(jobs), np.bool_)
        asap = np.zeros(len(jobs), np.bool_)
        for site in self._sites.values():
            start[site.owner], refused[site.owner] = site.known.released_s, site.known.refused
            asap[site.owner] = site.known.asap
        moved = np.nan_to_num(np.maximum(start - jobs.submit_s, 0.0))
        moved[moved < MOVED_S] = 0.0
        status, reason = np.full(len(jobs), "started", object), np.full(len(jobs), "", object)
        reason[moved > 0] = "moved by the plan"
        reason[asap] = AS_SOON_AS_FREE
        late = np.isnan(start) & ~refused
        status[late], reason[late] = "deferred", "the plan ended before it was its turn"
        status[refused], reason[refused] = "refused", TOO_LARGE
        reason[beyond_quota(jobs, self.scenario.baseline.queue.vc_quota)] = OVER_QUOTA
        reason[~jobs.accepted] = NO_BOARDS
        return schedule_of(
            self.scenario,
            pd.DataFrame(
                {
                    "job_id": jobs.job_id,
                    "status": status,
                    "start_s": start,
                    "moved_s": moved,
                    "power_cap_frac": np.ones(len(jobs)),
                    "pool": jobs.pool,
                    "site": jobs.site,
                    "reason": reason,
                    **stop_columns({}, len(jobs)),
                }
            ),
            {name: site.record for name, site in self._sites.items()},
        )


@dataclass(slots=True)
class _SitePlan:
    """What the planner remembers of one site."""

    scenario: Scenario
    owner: NDArray[np.int64]  # its jobs, as rows of the scenario's
    known: KnownWork
    record: Record

    @classmethod
    def of(
        cls, scenario: Scenario, drivers: Drivers, name: str, forecaster: Forecaster
    ) -> "_SitePlan":
        site, owner = scenario.sites[name].site, np.flatnonzero(drivers.jobs.site == name)
        jobs = drivers.jobs.take(owner)
        names = [pool.name for pool in site.pools]
        pool = np.array([names.index(which) for which in jobs.pool], np.int64)
        capacity = np.array([item.gpu_count for item in site.pools])
        refused = (jobs.gpu_count > capacity[pool]) | ~jobs.accepted
        refused |= beyond_quota(jobs, scenario.baseline.queue.vc_quota)
        return cls(
            scenario,
            owner,
            KnownWork(scenario, drivers, name, jobs, pool, refused, forecaster),
            Record(scenario),
        )

    def commit(self, state: PlanningState) -> tuple[WindowPlan, Commitment]:
        """Plans the window that starts now and commits its first part."""
        known = self.known
        problem = known.problem(replace(state, start_s=state.start_s[self.owner]))
        found, piece, until = self.record.commit(problem)
        last = until >= float(self.scenario.horizon(known.name).length_s)
        start = known.release(problem, found, until, last=last)
        rows = np.flatnonzero(np.isfinite(start))
        return found, Commitment(
            self.owner[rows],
            known.pool[rows],
            start[rows],
            problem.forecast.first_step,
            piece,
        )
