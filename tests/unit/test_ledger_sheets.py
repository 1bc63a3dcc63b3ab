"""Sheets as files: the same figures in every form, words where there is none, the same bytes."""

import csv
import io
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aidc.errors import InputError
from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.reports.disclosure import DisclosureRow, disclosure_sheet, published
from aidc.ledger.reports.files import csv_text, json_text, save, xlsx_bytes
from aidc.ledger.reports.sheet import (
    NOT_ASSESSED,
    NOT_REPORTED,
    Amount,
    Row,
    Sheet,
    Workbook,
    less,
    sum_of,
)

EXACT = Decimal("169.61021616")


def inventory() -> Sheet:
    cells = {
        "2021": Amount(None, "t", NOT_ASSESSED, "no meter"),
        "2022": Amount(EXACT, "t", "", "", ("e1",)),
    }
    rows = (Row("scope1", ("scope 1", "=fuels, all"), cells, is_sum=True),)
    return Sheet(
        "inventory", "Inventory [t]", ("scope", "of"), ("2021", "2022"), rows, 1, ("a note",)
    )


def book(simulated: bool = False) -> Workbook:
    return Workbook(
        "group", period_of("2022", "Asia/Shanghai"), date(2023, 6, 30), "Asia/Shanghai", simulated, (inventory(),),
        (("head", "f" * 64),), ("mind the gap",),
    )  # fmt: skip


def test_a_cell_has_an_address_and_a_wrong_one_is_told_the_nearest() -> None:
    sheet = book().sheet("inventory")
    assert sheet.cell("scope1", "2022").value == EXACT
    assert sheet.cell("scope1", "2022").sources == ("e1",)
    with pytest.raises(InputError, match="no row 'scope_1' - did you mean 'scope1'"):
        sheet.cell("scope_1", "2022")
    with pytest.raises(InputError, match="no column '2020' - did you mean"):
        sheet.cell("scope1", "2020")
    with pytest.raises(InputError, match="no sheet 'inventor' - did you mean 'inventory'"):
        book().sheet("inventor")


def test_csv_is_rounded_as_printed_json_is_exact_and_both_say_what_is_missing() -> None:
    text = csv_text(book(simulated=True), inventory())
    plain = [line for line in text.splitlines() if not line.startswith("#")]
    (row,) = csv.DictReader(io.StringIO("\n".join(plain)))
    assert row == {
        "row": "scope1", "scope": "scope 1", "of": "'=fuels, all", "unit": "t",
        "2021": "not assessed", "2022": "169.6", "note": "no meter",
    }  # fmt: skip
    assert text.startswith(
        "# Inventory [t]; group, 2022-01-01 to 2022-12-31 (Asia/Shanghai); SIMULATED"
    )
    made = json.loads(json_text(book()))
    assert made["sheets"][0]["rows"][0]["cells"]["2022"] == {
        "value": "169.61021616", "unit": "t", "text": "", "note": "", "sources": ["e1"],
    }  # fmt: skip
    assert made["warnings"] == ["mind the gap"]


def test_xlsx_shows_numbers_and_is_the_same_bytes_again(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    (file,) = save(book(), tmp_path / "out" / "report.xlsx", "xlsx")
    read = openpyxl.load_workbook(file)
    assert read.sheetnames == ["inventory", "entries", "provenance"]
    tab = read["inventory"]
    assert [cell.value for cell in tab[2]] == ["scope", "of", "unit", "2021", "2022", "note"]
    assert [cell.value for cell in tab[3]][3:5] == ["not assessed", 169.6]
    assert tab["E3"].number_format == "#,##0.0"
    assert tab["B3"].data_type == "s"  # a text that begins with = is no formula
    about = {row[0].value: row[1].value for row in read["provenance"].iter_rows()}
    assert about["head"] == "f" * 64
    assert about["warning"] == "mind the gap"
    assert file.read_bytes() == xlsx_bytes(book())
    assert b"2023-06-30T00:00:00Z" in _part(file, "docProps/core.xml")


def _part(file: Path, name: str) -> bytes:
    import zipfile

    with zipfile.ZipFile(file) as held:
        return held.read(name)


def test_without_openpyxl_one_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match=r"pip install 'aidc\[xlsx\]'"):
        xlsx_bytes(book())


