"""ElectricEIR chillers against Modelica Buildings (not clamped) and EnergyPlus (clamped); Carnot for all."""

import csv
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
from aidc.equipment import Chiller, ChillerCurves, OutOfRange
from aidc.errors import InputError
from aidc.plant import chiller, chiller_eir

MCQUAY = "ElectricEIRChiller McQuay WSC 471kW/5.89COP/Vanes"
CARRIER = "ElectricEIRChiller Carrier 19XR 1350kW/7.90COP/VSD"
CHILLERS = tuple(catalog.table("chillers", Chiller))


def curves(name: str) -> ChillerCurves:
    return catalog.row("chiller_curves", ChillerCurves, name)


def machine(name: str, out_of_range: OutOfRange | None = None) -> Chiller:
    row = catalog.row("chillers", Chiller, name)
    return row.model_copy(update={"out_of_range": out_of_range}) if row.curves else row


@pytest.fixture(scope="module")
def modelica(reference: Path) -> dict[str, np.ndarray]:
    """Published results of Buildings.Fluid.Chillers.Examples.ElectricEIR."""
    text = (reference / "Buildings_Fluid_Chillers_Examples_ElectricEIR.txt").read_text()
    found = {
        name: np.array(json.loads(values))
        for name, values in re.findall(r"^chi\.(\w+)=(\[.*\])$", text, re.MULTILINE)
    }
    ran = (found["PLR1"] > 0.05) & (found["CR"] > 0.0)
    return {name: values[ran] for name, values in found.items()}


@pytest.mark.real_data
def test_cop_is_that_of_modelica_buildings_which_extrapolates(
    modelica: dict[str, np.ndarray],
) -> None:
    row = curves("mcquay-wsc-471")
    water, condenser = modelica["TEvaLvg"] - 273.15, modelica["TConEnt"] - 273.15
    found = chiller_eir.at(row, water, condenser, "extrapolate")
    per_heat = chiller_eir.electricity_per_heat(row, 0.1, modelica["PLR1"], found.eir_ratio)
    np.testing.assert_allclose(1.0 / per_heat, modelica["COP"], rtol=1e-4)
    assert len(per_heat) == 49
    assert found.outside.sum() == 15  # warm water at the start, and condenser water over 26.67 degC
    clamped = chiller_eir.at(row, water, condenser, "clamp").eir_ratio
    assert np.abs(clamped / found.eir_ratio - 1.0).max() > 0.03  # the two readings do differ


@pytest.fixture(scope="module")
def energyplus(reference: Path) -> pd.DataFrame:
    """A plant of EnergyPlus 25.2 over Shanghai 2013: the Carrier, scaled to 1,000 kW."""
    return pd.read_csv(reference / "energyplus_plant_shanghai_2013.csv")


def power_kw(rows: pd.DataFrame, out_of_range: OutOfRange) -> np.ndarray:
    row, heat_kw = curves("carrier-19xr-1350"), rows["Q_evap"].to_numpy() / 1_000
    water, condenser = rows["T_evap_out"].to_numpy(), rows["T_cond_in"].to_numpy()
    found = chiller_eir.at(row, water, condenser, out_of_range)
    part = heat_kw / (1_000.0 * found.capacity_ratio)
    return heat_kw * chiller_eir.electricity_per_heat(row, 0.19, part, found.eir_ratio)


@pytest.mark.real_data
def test_power_is_that_of_energyplus_which_clamps(energyplus: pd.DataFrame) -> None:
    theirs = energyplus["P_chiller"].to_numpy() / 1_000
    ours = power_kw(energyplus, "clamp")
    assert ours.sum() == pytest.approx(theirs.sum(), rel=1e-3)
    assert np.quantile(np.abs(ours / theirs - 1.0), 0.99) < 2e-3


@pytest.mark.real_data
def test_extrapolated_the_same_machine_draws_five_percent_more_than_in_energyplus(
    energyplus: pd.DataFrame,
) -> None:
    theirs = energyplus["P_chiller"].sum() / 1_000
    assert power_kw(energyplus, "extrapolate").sum() / theirs == pytest.approx(1.05, abs=0.01)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "title"), [("mcquay-wsc-471", MCQUAY), ("carrier-19xr-1350", CARRIER)]
)
def test_rows_of_the_catalog_are_those_of_the_energyplus_data_set(
    real_data: Path, name: str, title: str
) -> None:
    with (real_data / "equipment/energyplus_chillers_eir.csv").open(encoding="utf-8") as lines:
        row = next(row for row in csv.DictReader(lines) if row["name"] == title)
    capacity, eir, part = (
        tuple(float(part) for part in row[key].split()) for key in ("capft", "eirft", "eirfplr")
    )
    found, whole = curves(name), machine(name)
    limits = (*found.leaving_degc, *found.condenser_degc)
    assert (*found.capacity_curve, *limits) == capacity
    assert (*found.eir_curve, *limits) == eir
    assert (*found.part_load, *found.plr) == part
    assert (found.reference_cop, whole.capacity_kw) == (
        float(row["ref_cop"]),
        pytest.approx(float(row["ref_capacity_W"]) / 1_000),
    )
    assert whole.plr_min_frac == float(row["min_plr"]) == float(row["min_unload"])


