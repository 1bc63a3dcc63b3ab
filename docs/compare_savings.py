"""Writes docs/savings.md and .png: where a plan's saving comes from, on generated and real jobs and four grids.

Run from the project's root with AIDC_REAL_DATA set: ``python docs/compare_savings.py``. It takes a quarter of an
hour; finished cases are kept in reports/out/savings and not run again.
"""

import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import aidc
from aidc.api.drivers import drivers_of
from aidc.reporting.charts.style import COLOURS, Chart, drawing
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.simulation import with_setpoints
from aidc.trace import Trace

PAGE = Path(__file__).with_name("savings.md")
CHART = PAGE.with_suffix(".png")
ROOT = PAGE.parents[1]
KEPT = ROOT / "reports" / "out" / "savings"
SYNTHETIC = {"kind": "synthetic", "amplitude": "20 %", "shape": "demand"}
H_S = 3600.0
JOBS = {
    "Lingang week": ("scenarios/lingang-week.yaml", {"pathway": None}),
    "real Helios jobs": (
        "scenarios/lingang-helios.yaml",
        {"start": "2022-09-01T00:00:00+08:00", "end": "2022-09-08T00:00:00+08:00"},
    ),
    "real Philly jobs": (
        "docs/policies.yaml",
        {
            "start": "2022-10-03T00:00:00+08:00",
            "end": "2022-10-10T00:00:00+08:00",
            "baseline.policy": "easy_backfill",
        },
    ),
}
GRIDS = ("flat annual", "synthetic hours", "Singapore's hours", "Korea's hours")
FILES = {"Singapore's hours": "SG", "Korea's hours": "KR"}
OBJECTIVES = ("emissions", "cost")
RUNS = {
    "greedy": "greedy shifting",
    "shifting": "shifting of the plan",
    "setpoints": "set-points of the plan",
    "plan": "plan",
}
MEASURED = {
    "kgco2e": "emissions",
    "cny": "cost",
    "mwh": "energy",
    "m3": "water",
    "gpu_h": "GPU time",
}


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    jobs: str
    grid: str
    objective: str

    @property
    def name(self) -> str:
        return "-".join(f"{self.jobs} {self.grid} {self.objective}".lower().split()).replace(
            "'", ""
        )


def cases() -> list[Case]:
    """Every kind of jobs on every grid for emissions; for cost where the grid has no hours."""
    return [Case(jobs, grid, "emissions") for jobs in JOBS for grid in GRIDS] + [
        Case(jobs, "flat annual", "cost") for jobs in JOBS
    ]


def scenario_of(case: Case) -> Scenario:
    file, changes = JOBS[case.jobs]
    made = aidc.load(ROOT / file).replace_all({**changes, "plan.objective": case.objective})
    site = next(iter(made.sites))
    return made.replace(f"sites.{site}.grid.intensity", _intensity(case.grid, made))


def _intensity(grid: str, scenario: Scenario) -> object:
    """The grid's block of a scenario; measured hours are cut out to a file that the scenario reads."""
    if grid == "flat annual":
        return "flat"
    if grid == "synthetic hours":
        return SYNTHETIC
    code = FILES[grid]
    source = Path(os.environ["AIDC_REAL_DATA"]) / "carbon"
    with gzip.open(source / f"{code}_electricitymaps_hourly_2021_2024.csv.gz") as stream:
        hours = pd.read_csv(stream, comment="#")
    time = pd.DatetimeIndex(pd.to_datetime(hours["datetime_utc"], utc=True))
    day = pd.Timedelta(days=1)
    near = (time >= scenario.start - day) & (time < scenario.end + day)
    made = pd.DataFrame(
        {
            "time": time[near].strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "kgco2e_per_kwh": hours["ci_direct_g_per_kWh"].to_numpy(float)[near] / 1e3,
        }
    )
    KEPT.mkdir(parents=True, exist_ok=True)
    file = KEPT / f"{code}-{scenario.start.date()}.csv"
    made.to_csv(file, index=False)
    return {"kind": "series", "file": str(file)}


