"""Tables of the page: cells already rounded, as text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from aidc.reporting.charts.event_chart import causes
from aidc.reporting.charts.plant_charts import mode_hours
from aidc.reporting.charts.style import MODE_NAMES
from aidc.reporting.numbers import (
    MISSING,
    energy,
    number,
    percent,
    signed,
    signed_energy,
    signed_percent,
)
from aidc.reporting.study import BASELINE, OPTIMIZED, VARIANTS, Study
from aidc.units import KWH_PER_MWH, S_PER_H

ROWS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        headers: of the columns.
        rows: cells; the first is the row's heading.
        note: stands below it.
        total: whether the last row is a sum.
    """

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    total: bool = False


def assumptions(summary: Mapping[str, Any]) -> Table:
    """Every assumption with the saving at its low and its high end."""
    rows = []
    for item in summary["assumptions"]:
        ends = [item["at_low"], item["at_value"], item["at_high"]]
        shown = [item["reason"] or "not run" if end is None else percent(end, 2) for end in ends]
        unit = "" if item["unit"] in ("", "1") else f" {item['unit']}"
        rows.append(
            (
                item["name"],
                f"{item['value']}{unit}",
                str(item["low"]),
                str(item["high"]),
                *shown,
                item["why"],
            )
        )
    measures = dict.fromkeys(item["measure"] for item in summary["assumptions"])
    return Table(
        ("assumed", "value", "low", "high", "at low", "at value", "at high", "why"),
        rows,
        "Columns “at …”: " + "; ".join(measures) + "; positive is less." if rows else "",
    )


def pathway_tests(summary: Mapping[str, Any]) -> Table:
    """Three targets in both books, absolute."""
    rows = []
    for item in summary["pathway"]["all"]:
        if item["measure"] != "absolute":
            continue
        rows.append(
            (
                item["target"].replace("_", " ") + (" (headline)" if item["headline"] else ""),
                item["book"],
                item["verdict"] + (f", grade {item['grade']}" if item["grade"] else ""),
                item["status"],
                str(item["year"]),
                signed(item["margin"], 1, item["unit"]),
                "; ".join([*([item["remedy"]] if item["remedy"] else []), *item["notes"]]),
            )
        )
    rows.sort(
        key=lambda row: ("peak", "operational neutrality", "net zero").index(
            row[0].removesuffix(" (headline)")
        )
    )
    return Table(("target", "book", "verdict", "status", "year", "margin", "remedy, notes"), rows)


def attribution(summary: Mapping[str, Any]) -> Table:
    """What each half of the plan did alone."""
    rows = []
    for item in summary["attribution"]:
        if not item["granted"]:
            text = f"no saving stated: work differs by {signed_percent(item['gpu_seconds_difference_frac'], 2)}"
            rows.append((item["label"], text, *[""] * 6))
            continue
        rows.append(
            (
                item["label"],
                "" if item["facility_kwh"] is None else energy(item["facility_kwh"]),
                signed_energy(_minus(item["saved_facility_kwh"])),
                ""
                if item["saved_facility_frac"] is None
                else signed_percent(-item["saved_facility_frac"], 2),
                signed_energy(_minus(item["saved_import_kwh"])),
                signed(_minus(item["saved_cost_cny"]), 0),
                signed(_minus(item["saved_water_m3"]), 1),
                ""
                if item["pue"] is None
                else f"{number(item['pue'], 4)} / {number(item['tue'], 4)}",
            )
        )
    return Table(
        (
            "run",
            "facility energy",
            "to the baseline",
            "of the baseline’s",
            "grid import",
            "cost [CNY]",
            "water [m³]",
            "PUE / TUE",
        ),
        rows,
        "Differences are run less baseline. The interaction is what the two halves do not explain "
        "when added; trim-and-respond is a second baseline, not a part of the plan.",
    )


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def windows(frame: pd.DataFrame) -> Table:
    """How each planning window was solved."""
    rows = [
        (
            f"{row['site']}, {row['start'][:16].replace('T', ' ')}",
            f"{row['status']}: {row['fault']}" if row["fault"] else row["status"],
            f"{number(row['objective'], 3)} {row['unit']}",
            number(row["bound"], 3),
            percent(row["gap_frac"], 3),
            number(row["gap_pue"], 4),
            percent(row["captured_frac"], 1),
            f"{row['jobs_moved']:,} of {row['jobs_movable']:,}",
            f"{row['columns']:,} / {row['rows']:,} / {row['binaries']:,}",
        )
        for row in frame.to_dict(orient="records")
    ]
    kept = rows[:ROWS_SHOWN]
    note = (
        "Objective and bound are of the plan's own model; figures a reader uses come from the "
        "replay. The attainable saving is that of the bound against the window run like the baseline; "
        "captured is the plan's share of it. certificate.npz proves every bound: aidc plan --verify. "
        "Wall times stand in manifest.json."
    )
    if len(rows) > len(kept):
        note = f"The first {len(kept)} of {len(rows)} windows; all are in windows.csv. " + note
    return Table(
        (
            "window",
            "status",
            "objective",
            "bound",
            "gap",
            "gap as PUE",
            "of the attainable saving",
            "jobs moved",
            "columns / rows / binaries",
        ),
        kept,
        note,
    )


