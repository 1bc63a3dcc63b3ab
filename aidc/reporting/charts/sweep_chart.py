"""Set-points against PUE, TUE and total energy: why PUE is not the thing to minimise."""

from typing import Any

import pandas as pd

from aidc.reporting.charts.style import COLOURS, SMALL, Chart, drawing, nothing
from aidc.reporting.numbers import energy, number, percent
from aidc.reporting.setpoint_sweep import sweep_figures
from aidc.units import KWH_PER_MWH


def sweep_caption(sweep: pd.DataFrame) -> str:
    """Both optima, the penalty, and what is beyond the limits."""
    found = sweep_figures(sweep)
    if found["least_pue_supply_degc"] is None:
        return "At every set-point heat stays in the hall: there is no optimum."
    text = (
        f"Each set-point held over the whole run, jobs as in the baseline. PUE is least at "
        f"{number(found['least_pue_supply_degc'], 1, '°C')}, total energy at "
        f"{number(found['least_energy_supply_degc'], 1, '°C')}; following PUE costs "
        f"{energy(found['penalty_kwh'])} ({percent(found['penalty_frac'], 2)})"
    )
    within = found["least_energy_within_limit_degc"]
    text += (
        f". Within the inlet limit energy is least at {number(within, 1, '°C')}."
        if within is not None
        else ". No set-point of the sweep keeps the inlet limit."
    )
    if found["points_with_unmet_heat"]:
        text += f" {found['points_with_unmet_heat']} set-points leave heat in the hall and do not count."
    return text


def sweep_chart(sweep: pd.DataFrame, site: str, suffix: str) -> Chart:
    """Total energy above, PUE and TUE below, with both optima marked."""
    name = f"sweep{suffix}"
    title = "Set-points: PUE against energy" + (f", {site}" if suffix else "")
    if not len(sweep):
        return nothing(name, title, "No set-point was tried.", sweep)
    found = sweep_figures(sweep)
    supply = sweep["supply_degc"]
    inside = sweep[sweep["within_inlet_limit"]]
    with drawing(3.8) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True)
        upper.plot(
            supply, sweep["facility_kwh"] / KWH_PER_MWH, color="#333333", marker="o", markersize=3
        )
        upper.set_ylabel("site energy [MWh]")
        lower.plot(
            supply, sweep["pue"], color=COLOURS["dx_kw"], marker="o", markersize=3, label="PUE"
        )
        lower.plot(
            supply, sweep["tue"], color=COLOURS["it_kw"], marker="s", markersize=3,
            linestyle=(0, (4, 2)), label="TUE",
        )  # fmt: skip
        lower.set_ylabel("ratio")
        lower.set_xlabel("supply air [°C]")
        for axes in (upper, lower):
            if found["least_energy_supply_degc"] is not None:
                axes.axvline(found["least_energy_supply_degc"], color="#333333", linewidth=1.0)
                axes.axvline(
                    found["least_pue_supply_degc"], color=COLOURS["dx_kw"], linewidth=1.0,
                    linestyle=(0, (4, 2)),
                )  # fmt: skip
            if 0 < len(inside) < len(sweep):
                edge = float(inside["supply_degc"].max())
                axes.axvspan(edge, float(supply.max()), color="#bbbbbb", alpha=0.25, linewidth=0)
        handles: list[tuple[str, dict[str, Any]]] = [
            ("least energy", {"color": "#333333"}),
            ("least PUE", {"color": COLOURS["dx_kw"], "linestyle": (0, (4, 2))}),
        ]
        for label, look in handles:
            upper.plot([], [], label=label, linewidth=1.0, **look)
        upper.fill_between([], [], color="#bbbbbb", alpha=0.4, label="inlet above its limit")
        for axes in (upper, lower):
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=SMALL
            )
    description = "Total energy, PUE and TUE by supply set-point; both optima are marked."
    return Chart(
        name, title, description, sweep_caption(sweep), figure, sweep.set_index("supply_degc")
    )
