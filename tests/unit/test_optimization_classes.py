"""Jobs into classes and back: nothing is lost, nothing runs twice, no board is used twice."""

from dataclasses import replace

import numpy as np
import pytest

from aidc.optimization import bound as window_bound
from aidc.optimization import classes, window
from aidc.optimization.classes import JobSide, Tail
from aidc.optimization.movable import Movable
from aidc.optimization.problem import WindowProblem
from aidc.optimization.tail import tail_of
from aidc.optimization.view import View
from aidc.optimization.window import plan_window
from tests.windows import HOUR_S, Air, Job, problem_of, scenario_with

SLOTS = 12
GPUS = 256


def air() -> Air:
    """A day's half in July: hot noon, PV by day, dear evening."""
    hour = np.arange(SLOTS)
    return Air(
        drybulb_degc=(28 + 6 * np.sin(hour / SLOTS * np.pi)).tolist(),
        dewpoint_degc=[22.0] * SLOTS,
        pv_kw=(120 * np.sin(hour / SLOTS * np.pi)).tolist(),
        kgco2e_per_kwh=(0.5 + 0.3 * np.cos(hour / 4)).tolist(),
        cny_per_kwh=(0.6 + 0.4 * np.sin(hour / 3)).tolist(),
    )


def jobs_of(seed: int, count: int) -> list[Job]:
    random = np.random.default_rng(seed)
    return [
        Job(
            earliest_h=float(random.uniform(0, SLOTS - 1)),
            slack_h=float(random.uniform(1, SLOTS)),
            run_h=float(random.lognormal(0.5, 0.8)),
            gpus=int(random.choice([1, 2, 4, 8])),
            kw_per_gpu=0.3,
        )
        for _ in range(count)
    ]


def most_boards(start_h: np.ndarray, jobs: list[Job]) -> float:
    """Boards in use at the worst instant, counted at every start."""
    return max(
        sum(j.gpus for s, j in zip(start_h, jobs, strict=True) if s <= at + 1e-9 < s + j.run_h)
        for at in start_h
    )


def no_quota(jobs: Movable) -> tuple[np.ndarray, np.ndarray]:
    return np.full(len(jobs.row), -1), np.zeros((0, SLOTS))


def side_of(problem: WindowProblem) -> JobSide:
    edges = np.arange(SLOTS + 1) * HOUR_S
    free = GPUS - problem.fixed.gpus
    return classes.job_side(
        problem.movable, 0.0, edges, [Tail(np.ones(SLOTS), 0.0)], free, *no_quota(problem.movable)
    )


def tight_problem(seed: int, count: int = 60) -> tuple[WindowProblem, list[Job]]:
    """No board to spare where every job starts as soon as it may."""
    jobs = jobs_of(seed, count)
    early = np.array([job.earliest_h for job in jobs])
    fixed = GPUS - most_boards(early, jobs)
    return problem_of(scenario_with(gap_frac=1e-4), air(), jobs, fixed_gpus=fixed), jobs


@pytest.mark.parametrize("seed", range(3))
def test_every_job_is_in_one_class_with_jobs_of_its_own_slots_and_length(seed: int) -> None:
    jobs = tight_problem(seed)[0].movable
    which = classes.class_of(jobs, 0.0, HOUR_S, no_quota(jobs)[0])
    assert len(which) == len(jobs.row)
    assert set(which.tolist()) == set(range(which.max() + 1))
    for one in range(which.max() + 1):
        mine = which == one
        assert len(set(np.floor(jobs.earliest_s[mine] / HOUR_S))) == 1
        assert len(set(np.floor(jobs.latest_s[mine] / HOUR_S + 1e-9))) == 1
        assert len(set(np.digitize(jobs.run_s[mine] / HOUR_S, classes.LENGTH_BINS_H))) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_column_is_the_sum_of_its_jobs_and_no_board_hour_is_lost(seed: int) -> None:
    problem, jobs = tight_problem(seed)
    side = side_of(problem)
    columns = side.columns
    gpu_h = np.zeros(len(columns.class_of))
    np.add.at(gpu_h, columns.column, columns.gpus)
    inside = np.zeros(len(columns.class_of))  # one job after the other, by hand
    members = np.zeros(len(columns.class_of), int)
    for start, column in enumerate(side.column_of):
        job = jobs[side.starts.job[start]]
        begin = side.starts.start_s[start] / HOUR_S
        inside[column] += job.gpus * (min(begin + job.run_h, SLOTS) - begin)
        members[column] += 1
    assert gpu_h == pytest.approx(inside, rel=1e-9, abs=1e-9)
    in_class = np.bincount(
        classes.class_of(problem.movable, 0.0, HOUR_S, no_quota(problem.movable)[0])
    )
    assert (members == in_class[columns.class_of]).all()


@pytest.mark.parametrize("seed", range(3))
def test_classes_that_start_as_a_whole_give_each_of_their_jobs_that_start(seed: int) -> None:
    side = side_of(tight_problem(seed)[0])
    random = np.random.default_rng(seed)
    share = np.zeros(len(side.columns.class_of))
    for one in range(side.columns.classes):
        share[random.choice(np.flatnonzero(side.columns.class_of == one))] = 1.0
    start_s = side.starts.start_s[classes.assign(side, share)]
    for job, start in enumerate(start_s):
        options = np.flatnonzero(side.starts.job == job)
        chosen = options[share[side.column_of[options]] == 1.0]
        assert len(chosen) == 1
        assert start == side.starts.start_s[chosen[0]]


