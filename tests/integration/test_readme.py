"""What the README and the documents say: the code runs, the commands exist, and so do the files."""

import importlib
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from aidc.cli import app

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
DOCUMENTS = [README, REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
FILE = re.compile(
    r"(?:docs|models|scenarios|benchmarks|schema|tests|aidc)/[\w./-]+|[A-Za-z]\w+\.(?:md|toml|txt)"
)


def blocks(path: Path, *languages: str) -> list[str]:
    """The code blocks of a document in some languages."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    return [code for language, code in found if language in languages]


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def commands(path: Path) -> Iterator[str]:
    """Each ``aidc`` command of the shell blocks and of the text, without what is before and after it."""
    lines = [line for code in blocks(path, "sh", "bash", "console") for line in code.splitlines()]
    for line in lines:
        for part in re.split(r"&&|\||;", line.partition(" #")[0]):
            words = re.sub(r"[<>]\s*\S+", "", part).strip().removeprefix("$ ")
            if re.match(r"(?:\S*/)?aidc\s", words):
                yield words
    # in the text a command may stand without its arguments, and a word in capitals for one of many
    for code in INLINE.findall(prose(path)):
        if code.startswith("aidc ") and "COMMAND" not in code:
            yield f"{code} ..."


def parsed(text: str) -> None:
    """Parses a command as the command line does, without running it; fails as that does."""
    command: Any = typer.main.get_command(app)
    words = shlex.split(text)[1:]
    cut = words[-1:] == ["..."]
    words = [word for word in words if word not in ("...", "…")]
    while hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            break
        assert words[0] in command.commands, f"{text}: no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    if words and not hasattr(command, "commands"):
        try:
            command.make_context(command.name, words)
        except Exception as error:
            if not cut or not str(error).startswith("Missing parameter"):
                raise


def one_day(folder: Path) -> None:
    """The shipped scenarios with the week cut to one day."""
    shutil.copytree(REPOSITORY / "scenarios", folder / "scenarios")
    week = folder / "scenarios" / "lingang-week.yaml"
    text = week.read_text(encoding="utf-8")
    cut = text.replace("end: 2023-07-10T00:00:00", "end: 2023-07-04T00:00:00")
    assert cut != text
    week.write_text(cut, encoding="utf-8")


RUN = [
    (path, number)
    for path in (README, REPOSITORY / "docs" / "bms.md")
    for number in range(len(blocks(path, "python")))
]


@pytest.mark.parametrize(
    ("path", "number"), RUN, ids=[f"{path.name}-{number}" for path, number in RUN]
)
def test_the_python_of_the_documents_runs(
    path: Path, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_day(tmp_path)
    monkeypatch.chdir(tmp_path)
    code = blocks(path, "python")[number]
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, f"{path.name}, block {number}", "exec"), names)
    made = re.findall(r'save\("([^"]+)"\)', code)
    assert all((tmp_path / folder / "report.html").is_file() for folder in made)
    if "advice" in names:
        assert names["advice"].status == "planned", names["advice"].reason
        assert all(point.valid_until > names["now"] for point in names["advice"].setpoints)
    if "after" in names:
        assert names["after"].frame["pv_kw"].sum() >= names["before"].frame["pv_kw"].sum() > 0


def test_the_readme_has_code_and_commands_to_look_at() -> None:
    assert blocks(README, "python")
    assert len(list(commands(README))) >= 4


@pytest.mark.parametrize(
    ("path", "text"),
    [(path, text) for path in DOCUMENTS if path.is_file() for text in commands(path)],
    ids=lambda value: value.name if isinstance(value, Path) else value[:60],
)
def test_a_command_that_a_document_shows_exists_with_its_options(path: Path, text: str) -> None:
    parsed(text)


def test_a_command_or_an_option_that_is_not_there_would_be_seen() -> None:
    with pytest.raises(AssertionError, match="no command rum"):
        parsed("aidc rum scenarios/lingang-week.yaml")
    with pytest.raises(Exception, match="No such option"):
        parsed("aidc run scenarios/lingang-week.yaml --outt x")
    with pytest.raises(Exception, match="Missing parameter"):
        parsed("aidc run --json")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_files_that_a_document_names_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = "\n".join(blocks(path, "sh", "bash", "console", "python"))
    named = {
        name for span in INLINE.findall(prose(path)) for name in FILE.findall(span) if name == span
    }
    named |= {name.rstrip(".,") for name in re.findall(r"scenarios/[\w-]+\.(?:yaml|py)", code)}
    places = (REPOSITORY, path.parent)
    missing = {name for name in named if not any((place / name).exists() for place in places)}
    links = {link for link in LINK.findall(text) if "://" not in link}
    missing |= {link for link in links if not (path.parent / link).exists()}
    # a name in capitals stands for one of many
    assert {name for name in missing if not re.search(r"[A-Z]{3,}\.(?:yaml|csv)", name)} == set()


def test_the_python_names_in_the_text_of_the_readme_exist() -> None:
    names = re.findall(r"`(aidc(?:\.\w+)+)", prose(README))
    assert names
    for name in names:
        module, _, last = name.rpartition(".")
        assert hasattr(importlib.import_module(module), last), name
