"""What a planner types about factors: which stand, which wait, who approves, how well it is known."""

import json
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
    assert "more than 20% away" in held["held because"]
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
