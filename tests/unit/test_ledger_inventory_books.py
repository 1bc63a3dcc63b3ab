"""Scope 1 with all gases and scope 3 as books of one journal; drafts and approvals in it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from aidc.errors import InputError
from aidc.ledger import BookMixError, Ledger
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import ActivityFactor, FuelFactor, fuel_factors, grid_factors
from aidc.ledger.journal.fields import base_unit_of
from aidc.ledger.scopes.scope1_cells import biogenic_t
from aidc.ledger.scopes.scope3 import LossRate

AT = datetime(2026, 1, 31, tzinfo=UTC)
ON = date(2026, 1, 31)
ALWAYS = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
YEAR = {"valid_from": "2022-12-31T16:00:00Z", "valid_to": "2023-12-31T16:00:00Z"}


def site(region: str = "CN-SH") -> dict[str, Any]:
    payload = {
        "entity": "e", "name": "a", "region": region, "zone": "Asia/Shanghai", "use": "AIDC",
        "approach": "operational_control", "share": "1",
    }  # fmt: skip
    return {"id": "site:a", "kind": "site", **ALWAYS, "payload": payload}


def counted(stream: str, amount: int, **named: str) -> list[dict[str, Any]]:
    """A meter and what it counted in 2023."""
    key = f"meter:{stream}:{'-'.join(named.values())}"
    unit = base_unit_of(stream)
    meter = {"site": "site:a", "stream": stream, "unit": unit, **named}
    activity = {
        "meter": key, "unit": unit, "interval_s": 365 * 86400, "quantities": [amount],
        "quality": "billed",
    }  # fmt: skip
    return [
        {"id": key, "kind": "meter", **ALWAYS, "payload": meter},
        {"id": f"activity:{key}", "kind": "activity", **YEAR, "payload": activity},
    ]


def ledger_of(*entries: dict[str, Any]) -> Ledger:
    made = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    made.post([site(), *entries], recorded_at=AT, role="accountant", recorded_by="lin")
    return made


def drawn(ledger: Ledger, *books: str):  # type: ignore[no-untyped-def]
    return ledger.draw_up(
        books, entity="e", period="2023", report_date=ON, recorded_at=AT, code_version="test"
    )


def user(name: str, activity: str, value: str, unit_den: str, **more: object) -> dict[str, Any]:
    row = {
        "name": name, "id": name, "version": "1", "activity": activity, "value": value,
        "unit_num": "g", "unit_den": unit_den, "gas": "CO2e", "gwp_set": "AR5", "basis": "direct",
        "geography": "CN", "data_year": 2023, "publisher": "user table", "document_no": "none",
        "status": "assumed", "source": "assumed: for the test",
    }  # fmt: skip
    return factor_entry(ActivityFactor.model_validate(row | more))


def test_scope_1_with_all_gases_adds_methane_nitrous_oxide_and_leaks() -> None:
    ledger = ledger_of(
        *counted("fuel", 765_800_000, fuel="natural_gas"),
        *counted("refrigerant", 12_000, item="R-410A"),
    )
    bare, full = drawn(ledger, "S1", "S1-AR5")
    assert bare.total_tco2e == Decimal("153.11435832")
    assert bare.gases == "CO2 only"
    assert any(
        "R-410A of meter:refrigerant:R-410A is not assessed in S1" in warning
        for warning in bare.warnings
    )
    tj = Decimal("2.75688")
    gases = tj * (5 * 28 + Decimal("0.1") * 265) / 1000
    leak = Decimal("0.012") * Decimal("1923.5")
    assert full.total_tco2e == Decimal("153.11435832") + gases + leak
    assert full.gases == "CO2e of AR5"
    assert full.by_gas["HFC-32"] == full.by_gas["HFC-125"] == Decimal("0.006")
    assert full.by_gas["CO2"] == Decimal("153.11435832")
    names = {use.version for use in full.factors}
    assert {"ipcc-natural-gas-CH4", "CH4-AR5", "HFC-32-AR5", "R-410A/HFC-125"} <= names
    with pytest.raises(BookMixError):
        bare.total + full.total


def test_totals_of_two_gwp_sets_differ_and_never_add_up() -> None:
    ledger = ledger_of(*counted("refrigerant", 10**6, item="R-134a"))
    made = drawn(ledger, "S1-AR4", "S1-AR5", "S1-AR6")
    assert [one.total_tco2e for one in made] == [1430, 1300, 1530]
    with pytest.raises(BookMixError):
        made[0].total + made[2].total


def test_biogenic_carbon_stands_beside_the_inventory() -> None:
    fuel = fuel_factors()["ndrc-other-diesel"].model_dump(exclude_none=True)
    hvo = FuelFactor.model_validate(fuel | {"name": "hvo", "fuel": "hvo", "origin": "biogenic"})
    ledger = ledger_of(factor_entry(hvo), *counted("fuel", 30_100_000, fuel="hvo"))
    (made,) = drawn(ledger, "S1")
    assert made.total_tco2e == 0
    assert biogenic_t(made.cells) == Decimal("7.86534672")
    assert "memo.biogenic:hvo" in made.text()
    assert made.by_site == {}


def test_category_3_of_a_chinese_site_is_one_figure_and_says_what_is_not_assessed() -> None:
    """(0.6205 - 0.5306) t/MWh x 1,000 MWh."""
    ledger = ledger_of(*counted("grid_import", 10**9))
    (made,) = drawn(ledger, "S3-C3")
    assert made.total_tco2e == Decimal("89.9")
    assert made.tiers == {"category 3:upstream_with_td_losses": 10**9}
    assert made.gases == "CO2e"
    assert any("td_losses: not assessed: no loss rate for CN" in one for one in made.warnings)
    assert {use.version for use in made.factors} == {"mee-lifecycle-CN-2023", "mee-average-CN-2023"}


def test_a_posted_loss_rate_splits_category_3() -> None:
    rate = LossRate(
        name="cn-2023", geography="CN", data_year=2023, loss_frac=Decimal("0.04"),
        published_on=date(2024, 6, 1), publisher="test", document_no="none", status="assumed",
        source="assumed: for the test",
    )  # fmt: skip
    ledger = ledger_of(factor_entry(rate), *counted("grid_import", 10**9))
    (made,) = drawn(ledger, "S3-C3")
    by_tier = {cell.tier: cell.tco2e for cell in made.cells}
    assert by_tier["category 3:td_losses"] == Decimal("21.224")  # 1,000 x 4 % x 0.5306
    assert made.total_tco2e == Decimal("89.9")
    assert "cn-2023" in {use.version for use in made.factors}


def test_a_year_without_a_life_cycle_factor_is_not_assessed() -> None:
    entries = counted("grid_import", 10**9)
    entries[1] |= {"valid_from": "2021-12-31T16:00:00Z", "valid_to": "2022-12-31T16:00:00Z"}
    ledger = ledger_of(*entries)
    (made,) = ledger.draw_up(
        ["S3-C3"], entity="e", period="2022", report_date=ON, recorded_at=AT, code_version="test"
    )
    assert not made.assessed
    assert "not assessed" in made.text()
    assert any("PCF has nothing for CN-SH in 2022" in one for one in made.warnings)


def asset(key: str, bought: str, **more: object) -> dict[str, Any]:
    payload = {
        "site": "site:a", "asset": "gpu", "pieces": 1000, "embodied_kgco2e": "164",
        "embodied_source": "NVIDIA, HGX H100 product carbon footprint", "purchased_on": bought,
        "life_years": "5",
    }  # fmt: skip
    return {"id": key, "kind": "asset", **ALWAYS, "payload": payload | more}


def test_category_2_books_gpus_whole_in_the_year_they_are_bought() -> None:
    ledger = ledger_of(asset("asset:1", "2023-03-01"), asset("asset:2", "2022-03-01"))
    (made,) = drawn(ledger, "S3-C2")
    assert made.total_tco2e == 164
    assert made.cells[0].sources == ("asset:1",)
    assert made.cells[0].unit == "piece"


def test_an_asset_names_its_site_and_the_source_of_its_carbon() -> None:
    with pytest.raises(InputError, match="with its source"):
        ledger_of(asset("asset:1", "2023-03-01", embodied_source=None))
    with pytest.raises(InputError, match="unknown site 'site:b'"):
        ledger_of(asset("asset:1", "2023-03-01", site="site:b"))


def test_travel_and_commuting_take_the_users_rows_and_list_what_has_none() -> None:
    ledger = ledger_of(
        user("rail-2023", "rail", "30", "pkm"),
        *counted("travel", 10**9, item="rail"),
        *counted("travel", 10**10, item="air"),
        *counted("commuting", 2 * 10**9, item="rail"),
        *counted("goods_spend", 10**9, item="cloud"),
    )
    travel, commuting, goods = drawn(ledger, "S3-C6-AR5", "S3-C7-AR5", "S3-C1-AR5")
    assert travel.total_tco2e == 30
    assert any("category 6:air: not assessed: no factor for air" in one for one in travel.warnings)
    assert commuting.total_tco2e == 60
    assert not goods.assessed
    with pytest.raises(InputError, match="CO2e of AR5, the statement of AR6"):
        drawn(ledger, "S3-C6-AR6")


def test_a_meter_of_refrigerant_or_travel_names_its_item() -> None:
    with pytest.raises(InputError, match="names its item"):
        ledger_of(*counted("refrigerant", 1))
    with pytest.raises(InputError, match="and no other"):
        ledger_of(*counted("it_in", 1, item="R-410A"))


def test_the_footprint_book_stands_apart_from_every_scope() -> None:
    ledger = ledger_of(*counted("grid_import", 10**9))
    footprint, location = ledger.draw_up(
        ["PCF", "S2-LB"], entity="e", period="2023", report_date=ON, recorded_at=AT,
        code_version="test", one_sided_because="a footprint beside it",
    )  # fmt: skip
    assert footprint.total_tco2e == Decimal("620.5")
    with pytest.raises(BookMixError):
        footprint.total + location.total


def test_a_draft_is_not_chosen_until_another_name_approves_it() -> None:
    row = grid_factors()["mee-average-CN-SH-2023"]
    news = row.model_copy(
        update={
            "name": "sh-2",
            "version": "2",
            "value": Decimal("0.7"),
            "published_on": date(2026, 1, 15),
        }
    )
    ledger = ledger_of(*counted("grid_import", 10**9))
    ledger.post(
        [factor_entry(row), factor_entry(news)],
        recorded_at=AT,
        role="accountant",
        recorded_by="lin",
    )

    def tonnes(known_on: datetime | None = None) -> Decimal:
        return ledger.statement(
            "S2-LB", entity="e", period="2023", report_date=ON, known_on=known_on
        ).total_tco2e

    assert tonnes() == Decimal("573.7")
    assert (
        "sh-2 is held as a draft: +22% from 0.5737 of mee-average-CN-SH-2023, the last version; an approver other than lin"
        in str(ledger.drafts[0])
    )
    approval = {
        "id": "approval:1", "kind": "approval", **ALWAYS, "payload": {"of": "factor:sh-2"},
    }  # fmt: skip
    later = datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(InputError, match="second name"):
        ledger.post(approval, recorded_at=later, role="approver", recorded_by="lin")
    with pytest.raises(InputError, match="role approver"):
        ledger.post(approval, recorded_at=later, role="accountant", recorded_by="wu")
    ledger.post(approval, recorded_at=later, role="approver", recorded_by="wu")
    assert tonnes() == 700
    assert ledger.drafts == ()
    assert tonnes(AT) == Decimal("573.7")  # as it was known before


def test_a_ledger_read_again_knows_its_drafts_and_who_posted_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    ledger = ledger_of(*counted("grid_import", 10**9))
    row = grid_factors()["mee-average-CN-SH-2023"]
    high = row.model_copy(update={"name": "high", "value": Decimal("5.737")})
    ledger.post(factor_entry(high), recorded_at=AT, role="accountant", recorded_by="lin")
    ledger.export(tmp_path / "l.jsonl")
    with Ledger.open(tmp_path / "l.jsonl") as again:
        assert [str(one) for one in again.drafts] == [str(one) for one in ledger.drafts]
        assert "other than lin" in str(again.drafts[0])


def test_a_leak_is_traced_to_its_blend_and_its_potentials() -> None:
    ledger = ledger_of(*counted("refrigerant", 12_000, item="R-410A"))
    (made,) = drawn(ledger, "S1-AR6")
    told = ledger.trace(made, made.cells).text()
    assert "factor:R-410A/HFC-32" in told
    assert "factor:HFC-32-AR6" in told
    assert "activity:meter:refrigerant:R-410A" in told


def test_every_book_of_scope_1_and_3_replays_to_the_same_bytes() -> None:
    ledger = ledger_of(
        *counted("fuel", 10**8, fuel="diesel"),
        *counted("refrigerant", 12_000, item="R-410A"),
        *counted("grid_import", 10**9),
        *counted("travel", 10**9, item="rail"),
        user("rail-2023", "rail", "30", "pkm"),
        asset("asset:1", "2023-03-01"),
    )
    for made in drawn(ledger, "S1", "S1-AR6", "S3-C2", "S3-C3", "S3-C6-AR5", "PCF"):
        assert ledger.replay(made, code_version="test").same


def meter_with(uncertainty: str, key: str, amount: int) -> list[dict[str, Any]]:
    meter, activity = counted("grid_import", amount)
    return [
        meter | {"id": key, "payload": meter["payload"] | {"uncertainty": uncertainty}},
        activity | {"id": f"activity:{key}", "payload": activity["payload"] | {"meter": key}},
    ]


def test_a_statement_says_how_well_it_is_known() -> None:
    """573.7 t from two meters at one factor: sqrt(0.05^2 + (0.6 x 0.03)^2 + (0.4 x 0.02)^2)."""
    row = grid_factors()["mee-average-CN-SH-2023"].model_copy(update={"uncertainty": "normal 0.05"})
    ledger = ledger_of(
        factor_entry(row),
        *meter_with("normal 0.03", "meter:1", 6 * 10**8),
        *meter_with("normal 0.02", "meter:2", 4 * 10**8),
    )
    made, _ = ledger.draw_up(
        ["S2-LB", "S2-MB-2015"], entity="e", period="2023", report_date=ON, recorded_at=AT,
        code_version="test", draws=(10_000, 5),
    )  # fmt: skip
    known = ledger.uncertainty(made, draws=10_000, seed=5)["total"]
    expected = (0.05**2 + 0.018**2 + 0.008**2) ** 0.5
    assert known.point == pytest.approx(573.7)
    assert known.taylor_sd == pytest.approx(573.7 * expected, rel=1e-9)
    assert known.sd == pytest.approx(573.7 * expected, rel=0.02)
    assert known.assessed_frac == pytest.approx(1)
    assert known.variance_frac["factor mee-average-CN-SH-2023"] == pytest.approx(
        0.0025 / expected**2
    )
    calcs = [ledger.store.register.entries[name].payload for name in ledger.calcs]
    assert {(calc.draws, calc.seed) for calc in calcs} == {(10_000, 5)}
    assert float(calcs[0].low_t) == pytest.approx(known.low, abs=1e-6)


def test_category_3_is_spread_as_a_difference_and_not_as_a_product() -> None:
    """0.6205 +- 1 % less 0.5306 +- 1 %: 0.0082 of 0.0899, nine per cent."""
    lifecycle, direct = (
        grid_factors()[name].model_copy(update={"uncertainty": "normal 0.01"})
        for name in ("mee-lifecycle-CN-2023", "mee-average-CN-2023")
    )
    ledger = ledger_of(
        factor_entry(lifecycle), factor_entry(direct), *meter_with("normal 0.001", "m", 10**9)
    )
    (made,) = drawn(ledger, "S3-C3")
    known = ledger.uncertainty(made, draws=10_000, seed=1)["total"]
    assert known.point == pytest.approx(89.9)
    spread = 1000 * (0.006205**2 + 0.005306**2 + (0.0899 * 0.001) ** 2) ** 0.5
    assert known.taylor_sd == pytest.approx(spread, rel=1e-6)
    assert known.sd == pytest.approx(spread, rel=0.02)


def test_what_carries_no_distribution_is_held_and_told() -> None:
    ledger = ledger_of(*counted("grid_import", 10**9))
    (made,) = drawn(ledger, "NDRC")
    known = ledger.uncertainty(made, draws=1000, seed=1)["total"]
    assert (known.sd, known.assessed_frac) == (pytest.approx(0, abs=1e-9), 0.0)
    assert "uncertainty not assessed" in known.text("t")
    empty = ledger_of(*counted("grid_import", 0))
    (nothing,) = drawn(empty, "S3-C2")
    with pytest.raises(InputError, match="S3-C2 is not assessed"):
        empty.uncertainty(nothing, draws=1000, seed=1)


def test_the_fuel_behind_a_fuel_is_not_assessed_until_a_row_is_posted() -> None:
    bare = ledger_of(*counted("fuel", 10**9, fuel="diesel"))
    (made,) = drawn(bare, "S3-C3")
    assert not made.assessed
    assert any("upstream:diesel: not assessed" in warning for warning in made.warnings)
    row = user("diesel-up", "diesel", "60", "kWh", basis="upstream")
    ledger = ledger_of(row, *counted("fuel", 10**9, fuel="diesel"))
    upstream, direct = drawn(ledger, "S3-C3", "S1-AR5")
    assert upstream.total_tco2e == 60
    assert "diesel-up" not in {use.version for use in direct.factors}


def grid_row(**changes: object) -> dict[str, Any]:
    row = grid_factors()["mee-lifecycle-CN-2023"].model_copy(update=changes)
    return factor_entry(row)


def test_a_site_abroad_takes_the_users_rows_of_its_own_place() -> None:
    abroad = {"geography": "JP", "publisher": "user table"}
    lifecycle = grid_row(name="jp-lc", id="jp-lc", value=Decimal("0.5"), **abroad)
    direct = grid_row(
        name="jp", id="jp", value=Decimal("0.45"), basis="direct", gas="CO2", gwp_set=None, **abroad
    )
    ledger = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    entries = [site("JP-13"), lifecycle, direct, *counted("grid_import", 10**9)]
    ledger.post(entries, recorded_at=AT, role="accountant")
    (made,) = drawn(ledger, "S3-C3")
    assert made.total_tco2e == 50
    other = grid_row(
        name="jp-2022", id="jp", value=Decimal("0.46"), basis="direct", gas="CO2", gwp_set=None,
        data_year=2022, **abroad,
    )  # fmt: skip
    late = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    late.post([site("JP-13"), lifecycle, other, *entries[3:]], recorded_at=AT, role="accountant")
    (apart,) = drawn(late, "S3-C3")
    assert not apart.assessed
    assert any("not of the place and year of jp-lc" in one for one in apart.warnings)


def test_switchgear_gas_is_a_leak_like_any_other() -> None:
    ledger = ledger_of(*counted("refrigerant", 1000, item="SF6"))
    (made,) = drawn(ledger, "S1-AR5")
    assert made.total_tco2e == Decimal("23.5")


def test_a_british_site_takes_the_set_that_holds_most_of_its_reporting_year() -> None:
    """July 2022 to June 2023 takes the newest of two sets that hold six months each (case L7)."""
    ledger = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    entries = counted("grid_import", 0)
    half = {"valid_from": "2022-06-30T16:00:00Z", "valid_to": "2022-12-31T16:00:00Z"}
    first = entries[1] | half | {"id": "activity:1"}
    first["payload"] = first["payload"] | {"interval_s": 184 * 86400, "quantities": [10**9]}
    second = entries[1] | {"id": "activity:2", "valid_from": half["valid_to"]}
    second |= {"valid_to": "2023-06-30T16:00:00Z"}
    second["payload"] = second["payload"] | {"interval_s": 181 * 86400, "quantities": [10**9]}
    ledger.post([site("GB-LND"), entries[0], first, second], recorded_at=AT, role="accountant")
    period = tuple(
        datetime.fromisoformat(text) for text in (half["valid_from"], second["valid_to"])
    )
    (made,) = ledger.draw_up(
        ["NDRC"], entity="e", period=period, report_date=ON, recorded_at=AT, code_version="test"
    )  # type: ignore[arg-type]
    assert {cell.factor.name for cell in made.cells} == {"desnz-average-GB-2023"}
    assert made.total_tco2e == 2 * Decimal("207.074")
    assert ledger.replay(ledger.calcs[0], code_version="test").same


def test_the_estimated_share_never_adds_grams_to_energy() -> None:
    leak = counted("refrigerant", 1000, item="R-134a")
    leak[1]["payload"] = leak[1]["payload"] | {"quality": "estimated", "method": "name plate"}
    ledger = ledger_of(*counted("fuel", 10**9, fuel="diesel"), *leak)
    (made,) = drawn(ledger, "S1-AR5")
    assert made.estimated_frac == 1  # all of the grams
    (bare,) = drawn(ledger, "S1")
    assert bare.estimated_frac == 0


def test_factors_approvals_and_assets_posted_later_leave_the_past_as_it_was() -> None:
    """P3: canonical bytes of statements known on a day, before and after."""
    ledger = ledger_of(
        *counted("grid_import", 10**9),
        *counted("fuel", 10**8, fuel="diesel"),
        asset("asset:1", "2023-03-01"),
    )
    books = ("S1-AR5", "S3-C2", "S3-C3", "NDRC")
    drawn(ledger, *books)

    def then() -> list[bytes]:
        return [
            ledger.statement(
                book, entity="e", period="2023", report_date=ON, known_on=AT
            ).canonical()
            for book in books
        ]

    before = then()
    later = datetime(2026, 3, 1, tzinfo=UTC)
    row = grid_factors()["mee-average-CN-2023"]
    news = row.model_copy(update={"name": "cn-2", "version": "2", "value": Decimal("0.7")})
    new_gas = user("diesel-up", "diesel", "60", "kWh", basis="upstream")
    ledger.post(
        [factor_entry(news), new_gas, asset("asset:2", "2023-04-01")],
        recorded_at=later, role="accountant", recorded_by="lin",
    )  # fmt: skip
    approval = {"id": "ok", "kind": "approval", **ALWAYS, "payload": {"of": "factor:cn-2"}}
    ledger.post(approval, recorded_at=later, role="approver", recorded_by="wu")
    assert then() == before
    now = ledger.statement("S3-C2", entity="e", period="2023", report_date=ON)
    assert now.total_tco2e == 328
