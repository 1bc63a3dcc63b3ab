"""A limit that the grid asks for: the plan keeps it where it can, pays for it where not, and nobody hides it."""

from functools import cache

import numpy as np
import pytest

import aidc
from aidc.optimization import bound as window_bound
from aidc.optimization.view import View
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.trace import Trace
from tests.windows import SCENARIOS, Air, Job, TableModel, problem_of, scenario_with

LIMIT = {
    "kind": "import_limit",
    "start": "2023-07-03T15:00:00+08:00",
    "end": "2023-07-03T18:00:00+08:00",
}


@cache
def room(limit_kw: float, battery_kwh: float) -> Scenario:
    made = aidc.load(
        SCENARIOS / "lingang-week.yaml",
        sets=[
            "site.model=helios-hall", "pathway=null", "seed=3", "end=2023-07-04T00:00:00+08:00",
            "workload.jobs_per_day=400", "plan.window=24 h", "step=60 min",
            f"site.battery_kwh={battery_kwh}",
        ],
    )  # fmt: skip
    return made.replace("events", [LIMIT | {"limit": f"{limit_kw} kW"}])


@cache
def planned(limit_kw: float, battery_kwh: float) -> tuple[Trace, Schedule, Trace]:
    scenario = room(limit_kw, battery_kwh)
    before = aidc.simulate(scenario)
    schedule = aidc.plan(before)
    return before, schedule, aidc.simulate(scenario, schedule=schedule)


def hours_kw(trace: Trace) -> np.ndarray:
    return trace.frame["grid_import_kw"].to_numpy(float)[15:18]


def test_a_battery_keeps_the_import_below_the_limit() -> None:
    free = planned(1e6, 300.0)[2]
    limit_kw = round(0.8 * float(hours_kw(free).min()), 1)
    before, schedule, after = planned(limit_kw, 300.0)
    assert before.counts["import_above_limit_steps"] == 3
    assert (hours_kw(after) <= limit_kw + 1e-6).all()
    assert after.counts["import_above_limit_kwh"] == pytest.approx(0.0, abs=1e-6)
    assert schedule.gap_frac < 0.01


def test_what_cannot_be_kept_is_counted_and_told() -> None:
    before, schedule, after = planned(1.0, 0.0)
    over = after.counts["import_above_limit_kwh"]
    assert over == pytest.approx(float((hours_kw(after) - 1.0).sum()))
    assert 0 < over < before.counts["import_above_limit_kwh"], "set-points and jobs give way"
    assert schedule.gap_frac < 0.02, "the bound knows what the limit costs"
    told = aidc.report(before, after).summary
    assert told["counts"]["optimized"]["import_above_limit_kwh"] == pytest.approx(over)


@pytest.mark.parametrize("limit_kw", [20.0, 60.0, 80.0, 100.0, 140.0])
@pytest.mark.parametrize("battery_kwh", [0.0, 40.0])
def test_the_bound_under_a_limit_is_below_every_course(limit_kw: float, battery_kwh: float) -> None:
    air = Air([30, 31, 33, 28], [20, 21, 22, 20], [0, 10, 30, 0], [0.5, 0.6, 0.4, 0.7], [1] * 4)
    jobs = [Job(0.0, 2.0, 1.0, 16, 0.3), Job(0.5, 2.0, 1.5, 24, 0.25)]
    scenario = scenario_with(objective="emissions", step_min=60.0, gap_frac=1e-6)
    event = LIMIT | {
        "start": "2023-07-03T01:00:00+08:00", "end": "2023-07-03T03:00:00+08:00", "limit": limit_kw
    }  # fmt: skip
    scenario = scenario.model_copy(update={"events": scenario.replace("events", [event]).events})
    problem = problem_of(scenario, air, jobs, fixed_gpus=40, battery_kwh=battery_kwh)
    view = View.of(problem)
    assert np.isfinite(view.bus.import_limit_kw).sum() == 2
    money = view.money("emissions")
    model = TableModel.of(problem)
    window = window_bound.Window(
        problem, view.tables, money, view.bus, view.edges, model.outside, "emissions", "test"
    )
    price = window_bound.marginal_price(view.tables, money, view.bus, view.standing_kw)
    bound = float(window.certificate(price)["bound"])
    kept = np.ones(view.tables.facility_kw.shape[:2], bool)
    for starts in ([0.0, 0.5], [1.0, 0.5], [2.0, 2.0], [0.0, 1.0]):
        cost = window.cost_of(kept, np.array(model.load_kw(starts))) + model.tail(starts)
        assert bound <= cost + 1e-6 * abs(cost)
