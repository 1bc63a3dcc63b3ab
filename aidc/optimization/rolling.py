"""Planning as it is lived: a window is planned, a day of it committed, and its state carried on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import PlanError
from aidc.forecast import Drivers, Forecast
from aidc.job import NO_BOARDS, OVER_QUOTA, TOO_LARGE, beyond_quota
from aidc.optimization import sleeping
from aidc.optimization.bound import Certificate
from aidc.optimization.classes import profile
from aidc.optimization.network.step import placed_jobs
from aidc.optimization.peaks import least_import_kw, peaks_of
from aidc.optimization.plant_tables import options_of
from aidc.optimization.problem import FixedWork, WindowProblem
from aidc.optimization.quotas import NO_GROUP, Groups, group_of
from aidc.optimization.record import Record, schedule_of
from aidc.optimization.sleeping import Held
from aidc.optimization.standing import Standing
from aidc.optimization.window import WindowPlan
from aidc.scenario import Scenario
from aidc.schedule import (
    Commitment,
    PlanningState,
    Schedule,
    SetPoints,
    WindowProof,
    stop_columns,
)
from aidc.units import S_PER_H
from aidc.workload.load_forecast import mean_level
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
MOVED_S = 1e-6  # less than this is rounding, not a move
SolveWindow = Callable[[WindowProblem], WindowPlan]


@dataclass(slots=True)
class RollingPlanner:
    """Plans one window after another for every site, with perfect foresight.

    It is the ``planner`` of `simulate`: called at the start of each commitment with the states of the
    simulated sites. Jobs that it does not move keep their start of the baseline, so a plan is feasible
    at every stage; jobs planned for later than the commitment are planned again in the next window.

    Args:
        scenario: what is planned.
        drivers: what is known.
        baseline_start_s: start of every job in the baseline, in the order of the job table; nan where
            it did not start.
        progress: called after each window with its proof.
        standing_start_s: starts of all jobs as an earlier planner left them, see `standing`; None: as in
            the baseline.
        look: called with each window before it is planned.
    """

    scenario: Scenario
    drivers: Drivers
    baseline_start_s: Array
    progress: Callable[[WindowProof], None] | None = None
    standing_start_s: Array | None = None
    look: Callable[[WindowProblem], None] | None = None
    _jobs: "Standing | None" = None
    _sites: dict[str, "_SitePlan"] = field(default_factory=dict)
    _networks: list[tuple[WindowProof, Certificate]] = field(default_factory=list)

    def __call__(self, states: Mapping[str, PlanningState]) -> dict[str, Commitment]:
        """The next commitment of every site."""
        if self._jobs is None:
            self._jobs = Standing.of(self.scenario, self.drivers, self.baseline_start_s)
            if self.standing_start_s is not None:
                self._jobs.start_s[:] = self.standing_start_s
            self._sites = {
                name: _SitePlan(
                    self.scenario, self.drivers, self._jobs, name, Record(self.scenario)
                )
                for name in states
            }
        for state in states.values():
            self._jobs.happened(state)
        window = None
        if self.drivers.movable.any():
            problems = [self._sites[name].problem(state) for name, state in states.items()]
            window = placed_jobs(self.scenario, self.drivers.movable, self._jobs, problems)
        plans, said = [], {}
        for name, state in states.items():
            if self.look is not None:
                self.look(self._sites[name].problem(state))
            plan, said[name] = self._sites[name].commit(state)
            plans.append(plan)
            if self.progress is not None:
                self.progress(plan.proof)
        if window is not None and window.can_be_proved(plans):
            self._networks.append(window.proved(plans))
        return said

    @property
    def standing(self) -> Array:
        """Starts of all jobs as they stand [s]: with the states all that one window hands to the next."""
        if self._jobs is None:
            raise ValueError("nothing is planned yet")
        return self._jobs.start_s

    def whole_window(self, site: str) -> SetPoints:
        """Set-points of the last window of a site, beyond what is committed too.

        Raises:
            PlanError: that window has no plan, and holds the baseline.
        """
        window = self._sites[site].record.window
        if isinstance(window, PlanError):
            raise window
        return window

    def schedule(self) -> Schedule:
        """What was decided, once the last window is planned.

        Raises:
            PlanError: no window has a plan; the fault of the first.
        """
        jobs, standing = self.drivers.jobs, self._jobs
        if standing is None:
            raise ValueError("nothing is planned yet")
        start = standing.start_s
        moved = np.nan_to_num(np.maximum(start - standing.baseline_s, 0.0))
        status, reason = np.full(len(jobs), "started", object), np.full(len(jobs), "", object)
        status[standing.refused], reason[standing.refused] = "refused", TOO_LARGE
        reason[beyond_quota(jobs, self.scenario.baseline.queue.vc_quota)] = OVER_QUOTA
        reason[~jobs.accepted] = NO_BOARDS
        late = np.isnan(start) & ~standing.refused
        status[late], reason[late] = "deferred", "no boards free inside the horizon"
        moved[moved < MOVED_S] = 0.0
        reason[moved > 0] = "moved by the plan"
        reason[standing.pool != standing.home] = "moved by the plan to another site"
        reason[list(standing.broken)] = "stopped by the plan in between"
        stops = standing.stops_of(np.arange(len(jobs)))
        site, pool = standing.places
        return schedule_of(
            self.scenario,
            pd.DataFrame(
                {
                    "job_id": jobs.job_id,
                    "status": status,
                    "start_s": start,
                    "moved_s": moved,
                    "power_cap_frac": standing.power_cap_frac,
                    "pool": pool,
                    "site": site,
                    "reason": reason,
                    **stop_columns(stops, len(jobs)),
                }
            ),
            {name: site.record for name, site in self._sites.items()},
            self._networks,
        )


@dataclass(slots=True)
class _SitePlan:
    """What the planner remembers of one site."""

    scenario: Scenario
    drivers: Drivers
    jobs: Standing
    name: str
    record: Record
    expected: Array | None = None

    @property
    def first_pool(self) -> int:
        """Place of the site's first pool among all pools."""
        return [site for site, _ in self.jobs.pools].index(self.name)

    def commit(self, state: PlanningState) -> tuple[WindowPlan, Commitment]:
        """Plans the window that starts now and commits its first part."""
        jobs, now = self.jobs, state.now_s
        problem = self.problem(state)
        found, piece, until = self.record.commit(problem)
        jobs.follow(found.rows, found.choice)
        waits = self._here() & np.isnan(state.start_s)
        rows = np.flatnonzero(waits & (jobs.start_s >= now) & (jobs.start_s < until))
        return found, Commitment(
            rows,
            jobs.pool[rows] - self.first_pool,
            jobs.start_s[rows],
            problem.forecast.first_step,
            piece,
            None if jobs.capped is None else jobs.power_cap_frac[rows],
            jobs.stops_of(rows),
        )

    def _here(self) -> NDArray[np.bool_]:
        """Jobs that run at this site, as they stand."""
        own = self.jobs.pool - self.first_pool
        return np.asarray((own >= 0) & (own < len(self.scenario.sites[self.name].site.pools)))

    def problem(self, state: PlanningState) -> WindowProblem:
        """The window that starts now."""
        scenario, plan, now = self.scenario, self.scenario.plan, state.now_s
        site, drivers = scenario.sites[self.name].site, self.drivers.sites[self.name]
        step_s = scenario.step_min * 60.0
        first = round(now / step_s)
        steps = min(round(plan.window_h * S_PER_H / step_s), len(drivers.frame) - first)
        end = now + steps * step_s
        standing, table, here = self.jobs, self.jobs.jobs, self._here()
        start, run, pool = standing.start_s, standing.run_s, standing.pool - self.first_pool
        until = standing.end_s
        open_rows = np.flatnonzero(here & (until > now) & (start < end))
        may_move = (
            np.isnan(state.start_s[open_rows])
            & (start[open_rows] >= now)  # else it is in the queue already
            & ~standing.refused[open_rows]
            & (
                standing.latest_s[open_rows]
                > np.maximum(standing.earliest_s[open_rows], now) + MOVED_S
            )
            & (run[open_rows] > 0)
        )
        movable_rows, fixed_rows = open_rows[may_move], open_rows[~may_move]
        slots = np.arange(round(steps * step_s / (plan.step_min * 60)) + 1, dtype=np.float64)
        edges = now + slots * plan.step_min * 60.0
        movable = standing.movable(
            movable_rows,
            np.maximum(standing.earliest_s[movable_rows], now),
            self._kw(movable_rows),
            pool[movable_rows],
        )
        last = float(np.max(movable.latest_s + movable.run_s, initial=end))
        others = here & (until > now) & (start < last)
        others[movable_rows] = False
        held_rows, held_from_s, held_for_s = standing.runs(np.flatnonzero(others))
        timing, restart_s = standing.at.take(movable_rows), standing.restart_s[movable_rows]
        return WindowProblem(
            scenario=scenario,
            site=site,
            drivers=drivers,
            options=options_of(site, plan, scenario.baseline.supply_air_degc),
            forecast=Forecast(self.name, now, first, drivers.frame.iloc[first : first + steps]),
            state=state,
            peaks=peaks_of(
                self.expected_kw(),
                pd.DatetimeIndex(drivers.frame.index),
                slice(first, first + steps),
                round(plan.step_min / scenario.step_min),
                state.month_peak_kw,
            ),
            fixed=self._fixed(fixed_rows, edges),
            movable=movable,
            at_s=timing.start_s,
            broken=timing.broken,
            restart_s=restart_s if np.isfinite(restart_s).any() else None,
            at_level=standing.level(movable_rows),
            fixed_runs=(
                held_from_s,
                held_from_s + held_for_s,
                table.gpu_count[held_rows].astype(np.float64),
                pool[held_rows],
            ),
            held=self._held(state, end),
            groups=self._groups(movable_rows, held_rows, fixed_rows, edges),
        )

    def _groups(self, movable: Rows, others: Rows, fixed: Rows, edges: Array) -> Groups | None:
        """Who shares a quota in a window; None: nobody has one."""
        quotas, standing = self.scenario.baseline.queue.vc_quota, self.jobs
        if not quotas:
            return None
        pools = len(self.scenario.sites[self.name].site.pools)
        group = group_of(standing.jobs, standing.pool - self.first_pool, quotas)
        counted, start_s, run_s = standing.runs(fixed[group[fixed] != NO_GROUP])
        share = profile(start_s, run_s, edges)
        used = np.zeros((pools * len(quotas), len(edges) - 1))
        np.add.at(used, group[counted], share * standing.jobs.gpu_count[counted, None])
        boards = np.tile(np.array(list(quotas.values()), np.float64), pools)
        return Groups(tuple(quotas) * pools, boards, group[movable], group[others], used)

    def _kw(self, rows: Rows) -> Array:
        """IT power of jobs above that of their pool at rest."""
        standing, table = self.jobs, self.jobs.jobs
        held = np.array([sleeping.held_kw_per_gpu(pool) for _, pool in standing.pools])
        held_kw = held[standing.pool[rows]] * table.gpu_count[rows]
        return np.asarray(standing.added_kw[rows] + held_kw)

    def _held(self, state: PlanningState | None, end_s: float) -> Held | None:
        """Jobs that say who sleeps in a window; None: nobody does. Without a state: in the baseline."""
        site, standing = self.scenario.sites[self.name].site, self.jobs
        if not any(sleeping.sleeps(pool) for pool in site.pools):
            return None
        start, begun, since_s = standing.baseline_s, np.zeros(len(standing.run_s), np.bool_), 0.0
        if state is not None:
            begun = np.isfinite(state.start_s)
            start = np.where(begun, standing.start_s, np.maximum(standing.start_s, state.now_s))
            since_s = state.now_s - max(sleeping.still_awake_s(pool) for pool in site.pools)
        there = np.flatnonzero(
            self._here() & (standing.start_s + standing.run_s > since_s) & (start < end_s)
        )
        return Held(
            there,
            start[there],
            standing.run_s[there],
            standing.jobs.gpu_count[there].astype(np.float64),
            self._kw(there),
            standing.pool[there] - self.first_pool,
            begun[there],
        )

    def expected_kw(self) -> Array:
        """Import of every step of the horizon under the baseline's starts and the best set-point of each."""
        if self.expected is None:
            standing, site = self.jobs, self.scenario.sites[self.name].site
            drivers = self.drivers.sites[self.name]
            step_s = self.scenario.step_min * 60.0
            edges = np.arange(len(drivers.frame) + 1, dtype=np.float64) * step_s
            load = np.zeros((len(site.pools), len(drivers.frame)))
            held = self._held(None, float(edges[-1]))
            for index, pool in enumerate(site.pools):
                if held is not None and sleeping.sleeps(pool):
                    load[index] = sleeping.load_kw(pool, held.of_pool(index), edges)
                    continue
                mine = (standing.pool == self.first_pool + index) & np.isfinite(standing.baseline_s)
                run_s = standing.run_s if standing.capped is None else standing.capped.run_s[:, 0]
                load[index] = idle_kw(pool) + mean_level(
                    standing.baseline_s[mine],
                    standing.baseline_s[mine] + run_s[mine],
                    standing.jobs.added_kw[mine],
                    edges,
                )
            options = options_of(site, self.scenario.plan, self.scenario.baseline.supply_air_degc)
            self.expected = least_import_kw(
                site, options, drivers, load, self.scenario.baseline.mode_policy
            )
        return self.expected

    def _fixed(self, rows: NDArray[np.int64], edges: Array) -> FixedWork:
        site = self.scenario.sites[self.name].site
        standing, table = self.jobs, self.jobs.jobs
        rows, start_s, run_s = standing.runs(rows)
        share = profile(start_s, run_s, edges)
        kw, gpus = (
            np.zeros((len(site.pools), len(edges) - 1)),
            np.zeros((len(site.pools), len(edges) - 1)),
        )
        for index in range(len(site.pools)):
            mine = standing.pool[rows] == self.first_pool + index
            kw[index] = self._kw(rows[mine]) @ share[mine]
            gpus[index] = table.gpu_count[rows[mine]] @ share[mine]
        idle = np.array([sleeping.resting_kw(pool) for pool in site.pools])
        return FixedWork(kw, gpus, idle)
