"""Rolling planning without perfect foresight: what each window is told comes from a forecaster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import PlanError
from aidc.forecast import Drivers, Forecaster
from aidc.job import NO_BOARDS, OVER_QUOTA, TOO_LARGE, beyond_quota
from aidc.optimization.bound import Certificate
from aidc.optimization.fallback import hold_baseline
from aidc.optimization.known_work import KnownWork
from aidc.optimization.window import WindowPlan, plan_window
from aidc.scenario import Scenario
from aidc.schedule import (
    AS_SOON_AS_FREE,
    Commitment,
    PlanningState,
    Schedule,
    SetPoints,
    WindowProof,
)
from aidc.units import S_PER_H, S_PER_MIN

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
        faults = [fault for site in self._sites.values() for fault in site.faults]
        if faults and len(faults) == sum(len(site.proofs) for site in self._sites.values()):
            raise faults[0]
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
        return Schedule(
            decisions=pd.DataFrame(
                {
                    "job_id": jobs.job_id,
                    "status": status,
                    "start_s": start,
                    "moved_s": moved,
                    "pool": jobs.pool,
                    "site": jobs.site,
                    "reason": reason,
                }
            ),
            setpoints={name: SetPoints.joined(site.pieces) for name, site in self._sites.items()},
            windows=tuple(proof for site in self._sites.values() for proof in site.proofs),
            promised={name: pd.concat(site.promised) for name, site in self._sites.items()},
            objective=self.scenario.plan.objective_name,
            foresight=self.scenario.plan.foresight,
            certificates=tuple(one for site in self._sites.values() for one in site.certificates),
        )


@dataclass(slots=True)
class _SitePlan:
    """What the planner remembers of one site."""

    scenario: Scenario
    owner: NDArray[np.int64]  # its jobs, as rows of the scenario's
    known: KnownWork
    pieces: list[SetPoints] = field(default_factory=list)
    proofs: list[WindowProof] = field(default_factory=list)
    promised: list[pd.DataFrame] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    faults: list[PlanError] = field(default_factory=list)

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
        )

    def commit(self, state: PlanningState) -> tuple[WindowPlan, Commitment]:
        """Plans the window that starts now and commits its first part."""
        plan, known = self.scenario.plan, self.known
        problem = known.problem(replace(state, start_s=state.start_s[self.owner]))
        try:
            found = plan_window(problem)
        except PlanError as fault:
            self.faults.append(fault)
            found = hold_baseline(problem, str(fault))
        step_s = self.scenario.step_min * S_PER_MIN
        steps = min(round(plan.commit_h * S_PER_H / step_s), len(found.setpoints.supply_degc))
        until = state.now_s + steps * step_s
        piece = found.setpoints.at(slice(0, steps))
        self.pieces.append(piece)
        self.proofs.append(found.proof)
        if found.certificate:
            self.certificates.append(found.certificate)
        self.promised.append(
            found.promised.iloc[: round(steps * step_s / (plan.step_min * S_PER_MIN))]
        )
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
