"""Charts over time: PUE, IT load with PV and import, and what the plan moved."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aidc.reporting.charts.style import (
    COLOURS,
    LONG_DAYS,
    SMALL,
    VARIANT_COLOURS,
    VARIANT_DASHES,
    Chart,
    days_of,
    drawing,
    ends_of,
    nothing,
    steps,
    thousands,
    time_axis,
)
from aidc.reporting.figures import by_time
from aidc.reporting.numbers import energy, number, percent, ratio, signed, signed_percent
from aidc.reporting.study import BASELINE, OPTIMIZED, VARIANTS, Study
from aidc.trace import Trace
from aidc.units import KG_PER_T, KW_PER_MW

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PUE_VARIANTS: Final = (BASELINE, OPTIMIZED)
_NOT_MOVED_FRAC = (
    1e-3  # of the IT energy: from here on a plan saves IT energy, and does not only move it
)


def power_by_time(trace: Trace) -> pd.DataFrame:
    """Power of all sites together: ``it_kw, facility_kw, pv_kw, grid_import_kw``."""
    frame = pd.DataFrame(
        {name: by_time(trace, name) for name in ("it_kw", "pv_kw", "grid_import_kw")}
    )
    facility = sum(
        by_time(trace, name)
        for name in ("it_kw", "cooling_kw", "electrical_loss_kw", "other_kw", "battery_loss_kw")
    )
    return frame.assign(facility_kw=facility)


def pue_data(study: Study) -> pd.DataFrame:
    """IT and facility energy and PUE of every step, or of every month of a long run.

    PUE of a month is the month's facility energy over its IT energy, not a mean of ratios.
    """
    parts = {}
    for variant in PUE_VARIANTS:
        if variant in study.runs:
            trace = study.runs[variant]
            kwh = power_by_time(trace)[["it_kw", "facility_kw"]] * trace.step_h
            if days_of(kwh.index, trace.step_h) > LONG_DAYS:
                kwh = kwh.resample("MS").sum()
            it = kwh["it_kw"].where(kwh["it_kw"] > 0)
            parts[f"{variant}_it_kwh"] = kwh["it_kw"]
            parts[f"{variant}_facility_kwh"] = kwh["facility_kw"]
            parts[f"{variant}_pue"] = kwh["facility_kw"] / it
    return pd.DataFrame(parts)


def pue_caption(data: pd.DataFrame) -> str:
    """PUE of the whole run by sum over sum, its range, and the difference."""
    sentences, whole = [], {}
    for variant in PUE_VARIANTS:
        if f"{variant}_pue" not in data:
            continue
        it, facility = data[f"{variant}_it_kwh"].sum(), data[f"{variant}_facility_kwh"].sum()
        pue = ratio(facility, it)
        if pue is None:
            continue
        whole[variant] = pue
        shown = data[f"{variant}_pue"]
        sentences.append(
            f"{VARIANTS[variant]} {number(pue, 4)} "
            f"(shown {number(shown.min(), 3)} to {number(shown.max(), 3)})"
        )
    text = "Energy-weighted PUE of the run: " + "; ".join(sentences)
    if len(whole) == 2:
        text += f"; difference {signed(whole[OPTIMIZED] - whole[BASELINE], 4)}"
    return text + "."


def pue_chart(study: Study) -> Chart:
    """PUE over time, baseline and optimised, from 1.0."""
    name, title = "pue", "PUE over time"
    data = pue_data(study)
    columns = [column for column in data if column.endswith("_pue")]
    if not len(data) or not data[columns].notna().any().any():
        return nothing(name, title, "No IT energy in the run: there is no PUE to draw.", data)
    long = len(data) != len(power_by_time(study.baseline))
    with drawing(2.9) as figure:
        axes = figure.add_subplot()
        for column in columns:
            variant = column.removesuffix("_pue")
            look = {
                "color": VARIANT_COLOURS[variant],
                "linestyle": VARIANT_DASHES[variant],
                "label": VARIANTS[variant],
            }
            if long:
                axes.plot(
                    data.index.tz_localize(None),
                    data[column],
                    marker="o" if variant == BASELINE else "s",
                    markersize=4,
                    **look,
                )
            else:
                steps(axes, data[column], **look)
        top = float(np.nanmax(data[columns].to_numpy()))
        axes.set_ylim(1.0, 1.0 + max(1.18 * (top - 1.0), 0.01))
        axes.set_ylabel("facility energy / IT energy")
        if long:
            time_axis(axes, pd.DatetimeIndex([]))
            axes.margins(x=0.03)
        else:
            time_axis(axes, data.index)
        _legend_above(axes, len(columns))
    kind = "by month" if long else "by step"
    description = f"PUE {kind} of the baseline and of the replayed plan; the axis begins at 1.0."
    return Chart(name, title, description, pue_caption(data), figure, data)


def load_data(trace: Trace) -> pd.DataFrame:
    """IT, PV and import of all sites [kW] by step, or by day in a long run."""
    data = power_by_time(trace)[["it_kw", "pv_kw", "grid_import_kw"]].assign(hours=trace.step_h)
    if days_of(data.index, trace.step_h) > LONG_DAYS:
        hours = data["hours"].resample("D").sum()
        data = data.resample("D").mean().assign(hours=hours)
    return data


def load_caption(data: pd.DataFrame) -> str:
    """Mean, peak, and how much PV covers."""
    hours = data["hours"].sum()
    it, pv, grid = (
        float((data[name] * data["hours"]).sum()) for name in ("it_kw", "pv_kw", "grid_import_kw")
    )
    mean = it / hours if hours else 0.0
    return (
        f"IT load {number(mean, 0, 'kW')} on average. PV could deliver {energy(pv)}, "
        f"{percent(ratio(pv, it), 2)} of the IT energy of {energy(it)}; grid import {energy(grid)}, "
        f"at most {number(float(data['grid_import_kw'].max()), 0, 'kW')} in what is drawn."
    )


def load_chart(trace: Trace) -> Chart:
    """IT load, PV and grid import over time."""
    name, title = "load", f"IT load, PV and grid import ({VARIANTS[trace.variant]})"
    data = load_data(trace)
    if not len(data) or data["grid_import_kw"].max() <= 0:
        return nothing(name, title, "No power flows in the run: nothing to draw.", data)
    scale, unit = _power_unit(float(data["grid_import_kw"].max()))
    with drawing(2.9) as figure:
        axes = figure.add_subplot()
        x, pv = ends_of(data["pv_kw"] / scale)
        axes.fill_between(
            x, pv, step="post", color=COLOURS["pv_kw"], hatch="////", edgecolor="#8a8000",
            linewidth=0.5, label="PV",
        )  # fmt: skip
        for column, dash, label in (
            ("grid_import_kw", "solid", "grid import"),
            ("it_kw", (0, (5, 1.5)), "IT load"),
        ):
            steps(
                axes,
                data[column] / scale,
                color=COLOURS[column],
                linestyle=dash,
                label=label,
            )
        axes.set_ylim(0, 1.15 * float(data[["it_kw", "grid_import_kw"]].to_numpy().max()) / scale)
        axes.set_ylabel(f"power [{unit}]")
        thousands(axes)
        time_axis(axes, data.index)
        _legend_above(axes, 3)
    description = "IT load, power from the PV plant and import from the grid, from zero."
    return Chart(name, title, description, load_caption(data), figure, data)


def shift_data(before: Trace, after: Trace, booked_kgco2e_per_kwh: float) -> pd.DataFrame:
    """IT load of both runs by step, the difference, and both carbon factors.

    Args:
        before: the baseline.
        after: the run with moved jobs; under the baseline's set-points where there is one, so that
            server fans do not count as moved work.
        booked_kgco2e_per_kwh: the factor that the ledger books in every hour.
    """
    was, became = by_time(before, "it_kw"), by_time(after, "it_kw")
    imported = by_time(before, "grid_import_kw")
    weighted = before.frame["grid_kgco2e_per_kwh"] * before.frame["grid_import_kw"]
    if len(before.scenario.sites) == 1:
        intensity = before.frame["grid_kgco2e_per_kwh"].astype(float)
    else:
        intensity = weighted.groupby(level=0).sum() / imported.where(imported > 0)
    return pd.DataFrame(
        {
            "baseline_kw": was,
            "plan_kw": became,
            "moved_kw": became - was,
            "grid_kgco2e_per_kwh": intensity,
            "booked_kgco2e_per_kwh": booked_kgco2e_per_kwh,
            "hours": before.step_h,
        }
    )


def shift_day(data: pd.DataFrame) -> pd.DataFrame:
    """The day in which most is moved."""
    moved = data["moved_kw"].abs() * data["hours"]
    by_day = moved.groupby(data.index.normalize()).sum()
    return data[data.index.normalize() == by_day.idxmax()]


def shift_caption(data: pd.DataFrame) -> str:
    """What was moved in and away in the day drawn, and both carbon accounts of the whole run."""
    day = shift_day(data)
    moved = day["moved_kw"] * day["hours"]
    whole = data["moved_kw"] * data["hours"]
    baseline_kwh = float((data["baseline_kw"] * data["hours"]).sum())
    hourly = float((whole * data["grid_kgco2e_per_kwh"]).sum()) / KG_PER_T
    annual = float((whole * data["booked_kgco2e_per_kwh"]).sum()) / KG_PER_T
    saved = (
        " What goes away and does not come in at another hour is not drawn at all: by power caps, on "
        "other servers, or in cooler air."
        if float(whole.sum()) < -_NOT_MOVED_FRAC * baseline_kwh
        else ""
    )
    return (
        f"Drawn is {day.index[0]:%Y-%m-%d}, the day with most moved: "
        f"{signed(float(moved.clip(lower=0).sum()), 0, 'kWh')} moved in, "
        f"{signed(float(moved.clip(upper=0).sum()), 0, 'kWh')} moved away. IT load of the whole run: "
        f"{signed(float(whole.sum()), 0, 'kWh')} "
        f"({signed_percent(ratio(float(whole.sum()), baseline_kwh), 3)} of the baseline's). Both accounts of that shift: with the intensity of each step "
        f"{signed(hourly, 2, 't')}; with the booked factor {signed(annual, 2, 't')}.{saved}"
    )


def shift_chart(before: Trace, after: Trace, booked_kgco2e_per_kwh: float) -> Chart:
    """One day of load shifting, with a strip of grid intensity above."""
    name, title = "shift", "One day of load shifting"
    data = shift_data(before, after, booked_kgco2e_per_kwh)
    if not len(data) or not (data["moved_kw"].abs() > 0).any():
        return nothing(name, title, "The plan moved no job: both runs have the same IT load.", data)
    day = shift_day(data)
    with drawing(4.0) as figure:
        strip, axes, moved = figure.subplots(3, 1, sharex=True, height_ratios=[1, 2.2, 1.5])
        intensity = day["grid_kgco2e_per_kwh"]
        steps(strip, intensity, color=COLOURS["grid_kgco2e_per_kwh"])
        strip.set_ylim(0, 1.25 * float(intensity.max()) or 1.0)
        strip.set_ylabel("grid\n[kg/kWh]")
        for column, variant in (("baseline_kw", BASELINE), ("plan_kw", OPTIMIZED)):
            steps(
                axes,
                day[column],
                color=VARIANT_COLOURS[variant],
                linestyle=VARIANT_DASHES[variant],
                label="baseline" if variant == BASELINE else "jobs as planned",
            )
        axes.set_ylim(0, 1.2 * float(day[["baseline_kw", "plan_kw"]].to_numpy().max()))
        axes.set_ylabel("IT load [kW]")
        x, y = ends_of(day["moved_kw"])
        moved.fill_between(
            x, 0, y.clip(min=0), step="post", facecolor="#f6c9a5",
            edgecolor="#8a3d00", hatch="////", linewidth=0, label="moved in",
        )  # fmt: skip
        moved.fill_between(
            x, 0, y.clip(max=0), step="post", facecolor="#aaaaaa", linewidth=0, label="moved away"
        )
        moved.axhline(0, color="#555555", linewidth=0.8)
        moved.set_ylabel("moved [kW]")
        time_axis(moved, day.index)
        thousands(axes, moved)
        figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=SMALL, borderpad=0)
    description = (
        "Grid intensity above; IT load of the baseline and with jobs as planned in the day with "
        "most moved; below, the difference, moved-in load hatched and moved-away load plain."
    )
    return Chart(name, title, description, shift_caption(data), figure, data)


def _power_unit(highest_kw: float) -> tuple[float, str]:
    return (KW_PER_MW, "MW") if highest_kw >= 10 * KW_PER_MW else (1.0, "kW")


def _legend_above(axes: "Axes", columns: int) -> None:
    axes.figure.legend(
        loc="outside upper left", ncols=columns, frameon=False, fontsize=SMALL, borderpad=0
    )
