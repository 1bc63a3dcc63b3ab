"""A day with faults: what stays in the hall, how fast it warms, and that nothing is lost."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import aidc
from aidc.errors import InputError
from aidc.event import Event
from aidc.reporting.charts.event_chart import KINDS
from aidc.trace import Trace

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
DAY = ["end=2023-07-04T00:00:00+08:00", "workload.jobs_per_day=600", "pathway=null"]
NOON = 12 * 4  # step


def day(*events: dict[str, object], overrides: tuple[str, ...] = ()) -> Trace:
    scenario = aidc.load(WEEK, sets=[*DAY, *overrides])
    return aidc.simulate(scenario.replace("events", list(events)))


def event(kind: str, **more: object) -> dict[str, object]:
    times = {"start": "2023-07-03T12:00:00+08:00", "end": "2023-07-03T14:00:00+08:00"}
    return {"kind": kind, **times, **more}


@pytest.fixture(scope="module")
def quiet() -> Trace:
    return day()


def outside(trace: Trace) -> np.ndarray:
    rows = np.ones(len(trace.frame), bool)
    rows[NOON : NOON + 8] = False
    return rows


def test_a_quiet_day_has_no_incident(quiet: Trace) -> None:
    assert quiet.incidents.empty
    assert quiet.counts["inlet_above_limit_steps"] == 0


def test_steps_beyond_what_the_servers_allow_are_counted(quiet: Trace) -> None:
    trip = day(event("cooling_trip", lost="100 %"))
    beyond = (trip.frame["inlet_degc"] > 35.0 + 1e-9).sum()  # class A2 allows 35 degC
    assert trip.counts["inlet_above_class_steps"] == beyond > 0
    assert quiet.counts["inlet_above_class_steps"] == 0


def test_an_inlet_limit_above_the_class_of_the_servers_is_refused() -> None:
    with pytest.raises(InputError, match="36 degC is above the 35 degC that class A2"):
        day(overrides=("site.hall.inlet_max_degc=36",))


def test_a_trip_of_all_cooling_passes_the_limit_within_the_first_step(quiet: Trace) -> None:
    trip = day(event("cooling_trip", lost="100 %"))
    row = trip.incidents.iloc[0]
    assert row["cause"] == "cooling_trip"
    assert (row["end"] - row["start"]).total_seconds() == 2 * 3600
    heat = trip.frame["unmet_cooling_kw"].to_numpy()[NOON]
    site = trip.scenario.sites["lingang"].site
    racks = site.rated_it_kw / site.hall.rack_kw
    # 24 degC supply and 0.6 K of recirculation leave 2.4 K: hardly more than the air itself takes up
    air_only_s = 2.4 * racks * 9 * 1.19 * 1.006 / heat
    assert air_only_s < row["limit_after_s"] < 3 * air_only_s
    np.testing.assert_allclose(
        trip.frame["heat_removed_kw"].to_numpy()[NOON : NOON + 8], 0.0, atol=1e-9
    )
    assert np.isfinite(trip.frame["inlet_degc"]).all()
    same = outside(trip)
    for column in ("facility", "inlet_degc", "it_kw"):
        if column in trip.frame:
            np.testing.assert_array_equal(
                trip.frame[column].to_numpy()[same], quiet.frame[column].to_numpy()[same]
            )


def test_a_trip_that_the_spare_units_carry_leaves_no_heat(quiet: Trace) -> None:
    trip = day(event("cooling_trip", lost="10 %"))
    assert trip.incidents.empty
    # fewer fans at higher speed move the same air: more power
    during = slice(NOON, NOON + 8)
    more = (
        trip.frame["crah_fan_kw"].to_numpy()[during] - quiet.frame["crah_fan_kw"].to_numpy()[during]
    )
    assert (more > 0).all()


def test_heat_balance_closes_in_every_step_of_a_trip() -> None:
    trip = day(event("cooling_trip", lost="90 %"))
    frame = trip.frame
    assert trip.counts["unmet_cooling_kwh"] == pytest.approx(
        float(frame["unmet_cooling_kw"].sum()) / 4
    )
    total = trip.incidents["unmet_kwh"].sum()
    assert total == pytest.approx(trip.counts["unmet_cooling_kwh"])
    assert total > 0


def test_without_water_the_coolers_run_dry(quiet: Trace) -> None:
    dry = day(event("water_loss"))
    during = slice(NOON, NOON + 8)
    assert (dry.frame["water_evaporated_l_per_h"].to_numpy()[during] == 0).all()
    assert set(dry.frame["mode"].iloc[during]) <= {"dry", "dry_dx", "dx"}
    assert quiet.frame["water_evaporated_l_per_h"].to_numpy()[during].sum() > 0
    more = dry.frame["cooling_kw"].to_numpy()[during] - quiet.frame["cooling_kw"].to_numpy()[during]
    assert (more > 0).all()


def test_without_compressors_a_hot_day_leaves_heat() -> None:
    hot = day(
        event("dx_trip"),
        event("heat_wave", drybulb_rise="6 K", dewpoint_rise="2 K"),
        overrides=("baseline.supply_air=20 degC",),
    )
    assert (hot.frame["dx_kw"].to_numpy()[NOON : NOON + 8] == 0).all()
    assert hot.incidents["cause"].tolist() == ["dx_trip, heat_wave"]


def test_a_heat_wave_raises_dry_and_wet_bulb_and_never_lowers_power(quiet: Trace) -> None:
    hot = day(event("heat_wave", drybulb_rise="5 K"))
    during = slice(NOON, NOON + 8)
    rise = (hot.frame["drybulb_degc"] - quiet.frame["drybulb_degc"]).to_numpy()[during]
    np.testing.assert_allclose(rise, 5.0)
    assert (hot.frame["wetbulb_degc"].to_numpy() >= quiet.frame["wetbulb_degc"].to_numpy()).all()
    assert (hot.frame["cooling_kw"].to_numpy() >= quiet.frame["cooling_kw"].to_numpy() - 1e-9).all()
    assert any("heat wave" in note for note in hot.notes)


def test_a_biased_sensor_moves_the_air_and_not_the_set_point(quiet: Trace) -> None:
    warm = day(event("sensor_bias", bias="1.5 K"))
    during = slice(NOON, NOON + 8)
    rise = (warm.frame["inlet_degc"] - quiet.frame["inlet_degc"]).to_numpy()[during]
    np.testing.assert_allclose(rise, 1.5, atol=1e-9)


def test_a_storm_takes_its_share_of_the_pv(quiet: Trace) -> None:
    storm = day(event("pv_loss", lost="40 %"))
    during = slice(NOON, NOON + 8)
    np.testing.assert_allclose(
        storm.frame["pv_kw"].to_numpy()[during], 0.6 * quiet.frame["pv_kw"].to_numpy()[during]
    )


def test_events_beside_the_horizon_or_the_steps_are_refused_together() -> None:
    scenario = aidc.load(WEEK, sets=DAY)
    wrong = [
        event("dx_trip") | {"start": "2023-07-03T12:07:00+08:00"},
        event("dx_trip")
        | {"start": "2024-01-01T00:00:00+08:00", "end": "2024-01-02T00:00:00+08:00"},
        event("dx_trip", site="moon"),
    ]
    with pytest.raises(InputError) as told:
        scenario.replace("events", wrong)
    text = str(told.value)
    for words in ("not on a step", "outside the horizon", "no site 'moon'"):
        assert words in text
    with pytest.raises(InputError, match="earthquake"):
        scenario.replace("events", [event("earthquake")])


def test_generators_carry_a_site_without_grid_and_the_hall_warms_until_its_cooling_is_back(
    quiet: Trace,
) -> None:
    lost = day(event("utility_loss"))
    rows = slice(NOON, NOON + 8)
    frame = lost.frame.iloc[rows]
    assert (frame["grid_import_kw"] == 0).all()
    load = frame[["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]].sum(axis=1)
    np.testing.assert_allclose(load, frame["generator_kw"] + frame["pv_kw"], rtol=1e-12)
    np.testing.assert_allclose(
        lost.frame["it_kw"], quiet.frame["it_kw"], rtol=1e-12, err_msg="all servers keep running"
    )
    assert lost.counts["unserved_kwh"] == 0
    assert lost.counts["generator_kwh"] == pytest.approx(frame["generator_kw"].sum() * 0.25)
    fuel = frame["generator_fuel_kw"].to_numpy()
    rated = lost.scenario.sites["lingang"].site.backup.generator_kw
    np.testing.assert_allclose(
        fuel, (0.0162 * rated + 0.2485 * frame["generator_kw"]) * 9.95, rtol=1e-12
    )
    row = lost.incidents.iloc[0]
    assert row["cause"] == "utility_loss"
    assert (row["end"] - row["start"]).total_seconds() == 15 + 120
    heat = quiet.frame["heat_removed_kw"].to_numpy()[NOON]
    assert row["unmet_kwh"] == pytest.approx(heat * 135 / 3600)
    site = lost.scenario.sites["lingang"].site
    air_only_k = heat * 135 / (site.rated_it_kw / site.hall.rack_kw * 9 * 1.19 * 1.006)
    before = quiet.frame["inlet_degc"].iloc[NOON]
    assert before < row["warmest_inlet_degc"] < before + air_only_k, "racks take a part of the heat"


def test_without_generators_the_site_is_dark_and_what_did_not_run_is_counted(quiet: Trace) -> None:
    dark = day(event("utility_loss"), overrides=("site.backup=null",))
    frame = dark.frame.iloc[NOON : NOON + 8]
    for column in ("it_kw", "cooling_kw", "grid_import_kw", "generator_kw", "water_l_per_h"):
        assert (frame[column] == 0).all(), column
    np.testing.assert_array_equal(frame["pv_curtailed_kw"], frame["pv_kw"])
    facility = quiet.facility_kw.iloc[NOON : NOON + 8].sum() * 0.25
    assert dark.counts["unserved_kwh"] == pytest.approx(facility)
    busy = quiet.frame["gpus_busy"].iloc[NOON : NOON + 8].sum() * 0.25
    assert dark.counts["dark_gpu_h"] == pytest.approx(busy)
    assert sum(dark.accounts[name] for name in ("jobs_kwh", "unallocated_kwh")) == pytest.approx(
        dark.accounts["meter_kwh"]
    )


def test_load_beyond_the_generators_is_shed() -> None:
    small = day(event("utility_loss"), overrides=("site.backup.generator_kw=1000",))
    frame = small.frame.iloc[NOON : NOON + 8]
    load = frame[["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]].sum(axis=1)
    np.testing.assert_allclose(load, 1000 + frame["pv_kw"], rtol=1e-9)
    assert (frame["unserved_kw"] > 0).all()
    assert small.balance_residual < 1e-9


def test_diesel_of_a_utility_loss_is_in_the_books() -> None:
    scenario = aidc.load(WEEK, sets=DAY).replace("events", [event("utility_loss")])
    books = aidc.account(aidc.simulate(scenario))
    burnt = books.statements["baseline"]["S1"].total_tco2e
    fuel_kwh = aidc.simulate(scenario).kwh("generator_fuel_kw")
    assert float(burnt) == pytest.approx(fuel_kwh / 1000 * 3.6 * 0.0202 * 0.98 * 44 / 12, rel=1e-6)


def test_every_kind_of_event_has_words_in_the_report() -> None:
    kinds = {
        str(item.model_fields["kind"].annotation.__args__[0])
        for item in get_args(get_args(Event)[0])
    }
    assert kinds <= KINDS.keys()
