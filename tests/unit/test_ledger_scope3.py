"""Scope 3, memos beside the inventory, and the checks against counting twice."""

from datetime import date
from decimal import Decimal

import pytest

from aidc.errors import InputError
from aidc.ledger.checks.double_counting import (
    Counted,
    Deduction,
    d5_savings_subtracted,
    d6_fuel_in_scope_1_and_2,
    d7_lease_in_scope_2_and_category_8,
    d8_equipment_in_category_1_and_2,
    d9_losses_in_scope_2,
    d16_sold_credits,
)
from aidc.ledger.factors.gases import gwps
from aidc.ledger.factors.policies import shipped
from aidc.ledger.factors.rows import ActivityFactor, GridFactor, grid_factors
from aidc.ledger.scopes.memos import conseq, embodied_g, pcf, sci
from aidc.ledger.scopes.scope3 import (
    Asset,
    LossRate,
    S3C3Options,
    activity_line,
    category_2,
    category_3,
    loss_rates,
    loss_t,
    lost_wh,
    not_drawn_up,
    upstream_t,
)
from aidc.ledger.statements.books import BookMixError

ONE, COAL = Decimal(1), Decimal("0.05")  # t/MWh
MWH = 10**6


def test_one_kilowatt_hour_is_105_tonnes_in_each_of_four_companies() -> None:
    """GHG Protocol, Technical Guidance for Calculating Scope 3 Emissions, tables 3.2 and 5.6 (case L1).

    100 MWh from coal at 1 t/MWh, 0.05 t/MWh for the mine; the network consumes 10 MWh, the user
    buys 90. The 10 MWh are an energy that was read, never derived from a rate.
    """
    sent, lost, bought = (Decimal(n * MWH) for n in (100, 10, 90))
    mine = upstream_t(sent, COAL)
    assert mine == 5
    burnt = loss_t(sent, ONE, COAL, "generation")
    assert (burnt, mine + burnt) == (100, 105)
    # network and retailer: scope 2, fuel of its own 10 MWh, electricity sold on
    own = loss_t(lost, ONE, COAL, "generation")
    own_fuel = upstream_t(lost, COAL)
    sold = loss_t(bought, ONE, COAL, "lifecycle")
    assert (own, own_fuel, sold) == (10, Decimal("0.5"), Decimal("94.5"))
    assert own + own_fuel + sold == 105
    # end user
    scope_2 = loss_t(bought, ONE, COAL, "generation")
    fuel = upstream_t(bought, COAL)
    losses = loss_t(lost, ONE, COAL, "lifecycle")
    assert (scope_2, fuel, losses) == (90, Decimal("4.5"), Decimal("10.5"))
    assert scope_2 + fuel + losses == 105


def of_2023() -> tuple[GridFactor, GridFactor]:
    rows = grid_factors()
    return rows["mee-lifecycle-CN-2023"], rows["mee-average-CN-2023"]


def rate(loss_frac: str) -> LossRate:
    return LossRate(
        name="r", geography="CN", data_year=2023, loss_frac=Decimal(loss_frac), publisher="test",
        document_no="none", status="assumed", source="assumed: for the test",
    )  # fmt: skip


def options(losses_at: str, loss_base: str, absent: str = "together") -> S3C3Options:
    return S3C3Options.model_validate(
        {
            "losses_at": losses_at,
            "loss_base": loss_base,
            "absent_loss_rate": absent,
            "source": "test",
        }
    )


@pytest.mark.parametrize("losses_at", ["generation", "lifecycle"])
@pytest.mark.parametrize("loss_base", ["consumption", "grossed_up"])
def test_upstream_and_losses_are_life_cycle_less_direct_under_every_option(
    losses_at: str, loss_base: str
) -> None:
    """0.6205 - 0.5306 = 0.0899 t/MWh: whatever the options split, the sum is theirs."""
    lines = category_3(1000 * MWH, 2023, *of_2023(), rate("0.04"), options(losses_at, loss_base))
    assert [line.tier for line in lines] == ["upstream", "td_losses"]
    total = sum(line.tco2e for line in lines if line.tco2e is not None)
    assert abs(total - Decimal("89.9")) < Decimal("1e-24")
    plain = category_3(
        1000 * MWH, 2023, *of_2023(), rate("0.04"), options("generation", "consumption")
    )
    assert plain[1].tco2e == Decimal("0.5306") * 1000 * Decimal("0.04")


def test_the_losses_of_china_are_not_assessed_and_never_zero() -> None:
    assert not [row for row in loss_rates().values() if row.geography.startswith("CN")]
    apart = category_3(
        1000 * MWH, 2023, *of_2023(), None, options("generation", "consumption", "not_assessed")
    )
    assert [line.tco2e for line in apart] == [None, None]
    together = category_3(1000 * MWH, 2023, *of_2023(), None, shipped().s3_c3)
    assert [(line.tier, line.tco2e) for line in together] == [
        ("upstream_with_td_losses", Decimal("89.9")),
        ("td_losses", None),
    ]
    assert "no loss rate for CN" in together[1].note
    no_factor = category_3(1000 * MWH, 2022, None, of_2023()[1], None, shipped().s3_c3)
    assert {line.tco2e for line in no_factor} == {None}


