"""Market-based books in a ledger: hierarchy, criteria, the Shanghai scheme, the hourly book."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aidc.cli import app
from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.market.claims import applied, claims, same_market
from tests.lots import AT, DAY, MWH, PERIOD, criteria, entry, lot_payload, retire, supplier

REPORT = date(2026, 1, 31)
ACQUIRED, RETIRED = datetime(2025, 1, 10, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
BOOKS = ("S2-LB", "S2-MB-2015", "SH-ETS", "S2-MB-HOURLY", "NDRC")
EX_MARKET, FOSSIL = Decimal("0.6096"), Decimal("0.8273")


def ledger_of(
    regions: dict[str, str], *, pv_mwh: int = 0, kept: bool = True, interval_h: int = 1
) -> Ledger:
    """Sites that take 1 MWh an hour for a day; the PV gives its all at noon."""
    made = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    for name, region in regions.items():
        site = {
            "entity": "us", "name": name, "region": region, "zone": "Asia/Shanghai",
            "use": "AIDC", "approach": "operational_control", "share": "1",
        }  # fmt: skip
        entries: list[dict[str, Any]] = [entry(f"site:{name}", "site", site)]
        count = 24 // interval_h
        series = {"grid_import": [MWH * interval_h] * count}
        if pv_mwh:
            series["pv"] = [pv_mwh * MWH if hour == count // 2 else 0 for hour in range(count)]
        for stream, quantities in series.items():
            meter = {"site": f"site:{name}", "stream": stream, "unit": "Wh"}
            if stream == "pv":
                meter["attribute_kept"] = kept
            entries.append(entry(f"meter:{name}:{stream}", "meter", meter))
            counted = {
                "meter": f"meter:{name}:{stream}", "unit": "Wh", "interval_s": 3600 * interval_h,
                "quantities": quantities, "quality": "metered",
            }  # fmt: skip
            entries.append(entry(f"count:{name}:{stream}", "activity", counted, *PERIOD))
        made.post(entries, recorded_at=AT, role="accountant")
    made.adopt_factors(BOOKS, entity="us", report_date=REPORT, recorded_at=AT)
    return made


def stated(ledger: Ledger, book: str, report_date: date = REPORT) -> Any:
    return ledger.statement(book, entity="us", period=PERIOD, report_date=report_date)


def test_each_watt_hour_ends_in_one_tier_of_the_hierarchy() -> None:
    """Own PV 2, certificates 10, contract 5, rate 4 at 0.3, and 5 of 26 MWh uncovered."""
    ledger = ledger_of({"a": "CN-SH"}, pv_mwh=2)
    supplier(ledger, "rate", "0.3")
    retire(ledger, "gec", 10)
    retire(ledger, "ppa", 5, "ppa")
    retire(ledger, "rate-lot", 4, "supplier_rate", factor="rate")
    made = stated(ledger, "S2-MB-2015")
    assert made.tiers == {
        "own_pv": 2 * MWH, "certificate": 10 * MWH, "contract": 5 * MWH,
        "supplier_rate": 4 * MWH, "residual_proxy": 5 * MWH,
    }  # fmt: skip
    assert made.total_tco2e == 4 * Decimal("0.3") + 5 * EX_MARKET
    (certificate,) = made.cell("a", "2024", "certificate")
    assert certificate.sources == ("gec", "gec:retire")
    assert any(note.startswith("shares of 26 MWh: own_pv 7.7%") for note in made.notes)
    assert any("6 months before the year" in note for note in made.notes)


def test_excess_is_reported_and_never_carried() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "gec", 30)
    made = stated(ledger, "S2-MB-2015")
    assert made.total_tco2e == 0
    assert "gec: 6 MWh in excess of the load, carried nowhere" in made.notes


def test_a_lot_that_fails_a_criterion_falls_to_the_next_tier_and_is_named() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "gec", 10, criteria=criteria(QC2="no"))
    made = stated(ledger, "S2-MB-2015")
    assert made.tiers == {"residual_proxy": 24 * MWH}
    assert "gec (gec:retire, 10 MWh) is not applied, QC2" in made.text()


def test_a_certificate_counts_only_when_retired_by_the_report_date() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "gec", 10)
    day_before = date(2025, 1, 31)
    ledger.adopt_factors(BOOKS[:2], entity="us", report_date=day_before, recorded_at=AT)
    assert stated(ledger, "S2-MB-2015").tiers["certificate"] == 10 * MWH
    early = stated(ledger, "S2-MB-2015", day_before)
    assert early.tiers == {"residual_proxy": 24 * MWH}


def test_a_lot_for_all_sites_is_shared_by_load_and_one_for_a_site_stays_there() -> None:
    ledger = ledger_of({"a": "CN-SH", "b": "CN-GD", "c": "CN-SC"})
    retire(ledger, "1 of a site", 6, site="site:b")
    retire(ledger, "2 of all", 11)
    made = stated(ledger, "S2-MB-2015")
    covered = {cell.site: cell.amount for cell in made.cells if cell.tier == "certificate"}
    assert sum(covered.values()) == 17 * MWH
    # what is left is 24, 18 and 24 of 66 MWh: b gets 3 of the 11, the others 4
    assert covered == {"a": 4 * MWH, "b": 9 * MWH, "c": 4 * MWH}


def test_the_location_based_book_does_not_know_lots() -> None:
    """P6."""
    ledger = ledger_of({"a": "CN-SH"})
    before = [stated(ledger, book).canonical() for book in ("S2-LB", "NDRC")]
    retire(ledger, "gec", 10)
    assert [stated(ledger, book).canonical() for book in ("S2-LB", "NDRC")] == before


def test_a_residual_mix_takes_the_place_of_the_proxy_and_both_at_once_are_refused() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    supplier(ledger, "mix", "0.7", "residual", "CN-SH")
    made = stated(ledger, "S2-MB-2015")
    assert made.tiers == {"residual_mix": 24 * MWH}
    assert made.total_tco2e == 24 * Decimal("0.7")
    two = ledger_of({"a": "CN-SH", "b": "CN-GD"})
    supplier(two, "mix", "0.7", "residual", "CN-SH")
    with pytest.raises(LedgerError, match="D10: uncovered electricity of CN in 2024"):
        stated(two, "S2-MB-2015")


def test_own_pv_whose_certificates_went_to_others_does_not_count_as_kept() -> None:
    """D4."""
    ledger = ledger_of({"a": "CN-SH"}, pv_mwh=2)
    lot = lot_payload("gec_single", 2, technology="solar_pv", meter="meter:a:pv")
    part = {"lot": "own", "quantity": 2 * MWH, "serials": lot["serials"], "entity": "us"}
    sold = {**part, "act": "transfer", "to": "a buyer"}
    entries = [
        entry("own", "lot", lot, *PERIOD),
        entry("own:acquire", "lot_move", {**part, "act": "acquire"}, ACQUIRED),
        entry("own:sold", "lot_move", sold, RETIRED),
    ]
    ledger.post(entries[:2], recorded_at=AT, role="accountant")
    for book in ("S2-MB-2015", "S2-LB"):
        assert stated(ledger, book).tiers["own_pv"] == 2 * MWH
    ledger.post(entries[2:], recorded_at=AT, role="accountant")
    for book in ("S2-MB-2015", "S2-LB", "NDRC", "SH-ETS"):
        with pytest.raises(LedgerError, match="D4: meter:a:pv counts as kept"):
            stated(ledger, book)


def test_shanghai_counts_settled_trade_of_other_provinces_at_zero_and_all_else_at_its_default() -> (
    None
):
    """沪环气候〔2023〕89号: 0.42 t/MWh; an unbundled certificate does not count."""
    ledger = ledger_of({"a": "CN-SH", "b": "CN-GD"})
    retire(ledger, "unbundled", 3)
    retire(ledger, "trade", 10, "gec_green_trade")
    retire(ledger, "local", 2, "gec_green_trade", region="CN-SH")
    made = stated(ledger, "SH-ETS")
    assert made.tiers == {"certificate": 10 * MWH, "ets_default": 14 * MWH}
    assert made.total_tco2e == 14 * Decimal("0.42")
    assert {one.lot for one in made.not_applied} == {"unbundled", "local"}


def test_the_hourly_book_is_experimental_and_takes_no_coarse_lot() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "month", 10)
    noon = DAY + timedelta(hours=12)
    retire(ledger, "hour", 3, generated=(noon, noon + timedelta(hours=1)))
    made = stated(ledger, "S2-MB-HOURLY")
    assert "experimental" in made.text().splitlines()[0]
    assert made.tiers == {"certificate": MWH, "fossil": 23 * MWH}
    assert made.total_tco2e == 23 * FOSSIL
    (refused,) = made.not_applied
    assert (refused.lot, refused.criterion) == ("month", "interval")
    assert "hour: 2 MWh in excess of the load, carried nowhere" in made.notes


def test_coarse_lots_enter_the_hourly_book_where_the_terms_allow_and_their_share_is_printed() -> (
    None
):
    ledger = ledger_of({"a": "CN-SH"})
    terms = ledger.policies.market.model_copy(update={"coarse_lots": True})
    ledger.policies = ledger.policies.model_copy(update={"market": terms})
    retire(ledger, "day", 12, generated=PERIOD, hour_weights=[0] * 6 + [1] * 12 + [0] * 6)
    made = stated(ledger, "S2-MB-HOURLY")
    assert made.tiers["certificate"] == 12 * MWH
    assert "lots spread over hours by a profile cover 50.0%" in made.notes


def test_a_lot_is_delivered_within_its_zone_in_the_hourly_book() -> None:
    ledger = ledger_of({"a": "CN-SH", "b": "CN-GD"})
    noon = DAY + timedelta(hours=12)
    retire(ledger, "east", 2, generated=(noon, noon + timedelta(hours=1)), zone="CN/East")
    made = stated(ledger, "S2-MB-HOURLY")
    assert {cell.site: cell.amount for cell in made.cells if cell.tier == "certificate"} == {
        "a": MWH
    }
    assert stated(ledger, "S2-MB-2015").tiers["certificate"] == 2 * MWH


def test_a_granular_lot_covers_its_own_hours() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    quarter = MWH // 2
    wind = [quarter, quarter, 0, 0, quarter, 0, 0, 0]
    retire(
        ledger, "wind", 1, "granular", generated=(DAY, DAY + timedelta(hours=2)),
        quantity=3 * quarter, serials={"first": 1, "last": 3 * quarter}, interval_s=900,
        quantities=wind,
    )  # fmt: skip
    made = stated(ledger, "S2-MB-HOURLY")
    assert made.tiers["certificate"] == 3 * quarter


def test_readings_coarser_than_an_hour_stop_the_hourly_book_alone() -> None:
    ledger = ledger_of({"a": "CN-SH"}, interval_h=24)
    assert stated(ledger, "S2-MB-2015").tiers == {"residual_proxy": 24 * MWH}
    with pytest.raises(InputError, match="hourly matching needs hourly readings"):
        stated(ledger, "S2-MB-HOURLY")


def test_lots_of_a_plan_never_stand_beside_measured_activity() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "gec", 10, planned=True)
    with pytest.raises(LedgerError, match="lots of a plan beside measured activity"):
        stated(ledger, "S2-MB-2015")


def test_a_planner_posts_no_issued_lot_and_the_bms_none_at_all() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    lot = entry("gec", "lot", lot_payload(), DAY - timedelta(days=9), DAY)
    with pytest.raises(InputError, match="lots of a plan alone"):
        ledger.post(lot, recorded_at=AT, role="planner")
    with pytest.raises(InputError, match="the BMS posts activity and nothing else"):
        ledger.post(lot, recorded_at=AT, role="bms")


def test_faults_of_several_lots_come_together_and_nothing_is_posted() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    head = ledger.head
    entries = [
        entry("one", "lot", lot_payload(unit="kg"), DAY - timedelta(days=9), DAY),
        entry(
            "two",
            "lot",
            lot_payload("supplier_rate", factor="nowhere"),
            DAY - timedelta(days=9),
            DAY,
        ),
        entry("three", "lot_move", {"lot": "four", "act": "expire", "quantity": 5}, RETIRED),
    ]
    with pytest.raises(InputError) as caught:
        ledger.post(entries, recorded_at=AT, role="accountant")
    assert [fault.key.split(":")[0] for fault in caught.value.faults] == ["one", "three", "two"]
    assert ledger.head == head


def test_a_verified_year_of_the_shanghai_scheme_is_not_reopened() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    before = stated(ledger, "SH-ETS")
    figure = {
        "entity": "us", "quantity": "sh_ets_verified", "year": 2024, "value": "10.1", "unit": "t",
        "decimals": 1, "relation": "=", "document": "verification 2024", "table": "result",
    }  # fmt: skip
    ledger.post(entry("verified", "reported_figure", figure), recorded_at=AT, role="accountant")
    retire(ledger, "late", 10, "gec_green_trade")
    after = stated(ledger, "SH-ETS")
    assert (after.tiers, after.sha256) == ({"ets_default": 24 * MWH}, before.sha256)
    assert after.remarks == ("verified by verified: later entries do not reopen the year",)
    assert ledger.replay(after, code_version="0").same
    assert stated(ledger, "S2-MB-2015").tiers["certificate"] == 10 * MWH
    both = (PERIOD[0], PERIOD[0] + timedelta(days=300))
    with pytest.raises(InputError, match="2024 is verified by verified: state each year by itself"):
        ledger.statement("SH-ETS", entity="us", period=both, report_date=REPORT)


@pytest.mark.parametrize(
    "changes", [{"quantity": "something else"}, {"year": 2020}, {"entity": "others"}]
)
def test_a_correction_of_what_verified_a_year_does_not_reopen_it(changes: dict[str, Any]) -> None:
    ledger = ledger_of({"a": "CN-SH"})
    figure = {
        "entity": "us", "quantity": "sh_ets_verified", "year": 2024, "value": "10.1", "unit": "t",
        "decimals": 1, "relation": "=", "document": "verification 2024", "table": "result",
    }  # fmt: skip
    ledger.post(entry("verified", "reported_figure", figure), recorded_at=AT, role="accountant")
    other = entry("other", "reported_figure", figure | changes)
    other |= {"supersedes": "verified", "reason": "another name"}
    ledger.post(other, recorded_at=AT, role="accountant")
    retire(ledger, "late", 10, "gec_green_trade")
    assert stated(ledger, "SH-ETS").tiers == {"ets_default": 24 * MWH}


@pytest.mark.parametrize(("region", "at_zero"), [("CN-NM", 10), ("US-CA", 0), ("CN", 0)])
def test_trade_between_provinces_comes_from_another_province(region: str, at_zero: int) -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "trade", 10, "gec_green_trade", region=region)
    assert stated(ledger, "SH-ETS").tiers.get("certificate", 0) == at_zero * MWH


def test_a_recorded_statement_is_replayed_under_the_terms_it_was_drawn_up_with() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "gec", 10, generated=(DAY - timedelta(days=400), DAY - timedelta(days=380)))
    words = {"entity": "us", "period": PERIOD, "report_date": REPORT, "recorded_at": AT}
    ledger.draw_up(["S2-LB", "S2-MB-2015"], code_version="0", **words)
    (calc,) = [key for key in ledger.store.register.entries if key.startswith("calc:us:S2-MB-2015")]
    terms = ledger.policies.market.model_copy(update={"vintage_before_months": 24})
    ledger.policies = ledger.policies.model_copy(update={"market": terms})
    assert stated(ledger, "S2-MB-2015").tiers["certificate"] == 10 * MWH
    replay = ledger.replay(calc, code_version="0")
    assert (replay.same, replay.statement.tiers) == (True, {"residual_proxy": 24 * MWH})


def test_the_match_of_a_year_stands_beside_the_match_of_its_hours() -> None:
    """24 MWh of a half day beside 2 MWh of PV: all of 26 MWh in sum, 14 MWh hour by hour."""
    ledger = ledger_of({"a": "CN-SH"}, pv_mwh=2)
    retire(ledger, "morning", 24, "ppa", generated=(DAY, DAY + timedelta(hours=12)))
    made = ledger.matching(entity="us", period=PERIOD, report_date=REPORT)
    assert (made.load_wh, made.annual_wh) == (26 * MWH, 26 * MWH)
    assert made.tiers == {"own_pv": 2 * MWH, "contract": 12 * MWH}
    assert made.hours_under_half == (11,)
    assert round(made.claim_gap_frac, 6) == round(Decimal(12) / 26, 6)
    assert made.profile_frac == made.contracted_frac
    with pytest.raises(InputError, match="no entity"):
        ledger.matching(entity="nobody", period=PERIOD, report_date=REPORT)


def test_credits_stand_in_their_own_account_and_lower_no_book() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    before = [stated(ledger, book).canonical() for book in BOOKS]
    retire(ledger, "removal", 7, "removal", claim="neutral 2024")
    retire(ledger, "points", 1, "inset")
    assert [stated(ledger, book).canonical() for book in BOOKS] == before
    words = {"entity": "us", "period": "2024", "report_date": REPORT}
    assert ledger.credits("offset", **words).tco2e == 7
    assert [line.lot for line in ledger.credits("inset", **words).lines] == ["points"]


def test_own_pv_may_keep_what_it_gives_after_older_certificates_were_sold() -> None:
    """A meter that says from noon on that its attribute is kept: certificates of the morning may go."""
    ledger = ledger_of({"a": "CN-SH"}, pv_mwh=2, kept=False)
    noon = DAY + timedelta(hours=12)
    meter = {"site": "site:a", "stream": "pv", "unit": "Wh", "attribute_kept": True}
    anew = {
        **entry("meter again", "meter", meter, noon, datetime(9999, 12, 31, tzinfo=UTC)),
        "supersedes": "meter:a:pv",
        "reason": "certificates stay from now on",
    }
    day_before = (DAY - timedelta(hours=24), DAY)
    counted = {
        "meter": "meter:a:pv", "unit": "Wh", "interval_s": 86400, "quantities": [2 * MWH],
        "quality": "metered",
    }  # fmt: skip
    earlier = entry("count:before", "activity", counted, *day_before)
    ledger.post([earlier, anew], recorded_at=AT, role="accountant")
    lot = lot_payload("gec_single", 2, technology="solar_pv", meter="meter:a:pv")
    part = {"lot": "own", "quantity": 2 * MWH, "serials": lot["serials"], "entity": "us"}
    entries = [
        entry("own", "lot", lot, *day_before),
        entry("own:acquire", "lot_move", {**part, "act": "acquire"}, ACQUIRED),
        entry("own:sold", "lot_move", {**part, "act": "transfer", "to": "a buyer"}, RETIRED),
    ]
    ledger.post(entries, recorded_at=AT, role="accountant")
    assert stated(ledger, "S2-MB-2015").tiers["own_pv"] == 2 * MWH


def test_a_lot_for_two_sites_is_refused_only_where_it_cannot_go() -> None:
    ledger = ledger_of({"a": "CN-SH", "b": "CN-GD"})
    lot = lot_payload("ppa", 5)
    part = {"lot": "ppa", "entity": "us"}
    words = {
        **part, "act": "retire", "beneficiary": "us", "document": "settled",
        "period_from": utc_text(PERIOD[0]), "period_to": utc_text(PERIOD[1]),
    }  # fmt: skip
    mwh = {
        site: {"quantity": amount * MWH, "site": site}
        for site, amount in (("site:a", 3), ("site:b", 2))
    }
    entries = [
        entry("ppa", "lot", lot, DAY - timedelta(days=20), DAY),
        entry("get", "lot_move", {**part, "act": "acquire", "quantity": 5 * MWH}, ACQUIRED),
        *(
            entry(f"give {site}", "lot_move", {**part, "act": "allocate", **amount}, ACQUIRED)
            for site, amount in mwh.items()
        ),
        entry("settle", "lot_move", {**words, "quantity": 5 * MWH}, RETIRED),
    ]
    ledger.post(entries, recorded_at=AT, role="accountant")
    uses, refused = applied(
        claims(ledger.store.register.lots, "us", {"us"}),
        period=(PERIOD[0], PERIOD[1]),
        regions={"site:a": "CN-SH", "site:b": "SG"},
        terms=ledger.policies.market,
        zone="Asia/Shanghai",
        reaches=same_market,
    )
    assert [(use.rows, use.wh) for use in uses] == [((0,), 3 * MWH)]
    assert [(one.criterion, one.amount) for one in refused] == [("QC5", 2 * MWH)]


def test_commands_list_lots_their_match_and_the_credits(tmp_path: Path) -> None:
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "morning", 12, "ppa", generated=(DAY, DAY + timedelta(hours=6)))
    retire(ledger, "removal", 7, "removal", claim="neutral 2024")
    ledger.save_as(tmp_path / "ledger.db")
    day = "2024-06-10T00:00:00+08:00/2024-06-11T00:00:00+08:00"
    asked = ["--entity", "us", "--period", day, "--report-date", "2026-01-31", "--json"]
    run = CliRunner().invoke
    held = json.loads(run(app, ["ledger", "lots", str(tmp_path), "--json"]).stdout)
    assert [(row["lot"], row["state"], row["amount"]) for row in held] == [
        ("morning", "retired", 12 * MWH), ("removal", "retired", 7000),
    ]  # fmt: skip
    match = json.loads(run(app, ["ledger", "match", str(tmp_path), *asked]).stdout)
    assert (match["annual_frac"], match["hourly_frac"]) == ("0.5", "0.25")
    (credit,) = json.loads(run(app, ["ledger", "credits", str(tmp_path), *asked]).stdout)
    assert (credit["account"], credit["kg"]) == ("offset", 7000)
    late = run(app, ["ledger", "match", str(tmp_path), *asked[:2], "--period", "May"])
    assert late.exit_code == 2
