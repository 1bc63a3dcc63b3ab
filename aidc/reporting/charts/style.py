"""How figures look: colours by column, sizes of slots, and figures that are the same bytes twice."""

import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.reporting.numbers import number
from aidc.units import H_PER_DAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLOT_IN: Final = 5.4  # width of a chart on the page; text keeps its size there
POINTS_SHOWN: Final = 5_000
PIXELS: Final = 1_000  # of a line when it is thinned
LONG_DAYS: Final = 62  # above this a run is drawn by day or month
DPI: Final = 200
SMALL: Final = 8.0
TEXT_COLOUR: Final = "#222222"
GRID_COLOUR: Final = "#dddddd"

# Okabe-Ito, in Matplotlib's order
_BLACK, _ORANGE, _SKY, _GREEN, _YELLOW, _BLUE, _RED, _PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip

# one quantity, one colour and one hatch, in every figure
COLOURS: Final = {
    "it_kw": _BLUE,
    "server_fan_kw": "#7FB8D8",
    "cooling_kw": _SKY,
    "electrical_loss_kw": _ORANGE,
    "other_kw": "#999999",
    "battery_loss_kw": _PURPLE,
    "battery_charge_kw": _PURPLE,
    "battery_discharge_kw": _PURPLE,
    "pv_kw": _YELLOW,
    "grid_import_kw": "#444444",
    "grid_export_kw": _GREEN,
    "grid_kgco2e_per_kwh": _GREEN,
    "wetbulb_degc": _SKY,
    "drybulb_degc": _ORANGE,
    "supply_air_degc": _BLUE,
    "inlet_degc": _RED,
    "unmet_cooling_kw": _RED,
    "chiller_kw": _GREEN,
    "dx_kw": _RED,
    "iec_fan_kw": _SKY,
    "iec_pump_kw": _BLUE,
    "crah_fan_kw": _PURPLE,
    "tower_fan_kw": _YELLOW,
    "pump_kw": "#888888",
    "humidifier_kw": _BLACK,
}
HATCHES: Final = {
    "it_kw": "",
    "server_fan_kw": "|||",
    "cooling_kw": "",
    "electrical_loss_kw": "////",
    "other_kw": "",
    "battery_loss_kw": "xxxx",
    "chiller_kw": "",
    "dx_kw": "\\\\\\\\",
    "iec_fan_kw": "",
    "iec_pump_kw": "|||",
    "crah_fan_kw": "----",
    "tower_fan_kw": "",
    "pump_kw": "++++",
    "humidifier_kw": "",
}
NAMES: Final = {
    "it_kw": "IT",
    "server_fan_kw": "server fans",
    "cooling_kw": "cooling",
    "electrical_loss_kw": "electrical losses",
    "other_kw": "lighting and other",
    "battery_loss_kw": "battery losses",
    "pv_kw": "PV",
    "grid_import_kw": "grid import",
    "chiller_kw": "chiller",
    "dx_kw": "DX trim",
    "iec_fan_kw": "IEC fans",
    "iec_pump_kw": "spray pumps",
    "crah_fan_kw": "supply fans",
    "tower_fan_kw": "tower fans",
    "pump_kw": "pumps",
    "humidifier_kw": "humidifier",
}
VARIANT_COLOURS: Final = {
    "baseline": "#666666",
    "optimized": _RED,
    "setpoints_only": _GREEN,
    "shifting_only": _PURPLE,
    "trim_and_respond": _BLUE,
}
VARIANT_DASHES: Final[dict[str, Any]] = {
    "baseline": (0, (4, 2)),
    "optimized": "solid",
    "setpoints_only": (0, (1, 1)),
    "shifting_only": (0, (6, 2, 1, 2)),
    "trim_and_respond": (0, (2, 1)),
}
MODES: Final = {
    "off": (_BLACK, "x"),
    "free": (_YELLOW, "P"),
    "dry": (_SKY, "o"),
    "wet": (_BLUE, "s"),
    "dry_dx": (_ORANGE, "^"),
    "wet_dx": (_RED, "D"),
    "dx": (_PURPLE, "v"),
    "chiller": (_GREEN, "h"),
    "tank": ("#999999", "d"),
}
MODE_NAMES: Final = {
    "off": "off",
    "free": "free cooling",
    "dry": "dry",
    "wet": "wet",
    "dry_dx": "dry + DX",
    "wet_dx": "wet + DX",
    "dx": "DX",
    "chiller": "chiller",
    "tank": "tank",
}
_RC: Final[dict[Any, Any]] = {
    "font.size": 9.0,
    "font.family": ["DejaVu Sans"],
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": TEXT_COLOUR,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID_COLOUR,
    "grid.linewidth": 0.6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": TEXT_COLOUR,
    "ytick.color": TEXT_COLOUR,
    "text.color": TEXT_COLOUR,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with what stands around it.

    Attributes:
        name: file name, and what its ids begin with.
        title: heading.
        description: what is drawn, for those who do not see it.
        caption: numbers computed from ``data``.
        figure: the picture.
        data: what is drawn; also the table behind it.
    """

    name: str
    title: str
    description: str
    caption: str
    figure: "Figure"
    data: pd.DataFrame

    def svg(self) -> str:
        """The picture as an inline SVG with title, description and ids of its own."""
        text = _rendered(self.figure, self.name, "svg").decode("utf-8")
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
        text = re.sub(r'\bid="([^"]+)"', rf'id="{self.name}-\1"', text)
        text = re.sub(r"url\(#([^)]+)\)", rf"url(#{self.name}-\1)", text)
        text = re.sub(r'href="#([^"]+)"', rf'href="#{self.name}-\1"', text)
        head = (
            f'<svg role="img" aria-labelledby="{self.name}-title {self.name}-desc" class="chart" '
        )
        labels = (
            f'<title id="{self.name}-title">{_escaped(self.title)}</title>'
            f'<desc id="{self.name}-desc">{_escaped(self.description)}</desc>'
        )
        opened, rest = text.split(">", 1)
        opened = re.sub(r'\b(width|height)="[^"]*"\s*|\bid="[^"]*"\s*', "", opened)
        return opened.replace("<svg ", head, 1) + ">" + labels + rest.strip()

    def png(self) -> bytes:
        """The picture for slides."""
        return _rendered(self.figure, self.name, "png")

    def svg_file(self) -> bytes:
        """The picture as a file of its own."""
        return _rendered(self.figure, self.name, "svg")


def _rendered(figure: "Figure", name: str, kind: str) -> bytes:
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(_RC | {"svg.hashsalt": name, "svg.id": name}):
        if kind == "svg":
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        else:
            figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@contextmanager
def drawing(height_in: float) -> "Iterator[Figure]":
    """A figure of one slot's width under the look of this report."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_RC):
        figure = Figure(figsize=(SLOT_IN, height_in), layout="constrained")
        yield figure
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once: drawing again moves nothing


def days_of(index: pd.DatetimeIndex, step_h: float) -> float:
    """Days that an index covers."""
    return len(index) * step_h / H_PER_DAY


def thinned(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows that keep the smallest and the largest value of every pixel, in order.

    Up to 5,000 points all rows are kept.
    """
    count = len(values)
    if count <= POINTS_SHOWN:
        return np.arange(count)
    edges = np.linspace(0, count, PIXELS + 1).astype(np.int64)
    kept = {0, count - 1}
    for first, last in itertools.pairwise(edges):
        part = values[first:last]
        if not np.isfinite(part).any():
            kept.add(int(first))
            continue
        kept.add(int(first + np.nanargmin(part)))
        kept.add(int(first + np.nanargmax(part)))
    return np.array(sorted(kept), np.int64)


def steps(axes: "Axes", series: "pd.Series[float]", **look: Any) -> None:
    """Means of steps as a line that holds to the end of its step."""
    x, y = ends_of(series)
    rows = thinned(y)
    axes.step(x[rows], y[rows], where="post", **look)


def ends_of(
    series: "pd.Series[float]",
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Local times and values with the end of the last step added."""
    index, values = pd.DatetimeIndex(series.index), series.to_numpy(np.float64).copy()
    times = (index.tz_localize(None) if index.tz is not None else index).to_numpy()
    if not len(times):
        return times, values
    width = times[-1] - times[-2] if len(times) > 1 else np.timedelta64(1, "h")
    return np.append(times, times[-1] + width), np.append(values, values[-1])


def time_axis(axes: "Axes", index: pd.DatetimeIndex) -> None:
    """Dates along the bottom, few enough to read; the year stands in the page's heading."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(  # type: ignore[no-untyped-call]
            locator,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
            zero_formats=["", "%b %Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
            show_offset=False,
        )
    )
    if len(index):
        x, _ = ends_of(pd.Series(0.0, index=index))
        axes.set_xlim(x[0], x[-1])


def thousands(*panels: "Axes") -> None:
    """Numbers of the y axes with thousands separators."""
    from matplotlib.ticker import FuncFormatter

    def text(value: float, _: object) -> str:
        return number(value, 0 if float(value).is_integer() else 1)

    for axes in panels:
        axes.yaxis.set_major_formatter(FuncFormatter(text))


def spread(positions: list[float], gap: float) -> list[float]:
    """Positions moved as little as needed so that neighbours are at least ``gap`` apart."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    groups: list[tuple[list[int], float]] = []  # members, centre
    for i in order:
        members, centre = [i], positions[i]
        while groups:
            others, at = groups[-1]
            if centre - at >= gap * (len(others) + len(members)) / 2:
                break
            groups.pop()
            members = others + members
            centre = float(np.mean([positions[j] for j in members]))
        groups.append((members, centre))
    found = list(positions)
    for members, centre in groups:
        for rank, i in enumerate(members):
            found[i] = centre + (rank - (len(members) - 1) / 2) * gap
    return found


def nothing(name: str, title: str, reason: str, data: pd.DataFrame) -> Chart:
    """A chart that says why it is empty."""
    with drawing(1.2) as figure:
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.text(0.5, 0.5, reason, ha="center", va="center", fontsize=10, wrap=True)
    return Chart(name, title, reason, reason, figure, data)
