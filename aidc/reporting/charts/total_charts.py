"""Charts of totals: where the energy went, and emissions in both books."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aidc.reporting.charts.style import (
    COLOURS,
    HATCHES,
    NAMES,
    SMALL,
    VARIANT_COLOURS,
    Chart,
    drawing,
    nothing,
    spread,
    thousands,
)
from aidc.reporting.numbers import (
    energy,
    mass_decimals,
    number,
    ratio,
    signed_energy,
    signed_percent,
    signed_tonnes,
    tonnes,
)
from aidc.reporting.study import (
    BASELINE,
    LOCATION_BOOK,
    MARKET_BOOK,
    OPTIMIZED,
    VARIANTS,
    Study,
)
from aidc.trace import COOLING_PARTS, Trace
from aidc.units import KWH_PER_MWH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERHEAD: Final = (*COOLING_PARTS, "electrical_loss_kw", "other_kw", "battery_loss_kw")
MWH_SHOWN: Final = 1_000.0  # columns above this are in GWh
SHOWN_FRAC: Final = 1e-4  # parts below this share of the column are drawn without a label


def split_data(study: Study) -> pd.DataFrame:
    """Energy by part [kWh], a row a part and a column a run; parts add up to ``total``."""
    columns = {}
    for variant in (BASELINE, OPTIMIZED):
        if variant in study.runs:
            columns[variant] = _parts(study.runs[variant])
    return pd.DataFrame(columns).rename_axis("part")


def _parts(trace: Trace) -> dict[str, float]:
    fans = trace.kwh("server_fan_kw")
    parts = {"it_kw": trace.kwh("it_kw") - fans, "server_fan_kw": fans}
    parts |= {name: trace.kwh(name) for name in OVERHEAD}
    return parts | {"total": float(trace.facility_kw.sum() * trace.step_h)}


def split_caption(data: pd.DataFrame) -> str:
    """Totals, overheads and their differences."""
    texts = []
    for variant in data:
        overhead = float(data.loc[list(OVERHEAD), variant].sum())
        texts.append(
            f"{VARIANTS[str(variant)]} {energy(float(data.loc['total', variant]))}, of which "
            f"{energy(overhead)} beyond IT"
        )
    text = "Facility energy: " + "; ".join(texts)
    if OPTIMIZED in data:
        was, became = float(data.loc["total", BASELINE]), float(data.loc["total", OPTIMIZED])
        text += (
            f"; difference {signed_energy(became - was)} "
            f"({signed_percent(ratio(became - was, was), 2)} of the baseline's)"
        )
    return text + ". Server fans are part of IT energy."


def split_chart(study: Study) -> Chart:
    """Columns of facility energy and, beside them, of the overhead alone."""
    name, title = "energy", "Where the energy went"
    data = split_data(study)
    if float(data.loc["total"].max()) <= 0:
        return nothing(name, title, "No energy in the run: nothing to split.", data)
    with drawing(3.9) as figure:
        left, right = figure.subplots(1, 2)
        _stack(left, data, ("it_kw", "server_fan_kw", "overhead"), "facility energy")
        used = [part for part in OVERHEAD if float(data.loc[part].max()) > 0]
        _stack(right, data, tuple(used), "overhead, enlarged")
    description = (
        "Stacked columns of baseline and plan: IT energy, server fans and overhead on the left; "
        "the parts of the overhead, enlarged, on the right."
    )
    return Chart(name, title, description, split_caption(data), figure, data)


def _stack(axes: "Axes", data: pd.DataFrame, parts: tuple[str, ...], label: str) -> None:
    shown = data.copy()
    shown.loc["overhead"] = data.loc[list(OVERHEAD)].sum()
    highest_mwh = float(shown.loc[list(parts)].sum().max()) / KWH_PER_MWH
    unit = "MWh" if highest_mwh < MWH_SHOWN else "GWh"
    shown = shown / (KWH_PER_MWH if unit == "MWh" else KWH_PER_MWH * KWH_PER_MWH)
    places = np.arange(len(shown.columns), dtype=np.float64)
    bottom = np.zeros(len(places))
    middles: list[tuple[str, float]] = []
    for part in parts:
        height = shown.loc[part].to_numpy(np.float64)
        axes.bar(
            places,
            height,
            0.62,
            bottom=bottom,
            color=COLOURS["cooling_kw" if part == "overhead" else part],
            hatch="////" if part == "overhead" else HATCHES[part],
            edgecolor="white",
            linewidth=0.8,
        )
        middles.append((part, float(bottom[-1] + height[-1] / 2)))
        bottom += height
    top = float(bottom.max()) or 1.0
    decimals = 1 if top >= 50 else 2
    for place, total in zip(places, bottom, strict=True):
        axes.annotate(
            number(float(total), decimals),
            (place, total),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            fontweight="bold",
        )
    axes.set_ylim(0, 1.12 * top)
    axes.spines["bottom"].set_zorder(5)  # above the white of a label that is near it
    axes.set_xlim(-0.5, places[-1] + 1.95)
    axes.set_xticks(places, [VARIANTS[str(name)] for name in shown.columns])
    axes.set_title(f"{label} [{unit}]", fontsize=SMALL + 0.5, fontweight="normal")
    kept = [
        (part, at)
        for part, at in middles
        if float(shown.loc[part, shown.columns[-1]]) > SHOWN_FRAC * top
    ]
    at_y = spread([max(at, 0.03 * top) for _, at in kept], 0.062 * top)
    for (part, at), y in zip(kept, at_y, strict=True):
        axes.annotate(
            "overhead" if part == "overhead" else NAMES[part],
            (places[-1] + 0.32, at),
            xytext=(places[-1] + 0.48, y),
            va="center",
            fontsize=SMALL - 0.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "#888888"},
        )


BOOKS: Final = {LOCATION_BOOK: "location-based", MARKET_BOOK: "market-based"}


def emissions_data(study: Study) -> pd.DataFrame:
    """Scope 2 [t], a row a run and a column a book; books are never added."""
    variants = [name for name in (BASELINE, OPTIMIZED) if name in study.runs]
    rows = {
        variant: {
            book: found for book in BOOKS if (found := study.tonnes(variant, book)) is not None
        }
        for variant in variants
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(BOOKS)).rename_axis("run")


def emissions_caption(data: pd.DataFrame) -> str:
    """Both accounts apart, each with its difference and base."""
    texts = []
    for book, words in BOOKS.items():
        was = float(data.loc[BASELINE, book])
        if not np.isfinite(was):
            texts.append(f"{words}: not assessed")
            continue
        text = f"{words}: baseline {tonnes(was)}"
        if OPTIMIZED in data.index and np.isfinite(data.loc[OPTIMIZED, book]):
            became = float(data.loc[OPTIMIZED, book])
            text += (
                f", optimised {tonnes(became)}, {signed_tonnes(became - was)} "
                f"({signed_percent(ratio(became - was, was), 2)} of the baseline's)"
            )
        texts.append(text)
    return (
        "Scope 2, "
        + "; ".join(texts)
        + ". Two accounts of the same purchase: they are never added."
    )


def emissions_chart(study: Study, gases: str) -> Chart:
    """Scope 2 before and after, location-based and market-based side by side."""
    name, title = "emissions", "Scope 2 before and after, in both books"
    data = emissions_data(study)
    if not data.notna().any().any():
        return nothing(name, title, "No ledger statement: emissions are not assessed.", data)
    with drawing(2.9) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        top = float(np.nanmax(data.to_numpy(np.float64))) or 1.0
        for axes, (book, words) in zip(panels, BOOKS.items(), strict=True):
            places = np.arange(len(data), dtype=np.float64)
            heights = data[book].fillna(0.0).to_numpy(np.float64)
            for place, height, variant in zip(places, heights, data.index, strict=True):
                axes.bar(
                    place,
                    height,
                    0.6,
                    color=VARIANT_COLOURS[variant],
                    hatch="////" if variant == BASELINE else "",
                    edgecolor="white",
                )
                known = np.isfinite(data.loc[variant, book])
                axes.annotate(
                    number(height, mass_decimals(top)) if known else "not assessed",
                    (place, height),
                    xytext=(0, 3),
                    textcoords="offset points",
                    ha="center",
                    fontsize=SMALL,
                )
            axes.set_xticks(places, [VARIANTS[variant] for variant in data.index])
            axes.set_xlim(-0.6, len(data) - 0.4)
            axes.set_title(words)
        panels[0].set_ylim(0, 1.15 * top)
        thousands(panels[0])
        panels[0].set_ylabel(f"scope 2 [t {gases.removesuffix(' only') or 'CO2'}]")
    description = (
        "Two panels from zero: location-based and market-based scope 2 of baseline and plan."
    )
    return Chart(name, title, description, emissions_caption(data), figure, data)
