"""Starts made better on the plant's own curve: never dearer there, and within every limit."""

from dataclasses import replace

import numpy as np
import pytest

from aidc.optimization import classes
from aidc.optimization.bound import evened
from aidc.optimization.class_model import work_of
from aidc.optimization.class_relaxation import solve_relaxed
from aidc.optimization.problem import load_kw, tables_of
from aidc.optimization.refine import Curve, refined
from aidc.optimization.tail import tail_of
from aidc.optimization.timing import Timing
from aidc.optimization.view import View
from tests.unit.test_class_relaxation import air, jobs_of
from tests.windows import problem_of, scenario_with


def test_a_curve_is_read_between_its_points_and_dearer_above_the_peak() -> None:
    curve = Curve(
        np.array([10.0]), np.array([5.0]), np.array([[0.0, 10.0, 40.0]]),
        np.array([[100.0, 105.0, 110.0]]), np.array([107.0]), np.array([2.0]),
    )  # fmt: skip
    assert curve.of(np.array([12.5])) == pytest.approx(5.0)
    assert curve.of(np.array([20.0])) == pytest.approx(40.0 + 2.0 * 3.0)


def test_a_straight_curve_stays_as_it_is_when_smoothed_and_a_step_grows_wider() -> None:
    points = np.arange(9.0)
    step = np.where(points > 4, 1.0, 0.0)
    none = np.array([np.inf, np.inf])
    curve = Curve(
        np.zeros(2), np.ones(2), np.stack([3.0 * points, points + 5 * step]),
        np.zeros((2, 9)), none, np.zeros(2),
    )  # fmt: skip
    smooth = curve.smoothed(4.0).cost
    np.testing.assert_allclose(smooth[0], curve.cost[0])
    assert np.diff(smooth[1]).max() < 0.6 * np.diff(curve.cost[1]).max()


def test_even_prices_keep_their_ratio_to_those_at_the_bus() -> None:
    bus = np.array([0.3, 0.3, 1.2, 1.2, 0.0])
    np.testing.assert_allclose(evened(1.1 * bus, bus, 3)[:3], 1.1 * bus[:3])
    jumping = 1.1 * bus * np.array([0.9, 1.1, 0.9, 1.1, 1.0])
    assert np.ptp(evened(jumping, bus, 3)[:2] / bus[:2]) < np.ptp(jumping[:2] / bus[:2])


@pytest.mark.parametrize("objective", ["emissions", "cost", "pue"])
def test_refined_starts_are_offered_to_their_jobs_and_cost_no_more_on_the_curve(
    objective: str,
) -> None:
    scenario = scenario_with(objective=objective, gap_frac=1e-4)
    problem = problem_of(
        scenario, air(), jobs_of(3, 200), fixed_gpus=0.0,
        demand_cny_per_kw_month=42.0 if objective == "cost" else 0.0,
    )  # fmt: skip
    view, goal = View.of(problem), scenario.plan.goals[0]
    money = view.money(goal)
    tail = tail_of(view.tables, money, view.bus, view.standing_kw)
    work = work_of(view, [tail])
    found = solve_relaxed(
        view.tables, money, view.bus, work.fixed_kw, work.side.columns, 30.0, "test"
    )
    found = replace(found, most_site_kw=np.full(len(view.bus.pv_kw), np.inf))
    fine = tables_of(problem, view.per_slot, view.edges, 96)
    prices = view.money(goal, fine)
    before = classes.assign(work.side, found.solution.start_share)
    after = refined(view, fine, prices, work, found, before)
    starts = work.side.starts
    assert (starts.job[after] == np.arange(len(after))).all()
    slot_h = view.bus.slot_h
    energy = np.minimum(
        np.array([found.duals["bus_balance"][t] for t in range(len(fine.it_kw))]) / slot_h,
        prices.import_price,
    )
    curve = slot_h * (
        (energy + prices.facility_price)[:, None, None] * fine.facility_kw + prices.side
    )
    cost = classes.tail_cost(starts, work.side.jobs, view.edges[-1], slot_h * 3600, tail)

    def total(at: np.ndarray) -> float:
        start_s = problem.at_s.copy()
        start_s[work.big] = starts.start_s[at]
        load = load_kw(problem, Timing.whole(start_s), view.edges)
        slots = range(len(load))
        cheapest = sum(np.interp(load[t], fine.it_kw[t], curve[t].min(axis=0)) for t in slots)
        return float(cheapest + cost[at].sum())

    assert total(after) <= total(before) + 1e-6 * abs(total(before))
