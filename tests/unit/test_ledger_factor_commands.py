"""What a planner types about factors: which stand, which wait, who approves, how well it is known."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aidc.cli import main
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import grid_factors
from tests.unit.test_ledger_inventory_books import counted, site


def typed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[str, str, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["aidc", "ledger", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
    told = capsys.readouterr()
    return told.out, told.err, int(left.value.code or 0)


@pytest.fixture
def book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A ledger with 1,000 MWh of a Shanghai site, a factor, and a second version far from it."""
    row = grid_factors()["mee-average-CN-SH-2023"].model_copy(update={"uncertainty": "normal 0.05"})
    far = row.model_copy(update={"name": "sh-2", "version": "2", "value": Decimal("0.7")})
    meter, activity = counted("grid_import", 10**9)
    meter["payload"] = meter["payload"] | {"uncertainty": "normal 0.01"}
    entries = [site(), meter, activity, factor_entry(row), factor_entry(far)]
    given = tmp_path / "entries.json"
    given.write_text(json.dumps(entries), "utf-8")
    folder = tmp_path / "book"
    assert typed(capsys, "init", folder, "--id", "t", "--by", "lin")[2] == 0
    assert typed(capsys, "post", folder, given, "--by", "lin", "--role", "accountant")[2] == 0
    return folder


def test_a_draft_is_listed_and_stands_once_a_second_name_approves(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (held,) = json.loads(typed(capsys, "factors", book, "--drafts", "--json")[0])
    assert (held["row"], held["table"], held["posted by"]) == ("sh-2", "grid_factors", "lin")
    assert held["entry"] == "factor:sh-2"  # what approve asks for
    assert held["held because"] == "+22% from 0.5737 of mee-average-CN-SH-2023, the last version"
    _, told, status = typed(capsys, "approve", book, "factor:sh-2", "--by", "lin")
    assert status == 2
    assert "second name" in told
    assert "0 drafts left" in typed(capsys, "approve", book, "factor:sh-2", "--by", "wu")[0]
    assert typed(capsys, "factors", book, "--drafts")[0].strip() == "no drafts"
    assert "0.7" in typed(capsys, "factors", book)[0]


def test_the_uncertainty_of_a_statement_is_printed_with_its_seed(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("uncertainty", book, "--book", "S2-LB", "--entity", "e", "--period", "2023",
             "--report-date", "2026-01-31", "--seed", "3")  # fmt: skip
    told = typed(capsys, *words)[0]
    assert told.startswith("total: 573.7 t CO2 only, 95 % of draws 5")
    assert "10000 draws, seed 3" in told
    known = json.loads(typed(capsys, *words, "--json")[0])["total"]
    assert known["assessed_frac"] == 1
    assert known["taylor_sd"] == pytest.approx(573.7 * (0.05**2 + 0.01**2) ** 0.5)


def test_a_later_shipped_row_is_told_until_it_is_adopted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Activity of 2023 was stated at the factor of 2022; that of 2023 came out on 2025-12-31."""
    book, given = tmp_path / "book", tmp_path / "entries.json"
    given.write_text(json.dumps([site(), *counted("grid_import", 10**9)]), "utf-8")
    typed(capsys, "init", book, "--id", "t", "--by", "lin")
    typed(capsys, "post", book, given, "--by", "lin", "--role", "accountant")
    words = ("statement", book, "--book", "S2-LB", "--period", "2023", "--report-date")
    first = typed(capsys, *words, "2025-06-30", "--adopt")[0]
    assert "factor mee-average-CN-SH-2022" in first
    assert "is shipped" not in first
    later = typed(capsys, *words, "2026-01-31")[0]
    assert (
        "warning: a, 2023: mee-average-CN-SH-2022 is used; a later row mee-average-CN-SH-2023, "
        "published 2025-12-31, is shipped: --adopt posts it" in later
    )
    (row,) = json.loads(typed(capsys, "factors", book, "--newer", "--json")[0])
    assert row["shipped row"] == "mee-average-CN-SH-2023"
    assert (row["data year"], row["published"]) == ("2023", "2025-12-31")
    assert row["follows"] == "mee-average-CN-SH-2022"
    (held,) = json.loads(typed(capsys, "factors", book, "--json")[0])
    assert (held["entry"], held["data year"]) == ("factor:mee-average-CN-SH-2022", "2022")
    adopted = typed(capsys, *words, "2026-01-31", "--adopt")[0]
    assert "is shipped" not in adopted
    assert "factor mee-average-CN-SH-2023" in adopted
    assert "no shipped row is later" in typed(capsys, "factors", book, "--newer")[0]


def test_a_version_published_later_is_named_beside_the_row_it_supersedes(
    book: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    row = grid_factors()["mee-average-CN-SH-2023"]
    near = row.model_copy(
        update={"name": "sh-3", "version": "3", "value": Decimal("0.58"),
                "published_on": date(2026, 2, 1)}
    )  # fmt: skip
    given = tmp_path / "near.json"
    given.write_text(json.dumps(factor_entry(near)), "utf-8")
    typed(capsys, "post", book, given, "--by", "lin", "--role", "accountant")
    held = {one["row"]: one for one in json.loads(typed(capsys, "factors", book, "--json")[0])}
    assert held["mee-average-CN-SH-2023"]["superseded by"] == "sh-3"
    assert held["sh-3"]["superseded by"] == ""


def test_a_report_that_no_calc_records_says_so(
    book: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("report", book, "--entity", "e", "--period", "2023", "--report-date", "2026-01-31",
             "--books", "S1,S2-LB", "--one-sided-because", "no market", "--to")  # fmt: skip
    loose, kept = tmp_path / "loose.json", tmp_path / "kept.json"
    assert typed(capsys, *words, loose)[2] == 0
    assert typed(capsys, *words, kept, "--adopt")[2] == 0
    told, after = (json.loads(file.read_text("utf-8")) for file in (loose, kept))
    assert told["warnings"][0] == (
        "S1, S2-LB: not drawn up: no calc records what is printed here; --adopt does"
    )
    assert not any("not drawn up" in text for text in after["warnings"])
    calcs = {one["label"]: one["text"] for one in after["provenance"] if "calc of" in one["label"]}
    assert calcs["calc of S2-LB"].startswith("calc:e:S2-LB:")
