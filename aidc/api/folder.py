"""A folder of results read back: its scenario, its runs, and the books drawn up again."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from aidc.api.books import Books, books_of
from aidc.errors import Fault, InputError
from aidc.reporting import run_table, save_index
from aidc.scenario import Scenario
from aidc.scenario_file import load


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run of a folder, as far as the ledger needs it.

    Attributes:
        variant: ``baseline`` or ``optimized``.
        scenario: as resolved when it ran.
        frame: as in `Trace.frame`.
    """

    variant: str
    scenario: Scenario
    frame: pd.DataFrame

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.scenario.step_min / 60

    def site(self, name: str) -> pd.DataFrame:
        """Rows of one site."""
        return self.frame[self.frame["site"] == name]


def stored_runs(folder: Path, report_date: date | None = None) -> list[StoredRun]:
    """Runs of a folder.

    Args:
        folder: written by the main job or by `aidc.report(...).save`.
        report_date: instead of the scenario's own.

    Raises:
        InputError: it is no folder of results.
    """
    file = folder / "scenario.yaml"
    if not file.is_file():
        raise InputError(f"{folder} is no folder of results: {file.name} is missing")
    sets = () if report_date is None else (f"ledger.report_date={report_date.isoformat()}",)
    scenario = load(file, sets=sets)
    found = {
        name: folder / f"trace-{name}.parquet"
        for name in ("baseline", "optimized")
        if (folder / f"trace-{name}.parquet").is_file()
    }
    if not found:
        raise InputError(f"{folder} holds no trace; make one with aidc run or aidc simulate")
    return [StoredRun(name, scenario, pd.read_parquet(file)) for name, file in found.items()]


def accounts_of(folder: Path, report_date: date | None = None) -> Books:
    """Books of the runs in a folder, drawn up again from their traces; nothing is simulated."""
    return books_of(*stored_runs(folder, report_date))


def summary_of(folder: Path) -> dict[str, Any]:
    """``summary.json`` of a folder.

    Raises:
        InputError: there is none, or it is no JSON.
    """
    file = folder / "summary.json"
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from None


def index_of(folders: Sequence[Path], out: Path) -> tuple[pd.DataFrame, Path]:
    """A table over finished runs and its page, ``index.html`` with ``runs.csv``; nothing is simulated.

    Raises:
        InputError: every folder that is none of results.
    """
    summaries: dict[str, dict[str, Any]] = {}
    links: dict[str, str] = {}
    faults: list[Fault] = []
    for folder in folders:
        name = folder.name if folder.name not in summaries else str(folder)
        try:
            summaries[name] = summary_of(folder)
        except InputError as error:
            faults.extend(error.faults)
        links[name] = Path(os.path.relpath(folder / "report.html", out)).as_posix()
    if faults:
        raise InputError(faults)
    table = run_table(summaries)
    return table, save_index(table, out, links)
