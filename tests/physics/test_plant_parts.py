"""Chiller, tower, pumps, fans, power chain, servers and humidifier at published or plain points."""

import numpy as np
import pytest

from aidc import catalog
from aidc.equipment import (
    Chiller,
    DxUnit,
    Fan,
    Humidifier,
    Pump,
    RackMass,
    Server,
    Tower,
    Transformer,
    Ups,
)
from aidc.plant import air, chiller, dx, electrical, humidifier, pump, server, tower
from aidc.plant.air import AirFlow
from aidc.plant.curves import sampled
from aidc.site import Hall

CONDITIONS = [
    axis.ravel()
    for axis in np.meshgrid(
        np.linspace(0.0, 1.0, 21), np.linspace(4.0, 20.0, 17), np.linspace(2.0, 45.0, 44)
    )
]


@pytest.mark.parametrize("name", ["vsd-3500", "vanes-3500"])
def test_chiller_stays_below_carnot_wherever_a_user_can_put_it(name: str) -> None:
    row = catalog.row("chillers", Chiller, name)
    part, water, condenser = CONDITIONS
    per_heat, _ = chiller.electricity_per_heat(row, part, water, condenser)
    evaporating_k = water - row.evaporator_approach_k + 273.15
    condensing_k = condenser + row.condenser_approach_k + 273.15
    carnot = np.maximum(condensing_k - evaporating_k, 0.0) / evaporating_k
    assert (per_heat > carnot).all()
    assert (1.0 / per_heat).max() < 60.0


def test_carnot_guard_of_the_vsd_chiller_binds_at_high_lift_and_part_load_only() -> None:
    row = catalog.row("chillers", Chiller, "vsd-3500")
    part, water, condenser = CONDITIONS
    _, guarded = chiller.electricity_per_heat(row, part, water, condenser)
    lift = condenser + 5 * np.maximum(part, 0.2) + 2 - (water - 2)
    assert guarded[(lift > 32) & (np.abs(part - 0.4) < 0.01)].all()
    assert not guarded[(part == 1.0) & (lift < 40)].any()


def test_chiller_law_at_full_load_is_the_fitted_line() -> None:
    row = catalog.row("chillers", Chiller, "vanes-3500")
    one = np.ones(1)
    per_heat, guarded = chiller.electricity_per_heat(row, one, 7 * one, 30 * one)
    assert per_heat[0] == pytest.approx(0.063 + 0.878 * 32 / 278.15)
    assert not guarded[0]


def test_a_cycling_chiller_keeps_the_efficiency_of_its_least_part_load() -> None:
    row = catalog.row("chillers", Chiller, "vanes-3500")
    part = np.array([0.02, 0.1, 0.2])
    per_heat, _ = chiller.electricity_per_heat(row, part, np.full(3, 10.0), np.full(3, 25.0))
    assert per_heat[0] == per_heat[1] == per_heat[2]


def test_machines_stage_at_nine_tenths_and_stop_at_the_number_there_is() -> None:
    heat = np.array([0.0, 1.0, 900.0, 901.0, 1_800.0, 9_000.0])
    running = chiller.machines_running(heat, 1_000.0, 4, 0.9)
    assert running.tolist() == [0, 1, 1, 2, 2, 4]


def test_part_load_curve_goes_through_its_published_points() -> None:
    row = catalog.row("chillers", Chiller, "vsd-3500").part_load_curve
    np.testing.assert_allclose(sampled(row)(np.array(row.x)), row.y, atol=1e-5)


def test_dx_never_beats_carnot() -> None:
    row = catalog.row("dx_units", DxUnit, "dx-trim")
    supply, condenser = (
        axis.ravel() for axis in np.meshgrid(np.linspace(15, 35, 21), np.linspace(-15, 50, 66))
    )
    per_heat = dx.electricity_per_heat(row, supply, condenser)
    evaporating = supply - 6 + 273.15
    assert (per_heat > np.maximum(condenser + 14 - supply + 6, 0) / evaporating).all()


@pytest.mark.parametrize(
    ("load", "efficiency"), [(0.25, 0.926), (0.5, 0.956), (0.75, 0.965), (1.0, 0.968)]
)
def test_ups_efficiency_is_that_of_the_comparison_of_2018(load: float, efficiency: float) -> None:
    row = catalog.row("ups", Ups, "double-conversion")
    loss = electrical.ups_loss_kw(row, np.array([load * 1_000]), 1_000.0)[0]
    assert load * 1_000 / (load * 1_000 + loss) == pytest.approx(efficiency, abs=6e-4)


def test_transformer_meets_the_us_minimum_for_a_thousand_kva_within_a_thousandth() -> None:
    row = catalog.row("transformers", Transformer, "dry-type")
    loss = electrical.transformer_loss_kw(row, np.array([350.0]), 1_000.0)[0]
    assert 350 / (350 + loss) == pytest.approx(0.9928, abs=1.5e-3)  # 10 CFR 431.196


