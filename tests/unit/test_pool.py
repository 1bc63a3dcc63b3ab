"""A pool: exact times, gangs, limits, and readings that do not hang on when they are taken."""

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.job import JobTable
from aidc.scenario import Policy
from aidc.simulation.pool import Pool
from tests import queues
from tests.jobs import jobs
from tests.queues import queue_of


def play(
    table: JobTable, capacity: int, policy: Policy, end_s: float, step_s: float
) -> tuple[Pool, np.ndarray]:
    """Runs a pool to the end; rows are kWh above idle, GPU-s and queued job-s of each step."""
    played = queues.play(table, capacity, queue_of(policy, table, capacity), end_s, step_s)
    return played.pool, played.readings


def test_energy_is_exact_for_any_step() -> None:
    table = jobs([0, 100], [4, 4], [1000, 333])
    expected_kwh = (4 * 1000 + 4 * 333) / 3600
    for step_s in (60.0, 900.0, 3600.0):
        _, readings = play(table, 8, "fifo", 3600.0, step_s)
        assert readings[:, 0].sum() == pytest.approx(expected_kwh, rel=1e-12)
        assert readings[:, 1].sum() == pytest.approx(4 * 1000 + 4 * 333, rel=1e-12)


def test_an_end_comes_before_a_start_at_the_same_instant() -> None:
    pool, _ = play(jobs([0, 100], [8, 8], [100, 50]), 8, "fifo", 3600.0, 900.0)
    assert pool.start_s.tolist() == [0.0, 100.0]


def test_fifo_lets_the_head_block() -> None:
    pool, _ = play(jobs([0, 1, 2], [6, 8, 1], [100, 10, 10]), 8, "fifo", 3600.0, 900.0)
    assert pool.start_s.tolist() == [0.0, 100.0, 110.0]


def test_easy_fills_the_gap_without_delaying_the_head() -> None:
    table = jobs([0, 1, 2, 3], [6, 8, 1, 1], [100, 10, 10, 500], limit_s=[100, 10, 10, 500])
    pool, _ = play(table, 8, "easy_backfill", 3600.0, 900.0)
    # the 10 s job fits before the head's reservation at 100 s, the 500 s job would delay it
    assert pool.start_s.tolist() == [0.0, 100.0, 2.0, 110.0]


def test_a_shadow_time_goes_by_predicted_end_not_by_limit() -> None:
    # job 1 has the shorter limit but started later, so job 0 is expected to end first
    table = jobs([0, 40, 50, 51], [4, 4, 4, 1], [60, 50, 10, 15], limit_s=[60, 50, 10, 15])
    pool, _ = play(table, 8, "easy_backfill", 3600.0, 900.0)
    assert pool.start_s.tolist() == [0.0, 40.0, 60.0, 70.0]


def test_a_job_larger_than_its_pool_is_refused_and_the_rest_runs() -> None:
    pool, _ = play(jobs([0, 1], [16, 1], [10, 10]), 8, "fifo", 3600.0, 900.0)
    assert pool.refused.tolist() == [True, False]
    assert np.isnan(pool.start_s[0])
    assert pool.start_s[1] == 1.0


def test_a_job_over_its_limit_is_cut_at_the_limit() -> None:
    _, readings = play(jobs([0], [8], [1000], limit_s=[100]), 8, "fifo", 3600.0, 900.0)
    assert readings[:, 1].sum() == pytest.approx(800.0)


def test_an_empty_table_and_a_job_of_no_length_are_handled() -> None:
    _, readings = play(jobs([], [], []), 8, "easy_backfill", 3600.0, 900.0)
    assert readings.sum() == 0.0
    pool, _ = play(jobs([5], [8], [0], limit_s=[1]), 8, "easy_backfill", 3600.0, 900.0)
    assert pool.start_s.tolist() == [5.0]


def fifo_oracle(table: JobTable, capacity: int) -> list[float]:
    """First come, first served, one job at a time, as simply as it can be written."""
    running: list[tuple[float, int]] = []
    free, now, starts = capacity, 0.0, []
    for submit, gpus, run in zip(table.submit_s, table.gpu_count, table.run_s, strict=True):
        now = max(now, float(submit))
        while running and running[0][0] <= now:
            free += heapq.heappop(running)[1]
        while free < gpus:
            end, freed = heapq.heappop(running)
            now, free = max(now, end), free + freed
        starts.append(now)
        free -= int(gpus)
        heapq.heappush(running, (now + float(run), int(gpus)))
    return starts


