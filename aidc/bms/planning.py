"""A new plan for what was observed: the same planner that a rolling simulation calls, one window of it."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from aidc.bms.chillers import least_time, ran
from aidc.bms.expected import expected_of
from aidc.bms.knowledge import Knowledge, knowledge_of
from aidc.bms.look import CLOCK_S, Look, site_of
from aidc.bms.reported import REST
from aidc.bms.state import PlanInForce
from aidc.job import JobTable
from aidc.optimization import RollingPlanner
from aidc.scenario import Scenario
from aidc.schedule import SETPOINT_COLUMNS, PlanningState, SetPoints
from aidc.units import S_PER_MIN

Array = NDArray[np.float64]


def plan_from(scenario: Scenario, seen: Look) -> PlanInForce:
    """The plan of the window that begins at a look.

    Raises:
        PlanError: no plan.
        InputError: the scenario's series do not reach over the window.
    """
    known, name = knowledge_of(scenario, seen), site_of(scenario)
    begin = known.scenario.start
    jobs, now_s = known.drivers.jobs, (seen.plan_start - begin).total_seconds()
    standing_s = known.baseline_s.copy()
    actual_s = np.full(len(jobs), np.nan)
    run_s = np.minimum(jobs.run_s, jobs.limit_s)
    if seen.foreseen:
        _as_lived(seen, jobs, run_s, standing_s, actual_s)
    planner = RollingPlanner(
        known.scenario,
        known.drivers,
        known.baseline_s,
        standing_start_s=standing_s,
    )
    site, readings = scenario.sites[name].site, seen.state.readings
    least = least_time(site)
    state = PlanningState(
        now_s=now_s,
        start_s=actual_s,
        end_s=np.full(len(jobs), np.nan),  # as far as is known a job runs as long as it said
        supply_degc=readings["supply_degc"].value,
        battery_kwh=readings["battery_kwh"].value if site.battery_kwh > 0 else 0.0,
        store_kwh=0.0 if site.tank is None else readings["store_kwh"].value,
        month_peak_kw=seen.state.month_peak_kw or 0.0,
        chillers_on=np.array(
            ran(seen.state.chillers, seen.plan_start, timedelta(minutes=scenario.step_min), least)
        ),
    )
    planner({name: state})
    whole, starts_s = planner.whole_window(name), planner.standing
    plan, step_s = scenario.plan, scenario.step_min * S_PER_MIN
    end = seen.plan_start + timedelta(seconds=len(whole.supply_degc) * step_s)
    committed = min(seen.plan_start + timedelta(hours=plan.commit_h), end)
    valid = min(committed + timedelta(hours=plan.commit_h), end)
    valid_s = (valid - begin).total_seconds()
    offset_s = (begin - scenario.start).total_seconds()
    waits = np.isnan(actual_s) & (starts_s >= now_s) & (starts_s < valid_s)
    waits &= jobs.job_id != REST
    steps = round((valid - seen.plan_start).total_seconds() / step_s)
    return PlanInForce(
        start=seen.plan_start,
        committed_until=committed,
        valid_until=valid,
        step_s=step_s,
        columns=_columns(whole.at(slice(0, steps))),
        starts=_by_job(jobs, waits, starts_s + offset_s),
        standing=_by_job(jobs, _moved(known, starts_s, run_s, now_s), starts_s)
        if seen.foreseen
        else {},
        running=_running(seen, known, actual_s + run_s, now_s),
        expected=expected_of(known, state, name, whole, starts_s),
    )


def _as_lived(seen: Look, jobs: JobTable, run_s: Array, standing_s: Array, actual_s: Array) -> None:
    """Puts what earlier plans decided and what has happened into the starts of the jobs."""
    row_of = {job: row for row, job in enumerate(jobs.job_id)}
    plan = seen.state.plan
    for job, start_s in ({} if plan is None else plan.standing).items():
        standing_s[row_of[job]] = start_s
    for job, start_s in seen.state.started.items():
        if job in row_of:
            actual_s[row_of[job]] = standing_s[row_of[job]] = start_s
    for job, end_s in seen.state.ended.items():
        row = row_of.get(job)
        if row is not None and not actual_s[row] + run_s[row] <= end_s + CLOCK_S:
            actual_s[row] = standing_s[row] = np.nan  # gone before its time


def _moved(known: Knowledge, starts_s: Array, run_s: Array, now_s: float) -> NDArray[np.bool_]:
    """Jobs that may still matter to a later window and stand elsewhere than in the baseline."""
    later_s = np.fmax(starts_s, known.baseline_s) + run_s
    return np.asarray((later_s > now_s) & (starts_s != known.baseline_s))


def _running(seen: Look, known: Knowledge, end_s: Array, now_s: float) -> tuple[str, ...]:
    """Jobs whose start has to be remembered: in the baseline, if not in fact, they still run."""
    if not seen.foreseen:
        return tuple(job for job in seen.state.started if job in seen.state.known)
    jobs = known.drivers.jobs
    usual_s = known.baseline_s + np.minimum(jobs.run_s, jobs.limit_s)
    later = np.isfinite(end_s) & (np.fmax(end_s, usual_s) > now_s)
    return tuple(jobs.job_id[later].tolist())


def _by_job(jobs: JobTable, chosen: NDArray[np.bool_], start_s: Array) -> dict[str, float]:
    return dict(zip(jobs.job_id[chosen].tolist(), start_s[chosen].tolist(), strict=True))


def _columns(setpoints: SetPoints) -> dict[str, tuple[float, ...]]:
    frame = {name: getattr(setpoints, name) for name in SETPOINT_COLUMNS}
    return {name: tuple(np.asarray(column, np.float64).tolist()) for name, column in frame.items()}
