"""Planning on what is known: jobs submitted so far with predicted run times, and the load expected besides.

The planner gives a job the time from which it may start; the queue of the simulation starts it then or,
where a run took longer than predicted, when boards are free. Nothing is taken back: a job that was
released stays in the queue.
"""

from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Drivers, Forecast, Forecaster
from aidc.job import JobTable
from aidc.optimization.classes import profile
from aidc.optimization.movable import Movable
from aidc.optimization.peaks import Peaks, least_import_kw, peaks_of
from aidc.optimization.plant_tables import options_of
from aidc.optimization.problem import FixedWork, WindowProblem
from aidc.optimization.window import WindowPlan
from aidc.persistence import repeated
from aidc.scenario import Scenario
from aidc.schedule import PlanningState
from aidc.units import H_PER_DAY, MIN_PER_H, S_PER_H, S_PER_MIN
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
MOVED_S = 1e-6  # less than this is rounding, not a move


@dataclass(slots=True)
class KnownWork:
    """What a planner without perfect foresight remembers of the jobs of one site.

    Args:
        scenario: what is planned.
        drivers: of all sites; their jobs are read only once submitted, their series only for prices
            that do not change.
        name: of the site.
        jobs: of the site.
        pool: index of each job's pool, shape (n,).
        refused: jobs that no pool takes, shape (n,).
        forecaster: who says what is to be expected.

    Attributes:
        released_s: time from which each job may start, nan until that is decided, shape (n,).
        asap: whether it was released without a wish to wait, shape (n,).
    """

    scenario: Scenario
    drivers: Drivers
    name: str
    jobs: JobTable
    pool: Rows
    refused: NDArray[np.bool_]
    forecaster: Forecaster
    released_s: Array = field(init=False)
    asap: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.released_s = np.full(len(self.jobs), np.nan)
        self.asap = np.zeros(len(self.jobs), np.bool_)

    def problem(self, state: PlanningState) -> WindowProblem:
        """The window that starts now, with the jobs that are known.

        Args:
            state: of the site, with the starts of its own jobs alone.
        """
        scenario, plan, now = self.scenario, self.scenario.plan, state.now_s
        site = scenario.sites[self.name].site
        step_s = scenario.step_min * S_PER_MIN
        first = round(now / step_s)
        left = len(self.drivers.sites[self.name].frame) - first
        steps = min(round(plan.window_h * S_PER_H / step_s), left)
        end, horizon_s = now + steps * step_s, float(scenario.horizon(self.name).length_s)
        expected = self.forecaster.work(self.name, now, first, steps, state.start_s)
        # one that nothing is known of goes on to the end of the longest window
        run = np.minimum(expected.run_s, now + plan.window_h * S_PER_H)
        happened = np.isfinite(state.start_s)
        known = np.isfinite(run) & ~self.refused
        running = np.flatnonzero(known & happened & (state.start_s + run > now))
        waiting = np.flatnonzero(known & ~happened)
        at_s = np.full(len(run), np.nan)
        at_s[running] = state.start_s[running]
        at_s[waiting] = self._first_starts(running, waiting, at_s, run, now)
        free_to_wait = np.isnan(self.released_s[waiting]) & (self.jobs.slack_s[waiting] > 0)
        # no job is put off past its slack or, as far as is known, out of the horizon
        long_s = np.maximum(expected.long_s, run)
        latest = np.minimum(self.jobs.submit_s + self.jobs.slack_s, horizon_s - long_s)
        may_move = free_to_wait & (latest[waiting] > at_s[waiting] + MOVED_S) & (run[waiting] > 0)
        may_move &= at_s[waiting] < end
        movable_rows = waiting[may_move]
        fixed_rows = np.concatenate([running, waiting[~may_move]])
        jobs, gpus = self.jobs, self.jobs.gpu_count.astype(np.float64)
        movable = Movable(
            movable_rows,
            at_s[movable_rows],
            latest[movable_rows],
            run[movable_rows],
            jobs.added_kw[movable_rows],
            gpus[movable_rows],
            self.pool[movable_rows],
        )
        open_rows = np.concatenate([running, waiting])
        series = self.forecaster.series(self.name, now, first, steps)
        slots = round(steps * step_s / (plan.step_min * S_PER_MIN))
        edges = now + np.arange(slots + 1, dtype=np.float64) * plan.step_min * S_PER_MIN
        return WindowProblem(
            scenario=scenario,
            site=site,
            drivers=self.drivers.sites[self.name],
            options=options_of(site, plan, scenario.baseline.supply_air_degc),
            forecast=series,
            state=state,
            peaks=self._peaks(state, series, expected.kw),
            fixed=self._fixed(fixed_rows, open_rows, at_s, run, edges, expected.kw, expected.gpus),
            movable=movable,
            at_s=at_s[movable_rows],
            fixed_runs=(
                at_s[fixed_rows],
                at_s[fixed_rows] + run[fixed_rows],
                gpus[fixed_rows],
                self.pool[fixed_rows],
            ),
        )

    def release(
        self, problem: WindowProblem, found: WindowPlan, until_s: float, *, last: bool
    ) -> Array:
        """The starts of a commitment: each job's time inside it from which it may start, else inf.

        A job that the plan lets start as soon as boards are free is released now, one that it puts
        off at its planned time if that is inside the commitment; else it is planned again. A job that
        arrives before the planner speaks again is in the queue on arrival; only one with slack that
        arrives within the plan's own step of that time waits for it. That rule is applied when a job
        arrives, and knows nothing of it before.

        Args:
            problem: the window.
            found: its plan.
            until_s: end of the commitment.
            last: whether the planner does not speak again.
        """
        now, jobs = problem.state.now_s, self.jobs
        start = np.full(len(jobs), np.inf)
        undecided = np.isnan(self.released_s) & np.isnan(problem.state.start_s) & ~self.refused
        known = undecided & (jobs.submit_s <= now)
        start[known] = now
        asap = known.copy()
        put_off = found.start_s > problem.movable.earliest_s + MOVED_S
        rows = found.rows[put_off]
        start[rows], asap[rows] = found.start_s[put_off], False
        coming = undecided & (jobs.submit_s > now) & (jobs.submit_s < until_s)
        near = until_s - jobs.submit_s <= self.scenario.plan.step_min * S_PER_MIN
        at_once = coming & (last | ~near | (jobs.submit_s + jobs.slack_s <= until_s))
        start[at_once], asap[at_once] = jobs.submit_s[at_once], True
        start[start >= until_s] = np.inf
        decided = np.isfinite(start)
        self.released_s[decided], self.asap[decided] = start[decided], asap[decided]
        return start

    def _first_starts(
        self, running: Rows, waiting: Rows, at_s: Array, run_s: Array, now_s: float
    ) -> Array:
        """When each waiting job would start in order of submission, if predictions came true."""
        found = np.full(len(waiting), now_s)
        gpus = self.jobs.gpu_count
        for index, pool in enumerate(self.scenario.sites[self.name].site.pools):
            mine = np.flatnonzero(self.pool[waiting] == index)
            runs = running[self.pool[running] == index]
            free = float(pool.gpu_count - gpus[runs].sum())
            if gpus[waiting[mine]].sum() <= free:
                continue
            found[mine] = _in_order(
                free,
                (at_s + run_s)[runs],
                gpus[runs].astype(np.float64),
                run_s[waiting[mine]],
                gpus[waiting[mine]].astype(np.float64),
                now_s,
            )
        return found

    def _peaks(self, state: PlanningState, series: Forecast, added_kw: Array) -> Peaks:
        """The demand charge: what follows the window is taken to be like its last day."""
        scenario, drivers = self.scenario, self.drivers.sites[self.name]
        site = scenario.sites[self.name].site
        idle = np.array([idle_kw(pool) for pool in site.pools])
        ahead = least_import_kw(
            site,
            options_of(site, scenario.plan, scenario.baseline.supply_air_degc),
            replace(drivers, frame=series.frame),
            added_kw + idle[:, None],
            scenario.baseline.mode_policy,
        )
        first, steps = series.first_step, len(ahead)
        per_day = round(H_PER_DAY * MIN_PER_H / scenario.step_min)
        after = repeated(ahead, per_day, len(drivers.frame) - first - steps)
        return peaks_of(
            np.concatenate([np.zeros(first), ahead, after]),
            pd.DatetimeIndex(drivers.frame.index),
            slice(first, first + steps),
            round(scenario.plan.step_min / scenario.step_min),
            state.month_peak_kw,
        )

    def _fixed(
        self,
        rows: Rows,
        every: Rows,
        at_s: Array,
        run_s: Array,
        edges: Array,
        expected_kw: Array,
        expected_gpus: Array,
    ) -> FixedWork:
        """Work that cannot move: of known jobs, and of those to come what is expected besides all known."""
        pools = self.scenario.sites[self.name].site.pools
        slots = len(edges) - 1
        kw, gpus = np.zeros((len(pools), slots)), np.zeros((len(pools), slots))
        for index, pool in enumerate(pools):
            in_all, still = (which[self.pool[which] == index] for which in (every, rows))
            known_gpus, known_kw = self._load(in_all, at_s, run_s, edges)
            to_come_gpus = np.maximum(_by_slot(expected_gpus[index], slots) - known_gpus, 0.0)
            to_come_kw = np.maximum(_by_slot(expected_kw[index], slots) - known_kw, 0.0)
            room = np.maximum(pool.gpu_count - known_gpus, 0.0)  # known jobs keep their boards
            share = np.minimum(
                1.0, np.divide(room, to_come_gpus, out=np.ones(slots), where=to_come_gpus > 0)
            )
            fixed_gpus, fixed_kw = self._load(still, at_s, run_s, edges)
            gpus[index] = fixed_gpus + share * to_come_gpus
            kw[index] = fixed_kw + share * to_come_kw
        return FixedWork(kw, gpus, np.array([idle_kw(pool) for pool in pools]))

    def _load(self, rows: Rows, at_s: Array, run_s: Array, edges: Array) -> tuple[Array, Array]:
        """Boards and power above idle of some jobs by slot."""
        share = profile(at_s[rows], run_s[rows], edges)
        return self.jobs.gpu_count[rows] @ share, self.jobs.added_kw[rows] @ share


def _by_slot(steps: Array, slots: int) -> Array:
    """Means of the slots; steps of a slot that the window cuts off are left out."""
    per_slot = len(steps) // slots
    return np.asarray(steps[: slots * per_slot].reshape(slots, per_slot).mean(axis=1), np.float64)


def _in_order(
    free: float, ends_s: Array, end_gpus: Array, run_s: Array, gpus: Array, now_s: float
) -> Array:
    """Starts of jobs that keep their order, as ends give boards back, shape (n,)."""
    ends = list(zip(np.maximum(ends_s, now_s).tolist(), end_gpus.tolist(), strict=True))
    heapify(ends)
    found, clock = np.empty(len(run_s)), now_s
    for job, (run, boards) in enumerate(zip(run_s.tolist(), gpus.tolist(), strict=True)):
        while ends and (ends[0][0] <= clock or free < boards):
            end, back = heappop(ends)
            clock, free = max(clock, end), free + back
        found[job] = clock
        free -= boards
        heappush(ends, (clock + run, boards))
    return found
