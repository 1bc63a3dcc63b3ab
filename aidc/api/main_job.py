"""The main job: baseline, plan, replay, account, pathway and report of one scenario."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aidc.api import ends as assumption_ends
from aidc.api.books import books_of
from aidc.api.drivers import drivers_of
from aidc.api.ends import Case, End, Ends
from aidc.api.manifest import manifest
from aidc.api.progress import Stages
from aidc.api.study import study_of
from aidc.api.verbs import plan, simulate
from aidc.errors import PlanError
from aidc.forecast import Drivers
from aidc.optimization import PurePue
from aidc.reporting import Report, build
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.simulation import trim_and_respond_setpoints, with_setpoints
from aidc.trace import Trace
from aidc.units import S_PER_H


@dataclass(frozen=True, slots=True)
class Result:
    """What the main job made.

    Attributes:
        folder: where it is.
        summary: as in ``summary.json``.
        report: figures, tables and page.
        fault: why there is no plan; the baseline is reported all the same.
    """

    folder: Path
    summary: dict[str, Any]
    report: Report
    fault: PlanError | None

    def lines(self) -> list[str]:
        """About ten lines for a terminal."""
        return [*self.report.lines(), f"report: {self.folder / 'report.html'}"]


def run(
    scenario: Scenario,
    out: Path,
    *,
    planned: bool = True,
    ends: bool = True,
    stages: Stages | None = None,
) -> Result:
    """Runs a scenario from baseline to report and writes its folder.

    Args:
        scenario: what to run.
        out: folder of results; replaced when the new one is complete.
        planned: make a plan and replay it; else the baseline alone is reported.
        ends: judge the low and high ends of the assumptions too, in processes beside the main run; that
            needs the guard ``if __name__ == "__main__":`` in a script that calls this.
        stages: who tells of progress.

    Raises:
        InputError: data that do not fit, before anything is computed where it can be seen then.
    """
    stages = stages or Stages(quiet=True)
    with ExitStack() as stack:
        judged = None
        if planned and ends:
            judged = Ends(scenario, stack.enter_context(assumption_ends.workers()))
        with stages.stage("jobs, weather, prices"):
            drivers = drivers_of(scenario)
        with stages.stage("baseline") as stage:
            before = simulate(scenario, progress=lambda _, share: stage.at(share))
        schedule, fault = _planned(scenario, before, stages) if planned else (None, None)
        runs = {"baseline": before}
        if schedule is not None:
            with stages.stage("replay of the plan") as stage:
                runs |= _replayed(scenario, drivers, before, schedule)
        with stages.stage("ledger"):
            books = books_of(*(runs[name] for name in ("baseline", "optimized") if name in runs))
        cases: list[Case] = []
        if judged is not None and schedule is not None:
            with stages.stage("ends of the assumptions"):
                cases = judged.cases(_end(runs))
    with stages.stage("report"):
        study = study_of(drivers, runs, schedule, books, cases, fault)
        report = replace(build(study), books=books.save)
        report.save(
            out,
            manifest=lambda: manifest(scenario, schedule, stages.seconds, report.summary),
        )
    return Result(out, report.summary, report, fault)


def _planned(
    scenario: Scenario, before: Trace, stages: Stages
) -> tuple[Schedule | None, PlanError | None]:
    """The schedule, or why there is none."""
    try:
        return watched_plan(scenario, before, stages), None
    except PlanError as error:
        return None, error


def watched_plan(
    scenario: Scenario,
    before: Trace,
    stages: Stages,
    pure_pues: dict[str, PurePue] | None = None,
) -> Schedule:
    """The plan, with its windows counted on the terminal."""
    hours = (scenario.end - scenario.start).total_seconds() / S_PER_H
    total, done = max(1, round(hours / scenario.plan.commit_h)) * len(scenario.sites), 0
    with stages.stage("plan") as stage:

        def told(_: object) -> None:
            nonlocal done
            done += 1
            stage.at(done / total)

        return plan(before, progress=told, pure_pues=pure_pues)


def _replayed(
    scenario: Scenario, drivers: Drivers, before: Trace, schedule: Schedule
) -> dict[str, Trace]:
    """The plan played, and what each of its two halves does alone; the second baseline."""
    after = simulate(scenario, schedule=schedule)
    trimmed = {name: trim_and_respond_setpoints(scenario, name) for name in scenario.sites}
    return {
        "optimized": after,
        "setpoints_only": with_setpoints(before, drivers, schedule.setpoints, "setpoints_only"),
        "shifting_only": with_setpoints(after, drivers, before.setpoints, "shifting_only"),
        "trim_and_respond": with_setpoints(before, drivers, trimmed, "trim_and_respond"),
    }


def _end(runs: dict[str, Trace]) -> End:
    """The main run's own figures, as an end of an assumption would give them."""
    return assumption_ends.compared(runs["baseline"], runs["optimized"])
