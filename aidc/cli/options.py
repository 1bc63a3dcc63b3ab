"""Options that several commands share, and how their results are printed."""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aidc.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from aidc.api.progress import Stages
    from aidc.scenario import Scenario

RESULTS = Path("reports/out")

File = Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)]
Folders = Annotated[list[Path], typer.Argument(help="Folders of results.", show_default=False)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of results; reports/out/NAME by default.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE that wins over the file; site. is the only site."),
]
Variant = Annotated[str | None, typer.Option("--variant", help="A named variant of the file.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Replaces the file's seed.")]
Json = Annotated[
    bool, typer.Option("--json", help="The result as JSON on stdout, and nothing else.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
ReportDate = Annotated[
    str | None,
    typer.Option("--report-date", help="What the world could know by then, as 2024-04-30."),
]


def scenario_of(
    file: Path, sets: list[str] | None, variant: str | None, seed: int | None
) -> "Scenario":
    """The scenario that the options of a command ask for."""
    from aidc.scenario_file import load

    return load(file, sets=sets or (), variant=variant, seed=seed)


def stages_of(quiet: bool) -> "Stages":
    """Who tells of progress."""
    from aidc.api.progress import Stages

    return Stages(quiet=quiet)


def date_of(text: str | None) -> date | None:
    """A calendar day.

    Raises:
        InputError: it is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--report-date: '{text}' is no day; write it as 2024-04-30") from None


def print_json(data: Any) -> None:
    """Data as JSON on stdout."""
    print(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, default=str))


def print_rows(table: "pd.DataFrame") -> None:
    """The rows of a table as JSON on stdout; what is missing is null."""
    print_json(table.astype(object).where(table.notna(), None).to_dict("records"))


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns on stdout: numbers to the right, texts to the left."""
    from aidc.ledger.journal.names import one_line

    body = [[one_line(_text(cell)) for cell in row] for row in rows]
    numeric = [
        all(_is_number(row[column]) for row in body) and bool(body) for column in range(len(head))
    ]
    widths = [max(len(row[column]) for row in [list(head), *body]) for column in range(len(head))]
    for row in [list(head), *body]:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        print("  ".join(cells).rstrip())


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.3f}" if abs(cell) < 100 else f"{cell:,.1f}"
    return str(cell)


def _is_number(text: str) -> bool:
    return text == "-" or text.replace(",", "").replace(".", "", 1).lstrip("-+").isdigit()
