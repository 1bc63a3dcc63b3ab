"""Chilled-water storage: what it keeps, what it gives, and what the plant around it does."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aidc
from aidc.errors import InputError
from aidc.plant.facility import Facility, Outdoor, facility
from aidc.plant.faults import Faults
from aidc.plant.tank import follow, keeps_frac
from aidc.scenario import Scenario
from aidc.schedule import SetPoints
from aidc.site import Site, WaterTank
from aidc.trace import Trace

TANK = Path(__file__).parents[2] / "scenarios" / "lingang-tank.yaml"
NO_TANK = "sites.lingang.overrides.cooling.tank=null"
SHORT = ["end=2023-07-04T00:00:00+08:00", "workload.jobs_per_day=4000"]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return aidc.load(TANK, sets=SHORT)


@pytest.fixture(scope="module")
def site(scenario: Scenario) -> Site:
    return scenario.sites["lingang"].site


@pytest.fixture(scope="module")
def tank(site: Site) -> WaterTank:
    assert site.tank is not None
    return site.tank


def played(
    site: Site,
    load: float,
    charge_kw: list[float],
    discharge_kw: list[float],
    faults: Faults | None = None,
    wetbulb_degc: float = 25.0,
) -> Facility:
    n = len(charge_kw)
    air = Outdoor(
        np.full(n, wetbulb_degc + 4), np.full(n, wetbulb_degc), np.full(n, wetbulb_degc - 1.5),
        np.full(n, 101_325.0),
    )  # fmt: skip
    return facility(
        site,
        np.full((1, n), load * site.rated_it_kw),
        air,
        np.full(n, 24.0),
        spray=np.full(n, -1, np.int8),
        policy="lowest_power",
        tariff_cny_per_kwh=np.full(n, 0.7),
        water_cny_per_m3=5.0,
        faults=faults,
        store_charge_kw=np.array(charge_kw),
        store_discharge_kw=np.array(discharge_kw),
    )


REQUESTS = st.lists(st.tuples(st.floats(0, 20_000), st.floats(0, 20_000)), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(REQUESTS, st.floats(0, 1), st.sampled_from([0.25, 1.0]))
def test_content_flows_and_losses_of_a_tank_add_up(
    tank: WaterTank, requests: list[tuple[float, float]], level: float, step_h: float
) -> None:
    charge, discharge = np.array(requests).T
    start = level * tank.capacity_kwh
    flows = follow(tank, charge, discharge, start, step_h)
    before = np.concatenate([[start], flows.stored_kwh[:-1]])
    gained = (
        tank.store.charge_efficiency_frac * flows.charge_kw
        - flows.discharge_kw / tank.store.discharge_efficiency_frac
    )
    after = before * keeps_frac(tank, step_h) + step_h * gained
    np.testing.assert_allclose(flows.stored_kwh, after, rtol=1e-9, atol=1e-6)
    assert (flows.stored_kwh >= 0).all()
    assert (flows.stored_kwh <= tank.capacity_kwh).all()
    assert (flows.charge_kw <= np.minimum(charge, tank.charge_max_kw) + 1e-9).all()
    assert (flows.discharge_kw <= np.minimum(discharge, tank.discharge_max_kw) + 1e-9).all()
    assert ((flows.charge_kw == 0) | (flows.discharge_kw == 0)).all()


def test_a_tank_at_rest_loses_half_a_percent_a_day_at_any_step(tank: WaterTank) -> None:
    for step_h, steps in ((0.25, 96), (1.0, 24)):
        nothing = np.zeros(steps)
        flows = follow(tank, nothing, nothing, 10_000.0, step_h)
        assert flows.stored_kwh[-1] == pytest.approx(10_000 * (1 - 0.005))


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.05, 1.2), st.floats(0, 12_000), st.floats(0, 12_000), st.floats(-5, 30),
    st.floats(0.2, 1), st.booleans(),
)  # fmt: skip
def test_the_hall_keeps_its_heat_balance_whatever_the_tank_does(
    site: Site,
    load: float,
    charge: float,
    discharge: float,
    wetbulb: float,
    running: float,
    water: bool,
) -> None:
    faults = Faults(
        np.full(1, running), np.ones(1, bool), np.full(1, water), np.zeros(1), np.ones(1, bool)
    )
    rest = played(site, load, [0.0], [0.0], faults, wetbulb)
    done = played(site, load, [charge], [discharge], faults, wetbulb)
    heat = rest.heat_removed_kw + rest.unmet_cooling_kw  # of the hall; the tank changes none of it
    np.testing.assert_allclose(done.heat_removed_kw + done.unmet_cooling_kw, heat, rtol=1e-12)
    assert (done.unmet_cooling_kw <= rest.unmet_cooling_kw + 1e-9).all(), "the hall comes first"
    assert (done.store_charge_kw <= charge).all()
    assert (done.store_discharge_kw <= np.minimum(discharge, heat)).all()
    for item in fields(done):
        if item.name not in ("mode", "limits"):
            values = getattr(done, item.name)
            assert np.isfinite(values).all(), item.name
            assert item.name.endswith("degc") or (values >= 0).all(), item.name


def test_charging_costs_site_power_and_discharging_saves_it(site: Site) -> None:
    done = played(site, 0.5, [0.0, 3_000.0, 0.0], [0.0, 0.0, 3_000.0])
    rest, charging, using = done.facility_kw
    assert using < rest < charging
    assert done.chilled_water_degc[1] == 13.0, "the tank's own water"
    assert done.chilled_water_degc[0] > 13.0
    # a kWh of cold made with colder water costs more than it saves later in the same weather
    assert charging - rest > rest - using


def test_stored_water_carries_the_hall_when_the_towers_have_no_water(site: Site) -> None:
    dry = Faults(np.ones(1), np.ones(1, bool), np.zeros(1, bool), np.zeros(1), np.ones(1, bool))
    lost = played(site, 0.4, [0.0], [0.0], dry)
    kept = played(site, 0.4, [0.0], [20_000.0], dry)
    assert lost.unmet_cooling_kw[0] > 0
    assert kept.unmet_cooling_kw[0] == 0
    assert kept.mode[0] == "tank"
    assert kept.chiller_kw[0] == 0


def test_a_run_empties_its_tank_and_counts_the_requests_that_it_cannot_follow(
    scenario: Scenario,
) -> None:
    trace = aidc.simulate(scenario)
    steps = len(trace.frame)
    nothing = np.zeros(steps)
    ask = SetPoints(
        np.full(steps, 22.0), np.zeros(steps, np.int8), nothing, nothing, nothing,
        np.full(steps, 5_000.0), np.full(steps, -1, np.int8),
    )  # fmt: skip
    schedule = aidc.plan(trace)
    emptied = aidc.simulate(
        scenario, schedule=type(schedule)(
            schedule.decisions, {"lingang": ask}, schedule.windows, schedule.promised,
            schedule.objective, schedule.foresight,
        ),
    )  # fmt: skip
    frame = emptied.frame
    assert frame["store_kwh"].iloc[-1] == 0
    given_kwh = frame["store_discharge_kw"].sum() * 0.25
    assert (
        0.9 * 20_000 * 0.97 < given_kwh <= 20_000 * 0.97
    )  # half full at the start, less its walls
    assert emptied.counts["store_cut_steps"] == int(
        (frame["store_discharge_kw"] < 5_000 - 1e-6).sum()
    )
    assert emptied.counts["store_cut_steps"] > 0


def test_a_plan_makes_cold_in_clean_hours_and_its_promise_holds() -> None:
    sets = [*SHORT, "site.grid.intensity={kind: synthetic, amplitude: 60 %, shape: demand}"]
    scenario = aidc.load(TANK, sets=sets)
    schedule = aidc.plan(aidc.simulate(scenario))
    after = aidc.simulate(scenario, schedule=schedule)
    frame = after.frame
    clean = frame["grid_kgco2e_per_kwh"]
    charged = (frame["store_charge_kw"] * clean).sum() / frame["store_charge_kw"].sum()
    used = (frame["store_discharge_kw"] * clean).sum() / frame["store_discharge_kw"].sum()
    assert charged < clean.mean() < used
    asked = schedule.setpoints["lingang"].store_discharge_kw.sum()
    # plan slots know the mean heat of an hour, so the hall may want a little less than is offered
    assert frame["store_discharge_kw"].sum() == pytest.approx(asked, rel=1e-3)
    # and in a quarter with more heat than its hour has, the machines that run have less room to charge
    assert frame["store_kwh"].iloc[-1] == pytest.approx(20_000, rel=1e-2), "as full as it began"
    promised = schedule.promised["lingang"]["facility_kw"].sum()
    parts = ["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]
    assert frame[parts].sum().sum() * 0.25 == pytest.approx(promised, rel=2e-3)
    assert kgco2e(after) < kgco2e(best_of([*sets, NO_TANK]))


def best_of(sets: list[str]) -> Trace:
    scenario = aidc.load(TANK, sets=sets)
    return aidc.simulate(scenario, schedule=aidc.plan(aidc.simulate(scenario)))


def kgco2e(trace: Trace) -> float:
    frame = trace.frame
    return float((frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() * 0.25)


def test_where_hours_differ_much_a_tank_is_proved_to_pay() -> None:
    hours = "site.grid.intensity={kind: synthetic, amplitude: 80 %, shape: demand}"
    with_tank = aidc.plan(aidc.simulate(aidc.load(TANK, sets=[*SHORT, hours]))).totals()
    plain = aidc.load(TANK, sets=[*SHORT, hours, NO_TANK])
    without = aidc.plan(aidc.simulate(plain)).totals()
    assert with_tank["objective"] < without["bound"], "no plan without the tank emits as little"


def test_water_too_warm_for_the_supply_air_is_refused() -> None:
    with pytest.raises(InputError, match="14 degC is warmer than the 13 degC"):
        aidc.load(TANK, sets=["sites.lingang.overrides.cooling.tank.water_degc=14"])
