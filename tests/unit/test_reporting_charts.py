import itertools
import re

import numpy as np
import pandas as pd
import pytest

from aidc.reporting.chart_list import charts_of
from aidc.reporting.charts.day_chart import day_caption
from aidc.reporting.charts.plan_charts import promise_caption
from aidc.reporting.charts.plant_charts import setpoint_caption, wetbulb_caption
from aidc.reporting.charts.style import COLOURS, PIXELS, POINTS_SHOWN, spread, thinned
from aidc.reporting.charts.time_charts import load_caption, pue_caption, shift_caption
from aidc.reporting.charts.total_charts import (
    OVERHEAD,
    emissions_caption,
    split_caption,
    split_data,
)
from tests import reporting_study as made

CAPTIONS = {
    "pue": pue_caption,
    "load": load_caption,
    "shift": shift_caption,
    "energy": split_caption,
    "emissions": emissions_caption,
    "day": day_caption,
    "wetbulb": wetbulb_caption,
    "setpoints": setpoint_caption,
    "promise": promise_caption,
}


@pytest.fixture(scope="module")
def study():
    return made.study()


@pytest.fixture(scope="module")
def charts(study):
    return {chart.name: chart for chart in charts_of(study, "CO2 only")}


def test_every_chart_of_a_planned_run_is_there(charts):
    assert set(charts) == set(CAPTIONS)


@pytest.mark.parametrize("name", CAPTIONS)
def test_the_caption_is_computed_from_the_data_of_its_chart(charts, name):
    chart = charts[name]
    assert chart.caption == CAPTIONS[name](chart.data)
    other = chart.data.copy()
    numeric = other.select_dtypes("number").columns
    other[numeric] = other[numeric] * 1.7 + 3.0
    assert CAPTIONS[name](other) != chart.caption


def test_the_numbers_of_the_pue_caption_are_sum_over_sum(charts):
    data = charts["pue"].data
    pue = data["baseline_facility_kwh"].sum() / data["baseline_it_kwh"].sum()
    assert f"baseline {pue:.4f}" in charts["pue"].caption


def test_the_shift_caption_says_where_energy_is_saved_and_not_moved(charts):
    data = charts["shift"].data
    assert "not drawn at all" not in charts["shift"].caption
    less = data.assign(moved_kw=data["moved_kw"] - 0.01 * data["baseline_kw"])
    assert "not drawn at all: by power caps" in shift_caption(less)


def test_the_shift_caption_has_both_carbon_accounts(charts):
    data = charts["shift"].data
    kwh = data["moved_kw"] * data["hours"]
    hourly = (kwh * data["grid_kgco2e_per_kwh"]).sum() / 1000
    assert hourly == pytest.approx(-0.05, abs=0.05)
    assert f"intensity of each step −{-hourly:.2f} t" in charts["shift"].caption
    assert "booked factor ±0.00 t" in charts["shift"].caption
    assert "+150 kWh moved in, −150 kWh moved away" in charts["shift"].caption


def test_parts_of_the_energy_add_up_to_the_total_printed_above_them(study):
    data = split_data(study)
    for variant in data:
        parts = data.loc[["it_kw", "server_fan_kw", *OVERHEAD], variant].sum()
        assert parts == pytest.approx(data.loc["total", variant])
        trace = study.runs[variant]
        assert parts == pytest.approx(float(trace.facility_kw.sum() * trace.step_h))


def test_emissions_are_drawn_as_two_accounts_and_no_bar_is_their_sum(charts):
    chart = charts["emissions"]
    heights = [bar.get_height() for axes in chart.figure.axes for bar in axes.patches]
    assert sorted(heights) == pytest.approx(sorted(chart.data.to_numpy().ravel()))
    assert all(axes.get_ylim()[0] == 0 for axes in chart.figure.axes)


def test_pue_axes_begin_at_one_and_energy_axes_at_zero(charts):
    assert charts["pue"].figure.axes[0].get_ylim()[0] == 1.0
    assert all(axes.get_ylim()[0] == 1.0 for axes in charts["wetbulb"].figure.axes)
    assert charts["load"].figure.axes[0].get_ylim()[0] == 0
    assert all(axes.get_ylim()[0] == 0 for axes in charts["energy"].figure.axes)


@pytest.mark.parametrize("name", CAPTIONS)
def test_texts_of_a_chart_do_not_overlap_and_stay_inside(charts, name):
    figure = charts[name].figure
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    if renderer is None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = list(figure.texts)
    for axes in figure.axes:
        ticks = [label for axis in (axes.xaxis, axes.yaxis) for label in _shown(axis, axes)]
        titles = [axes.title, axes._left_title, axes._right_title]
        texts += [*axes.texts, *ticks, *titles, axes.xaxis.label, axes.yaxis.label]
    for legend in figure.legends:
        texts += legend.get_texts()
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in texts
        if text.get_text() and text.get_visible()
    ]
    whole = figure.bbox
    for text, box in boxes:
        assert box.x0 >= whole.x0 - 1, text
        assert box.x1 <= whole.x1 + 1, text
        assert box.y0 >= whole.y0 - 1, text
        assert box.y1 <= whole.y1 + 1, text
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 1 or high <= 1, f"'{one}' over '{two}'"


