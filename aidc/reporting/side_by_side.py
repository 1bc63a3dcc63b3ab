"""Several runs in one table: a row a figure for comparisons, a row a run for an index page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader

from aidc.reporting.numbers import number

# key of `run_table`, its head on the page, scale, decimals
COLUMNS = (
    ("pue_baseline", "PUE baseline", 1.0, 3),
    ("pue", "PUE", 1.0, 3),
    ("facility_mwh", "site energy, MWh", 1.0, 1),
    ("scope2_location_t", "scope 2 location, t", 1.0, 2),
    ("scope2_market_t", "scope 2 market, t", 1.0, 2),
    ("saved_mwh", "saved, MWh", 1.0, 1),
    ("saved_location_t", "saved location, t", 1.0, 2),
    ("gap_frac", "gap, %", 100.0, 2),
    ("jobs_late", "jobs late", 1.0, 0),
)
FIGURES = (
    "pue",
    "it_kwh",
    "facility_kwh",
    "grid_import_kwh",
    "pv_kwh",
    "peak_import_kw",
    "scope2_location_tco2e",
    "scope2_market_tco2e",
    "cost_cny",
    "water_m3",
    "jobs_completed",
    "jobs_late",
    "gpu_hours",
    "mean_wait_s",
)


def difference_table(summaries: Mapping[str, Mapping[str, Any]], variant: str) -> pd.DataFrame:
    """Figures of several runs side by side, with the difference of each to the first.

    Args:
        summaries: name of a run -> its ``summary.json``.
        variant: ``baseline`` or ``optimized``.

    Returns:
        A row a figure; a run's column holds its value, ``NAME - FIRST`` the difference.
    """
    values = {
        name: {figure: (summary[variant] or {}).get(figure) for figure in FIGURES}
        for name, summary in summaries.items()
    }
    table = pd.DataFrame(values, index=pd.Index(FIGURES, name="figure")).astype(float)
    first, *others = values
    for name in others:
        table[f"{name} - {first}"] = table[name] - table[first]
    return table


def run_table(summaries: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row a run: status, figures of its best variant, saving; those without a plan come first."""
    rows = []
    for name, summary in summaries.items():
        shown = summary["optimized"] or summary["baseline"]
        absolute = (summary["savings"] or {}).get("absolute") or {}
        plan = summary["plan"] or {}
        rows.append(
            {
                "run": name,
                "scenario": summary["scenario"]["name"],
                "status": "no plan" if summary["fault"] else plan.get("status", "baseline alone"),
                "fault": summary["fault"],
                "pue_baseline": summary["baseline"]["pue"],
                "pue": shown["pue"],
                "facility_mwh": shown["facility_kwh"] / 1000,
                "scope2_location_t": shown["scope2_location_tco2e"],
                "scope2_market_t": shown["scope2_market_tco2e"],
                "saved_mwh": _scaled(absolute.get("facility_kwh"), 1e-3),
                "saved_location_t": absolute.get("scope2_location_tco2e"),
                "gap_frac": plan.get("gap_frac"),
                "jobs_late": shown["jobs_late"],
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values("fault", key=lambda text: text == "", kind="stable", ignore_index=True)


def save_index(table: pd.DataFrame, folder: Path, links: Mapping[str, str]) -> Path:
    """Writes ``index.html`` and ``runs.csv``; every row links to its run's report.

    Args:
        table: from `run_table`.
        folder: where to; made if absent.
        links: run -> path of its report relative to the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "runs.csv", index=False, lineterminator="\n")
    rows = [
        {
            "run": row["run"],
            "link": links[row["run"]],
            "status": row["fault"] or row["status"],
            "fault": bool(row["fault"]),
            "cells": [_cell(row[key], scale, decimals) for key, _, scale, decimals in COLUMNS],
        }
        for row in table.to_dict("records")
    ]
    environment = Environment(loader=PackageLoader("aidc.reporting"), autoescape=True)
    heads = [name for _, name, _, _ in COLUMNS]
    page = environment.get_template("runs.html.j2").render(rows=rows, heads=heads)
    place = folder / "index.html"
    place.write_text(page + "\n", encoding="utf-8", newline="\n")
    return place


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _cell(value: Any, scale: float, decimals: int) -> str:
    return number(None if pd.isna(value) else float(value) * scale, decimals)
