"""HiGHS on a Pyomo model: standard form, explicit options, and a result that always says its bound."""

import time
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from aidc.errors import InfeasibleError, PlanError, SolverTimeoutError

SEED = 0
SMALLEST_GAP = 1e-6  # HiGHS' own, absolute


@dataclass(frozen=True, slots=True)
class Solution:
    """What the solver found; the values are loaded into the model.

    Attributes:
        status: ``optimal`` (within the gap) or ``time_limit`` with a feasible point.
        objective, bound: in the objective's unit; no feasible point is below the bound.
        columns, rows, binaries: size of the model as solved.
        transfer_s, solve_s: wall times.
    """

    status: Literal["optimal", "time_limit"]
    objective: float
    bound: float
    columns: int
    rows: int
    binaries: int
    transfer_s: float
    solve_s: float


def solve(
    model: pyo.ConcreteModel, *, gap_frac: float, limit_s: float, what: str, gap_abs: float = 0.0
) -> Solution:
    """Minimises a linear model.

    Args:
        model: a Pyomo model with one active objective.
        gap_frac: relative gap at which HiGHS may stop.
        limit_s: wall time.
        what: name of the window, for messages.
        gap_abs: gap in the objective's unit at which HiGHS may stop too.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no feasible point within the time.
        PlanError: HiGHS stopped for another reason.
    """
    began = time.perf_counter()
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True)
    except InfeasibleConstraintException as error:
        raise InfeasibleError(f"{what}: {error}") from None
    lp = _as_highs(form)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("mip_rel_gap", gap_frac),
        ("mip_abs_gap", max(gap_abs, SMALLEST_GAP)),
        ("time_limit", limit_s),
        ("threads", 1),
        ("random_seed", SEED),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    loaded = time.perf_counter()
    solver.run()
    done = time.perf_counter()
    status, info = solver.getModelStatus(), solver.getInfo()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if status in (
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    ):
        raise InfeasibleError(
            f"{what}: the limits leave no plan ({lp.num_row_} rows, {lp.num_col_} columns)"
        )
    if not feasible:
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise SolverTimeoutError(
                f"{what}: no plan within {limit_s:g} s; raise plan.limit or plan.gap"
            )
        raise PlanError(f"{what}: HiGHS stopped with {solver.modelStatusToString(status)}")
    for variable, value in zip(form.columns, solver.getSolution().col_value, strict=True):
        variable.set_value(value, skip_validation=True)
    binaries = int(sum(kind == highspy.HighsVarType.kInteger for kind in lp.integrality_))
    objective = float(info.objective_function_value)
    return Solution(
        status="time_limit" if status == highspy.HighsModelStatus.kTimeLimit else "optimal",
        objective=objective,
        bound=float(info.mip_dual_bound) if binaries else objective,
        columns=int(lp.num_col_),
        rows=int(lp.num_row_),
        binaries=binaries,
        transfer_s=loaded - began,
        solve_s=done - loaded,
    )


def relaxed_duals(model: pyo.ConcreteModel) -> dict[str, dict[Any, float]]:
    """Duals of the linear relaxation, constraint name -> index -> what a unit more on its right costs.

    Pyomo may turn an inequality about; the sign of its dual is then the other one.

    Args:
        model: a Pyomo model with one active objective.

    Raises:
        PlanError: the relaxation has no optimum.
    """
    form = LinearStandardFormCompiler().write(model, mixed_form=True)
    lp = _as_highs(form)
    lp.integrality_ = []
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise PlanError(f"relaxation: HiGHS stopped with {solver.modelStatusToString(status)}")
    found: dict[str, dict[Any, float]] = {}
    for entry, value in zip(form.rows, solver.getSolution().row_dual, strict=True):
        rows = entry.constraint.parent_component().local_name
        found.setdefault(rows, {})[entry.constraint.index()] = float(value)
    return found


def _as_highs(form: object) -> highspy.HighsLp:
    """The compiled standard form as a HiGHS model."""
    lp = highspy.HighsLp()
    matrix = form.A.tocsc()  # type: ignore[attr-defined]
    rows, columns = matrix.shape
    lp.num_row_, lp.num_col_ = rows, columns
    lp.col_cost_ = np.asarray(form.c.todense(), np.float64).ravel()  # type: ignore[attr-defined]
    lp.offset_ = float(form.c_offset[0])  # type: ignore[attr-defined]
    lower, upper, kinds = [], [], []
    for variable in form.columns:  # type: ignore[attr-defined]
        low, high = variable.bounds
        lower.append(-highspy.kHighsInf if low is None else low)
        upper.append(highspy.kHighsInf if high is None else high)
        kinds.append(
            highspy.HighsVarType.kContinuous
            if variable.is_continuous()
            else highspy.HighsVarType.kInteger
        )
    lp.col_lower_, lp.col_upper_, lp.integrality_ = np.array(lower), np.array(upper), kinds
    row_lower, row_upper = np.full(rows, -highspy.kHighsInf), np.full(rows, highspy.kHighsInf)
    for index, (entry, bound) in enumerate(zip(form.rows, form.rhs, strict=True)):  # type: ignore[attr-defined]
        if entry.bound_type >= 0:
            row_upper[index] = bound
        if entry.bound_type <= 0:
            row_lower[index] = bound
    lp.row_lower_, lp.row_upper_ = row_lower, row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    return lp


def self_test() -> float:
    """Objective of the smallest integer model whose rounding is not trivial; 7 where all is well."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.NonNegativeIntegers), pyo.Var(domain=pyo.NonNegativeIntegers)
    m.enough = pyo.Constraint(expr=m.x + m.y >= 3)
    m.some_x = pyo.Constraint(expr=2 * m.x >= 1)
    m.cost = pyo.Objective(expr=3 * m.x + 2 * m.y)
    return solve(m, gap_frac=0.0, limit_s=10.0, what="self-test").objective