def _shown(axis, axes):
    if not axis.get_visible():
        return []
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [tick.label1 for tick in ticks if tick.label1.get_visible()]


@pytest.mark.parametrize("name", CAPTIONS)
def test_an_svg_has_role_title_description_and_ids_of_its_own(charts, name):
    svg = charts[name].svg()
    assert 'role="img"' in svg
    assert f'<title id="{name}-title">' in svg
    assert f'<desc id="{name}-desc">' in svg
    assert not svg.startswith("<?xml")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(one.startswith(f"{name}-") for one in ids)
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
    assert {a or b for a, b in used} <= set(ids)


def test_a_chart_is_the_same_bytes_twice(study, charts):
    again = {chart.name: chart for chart in charts_of(study, "CO2 only")}
    for name, chart in charts.items():
        assert chart.svg() == again[name].svg(), name
        assert chart.png() == again[name].png(), name


def test_thinning_keeps_the_smallest_and_the_largest_of_every_pixel():
    values = np.sin(np.arange(35_040) / 7.0)
    values[12_345], values[20_000] = 9.0, -9.0
    rows = thinned(values)
    assert len(rows) <= 2 * PIXELS + 2 < POINTS_SHOWN
    assert {12_345, 20_000, 0, 35_039} <= set(rows)
    assert (np.diff(rows) > 0).all()
    assert len(thinned(values[:POINTS_SHOWN])) == POINTS_SHOWN


def test_labels_are_spread_no_closer_than_their_gap_and_keep_their_order():
    found = spread([0.0, 0.1, 0.15, 5.0], 1.0)
    assert (np.diff(found) >= 1.0 - 1e-9).all()
    assert np.mean(found[:3]) == pytest.approx(np.mean([0.0, 0.1, 0.15]))
    assert found[3] == 5.0


def _luminance(colour: str) -> float:
    """CIE lightness, 0 to 100."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    y = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


@pytest.mark.parametrize(
    "stack",
    [
        ("it_kw", "server_fan_kw"),
        ("iec_fan_kw", "iec_pump_kw", "crah_fan_kw"),
        ("dx_kw", "electrical_loss_kw"),
    ],
)
def test_neighbouring_fills_differ_in_lightness(stack):
    for one, two in itertools.pairwise(stack):
        assert abs(_luminance(COLOURS[one]) - _luminance(COLOURS[two])) >= 12, (one, two)


@pytest.mark.parametrize("it_kw", [0.0])
def test_a_run_without_energy_gives_charts_that_say_so(it_kw):
    scenario = made.scenario()
    run = made.trace(scenario, "baseline", it_kw=it_kw)
    powers = [name for name in run.frame if name.endswith("_kw")]
    run.frame[powers] = 0.0
    study = made.study(
        scenario=scenario, runs={"baseline": run}, schedule=None, statements={}, assumptions=()
    )
    charts = {chart.name: chart for chart in charts_of(study, "")}
    assert "no PUE to draw" in charts["pue"].caption
    assert "nothing to draw" in charts["load"].caption
    assert "nothing to split" in charts["energy"].caption
    assert "not assessed" in charts["emissions"].caption


def test_a_single_step_draws():
    scenario = made.scenario(end="2023-07-03T00:15:00+08:00")
    run = made.trace(scenario, "baseline")
    study = made.study(
        scenario=scenario, runs={"baseline": run}, schedule=None, statements={}, assumptions=()
    )
    assert len(charts_of(study, "")) == 6


def test_a_long_run_is_drawn_by_month_with_energy_weighted_months():
    scenario = made.scenario(
        "2023-01-01T00:00:00+08:00", "2023-07-01T00:00:00+08:00", step_min=60.0
    )
    it = np.where(np.arange(181 * 24) % 48 < 24, 400.0, 40.0)
    run = made.trace(scenario, "baseline", it_kw=it)
    study = made.study(
        scenario=scenario, runs={"baseline": run}, schedule=None, statements={}, assumptions=()
    )
    data = next(chart for chart in charts_of(study, "") if chart.name == "pue").data
    assert len(data) == 6
    first = run.frame.index.month == 1
    expected = run.facility_kw[first].sum() / run.frame["it_kw"][first].sum()
    assert data["baseline_pue"].iloc[0] == pytest.approx(expected)
    assert isinstance(data.index, pd.DatetimeIndex)
