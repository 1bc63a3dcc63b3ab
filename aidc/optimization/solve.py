"""HiGHS on a Pyomo model: standard form, explicit options, and a result that always says its bound."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from aidc.errors import InfeasibleError, PlanError, SolverTimeoutError
from aidc.optimization import highs_process
from aidc.optimization.explain import Elastic
from aidc.optimization.job_columns import with_jobs
from aidc.optimization.model import ClassColumns

SEED = 0
Array = NDArray[np.float64]
Duals = dict[str, dict[Any, float]]  # constraint name -> index
WHY_GAP_FRAC = 0.01  # an explanation need not be the very least
SMALLEST_GAP = 1e-6  # HiGHS' own, absolute


@dataclass(frozen=True, slots=True)
class Solution:
    """What the solver found; the values are loaded into the model.

    Attributes:
        status: ``optimal`` (within the gap) or ``time_limit`` with a feasible point.
        objective, bound: in the objective's unit; no feasible point is below the bound.
        columns, rows, binaries: size of the model as solved.
        transfer_s, solve_s: wall times.
        start_share: share of each class' work that takes a start, shape (columns,); without jobs empty.
    """

    status: Literal["optimal", "time_limit"]
    objective: float
    bound: float
    columns: int
    rows: int
    binaries: int
    transfer_s: float
    solve_s: float
    start_share: Array


def solve(
    model: pyo.ConcreteModel,
    *,
    jobs: ClassColumns | None = None,
    gap_frac: float,
    limit_s: float,
    what: str,
    gap_abs: float = 0.0,
    explain: bool = True,
) -> Solution:
    """Minimises a linear model.

    Args:
        model: a Pyomo model with one active objective.
        jobs: columns that join it as arrays (`job_columns`); None: it has them, or there are none.
        gap_frac: relative gap at which HiGHS may stop.
        limit_s: wall time.
        what: name of the window, for messages.
        gap_abs: gap in the objective's unit at which HiGHS may stop too.
        explain: say which requirement cannot be met where there is no plan; the model is spent then.
            It speaks of the Pyomo model alone.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no feasible point within the time.
        PlanError: HiGHS stopped for another reason.
    """
    began = time.perf_counter()
    try:
        form, parts = compiled(model, jobs)
    except InfeasibleConstraintException as error:
        why = _why(model, limit_s) if explain else ""
        raise InfeasibleError(f"{what}: {why or error}") from None
    options = {
        "output_flag": False,
        "mip_rel_gap": gap_frac,
        "mip_abs_gap": max(gap_abs, SMALLEST_GAP),
        "time_limit": limit_s,
        "threads": 1,
        "random_seed": SEED,
    }
    loaded = time.perf_counter()
    said = highs_process.run(parts, options, limit_s)
    done = time.perf_counter()
    status, rows, columns = said["status"], parts["num_row_"], parts["num_col_"]
    if status in ("kInfeasible", "kUnboundedOrInfeasible"):
        why = _why(model, limit_s) if explain else ""
        raise InfeasibleError(
            f"{what}: {why or f'the limits leave no plan ({rows} rows, {columns} columns)'}"
        )
    if not said["primal"]:
        if status == "kTimeLimit":
            raise SolverTimeoutError(
                f"{what}: no plan within {limit_s:g} s; raise plan.limit or plan.gap"
            )
        raise PlanError(f"{what}: HiGHS stopped with {status}")
    start_share = loaded_values(form, said["values"])
    binaries = int(parts["whole"].sum())
    return Solution(
        status="time_limit" if status == "kTimeLimit" else "optimal",
        objective=said["objective"],
        bound=said["bound"] if binaries else said["objective"],
        columns=columns,
        rows=rows,
        binaries=binaries,
        transfer_s=loaded - began,
        solve_s=done - loaded,
        start_share=start_share,
    )


def compiled(
    model: pyo.ConcreteModel, jobs: ClassColumns | None = None
) -> tuple[Any, dict[str, Any]]:
    """The standard form of a model, and the arrays for `highs_process.run` with its job columns."""
    form = LinearStandardFormCompiler().write(model, mixed_form=True)
    parts = parts_of(form)
    return form, parts if jobs is None else with_jobs(parts, form, jobs)


def loaded_values(form: Any, values: Sequence[float]) -> Array:
    """Puts values into the model of a form; those of the job columns after it come back, shape (columns,)."""
    own = len(form.columns)
    for variable, value in zip(form.columns, values[:own], strict=True):
        variable.set_value(value, skip_validation=True)
    return np.array(values[own:], np.float64)


def _why(model: pyo.ConcreteModel, limit_s: float) -> str:
    """Which requirement cannot be met; empty where that is not found either."""
    elastic = Elastic.of(model)
    try:
        solve(model, gap_frac=WHY_GAP_FRAC, limit_s=limit_s, what="", explain=False)
    except PlanError:
        return ""
    return elastic.told()


def solve_or_by_rule(
    model: pyo.ConcreteModel,
    *,
    gap_frac: float,
    limit_s: float,
    what: str,
    explain: bool,
    jobs: ClassColumns | None = None,
) -> Solution:
    """As `solve`; without a plan in time once more with the chillers by the plant's rule, a smaller model.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no feasible point within the time, nor in as much again by the rule.
        PlanError: HiGHS stopped for another reason.
    """
    try:
        return solve(
            model, jobs=jobs, gap_frac=gap_frac, limit_s=limit_s, what=what, explain=explain
        )
    except SolverTimeoutError:
        if model.component("by_rule") is None:
            raise
    model.by_rule.fix(1)
    found = solve(model, jobs=jobs, gap_frac=gap_frac, limit_s=limit_s, what=what, explain=explain)
    return replace(found, status="time_limit")


def relaxed_values(model: pyo.ConcreteModel, limit_s: float) -> None:
    """Loads the values of the linear relaxation into a model.

    Args:
        model: a Pyomo model with one active objective.
        limit_s: wall time.

    Raises:
        PlanError: the relaxation has no optimum, or not in its time.
    """
    form, said = _relaxed(model, limit_s)
    loaded_values(form, said["values"])


def _relaxed(
    model: pyo.ConcreteModel, limit_s: float, jobs: ClassColumns | None = None
) -> tuple[Any, highs_process.Message]:
    """The standard form of a model and what HiGHS says of its linear relaxation."""
    form, parts = compiled(model, jobs)
    parts["whole"][:] = 0
    options = {"output_flag": False, "threads": 1, "time_limit": limit_s}
    said = highs_process.run(parts, options, limit_s)
    if said["status"] != "kOptimal":
        raise PlanError(f"relaxation: HiGHS stopped with {said['status']}")
    return form, said


def relaxed_duals(
    model: pyo.ConcreteModel, limit_s: float, jobs: ClassColumns | None = None
) -> Duals:
    """Duals of the linear relaxation, constraint name -> index -> what a unit more on its right costs.

    Pyomo may turn an inequality about; the sign of its dual is then the other one.

    Args:
        model: a Pyomo model with one active objective.
        limit_s: wall time.
        jobs: columns that join it as arrays, whose own rows have no name here.

    Raises:
        PlanError: the relaxation has no optimum, or not in its time.
    """
    form, said = _relaxed(model, limit_s, jobs)
    return named_duals(form, said["duals"])


def named_duals(form: Any, duals: Sequence[float]) -> Duals:
    """Duals of the rows of a compiled standard form, constraint name -> index -> dual; rows after it are left out."""
    found: Duals = {}
    for entry, value in zip(form.rows, duals[: len(form.rows)], strict=True):
        rows = entry.constraint.parent_component().local_name
        found.setdefault(rows, {})[entry.constraint.index()] = float(value)
    return found


def parts_of(form: Any) -> dict[str, Any]:
    """The compiled standard form as `highs_process.run` takes it."""
    matrix = form.A.tocsc()
    bounds = [variable.bounds for variable in form.columns]
    rows = len(form.rows)
    row_lower, row_upper = np.full(rows, -np.inf), np.full(rows, np.inf)
    for index, (entry, bound) in enumerate(zip(form.rows, form.rhs, strict=True)):
        if entry.bound_type >= 0:
            row_upper[index] = bound
        if entry.bound_type <= 0:
            row_lower[index] = bound
    return {
        "num_row_": rows,
        "num_col_": len(bounds),
        "col_cost_": np.asarray(form.c.todense(), np.float64).ravel(),
        "offset_": float(form.c_offset[0]),
        "col_lower_": np.array([-np.inf if low is None else low for low, _ in bounds], np.float64),
        "col_upper_": np.array(
            [np.inf if high is None else high for _, high in bounds], np.float64
        ),
        "row_lower_": row_lower,
        "row_upper_": row_upper,
        "matrix": (matrix.indptr, matrix.indices, matrix.data),
        "whole": np.array([not one.is_continuous() for one in form.columns], np.int64),
    }


def self_test() -> float:
    """Objective of the smallest integer model whose rounding is not trivial; 7 where all is well."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.NonNegativeIntegers), pyo.Var(domain=pyo.NonNegativeIntegers)
    m.enough = pyo.Constraint(expr=m.x + m.y >= 3)
    m.some_x = pyo.Constraint(expr=2 * m.x >= 1)
    m.cost = pyo.Objective(expr=3 * m.x + 2 * m.y)
    return solve(m, gap_frac=0.0, limit_s=10.0, what="self-test").objective
