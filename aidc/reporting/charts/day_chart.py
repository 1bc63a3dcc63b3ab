"""One planned day beside the same day of the baseline, for who runs the plant."""

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    nothing,
    steps,
    thousands,
)
from aidc.reporting.numbers import energy, number, ratio, signed, signed_energy
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
    """Steps of the day on which the plan saves most carbon at a site; ``NAME_baseline``, ``NAME_optimized``.

    ``jobs_late`` of a step are those that start in it later than they could, ``gpus_late`` their boards, and
    ``gpu_hours_late`` those times the delay.
    """
    one, other = before.site(site), after.site(site)
    saved = (one["grid_import_kw"] - other["grid_import_kw"]) * one["grid_kgco2e_per_kwh"]
    days = pd.DatetimeIndex(one.index).normalize()
    mine = days == saved.groupby(days).sum().idxmax() if len(one) else np.zeros(0, np.bool_)
    columns = {name: one.loc[mine, name] for name in SHARED}
    for run, rows in zip(RUNS, (one, other), strict=True):
        columns |= {f"{name}_{run}": rows.loc[mine, name] for name in OF_A_RUN}
    return pd.DataFrame(columns).assign(**_late(after, site, mine), hours=before.step_h)


def _late(after: Trace, site: str, mine: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Jobs that start later than they could, by step."""
    jobs, step_s = after.jobs, after.step_h * S_PER_H
    rows = jobs[(jobs["site"] == site) & (jobs["deferred_s"] > 0) & jobs["start_s"].notna()]
    step = np.minimum((rows["start_s"] / step_s).astype(int), max(len(mine) - 1, 0))
    boards = rows["gpu_count"].to_numpy(np.float64)
    weights = {
        "jobs_late": np.ones(len(rows)),
        "gpus_late": boards,
        "gpu_hours_late": boards * rows["deferred_s"].to_numpy(np.float64) / S_PER_H,
    }
    return {
        name: np.bincount(step, weight, minlength=len(mine))[mine].astype(np.float64)
        for name, weight in weights.items()
    }


def day_caption(data: pd.DataFrame) -> str:
    """What the plan asks for on that day, and what it brings."""
    hours, index = data["hours"], pd.DatetimeIndex(data.index)
    off = (data["supply_air_degc_optimized"] - data["supply_air_degc_baseline"]).abs() > SAME_K
    delay_h = ratio(float(data["gpu_hours_late"].sum()), float(data["gpus_late"].sum())) or 0.0
    was, became = (data[f"grid_import_kw_{run}"] for run in RUNS)
    kwh = float(((became - was) * hours).sum())
    kgco2e = float(((became - was) * data["grid_kgco2e_per_kwh"] * hours).sum())
    supply = data["supply_air_degc_optimized"]
    return (
        f"{index[0]:%A %d %B %Y}, the day that saves most: supply air {number(float(supply.min()), 1)} to "
        f"{number(float(supply.max()), 1, '°C')}, off the baseline's in {number(float(hours[off].sum()), 1, 'h')}; "
        f"{number(float(data['jobs_late'].sum()), 0)} jobs start later than they could, by {number(delay_h, 1, 'h')} on "
        f"average of their boards; import {signed_energy(kwh)} of {energy(float((was * hours).sum()))}, highest "
        f"{number(float(was.max()), 0)} to {number(float(became.max()), 0, 'kW')}; emissions "
        f"{signed(kgco2e / KG_PER_T, 3, 't')}."
    )


def day_chart(before: Trace, after: Trace, site: str, suffix: str) -> Chart:
    """Set-points and modes, IT load, import with price and carbon, by the hour of one day."""
    data = day_data(before, after, site)
    title = "One planned day" + (f": {site}" if suffix else "")
    if not len(data):
        return nothing(f"day{suffix}", title, "The run has no steps: no day to draw.", data)
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
    return Chart(f"day{suffix}", title, description, day_caption(data), figure, data)


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
