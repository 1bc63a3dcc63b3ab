"""Run times from the jobs that ended before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.job import JobTable
from aidc.workload.load_forecast import mean_level, within
from aidc.workload.run_times import RunTimes
from tests.jobs import jobs


def of_users(users: list[str], runs: list[float]) -> JobTable:
    count = len(runs)
    return jobs([0.0] * count, [1] * count, runs).with_columns(user=np.array(users, object))


def told(method: str, users: list[str], runs: list[float]) -> RunTimes:
    times, table = RunTimes(method), of_users(users, runs)  # type: ignore[arg-type]
    times.learn(table, table.run_s, np.arange(len(runs), dtype=float))
    return times


NEW = np.zeros(1)


def test_the_mean_of_the_users_last_two_runs() -> None:
    times = told("persistence", ["a", "a", "a", "b"], [900.0, 10.0, 30.0, 7.0])
    assert times.predict_s(of_users(["a"], [1.0]), NEW).tolist() == [20.0]
    assert times.predict_s(of_users(["b"], [1.0]), NEW).tolist() == [7.0]


def test_the_median_of_the_nearest_group_that_is_known_well_enough() -> None:
    times = told("learned", ["a"] * 5 + ["b"] * 4, [10.0, 20.0, 30.0, 40.0, 50.0] + [900.0] * 4)
    assert times.predict_s(of_users(["a"], [1.0]), NEW).tolist() == [30.0]
    assert times.predict_s(of_users(["a"], [1.0]), NEW, 0.9).tolist() == [46.0]
    # four runs of b are too few: the virtual cluster has nine, of which the fifth is 50
    assert times.predict_s(of_users(["b"], [1.0]), NEW).tolist() == [50.0]


def test_a_job_that_runs_is_compared_with_those_that_ran_longer() -> None:
    times = told("learned", ["a"] * 9, [float(10 * k) for k in range(1, 10)])
    ran = np.array([45.0])
    assert times.predict_s(of_users(["a"], [1.0]), ran).tolist() == [70.0]  # of 50 to 90
    assert times.predict_s(of_users(["a"], [1.0]), np.array([500.0])).tolist() == [1000.0]


def test_without_any_history_a_job_goes_on() -> None:
    assert np.isinf(RunTimes("learned").predict_s(of_users(["a"], [1.0]), NEW)).all()
    assert np.isinf(RunTimes("learned").remaining_s(NEW)).all()


def test_what_is_left_of_runs_of_one_length_is_uniform() -> None:
    times = told("learned", ["a"] * 50, [100.0] * 50)
    assert times.remaining_s(NEW) == pytest.approx([50.0])
    assert times.remaining_s(NEW, 0.9) == pytest.approx([90.0])
    assert times.remaining_s(np.array([40.0])) == pytest.approx([70.0])


def test_what_is_left_of_exponential_runs_is_a_run() -> None:
    """The process has no memory: the median left is mean times ln 2, whatever has run."""
    runs = np.random.default_rng(3).exponential(1000.0, 2_000)
    times = told("learned", ["a"] * len(runs), runs.tolist())
    left = times.remaining_s(np.array([0.0, 800.0])) - np.array([0.0, 800.0])
    assert left == pytest.approx([693.0, 693.0], rel=0.1)


@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=40),
    st.lists(st.floats(0, 2e5), min_size=1, max_size=10),
    st.sampled_from(["persistence", "learned"]),
)
def test_no_job_is_said_to_have_ended_already(
    runs: list[float], ran: list[float], method: str
) -> None:
    times, asked = (
        told(method, ["a"] * len(runs), runs),
        of_users(["a"] * len(ran), [1.0] * len(ran)),
    )
    now = np.array(ran)
    for made in (times.predict_s(asked, now), times.predict_s(asked, now, 0.9)):
        assert (made >= now).all()
    assert (times.remaining_s(now) >= now).all()


def test_only_the_last_two_thousand_runs_count_for_everybody() -> None:
    users = [f"u{k}" for k in range(4_000)]
    times = told("persistence", users, [1.0] * 2_000 + [5.0] * 2_000)
    assert times.predict_s(of_users(["new"], [1.0]), NEW).tolist() == [5.0]


def test_the_mean_level_of_a_staircase_and_no_more_boards_than_there_are() -> None:
    begin, end = np.array([0.0, 1_800.0, 9e9]), np.array([7_200.0, 3_600.0, 0.0])
    level = mean_level(begin, end, np.array([2.0, 4.0, 8.0]), np.arange(4) * 3_600.0)
    assert level.tolist() == [4.0, 2.0, 0.0]
    gpus, kw = within(np.array([8.0, 2.0, 0.0]), np.array([4.0, 1.0, 0.0]), 4.0)
    assert gpus.tolist() == [4.0, 2.0, 0.0]
    assert kw.tolist() == [2.0, 1.0, 0.0]
