"""What a reader of a report finds: the entries behind each figure, and times of the ledger's zone."""

import csv
from datetime import date
from pathlib import Path

import pytest

from aidc.errors import LedgerError
from aidc.ledger import Ledger
from aidc.ledger.reports.files import save
from aidc.ledger.reports.report import report
from aidc.ledger.reports.sheet import Workbook
from aidc.reporting.statement_page import statement_page
from tests.ledger_cases import AT, ledger_of, site_year


@pytest.fixture(scope="module")
def book() -> Ledger:
    made = ledger_of(site_year("lingang", 2022))
    made.adopt_factors(["S2-LB"], entity="group", report_date=date(2024, 12, 31), recorded_at=AT)
    return made


@pytest.fixture(scope="module")
def sheets(book: Ledger) -> Workbook:
    made = book.statement("S2-LB", entity="group", period="2022", report_date=date(2024, 12, 31))
    return report(book, [made], category=3, parameters={}, texts={}, added_back_t={}).workbook


def test_csv_and_page_name_the_entries_behind_each_figure(sheets: Workbook, tmp_path: Path) -> None:
    save(sheets, tmp_path, "csv")
    with (tmp_path / "entries.csv").open() as file:
        rows = list(csv.DictReader(file))
    behind = {
        row["entry"]
        for row in rows
        if (row["sheet"], row["row"], row["column"]) == ("inventory", "scope2_location", "2022")
    }
    assert behind == set(sheets.sheet("inventory").cell("scope2_location", "2022").sources)
    assert "activity:lingang:grid_import:2022-07" in behind
    page = statement_page(sheets, [])
    assert "Entries behind the figures" in page
    assert "activity:lingang:grid_import:2022-07" in page


def test_xlsx_has_a_tab_of_entries(sheets: Workbook, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    save(sheets, tmp_path / "report.xlsx", "xlsx")
    read = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert [cell.value for cell in read["entries"][1]] == ["sheet", "row", "column", "entry"]
    assert read["entries"].max_row == len(sheets.entries) + 1


def test_people_read_days_and_times_of_the_ledgers_zone(
    book: Ledger, sheets: Workbook, tmp_path: Path
) -> None:
    save(sheets, tmp_path, "csv")
    assert (
        "group, 2022-01-01 to 2022-12-31 (Asia/Shanghai)" in (tmp_path / "scope2.csv").read_text()
    )
    asked = {"entity": "group", "report_date": date(2024, 12, 31)}
    month = book.statement("S2-LB", period="2022-07", known_on=AT, **asked)
    first = month.text().splitlines()[0]
    assert first.endswith("2022-07-01 to 2022-07-31 (Asia/Shanghai)")
    assert "known: 2024-04-01T08:00:00+08:00" in month.text()
    with pytest.raises(LedgerError, match=r"nothing from 2023-01-01T00:00:00\+08:00"):
        book.statement("S2-LB", period="2023", **asked)


def test_energy_is_printed_in_mwh_with_separators_and_csv_rounded_as_the_page(
    book: Ledger, sheets: Workbook, tmp_path: Path
) -> None:
    made = book.statement("S2-LB", entity="group", period="2022", report_date=date(2024, 12, 31))
    assert "grid_average  10.95 MWh  " in made.text()
    assert "own_pv  0.438 MWh  " in made.text()
    assert " Wh" not in made.text()
    save(sheets, tmp_path, "csv")
    for sheet in sheets.sheets:
        with (tmp_path / f"{sheet.name}.csv").open() as file:
            rows = [line for line in csv.reader(file) if not line[0].startswith("#")]
        numbers = [
            text
            for row in rows
            for text in row
            if text.replace(".", "", 1).isdigit() and "." in text
        ]
        assert all(len(text.partition(".")[2]) <= sheet.decimals for text in numbers)


def test_an_uncertainty_of_which_nothing_is_assessed_has_no_interval(book: Ledger) -> None:
    made = book.statement("S2-LB", entity="group", period="2022", report_date=date(2024, 12, 31))
    total = book.uncertainty(made, draws=10_000, seed=0)["total"]
    assert total.assessed_frac == 0
    assert "uncertainty not assessed" in total.text("t")
    assert "95 %" not in total.text("t")
    assert "first order" not in total.text("t")
    assert total.warnings == ("uncertainty is not assessed",)
