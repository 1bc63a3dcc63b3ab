"""The demand charge as a window sees it: floors, shares, and the price of work that runs past it."""

import numpy as np
import pandas as pd
import pytest

from aidc.optimization.classes import profile
from aidc.optimization.peaks import peaks_of, spread_over
from aidc.optimization.window import plan_window
from aidc.workload.load_forecast import mean_level
from tests.windows import Air, Job, TableModel, problem_of, scenario_with

JULY, AUGUST = 2023 * 12 + 7, 2023 * 12 + 8


def index(start: str, steps: int) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=steps, freq="6h", tz="Asia/Shanghai")


def test_the_floor_of_a_month_is_what_it_reached_or_what_follows_the_window() -> None:
    expected = np.array([9.0, 1.0, 2.0, 3.0, 7.0, 4.0, 5.0, 6.0])  # two days of July
    peaks = peaks_of(expected, index("2023-07-01", 8), slice(2, 4), 1, so_far_kw=6.5)
    assert peaks.floor_kw == {JULY: 7.0}  # not the 9 kW, which the plan has avoided
    assert peaks_of(expected, index("2023-07-01", 8), slice(2, 4), 1, 8.5).floor_kw == {JULY: 8.5}
    assert peaks_of(expected, index("2023-07-01", 8), slice(6, 8), 1, 0.0).floor_kw == {JULY: 0.0}


def test_a_window_over_the_end_of_a_month_sees_two_floors_and_both_shares() -> None:
    expected = np.array([9.0, 1.0, 2.0, 3.0, 7.0, 4.0, 5.0, 6.0])  # the 31st, and the 1st
    peaks = peaks_of(expected, index("2023-07-31", 8), slice(2, 6), 2, so_far_kw=6.5)
    assert peaks.floor_kw == {JULY: 6.5, AUGUST: 6.0}
    assert peaks.share == pytest.approx({JULY: 1 / 31, AUGUST: 1 / 31})
    np.testing.assert_allclose(peaks.above_mean_kw, [0.5, 1.5])


def test_a_whole_month_bears_its_whole_charge() -> None:
    steps = 31 * 4
    peaks = peaks_of(np.ones(steps), index("2023-07-01", steps), slice(0, 8), 1, 0.0)
    assert peaks.share == {JULY: 1.0}


def test_the_mean_level_is_that_of_the_profiles() -> None:
    rng = np.random.default_rng(3)
    start, run = rng.uniform(-5e4, 1e5, 200), rng.exponential(2e4, 200)
    load, edges = rng.uniform(0, 5, 200), np.arange(0.0, 90_001.0, 900.0)
    by_profile = load @ profile(start, run, edges)
    np.testing.assert_allclose(mean_level(start, start + run, load, edges), by_profile, atol=1e-9)


def test_only_hours_that_could_become_the_peak_bear_its_price_and_together_all_of_it() -> None:
    price = spread_over(np.array([50.0, 90.0, 70.0]), np.array([20.0, 20.0, 40.0]), 100.0, 40.8)
    np.testing.assert_allclose(price, [0.0, 20.4, 20.4])
    assert not spread_over(np.array([50.0]), np.array([20.0]), 100.0, 40.8).any()


def tiny(floor_kw: float) -> float:
    """Highest import of a plan whose one job is cheap in the hour of the peak, and dear elsewhere."""
    air = Air([20.0] * 3, [15.0] * 3, [0.0] * 3, [0.5] * 3, [1.0, 0.2, 1.0])
    problem = problem_of(
        scenario_with(objective="cost", step_min=60.0, gap_frac=1e-6, levels_degc=(24.0,)),
        air,
        [Job(0.0, 2.0, 1.0, 64, 0.3), Job(0.5, 2.0, 1.0, 64, 0.3)],
        fixed_gpus=64.0,
        demand_cny_per_kw_month=40.0,
        month_peak_kw=floor_kw,
    )
    plan, model = plan_window(problem), TableModel.of(problem)
    assert plan.proof.bound <= model.optimum() * (1 + 1e-9)
    assert model.optimum() * (1 - 1e-9) <= plan.proof.objective <= 1.01 * model.optimum()
    return float(plan.promised["import_kw"].max())


def test_a_peak_that_comes_anyway_is_not_shaved_and_one_that_does_not_come_is() -> None:
    free, shaved = tiny(1e4), tiny(0.0)
    assert free > shaved + 5.0
