"""What one objective costs in another: plans between the ends of several axes, each played."""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.api.drivers import drivers_of
from aidc.api.progress import Stages
from aidc.api.verbs import lived, simulate
from aidc.errors import InputError
from aidc.reporting.charts.pareto_chart import pareto_chart
from aidc.reporting.figures import costs
from aidc.reporting.pareto import AXES, not_dominated
from aidc.reporting.study import Prices
from aidc.scenario import Scenario
from aidc.scenario_file import resolved_text
from aidc.schedule import Schedule
from aidc.trace import Trace
from aidc.units import KG_PER_T, L_PER_M3, S_PER_H

WEIGHT: Final = {
    "emissions": ("emissions_cny_per_kg", KG_PER_T),
    "cost": ("cost", 1.0),
    "water": ("water_cny_per_m3", 1.0),
    "delay": ("delay_cny_per_gpu_h", 1.0),
}  # of the weighted objective, and its units in a unit of the axis
UNDELAYED: Final = {"cost": 0.0, "delay_cny_per_gpu_h": 1.0}
MOST_PLANS = 100


def pareto(
    before: Trace,
    axes: Sequence[str] = ("emissions", "cost"),
    points: int = 7,
    *,
    folder: Path | None = None,
    stages: Stages | None = None,
) -> pd.DataFrame:
    """Plans from one end of each axis to the others, each played, and the baseline.

    At an end its axis alone counts; no job is put off at the end of ``delay``, where the others follow, one
    after the other. Between the ends stand plans of weighted sums; an axis weighs by a share over the range
    that the ends span, and the shares go in equal steps from end to end. What lies in a dent between two
    such plans is not found, and plans nearer to each other than their gaps may change places.

    Args:
        before: the baseline.
        axes: two or more of ``emissions``, ``cost``, ``water``, ``delay``.
        points: plans along an edge, both ends counted.
        folder: of finished plans, which are not made again, and of ``pareto.csv`` and its chart.
        stages: who tells of progress.

    Returns:
        A row a plan: ``plan``, ``objective``, the values of all axes, ``gap_frac`` of the worst window, and
        whether it is ``on_front``: no other plan is as good on every chosen axis and better on one.

    Raises:
        InputError: an axis that is none, or too few or too many plans.
    """
    _check(axes, points)
    scenario, told = before.scenario, stages or Stages(quiet=True)
    rows = [{"plan": "baseline", "objective": "", **_values(before, None), "gap_frac": np.nan}]
    for axis in axes:
        others = [other for other in axes if other != axis]
        goal = [UNDELAYED, *others] if axis == "delay" else axis
        rows.append(_made(scenario, before, f"least {axis}", goal, folder, told))
    ends = pd.DataFrame(rows[1:])
    for share in _between(len(axes), points):
        weights = _weights(dict(zip(axes, share, strict=True)), ends)
        name = ", ".join(f"{part:.0%} {axis}" for axis, part in zip(axes, share, strict=True))
        rows.append(_made(scenario, before, name, weights, folder, told))
    table = pd.DataFrame(rows)
    table["on_front"] = not_dominated(table[[AXES[axis].column for axis in axes]].to_numpy(float))
    table.loc[0, "on_front"] = False  # the baseline is what plans are compared with
    if folder is not None:
        _saved(table, axes, folder)
    return table


def pareto_of(
    scenario: Scenario, axes: Sequence[str], points: int, folder: Path, stages: Stages
) -> pd.DataFrame:
    """The same from the scenario; see `pareto`."""
    _check(axes, points)
    with stages.stage("baseline") as stage:
        before = simulate(scenario, progress=lambda _, share: stage.at(share))
    return pareto(before, axes, points, folder=folder, stages=stages)


def _check(axes: Sequence[str], points: int) -> None:
    strange = [axis for axis in axes if axis not in AXES]
    if strange or len(axes) < 2 or len(set(axes)) < len(axes):
        raise InputError(
            f"axes {', '.join(axes) or 'of nothing'}: give two or more different ones of {', '.join(AXES)}"
        )
    if points < 2:
        raise InputError(f"{points} points are no front; give 2 or more")
    plans = len(axes) + len(_between(len(axes), points))
    if plans > MOST_PLANS:
        raise InputError(
            f"{points} points on {len(axes)} axes are {plans} plans; give fewer points"
        )


def _between(axes: int, points: int) -> list[tuple[float, ...]]:
    """Shares of the axes that add up to 1 in equal steps, without the ends."""
    steps = points - 1
    counts = itertools.product(range(steps + 1), repeat=axes)
    return [
        tuple(part / steps for part in count)
        for count in counts
        if sum(count) == steps and max(count) < steps
    ]


def _weights(shares: Mapping[str, float], ends: pd.DataFrame) -> dict[str, float]:
    """Weights in CNY under which each axis counts by its share of the range that the ends span."""
    found = {"cost": 0.0}
    scale = 1.0
    ranges = {axis: float(np.ptp(ends[AXES[axis].column])) for axis in shares}
    if shares.get("cost", 0.0) > 0 and ranges["cost"] > 0:
        scale = ranges["cost"] / shares["cost"]  # so that a CNY is a CNY
    for axis, share in shares.items():
        key, units = WEIGHT[axis]
        found[key] = float(f"{scale * share / (max(ranges[axis], 1e-9) * units):.4g}")
    return found


def _made(
    scenario: Scenario,
    before: Trace,
    name: str,
    objective: object,
    folder: Path | None,
    stages: Stages,
) -> dict[str, Any]:
    """One plan, or what a folder says of it."""
    changed = scenario.replace("plan.objective", objective)
    key = hashlib.sha256(resolved_text(changed).encode()).hexdigest()[:16]
    file = None if folder is None else folder / "plans" / f"{key}.json"
    if file is not None and file.exists():
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return read | {"plan": name}
    windows = (scenario.end - scenario.start).total_seconds() / S_PER_H / scenario.plan.commit_h
    total, done = max(1.0, np.ceil(windows)) * len(scenario.sites), 0
    with stages.stage(name) as stage:

        def told(_: object) -> None:
            nonlocal done
            done += 1
            stage.at(done / total)

        schedule, trace = lived(changed, before, told)
    row = {
        "plan": name,
        "objective": changed.plan.objective_name,
        **_values(trace, schedule),
        "gap_frac": schedule.gap_frac,
    }
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
        part.replace(file)
    return row


def _values(trace: Trace, schedule: Schedule | None) -> dict[str, float]:
    """Values of all axes in a run."""
    frame, drivers = trace.frame, drivers_of(trace.scenario)
    prices = {
        name: Prices(site.demand_cny_per_kw_month, site.water_cny_per_m3)
        for name, site in drivers.sites.items()
    }
    kg = float((frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() * trace.step_h)
    late_h = 0.0
    if schedule is not None:
        moved_s = schedule.decisions["moved_s"].to_numpy(np.float64)
        late_h = float(np.nansum(moved_s * drivers.jobs.gpu_count) / S_PER_H)
    return {
        "emissions_tco2e": kg / KG_PER_T,
        "cost_cny": float(costs(trace, prices)["cost_cny"]),
        "water_m3": float(frame["water_l_per_h"].sum() * trace.step_h) / L_PER_M3,
        "delay_gpu_h": late_h,
    }


def _saved(table: pd.DataFrame, axes: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "pareto.csv", index=False, lineterminator="\n")
    chart = pareto_chart(table, axes)
    (folder / "pareto.png").write_bytes(chart.png())
    (folder / "pareto.svg").write_bytes(chart.svg_file())
