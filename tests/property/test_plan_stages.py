"""Objectives that follow one another, against every schedule and every course of set-points there is."""

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aidc.optimization import problem as window_problem
from aidc.optimization.problem import WindowProblem
from aidc.optimization.tail import tail_of
from aidc.optimization.window import plan_window
from aidc.scenario import Objective
from tests.property.test_plan_brute_force import JOBS, airs, boards_at_once
from tests.windows import HOUR_S, TableModel, hall_scenario, problem_of, scenario_with

hall_scenario()
GPUS = 256
TOLERANCES = (1e-3, 0.02)
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
PAIRS: tuple[tuple[Objective, Objective], ...] = (
    ("emissions", "cost"), ("cost", "water"), ("water", "emissions"), ("energy", "water"),
)  # fmt: skip


@st.composite
def problems(draw: st.DrawFn) -> WindowProblem:
    slots = draw(st.integers(2, 3))
    jobs = [job for job in draw(JOBS)[:3] if job.earliest_h < slots]
    assume(jobs)
    scenario = scenario_with(
        objective=draw(st.sampled_from(PAIRS)), ramp_k_per_h=20.0, step_min=60.0, gap_frac=1e-6,
        tolerance_frac=draw(st.sampled_from(TOLERANCES)), levels_degc=(22.0, 24.0, 26.0),
    )  # fmt: skip
    return problem_of(
        scenario, draw(airs(slots)), jobs, fixed_gpus=float(GPUS - boards_at_once(jobs) - 8)
    )


def judged(problem: WindowProblem, goal: Objective) -> TableModel:
    """The table model in another objective."""
    model = TableModel.of(problem)
    money = window_problem.prices_of(problem, model.tables, 1, goal)
    edges = np.arange(model.slots + 1) * HOUR_S
    load = window_problem.load_kw(problem, problem.at, edges)
    return replace(model, money=money, outside=tail_of(model.tables, money, model.bus, load))


def least_within(first: TableModel, second: TableModel, limit: float) -> float:
    """The least of the second objective over every schedule that keeps the first within a limit."""
    best = np.inf
    for starts in itertools.product(*first.starts()):
        if not first.fits(starts):
            continue
        load = first.load_kw(starts)
        one, two = first.slot_costs(load)[0], second.slot_costs(load)[0]
        sums_one = np.zeros(1) + first.tail(starts)
        sums_two = np.zeros(1) + second.tail(starts)
        for t in range(first.slots):
            sums_one = (sums_one[:, None] + one[t][None, :]).reshape(-1)
            sums_two = (sums_two[:, None] + two[t][None, :]).reshape(-1)
        kept = sums_one <= limit + 1e-9 * max(abs(limit), 1.0)
        best = min(best, float(np.min(sums_two[kept], initial=np.inf)))
    return best


@SLOW
@given(problems())
def test_a_later_stage_keeps_what_the_earlier_one_won_and_its_bound_holds(
    problem: WindowProblem,
) -> None:
    proof = plan_window(problem).proof
    (stage,) = proof.earlier
    room = 1e-6 * max(1.0, abs(stage.limit))
    assert stage.bound <= stage.objective + room
    assert stage.delivered <= stage.limit + room
    first, second = (judged(problem, goal) for goal in problem.scenario.plan.goals)
    optimum = least_within(first, second, stage.limit)
    assert proof.bound <= optimum + 1e-6 * max(1.0, abs(optimum))


@SLOW
@given(problems())
def test_giving_up_more_of_the_first_objective_never_costs_more_of_the_second(
    problem: WindowProblem,
) -> None:
    found = []
    for tolerance in TOLERANCES:
        plan = problem.scenario.plan.model_copy(update={"tolerance_frac": tolerance})
        scenario = problem.scenario.model_copy(update={"plan": plan})
        found.append(plan_window(replace(problem, scenario=scenario)).proof)
    tight, wide = found
    assert wide.bound <= tight.objective + 1e-6 * max(1.0, abs(tight.objective))