TABLES = st.lists(
    st.tuples(st.integers(0, 500), st.integers(1, 8), st.integers(1, 200)), min_size=1, max_size=40
)


@given(TABLES)
def test_fifo_agrees_with_the_simplest_program(drawn: list[tuple[int, int, int]]) -> None:
    submit, gpus, run = (list(column) for column in zip(*sorted(drawn), strict=True))
    table = jobs(submit, gpus, run)
    pool, _ = play(table, 8, "fifo", 20_000.0, 900.0)
    assert pool.start_s.tolist() == fifo_oracle(table, 8)


@given(TABLES)
def test_no_more_boards_are_held_than_exist_and_gpu_time_is_conserved(
    drawn: list[tuple[int, int, int]],
) -> None:
    submit, gpus, run = (list(column) for column in zip(*sorted(drawn), strict=True))
    table = jobs(submit, gpus, run)
    pool, readings = play(table, 8, "easy_backfill", 20_000.0, 50.0)
    start = pool.start_s
    assert np.isfinite(start).all()
    assert (start >= table.submit_s).all()
    for at in start:
        held = ((start <= at) & (at < start + table.run_s)) @ table.gpu_count
        assert held <= 8
    assert readings[:, 1].max() <= 8 * 50.0 + 1e-6
    assert readings[:, 1].sum() == pytest.approx(float(table.gpu_s.sum()), rel=1e-9)


@given(TABLES)
def test_little_s_law_holds_for_the_queue(drawn: list[tuple[int, int, int]]) -> None:
    submit, gpus, run = (list(column) for column in zip(*sorted(drawn), strict=True))
    table = jobs(submit, gpus, run)
    pool, readings = play(table, 8, "fifo", 20_000.0, 50.0)
    assert readings[:, 2].sum() == pytest.approx(
        float((pool.start_s - table.submit_s).sum()), abs=1e-6
    )


@given(TABLES)
def test_easy_with_exact_predictions_never_delays_the_first_that_waits(
    drawn: list[tuple[int, int, int]],
) -> None:
    submit, gpus, run = (list(column) for column in zip(*sorted(drawn), strict=True))
    table = jobs(submit, gpus, run, limit_s=run)
    fifo, _ = play(table, 8, "fifo", 20_000.0, 900.0)
    easy, _ = play(table, 8, "easy_backfill", 20_000.0, 900.0)
    waits = np.flatnonzero(fifo.start_s > table.submit_s)
    if len(waits):
        assert easy.start_s[waits[0]] <= fifo.start_s[waits[0]]


def stopping(
    stops: dict[int, list[list[float]]],
    restart_s: float,
    table: JobTable,
    policy: Policy = "easy_backfill",
) -> Pool:
    """A pool of 8 boards with planned stops, played to the end of all jobs."""
    pool = Pool(8, table, table.submit_s, queue_of(policy, table, 8))
    for row, times in stops.items():
        pool.stop_at(row, np.array(times), restart_s)
    pool.play(np.inf)
    return pool


@pytest.mark.parametrize(
    "policy", ["fifo", "sjf", "easy_backfill", "conservative_backfill", "priority", "fair_share"]
)
def test_a_job_that_a_plan_stops_frees_its_boards_and_pays_a_restart_when_it_goes_on(
    policy: Policy,
) -> None:
    table = jobs([0, 1000], [8, 8], [3000, 500])
    pool = stopping({0: [[1000, 1500]]}, 60.0, table, policy)
    assert pool.start_s.tolist() == [0.0, 1000.0], "its boards are free at the instant it stops"
    assert pool.end_s.tolist() == [1500.0 + 60.0 + 2000.0, 1500.0]
    assert [part.tolist() for part in pool.runs()] == [
        [0, 0, 1],
        [0, 1500, 1000],
        [1000, 3560, 1500],
    ]
    assert (pool.free, pool.waiting) == (8, 0)


def test_a_stop_inside_a_restart_loses_the_restart_and_no_work() -> None:
    pool = stopping({0: [[1000, 2000], [2030, 3000]]}, 60.0, jobs([0], [4], [3000]))
    assert pool.end_s.tolist() == [3000.0 + 60.0 + 2000.0]


def test_a_planned_stop_of_a_job_that_has_ended_is_passed_over() -> None:
    pool = stopping({0: [[1000, 2000]]}, 60.0, jobs([0], [4], [900]))
    assert (pool.end_s.tolist(), len(pool.stopped), pool.waiting) == ([900.0], 0, 0)
