"""Uncertainty: closed forms, a plain loop as oracle, groups, warnings, the assessed share."""

import math
import random

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.ledger.factors.distributions import Distribution, distribution
from aidc.ledger.statements.uncertainty import Input, Term, drawn, spread_of

DRAWS, SEED = 10_000, 7


def given(name: str, value: float, spread: str | None, group: str | None = None) -> Input:
    return Input(name, value, distribution(spread) if spread else None, group, "test")


def one(inputs: list[Input], *terms: Term, draws: int = DRAWS):  # type: ignore[no-untyped-def]
    return spread_of(inputs, terms, draws=draws, seed=SEED)["t"]


def test_a_sum_of_normals_has_the_closed_form() -> None:
    """Variances add: sd = sqrt(30^2 + 40^2) = 50."""
    inputs = [given("a", 300, "normal 0.1"), given("b", 200, "normal 0.2")]
    made = one(inputs, Term("t", 1, ("a",)), Term("t", 1, ("b",)))
    assert made.taylor_sd == pytest.approx(50, rel=1e-12)
    assert made.sd == pytest.approx(50, rel=0.02)
    assert made.mean == pytest.approx(500, rel=1e-3)
    assert (made.low, made.high) == pytest.approx((500 - 98, 500 + 98), rel=0.01)
    assert made.variance_frac == pytest.approx({"a": 0.36, "b": 0.64})
    assert made.warnings == ()


def test_a_product_of_lognormals_has_the_closed_form() -> None:
    """log sd = sqrt(ln^2 1.1 + ln^2 1.2): quantiles are exp(+-1.96 s) of the median."""
    inputs = [given("a", 10, "lognormal 1.1"), given("b", 5, "lognormal 1.2")]
    made = one(inputs, Term("t", 2, ("a", "b")))
    s = math.hypot(math.log(1.1), math.log(1.2))
    assert made.low == pytest.approx(100 * math.exp(-1.959964 * s), rel=0.01)
    assert made.high == pytest.approx(100 * math.exp(1.959964 * s), rel=0.01)
    assert made.mean == pytest.approx(100 * math.exp(s**2 / 2), rel=2e-3)
    assert made.taylor_mean == pytest.approx(100 * math.exp(s**2 / 2), rel=1e-12)
    assert made.sd == pytest.approx(
        100 * math.exp(s**2 / 2) * math.sqrt(math.expm1(s**2)), rel=0.02
    )


@pytest.mark.parametrize(
    ("text", "mean", "sd"),
    [
        ("normal 0.05", 1.0, 0.05),
        ("uniform 0.9 1.2", 1.05, 0.3 / math.sqrt(12)),
        ("triangular 0.8 1 1.5", 1.1, math.sqrt(0.39 / 18)),
        ("lognormal 1.3", math.exp(math.log(1.3) ** 2 / 2), None),
    ],
)
def test_quantiles_of_a_distribution_have_its_mean_and_deviation(
    text: str, mean: float, sd: float | None
) -> None:
    held = distribution(text)
    u = (np.arange(200_000) + 0.5) / 200_000
    sample = held.at(u)
    assert (np.diff(sample) >= 0).all()
    assert held.mean == pytest.approx(mean)
    assert sample.mean() == pytest.approx(held.mean, rel=1e-4)
    assert sample.std() == pytest.approx(held.sd, rel=1e-3)
    if sd is not None:
        assert held.sd == pytest.approx(sd)


def test_one_factor_version_in_two_cells_is_drawn_once() -> None:
    """Together deviations add; apart they add in squares."""
    terms = (Term("t", 1, ("a",)), Term("t", 1, ("b",)))
    group = [given("a", 100, "normal 0.1", "v"), given("b", 100, "normal 0.1", "v")]
    alone = [given("a", 100, "normal 0.1"), given("b", 100, "normal 0.1")]
    same = [given("a", 100, "normal 0.1")]
    assert one(group, *terms).taylor_sd == pytest.approx(20)
    assert one(group, *terms).sd == pytest.approx(20, rel=0.01)
    assert one(alone, *terms).sd == pytest.approx(math.sqrt(200), rel=0.02)
    twice = one(same, Term("t", 1, ("a",)), Term("t", 1, ("a",)))
    assert twice.sd == pytest.approx(20, rel=0.01)
    difference = one(same, Term("t", 1, ("a",)), Term("t", -1, ("a",)))
    assert difference.sd == pytest.approx(0, abs=1e-12)


