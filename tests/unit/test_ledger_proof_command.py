"""A proof of one entry is checked by somebody who has nothing but it and the exported head."""

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.test_ledger_factor_commands import typed


@pytest.fixture
def given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    book, entries = tmp_path / "book", tmp_path / "entries.json"
    entries.write_text(typed(capsys, "example")[0], "utf-8")
    typed(capsys, "init", book, "--id", "t", "--by", "lin")
    typed(capsys, "export-head", book, tmp_path / "early.json")
    typed(capsys, "post", book, entries, "--by", "lin", "--role", "accountant")
    typed(capsys, "close", book, "--period", "2024", "--by", "lin", "--approved-by", "wu")
    typed(capsys, "prove", book, "site:shanghai", tmp_path / "proof.json")
    typed(capsys, "export-head", book, tmp_path / "head.json")
    shutil.rmtree(book)
    return tmp_path


def test_a_proof_holds_under_the_roots_of_an_exported_head_without_the_ledger(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("verify", "--proof", given / "proof.json", "--anchor", given / "head.json")
    told, _, status = typed(capsys, *words)
    assert status == 0
    assert "site:shanghai stands under a root of ledger t" in told
    assert "Shanghai AI centre" in told


def test_a_changed_entry_a_head_before_the_close_and_a_lone_proof_are_refused(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof, head = given / "proof.json", given / "head.json"
    early = typed(capsys, "verify", "--proof", proof, "--anchor", given / "early.json")
    assert (early[2], "no period was closed" in early[1]) == (1, True)
    lone = typed(capsys, "verify", "--proof", proof)
    assert (lone[2], "--anchor" in lone[1]) == (2, True)
    held = json.loads(proof.read_text("utf-8"))
    held["body"] = held["body"].replace("Shanghai AI centre", "Suzhou AI centre")
    proof.write_text(json.dumps(held), "utf-8")
    assert typed(capsys, "verify", "--proof", proof, "--anchor", head)[2] == 1
