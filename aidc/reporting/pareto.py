"""Plans on several axes: which of them no other beats, and what going from one end to the other costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.reporting.numbers import number, percent

EQUAL: Final = 1e-9  # relative; less than this is no difference


@dataclass(frozen=True, slots=True)
class Axis:
    """What plans are compared in; less is better.

    Attributes:
        column: of the table of plans.
        name: with its unit, for a chart.
        unit: of the column.
    """

    column: str
    name: str
    unit: str


AXES: Final = {
    "emissions": Axis("emissions_tco2e", "scope 2 as decided on [tCO2e]", "t"),
    "cost": Axis("cost_cny", "energy, demand and water [CNY]", "CNY"),
    "water": Axis("water_m3", "water [m³]", "m³"),
    "delay": Axis("delay_gpu_h", "work put off [GPU-h x h of delay, summed]", "GPU-h"),
}


def not_dominated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows that no other row beats: as good on every column and better on one, shape (rows,)."""
    room = EQUAL * np.maximum(np.abs(values), 1.0)
    kept = np.ones(len(values), bool)
    for row, own in enumerate(values):
        as_good = (values <= own + room[row]).all(axis=1)
        better = (values < own - room[row]).any(axis=1)
        kept[row] = not (as_good & better).any()
    return kept


def pareto_caption(table: pd.DataFrame, axes: Sequence[str]) -> str:
    """How many plans are on the front, their ends on the first two axes, and the worst gap."""
    plans = table.iloc[1:]
    front = plans[plans["on_front"]]
    first, second = (AXES[axis] for axis in axes[:2])
    one = front.loc[front[first.column].idxmin()]
    other = front.loc[front[second.column].idxmin()]
    saved = float(other[first.column] - one[first.column])
    paid = float(one[second.column] - other[second.column])
    gaps = front["gap_frac"]
    return (
        f"{len(front)} of {len(plans)} plans are beaten by no other. From the plan of least {axes[1]} to that of "
        f"least {axes[0]}, {number(saved, 2, first.unit)} less are paid with {number(paid, 2, second.unit)}. "
        f"Gaps of their worst windows: {percent(float(gaps.min()), 3)} to {percent(float(gaps.max()), 3)}. "
        "Plans nearer to each other than their gaps may change places. The baseline is the cross."
    )
