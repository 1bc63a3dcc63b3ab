"""The options that are not offered to the solver cost nothing: the optimum is the same without them."""

from dataclasses import replace

import numpy as np
import pytest

from aidc.optimization import classes
from aidc.optimization import problem as window_problem
from aidc.optimization.bus import Bus
from aidc.optimization.classes import Tail
from aidc.optimization.model import add_jobs, site_model
from aidc.optimization.objective import Prices, worth_keeping
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import WindowProblem
from aidc.optimization.solve import solve
from aidc.scenario import Objective, Weights
from tests.windows import HOUR_S, Air, Job, problem_of, scenario_with

SLOTS = 5
GAP_FRAC = 1e-7
WEIGHTS = Weights(cost=1.0, emissions_cny_per_kg=0.1)


def problem_with(seed: int, objective: Objective | Weights, ramp_k_per_h: float) -> WindowProblem:
    random = np.random.default_rng(seed)
    air = Air(
        drybulb_degc=random.uniform(-5, 38, SLOTS).tolist(),
        dewpoint_degc=random.uniform(-10, 26, SLOTS).tolist(),
        pv_kw=random.uniform(0, 150, SLOTS).tolist(),
        kgco2e_per_kwh=random.uniform(0.1, 1.0, SLOTS).tolist(),
        cny_per_kwh=random.uniform(0.2, 1.5, SLOTS).tolist(),
    )
    jobs = [
        Job(float(random.uniform(0, 3)), float(random.uniform(1, 4)), float(random.uniform(0.5, 3)), 8, 0.3)
        for _ in range(12)
    ]  # fmt: skip
    scenario = scenario_with(objective=objective, ramp_k_per_h=ramp_k_per_h, step_min=60.0)
    return problem_of(scenario, air, jobs, fixed_gpus=100.0)


def optimum(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    kept: np.ndarray,
) -> float:
    edges = np.arange(SLOTS + 1) * HOUR_S
    side = classes.job_side(
        problem.movable,
        0.0,
        edges,
        [Tail(np.full(SLOTS, 0.1), 0.0)],
        256 - problem.fixed.gpus,
        np.full(len(problem.movable.row), -1),
        np.zeros((0, SLOTS)),
    )
    model = site_model(tables, money, bus, kept)
    fixed_kw = problem.fixed.kw.sum(axis=0) + problem.fixed.idle_kw.sum()
    add_jobs(model, fixed_kw, side.columns)
    return solve(model, gap_frac=GAP_FRAC, limit_s=60.0, what="test").objective


def parts(problem: WindowProblem) -> tuple[PlantTables, Prices, Bus]:
    tables = window_problem.tables_of(problem, 1, np.arange(SLOTS + 1) * HOUR_S)
    goal = problem.scenario.plan.goals[0]
    return (
        tables,
        window_problem.prices_of(problem, tables, 1, goal),
        window_problem.bus_of(problem, 1),
    )


@pytest.mark.parametrize("ramp_k_per_h", [1.5, 3.0, 20.0])
@pytest.mark.parametrize("objective", ["emissions", "energy", "cost", "pue", WEIGHTS])
@pytest.mark.parametrize("seed", range(2))
def test_the_optimum_is_the_same_with_and_without_the_cut(
    seed: int, objective: Objective | Weights, ramp_k_per_h: float
) -> None:
    problem = problem_with(seed, objective, ramp_k_per_h)
    tables, money, bus = parts(problem)
    kept = worth_keeping(tables, money, bus.supply_degc, ramp_k_per_h * bus.slot_h, None)
    cut = optimum(problem, tables, money, bus, kept)
    whole = optimum(problem, tables, money, bus, np.ones_like(kept))
    assert cut == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("supply_degc", [18.0, 22.0, 26.0])
def test_the_cut_is_exact_from_every_set_point_in_force(supply_degc: float) -> None:
    problem = problem_with(7, "energy", 2.0)
    problem = replace(problem, state=replace(problem.state, supply_degc=supply_degc))
    tables, money, bus = parts(problem)
    kept = worth_keeping(tables, money, bus.supply_degc, 2.0, None)
    assert kept.any(axis=1).all(), "every slot keeps an option"
    cut = optimum(problem, tables, money, bus, kept)
    whole = optimum(problem, tables, money, bus, np.ones_like(kept))
    assert cut == pytest.approx(whole, rel=1e-6)


def test_the_cut_takes_options_away() -> None:
    problem = problem_with(1, "energy", 3.0)
    tables, money, bus = parts(problem)
    kept = worth_keeping(tables, money, bus.supply_degc, 3.0, None)
    assert kept.mean() < 0.9


def test_keeping_one_option_too_few_is_seen() -> None:
    """The comparison above can fail: without the set-points an optimum uses, it costs more."""
    problem = problem_with(1, "energy", 20.0)
    tables, money, bus = parts(problem)
    whole = optimum(problem, tables, money, bus, np.ones(tables.facility_kw.shape[:2], bool))
    coldest = min(option.supply_degc for option in tables.options)
    only = np.array([option.supply_degc == coldest for option in tables.options])
    cut = optimum(problem, tables, money, bus, np.tile(only, (SLOTS, 1)))
    assert cut > whole * 1.001
