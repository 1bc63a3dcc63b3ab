"""A window without a plan holds the baseline, is counted, and stops nothing."""

from pathlib import Path

import numpy as np
import pytest

import aidc
from aidc.api import run
from aidc.api.verify_plan import verify_plan
from aidc.errors import InfeasibleError
from aidc.optimization import record
from aidc.optimization.problem import WindowProblem
from aidc.optimization.window import WindowPlan, plan_window
from tests.integration.test_plan_replay import END_OF_TWO, room

WHY = "lingang, window: the tower is on holiday"


def refused_from(first_s: float, until_s: float, patch: pytest.MonkeyPatch) -> None:
    def planned(problem: WindowProblem) -> WindowPlan:
        if first_s <= problem.state.now_s < until_s:
            raise InfeasibleError(WHY)
        return plan_window(problem)

    patch.setattr(record, "plan_window", planned)


def test_one_window_without_a_plan_holds_the_baseline_and_the_others_are_planned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused_from(86_400.0, np.inf, monkeypatch)
    result = run(room().replace("end", END_OF_TWO), tmp_path / "out", ends=False)
    assert result.fault is None
    plan = result.summary["plan"]
    assert (plan["status"], plan["windows"], plan["windows_fallback"]) == ("fallback", 2, 1)
    assert plan["gap_frac"] < 0.1, "of the window that has a plan"
    schedule = result.report.study.schedule
    assert schedule is not None
    assert schedule.windows[1].fault == WHY
    supply = schedule.setpoints["lingang"].supply_degc.reshape(2, -1)
    assert (supply[1] == 24.0).all()
    assert (supply[0] != 24.0).any()
    assert abs(plan["difference_frac"]) < 0.01, "promised and delivered"
    assert any("1 of 2 windows have no plan and hold the baseline" in one for one in result.lines())
    assert WHY in result.report.html
    assert [window.faults for window in verify_plan(tmp_path / "out")] == [()]


def test_only_when_no_window_has_a_plan_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    refused_from(0.0, np.inf, monkeypatch)
    before = aidc.simulate(room())
    with pytest.raises(InfeasibleError, match="tower is on holiday"):
        aidc.plan(before)
