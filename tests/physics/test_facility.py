"""Whole plants over a measured year, and the indicators made of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc import catalog
from aidc.errors import InputError
from aidc.plant import metrics
from aidc.plant.facility import Facility, Outdoor, facility
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import IecCooling, ModePolicy, Site


def site(name: str) -> Site:
    return Site.model_validate(catalog.document("sites", name).data, context=catalog.TABLES)


def run(
    plant: Site,
    outdoor: Outdoor,
    load_frac: float,
    supply_degc: float,
    policy: ModePolicy = "lowest_power",
) -> Facility:
    n = len(outdoor.drybulb_degc)
    return facility(
        plant,
        np.full((len(plant.pools), n), load_frac * plant.rated_it_kw / len(plant.pools)),
        outdoor,
        np.full(n, supply_degc),
        spray=np.full(n, -1, np.int8),
        policy=policy,
        tariff_cny_per_kwh=np.full(n, 0.7),
        water_cny_per_m3=5.0,
    )


def pue(done: Facility) -> float:
    return float(done.facility_kw.sum() / done.it_kw.sum())


def constant(drybulb: float, dewpoint: float, steps: int = 1) -> Outdoor:
    air, dew, pressure = (np.full(steps, v) for v in (drybulb, dewpoint, 101_325.0))
    return Outdoor(air, wetbulb_degc(air, dew, pressure), dew, pressure)


@pytest.fixture(scope="module")
def shanghai_2013(real_data: Path) -> Outdoor:
    """Measured Shanghai weather, UCI PM2.5 data of five Chinese cities."""
    rows = pd.read_csv(real_data / "weather/shanghai_hourly_2010_2013_uci.csv.gz").ffill()
    rows = rows[rows["time_local"].str.startswith("2013")]
    drybulb = rows["temp_air_C"].to_numpy(np.float64)
    dewpoint = np.minimum(rows["temp_dew_C"].to_numpy(np.float64), drybulb)
    pressure = rows["pressure_hPa"].to_numpy(np.float64) * 100
    return Outdoor(drybulb, wetbulb_degc(drybulb, dewpoint, pressure), dewpoint, pressure)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "supply_degc", "expected"),
    [  # an independent prototype of the same formulas, 2010-2013; orientation, not a target
        ("reference-iec", 24.0, 1.152),
        ("reference-chilled-water", 24.0, 1.209),
        ("reference-chilled-water-basic", 20.0, 1.288),
    ],
)
def test_annual_pue_at_sixty_percent_load_is_near_that_of_a_second_implementation(
    shanghai_2013: Outdoor, name: str, supply_degc: float, expected: float
) -> None:
    assert pue(run(site(name), shanghai_2013, 0.6, supply_degc)) == pytest.approx(
        expected, abs=0.01
    )


@pytest.mark.real_data
def test_lowest_power_takes_least_energy_and_least_water_of_the_mode_policies(
    shanghai_2013: Outdoor,
) -> None:
    plant = site("reference-iec")
    by_power = run(plant, shanghai_2013, 0.6, 24.0)
    by_cost = run(plant, shanghai_2013, 0.6, 24.0, "lowest_cost")
    sprayed = run(plant, shanghai_2013, 0.6, 24.0, "spray_above_temperature")
    assert by_power.facility_kw.sum() <= by_cost.facility_kw.sum()
    assert by_cost.water_l_per_h.sum() < by_power.water_l_per_h.sum()
    assert by_power.facility_kw.sum() < sprayed.facility_kw.sum()
    assert by_power.water_l_per_h.sum() < 0.6 * sprayed.water_l_per_h.sum()


@pytest.mark.real_data
def test_without_dx_the_heat_wave_of_2013_leaves_heat_in_the_hall_and_says_so(
    shanghai_2013: Outdoor,
) -> None:
    plant = site("reference-iec")
    assert isinstance(plant.cooling, IecCooling)
    tripped = plant.cooling.model_copy(update={"dx_capacity_frac": 0.0})
    done = run(plant.model_copy(update={"cooling": tripped}), shanghai_2013, 0.9, 24.0)
    assert done.unmet_cooling_kw.max() > 0
    assert done.supply_air_degc.max() == pytest.approx(30.9, abs=0.6)
    assert (done.dx_kw == 0).all()
    held = run(plant, shanghai_2013, 0.9, 24.0)
    assert (held.unmet_cooling_kw == 0).all()


@pytest.mark.real_data
def test_pue_falls_with_a_hotter_set_point_while_the_site_draws_more(
    shanghai_2013: Outdoor,
) -> None:
    plant = site("reference-iec")
    server = plant.pools[0].server.model_copy(update={"fan_frac": 0.05})
    plant = plant.model_copy(
        update={"pools": (plant.pools[0].model_copy(update={"server": server}),)}
    )
    mild, hot = (run(plant, shanghai_2013, 0.5, supply) for supply in (25.0, 33.0))
    assert pue(hot) < pue(mild)
    assert hot.facility_kw.sum() > mild.facility_kw.sum()
    reference_kwh = 0.5 * plant.rated_it_kw * len(shanghai_2013.drybulb_degc)
    at_reference = [
        metrics.pue_at_reference_inlet(float(done.facility_kw.sum()), reference_kwh)
        for done in (mild, hot)
    ]
    assert at_reference[1] > at_reference[0]


def test_a_full_hall_on_a_humid_summer_day_has_megawatts_of_heat_and_kilowatts_of_fans() -> None:
    plant = site("lingang-rampup")
    done = run(plant, constant(35.0, 27.0), 1.0, 24.0)
    assert done.mode[0] == "wet_dx"
    assert 0.02 < done.crah_fan_kw[0] / done.it_kw[0] < 0.06
    assert 0.01 < done.iec_fan_kw[0] / done.it_kw[0] < 0.04
    assert done.inlet_degc[0] == pytest.approx(24.6)
    assert done.heat_removed_kw[0] > done.it_kw[0]


def test_a_winter_day_needs_neither_spray_nor_compressor() -> None:
    done = run(site("lingang-rampup"), constant(3.0, -2.0), 0.6, 24.0)
    assert done.mode[0] == "dry"
    assert done.dx_kw[0] == done.iec_pump_kw[0] == 0.0
    assert done.water_l_per_h[0] == done.water_humidifier_l_per_h[0] > 0.0


def test_the_economiser_carries_a_cold_day_alone() -> None:
    done = run(site("reference-chilled-water"), constant(3.0, -2.0), 0.6, 24.0)
    assert done.mode[0] == "free"
    assert done.chiller_kw[0] == 0.0
    assert done.chilled_water_degc[0] == 15.0
    assert done.tower_fan_kw[0] > 0
    assert done.pump_kw[0] > 0


def test_more_heat_than_machines_is_reported_and_warms_the_supply_air() -> None:
    plant = site("reference-chilled-water-basic")
    small = plant.cooling.model_copy(update={"chiller_count": 2})
    done = run(plant.model_copy(update={"cooling": small}), constant(38.0, 27.0), 1.0, 20.0)
    assert done.unmet_cooling_kw[0] > 3_000
    assert done.supply_air_degc[0] > 23.0
    assert done.inlet_degc[0] == pytest.approx(done.supply_air_degc[0] + 0.6)


def test_an_empty_site_still_draws_its_standing_losses() -> None:
    plant = site("lingang-rampup")
    done = run(plant, constant(20.0, 10.0), 0.0, 24.0)
    standing = plant.rated_it_kw * (2.0 * 0.018 + 3.0 * 0.0012)
    assert done.it_kw[0] == 0.0
    assert done.electrical_loss_kw[0] == pytest.approx(standing, rel=0.01)
    assert done.other_kw[0] == pytest.approx(0.01 * plant.rated_it_kw)


def test_pools_of_a_site_add_up() -> None:
    one = site("lingang-rampup")
    half = one.pools[0].model_copy(update={"server_count": 320})
    two = one.model_copy(update={"pools": (half, half.model_copy(update={"name": "b"}))})
    outdoor = constant(30.0, 22.0)
    whole, halves = run(one, outdoor, 0.7, 25.0), run(two, outdoor, 0.7, 25.0)
    assert halves.facility_kw[0] == pytest.approx(whole.facility_kw[0], rel=1e-12)


def test_indicators_are_sums_over_sums() -> None:
    found = metrics.pue(120.0, 100.0, 3, 12)
    assert found.value == 1.2
    assert found.label == "PUE3 (server input)"
    assert metrics.pue(120.0, 104.0, 1, 0.25).label == "PUE1 (interim, 0.25 months, UPS output)"
    assert metrics.tue(120.0, 100.0, 4.0) == 1.25
    assert metrics.wue_withdrawal_l_per_kwh(60.0, 20.0, 1.0, 100.0) == 0.81
    assert metrics.wue_consumption_l_per_kwh(60.0, 1.0, 100.0) == 0.61
    assert metrics.cue_kgco2e_per_kwh(66.0, 100.0) == 0.66
    assert metrics.ref(30.0, 120.0) == 0.25


def test_a_ratio_over_nothing_and_a_pue_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="no ratio"):
        metrics.tue(1.0, 5.0, 5.0)
    with pytest.raises(InputError, match="below 1"):
        metrics.pue(90.0, 100.0, 1, 12)
