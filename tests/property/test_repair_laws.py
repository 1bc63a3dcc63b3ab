"""Laws of a pool whose nodes fail and leave for repair, under every queue."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.repairs import Repairs
from aidc.workload.sleep import Sleepers
from tests.jobs import jobs
from tests.queues import play, queue_of

BOARDS, NODE = 8, 2
LONG_S = 500_000.0
POLICIES = get_args(Policy)
CLASSES = ("inference", "training")
PRICE = np.array([5.0, 1.0, 4.0, 2.0, 2.0, 7.0, 1.0, 3.0])  # a step each
RULES = QueueRules(class_order=CLASSES, preempts=("training",))


@st.composite
def failing(draw: st.DrawFn) -> JobTable:
    """Sixty jobs on a busy pool; a third of them lose a node or two."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = 60
    submit = np.sort(rng.integers(0, draw(st.sampled_from([1, 500, 3_000])), n)).astype(float)
    run = rng.integers(1, 300, n).astype(float)
    table = jobs(
        submit.tolist(),
        rng.choice([1, 1, 2, 3, 4, 8], n).tolist(),
        run.tolist(),
        limit_s=(run * rng.choice([0.5, 1.0, 1.5], n)).tolist(),
        slack_s=rng.choice([0.0, 200.0, 2_000.0], n).tolist(),
    )
    fails = np.empty(n, object)
    for row in range(n):
        times = np.sort(rng.random(rng.choice([0, 0, 1, 2]))) * run[row]
        fails[row] = tuple(times.tolist())
    return table.with_columns(
        node_fails_s=fails, job_class=np.array(rng.choice(CLASSES, n), object)
    )


def away(table: JobTable, runs: tuple[np.ndarray, ...], repair_s: float) -> np.ndarray:
    """Spans in which nodes are away, from the runs alone: a job fails after so long on its boards."""
    spans, held_s = [], np.minimum(table.run_s, table.limit_s)
    for row, times in enumerate(table.node_fails_s):
        mine = sorted(zip(runs[1][runs[0] == row], runs[2][runs[0] == row], strict=True))
        for after_s in times:
            before_s = 0.0
            for begin, end in mine:
                if after_s < held_s[row] and before_s < after_s < before_s + (end - begin):
                    spans.append(
                        (begin + after_s - before_s, begin + after_s - before_s + repair_s)
                    )
                before_s += end - begin
    return np.array(spans).reshape(-1, 2)


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=25, deadline=None)
@given(table=failing(), repair_s=st.sampled_from([5.0, 400.0, 5_000.0]), sleeps=st.booleans())
def test_nothing_starts_on_boards_that_are_away_and_work_is_conserved(
    policy: Policy, table: JobTable, repair_s: float, sleeps: bool
) -> None:
    queue = queue_of(policy, table, BOARDS, RULES, price=PRICE)
    sleepers = Sleepers(BOARDS, 30.0, 0.0) if sleeps else None
    played = play(table, BOARDS, queue, LONG_S, 5_000.0, Repairs(NODE, repair_s), sleepers)
    pool, held_s = played.pool, np.minimum(table.run_s, table.limit_s)
    ran = ~pool.refused
    assert np.isfinite(pool.end_s[ran]).all(), "a full pool queues; everything ends"
    runs = pool.runs()
    row, begin, end = runs
    spans = away(table, runs, repair_s)
    assert pool.repaired == len(spans)
    assert pool.free == BOARDS
    assert pool.out == 0
    times = np.unique(np.concatenate((begin, end, spans.ravel())))
    held = np.array([table.gpu_count[row[(begin <= t) & (t < end)]].sum() for t in times])
    out = np.array(
        [NODE * ((spans[:, 0] <= t + 1e-9) & (t < spans[:, 1] - 1e-9)).sum() for t in times]
    )
    starts = np.isin(times, begin)
    assert (held + out)[starts].max(initial=0) <= BOARDS
    assert held.max(initial=0) <= BOARDS
    gpu_s = float((table.gpu_count * held_s)[ran].sum())
    assert played.readings[:, 1].sum() == pytest.approx(gpu_s, rel=1e-9)
    away_gpu_s = played.readings[:, 3].sum() + pool.without_spare_gpu_s
    assert away_gpu_s == pytest.approx(NODE * repair_s * len(spans), rel=1e-9)
    short = np.maximum(held + out - BOARDS, 0)[:-1] @ np.diff(times)
    assert pool.without_spare_gpu_s == pytest.approx(short, abs=1e-5)


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=15, deadline=None)
@given(table=failing())
def test_where_no_node_fails_the_calendar_is_the_same_to_the_bit(
    policy: Policy, table: JobTable
) -> None:
    none = np.empty(len(table), object)
    none.fill(())
    whole = table.with_columns(node_fails_s=none)
    one, other = (
        play(
            whole,
            BOARDS,
            queue_of(policy, whole, BOARDS, RULES, price=PRICE),
            LONG_S,
            5_000.0,
            repairs,
        )
        for repairs in (None, Repairs(NODE, 400.0))
    )
    np.testing.assert_array_equal(one.start_s, other.start_s)
    np.testing.assert_array_equal(one.readings, other.readings)


@settings(max_examples=25, deadline=None)
@given(table=failing(), step_s=st.sampled_from([50.0, 1_000.0]))
def test_nothing_hangs_on_when_the_meter_is_read(table: JobTable, step_s: float) -> None:
    one, other = (
        play(table, BOARDS, queue_of("fifo", table, BOARDS), 50_000.0, step, Repairs(NODE, 400.0))
        for step in (step_s, 5_000.0)
    )
    np.testing.assert_array_equal(one.start_s, other.start_s)
    assert one.readings[:, 3].sum() == pytest.approx(other.readings[:, 3].sum(), abs=1e-6)
