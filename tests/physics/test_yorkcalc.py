"""The YorkCalc tower against Modelica Buildings and a year of EnergyPlus 25.2."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc import catalog
from aidc.equipment import Tower, TowerCorrelation
from aidc.errors import InputError
from aidc.plant import tower, yorkcalc

ROW = catalog.row("towers", Tower, "yorkcalc-tower")
YORK = catalog.row("tower_coefficients", TowerCorrelation, "yorkcalc")
CELL = yorkcalc.cell(ROW, 5.0)


@pytest.mark.real_data
def test_approach_is_that_of_modelica_buildings(reference: Path) -> None:
    file = "Buildings_Fluid_HeatExchangers_CoolingTowers_Correlations_Examples_YorkCalc.txt"
    text = (reference / file).read_text()
    found = dict(re.findall(r"^(TApp_\w+)=(\[.*\])$", text, re.MULTILINE))
    x = np.linspace(0.25, 1.25, 101)
    wetbulb, cooled = np.full(101, 25.55), np.full(101, 5.56)
    for name, liquid_gas in (("TApp_Wat", x), ("TApp_Air", 1.0 / x)):
        ours = yorkcalc.approach_k(YORK, liquid_gas, cooled, wetbulb)
        np.testing.assert_allclose(ours, json.loads(found[name]), atol=1e-3)


@pytest.mark.real_data
def test_coefficients_of_the_catalog_are_the_published_ones(reference: Path) -> None:
    rows = pd.read_csv(reference / "yorkcalc_coefficients.csv").sort_values(
        ["power_of_liquid_gas_ratio", "power_of_range_k", "power_of_wetbulb_degc"]
    )
    assert tuple(rows["coefficient"]) == YORK.coefficients


def test_a_cell_has_its_design_approach_at_its_design_point() -> None:
    one = np.ones(1)
    approach = yorkcalc.approach_k(YORK, CELL.liquid_gas * one, 5.0 * one, 28.0 * one)
    assert approach[0] == pytest.approx(4.0, abs=1e-12)


@pytest.mark.real_data
def test_air_and_fan_energy_are_those_of_energyplus(reference: Path) -> None:
    rows = pd.read_csv(reference / "energyplus_plant_shanghai_2013.csv")
    column = {name: rows[name].to_numpy(np.float64) for name in rows.columns}
    cooled = column["Q_tower"] / (1.2e6 / 5.0)  # 1.2 MW at 5 K, water at constant flow
    approach = column["T_tower_out"] - column["T_wb"]
    air, clipped = yorkcalc.air_ratio(CELL, approach, np.ones(len(rows)), cooled, column["T_wb"])
    off = np.abs(air / column["tower_air_ratio"] - 1.0)
    assert np.quantile(off, 0.95) < 0.01
    assert (12_600 * air**ROW.fan_exponent).sum() == pytest.approx(
        column["P_tower_fan"].sum(), rel=0.01
    )
    assert 0 < clipped.sum() < 0.1 * len(rows)  # hours above 26.7 degC wet bulb


STATES = st.tuples(
    st.floats(1.2, 25.0), st.floats(0.75, 1.25), st.floats(1.1, 22.2), st.floats(-34.0, 26.7)
)


@settings(max_examples=200, deadline=None)
@given(STATES)
def test_air_holds_the_approach_or_is_at_an_end(state: tuple[float, ...]) -> None:
    wanted, water, cooled, wetbulb = (np.array([value]) for value in state)
    air = yorkcalc.air_ratio(CELL, wanted, water, cooled, wetbulb)[0]
    reached = yorkcalc.approach_k(YORK, CELL.liquid_gas * water / air, cooled, wetbulb)
    full = yorkcalc.approach_k(YORK, CELL.liquid_gas * water, cooled, wetbulb)
    assert 0.19 < air[0] <= 1.0
    if full >= wanted:
        assert air[0] == 1.0
    elif air[0] > 0.2 + 1e-9:
        assert reached[0] == pytest.approx(wanted[0], abs=1e-6)
        less = np.linspace(float(air[0]), 1.0, 50)  # it is the least air that does it
        line = yorkcalc.approach_k(
            YORK, CELL.liquid_gas * water / less, cooled.repeat(50), wetbulb.repeat(50)
        )
        assert (line <= wanted + 1e-6).all()


def test_the_root_is_what_a_bisection_finds() -> None:
    random = np.random.default_rng(20130807)
    wanted, water = random.uniform(2.0, 12.0, 2_000), np.ones(2_000)
    cooled, wetbulb = random.uniform(1.1, 8.0, 2_000), random.uniform(-10.0, 26.7, 2_000)
    low, high = np.full(2_000, CELL.air_ratio_min), np.ones(2_000)
    for _ in range(50):
        middle = (low + high) / 2
        reached = yorkcalc.approach_k(YORK, CELL.liquid_gas / middle, cooled, wetbulb)
        low, high = (
            np.where(reached > wanted, middle, low),
            np.where(reached > wanted, high, middle),
        )
    air = yorkcalc.air_ratio(CELL, wanted, water, cooled, wetbulb)[0]
    np.testing.assert_allclose(air, high, atol=1e-9)
    assert ((air > CELL.air_ratio_min) & (air < 1.0)).sum() > 500


@settings(max_examples=100, deadline=None)
@given(st.floats(0.25, 1.0), st.floats(0.0, 26.0), st.floats(3.0, 10.0))
def test_more_heat_at_the_same_approach_never_takes_less_air(
    part: float, wetbulb: float, approach: float
) -> None:
    cooled = 5.0 * part * np.array([1.0, 1.1, 1.5])
    air = yorkcalc.air_ratio(CELL, np.full(3, approach), np.ones(3), cooled, np.full(3, wetbulb))[0]
    assert (np.diff(air) >= 0.0).all()


def test_what_is_outside_the_correlation_is_clipped_and_told() -> None:
    wetbulb = np.array([20.0, 29.0, 20.0, 20.0, 20.0])
    cooled = np.array([5.0, 5.0, 0.5, 5.0, 5.0])
    approach = np.array([6.0, 6.0, 6.0, 0.5, 6.0])
    water = np.array([1.0, 1.0, 1.0, 1.0, 0.5])
    air, clipped = yorkcalc.air_ratio(CELL, approach, water, cooled, wetbulb)
    assert clipped.tolist() == [False, True, True, True, True]
    edge, _ = yorkcalc.air_ratio(
        CELL,
        np.maximum(approach, 1.1),
        np.maximum(water, 0.75),
        np.maximum(cooled, 1.1),
        np.minimum(wetbulb, 26.7),
    )
    assert (air == edge).all()
    _, full_clipped = yorkcalc.full_air_approach_k(CELL, water, cooled, wetbulb)
    assert full_clipped.tolist() == [False, True, True, False, True]


def test_fans_draw_the_cube_of_their_air_and_water_floats_where_they_are_at_their_end() -> None:
    rejected = np.array([500.0, 900.0, 1_200.0])
    duty = tower.Duty(rejected, np.full(3, 1_000.0), np.ones(3), 5.0, np.full(3, 20.0))
    reach, _ = tower.reached_k(ROW, duty)
    assert reach[0] == 4.0 < reach[2]
    kw, _ = tower.held_fan_kw(ROW, duty, duty.wetbulb_degc + reach)
    air, _ = yorkcalc.air_ratio(CELL, reach, np.ones(3), duty.range_k, duty.wetbulb_degc)
    np.testing.assert_allclose(kw, 10.5 * air**3)
    assert kw[2] == pytest.approx(10.5)
    assert kw[0] < kw[1] == kw[2]  # at 20 degC wet bulb 4 K takes more air than at its 28


def test_an_approach_that_no_tower_of_the_kind_reaches_is_refused() -> None:
    for approach, cooled in ((0.5, 5.0), (4.0, 30.0), (39.0, 5.0)):
        with pytest.raises(InputError, match=r"towers yorkcalc-tower: .* out of the correlation"):
            yorkcalc.cell(ROW.model_copy(update={"approach_k": approach}), cooled)


def test_a_tower_has_the_numbers_of_its_model_and_no_others() -> None:
    with pytest.raises(ValidationError, match="needs approach_floor_frac, does not use corr"):
        Tower.model_validate(ROW.model_dump() | {"model": "simple"}, context=catalog.TABLES)
    with pytest.raises(ValidationError, match="model yorkcalc needs air_ratio_min"):
        Tower.model_validate(ROW.model_dump() | {"air_ratio_min": None}, context=catalog.TABLES)
