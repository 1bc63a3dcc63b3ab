"""The pathway to 2050: facts solid, assumptions dashed; what is bought stands apart."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aidc.ledger.pathway.projection import Pathway
from aidc.reporting.charts.style import SMALL, Chart, drawing, spread
from aidc.reporting.numbers import number, signed, signed_percent
from aidc.units import KWH_PER_MWH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KT: Final = 1e3  # tonnes in a kilotonne
LINES: Final = {
    "location_t": ("S1 + S2 location-based", "#D55E00", "o"),
    "market_bare_t": ("S1 + S2 market-based,\nno certificates", "#0072B2", "s"),
    "market_t": ("S1 + S2 market-based,\nwith certificates", "#AA4477", "^"),
}
TARGETS: Final = {
    "peak": "peak",
    "operational_neutrality": "operational\nneutrality",
    "net_zero": "net zero",
}


def pathway_data(pathway: Pathway) -> pd.DataFrame:
    """A row a year: gross totals of both books [t], what is bought, and the status of the year."""
    frame = pathway.frame.set_index("year")
    return pd.DataFrame(
        {
            "status": frame["status"],
            "factor_status": frame["factor_status"],
            "location_t": frame["scope1_tco2e"] + frame["scope2_location_tco2e"],
            "market_bare_t": frame["scope1_tco2e"]
            + frame["scope2_market_without_certificates_tco2e"],
            "market_t": frame["scope1_tco2e"] + frame["scope2_market_tco2e"],
            "published_t": frame["scope1_tco2e"] + frame["scope2_published_tco2e"],
            "certificates_mwh": frame["certificates_mwh"],
            "certificates_t": frame["scope2_market_without_certificates_tco2e"]
            - frame["scope2_market_tco2e"],
            "offsets_t": frame["offsets_tco2e"],
            "removals_t": frame["removals_tco2e"],
        }
    )


def pathway_caption(data: pd.DataFrame) -> str:
    """Peak of the location-based series, its change since, and what the market-based one rests on."""
    series = data["location_t"]
    top, last = int(series.idxmax()), int(data.index[-1])
    facts = data.index[data["status"] == "reported"]
    text = (
        f"Location-based S1 + S2 is highest in {top} with {number(float(series[top]) / KT, 1, 'kt')}; "
        f"{last}: {number(float(series[last]) / KT, 1, 'kt')}, "
        f"{signed(float(series[last] - series[top]) / KT, 1, 'kt')} "
        f"({signed_percent(float(series[last] / series[top] - 1), 0)} of the highest). "
    )
    text += (
        f"Reported: {facts[0]} to {facts[-1]}; every later year is projected on assumptions. "
        if len(facts)
        else "No year is reported; all are projected on assumptions. "
    )
    bought = data[data["certificates_mwh"] > 0]
    if len(bought):
        row = bought.iloc[-1]
        text += (
            f"In {bought.index[-1]} certificates for "
            f"{number(float(row['certificates_mwh']) / KWH_PER_MWH, 0, 'GWh')} take "
            f"{number(float(row['certificates_t']) / KT, 1, 'kt')} out of the market-based account "
            "alone: bought, not abated."
        )
    return text


def pathway_chart(pathway: Pathway) -> Chart:
    """Gross emissions by book, with targets as hairlines and instruments in a panel of their own."""
    data = pathway_data(pathway)
    with drawing(4.6) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
        _lines(upper, data)
        _targets(upper, pathway)
        published = data["published_t"].dropna()
        upper.plot(
            published.index, published / KT, "k+", markersize=8, markeredgewidth=1.3,
            label="as published",
        )  # fmt: skip
        if len(published):
            upper.annotate(
                "as published",
                (published.index[-1], published.iloc[-1] / KT),
                xytext=(7, -3),
                textcoords="offset points",
                va="center",
                fontsize=SMALL - 0.5,
            )
        _bought(lower, data)
        lower.set_xlim(data.index[0] - 0.5, data.index[-1] + 12.5)
        ticks = [year for year in data.index if year % 5 == 0]
        lower.set_xticks(ticks, [str(year) for year in ticks])
    description = (
        "Scope 1 and 2 by year in both books: reported years solid, projected years dashed, "
        "target years as thin lines; below, certificates, offsets and removals, hatched."
    )
    title = f"Pathway to {data.index[-1]}: {pathway.inputs.entity}"
    return Chart("pathway", title, description, pathway_caption(data), figure, data)


def _lines(axes: "Axes", data: pd.DataFrame) -> None:
    facts = int((data["status"] == "reported").sum())
    top = float(data[list(LINES)].to_numpy(np.float64).max()) / KT or 1.0
    ends = spread([float(data[name].iloc[-1]) / KT for name in LINES], 0.13 * top)
    lift = max(0.0, 0.08 * top - min(ends))
    for (column, (label, colour, marker)), y in zip(LINES.items(), ends, strict=True):
        series = data[column] / KT
        axes.plot(series.index[:facts], series.iloc[:facts], color=colour, marker=marker, ms=4)
        axes.plot(
            series.index[max(facts - 1, 0) :],
            series.iloc[max(facts - 1, 0) :],
            color=colour,
            linestyle=(0, (4, 2)),
            marker=marker,
            markevery=5,
            markersize=3.5,
            markerfacecolor="white",
        )
        axes.annotate(
            label,
            (data.index[-1], float(series.iloc[-1])),
            xytext=(data.index[-1] + 0.9, y + lift),
            fontsize=SMALL - 0.5,
            color=colour,
            va="center",
        )
    axes.set_ylim(0, 1.28 * top)
    axes.set_ylabel("gross emissions [kt CO2]")


def _targets(axes: "Axes", pathway: Pathway) -> None:
    for name, words in TARGETS.items():
        year = getattr(pathway.inputs.targets, name).by
        axes.axvline(year, color="#555555", linewidth=0.6)
        axes.annotate(
            f"{words}\n{year}",
            (year, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -2),
            textcoords="offset points",
            va="top",
            fontsize=SMALL - 0.5,
            color="#444444",
        )


def _bought(axes: "Axes", data: pd.DataFrame) -> None:
    """Certificates by what they take out of the market-based account; offsets and removals."""
    looks = (
        ("certificates_t", "certificates (market-based only)", "#e8d5e3", "////"),
        ("offsets_t", "offsets", "#bbbbbb", "...."),
        ("removals_t", "removals", "#ffffff", "xxxx"),
    )
    bottom = np.zeros(len(data))
    for column, label, colour, hatch in looks:
        height = data[column].to_numpy(np.float64) / KT
        if height.any():
            axes.bar(
                data.index, height, 0.8, bottom=bottom, color=colour, hatch=hatch,
                edgecolor="#777777", linewidth=0.4, label=label,
            )  # fmt: skip
        bottom = bottom + height
    axes.set_ylabel("bought\n[kt CO2]")
    if bottom.any():
        axes.set_ylim(0, 1.5 * float(bottom.max()))
        axes.legend(loc="upper left", ncols=3, frameon=False, fontsize=SMALL - 0.5, borderpad=0)
    else:
        axes.set_ylim(0, 1)
        axes.text(
            0.02, 0.5, "nothing is bought", transform=axes.transAxes, va="center", fontsize=SMALL
        )
