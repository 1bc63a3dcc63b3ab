"""A site abroad beside one of the mainland: which factor holds, and what a total of two gases says."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import GridFactor, grid_factors
from aidc.ledger.reports.report import report
from tests.ledger_cases import site_entry
from tests.unit.test_ledger_reports import certificates

AT = datetime(2026, 1, 31, tzinfo=UTC)
ON = date(2026, 1, 31)
ALWAYS = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
YEAR = {"valid_from": "2022-12-31T16:00:00Z", "valid_to": "2023-12-31T16:00:00Z"}
WH = 10**9  # 1,000 MWh of each site


def placed(name: str, region: str) -> list[dict[str, Any]]:
    """A site and the electricity that it bought in 2023."""
    meter = {"site": f"site:{name}", "stream": "grid_import", "unit": "Wh"}
    activity = {
        "meter": f"meter:{name}", "unit": "Wh", "interval_s": 365 * 86400, "quantities": [WH],
        "quality": "billed",
    }  # fmt: skip
    return [
        site_entry(name, region=region),
        {"id": f"meter:{name}", "kind": "meter", **ALWAYS, "payload": meter},
        {"id": f"activity:{name}", "kind": "activity", **YEAR, "payload": activity},
    ]


def own_row(region: str, value: str, year: int = 2023) -> dict[str, Any]:
    row = {
        "name": f"own-{region}-{year}", "id": f"own-{region}", "version": "1", "value": value,
        "unit_num": "kg", "unit_den": "kWh", "gas": "CO2", "basis": "direct", "kind": "average",
        "geography": region, "data_year": year, "publisher": "user table", "document_no": "none",
        "status": "assumed", "source": "assumed: for the test",
    }  # fmt: skip
    return factor_entry(GridFactor.model_validate(row))


def ledger_of(*entries: dict[str, Any]) -> Ledger:
    made = Ledger.init(":memory:", ledger_id="t", zone="Asia/Shanghai", recorded_at=AT)
    made.post(entries, recorded_at=AT, role="accountant", recorded_by="lin")
    return made


def drawn(ledger: Ledger, *books: str):  # type: ignore[no-untyped-def]
    return ledger.draw_up(
        books, entity="group", period="2023", report_date=ON, recorded_at=AT, code_version="test"
    )


def test_a_british_site_beside_shanghai_is_stated_with_its_gases_declared() -> None:
    """0.5737 t CO2/MWh of Shanghai and 0.207074 t CO2e/MWh of the British set of 2023."""
    ledger = ledger_of(*placed("sh", "CN-SH"), *placed("london", "GB"))
    lb, mb = drawn(ledger, "S2-LB", "S2-MB-2015")
    assert lb.total_tco2e == Decimal("573.7") + Decimal("207.074")
    assert mb.total_tco2e == Decimal("609.6") + Decimal("207.074")
    assert lb.gases == "CO2 and CO2e"
    (said,) = [text for text in lb.warnings if "the total holds" in text]
    assert "CO2 only of sh (factor mee-average-CN-SH-2023)" in said
    assert "CO2e of london (factor desnz-average-GB-2023)" in said
    assert said.endswith("post a factor row of your own in CO2 (publisher 'user table') for london")
    again = ledger.replay(ledger.calcs[0], code_version="test")
    assert again.same


def test_an_own_co2_row_comes_before_the_british_set() -> None:
    ledger = ledger_of(*placed("sh", "CN-SH"), *placed("london", "GB"), own_row("GB", "0.2"))
    lb, mb = drawn(ledger, "S2-LB", "S2-MB-2015")
    assert lb.total_tco2e == Decimal("573.7") + 200
    assert mb.total_tco2e == Decimal("609.6") + 200
    assert lb.gases == "CO2 only"
    assert "desnz-average-GB-2023" not in ledger.store.register.grid


def test_a_report_says_which_gases_stand_in_the_sum_of_scope_1_and_2() -> None:
    ledger = ledger_of(*placed("sh", "CN-SH"), *fuel("sh"))
    statements = drawn(ledger, "S1-AR6", "S2-LB", "S2-MB-2015")
    made = report(ledger, statements, category=3, parameters={}, texts={}, added_back_t={})
    row = made.workbook.sheet("inventory").cell("scope1_and_2_location", "2023")
    assert row.note == "S1-AR6 in CO2e of AR6, S2-LB in CO2 only"


def fuel(name: str) -> list[dict[str, Any]]:
    meter = {"site": f"site:{name}", "stream": "fuel", "unit": "Wh", "fuel": "diesel"}
    activity = {
        "meter": f"fuel:{name}", "unit": "Wh", "interval_s": 365 * 86400, "quantities": [WH],
        "quality": "billed",
    }  # fmt: skip
    return [
        {"id": f"fuel:{name}", "kind": "meter", **ALWAYS, "payload": meter},
        {"id": f"activity:fuel:{name}", "kind": "activity", **YEAR, "payload": activity},
    ]


@pytest.mark.parametrize(
    ("region", "remedy"),
    [
        ("CN-SH", "mee-average-CN-SH-2023 is shipped: --adopt posts it"),
        ("GB", "desnz-average-GB-2023 is shipped: --adopt posts it"),
        ("US-VA", "post your own: a factor_version of grid_factors with publisher 'user table'"),
    ],
)
def test_a_missing_factor_is_told_with_site_and_remedy(region: str, remedy: str) -> None:
    ledger = ledger_of(*placed("here", region))
    with pytest.raises(InputError) as told:
        ledger.statement("S2-LB", entity="group", period="2023", report_date=ON)
    assert str(told.value).startswith(f"S2-LB, site here ({region}), 2023: ")
    assert str(told.value).endswith(remedy)


def test_a_site_takes_the_own_row_of_the_nearest_earlier_year_and_says_so() -> None:
    ledger = ledger_of(*placed("london", "GB"), own_row("GB", "0.2", 2021))
    lb, _ = drawn(ledger, "S2-LB", "S2-MB-2015")
    assert lb.total_tco2e == 200
    assert any("2 years earlier" in text for text in lb.warnings)


def test_the_shipped_row_of_the_test_is_what_it_is_taken_for() -> None:
    assert grid_factors()["desnz-average-GB-2023"].t_per_mwh == Decimal("0.207074")


def test_what_several_sites_have_in_common_is_one_warning_that_names_them() -> None:
    ledger = ledger_of(*placed("sh", "CN-SH"), *placed("gz", "CN-GD"), *placed("london", "GB"))
    _, mb = drawn(ledger, "S2-LB", "S2-MB-2015")
    proxies = [text for text in mb.warnings if "a proxy" in text]
    assert len(proxies) == 1
    assert proxies[0].startswith("gz, sh: no residual mix is published for China")


def test_the_book_of_shanghai_names_the_sites_that_it_does_not_hold() -> None:
    ledger = ledger_of(*placed("sh", "CN-SH"), *placed("london", "GB"))
    (made,) = drawn(ledger, "SH-ETS")
    assert made.total_tco2e == 420
    assert "SH-ETS holds sites in CN-SH alone; not in it: london (GB)" in made.notes
    assert "note: SH-ETS holds sites in CN-SH alone" in made.text()


def test_a_chinese_grade_is_given_to_sites_of_the_mainland_alone() -> None:
    ledger = ledger_of(*placed("sh", "CN-SH"), *placed("london", "GB"))
    statements = drawn(ledger, "S1", "S2-LB", "S2-MB-2015")
    made = report(ledger, statements, category=3, parameters={}, texts={}, added_back_t={})
    sheet = made.workbook.sheet("kpi")
    grade = sheet.cell("london/grade", "2023")
    assert dict(made.workbook.provenance)["GWP set"] == "AR5 (factors of S2-LB, S2-MB-2015)"
    assert grade.text == "not applicable"
    assert grade.note == "GB 40879 is a standard of the Chinese mainland; london is in GB"
    assert sheet.cell("sh/grade", "2023").text == "not assessed"  # no PUE


def test_lots_are_matched_over_the_year_where_bills_do_not_say_the_hour() -> None:
    """500 of 1,000 MWh are covered by certificates; the hours are not assessed, and why."""
    lot, *moves = certificates("onshore_wind")
    numbers = {"quantity": WH // 2, "serials": {"first": 1, "last": 500}}
    entries = [one | {"payload": one["payload"] | numbers} for one in (lot, *moves)]
    ledger = ledger_of(*placed("sh", "CN-SH"), *entries)
    made = ledger.matching(entity="group", period="2023", report_date=ON)
    (mb,) = ledger.draw_up(
        ("S2-MB-2015",), entity="group", period="2023", report_date=ON, recorded_at=AT,
        code_version="test", one_sided_because="a test",
    )  # fmt: skip
    assert made.annual_frac == Decimal("0.5")
    assert made.annual_wh == mb.tiers["certificate"]
    assert (made.uncovered_wh, made.excess_wh) == (WH // 2, 0)
    assert (made.hourly_frac, made.claim_gap_frac, made.profile_frac) == (None, None, None)
    assert "hour by hour: not assessed: meter:sh: the interval of" in made.text()
    assert made.to_dict()["hourly_frac"] is None
