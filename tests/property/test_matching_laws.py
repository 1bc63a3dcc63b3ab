"""Matching of load and generation: conservation, caps, and a plain loop as the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.ledger.market.matching import Matched, Offer, match, shared, spread
from tests.matching_oracle import matched_by_loops, split

SITES, HOURS = 3, 4
small = st.integers(0, 12)
large = st.integers(0, 10**13)  # products above 2**63
sizes = st.sampled_from((small, large))


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, list[Offer]]:
    wh = draw(sizes)
    load = [[draw(wh) for _ in range(HOURS)] for _ in range(SITES)]
    offers = []
    for number in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, HOURS - 1))
        hours = draw(st.integers(0, HOURS - first))
        offers.append(
            Offer(
                f"lot {number}",
                draw(st.integers(0, 2)),
                (draw(st.integers(0, 2)),),
                tuple(sorted(draw(st.sets(st.integers(0, SITES - 1), min_size=1)))),
                np.asarray([draw(wh) for _ in range(hours)], np.int64),
                first,
            )
        )
    return np.asarray(load, np.int64), offers


@given(cases())
@settings(max_examples=200, deadline=None)
def test_the_engine_says_what_a_plain_loop_says(case: tuple[np.ndarray, list[Offer]]) -> None:
    load, offers = case
    made = match(load, offers)
    covered, excess, left = matched_by_loops(load.tolist(), offers)
    assert made.covered_wh.tolist() == covered
    assert made.excess_wh.tolist() == excess
    assert made.uncovered_wh.tolist() == left


@given(cases())
@settings(deadline=None)
def test_tiers_and_what_is_uncovered_are_the_load_and_offers_end_covered_or_in_excess(
    case: tuple[np.ndarray, list[Offer]],
) -> None:
    """Coverage identity (P1), in each site."""
    load, offers = case
    made = match(load, offers)
    by_site = made.covered_wh.sum(axis=0) + made.uncovered_wh.sum(axis=1)
    assert by_site.tolist() == load.sum(axis=1).tolist()
    assert made.uncovered_wh.min(initial=0) >= 0
    offered = [int(offer.wh.sum()) for offer in made.offers]
    assert (made.covered_wh.sum(axis=1) + made.excess_wh).tolist() == offered


@given(cases(), st.randoms())
@settings(deadline=None)
def test_the_order_in_which_offers_are_given_changes_nothing(
    case: tuple[np.ndarray, list[Offer]], random: object
) -> None:
    load, offers = case
    mixed = list(offers)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = match(load, offers), match(load, mixed)
    assert [offer.name for offer in one.offers] == [offer.name for offer in other.offers]
    assert (one.covered_wh == other.covered_wh).all()


@given(cases())
@settings(deadline=None)
def test_an_hourly_match_is_never_more_than_the_annual_one(
    case: tuple[np.ndarray, list[Offer]],
) -> None:
    """Excess of one hour cannot serve another, so the claim gap is never negative."""
    load, offers = case
    every = tuple(range(SITES))
    here = [Offer(o.name, o.tier, o.order, every, o.wh, o.first) for o in offers]
    year = [Offer(o.name, o.tier, o.order, every, np.asarray([o.wh.sum()], np.int64)) for o in here]
    hourly, annual = match(load, here), match(load.sum(axis=1, keepdims=True), year)
    assert hourly.covered_wh.sum() <= annual.covered_wh.sum()


@given(st.lists(large, min_size=1, max_size=5), st.integers(0, 10**13))
@settings(deadline=None)
def test_a_split_sums_to_the_whole_and_is_within_one_of_proportion(
    wanted: list[int], total: int
) -> None:
    asked = min(total, sum(wanted))
    made = shared(np.asarray([asked], np.int64), np.asarray(wanted, np.int64)[:, None])[:, 0]
    assert made.sum() == asked
    assert all(0 <= part <= wh for part, wh in zip(made.tolist(), wanted, strict=True))
    assert made.tolist() == list(split(asked, dict(enumerate(wanted))).values())


@given(st.integers(0, 10**13), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_a_spread_lot_keeps_its_whole_and_gives_nothing_where_the_profile_is_zero(
    amount: int, weights: list[int]
) -> None:
    made = spread(amount, np.asarray(weights, np.int64))
    assert made.sum() == amount
    assert all(wh == 0 for wh, weight in zip(made.tolist(), weights, strict=True) if not weight)


def hours(load: list[int], offered: list[int]) -> Matched:
    offer = Offer("ppa", 1, (0,), (0,), np.asarray(offered, np.int64))
    return match(np.asarray([load], np.int64), [offer])


def test_excess_of_one_hour_does_not_serve_another() -> None:
    made = hours([100, 100, 100, 0], [250, 40, 60, 10])
    assert made.covered_wh.tolist() == [[200]]
    assert made.excess_wh.tolist() == [160]
    assert made.hours_under(50).tolist() == [1]


def test_the_carbon_free_score_counts_contracts_to_the_load_and_the_grid_on_the_rest() -> None:
    """(100 + 40 + 60 contracted + 30 % of 60 and 50 % of 40 of the grid) / 300."""
    made = hours([100, 100, 100], [250, 40, 60])
    score = made.carbon_free_ppm(np.asarray([900_000, 300_000, 500_000], np.int64))
    assert score == (200 + 18 + 20) * 1_000_000 // 300


def test_offers_and_loads_that_are_no_counts_are_refused() -> None:
    load = np.asarray([[5]], np.int64)
    with pytest.raises(InputError, match="never negative"):
        match(load, [Offer("a", 0, (), (0,), np.asarray([-1], np.int64))])
    with pytest.raises(InputError, match="leave the period"):
        match(load, [Offer("a", 0, (), (0,), np.asarray([1, 1], np.int64))])
    with pytest.raises(InputError, match="reaches rows"):
        match(load, [Offer("a", 0, (), (1,), np.asarray([1], np.int64))])
    with pytest.raises(InputError, match="0 throughout"):
        spread(5, np.zeros(3, np.int64))
    with pytest.raises(InputError, match="no load"):
        hours([0], [1]).carbon_free_ppm(np.asarray([0], np.int64))
