"""One planned day beside the same day of the baseline, for who runs the plant."""

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aidc.reporting.charts.style import (
    COLOURS,
    MODE_NAMES,
    MODES,
    SMALL,
    VARIANT_COLOURS,
    VARIANT_DASHES,
    Chart,
    drawing,
    ends_of,
    steps,
    thousands,
)
from aidc.reporting.numbers import energy, number, signed, signed_energy
from aidc.reporting.study import VARIANTS
from aidc.trace import Trace
from aidc.units import KG_PER_T, S_PER_H

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARED: Final = ("drybulb_degc", "wetbulb_degc", "grid_kgco2e_per_kwh", "tariff_cny_per_kwh")
OF_A_RUN: Final = ("supply_air_degc", "mode", "it_kw", "pv_kw", "grid_import_kw", "battery_kwh")
RUNS: Final = ("baseline", "optimized")
SAME_K: Final = 0.05  # supply air nearer than this is the same set-point


def day_data(before: Trace, after: Trace, site: str) -> pd.DataFrame:
    """Steps of the day on which the plan saves most carbon at a site; ``NAME_baseline``, ``NAME_optimized``."""
    one, other = before.site(site), after.site(site)
    saved = (one["grid_import_kw"] - other["grid_import_kw"]) * one["grid_kgco2e_per_kwh"]
    days = pd.DatetimeIndex(one.index).normalize()
    best = saved.groupby(days).sum().idxmax()
    mine = days == best
    columns = {name: one.loc[mine, name] for name in SHARED}
    for run, rows in zip(RUNS, (one, other), strict=True):
        columns |= {f"{name}_{run}": rows.loc[mine, name] for name in OF_A_RUN}
    return pd.DataFrame(columns)


def day_caption(before: Trace, after: Trace, site: str, data: pd.DataFrame) -> str:
    """What the plan asks for on that day, and what it brings."""
    step_h = before.step_h
    moved = (data["supply_air_degc_optimized"] - data["supply_air_degc_baseline"]).abs() > SAME_K
    begin = before.scenario.start
    jobs, index = after.jobs[after.jobs["site"] == site], pd.DatetimeIndex(data.index)
    first_s = (index[0] - begin).total_seconds()
    put_off = jobs[
        (jobs["deferred_s"] > 0)
        & (jobs["start_s"] >= first_s)
        & (jobs["start_s"] < first_s + len(data) * step_h * S_PER_H)
    ]
    hours = np.average(put_off["deferred_s"], weights=put_off["gpu_count"]) if len(put_off) else 0.0
    import_kw = data["grid_import_kw_optimized"] - data["grid_import_kw_baseline"]
    kgco2e = float((import_kw * data["grid_kgco2e_per_kwh"]).sum() * step_h)
    supply = data["supply_air_degc_optimized"]
    return (
        f"{index[0]:%A %d %B %Y}, the day that saves most: supply air {number(float(supply.min()), 1)} to "
        f"{number(float(supply.max()), 1, '°C')}, off the baseline's in {number(float(moved.sum() * step_h), 1, 'h')}; "
        f"{len(put_off):,} jobs start later than they could, by {number(float(hours) / S_PER_H, 1, 'h')} on average of their "
        f"boards; import {signed_energy(float(import_kw.sum() * step_h))} of "
        f"{energy(float(data['grid_import_kw_baseline'].sum() * step_h))}, highest {number(float(data['grid_import_kw_baseline'].max()), 0)} "
        f"to {number(float(data['grid_import_kw_optimized'].max()), 0, 'kW')}; emissions {signed(kgco2e / KG_PER_T, 3, 't')}."
    )


