"""More to choose from never costs more, and a change of the intensity moves the least emissions no further."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aidc.optimization.window import plan_window
from aidc.scenario import Goal
from tests.property.test_plan_brute_force import JOBS, airs, boards_at_once
from tests.windows import Air, Job, TableModel, hall_scenario, problem_of, scenario_with

hall_scenario()
GPUS, SLOTS = 256, 3
SLOW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
ROOM = 1e-6
TABLES = 2e-3  # the tables are sampled anew where jobs or boards change their reach


def few(jobs: list[Job]) -> list[Job]:
    """Three at most that begin in the window."""
    found = [job for job in jobs if job.earliest_h < SLOTS][:3]
    assume(found)
    return found


def model_of(
    air: Air,
    jobs: list[Job],
    goal: Goal = "emissions",
    levels: tuple[float, ...] = (22.0, 24.0, 26.0),
    spare: int = 4,
) -> TableModel:
    """The window in the table model, with so many boards beyond what the jobs need at their earliest."""
    scenario = scenario_with(
        objective=goal, ramp_k_per_h=20.0, step_min=60.0, gap_frac=1e-6, levels_degc=levels
    )
    fixed = GPUS - boards_at_once(jobs) - spare
    return TableModel.of(problem_of(scenario, air, jobs, fixed_gpus=float(fixed)))


def no_dearer(more: float, less: float, frac: float = ROOM) -> bool:
    return more <= less + frac * max(1.0, abs(less))


@SLOW
@given(airs(SLOTS), JOBS.map(lambda jobs: jobs[:4]), st.floats(0, 100))
def test_more_pv_never_costs_more(air: Air, jobs: list[Job], more_kw: float) -> None:
    model = model_of(air, few(jobs))
    sunny = replace(model, bus=replace(model.bus, pv_kw=model.bus.pv_kw + more_kw))
    plain = replace(model, outside=replace(model.outside, price=0 * model.outside.price))
    assert no_dearer(replace(sunny, outside=plain.outside).optimum(), plain.optimum())


@SLOW
@given(airs(SLOTS), JOBS, st.integers(1, 3))
def test_more_slack_never_costs_more(air: Air, jobs: list[Job], more_h: int) -> None:
    """Both windows on the tables of the wider one."""
    chosen = few(jobs)
    wide = model_of(air, [replace(job, slack_h=job.slack_h + more_h) for job in chosen])
    narrow = replace(wide, problem=model_of(air, chosen).problem)
    assert no_dearer(wide.optimum(), narrow.optimum())


@SLOW
@given(airs(SLOTS), JOBS, st.sampled_from([20.0, 23.0, 25.0]))
def test_more_set_points_never_cost_more(air: Air, jobs: list[Job], level: float) -> None:
    few_levels, more_levels = (22.0, 24.0), (22.0, 24.0, level)
    chosen = few(jobs)
    less, more = (model_of(air, chosen, levels=which) for which in (few_levels, more_levels))
    assert no_dearer(more.optimum(), replace(less, outside=more.outside).optimum())


@SLOW
@given(airs(SLOTS), JOBS, st.integers(1, 20))
def test_more_boards_never_cost_more(air: Air, jobs: list[Job], boards: int) -> None:
    """The same fixed work with fewer boards taken away from the jobs."""
    chosen = few(jobs)
    model = model_of(air, chosen)
    fixed = model.problem.fixed
    freer = replace(model.problem, fixed=replace(fixed, gpus=fixed.gpus - boards))
    assert no_dearer(replace(model, problem=freer).optimum(), model.optimum())


@SLOW
@given(airs(SLOTS), JOBS, st.floats(0.01, 0.3), st.data())
def test_an_intensity_that_is_off_by_a_share_moves_the_optimum_by_no_more(
    air: Air, jobs: list[Job], share: float, data: st.DataObject
) -> None:
    """Emissions of every schedule move by no more than the share, so the least of them does."""
    model = model_of(air, few(jobs))
    signs = data.draw(st.lists(st.floats(-1, 1), min_size=SLOTS, max_size=SLOTS))
    none = replace(model.outside, price=0 * model.outside.price)
    money = replace(
        model.money, import_price=model.money.import_price * (1 + share * np.array(signs))
    )
    known, off = replace(model, outside=none), replace(model, outside=none, money=money)
    least = known.optimum()
    assert abs(off.optimum() - least) <= share * least + ROOM * max(1.0, least)


@SLOW
@given(airs(SLOTS), JOBS, st.integers(1, 3))
def test_a_wider_window_is_not_proved_dearer_than_the_plan_of_the_narrow_one(
    air: Air, jobs: list[Job], more_h: int
) -> None:
    """The certified bound of the freer window is below what the tighter one delivers."""
    chosen = few(jobs)
    tight = model_of(air, chosen).problem
    free = model_of(air, [replace(job, slack_h=job.slack_h + more_h) for job in chosen]).problem
    assert no_dearer(plan_window(free).proof.bound, plan_window(tight).proof.objective, TABLES)