def key_figures(summary: Mapping[str, Any]) -> Table:
    """All figures of baseline and plan with differences."""
    was, now = summary["baseline"], summary["optimized"]
    compared = now is not None and summary["savings"]["granted"]
    shown: list[tuple[str, str, float, int, str]] = [
        ("PUE", "pue", 1, 4, ""),
        ("PUE with IT at the reference inlet", "pue_reference_inlet", 1, 4, ""),
        ("TUE (server fans as overhead)", "tue", 1, 4, ""),
        ("facility energy", "facility_kwh", KWH_PER_MWH, 2, "MWh"),
        ("IT energy", "it_kwh", KWH_PER_MWH, 2, "MWh"),
        ("grid import", "grid_import_kwh", KWH_PER_MWH, 2, "MWh"),
        ("highest import of a step", "peak_import_kw", 1, 1, "kW"),
        ("PV generated", "pv_kwh", KWH_PER_MWH, 2, "MWh"),
        ("PV used on site", "pv_used_kwh", KWH_PER_MWH, 2, "MWh"),
        ("PV exported", "pv_exported_kwh", KWH_PER_MWH, 2, "MWh"),
        ("renewable energy factor (own PV)", "ref", 1, 5, ""),
        ("energy reuse factor", "erf", 1, 5, ""),
        ("water", "water_m3", 1, 1, "m³"),
        ("cost", "cost_cny", 1, 0, "CNY"),
        ("of which energy", "cost_energy_cny", 1, 0, "CNY"),
        ("of which demand charge", "cost_demand_cny", 1, 0, "CNY"),
        ("of which water", "cost_water_cny", 1, 0, "CNY"),
        ("scope 2, location-based", "scope2_location_tco2e", 1, 2, "t"),
        ("scope 2, market-based", "scope2_market_tco2e", 1, 2, "t"),
    ]
    rows = []
    for label, key, scale, decimals, unit in shown:
        cells = [label, _scaled(was[key], scale, decimals, unit)]
        if now is not None:
            cells.append(_scaled(now[key], scale, decimals, unit))
        if compared and now is not None:
            known = was[key] is not None and now[key] is not None
            difference = (now[key] - was[key]) / scale if known else None
            cells.append(signed(difference, decimals))
            cells.append(signed_percent(now[key] / was[key] - 1, 2) if known and was[key] else "")
        rows.append(cells)
    headers = ["", "baseline"]
    headers += ["optimised"] if now is not None else []
    headers += ["difference", "of the baseline’s"] if compared else []
    beside = "".join(f" Published, on another boundary: {text}." for text in summary["published"])
    return Table(headers, rows, f"Cost: {was['cost_label']}.{beside}")


def _scaled(value: float | None, scale: float, decimals: int, unit: str) -> str:
    return MISSING if value is None else number(value / scale, decimals, unit)