def test_factors_of_different_years_or_bases_are_never_subtracted() -> None:
    lifecycle, direct = of_2023()
    other = grid_factors()["mee-average-CN-2022"]
    with pytest.raises(InputError, match="one place and data year"):
        category_3(MWH, 2023, lifecycle, other, None, shipped().s3_c3)
    with pytest.raises(InputError, match="a life-cycle and a direct factor"):
        category_3(MWH, 2023, direct, direct, None, shipped().s3_c3)
    with pytest.raises(InputError, match="check the rate"):
        category_3(MWH, 2023, *of_2023(), rate("0.5"), shipped().s3_c3)


def test_a_loss_grossed_up_is_a_share_of_what_enters() -> None:
    assert lost_wh(90, Decimal("0.1"), "grossed_up") == 10
    assert lost_wh(90, Decimal("0.1"), "consumption") == 9


def gpus(pieces: int, bought: date, kg: str | None = "164", **more: object) -> Asset:
    return Asset.model_validate(
        {
            "site": "site:a", "asset": "gpu", "pieces": pieces, "embodied_kgco2e": kg,
            "embodied_source": "test", "purchased_on": bought, "life_years": "5", **more,
        }
    )  # fmt: skip


def test_equipment_is_booked_whole_in_the_year_it_is_bought() -> None:
    bought = gpus(1000, date(2022, 3, 1))
    assert [line.tco2e for line in category_2([bought], 2022)] == [Decimal("164")]
    assert category_2([bought], 2023) == ()
    assert category_2([gpus(1, date(2022, 3, 1), booked_in="category_1")], 2022) == ()
    unknown = category_2([gpus(1000, date(2022, 3, 1), None)], 2022)
    assert unknown[0].tco2e is None
    assert "not assessed" in unknown[0].note


def item(**changes: object) -> ActivityFactor:
    row = {
        "name": "train-2022", "id": "train", "version": "1", "activity": "rail", "value": "30",
        "unit_num": "g", "unit_den": "pkm", "gas": "CO2e", "gwp_set": "AR5", "basis": "direct",
        "geography": "CN", "data_year": 2022, "publisher": "user table", "document_no": "none",
        "status": "assumed", "source": "assumed: for the test",
    }  # fmt: skip
    return ActivityFactor.model_validate(row | changes)


def test_travel_counts_passenger_kilometres_at_the_users_factor() -> None:
    line = activity_line("travel", "rail", 1_234_567_000, 2023, [item()], "AR5", gwps().values())
    assert line.tco2e == Decimal("37.03701")
    assert (line.category, line.unit) == (6, "pm")
    assert line.note == "factor of 2022, 1 years earlier"


def test_spend_nights_and_commuting_have_their_own_units_and_categories() -> None:
    spend = item(name="it", activity="servers", unit_num="kg", unit_den="CNY", value="0.02")
    line = activity_line("goods_spend", "servers", 100_000_000, 2022, [spend], "AR5", ())
    assert (line.category, line.tco2e) == (1, Decimal("20"))
    night = item(name="bed", activity="hotel", unit_num="kg", unit_den="night", value="40")
    assert activity_line("hotel", "hotel", 50, 2022, [night], "AR5", ()).tco2e == 2
    assert activity_line("commuting", "rail", 10**9, 2022, [item()], "AR5", ()).category == 7


def test_an_item_without_a_factor_is_not_assessed() -> None:
    line = activity_line("travel", "air", 10**9, 2022, [item()], "AR5", gwps().values())
    assert line.tco2e is None
    assert "not assessed: no factor for air" in line.note
    early = activity_line("travel", "rail", 10**9, 2021, [item()], "AR5", gwps().values())
    assert early.tco2e is None  # no factor of a later year stands in


