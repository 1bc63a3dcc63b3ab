"""`load`, `simulate`, `plan`, `account`, `report`: what a planner types."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aidc.api.books import Books, books_of
from aidc.api.drivers import drivers_of
from aidc.api.foresight import forecaster_of
from aidc.api.study import study_of
from aidc.errors import InputError
from aidc.optimization import ForecastPlanner, PurePue, RollingPlanner, WindowProblem, pure_pue
from aidc.reporting import Report, build
from aidc.scenario import Objective, Scenario
from aidc.scenario_file import load as _load
from aidc.schedule import Schedule, WindowProof
from aidc.simulation import simulate as _simulate
from aidc.trace import Trace


def load(
    path: str | Path,
    *,
    sets: Iterable[str] = (),
    variant: str | None = None,
    seed: int | None = None,
) -> Scenario:
    """The scenario in a YAML file; see `aidc.scenario_file.load`."""
    return _load(path, sets=sets, variant=variant, seed=seed)


def simulate(
    scenario: Scenario,
    *,
    schedule: Schedule | None = None,
    variant: str | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Trace:
    """The trace of a scenario: its baseline, or its run under a schedule.

    Args:
        scenario: what to run.
        schedule: a plan to follow.
        variant: name of the run; ``baseline`` or ``optimized`` by default.
        progress: called with the site and the share done.
    """
    name = variant or ("baseline" if schedule is None else "optimized")
    return _simulate(
        scenario, drivers_of(scenario), variant=name, schedule=schedule, progress=progress
    )


def plan(
    before: Trace,
    *,
    minimize: Objective | None = None,
    limit_s: float | None = None,
    progress: Callable[[WindowProof], None] | None = None,
    pure_pues: dict[str, PurePue] | None = None,
) -> Schedule:
    """The schedule of a baseline's scenario, planned window by window.

    Args:
        before: the baseline; jobs that the plan does not move keep its starts.
        minimize: instead of the scenario's objective.
        limit_s: instead of the scenario's time limit of a window.
        progress: called after each window with its proof.
        pure_pues: filled with the least PUE of each window beside its least overhead, where given.

    Raises:
        InputError: what the scenario asks for is not known to a plan, or not under its foresight, as the
            least PUE is only under a perfect one.
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no plan within the time.
    """
    scenario = before.scenario
    changes: dict[str, object] = {}
    if minimize is not None:
        changes["plan.objective"] = minimize
    if limit_s is not None:
        changes["plan.limit"] = f"{limit_s:g} s"
    if changes:
        scenario = scenario.replace_all(changes)
    return lived(scenario, before, progress, pure_pues)[0]


def lived(
    scenario: Scenario,
    before: Trace,
    progress: Callable[[WindowProof], None] | None = None,
    pure_pues: dict[str, PurePue] | None = None,
) -> tuple[Schedule, Trace]:
    """The schedule with the run in which it was planned; its replay gives the same run."""
    _check_known_to_a_plan(scenario)
    drivers = drivers_of(scenario)
    forecaster = forecaster_of(scenario, drivers)
    if pure_pues is not None and forecaster is not None:
        raise InputError(
            f"the least PUE of a window needs perfect foresight, not {scenario.plan.foresight}: "
            "set plan.foresight to perfect"
        )

    def look(problem: WindowProblem) -> None:
        if pure_pues is not None:
            start = problem.forecast.frame.index[0].isoformat()
            pure_pues[f"{problem.site.name}, {start}"] = pure_pue(problem)

    starts = _starts(before, drivers.jobs.site)
    planner = (
        RollingPlanner(scenario, drivers, starts, progress, look=look)
        if forecaster is None
        else ForecastPlanner(scenario, drivers, forecaster, progress)
    )
    trace = _simulate(scenario, drivers, variant="planned", planner=planner)
    return planner.schedule(), trace


def _check_known_to_a_plan(scenario: Scenario) -> None:
    """Raises an InputError where a simulation knows more than a plan can follow."""
    asleep = [
        pool.name
        for choice in scenario.sites.values()
        for pool in choice.site.pools
        if pool.sleep_after_min is not None
    ]
    queue, moves = scenario.baseline.queue, scenario.flexibility.movable_frac > 0
    faults = []
    if scenario.baseline.policy == "priority" and queue.preempts:
        faults.append(
            "baseline.queue.preempts: a plan takes runs as unbroken; leave it out, or use aidc simulate"
        )
    if asleep and scenario.plan.foresight != "perfect":
        faults.append(
            f"sleep_after_min of pool {', '.join(asleep)}: only a plan with perfect foresight knows who "
            f"sleeps; set plan.foresight to perfect, not {scenario.plan.foresight}"
        )
    if moves and (asleep or queue.vc_quota):
        faults.append(
            "flexibility.movable_frac: a plan that moves jobs between sites knows neither sleep_after_min "
            "nor baseline.queue.vc_quota; set it to 0, or leave those out"
        )
    if faults:
        raise InputError("\n".join(faults))


def _starts(trace: Trace, sites: NDArray[np.object_]) -> NDArray[np.float64]:
    """Starts of all jobs of a trace, in the order of the drivers' job table."""
    start = np.full(len(sites), np.nan)
    for name, run in trace.job_runs.items():
        start[sites == name] = run.start_s
    return start


def account(*traces: Trace) -> Books:
    """The books of one or more runs of a scenario, and its pathway; see `aidc.api.books.books_of`."""
    return books_of(*traces)


def report(before: Trace, after: Trace | None = None, *, books: Books | None = None) -> Report:
    """The report of a baseline, and of the run under its plan where there is one.

    Args:
        before: the baseline.
        after: the replayed plan.
        books: of both runs; drawn up here where not given.
    """
    runs = {"baseline": before} if after is None else {"baseline": before, "optimized": after}
    drawn = books or books_of(*runs.values())
    missing = {name: run for name, run in runs.items() if name not in drawn.statements}
    if missing:
        statements = dict(drawn.statements) | dict(books_of(*missing.values()).statements)
        drawn = replace(drawn, statements=statements)
    schedule = after.schedule if after is not None else None
    study = study_of(drivers_of(before.scenario), runs, schedule, drawn)
    return replace(build(study), books=drawn.save)
