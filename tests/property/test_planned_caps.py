"""Plans that choose power caps, against every choice of starts and caps of small windows."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aidc.optimization import classes
from aidc.optimization.movable import CapLevels, Variants
from aidc.optimization.problem import WindowProblem
from aidc.optimization.settled import settled
from aidc.optimization.timing import Timing
from aidc.optimization.window import plan_window
from tests.property.test_plan_brute_force import (
    MOST_SCHEDULES,
    NARROW_K_PER_H,
    SLOW,
    problems,
)
from tests.windows import HOUR_S, Air, Job, TableModel, problem_of, scenario_with

CAPS = ((0.95, 0.75), (0.8, 0.5))  # speed, and power over that without a cap: made up


def with_caps(problem: WindowProblem, caps: tuple[tuple[float, float], ...]) -> WindowProblem:
    jobs = problem.movable
    speed, power = (np.array(column) for column in zip(*caps, strict=True))
    levels = CapLevels.offered(
        jobs.run_s,
        jobs.kw,
        jobs.run_s[:, None] / speed,
        jobs.kw[:, None] * power,
        jobs.latest_s - jobs.earliest_s,
    )
    none = np.zeros(len(jobs.row), np.int64)
    return replace(problem, movable=replace(jobs, caps=levels), at_level=none)


def side_of(problem: WindowProblem) -> classes.JobSide:
    """Its jobs in classes, over slots enough for every run."""
    slots = 200
    return classes.job_side(
        problem.movable,
        0.0,
        np.arange(slots + 1) * HOUR_S,
        [classes.Tail(np.ones(24), 0.0)],
        np.full((1, slots), 256.0),
        np.full(len(problem.movable.row), -1),
        np.zeros((0, slots)),
    )


def after_window(model: TableModel, jobs: WindowProblem) -> float:
    """What jobs that begin as early as they may run after the window, and their ends, hour by hour."""
    cost, period = 0.0, len(model.outside.price)
    for early_s, run_s, kw, gpus in zip(
        jobs.movable.earliest_s, jobs.movable.run_s, jobs.movable.kw, jobs.movable.gpus, strict=True
    ):
        begin, end = early_s / HOUR_S, (early_s + run_s) / HOUR_S
        cost += model.outside.delay_price * gpus * end
        for hour in range(model.slots, math.ceil(end)):
            ran = max(min(end, hour + 1) - max(begin, hour), 0.0)
            cost += kw * ran * model.outside.price[(hour - model.slots) % period]
    return float(cost)


def optimum(problem: WindowProblem, model: TableModel) -> float:
    """The least cost over every feasible choice of caps and starts; inf levels are not offered."""
    levels, best = problem.movable.caps, math.inf
    assert levels is not None
    choices = [np.flatnonzero(np.isfinite(row)).tolist() for row in levels.run_s]
    for level in itertools.product(*choices):
        capped = problem.under(np.array(level))
        one = replace(model, problem=capped)
        more = after_window(model, capped) - after_window(model, problem)
        until_h = (problem.movable.latest_s + problem.movable.run_s) / HOUR_S
        for starts in itertools.product(*model.starts()):
            ends = np.array(starts) + capped.movable.run_s / HOUR_S
            if (ends <= until_h + 1e-9).all() and one.fits(starts):
                best = min(best, one.cheapest(starts) + more)
    return best


@SLOW
@given(problems(NARROW_K_PER_H), st.sampled_from([CAPS, CAPS[:1]]))
def test_bound_and_plan_enclose_the_optimum_over_starts_and_caps(
    problem: WindowProblem, caps: tuple[tuple[float, float], ...]
) -> None:
    every = with_caps(problem, caps)
    assert every.movable.caps is not None
    model = TableModel.of(every)
    levels = np.isfinite(every.movable.caps.run_s).sum(axis=1)
    assume(math.prod(len(s) for s in model.starts()) * math.prod(levels) <= MOST_SCHEDULES // 4)
    plan, best = plan_window(every), optimum(every, model)
    room = 1e-6 * max(1.0, abs(best))
    assert plan.proof.bound <= best + room
    assert plan.proof.objective >= best - room
    assert best <= model.optimum() + room, "no cap is one of the choices"
    capped = every.under(plan.choice.level).movable
    until_s = every.movable.latest_s + every.movable.run_s
    assert (plan.start_s + capped.run_s <= until_s + 1e-6).all(), "no later than put off uncapped"
    assert replace(model, problem=every.under(plan.choice.level)).fits(plan.start_s / HOUR_S)


def many(seed: int, count: int, slack_h: float) -> WindowProblem:
    """Jobs in a room with boards to spare, under swinging prices."""
    random = np.random.default_rng(seed)
    hour = np.arange(12)
    air = Air(
        (28 + 6 * np.sin(hour / 12 * np.pi)).tolist(),
        [22.0] * 12,
        [0.0] * 12,
        (0.5 + 0.3 * np.cos(hour / 4)).tolist(),
        (0.6 + 0.4 * np.sin(hour / 3)).tolist(),
    )
    jobs = [
        Job(
            float(random.uniform(0, 8)),
            slack_h,
            float(random.lognormal(0.3, 0.7)),
            int(random.choice([2, 4, 8])),
            0.3,
        )
        for _ in range(count)
    ]
    return problem_of(scenario_with(gap_frac=1e-3), air, jobs, fixed_gpus=20.0)


@pytest.mark.parametrize("seed", range(3))
def test_more_levels_never_cost_more_than_their_gap(seed: int) -> None:
    plain = many(seed, 40, 5.0)
    costs = [plan_window(plain).proof.objective]
    for caps in (CAPS[:1], CAPS):
        proof = plan_window(with_caps(plain, caps)).proof
        assert proof.bound <= min(costs), "what fewer levels can do, more can too"
        assert proof.objective <= min(costs) * (1 + proof.gap_frac)
        assert proof.gap_frac < 0.01
        costs.append(proof.objective)
    assert costs[-1] < (1 - 1e-3) * costs[0], "more than the gap"


def test_a_cap_that_does_not_bind_or_ends_too_late_is_not_offered() -> None:
    levels = CapLevels.offered(
        np.array([3600.0, 3600.0, 3600.0]),
        np.array([1.0, 1.0, 1.0]),
        np.array([[3600.0], [4000.0], [4000.0]]),
        np.array([[1.0], [0.7], [0.7]]),
        np.array([7200.0, 399.0, 400.0]),
    )
    assert np.isfinite(levels.run_s[:, 1]).tolist() == [False, False, True]


def test_a_job_that_finds_no_boards_takes_the_next_higher_cap_that_binds() -> None:
    """A job of two hours may end by the third; another takes all boards after 2.2."""
    air = Air([20.0] * 4, [10.0] * 4, [0.0] * 4, [0.5] * 4, [0.5] * 4)
    jobs = [Job(0.0, 1.0, 2.0, 32, 0.3)]
    plain = problem_of(scenario_with(gap_frac=1e-3), air, jobs, fixed_gpus=100.0)
    held = np.array([0.0, 2.2]) * HOUR_S, np.array([1e7, 1e7])
    full = replace(plain, fixed_runs=(*held, np.array([100.0, 156.0]), np.zeros(2, np.int64)))
    for caps, level in ((CAPS, 1), (((1.0, 1.0), CAPS[1]), 0)):
        problem = with_caps(full, caps)
        side = side_of(problem)
        lowest = np.flatnonzero((side.level == 2) & (side.starts.slot == -1))
        choice = settled(
            problem,
            np.array([True]),
            side,
            Timing.whole(side.starts.start_s[lowest]),
            side.level[lowest],
        )
        assert (choice.start_s[0], choice.level[0]) == (0.0, level)


def test_jobs_of_a_class_have_the_same_starts_under_every_cap() -> None:
    problem = with_caps(many(1, 80, 3.0), CAPS)
    jobs = problem.movable
    which = classes.class_of(jobs, 0.0, HOUR_S, np.full(len(jobs.row), -1))
    every = Variants.of(jobs)
    starts = classes.starts_of(every.jobs, 0.0, HOUR_S, 12)
    of_job: dict[int, set[tuple[int, int]]] = {job: set() for job in range(len(which))}
    for variant, slot in zip(starts.job.tolist(), starts.slot.tolist(), strict=True):
        of_job[int(every.job[variant])].add((int(every.level[variant]), slot))
    for one in set(which.tolist()):
        members = np.flatnonzero(which == one)
        assert all(of_job[int(job)] == of_job[int(members[0])] for job in members)


def test_columns_of_a_cap_hold_the_energy_of_their_jobs_under_it() -> None:
    problem = with_caps(many(2, 50, 4.0), CAPS)
    jobs, side = problem.movable, side_of(problem)
    kwh = np.zeros(len(side.columns.class_of))
    np.add.at(kwh, side.columns.column, side.columns.kw)
    under = jobs.take(side.starts.job).under(side.level)
    by_hand = np.bincount(side.column_of, under.kw * under.run_s / HOUR_S)
    assert kwh == pytest.approx(by_hand, rel=1e-9)
    assert set(side.level.tolist()) == {0, 1, 2}
