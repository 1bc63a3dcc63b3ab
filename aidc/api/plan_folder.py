"""A plan without its replay, as a folder."""

import json
from pathlib import Path

from aidc.api.main_job import watched_plan
from aidc.api.manifest import manifest
from aidc.api.progress import Stages
from aidc.api.verbs import simulate
from aidc.optimization import PurePue
from aidc.optimization.explain import held_back
from aidc.reporting import windows
from aidc.scenario import Scenario
from aidc.scenario_file import resolved_text
from aidc.schedule import CERTIFICATE, Schedule


def explained(schedule: Schedule) -> dict[str, list[str]]:
    """What held each window back and what a little more of it is worth, or why it has no plan."""
    proven = {(str(one["site"]), str(one["start"])): one for one in schedule.certificates}
    told = {}
    for window in schedule.windows:
        certificate = proven.get((window.site, window.start))
        said = [window.fault] if certificate is None else held_back(certificate)
        if window.quotas:
            said.append(f"the quota of {window.quotas} is full at times")
        if window.full:
            said.append("boards are too full to move any job")
        told[f"{window.site}, {window.start}"] = said or [
            "nothing but weather, prices and the jobs' slack"
        ]
    return told


def plan_into(
    scenario: Scenario, out: Path, stages: Stages, pure_pues: dict[str, PurePue] | None = None
) -> Schedule:
    """Plans a scenario; writes the schedule, set-points, windows, certificate and manifest.

    Args:
        scenario: what to plan.
        out: the folder.
        stages: told of what is done.
        pure_pues: filled with the least PUE of each window, where given.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no plan within the time.
    """
    with stages.stage("baseline") as stage:
        before = simulate(scenario, progress=lambda _, share: stage.at(share))
    schedule = watched_plan(scenario, before, stages, pure_pues)
    out.mkdir(parents=True, exist_ok=True)
    (out / "scenario.yaml").write_text(resolved_text(scenario), encoding="utf-8", newline="\n")
    schedule.decisions.to_parquet(out / "schedule.parquet", compression="zstd")
    schedule.save_certificate(out / CERTIFICATE)
    for name, points in schedule.setpoints.items():
        frame = points.frame(scenario.horizon(name).index)
        frame.to_csv(out / f"setpoints-{name}.csv", lineterminator="\n")
    windows(schedule).to_csv(out / "windows.csv", index=False, lineterminator="\n")
    content = manifest(scenario, schedule, stages.seconds, {"plan": schedule.totals()})
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return schedule
