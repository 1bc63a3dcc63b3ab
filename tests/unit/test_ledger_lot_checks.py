"""Checks on a journal that was put together elsewhere: each has a fixture that trips it."""

from datetime import UTC, datetime

from aidc.ledger.holdings import Holdings, MoveRecord
from aidc.ledger.lot_checks import (
    d1_retired_twice,
    d2_more_than_held,
    d3_certificate_and_credit,
    d4_sold_own_pv,
    d10_two_kinds_of_rest,
    d15_vintage,
)
from aidc.ledger.lots import Lot, LotMove
from aidc.ledger.market import NotApplied
from tests.lots import GENERATED, MWH, Desk, lot_payload

AT = datetime(2025, 2, 1, tzinfo=UTC)


def unchecked(*moves: tuple[str, str, int, int], lot_type: str = "gec_single") -> Holdings:
    """A lot of 1,000 certificates with moves that nobody looked at."""
    held = Holdings()
    held.add("lot:1", Lot.model_validate(lot_payload(lot_type)), GENERATED)
    for name, act, first, last in moves:
        move = LotMove.model_validate(
            {
                "lot": "lot:1", "act": act, "entity": "us", "quantity": (last - first + 1) * MWH,
                "serials": {"first": first, "last": last},
            }
        )  # fmt: skip
        held.apply(MoveRecord(name, move, AT, held.spans(move, AT)))
    return held


def test_a_serial_retired_twice_trips_d1_wherever_the_second_time_is() -> None:
    held = unchecked(("a", "acquire", 1, 100), ("b", "retire", 1, 90), ("c", "retire", 5, 6),
                     ("d", "retire", 80, 95))  # fmt: skip
    trips = list(d1_retired_twice(held))
    assert [trip.entries for trip in trips] == [("b", "c"), ("b", "d")]
    assert trips[1].message == "serials 80 to 90 of GEC are retired twice"
    assert not list(d1_retired_twice(unchecked(("b", "retire", 1, 5), ("c", "retire", 6, 9))))


def test_more_retired_than_acquired_trips_d2() -> None:
    held = unchecked(("a", "acquire", 1, 10), ("b", "retire", 1, 10), ("c", "retire", 11, 12))
    (trip,) = d2_more_than_held(held)
    assert (trip.check, trip.entries) == ("D2", ("lot:1", "b", "c"))
    assert "12000000 of 10000000 Wh" in trip.message
    assert not list(d2_more_than_held(unchecked(("a", "acquire", 1, 10), ("b", "retire", 1, 10))))


def test_a_certificate_and_a_credit_of_the_same_mwh_trip_d3() -> None:
    held = unchecked()
    held.add("credit", Lot.model_validate(lot_payload("ccer")), GENERATED)
    (trip,) = d3_certificate_and_credit(held)
    assert trip.entries == ("lot:1", "credit")


def test_own_pv_whose_certificates_are_somebody_elses_trips_d4() -> None:
    desk = Desk()
    desk.lot("own", meter="meter:pv")
    desk.acquire("m1", "own", (1, 10))
    assert not list(d4_sold_own_pv(desk.held, {"meter:pv": ("us", True)}))
    desk.move("m2", "own", "transfer", (1, 5), entity="us", to="a buyer")
    (trip,) = d4_sold_own_pv(desk.held, {"meter:pv": ("us", True)})
    assert trip.entries == ("meter:pv", "own", "m2")
    assert not list(d4_sold_own_pv(desk.held, {"meter:pv": ("us", False)}))


def test_two_kinds_of_rest_in_one_market_and_year_trip_d10() -> None:
    tiers = {("CN", 2023): {"residual_mix"}, ("CN", 2024): {"residual_mix", "residual_proxy"}}
    (trip,) = d10_two_kinds_of_rest(tiers)
    assert trip.message.startswith("uncovered electricity of CN in 2024")


def test_a_vintage_outside_the_window_trips_d15_on_the_lot() -> None:
    passed = [
        NotApplied("lot:1", "m2", "QC4", 5, "D15: generated too early"),
        NotApplied("lot:2", "m3", "QC5", 5, "another market"),
    ]
    (trip,) = d15_vintage(passed)
    assert str(trip).startswith("D15: generated too early (lot:1, m2)")
