"""Published figures of a ledger against what it derives. SR2022: SenseTime Sustainability Report 2022."""

import json
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import aidc.cli
from aidc.api.company import company_check
from aidc.errors import InputError
from aidc.ledger import Ledger
from aidc.ledger.inventory import company_ledger
from aidc.ledger.reports.figures import Compared, compared, contradictions, figure_origin
from tests.ledger_cases import AT, HOUR, ZONE, ledger_of, site_year

REPORTED = date(2023, 6, 30)
SR = "SenseTime Sustainability Report 2022"


def main(arguments: list[str]) -> int:
    """Exit status of the command line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["aidc", *arguments])
        with pytest.raises(SystemExit) as left:
            aidc.cli.main()
    return int(left.value.code or 0)


def draw(ledger: Ledger, book: str, year: int, day: date = REPORTED) -> None:
    ledger.draw_up(
        [book], entity=ledger.entities[0], period=str(year), report_date=day, recorded_at=AT,
        code_version="test", one_sided_because="one book",
    )  # fmt: skip


@pytest.fixture(scope="module")
def company() -> Iterator[Ledger]:
    with company_ledger((2021, 2022), zone=ZONE, recorded_at=AT) as ledger:
        for year in (2021, 2022):
            for book in ("S1", "NDRC"):
                draw(ledger, book, year)
        yield ledger


def found(ledger: Ledger, **more: Any) -> dict[tuple[str, int], Compared]:
    asked: dict[str, Any] = {
        "document": None, "quantity": None, "year": None, "books": None, "report_date": None,
    }  # fmt: skip
    made = compared(ledger, **(asked | more))
    return {(one.figure.quantity, one.figure.year): one for one in made}


@pytest.mark.parametrize("year", [2021, 2022])
def test_a_figure_that_was_put_in_does_not_confirm_itself(company: Ledger, year: int) -> None:
    """The split abroad is solved for from scope 2: its agreement shows that the reading is possible."""
    held = found(company)
    assert {q: held[q, year].verdict for q in ("scope1", "scope2", "scope1_and_2", "water")} == {
        "scope1": "inside", "scope2": "solved for", "scope1_and_2": "solved for", "water": "input",
    }  # fmt: skip
    for quantity in ("gasoline", "natural_gas", "purchased_electricity", "waste_water"):
        assert held[quantity, year].verdict == "input"
    assert held["total_energy", year].verdict == held["direct_energy", year].verdict == "inside"
    assert held["scope1", year].found.derived == Decimal(
        "169.61021616" if year == 2022 else "337.12955892"
    )


def test_the_company_check_says_the_same(company: Ledger) -> None:
    said = {(one.quantity, one.year): one.said for one in company_check().figures}
    of_ledger = found(company, document=SR)
    both = [key for key in said if not of_ledger[key].reason and said[key] != "not derived"]
    assert len(both) > 15
    assert {key: said[key] for key in both} == {key: of_ledger[key].verdict for key in both}


def test_intensities_are_quotients_of_what_is_derived(company: Ledger) -> None:
    """SR2022: 10.6 MWh, 6.0 t and 21.7 t of water for each of 5,098 people."""
    held = found(company, year=2022)
    assert round(held["energy_intensity", 2022].found.derived or 0, 4) == Decimal("10.6445")
    assert held["emission_intensity", 2022].verdict == "solved for"
    assert held["water_intensity", 2022].verdict == "inside"
    traced = figure_origin(company, held["water_intensity", 2022]).text()
    assert "reported_figure figure:sensetime:employees-2022" in traced
    assert "activity activity:sensetime:mainland:water_in" in traced
    assert found(company, year=2021)["energy_intensity", 2021].reason.startswith(
        "employees of 2021"
    )


def test_what_no_book_or_meter_derives_is_told(company: Ledger) -> None:
    held = found(company)
    assert held["gpu_count", 2023].verdict == "not compared: the ledger derives no 'gpu_count'"
    with company_ledger((2022,), zone=ZONE, recorded_at=AT) as fresh:
        assert "no statement of this scope was drawn up" in found(fresh)["scope2", 2022].verdict
        for day in (REPORTED, date(2024, 12, 31)):
            draw(fresh, "NDRC", 2022, day)
        assert "2023-06-30, 2024-12-31; name one with --report-date" in (
            found(fresh)["scope2", 2022].verdict
        )
        later = found(fresh, report_date=date(2024, 12, 31))["scope2", 2022]
        assert (later.verdict, later.by) == ("outside", "NDRC as of 2024-12-31")
        draw(fresh, "S2-LB", 2022, date(2024, 12, 31))
        assert "NDRC and S2-LB both hold it" in (
            found(fresh, report_date=date(2024, 12, 31))["scope2", 2022].verdict
        )
    with pytest.raises(InputError, match="no reported figure of the quantity 'scope_2' - did you"):
        found(company, quantity="scope_2")


def figure(
    name: str, value: str, *, unit: str = "MWh", document: str = "report", **more: Any
) -> Any:
    payload = {
        "entity": "group", "quantity": "purchased_electricity", "year": 2023, "value": value, "unit": unit,
        "decimals": 1, "relation": "=", "document": document, "table": "energy",
    }  # fmt: skip
    return {
        "id": f"figure:{name}", "kind": "reported_figure", "valid_from": "2023-01-01T00:00:00Z",
        "valid_to": "2024-01-01T00:00:00Z", "payload": payload | more,
    }  # fmt: skip


def test_two_documents_that_contradict_each_other_are_told_and_units_are_converted() -> None:
    """1,250 Wh in each of 8,760 hours are 10.95 MWh."""
    with ledger_of(site_year("lingang", 2023, HOUR)) as ledger:
        given = [
            figure("a", "10.9"), figure("b", "11.9", document="appendix"),
            figure("c", "10950.0", unit="kWh", document="bill"), figure("d", "11.0", unit="t", document="x"),
        ]  # fmt: skip
        ledger.post(given, recorded_at=AT, role="accountant")
        made = compared(
            ledger, document=None, quantity=None, year=None, books=None, report_date=None
        )
    assert [one.verdict for one in made] == [
        "inside", "outside", "inside", "not compared: published in t, derived in MWh",
    ]  # fmt: skip
    assert list(contradictions(made)) == [
        "purchased_electricity 2023 is 10.9 MWh in report (figure:a) and 11.9 in appendix (figure:b)"
    ]


@pytest.mark.parametrize(
    ("quantity", "year", "factor", "document"),
    [
        ("scope2", 2022, "factor_version factor:ets-average-CN-2022", "emissions table"),
        ("scope2", 2021, "factor_version factor:ets-average-CN-2022", "emissions table"),
        ("scope1_and_2", 2022, "factor_version factor:ndrc-other-natural-gas", "emissions table"),
        ("water", 2021, None, "water table"),
    ],
)
def test_a_published_figure_is_traced_to_entries_factors_and_evidence(
    company: Ledger, quantity: str, year: int, factor: str | None, document: str
) -> None:
    one = found(company, quantity=quantity, year=year)[quantity, year]
    text = figure_origin(company, one).text()
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == f"{quantity} {year} of sensetime"
    assert f"document: {SR}, {document}" in lines
    assert f"reported_figure figure:sensetime:{quantity}-{year}" in lines
    assert any(line.startswith(f"evidence {SR}, ") for line in lines)
    assert any(line.startswith("activity activity:sensetime:mainland:") for line in lines)
    if factor is not None:
        assert any(line.startswith(factor) for line in lines), text


def test_the_commands_take_a_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "books")
    assert main(["ledger", "init", place, "--id", "x", "--company", "--by", "a"]) == 0
    drawn = ["--period", "2022", "--report-date", "2023-06-30", "--adopt"]
    assert main(["ledger", "statement", place, "--book", "NDRC", *drawn]) == 0
    capsys.readouterr()
    assert main(["ledger", "reconcile", place, "--document", SR, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["figures"]
    assert [r["verdict"] for r in rows if (r["quantity"], r["year"]) == ("scope2", 2022)] == [
        "solved for"
    ]
    words = ["ledger", "trace", place, "--figure", "scope2", "--period", "2022"]
    assert main(words) == 0
    assert "activity activity:sensetime:overseas:grid_import" in capsys.readouterr().out
    assert main(["ledger", "trace", place, "--figure", "scope2", "--period", "2022-07"]) == 2
    assert main(["ledger", "trace", place, "--period", "2022"]) == 2
    later = ["--books", "NDRC", "--report-date", "2024-12-31"]
    assert (
        main(["ledger", "statement", place, "--book", "NDRC", *drawn[:2], *later[2:], "--adopt"])
        == 0
    )
    assert main(["ledger", "reconcile", place, *later]) == 1
    assert "scope2 2022" in capsys.readouterr().err
    assert main(["ledger", "reconcile", "--document", SR]) == 2