def greedy(before: Trace) -> Schedule:
    """Each job that may wait at its hour of least intensity or tariff, as if it were alone; set-points as before."""
    scenario, drivers = before.scenario, drivers_of(before.scenario)
    (name, choice), jobs = next(iter(scenario.sites.items())), drivers.jobs
    column = "tariff_cny_per_kwh" if scenario.plan.objective == "cost" else "grid_kgco2e_per_kwh"
    price, step_s = drivers.sites[name].frame[column].to_numpy(float), scenario.step_min * 60.0
    edges = np.arange(len(price) + 1) * step_s
    total = np.concatenate([[0.0], np.cumsum(price * step_s)])
    began = before.job_runs[name].start_s
    start, run = began.copy(), np.minimum(jobs.run_s, jobs.limit_s)
    latest = np.minimum(jobs.submit_s + jobs.slack_s, edges[-1] - run)
    for job in np.flatnonzero((jobs.slack_s > 0) & np.isfinite(began) & (latest > began)):
        hours = np.arange(np.ceil(began[job] / H_S), np.floor(latest[job] / H_S) + 1) * H_S
        at = np.concatenate([[began[job]], hours])
        cost = np.interp(at + run[job], edges, total) - np.interp(at, edges, total)
        start[job] = at[np.argmin(cost.round(6))]
    table = pd.DataFrame(
        {
            "job_id": jobs.job_id,
            "status": "started",
            "start_s": start,
            "moved_s": np.nan_to_num(np.maximum(start - began, 0.0)),
            "pool": jobs.pool,
            "site": choice.site.name,
            "reason": "",
        }
    )
    return Schedule(table, dict(before.setpoints), (), {}, scenario.plan.objective, "perfect")  # type: ignore[arg-type]


def measured(trace: Trace) -> dict[str, float]:
    """Emissions at the grid's own hours, cost with the demand charge of the run, energy, water, lateness."""
    frame, h = trace.frame, trace.step_h
    imported = frame["grid_import_kw"]
    site = next(iter(drivers_of(trace.scenario).sites.values()))
    days = (trace.scenario.end - trace.scenario.start).total_seconds() / 86_400
    demand = site.demand_cny_per_kw_month * imported.max() * days / 31
    water = float(frame["water_l_per_h"].sum() * h / 1e3)
    return {
        "kgco2e": float((imported * frame["grid_kgco2e_per_kwh"]).sum() * h),
        "cny": float((imported * frame["tariff_cny_per_kwh"]).sum() * h + demand)
        + water * site.water_cny_per_m3,
        "mwh": float(trace.facility_kw.sum() * h / 1e3),
        "m3": water,
        "late": float(trace.jobs["late"].sum()),
        "gpu_h": float((trace.jobs["gpu_count"] * trace.jobs["ran_s"]).sum() / H_S),
        "pue": float(trace.facility_kw.sum() / frame["it_kw"].sum()),
    }


def run(case: Case) -> dict[str, object]:
    """Baseline, greedy, both halves of the plan and the plan; kept once it is done."""
    file = KEPT / f"{case.name}.json"
    if file.exists():
        return dict(json.loads(file.read_text()))
    scenario = scenario_of(case)
    drivers = drivers_of(scenario)
    before = aidc.simulate(scenario)
    plan = aidc.plan(before)
    after = aidc.simulate(scenario, schedule=plan)
    runs = {
        "baseline": before,
        "greedy": aidc.simulate(scenario, schedule=greedy(before)),
        "shifting": with_setpoints(after, drivers, before.setpoints, "shifting"),
        "setpoints": with_setpoints(before, drivers, plan.setpoints, "setpoints"),
        "plan": after,
    }
    promised = sum(float(f["facility_kw"].sum()) for f in plan.promised.values())
    promised *= scenario.plan.step_min / 60 / 1e3
    found: dict[str, object] = {name: measured(trace) for name, trace in runs.items()}
    found["gap_frac"] = plan.gap_frac
    found["promise_frac"] = measured(after)["mwh"] / promised - 1
    KEPT.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1))
    return found