def test_csv_is_a_file_a_sheet_one_of_entries_and_one_of_provenance(tmp_path: Path) -> None:
    files = save(book(), tmp_path / "tables", "csv")
    assert [file.name for file in files] == ["inventory.csv", "entries.csv", "provenance.csv"]
    assert "head," + "f" * 64 in files[2].read_text()
    with pytest.raises(InputError, match="no form 'xls' - did you mean 'xlsx'"):
        save(book(), tmp_path / "x", "xls")  # type: ignore[arg-type]


def test_sums_and_differences_stop_at_what_is_missing() -> None:
    one, none = Amount(Decimal(3), "t", sources=("a",)), Amount(None, "t", NOT_ASSESSED)
    assert sum_of([one, one], "t") == Amount(Decimal(6), "t", sources=("a",))
    assert sum_of([one, none], "t") is none
    assert sum_of([], "t").text == NOT_REPORTED
    assert less(one, none).text == NOT_REPORTED


def figure(quantity: str, value: str, relation: str = "=") -> ReportedFigure:
    return ReportedFigure.model_validate(
        {
            "entity": "group", "quantity": quantity, "year": 2022, "value": value, "unit": "t",
            "decimals": 1, "relation": relation, "document": "SR2022", "table": "t1",
        }
    )  # fmt: skip


def test_the_disclosure_table_says_not_reported_and_never_zero() -> None:
    derived = {("scope1", 2022): Amount(EXACT, "t", sources=("e1",))}
    figures = published(
        {"f1": figure("packaging", "67.0"), "f2": figure("design_saving", "45", "about")}
    )
    sheet = disclosure_sheet((2021, 2022), derived, figures)
    assert sheet.cell("scope1", "2022").value == EXACT
    assert sheet.cell("scope1", "2021").text == NOT_REPORTED
    assert sheet.cell("hazardous-waste", "2022") == Amount(None, "t", NOT_REPORTED)
    packaging = sheet.cell("packaging", "2022")
    assert (packaging.value, packaging.sources) == (Decimal("67.0"), ("f1",))
    assert packaging.note == "as published, not derived: SR2022, t1"
    assert "as published (about), not derived" in sheet.cell("energy-reductions", "2022").note


def test_an_intensity_names_its_denominator_or_is_not_reported() -> None:
    """SR2022: 30,573.6 t over 5,098 employees at year end, printed 6.0 t a person."""
    derived = {("scope1_and_2_location", 2022): Amount(Decimal("30573.6"), "t", sources=("e1",))}
    with_heads = disclosure_sheet((2022,), derived, published({"f1": figure("employees", "5098")}))
    cell = with_heads.cell("emission-intensity-location", "2022")
    assert round(cell.value or 0, 1) == Decimal("6.0")
    assert (cell.note, cell.sources) == ("over 5098 employees", ("e1", "f1"))
    without = disclosure_sheet((2022,), derived, {})
    assert without.cell("emission-intensity-location", "2022").text == NOT_REPORTED


def test_every_code_of_the_list_has_its_line_and_the_lists_have_versions() -> None:
    """HKEX environmental aspects A1 to A4 as in the index of SR2022, section 15."""
    from aidc import catalog

    rows = catalog.table("disclosure", DisclosureRow).values()
    assert {row.hkex for row in rows} == {
        "A1.1", "A1.2", "A1.3", "A1.4", "A1.5", "A1.6",
        "A2.1", "A2.2", "A2.3", "A2.4", "A2.5", "A3.1", "A4.1",
    }  # fmt: skip
    codes = {code for row in rows for code in (row.gri or "").split()}
    assert codes == {
        "305-1", "305-2", "305-4", "305-5", "302-1", "302-3", "302-4", "302-5",
        "303-3", "303-4", "303-5", "2-4",
    }  # fmt: skip
    assert all(row.hkex_version for row in rows)
    assert all(row.gri_version for row in rows if row.gri)