def monthly(frame: pd.DataFrame) -> Table:
    """Months with their sum row."""
    rows = [
        (
            str(row["month"]),
            number(row["it_kwh"] / KWH_PER_MWH, 2),
            number(row["facility_kwh"] / KWH_PER_MWH, 2),
            number(row["pue"], 4),
            number(row["wue_l_per_kwh"], 3),
            number(row["scope2_location_tco2e"], 2),
            number(row["scope2_market_tco2e"], 2),
            number(row["cost_cny"], 0),
        )
        for row in frame.to_dict(orient="records")
    ]
    return Table(
        (
            "month",
            "IT [MWh]",
            "facility [MWh]",
            "PUE",
            "WUE [l/kWh]",
            "S2 location [t]",
            "S2 market [t]",
            "cost [CNY]",
        ),
        rows,
        "PUE and WUE of the sum row are sum over sum. A month's tonnes are the statement's of the "
        "run in proportion to the month's import. Months that the run covers in part are interim.",
        total=True,
    )


def factors(summary: Mapping[str, Any]) -> Table:
    """Factors with source and vintage."""
    rows = [
        (
            row["book"],
            str(row["version"]),
            str(row["value"]),
            str(row["data_year"] or "–"),
            str(row["publisher"]),
            str(row["status"]),
        )
        for row in summary["factors"]
    ]
    return Table(("book", "factor version", "value", "data year", "publisher", "status"), rows)


def counts(study: Study) -> Table:
    """What a reader must know: anything unmet, clipped, refused or missed."""
    names = sorted({name for trace in study.runs.values() for name in trace.counts})
    variants = list(study.runs)
    rows = [
        (
            name.removesuffix("_kwh").replace("_", " ")
            + (" [kWh]" if name.endswith("_kwh") else ""),
            *(
                number(study.runs[v].counts.get(name), 1 if name.endswith("_kwh") else 0)
                for v in variants
            ),
        )
        for name in names
    ]
    return Table(("", *(VARIANTS[v] for v in variants)), rows)


def incidents(study: Study) -> Table:
    """Every spell of heat that stayed in a hall, of baseline and plan."""
    rows = [
        (
            f"{row.start:%Y-%m-%d %H:%M}",
            VARIANTS[variant],
            str(row.site),
            causes(str(row.cause)),
            number((row.end - row.start).total_seconds() / S_PER_H, 2, "h"),
            number(row.unmet_kwh, 1, "kWh"),
            number(row.warmest_inlet_degc, 1, "°C"),
            "kept" if math.isnan(row.limit_after_s) else number(row.limit_after_s, 0, "s"),
        )
        for variant in (BASELINE, OPTIMIZED)
        if variant in study.runs
        for row in study.runs[variant].incidents.itertuples()
    ]
    heads = ("start", "run", "site", "cause", "lasted", "heat left", "warmest inlet", "limit after")
    return Table(
        heads, rows, "Servers are not shut down in the simulation; the hall warms in closed form."
    )


def modes(study: Study) -> Table:
    """Hours in each cooling mode."""
    hours = {variant: mode_hours(trace) for variant, trace in study.runs.items()}
    found = [mode for mode in MODE_NAMES if any(mode in by for by in hours.values())]
    rows = [
        (MODE_NAMES[mode], *(number(by.get(mode, 0.0), 1) for by in hours.values()))
        for mode in found
    ]
    return Table(("hours in mode", *(VARIANTS[variant] for variant in hours)), rows)


def data(frame: pd.DataFrame, name: str) -> Table:
    """The data behind a chart: all of it, or every n-th row with a note."""
    every = max(1, -(-len(frame) // ROWS_SHOWN))
    shown = frame.iloc[::every]
    note = (
        f"Every {every}th of {len(frame):,} rows; all are in charts/{name}.csv."
        if every > 1
        else ""
    )
    headers = [frame.index.name or "time", *map(str, frame.columns)]
    rows = [
        (_index_text(index), *(_cell(value) for value in values))
        for index, values in zip(shown.index, shown.itertuples(index=False, name=None), strict=True)
    ]
    return Table(headers, rows, note)


def _index_text(value: object) -> str:
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, pd.Timestamp) else str(value)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return str(value)
