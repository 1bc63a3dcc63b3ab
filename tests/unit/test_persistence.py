"""Forecasts of a series from its own past alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.persistence import combined, held, repeated

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=80)


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(1, 90), st.integers(1, 40))
def test_what_never_changed_does_not_change(value: float, seen: int, steps: int) -> None:
    past = np.full(seen, value)
    for made in (held(past, steps), repeated(past, 6, steps), combined(past, (12, 6), steps)):
        assert (made == value).all()
        assert made.shape == (steps,)


def test_the_last_day_comes_again_and_before_a_day_is_known_the_last_value() -> None:
    past = np.array([9.0, 1.0, 2.0, 3.0])
    assert repeated(past, 3, 7).tolist() == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]
    assert repeated(past[:2], 3, 2).tolist() == [1.0, 1.0]


@settings(deadline=None)
@given(st.integers(3, 9), st.integers(1, 20), st.integers(0, 5))
def test_a_course_that_repeats_is_learned_exactly(period: int, steps: int, extra: int) -> None:
    course = np.sin(np.arange(period) + 1.0)
    past = np.tile(course, 6)[: 5 * period + min(extra, period)]
    truth = np.resize(np.roll(course, -len(past)), steps)
    assert combined(past, (period,), steps) == pytest.approx(truth, abs=1e-3)


def test_a_random_walk_is_held_and_noise_is_averaged() -> None:
    random = np.random.default_rng(5)
    walk = random.normal(size=24 * 28).cumsum()
    assert combined(walk, (24,), 1)[0] == pytest.approx(walk[-1], abs=1.0)
    errors = {"held": 0.0, "combined": 0.0}
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=24 * 28 + 1)
        errors["held"] += abs(held(noise[:-1], 1)[0] - noise[-1])
        errors["combined"] += abs(combined(noise[:-1], (24,), 1)[0] - noise[-1])
    assert errors["combined"] < 0.85 * errors["held"]  # sqrt(1/2) in the limit


@settings(deadline=None)
@given(VALUES, st.integers(2, 12), st.integers(1, 30))
def test_a_mixture_of_values_seen_stays_near_them(
    values: list[float], period: int, steps: int
) -> None:
    past = np.array(values)
    made = combined(past, (period,), steps)
    spread = np.ptp(past)
    assert np.isfinite(made).all()
    assert (made >= past.min() - spread - 1e-6).all()  # a mean shape may be shifted by the spread
    assert (made <= past.max() + spread + 1e-6).all()