def test_draws_agree_with_a_plain_loop() -> None:
    """The oracle: random.Random, one draw at a time, no arrays and no strata."""
    inputs = [
        given("f", 0.57, "lognormal 1.15"), given("a", 900.0, "triangular 0.9 1 1.3"),
        given("b", 400.0, "uniform 0.8 1.1"), given("c", 50.0, "normal 0.3"),
    ]  # fmt: skip
    terms = (Term("t", 1, ("f", "a")), Term("t", 1, ("f", "b")), Term("t", 1, ("c",)))
    made = one(inputs, *terms, draws=50_000)
    rng = random.Random(3)
    loop = []
    for _ in range(50_000):
        f = 0.57 * math.exp(rng.gauss(0, math.log(1.15)))
        a = 900 * rng.triangular(0.9, 1.3, 1.0)
        b = 400 * rng.uniform(0.8, 1.1)
        c = 50 * rng.gauss(1, 0.3)
        loop.append(f * a + f * b + c)
    loop.sort()
    mean = math.fsum(loop) / len(loop)
    assert made.mean == pytest.approx(mean, rel=3e-3)
    assert made.sd == pytest.approx(
        math.sqrt(math.fsum((x - mean) ** 2 for x in loop) / 49_999), rel=0.02
    )
    assert made.low == pytest.approx(loop[1250], rel=5e-3)
    assert made.high == pytest.approx(loop[48_750], rel=5e-3)


def test_a_crooked_input_warns_that_first_order_and_draws_are_apart() -> None:
    inputs = [given("a", 100, "lognormal 2"), given("b", 3, "lognormal 2")]
    made = one(inputs, Term("t", 1, ("a", "b")))
    assert any("trust the draws" in warning for warning in made.warnings)
    assert abs(made.sd - made.taylor_sd) > 0.02 * made.taylor_sd
    straight = [given("a", 100, "normal 0.1")]
    assert one(straight, Term("t", 1, ("a",))).warnings == ()


def test_what_has_no_distribution_is_held_and_not_assessed() -> None:
    inputs = [given("a", 300, "normal 0.1"), given("b", 100, None)]
    made = one(inputs, Term("t", 1, ("a",)), Term("t", 1, ("b",)))
    assert made.assessed_frac == 0.75
    assert made.sd == pytest.approx(30, rel=0.02)
    assert "not assessed for 25.0%" in made.warnings[0]
    nothing = one([given("b", 100, None)], Term("t", 1, ("b",)))
    assert (nothing.sd, nothing.assessed_frac, dict(nothing.variance_frac)) == (0.0, 0.0, {})


def test_a_seed_gives_its_draws_again_whatever_the_order_of_inputs() -> None:
    inputs = [given("a", 300, "normal 0.1"), given("b", 200, "uniform 0.5 1")]
    terms = (Term("t", 1, ("a", "b")),)
    first = spread_of(inputs, terms, draws=DRAWS, seed=1)
    assert spread_of(inputs[::-1], terms, draws=DRAWS, seed=1) == first
    assert spread_of(inputs, terms, draws=DRAWS, seed=2) != first
    sample = drawn(inputs, terms, draws=DRAWS, seed=1)["t"]
    assert float(sample.mean()) == first["t"].mean
    assert (first["t"].seed, first["t"].draws) == (1, DRAWS)
    assert "seed 1" in first["t"].text("t")


@pytest.mark.parametrize(
    "text",
    ["", "gauss 1", "normal", "normal x", "normal -1", "lognormal 0.9", "uniform 1.1 0.9",
     "triangular 1 0.5 2", "triangular 1 1 1", "uniform -0.1 1", "normal nan"],
)  # fmt: skip
def test_numbers_that_make_no_distribution_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        distribution(text)


def test_all_faults_of_a_model_come_at_once() -> None:
    inputs = [given("a", 1, None), given("a", 1, None)]
    with pytest.raises(InputError) as caught:
        spread_of(inputs, [Term("t", 1, ("b",))], draws=10, seed=0)
    assert len(caught.value.faults) == 3


def test_a_triangle_may_lean_on_its_end() -> None:
    held = Distribution("triangular", (0.5, 0.5, 2.0))
    assert distribution("triangular 0.5 0.5 2") == held
    assert held.at(np.array([0.0, 1.0])).tolist() == [0.5, 2.0]
