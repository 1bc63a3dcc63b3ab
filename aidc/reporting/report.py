"""A finished report, and how it becomes a folder."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aidc.reporting import words
from aidc.reporting.chart_list import charts_of
from aidc.reporting.charts import Chart
from aidc.reporting.html import monthly_of, page
from aidc.reporting.site_tables import by_site
from aidc.reporting.study import BASELINE, OPTIMIZED, Study
from aidc.reporting.summary import summarise
from aidc.reporting.tables import incidents, statements, windows
from aidc.reporting.tenants import tenants
from aidc.scenario_file import resolved_text
from aidc.schedule import CERTIFICATE

TRACES = (BASELINE, OPTIMIZED)


@dataclass(frozen=True, slots=True)
class Report:
    """Figures, tables and page of a study.

    Attributes:
        study: what it was made of.
        summary: all figures as plain JSON.
        charts: in the order of the page.
        tables: name -> frame; each becomes a CSV file.
        html: the page.
        books: writes the ledger's files into a folder; None: the report has none.
    """

    study: Study
    summary: dict[str, Any]
    charts: tuple[Chart, ...]
    tables: Mapping[str, pd.DataFrame]
    html: str
    books: Callable[[Path], None] | None = None

    def lines(self) -> list[str]:
        """About ten lines for a terminal."""
        return words.lines(self.summary)

    def save(
        self,
        folder: str | Path,
        *,
        manifest: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Path:
        """Writes the folder and returns it.

        It is written beside its place and moved there when it is complete; an older folder of
        the same name stays until then. The link ``latest`` beside it moves last.

        Args:
            folder: where the report goes.
            manifest: what ``manifest.json`` holds; asked for last, as it has wall times.
        """
        place = Path(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        made = place.with_name(f"{place.name}.tmp-{os.getpid()}")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        try:
            self._write(made)
            if self.books is not None:
                self.books(made)
            if manifest is not None:
                _write_json(made / "manifest.json", manifest())
            _swap(made, place)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        _point_latest(place)
        return place

    def _write(self, folder: Path) -> None:
        text = resolved_text(self.study.baseline.scenario)
        (folder / "scenario.yaml").write_text(text, encoding="utf-8", newline="\n")
        _write_json(folder / "summary.json", self.summary)
        (folder / "report.html").write_text(self.html, encoding="utf-8", newline="\n")
        (folder / "charts").mkdir()
        for chart in self.charts:
            (folder / "charts" / f"{chart.name}.svg").write_bytes(chart.svg_file())
            (folder / "charts" / f"{chart.name}.png").write_bytes(chart.png())
            _write_csv(folder / "charts" / f"{chart.name}.csv", chart.data, index=True)
        for name in TRACES:
            if name in self.study.runs:
                trace = self.study.runs[name]
                _write_parquet(folder / f"trace-{name}.parquet", trace.frame)
                _write_parquet(folder / f"jobs-{name}.parquet", trace.jobs)
        if self.study.schedule is not None:
            _write_parquet(folder / "schedule.parquet", self.study.schedule.decisions)
            self.study.schedule.save_certificate(folder / CERTIFICATE)
        for name, frame in self.tables.items():
            _write_csv(folder / f"{name}.csv", frame, index=False)


def build(study: Study) -> Report:
    """The report of a study; it builds without a plan, too."""
    summary = summarise(study)
    shown = summary["optimized"] or summary["baseline"]
    charts = charts_of(study, shown["gases"])
    found = windows(study.schedule)
    months = [monthly_of(study, name).assign(run=name) for name in TRACES if name in study.runs]
    shares = {
        name: tenants(study.runs[name], study.prices) for name in TRACES if name in study.runs
    }
    last = list(shares)[-1]
    by_tenant = pd.concat([one.assign(run=name) for name, one in shares.items()], ignore_index=True)
    tables = {
        "monthly": pd.concat(months, ignore_index=True),
        "attribution": pd.DataFrame(summary["attribution"]),
        "windows": found,
        "tenants": by_tenant,
        "statements": statements(study),
        "sites": by_site(study),
        "incidents": incidents(study),
        "pathway": study.pathway.frame if study.pathway else pd.DataFrame(),
    }
    html = page(study, summary, charts, found, shares[last], last, tables["sites"])
    return Report(study, summary, charts, tables, html)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _write_csv(path: Path, frame: pd.DataFrame, *, index: bool) -> None:
    frame.to_csv(path, index=index, lineterminator="\n", encoding="utf-8")


def _write_parquet(path: Path, frame: pd.DataFrame) -> None:
    frame.to_parquet(path, compression="zstd")


def _swap(made: Path, place: Path) -> None:
    """Puts the new folder in its place; the old one is moved aside first and then deleted."""
    old = place.with_name(f"{place.name}.old-{os.getpid()}")
    if place.exists():
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    try:
        made.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _point_latest(place: Path) -> None:
    """Moves the link ``latest`` beside the folder; where links are not allowed there is none."""
    if place.name == "latest":
        return
    link, made = place.with_name("latest"), place.with_name(f"latest.tmp-{os.getpid()}")
    if link.exists() and not link.is_symlink():
        return  # somebody's own folder
    try:
        made.unlink(missing_ok=True)
        made.symlink_to(place.name, target_is_directory=True)
        made.replace(link)
    except OSError:
        made.unlink(missing_ok=True)
