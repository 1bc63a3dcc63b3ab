"""A plant with something out of order: what it can still do, and that nothing is lost."""

import numpy as np
import pytest

from aidc import catalog
from aidc.plant.facility import Facility, Outdoor, facility
from aidc.plant.faults import Faults
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import Site

LOADS = np.linspace(500.0, 9_000.0, 60)
SITES = ("reference-iec", "reference-chilled-water", "reference-legacy")


def run(name: str, *, running: float = 1.0, water: bool = True, bias: float = 0.0) -> Facility:
    site = Site.model_validate(catalog.document("sites", name).data, context=catalog.TABLES)
    n = len(LOADS)
    dry, dew, pressure = np.full(n, 33.0), np.full(n, 24.0), np.full(n, 101_325.0)
    outdoor = Outdoor(dry, wetbulb_degc(dry, dew, pressure), dew, pressure)
    faults = Faults(
        np.full(n, running), np.ones(n, bool), np.full(n, water), np.full(n, bias), np.ones(n, bool)
    )
    return facility(
        site, LOADS[None, :], outdoor, np.full(n, 22.0), spray=np.full(n, -1, np.int8),
        policy="lowest_power", tariff_cny_per_kwh=np.ones(n), water_cny_per_m3=5.0, faults=faults,
    )  # fmt: skip


@pytest.mark.parametrize("name", SITES)
def test_the_fewer_units_run_the_more_heat_stays_and_none_is_lost(name: str) -> None:
    last = np.zeros(len(LOADS))
    for running in (1.0, 0.8, 0.5, 0.25, 0.0):
        done = run(name, running=running)
        assert (done.unmet_cooling_kw >= last - 1e-6).all()
        assert np.isfinite(done.facility_kw).all()
        last = done.unmet_cooling_kw
    heat = last
    assert (done.heat_removed_kw == 0).all()
    assert (heat > LOADS).all()


@pytest.mark.parametrize("name", SITES)
def test_inlets_are_never_colder_with_fewer_units(name: str) -> None:
    full, half = run(name), run(name, running=0.5)
    assert (half.inlet_degc >= full.inlet_degc - 1e-9).all()
    assert (half.inlet_degc > full.inlet_degc + 0.1).any()


def test_towers_without_water_reject_nothing_and_plates_run_dry() -> None:
    chilled, plates = run("reference-chilled-water", water=False), run("reference-iec", water=False)
    assert (chilled.heat_removed_kw == 0).all()
    assert (chilled.chiller_kw == 0).all()
    assert (plates.water_evaporated_l_per_h == 0).all()
    assert (plates.heat_removed_kw > 0).all()


@pytest.mark.parametrize("name", SITES)
def test_a_sensor_that_reads_low_by_two_kelvin_is_a_set_point_two_kelvin_higher(name: str) -> None:
    biased = run(name, bias=2.0)
    assert biased.supply_air_degc - run(name).supply_air_degc == pytest.approx(2.0, abs=0.5)
