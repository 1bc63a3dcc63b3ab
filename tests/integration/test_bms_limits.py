"""However short its time, a controller answers in it: with a plan, or with the last one held."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from aidc.bms import Advice, Controller, State, advise
from aidc.errors import InputError
from tests.bms import hall, observed

STEP = timedelta(minutes=30)
LATER = hall().start + timedelta(hours=12)  # a new plan is due
BUSY_S = 0.5  # what a shared machine may add to a step


def before() -> State:
    """The memory just before a new plan is due."""
    _, state = advise(hall(), observed(hall(), hall().start), State())
    return replace(state, time=LATER - STEP)


def assert_planned_or_held(advice: Advice) -> None:
    assert advice.status in ("planned", "held")
    assert all(point.action == "write" and point.value is not None for point in advice.setpoints)
    if advice.status == "held":
        assert "no plan" in advice.reason[1]


@pytest.mark.parametrize("limit_s", [0.05, 0.2, 1.0, 4.0])
def test_a_step_is_planned_or_held_within_any_limit(limit_s: float) -> None:
    with Controller(hall(), limit_s=limit_s, state=before().to_json()) as controller:
        assert controller.prepare(60)
        for seen in (observed(hall(), LATER), observed(hall(), LATER + STEP)):
            began = time.monotonic()
            advice = controller.step(seen)
            assert time.monotonic() - began < limit_s + BUSY_S
            assert_planned_or_held(advice)


@pytest.mark.parametrize("limit_s", [0.05, 0.2, 1.0])
def test_the_process_that_is_not_ready_is_held_over_too(limit_s: float) -> None:
    with Controller(hall(), limit_s=limit_s, state=before().to_json()) as controller:
        began = time.monotonic()
        advice = controller.step(observed(hall(), LATER))
        assert time.monotonic() - began < limit_s + BUSY_S
        assert advice.status == "held"
        assert "getting ready" in advice.reason[1]


@pytest.mark.parametrize("limit_s", [1e-3, 0.05, 0.2, 1.0])
def test_a_solver_with_hardly_any_time_leaves_a_plan_or_the_last_one(limit_s: float) -> None:
    plan = hall().plan.model_copy(update={"limit_s": limit_s})
    advice, _ = advise(hall().model_copy(update={"plan": plan}), observed(hall(), LATER), before())
    assert_planned_or_held(advice)


def test_a_limit_that_is_no_time_is_refused() -> None:
    with pytest.raises(InputError, match="leaves no time to plan"):
        Controller(hall(), limit_s=0.0)
