"""A long run in pieces of a week: memory stays that of a week, and a run that was stopped goes on.

A piece is an ordinary run of its week. What still runs or waits at its end begins the next one: running
jobs with what is left of them, then the queue in its order, then new arrivals. Generated jobs are drawn
week by week, each week with a seed of its own, so their number in memory does not grow with the horizon.
"""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.api.drivers import drivers_of, jobs_of, sites_of
from aidc.api.progress import Stages
from aidc.api.week_sums import summary_of, week_sums
from aidc.errors import InputError
from aidc.forecast import Drivers, SiteDrivers
from aidc.job import JobTable, no_failures
from aidc.scenario import Scenario
from aidc.scenario_file import resolved_text
from aidc.simulation import PlantState, SiteState, simulate_piece
from aidc.trace import SHARES
from aidc.units import S_PER_DAY, S_PER_H
from aidc.workload_inputs import GeneratedWorkload, SyntheticWorkload

PIECE_S: Final = 7 * S_PER_DAY
POLICIES: Final = ("fifo", "sjf", "easy_backfill", "priority")  # whose queue is all their memory
SUMS: Final = ("ran_s", *SHARES)  # of a job over its weeks
OPEN: Final = ("running", "waiting")
COLUMNS: Final = tuple(item.name for item in fields(JobTable) if item.name != "rows_of")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a piece leaves to the next.

    Attributes:
        jobs: those that run or wait; times from the start of the next piece, so that submissions lie
            before it.
        begun: of the same jobs: ``start_s`` from the start of the horizon (nan: waits), ``wait_s`` and
            `SUMS` so far; ``useful_s`` of the whole run.
        sites: the rest, by site.
    """

    jobs: JobTable | None
    begun: pd.DataFrame
    sites: dict[str, SiteState] | None


def simulate_long(scenario: Scenario, out: Path, stages: Stages) -> dict[str, Any]:
    """Simulates the baseline of a scenario week by week; returns its summary.

    The folder of results holds ``trace-baseline.parquet``, ``tenants.csv``, ``scenario.yaml``, ``summary.json`` and in
    ``pieces/NNN/`` the jobs that ended in each week. Weeks that are there already are not run again.

    Args:
        scenario: what to run; its queue is `POLICIES`.
        out: folder of results; one of another scenario is refused.
        stages: who tells of progress.

    Raises:
        InputError: a queue that remembers more than who waits, or a folder of another run.
    """
    if scenario.baseline.policy not in POLICIES:
        raise InputError(
            f"baseline.policy: {scenario.baseline.policy} cannot be run by the week; "
            f"take {' or '.join(POLICIES)}"
        )
    if scenario.baseline.queue.preempts:
        raise InputError(
            "baseline.queue.preempts: who was stopped is not carried from week to week; leave it out"
        )
    if any(pool.sleep_after_min for one in scenario.sites.values() for pool in one.site.pools):
        raise InputError(
            "sleep_after_min: who sleeps is not carried from week to week; leave it out"
        )
    text = resolved_text(scenario)
    kept = out / "scenario.yaml"
    if kept.exists() and kept.read_text(encoding="utf-8") != text:
        raise InputError(f"{out} holds a run of another scenario; give another --out or remove it")
    out.mkdir(parents=True, exist_ok=True)
    kept.write_text(text, encoding="utf-8", newline="\n")
    with stages.stage("weather, prices"):
        series = sites_of(scenario)
    weeks = list(_weeks(scenario))
    carried = Carried(None, pd.DataFrame(), None)
    with stages.stage(f"{len(weeks)} weeks") as stage:
        for index, (start, end) in enumerate(weeks):
            folder = out / "pieces" / f"{index:03d}"
            if not (folder / "piece.json").exists():
                carried = _play(scenario, series, carried, (start, end), index, folder)
            elif (
                index + 1 == len(weeks)
                or not (out / "pieces" / f"{index + 1:03d}" / "piece.json").exists()
            ):
                carried = _read(folder)
            stage.at((index + 1) / len(weeks))
    with stages.stage("books"):
        return summary_of(scenario, out, len(weeks))


def _weeks(scenario: Scenario) -> Iterator[tuple[datetime, datetime]]:
    start = scenario.start
    while start < scenario.end:
        end = min(start + timedelta(seconds=PIECE_S), scenario.end)
        yield start, end
        start = end


def _play(
    scenario: Scenario,
    series: dict[str, SiteDrivers],
    carried: Carried,
    span: tuple[datetime, datetime],
    index: int,
    folder: Path,
) -> Carried:
    """One week; its folder is complete when ``piece.json`` is there."""
    began = time.process_time()
    piece = _piece(scenario, span, index)
    new = _new_jobs(scenario, piece, index)
    jobs, old = new, 0
    if carried.jobs is not None and len(carried.jobs):
        old = len(carried.jobs)
        jobs = _after(carried.jobs, new)
    step_s = scenario.step_min * 60.0
    offset_s = (span[0] - scenario.start).total_seconds()
    rows = slice(
        round(offset_s / step_s), round((span[1] - scenario.start).total_seconds() / step_s)
    )
    drivers = Drivers(
        jobs=jobs,
        movable=np.zeros(len(jobs), np.bool_),
        interruptible=np.zeros(len(jobs), np.bool_),
        sites={name: replace(one, frame=one.frame.iloc[rows]) for name, one in series.items()},
        job_label="",
        synthetic_jobs=isinstance(scenario.workload, SyntheticWorkload),
        notes=(),
    )
    trace, sites = simulate_piece(piece, drivers, variant="baseline", begin=carried.sites)
    order = np.concatenate(
        [np.flatnonzero(jobs.site == name) for name in scenario.sites]
    )  # of the trace's rows
    table = _whole(trace.jobs, carried.begun, np.where(order < old, order, -1), offset_s)
    still = table["state"].isin(OPEN).to_numpy()
    last = span[1] == scenario.end
    left = _left(jobs.take(order[still]), table[still], offset_s, span)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    ended = table if last else table[~still]
    ended.to_parquet(folder / "jobs.parquet")
    trace.frame.to_parquet(folder / "trace.parquet")
    _frame(left.jobs, left.begun).to_parquet(folder / "carried.parquet")
    told = {
        "sites": {name: asdict(state) for name, state in sites.items()},
        **week_sums(trace, ended, order >= old),
        "cpu_s": time.process_time() - began,
    }
    (folder / "piece.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return replace(left, sites=sites)


def _piece(scenario: Scenario, span: tuple[datetime, datetime], index: int) -> Scenario:
    """The scenario of one week: its own horizon and seed, and the events that touch it, cut to it."""
    start, end = span
    events = []
    for event, raw in zip(scenario.events, scenario.raw.get("events") or (), strict=True):
        if event.start < end and event.end > start:
            cut = {"start": max(event.start, start), "end": min(event.end, end)}
            events.append({**raw, **{key: at.isoformat() for key, at in cut.items()}})
    changes: dict[str, object] = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "events": events,
        "pathway": None,
    }
    if isinstance(scenario.workload, GeneratedWorkload):
        length = scenario.end - scenario.start
        low, high = scenario.workload.ramp
        ends = [low + (high - low) * ((at - scenario.start) / length) for at in span]
        changes["seed"] = _seed(scenario.seed, index)
        changes["workload.ramp"] = ends
        if index:
            changes["workload.warm_start"] = "empty"
        changes["workload.runs"] = _runs(scenario, span)
    return scenario.replace_all(changes)


def _runs(scenario: Scenario, span: tuple[datetime, datetime]) -> list[dict[str, object]]:
    """Named runs that are submitted in a week, with times from its start."""
    found = []
    for run in scenario.workload.runs:
        at = scenario.start + timedelta(hours=run.after_h)
        if span[0] <= at < span[1]:
            after_h = (at - span[0]).total_seconds() / S_PER_H
            times = {"work": f"{run.work_h} h", "after": f"{after_h} h"}
            found.append({**run.model_dump(exclude={"work_h", "after_h"}), **times})
    return found


def _seed(seed: int, index: int) -> int:
    """Seed of a week; the first has the scenario's own."""
    if index == 0:
        return seed
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])


