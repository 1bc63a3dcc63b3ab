"""docs/ledger-year.md can be typed as it stands: its files are posted and its commands print what it says."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from aidc.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "ledger-year.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(PAGE.read_text("utf-8"))


def commands(block: str) -> list[tuple[str, str]]:
    """What is typed, and what is printed then."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def typed(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", shlex.split(line))
        with pytest.raises(SystemExit) as left:
            main()
    told = capsys.readouterr()
    return told.out + told.err, int(left.value.code or 0)


def test_the_page_has_files_and_commands_and_no_block_that_is_not_run() -> None:
    assert {kind for kind, _, _ in BLOCKS} == {"json", "csv", "console"}
    assert all((kind == "console") != bool(name) for kind, name, _ in BLOCKS)
    assert sum(len(commands(text)) for kind, _, text in BLOCKS if kind == "console") >= 12


def test_every_block_of_the_page_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    checker = doctest.OutputChecker()
    for kind, name, text in BLOCKS:
        if kind != "console":
            Path(name).write_text(text, "utf-8")
            continue
        for line, said in commands(text):
            printed, status = typed(line, capsys)
            wanted = said if said.endswith("...\n") else said.rstrip("\n") + "\n"
            good = checker.check_output(wanted, printed, doctest.ELLIPSIS)
            assert good, f"$ {line}\n{printed}\nbut the page says\n{said}"
            assert status == 0, line
