"""Laws of the queues: boards, whole gangs, conserved work, promises kept, and plain programs agreed with."""

from collections.abc import Generator
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.job import JobTable, beyond_quota
from aidc.scenario import Policy, QueueRules
from aidc.scenario_checks import PROMISING
from aidc.simulation.policies import QUEUES
from aidc.simulation.policies.carbon import CheapestWindow
from aidc.simulation.policies.conservative_backfill import ConservativeBackfill
from aidc.simulation.policies.deadline import Deadline
from aidc.simulation.policies.priority import Priority
from aidc.simulation.policies.profile import Profile
from tests.jobs import jobs
from tests.queues import STEP_S, PlainEasy, plain_sjf, plain_starts, play, queue_of

BOARDS = 8
END_S = 20_000.0
LONG_S = 500_000.0
POLICIES = get_args(Policy)
CLASSES = ("inference", "debug", "fine-tune", "training")
PRICE = np.array([5.0, 1.0, 4.0, 2.0, 2.0, 7.0, 1.0, 3.0])  # a step each

JOB = st.tuples(
    st.integers(0, 500),  # submit
    st.integers(1, 9),  # boards; 9 are more than there are
    st.integers(0, 200),  # run
    st.sampled_from([0.5, 1.0, 1.5, 4.0]),  # limit over run
    st.sampled_from([0, 0, 60, 300]),  # slack
    st.integers(0, 3),  # class
    st.integers(0, 2),  # virtual cluster
)


@st.composite
def tables(draw: st.DrawFn) -> JobTable:
    columns = zip(*sorted(draw(st.lists(JOB, min_size=1, max_size=40))), strict=True)
    submit, gpus, run, factor, slack, job_class, vc = (list(column) for column in columns)
    limit = np.maximum(np.array(run) * np.array(factor), 0.5)
    table = jobs(submit, gpus, run, limit_s=limit.tolist(), slack_s=slack)
    return table.with_columns(
        job_class=np.array([CLASSES[item] for item in job_class], object),
        vc=np.array([f"vc-{item}" for item in vc], object),
    )