def _new_jobs(scenario: Scenario, piece: Scenario, index: int) -> JobTable:
    """Jobs submitted in a week, with times from its start."""
    if isinstance(scenario.workload, GeneratedWorkload):
        return jobs_of(piece, id_prefix=f"w{index:03d}-").check()
    offset_s = (piece.start - scenario.start).total_seconds()
    length_s = (piece.end - piece.start).total_seconds()
    every = drivers_of(scenario).jobs
    mine = (every.submit_s >= offset_s) & (every.submit_s < offset_s + length_s)
    jobs = every.take(np.flatnonzero(mine))
    return jobs.with_columns(
        submit_s=jobs.submit_s - offset_s, deadline_s=jobs.deadline_s - offset_s
    )


def _after(carried: JobTable, new: JobTable) -> JobTable:
    """The carried jobs in their order, then the new ones."""
    columns = {
        name: np.concatenate([getattr(carried, name), getattr(new, name)]) for name in COLUMNS
    }
    return JobTable(**columns, rows_of=new.rows_of)


def _whole(
    table: pd.DataFrame, begun: pd.DataFrame, place: np.ndarray, offset_s: float
) -> pd.DataFrame:
    """The job table of a week with what its jobs had before, and times from the start of the horizon.

    Args:
        table: `Trace.jobs` of the week.
        begun: of carried jobs.
        place: of each row in ``begun``; -1: a new job.
        offset_s: start of the week.
    """
    made = table.copy()
    for name in ("submit_s", "start_s", "end_s", "deadline_s"):
        made[name] = made[name] + offset_s
    old = np.flatnonzero(place >= 0)
    if not len(old):
        return made
    before = begun.iloc[place[old]]
    for name in SUMS:
        values = made[name].to_numpy(np.float64, copy=True)
        values[old] += before[name].to_numpy(np.float64)
        made[name] = values
    values = made["useful_s"].to_numpy(np.float64, copy=True)
    done = made["state"].to_numpy(str)[old] == "completed"
    values[old[done]] = before["useful_s"].to_numpy(np.float64)[done]
    made["useful_s"] = values
    ran = np.isfinite(before["start_s"].to_numpy(np.float64))
    for name in ("start_s", "wait_s", "warm"):
        values = made[name].to_numpy(copy=True)
        values[old[ran]] = before[name].to_numpy()[ran]
        made[name] = values
    return made