@pytest.mark.parametrize(
    ("factor", "gwp_set", "says"),
    [
        (item(unit_den="km"), "AR5", "counted in pm"),
        (item(), "AR6", "CO2e of AR5, the statement of AR6"),
    ],
)
def test_a_factor_of_another_dimension_or_gwp_set_is_refused(
    factor: ActivityFactor, gwp_set: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        activity_line("travel", "rail", 1, 2022, [factor], gwp_set, gwps().values())


def test_two_rows_for_one_item_are_an_error_and_two_gases_are_not() -> None:
    with pytest.raises(InputError, match="two factors win"):
        activity_line("travel", "rail", 1, 2022, [item(), item(name="b")], "AR5", ())
    gases = [
        item(name="a", gas="CO2", gwp_set=None),
        item(name="b", gas="CH4", gwp_set=None, value="1"),
    ]
    line = activity_line("travel", "rail", 10**9, 2022, gases, "AR5", gwps().values())
    assert line.tco2e == 30 + 28


def test_what_is_not_drawn_up_of_the_fifteen_categories_is_named() -> None:
    """GHG Protocol, Scope 3 Standard, table 5.1: the names of the categories."""
    rest = not_drawn_up((1, 2, 3, 6, 7))
    assert rest.count("category") == 10
    assert "category 8, upstream leased assets" in rest
    assert "category 3" not in rest


def test_a_memo_can_never_be_summed() -> None:
    marginal = grid_factors()["mee-fossil-CN-2023"].model_copy(update={"kind": "marginal"})
    effect = conseq("run at night", 10 * MWH, marginal)
    assert effect.tco2e == Decimal("-8.273")
    footprint = pcf("training run", 10 * MWH, of_2023()[0])
    assert footprint.tco2e == Decimal("6.205")
    for act in (
        lambda: effect + effect, lambda: effect - footprint, lambda: sum([effect, footprint]),
        lambda: Decimal(1) + footprint,
    ):  # fmt: skip
        with pytest.raises(BookMixError, match="cannot be summed"):
            act()
    with pytest.raises(InputError, match="marginal factor"):
        conseq("x", MWH, of_2023()[1])
    with pytest.raises(InputError, match="life-cycle factor"):
        pcf("x", MWH, of_2023()[1])


def test_a_gpu_hour_carries_its_energy_and_its_share_of_the_equipment() -> None:
    """(O + M) / R: 700 Wh at 0.5306 g/Wh, 164 kg over five years of 8,760 h."""
    one = gpus(1, date(2023, 1, 1))
    shared = embodied_g([one], Decimal(1), Decimal(1), date(2024, 6, 1))
    made = sci(700, of_2023()[1], shared, Decimal(1), "GPU-hour")
    assert made.operational_g == Decimal("371.42")
    assert float(made.embodied_g) == pytest.approx(164_000 / 43_800, rel=1e-12)
    assert float(made.g_per_unit) == pytest.approx(371.42 + 3.744292, abs=1e-6)
    assert embodied_g([one], Decimal(1), Decimal(1), date(2028, 6, 1)) == 0  # written off


def test_software_carbon_intensity_never_goes_by_the_market() -> None:
    with pytest.raises(InputError, match="location-based"):
        sci(1, of_2023()[1], Decimal(0), Decimal(1), "job", "S2-MB-2015")
    with pytest.raises(InputError, match="no embodied carbon"):
        embodied_g([gpus(1, date(2023, 1, 1), None)], Decimal(1), Decimal(1), date(2024, 1, 1))


def test_a_saving_taken_off_a_metered_inventory_trips_d5() -> None:
    """45 GWh and 25.7 kt are design claims, not deductions."""
    claim = Deduction("calc:design", "avoided", 45 * 10**9, Decimal("25700"), "S2-LB")
    found = list(d5_savings_subtracted([claim]))
    assert [(t.check, t.entries) for t in found] == [("D5", ("calc:design",))]
    apart = Deduction("calc:design", "avoided", 45 * 10**9, Decimal("25700"), None)
    assert not list(d5_savings_subtracted([apart]))


@pytest.mark.parametrize(
    ("check", "places", "apart"),
    [
        (d6_fuel_in_scope_1_and_2, ("scope_1", "scope_2"), ("scope_1", "category_8")),
        (d7_lease_in_scope_2_and_category_8, ("scope_2", "category_8"), ("scope_1", "scope_2")),
        (d8_equipment_in_category_1_and_2, ("category_1", "category_2"), ("scope_2", "category_2")),
    ],
)
def test_one_thing_in_two_places_trips_d6_d7_and_d8(check, places, apart) -> None:  # type: ignore[no-untyped-def]
    both = [Counted("the same thing", place, f"e:{place}") for place in places]
    (found,) = check(both)
    assert found.check == check.__name__[:2].upper()
    assert found.entries == tuple(f"e:{place}" for place in places)
    assert not list(check([Counted("the same thing", place, "e") for place in apart]))
    assert not list(check([Counted("a", places[0], "e"), Counted("b", places[1], "f")]))


def test_losses_inside_a_scope_2_factor_trip_d9() -> None:
    lossy = of_2023()[1].model_copy(update={"basis": "incl_td"})
    assert [t.check for t in d9_losses_in_scope_2("S2-LB", [("e", lossy)])] == ["D9"]
    assert not list(d9_losses_in_scope_2("S2-LB", [("e", of_2023()[1])]))
    assert not list(d9_losses_in_scope_2("PCF", [("e", lossy)]))


def test_own_credits_that_are_sold_and_not_added_back_trip_d16() -> None:
    sold = {"move:1": Decimal(100)}
    (found,) = d16_sold_credits(sold, {"move:1": Decimal(40)})
    assert (found.check, found.entries) == ("D16", ("move:1",))
    assert found.message.startswith("60 t")
    assert not list(d16_sold_credits(sold, {"move:1": Decimal(100)}))
