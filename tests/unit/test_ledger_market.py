"""Which retired lots a market-based book applies, and what hours bear out of a year's claim."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.ledger.factors.policies import shipped
from aidc.ledger.market.claims import NotApplied, Use, applied, claims, same_market
from aidc.ledger.market.hours import Hours, hourly_offers, is_coarse
from aidc.ledger.market.match_report import match_report
from aidc.ledger.market.matching import Offer
from tests.lots import MWH, Desk, criteria

YEAR = (datetime(2023, 12, 31, 16, tzinfo=UTC), datetime(2024, 12, 31, 16, tzinfo=UTC))
REGIONS = {"site:a": "CN-SH", "site:b": "CN-GD", "site:c": "SG"}


def asked(
    desk: Desk, period: tuple[datetime, datetime] = YEAR
) -> tuple[list[Use], list[NotApplied]]:
    return applied(
        claims(desk.held, "us", {"us"}),
        period=period,
        regions=REGIONS,
        terms=shipped().market,
        zone="Asia/Shanghai",
        reaches=same_market,
    )


def retired(name: str = "lot:1", **other: object) -> Desk:
    desk = Desk()
    assert desk.lot(name, **other) == []
    assert desk.acquire("m1", name, (1, 10)) == []
    assert desk.retire("m2", name, (1, 10)) == []
    return desk


def test_a_certificate_of_the_mainland_serves_every_site_of_the_mainland_and_no_other() -> None:
    (use,), refused = asked(retired())
    assert (use.rows, use.wh, refused) == ((0, 1), 10 * MWH, [])
    _, (abroad,) = asked(retired(region="DE", zone="DE"))
    assert (abroad.lot, abroad.criterion) == ("lot:1", "QC5")


@pytest.mark.parametrize("qc", [f"QC{number}" for number in (1, 2, 3, 4, 5, 8)])
def test_a_lot_that_fails_a_criterion_is_not_applied_and_the_criterion_is_named(qc: str) -> None:
    uses, (refused,) = asked(retired(criteria=criteria(**{qc: "no"})))
    assert uses == []
    assert (refused.lot, refused.move, refused.criterion, refused.amount) == (
        "lot:1",
        "m2",
        qc,
        10 * MWH,
    )


def test_a_claim_that_others_may_make_too_fails_the_second_criterion() -> None:
    _, (refused,) = asked(retired(sole_claim=False))
    assert refused.criterion == "QC2"


def test_a_vintage_outside_the_declared_window_is_not_applied() -> None:
    """D15: six months before the year to three after, read in the ledger's zone."""
    window = [("2023-06-30T16:00:00", True), ("2023-06-30T15:59:59", False)]
    for text, inside in window:
        start = datetime.fromisoformat(text).replace(tzinfo=UTC)
        desk = Desk()
        desk.lot("lot:1", (start, start + timedelta(days=20)))
        desk.acquire("m1", "lot:1", (1, 10))
        assert desk.retire("m2", "lot:1", (1, 10)) == []
        uses, refused = asked(desk)
        assert bool(uses) is inside
        assert [one.criterion for one in refused] == ([] if inside else ["QC4"])
        assert inside or "D15" in refused[0].reason


def test_a_certificate_of_own_pv_is_not_applied_beside_that_pv() -> None:
    _, (refused,) = asked(retired(meter="meter:pv"))
    assert refused.reason == "it certifies meter:pv, whose Wh count as own PV already"


def test_a_retirement_for_more_than_the_statement_covers_is_not_applied_and_another_year_is_silent() -> (
    None
):
    half = (YEAR[0], datetime(2024, 6, 30, 16, tzinfo=UTC))
    uses, (refused,) = asked(retired(), half)
    assert (uses, refused.criterion) == ([], "period")
    before = (datetime(2022, 12, 31, 16, tzinfo=UTC), YEAR[0])
    assert asked(retired(), before) == ([], [])


def hours_of_june(use: Use) -> list[int]:
    june = Hours.of((datetime(2024, 5, 31, 16, tzinfo=UTC), datetime(2024, 6, 1, 16, tzinfo=UTC)))
    (offer,) = hourly_offers([use], june, "Asia/Shanghai")
    return offer.wh.tolist()


def test_a_coarse_lot_is_flat_over_its_generation_or_follows_its_declared_profile() -> None:
    ((flat,), _) = asked(retired())
    assert is_coarse(flat)
    assert set(hours_of_june(flat)) <= {10 * MWH // 720, 10 * MWH // 720 + 1}
    noon = [0] * 11 + [1, 2, 1] + [0] * 10
    ((sun,), _) = asked(retired(hour_weights=noon))
    day = hours_of_june(sun)
    assert [hour for hour, wh in enumerate(day) if wh] == [11, 12, 13]
    assert abs(sum(day) - 10 * MWH // 30) <= 3
    assert day[12] == pytest.approx(2 * day[11], abs=2)


def test_meters_finer_than_an_hour_are_summed_and_coarser_ones_are_refused() -> None:
    since = datetime(2024, 6, 1, tzinfo=UTC)
    hours = Hours.of((since, since + timedelta(hours=2)))
    start = int(since.timestamp()) + 1800 * np.arange(4)
    length = np.full(4, 1800)
    assert hours.sums("m", start, length, np.asarray([1, 2, 3, 4])).tolist() == [3, 7]
    with pytest.raises(InputError, match="needs hourly readings or finer"):
        hours.sums("m", start[:1], np.asarray([7200]), np.asarray([1]))
    with pytest.raises(InputError, match="no whole number of hours"):
        Hours.of((since, since + timedelta(minutes=90)))


def test_the_claim_gap_is_what_the_year_claims_and_the_hours_do_not_bear_out() -> None:
    load = np.asarray([[100, 100, 100, 100]], np.int64)
    pv = Offer("pv", 0, (), (0,), np.asarray([0, 30, 0, 0], np.int64))
    ppa = Offer("ppa", 2, (), (0,), np.asarray([250, 40, 60, 0], np.int64))
    grid = np.asarray([0, 300_000, 500_000, 250_000], np.int64)
    made = match_report(["a"], load, [pv, ppa], coarse=frozenset({"ppa"}), grid_ppm=grid)
    assert made.annual_frac == Decimal("0.95")
    assert made.hourly_frac == Decimal("0.575")
    assert made.claim_gap_frac == Decimal("0.375")
    assert made.contracted_frac == made.profile_frac == Decimal("0.5")
    assert (made.excess_wh, made.uncovered_wh, made.hours_under_half) == (150, 170, (1,))
    assert made.carbon_free_ppm == (230 + 9 + 20 + 25) * 10**6 // 400
    assert "claim gap 37.5%" in made.text()
