"""Nodes that fail and leave for repair, by example."""

import numpy as np
import pytest

from aidc.job import JobTable
from aidc.scenario import Policy
from aidc.simulation.repairs import Repairs
from tests.jobs import jobs
from tests.queues import Played, play, queue_of

DAY_NODE = Repairs(gpus=4, repair_s=1_000.0)


def failing(table: JobTable, *times: tuple[float, ...]) -> JobTable:
    column = np.empty(len(table), object)
    for row, at_s in enumerate(times):
        column[row] = at_s
    return table.with_columns(node_fails_s=column)


def played(table: JobTable, policy: Policy = "fifo", capacity: int = 12) -> Played:
    return play(table, capacity, queue_of(policy, table, capacity), 5_000.0, repairs=DAY_NODE)


def test_a_failed_node_is_away_from_the_failure_for_the_time_of_its_repair() -> None:
    table = failing(jobs([0, 250], [4, 8], [500, 10]), (100.0,), ())
    run = played(table)
    # 12 boards: 4 held, 4 away from 100 to 1,100 s, so 8 are free at 500 s
    assert run.start_s.tolist() == [0.0, 500.0]
    assert run.pool.end_s[0] == 500.0, "the gang goes on with a spare node"
    assert run.readings[:6, 3].tolist() == [600.0, 1_000.0, 1_000.0, 1_000.0, 400.0, 0.0]
    assert run.pool.repaired == 1
    assert run.pool.without_spare_gpu_s == 0.0


def test_without_a_spare_the_gang_works_on_and_boards_that_come_free_are_the_nodes() -> None:
    table = failing(jobs([0, 0, 10], [8, 4, 4], [300, 200, 50]), (100.0,), (), ())
    run = played(table)
    # the second ends at 200 s, but its 4 boards go to the failed node; the third starts at 300 s
    assert run.start_s.tolist() == [0.0, 0.0, 300.0]
    assert run.pool.without_spare_gpu_s == 400.0
    assert run.readings[:, 3].sum() == 4 * 1_000.0 - 400.0


def test_a_job_as_large_as_the_pool_waits_for_the_repair() -> None:
    table = failing(jobs([0, 200], [4, 12], [150, 10]), (100.0,), ())
    for policy in ("fifo", "easy_backfill", "conservative_backfill", "carbon", "deadline"):
        assert played(table, policy).start_s.tolist() == [0.0, 1_100.0], policy


def test_promises_are_made_anew_where_a_node_leaves() -> None:
    # promised at 300 s when 12 boards come free; a node leaves at 100 s and is back at 1,100 s
    table = failing(jobs([0, 10], [8, 12], [300, 10], limit_s=[300, 10]), (100.0,), ())
    assert played(table, "conservative_backfill").start_s.tolist() == [0.0, 1_100.0]


def test_a_run_that_ends_before_its_failure_loses_no_node() -> None:
    table = failing(jobs([0], [4], [500], limit_s=[80]), (100.0,))
    assert played(table).pool.repaired == 0


@pytest.mark.parametrize("policy", ["fifo", "easy_backfill"])
def test_nodes_away_at_the_start_come_back_in_their_time(policy: Policy) -> None:
    table = jobs([0, 0], [8, 4], [100, 10])
    table = table.with_columns(warm=np.array([True, False]))
    away = Repairs(gpus=4, repair_s=1_000.0, out_until_s=(50.0, 70.0))
    run = play(table, 12, queue_of(policy, table, 12), 5_000.0, repairs=away)
    # 8 boards go on beside two nodes away: one works though it has failed, until 50 s
    assert run.start_s.tolist() == [0.0, 70.0]
    assert run.pool.without_spare_gpu_s == 200.0
    assert run.pool.repaired == 0
