"""The indirect evaporative cooler against a year of EnergyPlus 25.2."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from aidc import catalog
from aidc.equipment import Curve, IecUnit
from aidc.plant import iec
from aidc.plant.air import AIR_CP_KJ_PER_KG_K
from aidc.plant.curves import sampled
from aidc.plant.psychrometrics import (
    HEAT_OF_EVAPORATION_KJ_PER_KG,
    density_kg_per_m3,
    humidity_ratio,
    saturation_pa,
)

SUPPLY_DEGC = 24.0
SPRAY_FROM_DEGC = 12.0  # of the EnergyPlus run
SECONDARY_M3_PER_S = 5.6
FAN_KW = 1.12
PUMP_KW = 0.84
SECONDS = 900.0
OFF, DRY, WET = 0, 1, 2


@pytest.fixture(scope="module")
def unit() -> IecUnit:
    return catalog.row("iec_units", IecUnit, "plate-iec")


@pytest.fixture(scope="module")
def run(reference: Path, unit: IecUnit) -> SimpleNamespace:
    """EnergyPlus' rows, and our dry and wet answers to the same airs."""
    rows = pd.read_csv(reference / "energyplus_iec_shanghai_2013.csv")
    column = {name: rows[name].to_numpy(np.float64) for name in rows.columns}
    ratio = humidity_ratio(saturation_pa(column["T_dp"]), column["p"])
    airs = iec.Airs(
        return_degc=column["T_pri_in"],
        primary_kg_per_s=column["m_pri"],
        drybulb_degc=column["T_db"],
        wetbulb_degc=column["T_wb"],
        dewpoint_degc=column["T_dp"],
        outdoor_kg_per_m3=density_kg_per_m3(column["T_db"], ratio, column["p"]),
        secondary_m3_per_s=SECONDARY_M3_PER_S,
    )
    capacity = AIR_CP_KJ_PER_KG_K * column["m_pri"]
    heat = capacity * np.maximum(column["T_pri_in"] - SUPPLY_DEGC, 0.0)
    # EnergyPlus: on above set-point and not below the outdoor dry bulb; sprays whenever it may
    on = (heat > 0) & (column["T_pri_in"] >= column["T_db"])
    mode = np.where(on, np.where(column["T_db"] >= SPRAY_FROM_DEGC, WET, DRY), OFF)
    dry, wet = iec.dry(unit, heat, airs), iec.wet(unit, heat, airs)

    def chosen(name: str) -> np.ndarray:
        return np.select([mode == WET, mode == DRY], [getattr(wet, name), getattr(dry, name)], 0.0)

    return SimpleNamespace(
        rows=rows, mode=mode, dry=dry, wet=wet, capacity=capacity, chosen=chosen, heat=heat
    )


@pytest.mark.real_data
def test_modes_follow_energyplus_under_its_own_rule(run: SimpleNamespace) -> None:
    assert (run.mode == run.rows["mode"]).mean() >= 0.995


@pytest.mark.real_data
def test_air_leaves_as_warm_as_in_energyplus(run: SimpleNamespace) -> None:
    leaving = run.rows["T_pri_in"] - run.chosen("heat_kw") / run.capacity
    same = (run.mode == run.rows["mode"]) & (run.mode != OFF)
    missed = np.abs(leaving - run.rows["T_pri_out"])[same]
    assert same.sum() > 900
    assert np.quantile(missed, 0.99) < 0.1


@pytest.mark.real_data
def test_fan_and_pump_draw_what_energyplus_says(
    reference: Path, run: SimpleNamespace, unit: IecUnit
) -> None:
    table = pd.read_csv(reference / "iec_effectiveness_tables.csv")
    points = table[table["table"] == "pump_power_fraction_vs_secondary_flow_fraction"]
    tilt = 1e-9 * np.arange(len(points))  # that run's pump follows flow; our curves must rise
    pump = Curve(
        name="pump",
        x=tuple(points["x"]),
        y=tuple(points["y"] + tilt),
        source="EnergyPlus example 2ZoneDataCenterHVAC_wEconomizer.idf",
    )
    # out of reach EnergyPlus blows at full flow; ours stops where more air cools no further
    missed = run.chosen("heat_kw") < run.heat * (1 - 1e-9)
    flow = np.where(missed & (run.mode != OFF), 1.0, run.chosen("flow_frac"))
    fan_kw = FAN_KW * sampled(unit.fan_curve)(flow)
    spray_kw = np.where(run.mode == WET, PUMP_KW * sampled(pump)(flow), 0.0)
    assert (fan_kw + spray_kw).sum() == pytest.approx(run.rows["P_iec"].sum() / 1e3, rel=0.01)


@pytest.mark.real_data
def test_spray_water_is_that_of_energyplus(run: SimpleNamespace) -> None:
    litres = (run.chosen("evaporated_l_per_h") + run.chosen("blowdown_l_per_h")) * SECONDS / 3600
    # its rows divide the heat by the enthalpy of the vapour at the dry bulb, 3 % over the latent heat
    vapour_kj_per_kg = 2_501.0 + 1.86 * run.rows["T_db"].to_numpy()
    litres = litres * HEAT_OF_EVAPORATION_KJ_PER_KG / vapour_kj_per_kg
    assert litres.sum() == pytest.approx(run.rows["m3_water"].sum() * 1e3, rel=0.01)


def test_effectiveness_at_equal_flows_is_the_data_sheet(unit: IecUnit) -> None:
    one = np.ones(1)
    airs = iec.Airs(36 * one, one, 20 * one, 15 * one, 5 * one, 1.2 * one, 1 / 1.2)
    huge = 1e6 * one  # more heat than the plate can take: full flow, equal masses
    wet = iec.wet(unit, huge, airs).heat_kw[0] / AIR_CP_KJ_PER_KG_K
    dry = iec.dry(unit, huge, airs).heat_kw[0] / AIR_CP_KJ_PER_KG_K
    assert wet == pytest.approx(0.70 * (36 - 15), rel=1e-6)
    assert dry == pytest.approx(0.72 * (36 - 20) * 0.963, rel=1e-2)  # in line: 0.963


def test_water_of_spray_is_the_heat_over_its_heat_of_evaporation_and_the_blowdown(
    unit: IecUnit,
) -> None:
    one = np.ones(1)
    airs = iec.Airs(36 * one, 10 * one, 25 * one, 18 * one, 14 * one, 1.18 * one, 14.0)
    done = iec.wet(unit, 100 * one, airs)
    assert done.heat_kw[0] == 100.0
    assert done.evaporated_l_per_h[0] == pytest.approx(100 * 3600 / 2450)
    assert done.blowdown_l_per_h[0] == pytest.approx(done.evaporated_l_per_h[0] / 3)  # four cycles