def test_curves_are_close_to_one_at_the_reference_point() -> None:
    found = chiller_eir.at(
        curves("carrier-19xr-1350"), np.array([5.56]), np.array([12.78]), "error"
    )
    assert found.capacity_ratio[0] == pytest.approx(1.0, abs=0.006)
    assert found.eir_ratio[0] == pytest.approx(1.0, abs=0.001)
    assert not found.outside[0]


def test_outside_its_limits_a_chiller_is_refused_with_place_value_and_remedy() -> None:
    with pytest.raises(InputError) as told:
        chiller_eir.at(
            curves("carrier-19xr-1350"), np.array([7.0, 15.0]), np.array([30.0, 20.0]), "error"
        )
    water, condenser = sorted(told.value.faults, key=lambda fault: "entering" in fault.message)
    assert water.key == condenser.key == "chiller_curves carrier-19xr-1350"
    assert "15.00 degC leaves the 5.56 to 8.89 degC of the curves in 1 steps" in water.message
    assert "30.00 degC leaves the 12.78 to 23.89 degC" in condenser.message
    assert "out_of_range: clamp or extrapolate" in condenser.message


@pytest.mark.parametrize("out_of_range", ["clamp", "extrapolate"])
def test_every_point_outside_is_told_whatever_is_done_about_it(out_of_range: OutOfRange) -> None:
    water = np.array([7.0, 15.0, 7.0, 4.0])
    condenser = np.array([20.0, 20.0, 30.0, 10.0])
    found = chiller_eir.at(curves("carrier-19xr-1350"), water, condenser, out_of_range)
    assert found.outside.tolist() == [False, True, True, True]
    each_kw, outside = chiller.available_kw(
        machine("carrier-19xr-1350", out_of_range), water, condenser
    )
    assert outside.tolist() == found.outside.tolist()
    np.testing.assert_allclose(each_kw, 1_350.4 * found.capacity_ratio)


@pytest.mark.parametrize("name", CHILLERS)
def test_below_its_least_part_load_a_chiller_cycles_and_power_follows_the_heat(name: str) -> None:
    row = machine(name, "clamp")
    part = row.plr_min_frac * np.array([0.0, 0.25, 0.5, 1.0, 1.001])
    water, condenser = np.full(5, 8.0), np.full(5, 22.0)
    per_heat, _ = chiller.electricity_per_heat(row, part, water, condenser)
    power = part * per_heat
    assert power[0] == 0.0
    np.testing.assert_allclose(power[1:4], power[3] * part[1:4] / part[3], rtol=1e-12)
    assert power[4] == pytest.approx(power[3], rel=2e-3)  # no step where cycling ends


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(CHILLERS),
    st.sampled_from(["clamp", "extrapolate"]),
    st.floats(0.0, 1.0),
    st.floats(5.0, 25.0),
    st.floats(10.0, 45.0),
)
def test_no_chiller_of_the_catalog_beats_carnot_on_its_own_water(
    name: str, out_of_range: OutOfRange, part: float, water: float, condenser: float
) -> None:
    row = machine(name, out_of_range)
    per_heat, guarded = chiller.electricity_per_heat(
        row, np.array([part]), np.array([water]), np.array([condenser])
    )
    carnot = max(condenser - water, 0.0) / (water + 273.15)  # of the two waters, no approach
    assert per_heat[0] > carnot
    plr = max(part, row.plr_min_frac)
    lift = condenser + 5.0 * plr + 2.0 - (water - 2.0)
    least = max(lift, 8.0) / (0.75 * (water - 2.0 + 273.15))
    assert per_heat[0] >= least * (1.0 - 1e-12)
    assert guarded[0] == (per_heat[0] <= least * (1.0 + 1e-12))


def test_a_negative_extrapolated_curve_neither_makes_power_nor_capacity() -> None:
    row = machine("mcquay-wsc-471", "extrapolate")
    water, condenser = np.array([25.0, 5.0]), np.array([10.0, 45.0])
    raw = chiller_eir.at(curves("mcquay-wsc-471"), water, condenser, "extrapolate")
    assert min(raw.capacity_ratio.min(), raw.eir_ratio.min()) < 0.0
    each_kw, _ = chiller.available_kw(row, water, condenser)
    per_heat, guarded = chiller.electricity_per_heat(row, np.ones(2), water, condenser)
    assert (each_kw >= 0.0).all()
    assert (per_heat > 0.0).all()
    assert guarded[raw.eir_ratio < 0.0].all()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "eir"}, "model eir needs curves, needs out_of_range, does not use carnot_a"),
        ({"carnot_a": None}, "model carnot needs carnot_a"),
        ({"out_of_range": "clamp"}, "model carnot does not use out_of_range"),
    ],
)
def test_a_chiller_has_the_numbers_of_its_model_and_no_others(
    changes: dict[str, object], told: str
) -> None:
    base = catalog.row("chillers", Chiller, "vsd-3500").model_dump()
    with pytest.raises(ValidationError, match=told):
        Chiller.model_validate(base | changes, context=catalog.TABLES)