def test_server_power_rises_half_a_percent_a_kelvin_around_the_reference_inlet() -> None:
    row = catalog.row("servers", Server, "a100-8gpu")
    inlet = np.array([23.0, 27.0, 30.0])
    power = server.at_inlet(row, np.full(3, 100.0), inlet)
    assert power.it_kw[1] == 100.0
    assert (power.it_kw[2] - power.it_kw[0]) / 7 / 100 == pytest.approx(0.0048, abs=4e-4)
    assert power.fan_kw[1] == pytest.approx(1.7)
    assert power.air_flow_ratio.tolist() == [1.0, 1.0, pytest.approx(1.3)]


def test_fitted_server_law_follows_the_published_dell_r410() -> None:
    fitted = catalog.row("servers", Server, "a100-8gpu").model_copy(
        update={"fan_frac": 0.0087, "fan_gain_per_k": 0.144}
    )
    inlet = np.array([27.0, 29.0, 31.0, 33.0, 35.0, 37.0])
    watts = np.array([137.7, 139.4, 141.5, 144.0, 148.4, 154.0])  # GRC, Dell R410
    got = server.at_inlet(fitted, np.full(6, 137.7), inlet).it_kw
    assert np.sqrt(np.mean((got / watts - 1) ** 2)) < 0.0025


HALL = Hall(
    air_rise_k=12.0,
    recirculation_frac=0.05,
    bypass_frac=0.05,
    supply_min_degc=18.0,
    supply_max_degc=27.0,
    inlet_max_degc=27.0,
    rack_kw=10.0,
    rack_mass=catalog.row("rack_masses", RackMass, "rack-typical"),
    source="test",
)


def test_a_megawatt_of_servers_moves_seventy_cubic_metres_and_constant_fans_draw_their_share() -> (
    None
):
    need = air.needed_m3_per_s(HALL, np.array([1_000.0]))
    assert need[0] == pytest.approx(1_000 / (1.19 * 1.006 * 12) / 0.95)
    row = catalog.row("fans", Fan, "constant")
    flow = air.supply(row, HALL, 0.4 * need, 1_000.0, 1.25, np.ones_like(need))
    assert flow.fan_kw[0] / 400 == pytest.approx(0.17, abs=0.005)


def test_a_fan_with_a_drive_draws_far_less_than_one_without_at_part_load() -> None:
    need = air.needed_m3_per_s(HALL, np.array([400.0]))
    vfd = air.supply(catalog.row("fans", Fan, "vfd"), HALL, need, 1_000.0, 1.25, np.ones_like(need))
    constant = air.supply(
        catalog.row("fans", Fan, "constant"), HALL, need, 1_000.0, 1.25, np.ones_like(need)
    )
    share = vfd.flow_m3_per_s[0] / vfd.design_m3_per_s
    assert share == pytest.approx(0.4 / 1.25)
    assert vfd.fan_kw[0] / constant.fan_kw[0] == pytest.approx(share**2.7)


def test_air_comes_back_warmer_by_the_heat_over_its_capacity_flow() -> None:
    flow = AirFlow(np.array([70.0, 0.0]), 100.0, np.zeros(2))
    assert air.rise_k(np.array([1_000.0, 0.0]), flow).tolist() == [
        pytest.approx(1_000 / (70 * 1.19 * 1.006)),
        0.0,
    ]


def test_pump_power_is_head_times_flow_over_efficiency() -> None:
    row = catalog.row("pumps", Pump, "condenser-water")
    kw = pump.pump_kw(row, np.array([500.0]), np.array([1_000.0]))
    assert kw[0] == pytest.approx(1_000 / (4180 * 5) * 200 / 0.69)
    vfd = catalog.row("pumps", Pump, "chilled-water-vfd")
    part = pump.pump_kw(vfd, np.array([0.0, 300.0, 600.0, 1_000.0]), np.full(4, 1_000.0))
    assert part[0] == part[1] < part[2] < part[3]
    assert part[2] / part[3] == pytest.approx(0.6**2.5)


def test_tower_draws_its_design_power_at_design_and_little_below() -> None:
    row = catalog.row("towers", Tower, "open-tower")
    kw = tower.fan_kw(row, np.array([1_000.0, 500.0, 0.0]), np.array([1_000.0, 1_000.0, 0.0]))
    assert kw.tolist() == [pytest.approx(10.5), pytest.approx(10.5 * 0.5**2.2), 0.0]
    assert tower.approach_k(row, np.array([1.0, 0.0])).tolist() == [4.0, pytest.approx(2.2)]


def test_steam_takes_ten_times_the_energy_of_an_atomiser_and_wet_air_needs_neither() -> None:
    adiabatic = catalog.row("humidifiers", Humidifier, "adiabatic")
    steam = catalog.row("humidifiers", Humidifier, "steam")
    water = humidifier.water_l_per_h(
        adiabatic, np.full(2, 100.0), np.array([0.001, 0.02]), np.full(2, 101_325.0)
    )
    assert water[0] == pytest.approx(100 * 0.005 * (0.005575 - 0.001) * 3600, rel=0.01)
    assert water[1] == 0.0
    ten = humidifier.humidifier_kw(steam, water)[0] / humidifier.humidifier_kw(adiabatic, water)[0]
    assert ten == pytest.approx(10.0)