@st.composite
def crowds(draw: st.DrawFn) -> JobTable:
    """Two hundred jobs that come faster than they can run: long queues, many ties, many gaps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, unit = 200, draw(st.sampled_from([1.0, 0.25, 30.0]))
    submit = np.sort(rng.integers(0, draw(st.sampled_from([1, 300, 2_000])), n)) * unit
    gpus = rng.choice([1, 1, 1, 2, 2, 3, 4, 8], n)
    run = rng.integers(1, 60, n) * unit
    factor = rng.choice([0.5, 1.0, 1.0, 1.5, 4.0], n)
    slack = rng.choice([0.0, 100.0, 1_000.0], n) * unit
    table = jobs(submit, gpus, run, limit_s=run * factor, slack_s=slack)
    return table.with_columns(
        job_class=rng.choice(CLASSES, n).astype(object),
        vc=rng.choice(["vc-0", "vc-1", "vc-2"], n).astype(object),
    )


def held_s(table: JobTable) -> np.ndarray:
    return np.minimum(table.run_s, table.limit_s)


def most_held(table: JobTable, runs: tuple[np.ndarray, np.ndarray, np.ndarray]) -> int:
    """Most boards held at any instant, with ends before starts."""
    row, begin, end = runs
    gpus = table.gpu_count[row]
    at, change = np.concatenate((end, begin)), np.concatenate((-gpus, gpus))
    order = np.lexsort((change, at))
    return int(np.cumsum(change[order]).max(initial=0))


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=40)
@given(table=tables() | crowds())
def test_boards_are_never_overbooked_and_gpu_time_is_conserved(
    policy: Policy, table: JobTable
) -> None:
    played = play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), LONG_S, 5_000.0)
    pool, ran = played.pool, ~played.pool.refused
    assert most_held(table, pool.runs()) <= BOARDS
    assert (pool.start_s[ran] >= table.submit_s[ran]).all()
    assert np.isnan(pool.start_s[~ran]).all()
    np.testing.assert_allclose(pool.end_s[ran], (pool.start_s + held_s(table))[ran], rtol=1e-12)
    gpu_s = float((table.gpu_count * held_s(table))[ran].sum())
    assert played.readings[:, 1].sum() == pytest.approx(gpu_s, rel=1e-9)
    assert played.readings[:, 0].sum() * 3600 == pytest.approx(
        float((table.added_kw * held_s(table))[ran].sum()), rel=1e-9
    )
    assert pool.free == BOARDS


@pytest.mark.parametrize("policy", POLICIES)
@given(table=tables())
def test_a_gang_holds_all_its_boards_from_start_to_end(policy: Policy, table: JobTable) -> None:
    played = play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), END_S)
    row, begin, end = played.pool.runs()
    edges = np.arange(len(played.readings) + 1) * STEP_S
    overlap = np.minimum(end[:, None], edges[1:]) - np.maximum(begin[:, None], edges[:-1])
    gpu_s = table.gpu_count[row] @ np.maximum(overlap, 0.0)
    np.testing.assert_allclose(played.readings[:, 1], gpu_s, atol=1e-6)


@pytest.mark.parametrize("policy", POLICIES)
@given(table=tables(), end=st.integers(1, 6))
def test_refused_and_ran_and_waiting_add_up_to_submitted(
    policy: Policy, table: JobTable, end: int
) -> None:
    end_s = end * STEP_S
    played = play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), end_s)
    pool = played.pool
    come = table.submit_s <= end_s
    ended, started = np.isfinite(pool.end_s), np.isfinite(pool.start_s)
    running = started & ~ended
    assert pool.refused[come].sum() + ended.sum() + running.sum() + pool.waiting == come.sum()
    assert table.gpu_count[running].sum() == BOARDS - pool.free
    assert not (pool.refused & started).any()


@pytest.mark.parametrize("policy", POLICIES)
@given(table=tables())
def test_jobs_are_killed_at_their_limit_and_counted(policy: Policy, table: JobTable) -> None:
    pool = play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), END_S).pool
    assert (pool.killed == ((table.run_s > table.limit_s) & ~pool.refused)).all()
    ran = pool.end_s - pool.start_s
    assert (ran[pool.killed] == pytest.approx(table.limit_s[pool.killed])) or not pool.killed.any()


@pytest.mark.parametrize("policy", POLICIES)
@given(table=tables())
def test_nothing_hangs_on_when_the_meter_is_read(policy: Policy, table: JobTable) -> None:
    starts = [
        play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), END_S, step_s).start_s
        for step_s in (50.0, 1000.0, 1000.0)
    ]
    for first, second in pairwise(starts):
        np.testing.assert_array_equal(first, second)


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_fifo_starts_as_simpy_with_a_process_a_job(table: JobTable) -> None:
    env = simpy.Environment()
    boards = simpy.Container(env, BOARDS, init=BOARDS)
    starts = np.full(len(table), np.nan)

    def job(row: int) -> Generator[simpy.Event, None, None]:
        yield env.timeout(table.submit_s[row])
        yield boards.get(int(table.gpu_count[row]))
        starts[row] = env.now
        yield env.timeout(held_s(table)[row])
        yield boards.put(int(table.gpu_count[row]))

    for row in np.flatnonzero(table.gpu_count <= BOARDS):
        env.process(job(row))
    env.run()
    pool = play(table, BOARDS, queue_of("fifo", table, BOARDS), LONG_S, 5_000.0).pool
    np.testing.assert_array_equal(pool.start_s, starts)


@settings(max_examples=40)
@given(table=tables() | crowds(), ageing=st.sampled_from([0.0, 0.5, 1.0, 8.0]))
def test_sjf_starts_as_a_plain_program(table: JobTable, ageing: float) -> None:
    queue = queue_of("sjf", table, BOARDS, QueueRules(ageing=ageing))
    pool = play(table, BOARDS, queue, LONG_S, 5_000.0).pool
    assert pool.start_s.tolist() == pytest.approx(
        plain_starts(table, BOARDS, plain_sjf(ageing)), abs=0.0, nan_ok=True
    )


@settings(max_examples=40)
@given(table=tables() | crowds(), unlimited=st.integers(0, 40))
def test_easy_starts_as_a_plain_program_and_keeps_its_reservations(
    table: JobTable, unlimited: int
) -> None:
    limit = np.where(np.arange(len(table)) == unlimited, np.inf, table.limit_s)
    table, easy = table.with_columns(limit_s=limit), PlainEasy()
    expected = plain_starts(table, BOARDS, easy)
    pool = play(table, BOARDS, queue_of("easy_backfill", table, BOARDS), LONG_S, 5_000.0).pool
    assert pool.start_s.tolist() == pytest.approx(expected, abs=0.0, nan_ok=True)
    for row, promised_s in easy.reserved:
        assert pool.start_s[row] <= promised_s


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_conservative_backfill_keeps_every_promise(table: JobTable) -> None:
    queue = ConservativeBackfill(table, BOARDS)
    pool = play(table, BOARDS, queue, LONG_S, 5_000.0).pool
    ran = ~pool.refused
    assert (pool.start_s[ran] <= np.array(queue.promised_s)[ran]).all()


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_conservative_backfill_with_exact_limits_starts_as_promised(table: JobTable) -> None:
    table = table.with_columns(limit_s=np.maximum(table.run_s, 0.5))
    exact = table.with_columns(run_s=table.limit_s)
    queue = ConservativeBackfill(exact, BOARDS)
    pool = play(exact, BOARDS, queue, LONG_S, 5_000.0).pool
    ran = ~pool.refused
    np.testing.assert_array_equal(pool.start_s[ran], np.array(queue.promised_s)[ran])


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_a_job_that_a_deadline_queue_takes_in_starts_in_time(table: JobTable) -> None:
    queue = Deadline(table, BOARDS)
    pool = play(table, BOARDS, queue, LONG_S, 5_000.0).pool
    taken = ~pool.refused
    assert (pool.start_s[taken] <= np.array(queue.latest_s)[taken]).all()
    assert (taken | np.isfinite(table.deadline_s) | (table.gpu_count > BOARDS)).all()


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_jobs_that_were_stopped_go_on_and_lose_nothing(table: JobTable) -> None:
    queue = Priority(table, CLASSES, {"training", "fine-tune"})
    played = play(table, BOARDS, queue, LONG_S, 5_000.0)
    row, begin, end = played.pool.runs()
    assert most_held(table, (row, begin, end)) <= BOARDS
    ran = np.bincount(row, end - begin, len(table))
    allowed = table.gpu_count <= BOARDS
    np.testing.assert_allclose(ran[allowed], held_s(table)[allowed], atol=1e-9)
    gpu_s = float((table.gpu_count * held_s(table))[allowed].sum())
    assert played.readings[:, 1].sum() == pytest.approx(gpu_s, rel=1e-9)
    stopped = {table.job_class[row] for row, _, _ in played.pool.stopped}
    assert stopped <= {"training", "fine-tune"}
    assert played.pool.waiting == 0


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_the_first_class_never_waits_for_one_that_can_be_stopped(table: JobTable) -> None:
    queue = Priority(table, CLASSES, set(CLASSES))
    pool = play(table, BOARDS, queue, LONG_S, 5_000.0).pool
    first = np.flatnonzero((table.job_class == CLASSES[0]) & (table.gpu_count <= BOARDS))
    alone = play(
        table.take(first), BOARDS, queue_of("fifo", table.take(first), BOARDS), LONG_S, 5_000.0
    ).pool
    np.testing.assert_array_equal(pool.start_s[first], alone.start_s)


@given(table=tables(), more=st.integers(1, 8))
def test_more_boards_never_raise_the_mean_fifo_wait_of_one_gpu_jobs(
    table: JobTable, more: int
) -> None:
    single = table.with_columns(gpu_count=np.ones(len(table), np.int64))
    few, many = (
        play(single, boards, queue_of("fifo", single, boards), END_S).start_s.mean()
        for boards in (2, 2 + more)
    )
    assert many <= few


@given(table=tables())
def test_carbon_releases_inside_the_slack_and_pays_no_more(table: JobTable) -> None:
    room = int(table.gpu_count.sum())  # nobody waits for boards
    pool = play(table, room, queue_of("carbon", table, room, price=PRICE), END_S).pool
    latest = table.submit_s + table.slack_s
    assert (pool.start_s >= table.submit_s).all()
    assert (pool.start_s <= latest + 1e-9).all()
    total = np.concatenate(([0.0], np.cumsum(PRICE))) * STEP_S
    edges = np.arange(len(PRICE) + 1) * STEP_S
    inside = table.submit_s + table.limit_s <= edges[-1]

    def cost(start: np.ndarray) -> np.ndarray:
        ends = start + table.limit_s
        return np.interp(ends, edges, total) - np.interp(start, edges, total)

    assert (cost(pool.start_s) <= cost(table.submit_s) + 1e-6)[inside].all()


@given(
    price=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    earliest=st.integers(0, 40),
    slack=st.integers(0, 80),
    run=st.integers(1, 60),
    spans=st.sampled_from([[(0, 999)], [(3, 17), (25, 25), (40, 999)], [(30, 31)], [(500, 999)]]),
)
def test_no_whole_second_is_cheaper_than_the_window_that_carbon_finds(
    price: list[int], earliest: int, slack: int, run: int, spans: list[tuple[int, int]]
) -> None:
    window = CheapestWindow(np.array(price, float), 10.0)
    first, last = (np.array(column, float) for column in zip(*spans, strict=True))
    found = window.start_s(earliest, earliest + slack, run, first, last)
    per_s = np.repeat(price, 10)
    tries = [
        start
        for start in range(earliest, min(earliest + slack, len(per_s) - run) + 1)
        if any(begin <= start <= end for begin, end in spans)
    ]
    costs = [int(per_s[start : start + run].sum()) for start in tries]
    assert found == (tries[costs.index(min(costs))] if tries else None)


@given(
    table=tables() | crowds(),
    gpus=st.integers(1, BOARDS),
    run=st.integers(1, 60),
    now=st.integers(0, 300),
)
def test_spans_of_starts_are_those_at_which_boards_stay_free(
    table: JobTable, gpus: int, run: int, now: int
) -> None:
    profile, taken = Profile(BOARDS), []
    for row in range(min(len(table), 30)):
        need, limit = min(int(table.gpu_count[row]), BOARDS), float(table.limit_s[row])
        start = profile.first_gap(need, limit, 0.0)
        profile.take(need, start, start + limit)
        taken.append((start, start + limit, need))
    first, last = profile.starts(gpus, float(run), float(now))
    edges = sorted({edge for start, end, _ in taken for edge in (start, end)})
    for start in {
        now,
        *range(now, now + 400, 7),
        *first.tolist(),
        *last[np.isfinite(last)].tolist(),
    }:
        inside = [start, *(edge for edge in edges if start < edge < start + run)]
        held = [sum(need for a, b, need in taken if a <= at < b) for at in inside]
        allowed = bool(((first <= start) & (start <= last)).any())
        assert allowed == (BOARDS - max(held) >= gpus)
    assert profile.first_gap(gpus, float(run), float(now)) == first[0]


@pytest.mark.parametrize("policy", ["carbon", "price"])
@settings(max_examples=40)
@given(table=tables() | crowds())
def test_carbon_keeps_every_promise_and_is_late_only_where_boards_were_taken(
    policy: Policy, table: JobTable
) -> None:
    queue = queue_of(policy, table, BOARDS, price=PRICE)
    assert isinstance(queue, ConservativeBackfill)
    pool = play(table, BOARDS, queue, LONG_S, 5_000.0).pool
    ran, promised = ~pool.refused, np.array(queue.promised_s)
    assert (pool.start_s[ran] <= promised[ran]).all()
    latest = table.submit_s + table.slack_s
    late = ran & (table.slack_s > 0) & (pool.start_s > latest)
    assert (promised[late] > latest[late]).all()


@settings(max_examples=40)
@given(table=tables() | crowds())
def test_without_slack_carbon_is_conservative_backfill(table: JobTable) -> None:
    table = table.with_columns(slack_s=np.zeros(len(table)))
    one, other = (
        play(table, BOARDS, queue_of(policy, table, BOARDS, price=PRICE), LONG_S, 5_000.0).start_s
        for policy in ("carbon", "conservative_backfill")
    )
    np.testing.assert_array_equal(one, other)


def test_every_name_of_a_policy_has_a_queue() -> None:
    assert tuple(QUEUES) == POLICIES


@pytest.mark.parametrize("policy", [p for p in POLICIES if p not in PROMISING])
@given(table=tables())
def test_no_virtual_cluster_ever_holds_more_than_its_quota(policy: Policy, table: JobTable) -> None:
    quotas = {"vc-0": 3, "vc-2": 5}
    queue = queue_of(policy, table, BOARDS, QueueRules(vc_quota=quotas))
    played = play(table, BOARDS, queue, LONG_S, LONG_S).pool
    start, end = played.start_s, played.end_s
    for vc, most in quotas.items():
        mine = np.flatnonzero((table.vc == vc) & np.isfinite(start))
        for at in start[mine]:
            held = table.gpu_count[mine][(start[mine] <= at) & (at < end[mine])].sum()
            assert held <= most
    larger = (table.gpu_count > BOARDS) | beyond_quota(table, quotas)
    np.testing.assert_array_equal(played.refused, larger)
    assert np.isfinite(start[~larger]).all(), "nobody is forgotten"
