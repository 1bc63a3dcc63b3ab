"""Planned starts are checked against boards that are really free."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aidc.optimization.calendar import Calendar, settle
from aidc.optimization.timing import Timing


def array(*values: float) -> np.ndarray:
    return np.array(values, float)


def test_a_job_fits_exactly_between_two_others() -> None:
    calendar = Calendar(8, array(0, 20), array(10, 30), array(8, 8), array(10, 20, 19))
    assert calendar.fits(10, 20, 8)
    assert not calendar.fits(19, 29, 1)


def test_a_wanted_start_without_boards_moves_to_the_nearest_that_has_them() -> None:
    calendar = Calendar(8, array(0, 20), array(5, 30), array(8, 8), array(5, 10, 25, 30, 35))
    # job of 8 boards for 5 s stands at 0; it wants 20, where the other job runs
    settled, _ = settle(
        [[calendar]],
        Timing.whole(array(0)),
        Timing.whole(array(20)),
        array(5),
        array(8),
        [array(0, 10, 20, 30)],
    )
    assert settled.start_s.tolist() == [10.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 10), st.integers(1, 4)),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_settled_jobs_never_hold_more_boards_than_there_are(
    drawn: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    start, run, gpus = (np.array(column, float) for column in zip(*drawn, strict=True))
    used = max(
        sum(g for s, r, g in zip(start, run, gpus, strict=True) if s <= t < s + r)
        for t in range(45)
    )
    wanted = np.array([data.draw(st.integers(int(s), int(s) + 12)) for s in start], float)
    times = np.concatenate([wanted, wanted + run, start])
    calendar = Calendar(int(used), start, start + run, gpus, times)
    options = [np.array([s, w]) for s, w in zip(start, wanted, strict=True)]
    settled = settle(
        [[calendar]] * len(start), Timing.whole(start), Timing.whole(wanted), run, gpus, options
    )[0].start_s
    for t in range(60):
        assert sum(g for s, r, g in zip(settled, run, gpus, strict=True) if s <= t < s + r) <= used