def table(rows: dict[Case, dict]) -> list[str]:  # type: ignore[type-arg]
    lines = [
        "| jobs, grid, objective | | emissions | cost | energy | water | GPU time | late |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case, found in rows.items():
        base = found["baseline"]
        lines.append(
            f"| **{case.jobs}, {case.grid}, {case.objective}** | baseline | {base['kgco2e'] / 1e3:.2f} t "
            f"| {base['cny']:,.0f} CNY | {base['mwh']:.2f} MWh | {base['m3']:.1f} m3 "
            f"| {base['gpu_h']:,.0f} h | {base['late']:.0f} |"
        )
        for name, label in RUNS.items():
            one = found[name]
            cells = [f"{100 * (one[key] / base[key] - 1):+.2f} %" for key in MEASURED]
            lines.append(f"| | {label} | {' | '.join(cells)} | {one['late'] - base['late']:+.0f} |")
    return lines


def proofs(rows: dict[Case, dict]) -> list[str]:  # type: ignore[type-arg]
    lines = [
        "| case | worst gap of a window | delivered less promised energy | PUE before | after |"
    ]
    lines.append("|---|---|---|---|---|")
    for case, found in rows.items():
        lines.append(
            f"| {case.jobs}, {case.grid}, {case.objective} | {100 * found['gap_frac']:.3f} % | "
            f"{100 * found['promise_frac']:+.3f} % | {found['baseline']['pue']:.4f} | {found['plan']['pue']:.4f} |"
        )
    return lines


def chart(rows: dict[Case, dict]) -> Chart:  # type: ignore[type-arg]
    """Emissions saved by each run, case by case."""
    shown = {case: found for case, found in rows.items() if case.objective == "emissions"}
    colours = dict(
        zip(
            RUNS,
            ("#999999", COLOURS["pv_kw"], COLOURS["cooling_kw"], COLOURS["it_kw"]),
            strict=True,
        )
    )
    saved = pd.DataFrame(
        {
            label: [100 * (1 - f[name]["kgco2e"] / f["baseline"]["kgco2e"]) for f in shown.values()]
            for name, label in RUNS.items()
        },
        index=[f"{case.jobs}\n{case.grid}" for case in shown],
    )
    with drawing(6.2) as figure:
        axes: Axes = figure.subplots()
        place = np.arange(len(saved))[::-1]
        for index, (name, label) in enumerate(RUNS.items()):
            axes.barh(
                place + 0.3 - 0.2 * index, saved[label], 0.2, color=colours[name], label=label
            )
        axes.set_yticks(place, list(saved.index))
        axes.axvline(0, color="#222222", linewidth=0.8)
        axes.set_xlabel("emissions saved against the baseline, %")
        axes.legend(loc="lower right")
    return Chart("savings", "Where the saving comes from", "", "", figure, saved)


def page(rows: dict[Case, dict]) -> str:  # type: ignore[type-arg]
    text = [
        "# Where a saving comes from",
        "",
        "Written by `docs/compare_savings.py`. Each case plays a week five times through the same plant, with the same jobs: the",
        "baseline; greedy shifting (each job that may wait at its cheapest hour as if it were alone, set-points of the baseline); the",
        "job starts of the plan alone; its set-points alone; the plan. Emissions are those of the hours of the grid named, so a flat",
        "factor shows what is left without carbon hours: PV that would be curtailed, cooler hours, set-points. 30 % of the jobs may",
        "wait 6 or 24 h. Singapore's and Korea's hours (Electricity Maps, direct intensity, the same days) stand in for a measured grid:",
        "no hourly intensity of a mainland grid is public, so the Chinese hours are synthetic.",
        "",
        "![savings](savings.png)",
        "",
        *table(rows),
        "",
        "GPU time is what was delivered inside the week. Greedy shifting takes no notice of boards, so its jobs start later than it",
        "means them to: some end after their deadline, and part of their work falls out of the week, which is no saving. The plan keeps",
        "both. Under a flat factor next to all comes from set-points; with hours of carbon the plan's shifting adds 0.01 to 0.3",
        "of a per cent, as intensity differs little within a day and 30 % of the jobs hold less than a fifth of the GPU time. Under `cost` shifting",
        "and the demand charge bring a tenth to two thirds as much again as set-points.",
        "",
        "Cost has the month's demand charge on the week's peak, in proportion to days. Late: jobs past their deadline, against the baseline's.",
        "",
        *proofs(rows),
        "",
    ]
    return "\n".join(text)


def main() -> None:
    rows = {}
    for case in cases():
        rows[case] = run(case)
        print(case.name, "done", flush=True)
    PAGE.write_text(page(rows), encoding="utf-8", newline="\n")
    CHART.write_bytes(chart(rows).png())


if __name__ == "__main__":
    main()
