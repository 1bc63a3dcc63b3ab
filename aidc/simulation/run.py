"""One run of a scenario: every site with its pools and its plant, under a policy, a schedule or a planner."""

from collections.abc import Generator, Mapping
from dataclasses import replace

import numpy as np
import simpy

from aidc.errors import SeriesError
from aidc.forecast import Drivers
from aidc.moves import as_planned
from aidc.scenario import Scenario
from aidc.schedule import Schedule, SetPoints
from aidc.simulation import energy
from aidc.simulation.faults import faults_of
from aidc.simulation.result import SiteResult, trace_of
from aidc.simulation.site_run import Planner, Progress, SiteRun, planning_times_s
from aidc.simulation.state import SiteState
from aidc.trace import Trace
from aidc.workload.planned_caps import with_caps


def simulate(
    scenario: Scenario,
    drivers: Drivers,
    *,
    variant: str,
    schedule: Schedule | None = None,
    planner: Planner | None = None,
    progress: Progress | None = None,
) -> Trace:
    """The trace of a run.

    Without schedule and planner the baseline policy runs: jobs in queue order as soon as they fit.

    Args:
        scenario: what to run.
        drivers: its jobs and series.
        variant: name of the run.
        schedule: starts and set-points to follow; a job starts late where its boards are not free,
            and that is counted.
        planner: called at the start of every commitment with what the window inherits at each site.
        progress: called with the site and the share of the horizon done.

    Raises:
        SeriesError: a job names a site or pool that the scenario does not have.
        BalanceError: the energy balance is open (a bug).
    """
    _check_sites(scenario, drivers)
    if schedule is not None:
        drivers = _as_planned(scenario, drivers, schedule)
    runs = [
        SiteRun.of(scenario, drivers, name, schedule, planner, progress, None)
        for name in scenario.sites
    ]
    _play(scenario, runs, planner)
    if planner is not None:
        drivers = _where_they_ran(drivers, runs)
    return _trace(scenario, drivers, variant, runs, schedule)


def simulate_piece(
    scenario: Scenario, drivers: Drivers, *, variant: str, begin: Mapping[str, SiteState] | None
) -> tuple[Trace, dict[str, SiteState]]:
    """The trace of a piece of a long run under the baseline policy, and how it leaves each site.

    Args:
        scenario: the piece.
        drivers: its jobs and series, those that the piece before left among them.
        variant: name of the run.
        begin: state of the sites at the start; None: as a horizon begins.

    Raises:
        SeriesError, BalanceError: as `simulate`.
    """
    _check_sites(scenario, drivers)
    runs = [
        SiteRun.of(
            scenario, drivers, name, None, None, None, None if begin is None else begin[name]
        )
        for name in scenario.sites
    ]
    _play(scenario, runs, None)
    return _trace(scenario, drivers, variant, runs, None), {run.name: run.left() for run in runs}


def _as_planned(scenario: Scenario, drivers: Drivers, schedule: Schedule) -> Drivers:
    """The drivers with each job where a plan puts it, under the cap that the plan gives it."""
    placed = as_planned(drivers, schedule)
    cap_frac = schedule.decisions["power_cap_frac"].to_numpy(np.float64)
    sites = tuple(choice.site for choice in scenario.sites.values())
    return replace(placed, jobs=with_caps(placed.jobs, sites, cap_frac))


def _check_sites(scenario: Scenario, drivers: Drivers) -> None:
    strange = sorted(set(drivers.jobs.site) - set(scenario.sites))
    if strange:
        raise SeriesError(
            f"jobs name the sites {', '.join(strange)}; the scenario has {', '.join(scenario.sites)}"
        )


def _trace(
    scenario: Scenario,
    drivers: Drivers,
    variant: str,
    runs: list[SiteRun],
    schedule: Schedule | None,
) -> Trace:
    results = [run.result(drivers.jobs) for run in runs]
    return trace_of(scenario, drivers, variant, results, schedule)


def _play(scenario: Scenario, runs: list[SiteRun], planner: Planner | None) -> None:
    """Runs the calendars of all sites to the end of the horizon, with one planner for all of them."""
    env = simpy.Environment()
    times = planning_times_s(scenario, runs[0].name) if planner is not None else ()
    planned = {at: env.event() for at in times}
    metered = {run.name: {at: env.event() for at in times} for run in runs}
    for run in runs:
        run.begin(env, metered[run.name], planned)
    if planner is not None:
        env.process(_planning(env, planner, runs, metered, planned))
    env.run()
    for run in runs:
        run.finish()


def _planning(
    env: simpy.Environment,
    planner: Planner,
    runs: list[SiteRun],
    metered: Mapping[str, Mapping[float, simpy.Event]],
    planned: Mapping[float, simpy.Event],
) -> Generator[simpy.Event, None, None]:
    """At each planning time, once every site has been metered up to it, asks for what follows."""
    for at, spoken in planned.items():
        yield env.all_of([metered[run.name][at] for run in runs])
        said = planner({run.name: run.state(at) for run in runs})
        for run in runs:
            run.follow(said[run.name])
        spoken.succeed()


def _where_they_ran(drivers: Drivers, runs: list[SiteRun]) -> Drivers:
    """The drivers with each job at the site and pool in which it started, else at home."""
    site, pool = drivers.jobs.site.copy(), drivers.jobs.pool.copy()
    for run in runs:
        for made, rows, name in zip(run.pools, run.rows, run.site.pools, strict=True):
            here = run.owner[rows[np.isfinite(made.start_s)]]
            site[here], pool[here] = run.name, name.name
    return replace(drivers, jobs=drivers.jobs.with_columns(site=site, pool=pool))


def with_setpoints(
    trace: Trace, drivers: Drivers, setpoints: Mapping[str, SetPoints], variant: str
) -> Trace:
    """The same jobs at the same times under other set-points.

    Job starts do not hang on set-points, so only the plant is played again.
    """
    scenario = trace.scenario
    if trace.schedule is not None:
        drivers = _as_planned(scenario, drivers, trace.schedule)
    results = []
    for name, choice in scenario.sites.items():
        run = trace.job_runs[name]
        made = energy.block(
            choice.site,
            drivers.sites[name],
            slice(0, len(run.queued)),
            run.reference_kw,
            setpoints[name],
            scenario.baseline.mode_policy,
            faults_of(scenario, name),
            energy.PlantState.of(choice.site),
            scenario.step_min / 60,
        )
        jobs = drivers.jobs.take(np.flatnonzero(drivers.jobs.site == name))
        results.append(SiteResult.of_blocks(name, jobs, run, setpoints[name], [made]))
    return trace_of(scenario, drivers, variant, results, None, trace.schedule)
