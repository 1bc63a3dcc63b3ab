"""A window whose chillers cannot be counted in time is planned by the plant's rule, and says so."""

from typing import Any

import pyomo.environ as pyo
import pytest

from aidc.errors import SolverTimeoutError
from aidc.optimization import solve as solver
from tests.golden import models


def test_without_a_plan_in_time_the_rule_decides_and_the_status_says_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, whole = models.chiller_model(), solver.solve

    def too_large_when_counted(given: pyo.ConcreteModel, **options: Any) -> solver.Solution:
        if not given.by_rule.fixed:
            raise SolverTimeoutError("no plan within 0 s")
        return whole(given, **options)

    monkeypatch.setattr(solver, "solve", too_large_when_counted)
    found = solver.solve_or_by_rule(model, gap_frac=0.0, limit_s=20.0, what="hall", explain=False)
    assert found.status == "time_limit"
    assert pyo.value(model.by_rule) == 1
    counted = whole(models.chiller_model(), gap_frac=0.0, limit_s=20.0, what="hall")
    assert found.objective >= counted.objective - 1e-6


def test_where_nothing_is_counted_the_timeout_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> solver.Solution:
        raise SolverTimeoutError("no plan within 0 s")

    monkeypatch.setattr(solver, "solve", never)
    with pytest.raises(SolverTimeoutError):
        solver.solve_or_by_rule(
            models.window_model(), gap_frac=0.0, limit_s=1.0, what="hall", explain=False
        )