def _left(
    jobs: JobTable, table: pd.DataFrame, offset_s: float, span: tuple[datetime, datetime]
) -> Carried:
    """Jobs that run or wait at the end of a week: the running ones first, the queue in its order."""
    length_s = (span[1] - span[0]).total_seconds()
    start_s = table["start_s"].to_numpy(np.float64) - offset_s  # of this week
    runs = np.isfinite(start_s)
    order = np.concatenate([np.flatnonzero(runs), np.flatnonzero(~runs)])
    here_s = np.where(runs, length_s - np.maximum(start_s, 0.0), 0.0)
    left_s = jobs.run_s - here_s
    left_frac = np.divide(left_s, jobs.run_s, out=np.ones(len(jobs)), where=jobs.run_s > 0)
    left = jobs.with_columns(
        submit_s=jobs.submit_s - length_s,
        deadline_s=jobs.deadline_s - length_s,
        run_s=left_s,
        useful_s=jobs.useful_s * left_frac,
        limit_s=jobs.limit_s - here_s,
        warm=runs,
        node_fails_s=_still_to_fail(jobs.node_fails_s, here_s),
    ).take(order)
    useful_frac = np.divide(
        jobs.useful_s, jobs.run_s, out=np.zeros(len(jobs)), where=jobs.run_s > 0
    )
    kept = table[["start_s", "wait_s", "warm", *SUMS]].assign(
        useful_s=useful_frac * (table["ran_s"].to_numpy(np.float64) + left_s)  # of the whole run
    )
    begun = kept.iloc[order].reset_index(drop=True)
    return Carried(left, begun, None)


def _still_to_fail(fails_s: np.ndarray, here_s: np.ndarray) -> np.ndarray:
    """Times of failing nodes from the start of the next week, of those that are still to come."""
    left = no_failures(len(fails_s))
    for row in np.flatnonzero([len(times) > 0 for times in fails_s]).tolist():
        left[row] = tuple(at_s - here_s[row] for at_s in fails_s[row] if at_s > here_s[row])
    return left


def _frame(jobs: JobTable | None, begun: pd.DataFrame) -> pd.DataFrame:
    if jobs is None:
        return begun
    made = pd.DataFrame({name: getattr(jobs, name) for name in COLUMNS})
    made["node_fails_s"] = made["node_fails_s"].map(json.dumps)
    return pd.concat([made, begun.add_prefix("begun_")], axis=1)


def _read(folder: Path) -> Carried:
    """What a finished week left."""
    frame = pd.read_parquet(folder / "carried.parquet")
    fails_s = no_failures(len(frame))
    columns = {
        name: frame[name].to_numpy(object if frame[name].dtype.kind not in "ifb" else None)
        for name in COLUMNS
    }
    for row, text in enumerate(columns["node_fails_s"]):
        fails_s[row] = tuple(json.loads(text))
    columns["node_fails_s"] = fails_s
    begun = frame[[name for name in frame if name.startswith("begun_")]]
    told = json.loads((folder / "piece.json").read_text(encoding="utf-8"))
    sites = {
        name: SiteState(PlantState(**state["plant"]), state["repairs_s"])
        for name, state in told["sites"].items()
    }
    begun.columns = begun.columns.str.removeprefix("begun_")
    return Carried(JobTable(**columns, rows_of="carried"), begun, sites)
