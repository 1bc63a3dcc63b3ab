"""The class model without integers: the same as the Pyomo model's relaxation, and a bound that holds."""

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from aidc.optimization import class_relaxation, classes, window
from aidc.optimization.class_relaxation import cheapest_options, solve_relaxed
from aidc.optimization.model import add_jobs, site_model
from aidc.optimization.solve import relaxed_duals, solve
from aidc.optimization.window import plan_window
from aidc.verifier import lower_bound
from tests.golden import models
from tests.unit.test_optimization_classes import SLOTS, air, jobs_of
from tests.windows import HOUR_S, problem_of, scenario_with

FIXED_KW = np.full(models.SLOTS, 105.0)


def test_job_columns_as_arrays_are_those_of_the_pyomo_model() -> None:
    cheap, money = cheapest_options(models.tables(), models.prices(), models.bus())
    oracle = site_model(cheap, money, models.bus(), np.ones((models.SLOTS, 1), bool))
    add_jobs(oracle, FIXED_KW, models.columns())
    prices = relaxed_duals(oracle, 10.0)["it_load"]
    optimum = solve(oracle, gap_frac=0.0, limit_s=10.0, what="oracle").objective
    found = solve_relaxed(
        models.tables(), models.prices(), models.bus(), FIXED_KW, models.columns(), 10.0, "golden"
    )
    assert found.solution.objective == pytest.approx(optimum, rel=1e-9)
    assert found.duals["it_load"] == pytest.approx(prices, abs=1e-7)
    own = [pyo.value(oracle.start[column]) for column in oracle.COLUMN]
    assert found.solution.start_share == pytest.approx(own, abs=1e-7)


def test_boards_held_are_those_of_whole_slots_and_never_fewer_than_their_mean() -> None:
    problem = problem_of(scenario_with(), air(), jobs_of(3, 80), fixed_gpus=0.0)
    edges = np.arange(SLOTS + 1) * HOUR_S
    nobody = np.full(80, -1), np.zeros((0, SLOTS))
    free = 256 - problem.fixed.gpus
    side = classes.job_side(
        problem.movable, 0.0, edges, [classes.Tail(np.ones(SLOTS), 0.0)], free, *nobody
    )
    columns, starts, jobs = side.columns, side.starts, side.jobs
    share = classes.profile(starts.start_s, jobs.run_s[starts.job], edges)
    kw, held = np.zeros((len(columns.class_of), SLOTS)), np.zeros((len(columns.class_of), SLOTS))
    np.add.at(kw, side.column_of, share * jobs.kw[starts.job, None])
    np.add.at(held, side.column_of, (share > 0) * jobs.gpus[starts.job, None])
    assert columns.kw == pytest.approx(kw[columns.column, columns.slot], rel=1e-9)
    assert side.held_gpus == pytest.approx(held[columns.column, columns.slot])
    assert (side.held_gpus >= columns.gpus - 1e-9).all()


@pytest.mark.parametrize("seed", range(2))
def test_a_plan_from_the_relaxation_is_proved_as_near_as_one_from_the_integers(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = scenario_with(objective="cost", gap_frac=1e-4)
    problem = problem_of(
        scenario, air(), jobs_of(seed, 200), fixed_gpus=0.0, demand_cny_per_kw_month=42.0
    )
    exact = plan_window(problem).proof
    monkeypatch.setattr(window, "LARGE_COLUMNS", 0)
    relaxed = plan_window(problem).proof
    assert relaxed.binaries <= exact.binaries
    assert relaxed.bound <= exact.objective + 1e-6 * exact.objective
    assert exact.bound <= relaxed.objective + 1e-6 * relaxed.objective
    assert relaxed.gap_frac <= exact.gap_frac + 0.01


@pytest.mark.parametrize("large", [0, class_relaxation.LARGE_COLUMNS])
def test_the_battery_in_a_certificate_is_worth_what_the_slot_is_long(
    large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve hours planned by one hour and by two: both are proved to within a hundredth."""
    monkeypatch.setattr(window, "LARGE_COLUMNS", large)
    scenario = scenario_with(objective="cost", gap_frac=1e-4, step_min=60.0)
    hourly = problem_of(scenario, air(), [], fixed_gpus=128.0, battery_kwh=200.0)
    plan = hourly.scenario.plan
    twice = replace(
        hourly,
        scenario=hourly.scenario.model_copy(
            update={"plan": plan.model_copy(update={"step_min": 120.0})}
        ),
        fixed=replace(
            hourly.fixed,
            kw=hourly.fixed.kw[:, ::2],
            gpus=hourly.fixed.gpus[:, ::2],
        ),
        peaks=replace(hourly.peaks, above_mean_kw=hourly.peaks.above_mean_kw[::2]),
    )
    for problem in (hourly, twice):
        found = plan_window(problem)
        assert lower_bound(found.certificate) == pytest.approx(found.proof.bound)
        assert -1e-6 <= found.proof.gap_frac < 0.01
