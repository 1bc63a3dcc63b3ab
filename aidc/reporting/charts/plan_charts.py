"""Chart of what the plan promised and what the replay delivered."""

import numpy as np
import pandas as pd

from aidc.reporting.charts.style import (
    COLOURS,
    LONG_DAYS,
    SMALL,
    VARIANT_COLOURS,
    Chart,
    drawing,
    nothing,
    steps,
    thousands,
    time_axis,
)
from aidc.reporting.comparison import promise
from aidc.reporting.numbers import energy, number, ratio, signed_energy, signed_percent
from aidc.schedule import Schedule
from aidc.trace import Trace
from aidc.units import H_PER_DAY


def promise_caption(data: pd.DataFrame) -> str:
    """Both totals, their difference, and the largest of one interval."""
    promised = float((data["promised_kw"] * data["hours"]).sum())
    delivered = float((data["delivered_kw"] * data["hours"]).sum())
    apart = (data["delivered_kw"] - data["promised_kw"]).abs()
    share = (apart / data["promised_kw"].where(data["promised_kw"] > 0)).max()
    return (
        f"Facility energy promised {energy(promised)}, delivered {energy(delivered)}: "
        f"{signed_energy(delivered - promised)} "
        f"({signed_percent(ratio(delivered - promised, promised), 3)} of the promise). Largest "
        f"difference of one plan step: {number(float(apart.max()), 1, 'kW')} "
        f"({number(100 * float(share), 2, '%')} of that step's promise)."
    )


def promise_chart(schedule: Schedule, trace: Trace) -> Chart:
    """Promised and delivered facility power, and the difference below."""
    name, title = "promise", "Promised against delivered"
    data = promise(schedule, trace)
    if not len(data):
        return nothing(name, title, "The plan promised nothing: there is nothing to compare.", data)
    step_h = float(data["hours"].iloc[0])
    long = len(data) * step_h / H_PER_DAY > LONG_DAYS
    shown = data.resample("D").mean() if long else data
    with drawing(3.5) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        steps(
            upper,
            shown["promised_kw"],
            color=COLOURS["it_kw"],
            linestyle=(0, (4, 2)),
            label="promised by the plan",
        )
        steps(
            upper,
            shown["delivered_kw"],
            color=VARIANT_COLOURS["optimized"],
            label="delivered by the replay",
        )
        upper.set_ylim(0, 1.15 * float(shown[["promised_kw", "delivered_kw"]].to_numpy().max()))
        upper.set_ylabel("facility [kW]" + (", daily mean" if long else ""))
        steps(
            lower,
            shown["delivered_kw"] - shown["promised_kw"],
            color=VARIANT_COLOURS["optimized"],
        )
        lower.axhline(0, color="#555555", linewidth=0.8)
        reach = float(np.nanmax((shown["delivered_kw"] - shown["promised_kw"]).abs())) or 1.0
        lower.set_ylim(-1.2 * reach, 1.2 * reach)
        lower.set_ylabel("difference\n[kW]")
        thousands(upper)
        time_axis(lower, shown.index)
        figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=SMALL, borderpad=0)
    description = (
        "Facility power of every plan step as the plan promised it and as the replay delivered "
        "it; the difference below, on its own scale."
    )
    return Chart(name, title, description, promise_caption(data), figure, data)
