"""A window without a plan: the baseline's set-points, and every job where it stands."""

import numpy as np
import pandas as pd

from aidc.optimization.bound import run_like_baseline
from aidc.optimization.problem import WindowProblem, bus_of
from aidc.optimization.window import WindowPlan
from aidc.schedule import SetPoints, WindowProof


def hold_baseline(problem: WindowProblem, fault: str) -> WindowPlan:
    """What is done in a window that has no plan; it needs no solver, and proves nothing.

    Args:
        problem: the window.
        fault: why it has no plan.
    """
    scenario = problem.scenario
    per_slot = round(scenario.plan.step_min / scenario.step_min)
    bus = bus_of(problem, per_slot)
    slots = np.arange(len(bus.pv_kw) + 1, dtype=np.float64)
    edges = problem.state.now_s + slots * scenario.plan.step_min * 60.0
    cost, tables, money = run_like_baseline(
        problem.under(problem.stands.level), bus, edges, problem.at, scenario.plan.goals[-1]
    )
    site_kw = tables.facility_kw[:, 0, 0]
    index = problem.forecast.frame.index
    promised = pd.DataFrame(
        {
            "facility_kw": site_kw,
            "it_reference_kw": tables.it_kw[:, 0],
            "import_kw": np.maximum(site_kw - bus.pv_kw, 0.0),
            "side": money.side[:, 0, 0],
            "option": np.zeros(len(site_kw), np.int64),
        },
        index=index[::per_slot],
    )
    proof = WindowProof(
        site=problem.site.name,
        start=index[0].isoformat(),
        status="fallback",
        unit=money.unit,
        objective=cost,
        bound=0.0,
        gap_frac=1.0,
        gap_pue=float(site_kw.sum() / tables.it_kw.sum()),
        baseline=cost,
        sha256="",
        earlier=(),
        columns=0,
        rows=0,
        binaries=0,
        jobs_movable=len(problem.movable.row),
        jobs_moved=0,
        fault=fault,
        quotas="",
        full=False,
        build_s=0.0,
        solve_s=0.0,
        bound_s=0.0,
    )
    held = np.full(len(index), scenario.baseline.supply_air_degc)
    return WindowPlan(
        problem.movable.row, problem.stands, SetPoints.at_rest(held), promised, proof, {}, None
    )
