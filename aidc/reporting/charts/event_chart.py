"""Events of a run: what the air did while something was out of order, and what heat stayed in the hall."""

from datetime import timedelta
from typing import Final

import pandas as pd

from aidc.reporting.charts.style import COLOURS, SMALL, Chart, drawing, steps, time_axis
from aidc.reporting.numbers import energy, number
from aidc.trace import Trace

KINDS: Final = {
    "heat_wave": "heat wave",
    "cooling_trip": "cooling trip",
    "dx_trip": "compressor trip",
    "water_loss": "no water",
    "sensor_bias": "sensor bias",
    "pv_loss": "PV loss",
    "utility_loss": "no grid",
    "import_limit": "grid limit",
    "capacity": "beyond capacity",
}
AROUND: Final = timedelta(hours=12)
COLUMNS: Final = (
    "drybulb_degc", "wetbulb_degc", "supply_air_degc", "inlet_degc", "unmet_cooling_kw",
    "heat_removed_kw", "cooling_kw",
)  # fmt: skip


def causes(text: str) -> str:
    """Kinds of events in words."""
    return ", ".join(KINDS[kind] for kind in text.split(", "))


def has_events(trace: Trace) -> bool:
    """Whether a scenario has events, or a run an incident."""
    return bool(trace.scenario.events) or len(trace.incidents) > 0


def event_data(trace: Trace, site: str) -> pd.DataFrame:
    """Steps from half a day before the first event to half a day after the last."""
    frame = trace.site(site)
    times = [(e.start, e.end) for e in trace.scenario.events if e.site in (None, site)]
    mine = trace.incidents[trace.incidents["site"] == site]
    times += list(zip(mine["start"], mine["end"], strict=True))
    if times:
        first, last = min(t[0] for t in times) - AROUND, max(t[1] for t in times) + AROUND
        frame = frame[(frame.index >= first) & (frame.index < last)]
    return frame[list(COLUMNS)]


def event_caption(trace: Trace, site: str, data: pd.DataFrame) -> str:
    """Every spell of heat that stayed in the hall, or that there was none."""
    limit = trace.scenario.sites[site].site.hall.inlet_max_degc
    mine = trace.incidents[trace.incidents["site"] == site]
    warmest = number(float(data["inlet_degc"].max()), 1, "°C")
    if mine.empty:
        return f"No heat stayed in the hall and no inlet was above its limit; warmest inlet {warmest}, limit {number(limit, 1, '°C')}."
    texts = []
    for row in mine.head(3).itertuples():
        after = (
            f"limit passed after {number(row.limit_after_s, 0, 's')}"
            if row.limit_after_s == row.limit_after_s
            else "limit kept"
        )
        texts.append(
            f"{row.start:%d %b %H:%M} ({causes(str(row.cause))}): {energy(float(row.unmet_kwh))} not removed, {after}"
        )
    more = f" and {len(mine) - 3} more" if len(mine) > 3 else ""
    return (
        f"{len(mine)} {'spells' if len(mine) > 1 else 'spell'} of heat left in the hall or hot inlets: {'; '.join(texts)}{more}. "
        f"Warmest inlet {warmest}, limit {number(limit, 1, '°C')}; servers are not shut down."
    )


def event_chart(trace: Trace, site: str, suffix: str) -> Chart:
    """Temperatures above, events in lanes, heat removed and left in the hall below."""
    data = event_data(trace, site)
    limit = trace.scenario.sites[site].site.hall.inlet_max_degc
    events = [event for event in trace.scenario.events if event.site in (None, site)]
    lane = 0.13 * max(len(events), 1)
    with drawing(4.0 + lane) as figure:
        upper, lanes, lower = figure.subplots(3, 1, sharex=True, height_ratios=[1.5, lane, 1])
        steps(upper, data["drybulb_degc"], color=COLOURS["drybulb_degc"], label="dry bulb")
        steps(
            upper, data["wetbulb_degc"], color=COLOURS["wetbulb_degc"], linestyle=(0, (1, 1)),
            label="wet bulb",
        )  # fmt: skip
        steps(upper, data["inlet_degc"], color=COLOURS["inlet_degc"], label="server inlet")
        spells = trace.incidents[trace.incidents["site"] == site]
        if len(spells):
            upper.plot(
                spells["start"].dt.tz_localize(None), spells["warmest_inlet_degc"], "D",
                markersize=3.5, color=COLOURS["inlet_degc"], label="warmest",
            )  # fmt: skip
        upper.axhline(
            limit, color="#444444", linewidth=0.8, linestyle=(0, (4, 2)), label="inlet limit"
        )
        upper.set_ylabel("°C")
        steps(lower, data["heat_removed_kw"], color=COLOURS["it_kw"], label="heat removed")
        steps(
            lower,
            data["unmet_cooling_kw"],
            color=COLOURS["unmet_cooling_kw"],
            label="heat left in the hall",
        )
        lower.set_ylabel("kW")
        lower.set_ylim(bottom=0)
        for index, event in enumerate(events):
            start, end = (
                t.astimezone(data.index.tz).replace(tzinfo=None) for t in (event.start, event.end)
            )
            lanes.barh(index, end - start, left=start, height=0.7, color="#c8a000")
            for axes in (upper, lower):
                axes.axvspan(start, end, color="#f0c808", alpha=0.18, linewidth=0)
        lanes.set_yticks(range(len(events)), [KINDS[event.kind] for event in events])
        lanes.tick_params(axis="y", length=0, labelsize=SMALL)
        lanes.invert_yaxis()
        lanes.grid(visible=False)
        for axes in (upper, lower):
            axes.legend(
                loc="lower left",
                bbox_to_anchor=(0, 1.0),
                ncols=5,
                frameon=False,
                fontsize=SMALL - 0.5,
                columnspacing=1.0,
                handlelength=1.6,
            )
        time_axis(lower, data.index)
    named = ", ".join(dict.fromkeys(KINDS[event.kind] for event in trace.scenario.events))
    title = "Events" + (f": {named}" if named else "") + (f", {site}" if suffix else "")
    description = (
        "Temperatures and heat around the events of the run; each event has its lane and is shaded."
    )
    return Chart(
        f"events{suffix}", title, description, event_caption(trace, site, data), figure, data
    )
