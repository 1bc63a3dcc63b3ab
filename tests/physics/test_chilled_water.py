"""Chilled-water plants of every chiller and tower of the catalog, composed into the site."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc import catalog
from aidc.equipment import Chiller, OutOfRange, Pump, Tower
from aidc.errors import InputError
from aidc.plant import chilled_water, chiller, electrical, yorkcalc
from aidc.plant.cooling import Load
from aidc.plant.facility import Facility, Outdoor, facility, hall_loss_kw
from aidc.plant.faults import Faults
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import ChilledWaterCooling, Site

SITES = ("reference-chilled-water", "reference-chilled-water-basic", "reference-legacy")
CHILLERS = tuple(catalog.table("chillers", Chiller))
TOWERS = tuple(catalog.table("towers", Tower))


def variant(
    site: str,
    machine: str = "",
    tower: str = "",
    out_of_range: OutOfRange = "clamp",
    **parts: object,
) -> Site:
    """A reference site with another chiller, of the same number and capacity, and another tower."""
    found = Site.model_validate(catalog.document("sites", site).data, context=catalog.TABLES)
    plant = found.cooling
    assert isinstance(plant, ChilledWaterCooling)
    if machine:
        row = catalog.row("chillers", Chiller, machine)
        changes: dict[str, object] = {"capacity_kw": plant.chiller.capacity_kw}
        parts["chiller"] = row.model_copy(
            update=changes | ({"out_of_range": out_of_range} if row.curves else {})
        )
    if tower:
        parts["tower"] = catalog.row("towers", Tower, tower)
    return found.model_copy(update={"cooling": plant.model_copy(update=parts)})


def cooling(site: Site) -> ChilledWaterCooling:
    assert isinstance(site.cooling, ChilledWaterCooling)
    return site.cooling


def air(drybulb: list[float] | np.ndarray, depression: float) -> Outdoor:
    dry = np.asarray(drybulb, np.float64)
    dew, pressure = dry - depression, np.full(len(dry), 101_325.0)
    return Outdoor(dry, wetbulb_degc(dry, dew, pressure), dew, pressure)


def run(site: Site, load: float, outdoor: Outdoor, supply_degc: float) -> Facility:
    n = len(outdoor.drybulb_degc)
    return facility(
        site,
        np.full((1, n), load * site.rated_it_kw),
        outdoor,
        np.full(n, supply_degc),
        spray=np.full(n, -1, np.int8),
        policy="lowest_power",
        tariff_cny_per_kwh=np.full(n, 0.7),
        water_cny_per_m3=5.0,
    )


def load_of(heat_kw: np.ndarray, supply_degc: float) -> Load:
    n = len(heat_kw)
    return Load(
        heat_kw=heat_kw,
        supply_degc=np.full(n, supply_degc),
        return_degc=np.full(n, supply_degc + 12.0),
        air_kg_per_s=heat_kw / 12.0,
        design_m3_per_s=800.0,
        rated_it_kw=10_000.0,
        faults=Faults.none(n),
        store_charge_kw=np.zeros(n),
        store_discharge_kw=np.zeros(n),
        chillers_on=np.full(n, -1.0),
    )


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SITES),
    st.sampled_from(CHILLERS),
    st.sampled_from(TOWERS),
    st.sampled_from(["clamp", "extrapolate"]),
    st.booleans(),
    st.floats(0.0, 1.3),
    st.lists(st.floats(-25.0, 48.0), min_size=1, max_size=5),
    st.floats(0.0, 25.0),
    st.floats(18.0, 27.0),
)
def test_any_plant_of_the_catalog_keeps_its_heat_balance_and_sane_numbers(
    name: str,
    machine: str,
    tower: str,
    out_of_range: OutOfRange,
    economiser: bool,
    load: float,
    drybulb: list[float],
    depression: float,
    supply: float,
) -> None:
    site = variant(name, machine, tower, out_of_range, economiser=economiser)
    done = run(site, load, air(drybulb, depression), supply)
    losses = hall_loss_kw(site, electrical.chain(site.electrical, site.rated_it_kw, done.it_kw))
    heat = done.it_kw + done.crah_fan_kw + losses
    np.testing.assert_allclose(done.heat_removed_kw + done.unmet_cooling_kw, heat, rtol=1e-9)
    for flow in (
        done.chiller_kw,
        done.tower_fan_kw,
        done.pump_kw,
        done.unmet_cooling_kw,
        done.water_l_per_h,
    ):
        assert np.isfinite(flow).all()
        assert (flow >= 0.0).all()
    assert (done.facility_kw >= done.it_kw).all()
    assert (done.chiller_kw < done.heat_removed_kw).all() or (done.heat_removed_kw == 0).any()


@pytest.mark.parametrize("name", SITES[:2])
def test_with_one_machine_out_the_rest_carry_the_rated_load(name: str) -> None:
    plant = cooling(variant(name))
    site = variant(name, chiller_count=plant.chiller_count - 1)
    assert run(site, 1.0, air([36.0], 9.0), 24.0).unmet_cooling_kw[0] == 0.0
    fewer = variant(name, chiller_count=plant.chiller_count - 2)
    assert run(fewer, 1.0, air([36.0], 9.0), 24.0).unmet_cooling_kw[0] > 0.0


def test_the_next_machine_is_on_at_nine_tenths_and_none_is_on_without_need() -> None:
    heat = np.linspace(0.0, 14_000.0, 1_401)
    running = chiller.machines_running(heat, 3_500.0, 4, 0.9)
    share = heat[1:] / (3_500.0 * running[1:])
    spare = running[1:] < 4
    assert (share[spare] <= 0.9 + 1e-12).all()
    fewer = heat[1:] / (3_500.0 * np.maximum(running[1:] - 1, 1))
    assert (fewer[running[1:] > 1] > 0.9).all()
    assert running[0] == 0
    assert share.max() == 1.0  # only where all are on


def test_a_machine_with_no_capacity_left_calls_all_of_them() -> None:
    heat, each = np.array([0.0, 10.0, 10.0]), np.array([0.0, 0.0, 100.0])
    assert chiller.machines_running(heat, each, 3, 0.9).tolist() == [0, 3, 1]


def test_a_chiller_short_of_capacity_in_hot_weather_reports_what_it_leaves() -> None:
    outdoor = air([30.0, 38.0], 8.0)
    by_plate = run(variant(SITES[1], chiller_count=4), 1.0, outdoor, 20.0)
    site = variant(SITES[1], "mcquay-wsc-471", "open-tower", "extrapolate", chiller_count=4)
    by_curve = run(site, 1.0, outdoor, 20.0)
    assert (by_plate.unmet_cooling_kw == 0.0).all()
    assert by_curve.unmet_cooling_kw[1] > 500.0
    assert by_curve.supply_air_degc[1] > 20.5
    assert by_curve.heat_removed_kw[1] + by_curve.unmet_cooling_kw[1] == pytest.approx(
        by_plate.heat_removed_kw[1], rel=1e-12
    )


def test_a_running_chiller_outside_its_curves_stops_the_site_unless_the_row_says_otherwise() -> (
    None
):
    summer, winter = air([33.0], 6.0), air([-2.0], 4.0)
    site = variant("reference-chilled-water", "carrier-19xr-1350", "", "error")
    with pytest.raises(InputError, match=r"15\.00 degC leaves the 5\.56 to 8\.89 degC"):
        run(site, 0.7, summer, 24.0)
    assert run(site, 0.7, winter, 24.0).mode[0] == "free"  # the machine that is off is not asked
    assert run(variant("reference-chilled-water", "carrier-19xr-1350"), 0.7, summer, 24.0)


def test_counts_tell_where_each_law_met_its_limit_while_it_ran() -> None:
    wetbulb = np.array([-5.0, 24.0, 28.0])
    load = load_of(np.array([6_000.0, 6_000.0, 0.0]), 24.0)
    site = variant("reference-chilled-water", "carrier-19xr-1350", "yorkcalc-tower")
    done = chilled_water.cool(cooling(site), load, wetbulb)
    limits = done.limits
    assert limits.chiller_outside.tolist() == [False, True, False]
    assert limits.tower_outside.tolist() == [False, False, False]
    hot = chilled_water.cool(cooling(site), load_of(np.full(3, 6_000.0), 24.0), wetbulb).limits
    assert hot.counts == {
        "carnot_guarded_steps": int(hot.carnot_guarded.sum()),
        "chiller_outside_steps": 2,
        "tower_outside_steps": 1,  # 28 degC wet bulb
    }


def test_the_guard_binds_on_the_vsd_plant_in_heat_at_part_load_and_the_count_says_so() -> None:
    wetbulb = np.linspace(5.0, 28.0, 24)
    plant = cooling(variant("reference-chilled-water", economiser=False))
    free = plant.model_copy(
        update={"chiller": plant.chiller.model_copy(update={"carnot_limit_frac": 0.999})}
    )
    load = load_of(np.full(24, 1_300.0), 18.0)
    held = chilled_water.cool(plant, load, wetbulb)
    limits = held.limits
    loose = chilled_water.cool(free, load, wetbulb)
    count = limits.counts["carnot_guarded_steps"]
    assert 0 < count == (held.chiller_kw > loose.chiller_kw).sum()
    assert limits.counts["chiller_outside_steps"] == limits.counts["tower_outside_steps"] == 0


def test_a_yorkcalc_tower_floats_over_its_set_point_at_full_fan_and_saves_fan_in_its_reach() -> (
    None
):
    plant = cooling(variant("reference-chilled-water-basic", "", "yorkcalc-tower"))
    wetbulb = np.array([5.0, 22.0, 27.0])
    full = chilled_water.cool(plant, load_of(np.full(3, 12_600.0), 20.0), wetbulb)
    half = chilled_water.cool(plant, load_of(np.full(3, 7_000.0), 20.0), wetbulb)
    design = 10.5 / 1_000 * 4 * 3_500 * plant.chiller.rejection_ratio
    # a little under the design: the water is that of the rated COP, and the machines do better
    assert full.tower_fan_kw[1] == pytest.approx(design, rel=0.05)
    assert (half.tower_fan_kw < full.tower_fan_kw).all()
    # 5 degC wet bulb, water held at 18: thirteen kelvin take less air than four at 22
    assert half.tower_fan_kw[0] < half.tower_fan_kw[1]
    assert (np.diff(full.chiller_kw) > 0.0).all()


def test_tower_water_is_made_no_colder_than_the_economiser_can_use() -> None:
    plant = cooling(variant("reference-chilled-water", "", "yorkcalc-tower"))
    load = load_of(np.full(2, 6_000.0), 24.0)
    done = chilled_water.cool(plant, load, np.array([-8.0, 2.0]))
    assert (done.chiller_kw == 0.0).all()
    cell = yorkcalc.cell(plant.tower, 5.0)
    part = 6_000.0 / (2 * 3_500 * plant.chiller.rejection_ratio)
    usable = np.array([13.0 - -8.0, 13.0 - 2.0])  # water of 15 degC less the exchanger's 2 K
    ratio, _ = yorkcalc.air_ratio(
        cell, usable, np.ones(2), np.full(2, 5.0 * part), np.array([-8.0, 2.0])
    )
    design = 10.5 / 1_000 * 2 * 3_500 * plant.chiller.rejection_ratio
    np.testing.assert_allclose(done.tower_fan_kw, design * ratio**3, rtol=1e-12)
    assert done.tower_fan_kw[0] < done.tower_fan_kw[1]


def test_pumps_with_a_drive_give_the_tower_less_water_and_a_closer_approach() -> None:
    vfd = catalog.row("pumps", Pump, "condenser-water").model_copy(
        update={"drive": "vfd", "flow_floor_frac": 0.8}
    )
    constant = cooling(variant("reference-chilled-water-basic", "", "yorkcalc-tower"))
    driven = constant.model_copy(update={"condenser_water_pump": vfd})
    load, wetbulb = load_of(np.array([5_200.0]), 20.0), np.array([20.0])
    less = chilled_water.cool(driven, load, wetbulb)
    limits = less.limits
    more = chilled_water.cool(constant, load, wetbulb)
    assert less.pump_kw[0] < more.pump_kw[0]
    assert less.tower_fan_kw[0] < more.tower_fan_kw[0]
    assert not limits.tower_outside[0]


@pytest.fixture(scope="module")
def shanghai_2013(real_data: Path) -> Outdoor:
    """Measured Shanghai weather, UCI PM2.5 data of five Chinese cities."""
    rows = pd.read_csv(real_data / "weather/shanghai_hourly_2010_2013_uci.csv.gz").ffill()
    rows = rows[rows["time_local"].str.startswith("2013")]
    dry = rows["temp_air_C"].to_numpy(np.float64)
    dew = np.minimum(rows["temp_dew_C"].to_numpy(np.float64), dry)
    pressure = rows["pressure_hPa"].to_numpy(np.float64) * 100
    return Outdoor(dry, wetbulb_degc(dry, dew, pressure), dew, pressure)


@pytest.mark.real_data
def test_a_yorkcalc_tower_finds_fewer_free_hours_because_its_approach_widens_in_the_cold(
    shanghai_2013: Outdoor,
) -> None:
    simple, york = (
        run(variant("reference-chilled-water", "", tower), 0.6, shanghai_2013, 24.0)
        for tower in TOWERS
    )
    assert 0.5 * (simple.mode == "free").sum() < (york.mode == "free").sum()
    assert (york.mode == "free").sum() < (simple.mode == "free").sum()
    pue = [float(done.facility_kw.sum() / done.it_kw.sum()) for done in (simple, york)]
    assert 0.0 < pue[1] - pue[0] < 0.03


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "supply"), [(SITES[1], 20.0), (SITES[2], 18.0)])
def test_without_an_economiser_both_towers_agree_to_a_hundredth_of_pue(
    shanghai_2013: Outdoor, name: str, supply: float
) -> None:
    simple, york = (run(variant(name, "", tower), 0.6, shanghai_2013, supply) for tower in TOWERS)
    pue = [float(done.facility_kw.sum() / done.it_kw.sum()) for done in (simple, york)]
    assert pue[0] != pue[1]
    assert pue[1] == pytest.approx(pue[0], abs=0.01)
