"""Planning as it is lived: a window is planned, a day of it committed, and its state carried on."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Drivers, Forecast, Forecaster
from aidc.job import JobTable
from aidc.optimization.classes import Movable, profile
from aidc.optimization.known_work import KnownWork
from aidc.optimization.plant_tables import options_of
from aidc.optimization.problem import FixedWork, WindowProblem
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
from aidc.units import S_PER_H
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
MOVED_S = 1e-6  # less than this is rounding, not a move
SolveWindow = Callable[[WindowProblem], WindowPlan]


@dataclass(slots=True)
class RollingPlanner:
    """Plans one window after another for every site.

    It is the ``planner`` of `simulate`: called at the start of each commitment with the state of the
    simulated site. With perfect foresight, jobs that it does not move keep their start of the baseline,
    so a plan is feasible at every stage; jobs planned for later than the commitment are planned again in
    the next window. With a forecaster it knows what has been submitted and nothing of the baseline: see
    `KnownWork`.

    Args:
        scenario: what is planned.
        drivers: what is known.
        baseline_start_s: start of every job in the baseline, in the order of the job table; nan where
            it did not start.
        progress: called after each window with its proof.
        forecaster: says what is known of a window; None: everything is.
    """

    scenario: Scenario
    drivers: Drivers
    baseline_start_s: Array
    progress: Callable[[WindowProof], None] | None = None
    forecaster: Forecaster | None = None
    _sites: dict[str, "_SitePlan"] = field(default_factory=dict)

    def __call__(self, site: str, state: PlanningState) -> Commitment:
        """The next commitment of a site."""
        if site not in self._sites:
            self._sites[site] = _SitePlan.of(
                self.scenario, self.drivers, site, self.baseline_start_s, self.forecaster
            )
        plan, said = self._sites[site].commit(state)
        if self.progress is not None:
            self.progress(plan.proof)
        return said

    def schedule(self) -> Schedule:
        """What was decided, once the last window is planned."""
        jobs = self.drivers.jobs
        start, moved = np.full(len(jobs), np.nan), np.zeros(len(jobs))
        status, reason = np.full(len(jobs), "started", object), np.full(len(jobs), "", object)
        for name, site in self._sites.items():
            rows = np.flatnonzero(jobs.site == name)
            start[rows] = site.start_s
            moved[rows] = site.put_off_s()
            status[rows[site.refused]], reason[rows[site.refused]] = (
                "refused",
                "larger than its pool",
            )
            reason[rows[~site.jobs.accepted]] = "no pool has boards that it accepts"
            late = np.isnan(site.start_s) & ~site.refused
            status[rows[late]], reason[rows[late]] = "deferred", "no boards free inside the horizon"
            if site.known is not None:
                reason[rows[site.known.asap]] = AS_SOON_AS_FREE
        moved[moved < MOVED_S] = 0.0
        reason[moved > 0] = "moved by the plan"
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
            setpoints={name: site.setpoints() for name, site in self._sites.items()},
            windows=tuple(proof for site in self._sites.values() for proof in site.proofs),
            promised={name: pd.concat(site.promised) for name, site in self._sites.items()},
            objective=str(self.scenario.plan.objective),
            foresight=self.scenario.plan.foresight,
        )


@dataclass(slots=True)
class _SitePlan:
    """What the planner remembers of one site."""

    scenario: Scenario
    drivers: Drivers
    name: str
    jobs: JobTable
    pool: NDArray[np.int64]
    run_s: Array
    baseline_s: Array
    latest_s: Array
    start_s: Array  # as it stands: what has happened, is planned, or is the baseline's
    refused: NDArray[np.bool_]
    known: KnownWork | None  # None: everything is known
    pieces: list[SetPoints] = field(default_factory=list)
    proofs: list[WindowProof] = field(default_factory=list)
    promised: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        drivers: Drivers,
        name: str,
        baseline_start_s: Array,
        forecaster: Forecaster | None,
    ) -> "_SitePlan":
        site, rows = scenario.sites[name].site, np.flatnonzero(drivers.jobs.site == name)
        jobs = drivers.jobs.take(rows)
        names = [pool.name for pool in site.pools]
        pool = np.array([names.index(which) for which in jobs.pool], np.int64)
        capacity = np.array([item.gpu_count for item in site.pools])
        run, baseline = np.minimum(jobs.run_s, jobs.limit_s), baseline_start_s[rows]
        # no later than its slack, and never out of the horizon to look like a saving
        end = float(scenario.horizon(name).length_s)
        latest = np.maximum(baseline, np.minimum(jobs.submit_s + jobs.slack_s, end - run))
        latest = np.where(jobs.slack_s > 0, latest, baseline)
        refused = (jobs.gpu_count > capacity[pool]) | ~jobs.accepted
        known = None
        if forecaster is not None:
            known = KnownWork(scenario, drivers, name, jobs, pool, refused, forecaster)
        return cls(
            scenario=scenario,
            drivers=drivers,
            name=name,
            jobs=jobs,
            pool=pool,
            run_s=run,
            baseline_s=baseline,
            latest_s=latest,
            start_s=baseline.copy() if known is None else known.released_s,
            refused=refused,
            known=known,
        )

    def commit(self, state: PlanningState) -> tuple[WindowPlan, Commitment]:
        """Plans the window that starts now and commits its first part."""
        plan = self.scenario.plan
        problem = self._problem(state) if self.known is None else self.known.problem(state)
        found = plan_window(problem)
        now, step_s = state.now_s, self.scenario.step_min * 60.0
        steps = min(round(plan.commit_h * S_PER_H / step_s), len(found.setpoints.supply_degc))
        until = now + steps * step_s
        piece = found.setpoints.at(slice(0, steps))
        self.pieces.append(piece)
        self.proofs.append(found.proof)
        self.promised.append(found.promised.iloc[: round(steps * step_s / (plan.step_min * 60))])
        if self.known is None:
            self.start_s[found.rows] = found.start_s
            waiting = np.isnan(state.start_s) & (self.start_s >= now) & (self.start_s < until)
            start = np.where(waiting, self.start_s, np.inf)
        else:
            last = until >= float(self.scenario.horizon(self.name).length_s)
            start = self.known.release(problem, found, until, last=last)
        return found, Commitment(start, problem.forecast.first_step, piece)

    def _problem(self, state: PlanningState) -> WindowProblem:
        scenario, plan, now = self.scenario, self.scenario.plan, state.now_s
        site, drivers = scenario.sites[self.name].site, self.drivers.sites[self.name]
        step_s = scenario.step_min * 60.0
        first = round(now / step_s)
        steps = min(round(plan.window_h * S_PER_H / step_s), len(drivers.frame) - first)
        end = now + steps * step_s
        happened = np.isfinite(state.start_s)
        self.start_s[happened] = state.start_s[happened]
        start, run = self.start_s, self.run_s
        open_rows = np.flatnonzero((start + run > now) & (start < end))
        may_move = (
            ~happened[open_rows]
            & ~self.refused[open_rows]
            & (self.latest_s[open_rows] > np.maximum(self.baseline_s[open_rows], now) + MOVED_S)
            & (run[open_rows] > 0)
        )
        movable_rows, fixed_rows = open_rows[may_move], open_rows[~may_move]
        slots = np.arange(round(steps * step_s / (plan.step_min * 60)) + 1, dtype=np.float64)
        edges = now + slots * plan.step_min * 60.0
        jobs = self.jobs
        movable = Movable(
            movable_rows,
            np.maximum(self.baseline_s[movable_rows], now),
            self.latest_s[movable_rows],
            run[movable_rows],
            jobs.added_kw[movable_rows],
            jobs.gpu_count[movable_rows].astype(np.float64),
            self.pool[movable_rows],
        )
        until = float(np.max(movable.latest_s + movable.run_s, initial=end))
        others = np.flatnonzero((start + run > now) & (start < until))
        return WindowProblem(
            scenario=scenario,
            site=site,
            drivers=drivers,
            options=options_of(site, plan, scenario.baseline.supply_air_degc),
            forecast=Forecast(self.name, now, first, drivers.frame.iloc[first : first + steps]),
            state=state,
            fixed=self._fixed(fixed_rows, edges),
            movable=movable,
            at_s=start[movable_rows].copy(),
            others=(
                start[others],
                start[others] + run[others],
                jobs.gpu_count[others].astype(np.float64),
                self.pool[others],
            ),
        )

    def _fixed(self, rows: NDArray[np.int64], edges: Array) -> FixedWork:
        site = self.scenario.sites[self.name].site
        share = profile(self.start_s[rows], self.run_s[rows], edges)
        kw, gpus = (
            np.zeros((len(site.pools), len(edges) - 1)),
            np.zeros((len(site.pools), len(edges) - 1)),
        )
        for index in range(len(site.pools)):
            mine = self.pool[rows] == index
            kw[index] = self.jobs.added_kw[rows[mine]] @ share[mine]
            gpus[index] = self.jobs.gpu_count[rows[mine]] @ share[mine]
        idle = np.array([idle_kw(pool) for pool in site.pools])
        return FixedWork(kw, gpus, idle)

    def put_off_s(self) -> Array:
        """Delay that the plan means for each job: to the baseline, or to its arrival; never negative."""
        since = self.baseline_s if self.known is None else self.jobs.submit_s
        return np.nan_to_num(np.maximum(self.start_s - since, 0.0))

    def setpoints(self) -> SetPoints:
        """Committed set-points of the whole horizon."""
        return SetPoints.joined(self.pieces)