def day_chart(before: Trace, after: Trace, site: str, suffix: str) -> Chart:
    """Set-points and modes, IT load, import with price and carbon, by the hour of one day."""
    data = day_data(before, after, site)
    title = "One planned day" + (f": {site}" if suffix else "")
    with drawing(6.4) as figure:
        air, mode, load, bought, price = figure.subplots(
            5, 1, sharex=True, height_ratios=[1.7, 0.5, 1.3, 1.3, 0.55]
        )
        for name, label in (("drybulb_degc", "dry bulb"), ("wetbulb_degc", "wet bulb")):
            steps(air, data[name], color=COLOURS[name], linewidth=1.0, label=label)
        for run in RUNS:
            look = {"color": VARIANT_COLOURS[run], "linestyle": VARIANT_DASHES[run]}
            steps(air, data[f"supply_air_degc_{run}"], **look, label=f"supply air, {VARIANTS[run]}")
            steps(load, data[f"it_kw_{run}"], **look, label=f"IT, {VARIANTS[run]}")
            steps(bought, data[f"grid_import_kw_{run}"], **look, label=f"import, {VARIANTS[run]}")
        _modes(mode, data)
        if float(data["pv_kw_baseline"].max()) > 0:
            x, y = ends_of(data["pv_kw_baseline"])
            bought.fill_between(x, y, step="post", color=COLOURS["pv_kw"], alpha=0.6, label="PV")
        steps(price, data["tariff_cny_per_kwh"], color=COLOURS["other_kw"], label="tariff")
        carbon = price.twinx()
        steps(carbon, data["grid_kgco2e_per_kwh"], color=COLOURS["grid_kgco2e_per_kwh"])
        carbon.set_ylim(0, None)
        carbon.set_ylabel("kg/kWh", color=COLOURS["grid_kgco2e_per_kwh"])
        carbon.grid(visible=False)
        price.set_ylim(0, None)
        price.set_ylabel("CNY/kWh")
        for axes, label in ((air, "°C"), (load, "IT [kW]"), (bought, "grid [kW]")):
            axes.set_ylabel(label)
            axes.legend(loc="upper left", ncols=2, fontsize=SMALL, frameon=False, borderpad=0.1)
            low, high = axes.get_ylim()
            axes.set_ylim(0.0 if axes is bought else low, high + 0.42 * (high - low))
        thousands(load, bought)
        _hours(price, data)
    description = (
        "A day of the plan beside the baseline: temperatures and supply set-point, cooling mode, IT load, "
        "grid import with PV, tariff and carbon intensity."
    )
    return Chart(
        f"day{suffix}", title, description, day_caption(before, after, site, data), figure, data
    )


def _modes(axes: "Axes", data: pd.DataFrame) -> None:
    """The cooling mode of each step in a lane a run, its name in the longest stretch."""
    x, _ = ends_of(data["it_kw_baseline"])
    for lane, run in enumerate(reversed(RUNS)):
        modes = data[f"mode_{run}"].astype(str).to_numpy()
        edges = [0, *(np.flatnonzero(modes[1:] != modes[:-1]) + 1).tolist(), len(modes)]
        for begin, end in itertools.pairwise(edges):
            colour = MODES[modes[begin]][0]
            axes.broken_barh(
                [(x[begin], x[end] - x[begin])], (lane + 0.08, 0.84), color=colour, alpha=0.75
            )
            if end - begin >= len(modes) / 8:
                axes.text(
                    x[begin] + (x[end] - x[begin]) / 2, lane + 0.5, MODE_NAMES[modes[begin]],
                    ha="center", va="center", fontsize=SMALL - 1, color="white",
                )  # fmt: skip
    axes.set_yticks([0.5, 1.5], [VARIANTS[run] for run in reversed(RUNS)])
    axes.set_ylim(0, 2)
    axes.grid(visible=False)


def _hours(axes: "Axes", data: pd.DataFrame) -> None:
    from matplotlib.dates import DateFormatter, HourLocator

    x, _ = ends_of(data["it_kw_baseline"])
    axes.set_xlim(x[0], x[-1])
    axes.xaxis.set_major_locator(HourLocator(byhour=range(0, 24, 3)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
