"""Plans that no other beats, on two axes, with the baseline and every plan's gap."""

from collections.abc import Sequence

import pandas as pd

from aidc.reporting.charts.style import COLOURS, SMALL, Chart, drawing
from aidc.reporting.numbers import percent
from aidc.reporting.pareto import AXES, pareto_caption


def pareto_chart(table: pd.DataFrame, axes: Sequence[str]) -> Chart:
    """The front on the first two axes; a third one is told beside each plan.

    Args:
        table: of `aidc.api.front.pareto`; the baseline first.
        axes: names of the chosen axes.
    """
    across, up = AXES[axes[0]], AXES[axes[1]]
    front = table[table["on_front"]].sort_values(across.column)
    with drawing(3.6) as figure:
        plot = figure.subplots()
        plot.plot(
            front[across.column], front[up.column], color=COLOURS["it_kw"], marker="o",
            linestyle="-" if len(axes) == 2 else "", linewidth=1.0, label="plans, with their gap",
        )  # fmt: skip
        for place, (_, row) in enumerate(front.iterrows()):
            plot.annotate(
                percent(float(row["gap_frac"]), 2), (row[across.column], row[up.column]),
                xytext=(4, (4, -11)[place % 2]), textcoords="offset points", fontsize=SMALL,
            )  # fmt: skip
        before = table.iloc[0]
        plot.plot(
            [before[across.column]], [before[up.column]], color=COLOURS["dx_kw"], marker="X",
            linestyle="", label="baseline",
        )  # fmt: skip
        plot.set_xlabel(across.name)
        plot.set_ylabel(up.name)
        plot.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False, fontsize=SMALL
        )
    return Chart(
        "pareto",
        f"What less {axes[0]} costs in {axes[1]}",
        f"Plans that no other beats: {across.name} across, {up.name} up, and the baseline.",
        pareto_caption(table, axes),
        figure,
        table.set_index("plan"),
    )
