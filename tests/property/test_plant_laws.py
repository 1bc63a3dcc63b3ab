"""Laws that hold for any weather, load and set-point, in every plant of the catalog."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc import catalog
from aidc.equipment import IecUnit, Ups
from aidc.plant import electrical
from aidc.plant.facility import Facility, Outdoor, facility, hall_loss_kw
from aidc.plant.psychrometrics import saturation_pa, wetbulb_degc
from aidc.site import IecCooling, ModePolicy, Site

POLICIES: tuple[ModePolicy, ...] = ("lowest_power", "lowest_cost", "spray_above_temperature")
COOLING_PARTS = (
    "chiller_kw",
    "iec_fan_kw",
    "iec_pump_kw",
    "crah_fan_kw",
    "tower_fan_kw",
    "pump_kw",
    "humidifier_kw",
    "dx_kw",
)
NAMES = catalog.file_names("sites")
SITES: dict[str, Site] = {
    name: Site.model_validate(catalog.document("sites", name).data, context=catalog.TABLES)
    for name in NAMES
}
PRESSURE_PA = 101_325.0


def run(
    site: Site,
    load: float | np.ndarray,
    outdoor: Outdoor,
    supply: float,
    *,
    policy: ModePolicy = "lowest_power",
    spray: int = -1,
) -> Facility:
    n = len(outdoor.drybulb_degc)
    it = np.broadcast_to(np.asarray(load) * site.rated_it_kw, (1, n))
    return facility(
        site,
        it,
        outdoor,
        np.full(n, supply),
        spray=np.full(n, spray, np.int8),
        policy=policy,
        tariff_cny_per_kwh=np.full(n, 0.7),
        water_cny_per_m3=5.0,
    )


def weather(drybulb: list[float], depression: list[float], pressure: float) -> Outdoor:
    air, below = np.array(drybulb), np.array(depression)
    wet = wetbulb_degc(air, air - below, pressure)
    return Outdoor(air, wet, air - below, np.full(len(air), pressure))


def from_wetbulb(drybulb: np.ndarray, wetbulb: np.ndarray) -> Outdoor:
    """Outdoor air of a dry and a wet bulb, its dew point found by bisection."""
    low, high = np.full(len(drybulb), -90.0), wetbulb.copy()
    for _ in range(60):
        middle = (low + high) / 2
        above = wetbulb_degc(drybulb, middle, PRESSURE_PA) > wetbulb
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return Outdoor(drybulb, wetbulb, high, np.full(len(drybulb), PRESSURE_PA))


ANY_WEATHER = st.integers(1, 6).flatmap(
    lambda n: st.builds(
        weather,
        st.lists(st.floats(-30.0, 50.0), min_size=n, max_size=n),
        st.lists(st.floats(0.0, 40.0), min_size=n, max_size=n),
        st.floats(60_000.0, 105_000.0),
    )
)
ANY_LOAD = st.floats(0.0, 1.1)
ANY_SUPPLY = st.floats(18.0, 27.0)
ANY_SITE = st.sampled_from(NAMES)
ANY_POLICY = st.sampled_from(POLICIES)
ANY_SPRAY = st.sampled_from([-1, 0, 1])


@settings(max_examples=300, deadline=None)
@given(ANY_SITE, ANY_LOAD, ANY_WEATHER, ANY_SUPPLY, ANY_POLICY, ANY_SPRAY)
def test_heat_removed_and_unmet_is_all_heat_of_the_hall(
    name: str, load: float, outdoor: Outdoor, supply: float, policy: ModePolicy, spray: int
) -> None:
    site = SITES[name]
    done = run(site, load, outdoor, supply, policy=policy, spray=spray)
    losses = hall_loss_kw(site, electrical.chain(site.electrical, site.rated_it_kw, done.it_kw))
    heat = done.it_kw + done.crah_fan_kw + losses
    if site.liquid is not None:  # all its pools are liquid-cooled; the CDU pumps heat the water
        heat = heat + site.liquid.pump_frac * site.liquid.captured_frac * done.it_kw
    np.testing.assert_allclose(done.heat_removed_kw + done.unmet_cooling_kw, heat, rtol=1e-9)


@settings(max_examples=300, deadline=None)
@given(ANY_SITE, ANY_LOAD, ANY_WEATHER, ANY_SUPPLY, ANY_POLICY, ANY_SPRAY)
def test_nothing_is_negative_or_missing_and_every_auxiliary_is_in_the_total(
    name: str, load: float, outdoor: Outdoor, supply: float, policy: ModePolicy, spray: int
) -> None:
    done = run(SITES[name], load, outdoor, supply, policy=policy, spray=spray)
    for item in dataclasses.fields(done):
        values = getattr(done, item.name)
        if item.name.endswith(("_kw", "_l_per_h")):
            assert np.isfinite(values).all(), item.name
            assert (values >= 0).all(), item.name
    parts = sum(getattr(done, part) for part in COOLING_PARTS)
    np.testing.assert_allclose(done.cooling_kw, parts, rtol=1e-12)
    whole = done.it_kw + parts + done.electrical_loss_kw + done.other_kw
    np.testing.assert_allclose(done.facility_kw, whole, rtol=1e-12)
    water = (
        done.water_evaporated_l_per_h + done.water_blowdown_l_per_h + done.water_humidifier_l_per_h
    )
    np.testing.assert_allclose(done.water_l_per_h, water)
    assert (done.facility_kw >= done.it_kw).all()
    assert (done.server_fan_kw <= done.it_kw).all()
    assert (done.supply_air_degc >= supply).all()
    has_water = SITES[name].cooling.kind == "chilled_water"
    assert np.isfinite(done.chilled_water_degc).all() == has_water


@settings(max_examples=200, deadline=None)
@given(ANY_SITE, st.floats(0.05, 1.0), ANY_SUPPLY, st.floats(-5.0, 42.0), st.floats(0.2, 5.0))
def test_cooling_never_needs_less_as_the_wet_bulb_rises(
    name: str, load: float, supply: float, drybulb: float, step: float
) -> None:
    wetbulb = np.arange(drybulb - 12.0, drybulb + 1e-9, step)
    wetbulb = wetbulb[wetbulb > 0.6]
    if len(wetbulb) < 2:
        return
    done = run(SITES[name], load, from_wetbulb(np.full(len(wetbulb), drybulb), wetbulb), supply)
    _never_falls(done)


@settings(max_examples=200, deadline=None)
@given(ANY_SITE, st.floats(0.05, 1.0), ANY_SUPPLY, st.floats(1.0, 30.0), st.floats(0.2, 5.0))
def test_cooling_never_needs_less_as_the_dry_bulb_rises(
    name: str, load: float, supply: float, wetbulb: float, step: float
) -> None:
    drybulb = np.arange(wetbulb, min(wetbulb + 15.0, 45.0), step)
    done = run(SITES[name], load, from_wetbulb(drybulb, np.full(len(drybulb), wetbulb)), supply)
    _never_falls(done)


def _never_falls(done: Facility) -> None:
    need = done.cooling_kw - done.humidifier_kw  # dry cold air is humidified; that is no cooling
    carried = done.unmet_cooling_kw[1:] == 0.0  # beyond its capacity the plant reports, see below
    assert (np.diff(need)[carried] >= -1e-9 * done.it_kw[1:][carried]).all()
    assert (np.diff(done.unmet_cooling_kw) >= -1e-9 * done.it_kw[1:]).all()


@settings(max_examples=300, deadline=None)
@given(
    ANY_SITE,
    st.floats(0.05, 1.0),
    ANY_SUPPLY,
    st.floats(1.0, 30.0),
    st.floats(0.0, 12.0),
    st.floats(0.0, 8.0),
    st.floats(0.0, 8.0),
    st.sampled_from([0, 1]),
)
def test_compressors_of_one_mode_never_work_harder_where_neither_bulb_is_higher(
    name: str,
    load: float,
    supply: float,
    wetbulb: float,
    depression: float,
    colder: float,
    less_wet: float,
    spray: int,
) -> None:
    warm = (wetbulb + depression, wetbulb)
    cool_wet = max(wetbulb - less_wet, 0.7)
    cool = (max(warm[0] - colder, cool_wet), cool_wet)
    outdoor = from_wetbulb(np.array([warm[0], cool[0]]), np.array([warm[1], cool[1]]))
    done = run(SITES[name], load, outdoor, supply, spray=spray)
    # lowest power may prefer a compressor to spray in the cooler hour, but only where all is less
    free = run(SITES[name], load, outdoor, supply)
    need = free.cooling_kw - free.humidifier_kw
    assert free.unmet_cooling_kw[0] > 0 or need[1] <= need[0] + 1e-9 * free.it_kw[0]
    compressor = done.chiller_kw + done.dx_kw
    if spray == 1 and (warm[0] >= 5.0) != (cool[0] >= 5.0):
        return  # frost takes the spray away on one side
    assert compressor[1] <= compressor[0] + 1e-9 * done.it_kw[0]


@settings(max_examples=100, deadline=None)
@given(st.floats(-20.0, 45.0), st.floats(0.0, 30.0), st.floats(60_000.0, 105_000.0))
def test_wet_bulb_lies_between_dew_point_and_dry_bulb(
    drybulb: float, depression: float, pressure: float
) -> None:
    dewpoint = drybulb - depression
    wet = wetbulb_degc(drybulb, dewpoint, pressure)[0]
    assert dewpoint <= wet <= drybulb
    assert saturation_pa(wet)[0] >= saturation_pa(dewpoint)[0]


def changed(site: Site, **parts: object) -> Site:
    return site.model_copy(update=parts)


@settings(max_examples=60, deadline=None)
@given(ANY_SITE, st.floats(0.05, 1.0), ANY_WEATHER, ANY_SUPPLY)
def test_worse_parts_cost_energy(name: str, load: float, outdoor: Outdoor, supply: float) -> None:
    site = SITES[name]
    base = run(site, load, outdoor, supply)
    old = catalog.row("ups", Ups, "double-conversion-transformer")
    chain = site.electrical.model_copy(update={"ups": old})
    worse_ups = run(changed(site, electrical=chain), load, outdoor, supply)
    assert (worse_ups.facility_kw >= base.facility_kw - 1e-9).all()
    leaky = site.hall.model_copy(update={"recirculation_frac": 0.15})
    mixed = run(changed(site, hall=leaky), load, outdoor, supply)
    assert (mixed.server_fan_kw >= base.server_fan_kw).all()
    assert (mixed.crah_fan_kw >= base.crah_fan_kw - 1e-12).all()
    open_hall = site.hall.model_copy(update={"bypass_frac": 0.25})
    moved = run(changed(site, hall=open_hall), load, outdoor, supply)
    assert (moved.crah_fan_kw >= base.crah_fan_kw - 1e-12).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 1.0), ANY_WEATHER, ANY_SUPPLY)
def test_a_poorer_plate_needs_more_compressor(load: float, outdoor: Outdoor, supply: float) -> None:
    site = SITES["reference-iec"]
    assert isinstance(site.cooling, IecCooling)
    poor: IecUnit = site.cooling.unit.model_copy(update={"wet_effectiveness_frac": 0.55})
    worse = changed(site, cooling=site.cooling.model_copy(update={"unit": poor}))
    for spray in (-1, 1):
        good, bad = (run(each, load, outdoor, supply, spray=spray) for each in (site, worse))
        assert (bad.dx_kw + bad.unmet_cooling_kw >= good.dx_kw + good.unmet_cooling_kw - 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_one_step_at_a_time_gives_the_numbers_of_the_whole_array(name: str) -> None:
    drybulb = np.linspace(-5.0, 40.0, 24)
    outdoor = weather(list(drybulb), [6.0] * 24, PRESSURE_PA)
    load = np.linspace(0.0, 1.0, 24)
    whole = run(SITES[name], load, outdoor, 24.0)
    for i in range(24):
        one = Outdoor(
            *(getattr(outdoor, item.name)[i : i + 1] for item in dataclasses.fields(outdoor))
        )
        single = run(SITES[name], load[i], one, 24.0)
        assert single.facility_kw[0] == pytest.approx(whole.facility_kw[i], rel=1e-14)
        assert single.mode[0] == whole.mode[i]
