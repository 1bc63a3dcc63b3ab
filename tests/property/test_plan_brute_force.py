"""Plan and bound of small windows against every schedule there is."""

import math
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aidc.optimization.problem import WindowProblem
from aidc.optimization.quotas import NO_GROUP, Groups
from aidc.optimization.window import WindowPlan, plan_window
from aidc.scenario import Weights
from tests.windows import HOUR_S, Air, Job, TableModel, hall_scenario, problem_of, scenario_with

hall_scenario()  # read once, outside of what hypothesis watches
GPUS = 256
WIDE_K_PER_H, NARROW_K_PER_H = 20.0, 2.0
MOST_SCHEDULES = 4_000
SLOW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
WEIGHTED = Weights(
    cost=1.0, emissions_cny_per_kg=0.1, water_cny_per_m3=3.0, delay_cny_per_gpu_h=0.05
)
OBJECTIVES = ("emissions", "energy", "cost", "pue", "water", WEIGHTED)


def column(slots: int, low: float, high: float) -> st.SearchStrategy[list[float]]:
    return st.lists(
        st.floats(low, high, allow_subnormal=False).map(lambda x: round(x, 3)),
        min_size=slots,
        max_size=slots,
    )


@st.composite
def airs(draw: st.DrawFn, slots: int) -> Air:
    return Air(
        draw(column(slots, -5, 38)),
        draw(column(slots, -10, 26)),
        draw(column(slots, 0, 150)),
        draw(column(slots, 0.1, 1.0)),
        draw(column(slots, 0.2, 1.5)),
    )


def tenths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda x: x / 10)


JOBS = st.lists(
    st.builds(
        Job,
        earliest_h=tenths(0, 39),
        slack_h=tenths(1, 40),
        run_h=tenths(1, 60),
        gpus=st.integers(1, 32),
        kw_per_gpu=tenths(1, 3),
    ),
    min_size=1,
    max_size=6,
)


def boards_at_once(jobs: list[Job]) -> int:
    """Boards that the jobs need when each starts as soon as it may."""
    return max(
        sum(j.gpus for j in jobs if j.earliest_h <= at.earliest_h < j.earliest_h + j.run_h)
        for at in jobs
    )


@st.composite
def problems(
    draw: st.DrawFn, ramp_k_per_h: float, demand: bool = False, sleep: bool = False
) -> WindowProblem:
    slots = draw(st.integers(2, 4))
    jobs = [job for job in draw(JOBS) if job.earliest_h < slots]
    assume(jobs)
    choices = [
        1 + sum(1 for h in range(slots) if j.earliest_h < h <= j.earliest_h + j.slack_h)
        for j in jobs
    ]
    assume(math.prod(choices) <= MOST_SCHEDULES)
    objective = "cost" if demand else draw(st.sampled_from(OBJECTIVES))
    scenario = scenario_with(
        objective=objective, ramp_k_per_h=ramp_k_per_h, step_min=60.0, gap_frac=1e-6,
        levels_degc=(22.0, 24.0, 26.0),
    )  # fmt: skip
    spare = draw(st.integers(0, 12)) + sleep * draw(st.integers(sum(j.gpus for j in jobs), 200))
    fixed = GPUS - boards_at_once(jobs) - spare
    assume(fixed >= 0)
    return problem_of(
        scenario,
        draw(airs(slots)),
        jobs,
        fixed_gpus=float(fixed),
        demand_cny_per_kw_month=42.0 if demand else 0.0,
        month_peak_kw=draw(st.sampled_from([0.0, 60.0, 110.0])) if demand else 0.0,
        month_share=draw(st.sampled_from([1.0, 0.1])),
        above_mean_kw=draw(st.sampled_from([0.0, 4.0])),
        sleep_after_min=draw(st.sampled_from([6.0, 30.0, 90.0])) if sleep else None,
    )


def check(problem: WindowProblem, tables_frac: float = 1e-6) -> None:
    """``tables_frac``: how far straight lines between the points of the tables may lie above the plant."""
    plan, model = plan_window(problem), TableModel.of(problem)
    optimum = model.optimum()
    room = 1e-6 * max(1.0, abs(optimum))
    assert plan.proof.bound <= optimum + room
    assert plan.proof.objective >= optimum - tables_frac * max(1.0, abs(optimum))
    assert plan.proof.gap_frac >= -1e-6
    check_feasible(plan, model)


def check_feasible(plan: WindowPlan, model: TableModel) -> None:
    start_h = (plan.start_s / HOUR_S).tolist()
    for start, allowed in zip(start_h, model.starts(), strict=True):
        assert min(abs(start - option) for option in allowed) < 1e-9
    assert model.fits(start_h)
    supply = np.concatenate([[model.bus.supply_degc], plan.setpoints.supply_degc])
    assert np.abs(np.diff(supply)).max() <= model.bus.ramp_k_per_h + 1e-9
    assert set(plan.setpoints.supply_degc) <= {o.supply_degc for o in model.tables.options}


@SLOW
@given(problems(WIDE_K_PER_H))
def test_bound_and_plan_enclose_the_optimum_when_set_points_are_free(
    problem: WindowProblem,
) -> None:
    check(problem)


@SLOW
@given(problems(NARROW_K_PER_H))
def test_bound_and_plan_enclose_the_optimum_when_set_points_are_ramped(
    problem: WindowProblem,
) -> None:
    check(problem)


@SLOW
@given(problems(NARROW_K_PER_H, demand=True))
def test_bound_and_plan_enclose_the_optimum_under_a_demand_charge(problem: WindowProblem) -> None:
    check(problem)


@SLOW
@given(problems(NARROW_K_PER_H, sleep=True))
def test_bound_and_plan_enclose_the_optimum_where_idle_servers_sleep(
    problem: WindowProblem,
) -> None:
    """The brute force follows every board; the plan's model has those off that nobody holds.

    Its tables reach from all boards off to all at work, so their points lie further apart.
    """
    check(problem, tables_frac=3e-3)


@st.composite
def with_quota(draw: st.DrawFn) -> WindowProblem:
    """Some of the jobs share a quota that holds as they stand, with little room beside."""
    problem = draw(problems(NARROW_K_PER_H))
    jobs, slots = problem.movable, len(problem.forecast.frame)
    group = np.array([draw(st.sampled_from([NO_GROUP, 0, 0])) for _ in jobs.row], np.int64)
    mine, until = group == 0, jobs.earliest_s + jobs.run_s
    most = max(
        (
            jobs.gpus[mine & (jobs.earliest_s <= at) & (at < until)].sum()
            for at in jobs.earliest_s[mine]
        ),
        default=0.0,
    )
    quota = float(most + draw(st.integers(0, 6)))
    return replace(
        problem,
        groups=Groups(
            ("vc",), np.array([quota]), group, np.array([NO_GROUP]), np.zeros((1, slots))
        ),
    )  # fmt: skip


@SLOW
@given(with_quota())
def test_bound_and_plan_enclose_the_optimum_within_a_quota(problem: WindowProblem) -> None:
    """The plan keeps the quota exactly; the bound leaves it out, so it holds all the more."""
    check(problem)
