"""The solver's own process: what it says, and that it is killed when it does not come back."""

import time

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from aidc.errors import SolverTimeoutError
from aidc.optimization import highs_process
from aidc.optimization import problem as window_problem
from aidc.optimization.model import site_model
from aidc.optimization.solve import parts_of, self_test, solve
from tests.windows import Air, Job, TableModel, problem_of, scenario_with

LIMIT_S = 0.2
FOREVER = {"output_flag": False, "threads": 1, "mip_rel_gap": 0.0}


def market_split(rows: int = 5, columns: int = 40) -> pyo.ConcreteModel:
    """Nearest subset sums to half of random totals: easy to begin, and nobody proves it in minutes."""
    rng = np.random.default_rng(7)
    weight = rng.integers(1, 100, (rows, columns))
    m = pyo.ConcreteModel()
    m.I, m.J = pyo.RangeSet(0, rows - 1), pyo.RangeSet(0, columns - 1)
    m.x = pyo.Var(m.J, domain=pyo.Binary)
    m.over, m.under = pyo.Var(m.I, bounds=(0, None)), pyo.Var(m.I, bounds=(0, None))
    m.half = pyo.Constraint(
        m.I,
        rule=lambda m, i: (
            pyo.quicksum(int(weight[i, j]) * m.x[j] for j in m.J) + m.under[i] - m.over[i]
            == int(weight[i].sum() // 2)
        ),
    )
    m.objective = pyo.Objective(expr=pyo.quicksum(m.over[i] + m.under[i] for i in m.I))
    return m


def test_a_solver_that_runs_over_its_time_is_killed_and_its_best_plan_is_kept() -> None:
    """HiGHS is told of no limit here, as if it did not heed one."""
    self_test()  # the process is up
    parts = parts_of(LinearStandardFormCompiler().write(market_split(), mixed_form=True))
    began = time.monotonic()
    said = highs_process.run(parts, FOREVER, LIMIT_S)
    assert time.monotonic() - began < LIMIT_S + highs_process.GRACE_S + 2.0
    assert said["killed"]
    assert said["status"] == "kTimeLimit"
    assert said["primal"]
    assert said["bound"] <= said["objective"] < 1e6
    assert len(said["values"]) == 50
    assert self_test() == 7.0, "the next model finds a new process"


def test_a_limit_with_a_feasible_point_is_a_plan_with_its_bound() -> None:
    found = solve(market_split(), gap_frac=0.0, limit_s=LIMIT_S, what="split")
    assert found.status == "time_limit"
    assert found.bound <= found.objective


def test_a_limit_too_short_for_a_real_window_is_told_as_such_and_kept() -> None:
    hours = 48
    air = Air([30.0] * hours, [20.0] * hours, [0.0] * hours, [0.5] * hours, [1.0] * hours)
    problem = problem_of(scenario_with(step_min=60.0), air, [Job(0, 4, 2, 8, 0.3)], fixed_gpus=200)
    model = TableModel.of(problem)
    kept = window_problem.kept_options(model.tables, model.money, model.bus)
    site = site_model(model.tables, model.money, model.bus, kept)
    began = time.monotonic()
    with pytest.raises(
        SolverTimeoutError, match=r"window: no plan within 1e-09 s; raise plan.limit"
    ):
        solve(site, gap_frac=0.0, limit_s=1e-9, what="window")
    assert time.monotonic() - began < highs_process.GRACE_S + 2.0