@pytest.mark.parametrize("seed", range(3))
def test_shares_given_back_to_jobs_keep_the_classes_work_to_within_one_job(seed: int) -> None:
    side = side_of(tight_problem(seed, 400)[0])
    random = np.random.default_rng(seed)
    share = random.random(len(side.columns.class_of))
    share /= np.bincount(side.columns.class_of, share)[side.columns.class_of]
    start_s = side.starts.start_s[classes.assign(side, share)]
    energy = side.jobs.kw * side.jobs.run_s
    got, total = np.zeros(len(share)), np.zeros(side.columns.classes)
    biggest = np.zeros(side.columns.classes)
    for job, start in enumerate(start_s):
        options = np.flatnonzero(side.starts.job == job)
        column = side.column_of[options[side.starts.start_s[options] == start][0]]
        got[column] += energy[job]
        total[side.columns.class_of[column]] += energy[job]
        one = side.columns.class_of[column]
        biggest[one] = max(biggest[one], energy[job])
    wanted = share * total[side.columns.class_of]
    assert got.sum() == pytest.approx(energy.sum(), rel=1e-12)
    assert (got - wanted <= biggest[side.columns.class_of] + 1e-6).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_gives_each_job_one_allowed_start_and_never_uses_a_board_twice(seed: int) -> None:
    problem, jobs = tight_problem(seed)
    plan = plan_window(problem)
    start_h = plan.start_s / HOUR_S
    assert plan.rows.tolist() == list(range(len(jobs)))
    assert np.isfinite(start_h).all()
    for start, job in zip(start_h, jobs, strict=True):
        assert job.earliest_h - 1e-9 <= start <= job.earliest_h + job.slack_h + 1e-9
        assert start == pytest.approx(job.earliest_h) or start == pytest.approx(round(start))
    free = GPUS - problem.fixed.gpus[0, 0]
    assert most_boards(start_h, jobs) <= free + 1e-9
    assert plan.proof.jobs_moved > 0, "a tight hall with swinging prices is worth moving in"


def test_the_jobs_left_at_their_start_hold_no_more_than_their_share_of_energy() -> None:
    jobs = tight_problem(5, 500)[0].movable
    big = classes.worth_planning(jobs)
    energy = jobs.kw * jobs.run_s
    assert energy[big].sum() >= classes.MOVED_WORK_FRAC * energy.sum()
    assert energy[~big].max() <= energy[big].min()


def test_work_after_the_window_pays_the_last_day_hour_by_hour() -> None:
    jobs = Movable(
        *(np.array([value]) for value in (0, 0.0, 5 * HOUR_S, 4 * HOUR_S, 2.0, 1.0)),
        pool=np.array([0]),
    )
    starts = classes.starts_of(jobs, 0.0, HOUR_S, 4)
    price = np.array([1.0, 10.0])  # repeated: hour 4 costs 1, hour 5 costs 10, hour 6 costs 1
    cost = classes.tail_cost(starts, jobs, 4 * HOUR_S, HOUR_S, Tail(price, 0.0))
    assert dict(zip(starts.slot.tolist(), cost.tolist(), strict=True)) == {
        -1: 0.0, 1: 2.0, 2: 22.0, 3: 24.0,
    }  # fmt: skip


def test_the_bound_of_any_price_is_below_the_best_class_plan() -> None:
    for seed in range(3):
        problem, _ = tight_problem(seed, 25)
        exact = replace(problem, scenario=scenario_with(gap_frac=1e-7))
        view = View.of(exact)
        tables, bus, edges, load = view.tables, view.bus, view.edges, view.standing_kw
        money = view.money("emissions")
        tail = tail_of(tables, money, bus, load)
        every = np.ones(len(problem.options), bool)
        planned = window._plan_jobs(view, "emissions", money, tail, [], [], every)
        best = planned.solution.objective
        for at in (tables.it_kw[:, 0], load, tables.it_kw[:, -1], tables.it_kw.mean(axis=1)):
            seen = window_bound.Window(exact, tables, money, bus, edges, tail, "emissions", "test")
            price = window_bound.marginal_price(tables, money, bus, at)
            bound = float(seen.certificate(price)["bound"])
            assert bound <= best + 1e-6 * abs(best)
            assert bound > 0.8 * best, "a bound that says something"


def test_jobs_of_a_pool_that_overflows_stay_where_they_stand_and_the_window_says_so() -> None:
    """250 of 256 boards are held; a job of 32 that started late stands there all the same."""
    air = Air([20.0] * 4, [15.0] * 4, [0.0] * 4, [0.5, 0.4, 0.6, 0.5], [1.0] * 4)
    jobs = [Job(0.0, 2.0, 1.0, 32, 0.3), Job(0.5, 2.0, 1.0, 2, 0.3)]
    problem = problem_of(scenario_with(step_min=60.0), air, jobs, fixed_gpus=250.0)
    plan = plan_window(problem)
    assert plan.proof.full
    np.testing.assert_array_equal(plan.start_s, problem.at_s)
    assert plan.proof.bound <= plan.proof.objective
    room = plan_window(problem_of(scenario_with(step_min=60.0), air, jobs, fixed_gpus=200.0))
    assert not room.proof.full
