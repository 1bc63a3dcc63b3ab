"""Idle boards that sleep: the sum of what is busy, awake and asleep is all there is."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.workload.sleep import Sleepers


def test_an_idle_pool_sleeps_after_its_time() -> None:
    pool = Sleepers(80, after_s=600.0, boot_s=180.0)
    np.testing.assert_allclose(pool.asleep(np.array([0.0, 300, 600, 900, 1200])), [0, 0, 80, 80])


def test_a_job_on_awake_boards_starts_at_once_and_one_on_sleeping_boards_boots_them() -> None:
    pool = Sleepers(80, after_s=600.0, boot_s=180.0)
    assert pool.take(16, 100.0) == 0.0
    pool.give(16, 500.0)
    assert pool.take(16, 1000.0) == 0.0, "freed at 500 s: still awake"
    assert pool.take(8, 1000.0) == 180.0
    assert pool.boots == 8
    # 64 sleep from 600 s, 56 of them on from 1000 s
    np.testing.assert_allclose(pool.asleep(np.array([0.0, 1000, 2000])), [64 * 0.4, 56])


def test_a_reading_in_pieces_tells_the_same_as_one() -> None:
    def drawn() -> Sleepers:
        pool = Sleepers(10, after_s=50.0, boot_s=10.0)
        pool.take(4, 20.0)
        pool.give(4, 120.0)
        pool.take(7, 300.0)
        return pool

    edges = np.arange(0.0, 501.0, 100.0)
    whole = drawn().asleep(edges)
    pool = drawn()
    pieces = np.concatenate([pool.asleep(edges[:3]), pool.asleep(edges[2:])])
    np.testing.assert_allclose(pieces, whole)


@given(
    st.lists(st.tuples(st.floats(0, 5000), st.floats(1, 3000), st.integers(1, 20)), max_size=30),
    st.floats(0, 2000),
)
def test_sleeping_boards_are_those_idle_for_longer_than_the_time(
    jobs: list[tuple[float, float, int]], after_s: float
) -> None:
    """Against a walk over seconds' worth of events: idle boards less those freed lately."""
    capacity, end_s = 40, 10_000.0
    events: list[tuple[float, int, int]] = []
    for start, run, boards in sorted(jobs):
        busy = sum(n for s, e, n in events if s <= start < e)
        if busy + boards <= capacity:
            events.append((start, start + run, boards))  # type: ignore[arg-type]
    pool = Sleepers(capacity, after_s, 60.0)
    moves = sorted(
        [(s, 1, n) for s, _, n in events] + [(e, 0, n) for _, e, n in events if e < end_s]
    )
    for at, takes, boards in moves:
        if takes:
            pool.take(boards, at)
        else:
            pool.give(boards, at)
    asleep = pool.asleep(np.array([0.0, end_s]))[0] * end_s
    # last in, first out: at any time asleep = the least idle count of the last after_s seconds
    times = sorted({0.0, end_s, *(m[0] for m in moves), *(m[0] + after_s for m in moves), after_s})
    total = 0.0
    for left, right in itertools.pairwise(times):
        middle = (left + right) / 2
        if middle > end_s or middle < after_s:
            continue
        seen = [
            middle,
            middle - after_s,
            *(m[0] for m in moves if middle - after_s < m[0] <= middle),
        ]
        idle = [capacity - sum(n for s, e, n in events if s <= t < e) for t in seen]
        total += min(idle) * (min(right, end_s) - left)
    assert asleep == pytest.approx(total, rel=1e-9, abs=1e-6)
