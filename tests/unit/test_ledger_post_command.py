"""What `aidc ledger post` says of a file with faults: all of them at once, with file and line."""

import json
from pathlib import Path

import pytest

from aidc.ledger.examples import posted_examples
from tests.unit.test_ledger_factor_commands import typed

HEAD = "meter,start,end,value,unit,quality\n"
JULY = "2024-07-01T00:00:00+08:00,2024-08-01T00:00:00+08:00"
ROLE = ("--by", "lin", "--role", "accountant")


@pytest.fixture
def book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    given = tmp_path / "entries.json"
    given.write_text(json.dumps(posted_examples()), "utf-8")
    typed(capsys, "init", tmp_path / "book", "--id", "t", "--by", "lin")
    typed(capsys, "post", tmp_path / "book", given, *ROLE)
    return tmp_path / "book"


def test_faults_of_the_file_and_of_the_journal_come_in_one_round_with_their_lines(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"meter:shanghai:grid,{JULY},12;5,MWh,billed",
        f"meter:shanghai:gird,{JULY},12.5,MWh,billed",
        f"meter:shanghai:it,{JULY},12.5,m3,metered",
        f"meter:shanghai:cooling,{JULY},12.5,MWh,billed",
    ]
    file = book.parent / "bills.csv"
    file.write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    _, told, status = typed(capsys, "post", book, file, *ROLE)
    assert status == 2
    lines = told.splitlines()
    for line, said in (
        (2, "no number"),
        (3, "did you mean 'meter:shanghai:grid'"),
        (4, "counts Wh"),
    ):
        assert any(f"bills.csv:{line}: " in text and said in text for text in lines), told
    assert len(lines) == 3
    file.write_text(HEAD + rows[-1] + "\n", "utf-8")
    assert typed(capsys, "post", book, file, *ROLE)[0].startswith("1 of 1 entries are new")


def test_a_line_of_jsonl_is_named_and_a_suffix_may_be_in_capitals(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = book.parent / "MORE.JSONL"
    bad = posted_examples()[1] | {"id": "m:2"}
    bad["payload"] = bad["payload"] | {"site": "site:shanghia"}
    file.write_text(f"\n{json.dumps(posted_examples()[1] | {'id': 'm:1'})}\n{json.dumps(bad)}\n")
    _, told, status = typed(capsys, "post", book, file, *ROLE)
    assert status == 2
    assert "MORE.JSONL:3: m:2: payload.site: unknown site" in told
    rows = book.parent / "BILLS.CSV"
    rows.write_text(HEAD + f"meter:shanghai:it,{JULY},12.5,MWh,metered\n")
    assert typed(capsys, "post", book, rows, *ROLE)[2] == 0


def test_remedies_are_those_of_the_command_line(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told, status = typed(capsys, "init", book, "--id", "t", "--by", "lin")
    assert (status, "Ledger." in told, "post to that ledger" in told) == (2, False, True)
    _, told, _ = typed(capsys, "post", book.parent / "none", book.parent / "entries.json", *ROLE)
    assert ("Ledger." in told, "aidc ledger init" in told) == (False, True)
