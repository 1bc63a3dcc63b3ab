"""Charts of the plant, one site at a time: PUE against wet bulb, set-points and modes."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aidc.reporting.charts.style import (
    COLOURS,
    LONG_DAYS,
    MODE_NAMES,
    MODES,
    SMALL,
    VARIANT_COLOURS,
    VARIANT_DASHES,
    Chart,
    days_of,
    drawing,
    ends_of,
    nothing,
    steps,
    time_axis,
)
from aidc.reporting.numbers import number, percent, ratio
from aidc.reporting.study import BASELINE, OPTIMIZED, VARIANTS, Study
from aidc.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

CELLS: Final = (110, 80)  # marks of one mode that fall into one cell are drawn once


def wetbulb_data(study: Study, site: str) -> pd.DataFrame:
    """Wet bulb, PUE, mode and IT energy of every step of baseline and plan at a site."""
    parts = []
    for variant in (BASELINE, OPTIMIZED):
        if variant in study.runs:
            trace = study.runs[variant]
            rows = trace.site(site)
            facility = trace.facility_kw[trace.frame["site"] == site]
            it = rows["it_kw"].where(rows["it_kw"] > 0)
            parts.append(
                pd.DataFrame(
                    {
                        "run": variant,
                        "wetbulb_degc": rows["wetbulb_degc"],
                        "pue": facility / it,
                        "mode": rows["mode"].astype(str),
                        "it_kwh": rows["it_kw"] * trace.step_h,
                        "facility_kwh": facility * trace.step_h,
                        "hours": trace.step_h,
                    }
                )
            )
    return pd.concat(parts)


def wetbulb_caption(data: pd.DataFrame) -> str:
    """Hours by mode of each run, and PUE in the coolest and the hottest quarter of the steps."""
    texts = []
    for variant, rows in data.groupby("run", sort=False):
        hours = rows.groupby("mode")["hours"].sum()
        listed = ", ".join(
            f"{MODE_NAMES.get(str(mode), str(mode))} {number(float(of), 0, 'h')}"
            for mode, of in hours.sort_values(ascending=False).items()
        )
        text = f"{VARIANTS[str(variant)]}: {listed}"
        low, high = rows["wetbulb_degc"].quantile([0.25, 0.75])
        cool, hot = rows[rows["wetbulb_degc"] <= low], rows[rows["wetbulb_degc"] >= high]
        ends = [
            ratio(float(p["facility_kwh"].sum()), float(p["it_kwh"].sum())) for p in (cool, hot)
        ]
        texts.append(
            f"{text}; PUE {number(ends[0], 3)} in the quarter of steps with the lowest wet bulb "
            f"(to {number(float(low), 1, '°C')}), {number(ends[1], 3)} in that with the highest "
            f"(from {number(float(high), 1, '°C')})"
        )
    return "Hours by cooling mode. " + ". ".join(text[0].upper() + text[1:] for text in texts) + "."


def wetbulb_chart(study: Study, site: str, suffix: str) -> Chart:
    """PUE against wet bulb with the cooling mode as marker."""
    name, title = f"wetbulb{suffix}", _titled("PUE against wet bulb by cooling mode", site, suffix)
    data = wetbulb_data(study, site)
    drawn = data[data["pue"].notna()]
    if not len(drawn):
        return nothing(name, title, "No IT energy in the run: there is no PUE to draw.", data)
    variants = list(dict.fromkeys(drawn["run"]))
    with drawing(3.3) as figure:
        panels = np.atleast_1d(figure.subplots(1, len(variants), sharex=True, sharey=True))
        seen: dict[str, Line2D] = {}
        for axes, variant in zip(panels, variants, strict=True):
            rows = drawn[drawn["run"] == variant]
            for mode in sorted(set(rows["mode"]), key=list(MODES).index):
                colour, marker = MODES[mode]
                marks = _cells(rows[rows["mode"] == mode], drawn)
                seen[MODE_NAMES[mode]] = axes.plot(
                    marks["wetbulb_degc"],
                    marks["pue"],
                    marker,
                    color=colour,
                    markersize=2.8,
                    markeredgecolor="black" if mode in ("free",) else colour,
                    markerfacecolor="none" if marker in "^Ds" else colour,
                    markeredgewidth=0.8,
                )[0]
            axes.set_title(VARIANTS[variant])
            axes.set_xlabel("wet bulb [°C]")
        top = float(drawn["pue"].max())
        panels[0].set_ylim(1.0, 1.0 + max(1.08 * (top - 1.0), 0.01))
        panels[0].set_ylabel("PUE of the step")
        figure.legend(
            [seen[name] for name in MODE_NAMES.values() if name in seen],
            [name for name in MODE_NAMES.values() if name in seen],
            loc="outside upper left",
            ncols=len(seen),
            frameon=False,
            fontsize=SMALL,
            borderpad=0,
        )
    description = "Each mark is a step: PUE over wet bulb, the marker tells the cooling mode."
    return Chart(name, title, description, wetbulb_caption(data), figure, data)


def _cells(rows: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """One row a cell of the picture."""
    keys = []
    for column, count in zip(("wetbulb_degc", "pue"), CELLS, strict=True):
        low, high = float(whole[column].min()), float(whole[column].max())
        width = (high - low) / count or 1.0
        keys.append(((rows[column] - low) / width).round().astype(int).to_numpy())
    return rows[~pd.MultiIndex.from_arrays(keys).duplicated()]


def setpoint_data(study: Study, site: str) -> pd.DataFrame:
    """Supply air of both runs, wet bulb and modes by step."""
    rows = study.baseline.site(site)
    columns: dict[str, object] = {
        "wetbulb_degc": rows["wetbulb_degc"],
        "baseline_supply_degc": rows["supply_air_degc"],
        "baseline_mode": rows["mode"].astype(str),
    }
    if study.optimized is not None:
        after = study.optimized.site(site)
        columns |= {
            "optimized_supply_degc": after["supply_air_degc"],
            "optimized_mode": after["mode"].astype(str),
        }
    return pd.DataFrame(columns).assign(hours=study.baseline.step_h)


def setpoint_caption(data: pd.DataFrame) -> str:
    """Supply air of each run, and how often the mode differs."""
    texts = []
    for variant in (BASELINE, OPTIMIZED):
        if f"{variant}_supply_degc" in data:
            supply = data[f"{variant}_supply_degc"]
            texts.append(
                f"{VARIANTS[variant]} {number(float(supply.mean()), 1, '°C')} on average "
                f"({number(float(supply.min()), 1)} to {number(float(supply.max()), 1, '°C')})"
            )
    text = "Supply air: " + "; ".join(texts) + "."
    if "optimized_mode" in data:
        other = data.loc[data["optimized_mode"] != data["baseline_mode"], "hours"].sum()
        share = ratio(float(other), float(data["hours"].sum()))
        text += (
            f" The plan's cooling mode differs from the baseline's in {number(float(other), 1, 'h')} "
            f"({percent(share)} of the run)."
        )
    return text


def setpoint_chart(study: Study, site: str, suffix: str) -> Chart:
    """Set-points above, cooling modes below."""
    name, title = f"setpoints{suffix}", _titled("Set-points and cooling modes", site, suffix)
    data = setpoint_data(study, site)
    if not len(data):
        return nothing(name, title, "The run has no steps: no set-points to draw.", data)
    step_h = study.baseline.step_h
    long = days_of(data.index, step_h) > LONG_DAYS
    numeric = data.select_dtypes("number").drop(columns="hours")
    shown = numeric.resample("D").mean() if long else numeric
    with drawing(4.0) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.7, 1])
        steps(
            upper,
            shown["wetbulb_degc"],
            color=COLOURS["wetbulb_degc"],
            linestyle=(0, (1, 1)),
            label="wet bulb",
        )
        for variant in (BASELINE, OPTIMIZED):
            if f"{variant}_supply_degc" in shown:
                steps(
                    upper,
                    shown[f"{variant}_supply_degc"],
                    color=VARIANT_COLOURS[variant],
                    linestyle=VARIANT_DASHES[variant],
                    label=f"supply air, {VARIANTS[variant]}",
                )
        upper.set_ylabel("temperature [°C]" + (", daily mean" if long else ""))
        which = OPTIMIZED if "optimized_mode" in data else BASELINE
        _modes(lower, data, which, long)
        time_axis(lower, data.index)
        figure.legend(
            *upper.get_legend_handles_labels(),
            loc="outside upper left",
            ncols=3,
            frameon=False,
            fontsize=SMALL,
            borderpad=0,
        )
    description = (
        "Supply air of baseline and plan with the wet bulb above; cooling modes below, "
        "a row a mode."
    )
    return Chart(name, title, description, setpoint_caption(data), figure, data)


def _modes(axes: "Axes", data: pd.DataFrame, which: str, long: bool) -> None:
    """A row a mode: when it ran, or in a long run the share of each day."""
    other = BASELINE if which == OPTIMIZED else None
    used = set(data[f"{which}_mode"]) | (set(data[f"{other}_mode"]) if other else set())
    modes = [mode for mode in MODES if mode in used]
    for row, mode in enumerate(modes):
        for variant, low, height in (
            ((which, -0.02, 0.36), (other, -0.38, 0.3)) if other else ((which, -0.3, 0.6),)
        ):
            on = (data[f"{variant}_mode"] == mode).astype(float)
            look: dict[str, Any] = {
                "facecolor": VARIANT_COLOURS[variant],
                "hatch": "" if variant == OPTIMIZED else "////",
                "edgecolor": "white",
                "linewidth": 0,
            }
            if long:
                x, y = ends_of(on.resample("D").mean())
                axes.fill_between(x, row + low, row + low + height * y, step="post", **look)
            else:
                axes.broken_barh(_spells(on), (row + low, height), **look)
    axes.set_yticks(range(len(modes)), [MODE_NAMES[mode] for mode in modes])
    axes.set_ylim(-0.6, len(modes) - 0.4)
    axes.set_title(
        ("mode, share of each day" if long else "mode")
        + (": plan above, baseline hatched below" if other else ""),
        fontsize=SMALL,
        fontweight="normal",
    )


def _spells(on: "pd.Series[float]") -> list[tuple[Any, Any]]:
    """Start and length of every stretch in which a series is one."""
    x, y = ends_of(on)
    y[-1] = 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0.0], y])))
    starts, stops = edges[::2], edges[1::2]
    return [(x[a], x[b] - x[a]) for a, b in zip(starts, stops, strict=True)]


def mode_hours(trace: Trace) -> dict[str, float]:
    """Hours in each mode, all sites."""
    return {
        str(mode): float(count * trace.step_h)
        for mode, count in trace.frame["mode"].astype(str).value_counts().sort_index().items()
    }


def _titled(title: str, site: str, suffix: str) -> str:
    return f"{title}: {site}" if suffix else title
