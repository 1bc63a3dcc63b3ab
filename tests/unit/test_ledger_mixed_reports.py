"""What a report must not hide: simulated meters beside measured ones, sites without a meter."""

from datetime import date

import pytest

from aidc.errors import LedgerError
from aidc.ledger import Ledger
from aidc.ledger.reports.report import Report, report
from tests.ledger_cases import AT, ledger_of, meter_entry, month, months, site_entry, site_year

YEAR = {"entity": "group", "period": "2023", "report_date": date(2026, 1, 31)}


def reported(ledger: Ledger) -> Report:
    drawn = ledger.draw_up(("S2-LB", "S2-MB-2015"), recorded_at=AT, code_version="test", **YEAR)  # type: ignore[arg-type]
    return report(ledger, drawn, category=3, parameters={}, texts={}, added_back_t={})


def it_of(quality: str) -> list[dict[str, object]]:
    counts = [month("hq", "it_in", text, 1000, quality=quality) for text in months(2023)]
    return [meter_entry("hq", "it_in"), *counts]


def test_a_report_never_has_simulated_meters_beside_measured_ones() -> None:
    metered = site_year("hq", 2023, {"grid_import": 1250})
    with (
        ledger_of(metered, it_of("simulated")) as ledger,
        pytest.raises(LedgerError, match="simulated it_in of hq beside measured grid_import of hq"),
    ):
        reported(ledger)


def test_a_report_of_simulated_meters_says_so_and_one_of_bills_names_them() -> None:
    for quality, simulated in (("simulated", True), ("billed", False)):
        site = site_year("hq", 2023, {"grid_import": 1250}, quality=quality)
        with ledger_of(site, it_of(quality)) as ledger:
            made = reported(ledger)
        assert made.workbook.simulated is simulated
        pue = made.workbook.sheet("kpi").cell("hq/pue", "2023")
        assert pue.note.split("; ")[1] == quality


def test_scope_1_names_the_sites_without_a_meter() -> None:
    groups = (site_year("a", 2023, {"grid_import": 1, "fuel": 5}), [site_entry("b")])
    with ledger_of(*groups) as ledger:
        ledger.adopt_factors(["S1"], entity="group", report_date=date(2026, 1, 31), recorded_at=AT)
        made = ledger.statement("S1", **YEAR)  # type: ignore[arg-type]
    assert "S1 is not assessed at b: no meter; this is not a zero" in made.warnings
