"""Numbers and names as strangers write them: what an entry takes, and what a reader is shown."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from aidc.cli.options import print_table
from aidc.ledger.journal.fields import Exact
from aidc.ledger.journal.names import one_line
from aidc.ledger.reports.files import csv_text
from aidc.ledger.reports.report import report
from aidc.ledger.statements.tracing import Origin
from tests.ledger_cases import AT, ledger_of, site_entry, site_year

EXACT = TypeAdapter(Exact)
FORGED = "hq\ntotal 0 t\x1b[2J\u202e"


@pytest.mark.parametrize(
    "text", ["\uff11\uff12", "1_000", " 5", "5 ", "-0", "-0.0", "1e9999999", "Infinity", "", "."]
)
def test_an_exact_number_is_written_in_plain_digits(text: str) -> None:
    with pytest.raises(ValidationError, match="is no decimal"):
        EXACT.validate_python(text)


@pytest.mark.parametrize("text", ["0", "0.5366", "-1.5", "1E+3", ".5", "10."])
def test_plain_digits_are_taken_as_they_are(text: str) -> None:
    assert format(EXACT.validate_python(text), "f")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@SUM(1)", "+1", "-1"])
def test_no_name_becomes_a_formula_in_a_csv(name: str) -> None:
    site, *rest = site_year("hq", 2023, {"grid_import": 1000})
    site = site_entry("hq") | {"payload": site["payload"] | {"name": name}}
    with ledger_of([site, *rest]) as ledger:
        drawn = ledger.draw_up(
            ("S2-LB", "S2-MB-2015"), entity="group", period="2023", report_date=date(2026, 1, 31),
            recorded_at=AT, code_version="test",
        )  # fmt: skip
        book = report(ledger, drawn, category=3, parameters={}, texts={}, added_back_t={}).workbook
    text = csv_text(book, book.sheet("scope2"))
    assert f"'{name}" in text
    cells = [cell for row in text.splitlines() for cell in row.replace('"', "").split(",")]
    assert not [cell for cell in cells if cell.startswith(name)]


def test_no_name_forges_a_line_or_steers_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    shown = "hq\\ntotal 0 t\\x1b[2J\\u202e"
    assert one_line(FORGED) == shown
    assert one_line("上海 AI") == "上海 AI"
    assert Origin(FORGED, {"site": FORGED}).lines() == [shown, f"    site: {shown}"]
    print_table(("site",), [(FORGED,)])
    assert capsys.readouterr().out == f"site\n{shown}\n"
