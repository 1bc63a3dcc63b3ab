"""A controller without perfect foresight forecasts from its readings, and remembers them over a restart."""

from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pytest

from aidc.api import drivers_of
from aidc.bms import Controller, Observation, State, advise
from aidc.bms.expected_load import it_kw
from aidc.bms.history import MOST, History
from aidc.bms.knowledge import Knowledge, as_forecast, as_read, knowledge_of
from aidc.bms.look import look
from aidc.bms.observation import Job, Reading
from aidc.persistence import Method
from aidc.scenario import Scenario
from tests.bms import hall, observed, readings

STEP = timedelta(minutes=30)
PER_DAY = 48


@cache
def unforeseen(method: Method, days: int = 12) -> Scenario:
    """The hall over more days, with forecasts instead of foresight."""
    return hall().replace_all(
        {
            "plan.foresight": method,
            "end": (hall().start + timedelta(days=days)).isoformat(),
        }
    )


def daily(at: datetime) -> dict[str, float]:
    """Air, sun and load that are the same every day."""
    phase = 2 * np.pi * (at.hour + at.minute / 60 - 9) / 24
    return {
        "drybulb_degc": 28.0 + 5.0 * float(np.sin(phase)),
        "dewpoint_degc": 22.0,
        "it_kw": 120.0 + 30.0 * float(np.sin(phase)),
        "pv_kw": max(0.0, 60.0 * float(np.sin(phase))),
    }


def lived(scenario: Scenario, steps: int, gaps: tuple[int, ...] = ()) -> State:
    """The memory after some steps of such days, without any plan."""
    state = State()
    for step in range(steps):
        at = scenario.start + step * STEP
        seen = observed(scenario, at, **daily(at))
        if step in gaps:
            values = {name: Reading(float("nan"), at, "bad") for name in seen.values}
            seen = Observation(at, values)
        state = look(scenario, seen, state).state
    return State.from_json(state.to_json())


def known_at(scenario: Scenario, steps: int, **changed: float) -> Knowledge:
    """What a plan made after some steps knows."""
    at = scenario.start + steps * STEP
    now = look(scenario, observed(scenario, at, **(daily(at) | changed)), lived(scenario, steps))
    return knowledge_of(scenario, now)


@pytest.mark.parametrize("method", ["persistence", "learned"])
def test_days_that_repeat_are_foreseen_from_what_was_read(method: Method) -> None:
    known = known_at(unforeseen(method), 5 * PER_DAY)
    (name,) = known.scenario.sites
    frame, site = known.drivers.sites[name].frame, known.scenario.sites[name].site
    assert len(frame) == PER_DAY
    truth = [daily(at.to_pydatetime()) for at in frame.index]
    for column in ("drybulb_degc", "dewpoint_degc"):
        np.testing.assert_allclose(frame[column], [one[column] for one in truth], atol=1e-3)
    edges_s = np.arange(PER_DAY + 1) * 1800.0
    load = it_kw(site, known.drivers.jobs, known.baseline_s, edges_s).sum(axis=0)
    np.testing.assert_allclose(load, [one["it_kw"] for one in truth], atol=1e-3)
    # a clear-sky index spreads the day's energy as the sun stands, so it is the energy that is met
    wanted = np.mean([one["pv_kw"] for one in truth])
    assert frame["pv_kw"].mean() == pytest.approx(wanted, rel=0.15)
    assert frame["pv_kw"].iloc[:8].max() == 0.0, "there is no sun before four"


def test_readings_are_forecast_nearer_than_they_stay() -> None:
    """Five days of the hall's own weather, told at noon."""
    scenario, errors = unforeseen("learned"), {"held": 0.0, "learned": 0.0}
    (name,) = scenario.sites
    weather = drivers_of(scenario).sites[name].frame
    state = State()
    for step in range(5 * PER_DAY + 25):
        at = scenario.start + step * STEP
        row = weather.iloc[step]
        told = {column: float(row[column]) for column in ("drybulb_degc", "dewpoint_degc", "pv_kw")}
        now = look(scenario, observed(scenario, at, **told), state)
        state = now.state
    for what, known in (("held", as_read(scenario, now)), ("learned", knowledge_of(scenario, now))):
        frame = known.drivers.sites[name].frame
        truth = weather.loc[frame.index]
        assert frame["pv_kw"].iloc[0] == pytest.approx(truth["pv_kw"].iloc[0]), "it was just read"
        errors[what] = float((frame["pv_kw"] - truth["pv_kw"]).abs().mean())
    assert errors["learned"] < 0.5 * errors["held"]


@pytest.mark.parametrize("method", ["persistence", "learned"])
def test_at_the_first_step_a_forecast_is_what_was_read(method: Method) -> None:
    scenario = unforeseen(method)
    at = scenario.start + timedelta(hours=12)
    now = look(scenario, observed(scenario, at, it_kw=130.0), State())
    known, held = as_forecast(scenario, now, method), as_read(scenario, now)
    (name,) = scenario.sites
    mine, theirs = (one.drivers.sites[name].frame for one in (known, held))
    for column in ("drybulb_degc", "dewpoint_degc", "wetbulb_degc", "tariff_cny_per_kwh"):
        np.testing.assert_allclose(mine[column], theirs[column], rtol=1e-12)
    load = known.drivers.jobs.added_kw
    np.testing.assert_allclose(load, held.drivers.jobs.added_kw[0])


def test_a_reported_job_is_part_of_the_expected_load_and_not_added_to_it() -> None:
    scenario = unforeseen("persistence")
    at = scenario.start + 2 * PER_DAY * STEP
    pool = scenario.sites["lingang"].site.pools[0].name
    job = Job("train", pool, 8, 5.0, at, 4 * 3600.0, 0.0)
    seen = Observation(at, readings(scenario, at, **daily(at)), submitted=(job,))
    known = knowledge_of(scenario, look(scenario, seen, lived(scenario, 2 * PER_DAY)))
    site, edges_s = scenario.sites["lingang"].site, np.arange(PER_DAY + 1) * 1800.0
    assert "train" in known.drivers.jobs.job_id
    load = it_kw(site, known.drivers.jobs, known.baseline_s, edges_s).sum(axis=0)
    truth = [daily(at + step * STEP)["it_kw"] for step in range(PER_DAY)]
    np.testing.assert_allclose(load, truth, atol=1e-3)


def test_a_plan_on_forecasts_comes_from_memory_and_observation_alone() -> None:
    scenario = unforeseen("persistence")
    at = scenario.start + 2 * PER_DAY * STEP
    advice, state = advise(
        scenario, observed(scenario, at, **daily(at)), lived(scenario, 2 * PER_DAY)
    )
    assert advice.status == "planned", advice.reason
    again, _ = advise(scenario, observed(scenario, at, **daily(at)), lived(scenario, 2 * PER_DAY))
    assert again == advice, "the same memory gives the same advice"
    memory = lived(scenario, 2 * PER_DAY).to_json()
    with Controller(scenario, limit_s=60, state=memory) as controller:
        assert controller.prepare(limit_s=120)
        assert controller.step(observed(scenario, at, **daily(at))) == advice
        assert controller.state == state.to_json()
    assert not [start.job_id for start in advice.job_starts], "an expected load is no job to start"
    assert State.from_json(state.to_json()) == state


def test_a_gap_is_bridged_and_what_is_too_old_forgotten() -> None:
    scenario = unforeseen("persistence")
    state = lived(scenario, 10, gaps=(4, 5, 6, 7))
    values = state.history.columns["drybulb_degc"]
    assert len(values) == 10
    assert np.isnan(values[6:8]).all(), "after two steps a last value is no reading any more"
    filled = state.history.series("drybulb_degc")
    np.testing.assert_array_equal(filled[4:8], filled[3])
    start, history, step = scenario.start, History(), timedelta(hours=12)
    for count in range(100):
        reading = {"it_kw": Reading(float(count), start + count * step)}
        history = history.noted(start + count * step, step, reading, {"it_kw"})
    assert len(history) == MOST // step == 56
    assert history.columns["it_kw"] == tuple(map(float, range(44, 100)))
    assert history.start == start + 44 * step
    back = history.noted(start + 50 * step, step, {}, {"it_kw"})
    assert len(back) == 7, "a clock set back forgets its future"
    assert np.isnan(back.columns["it_kw"][-1])


def test_with_foresight_nothing_is_remembered() -> None:
    at = hall().start
    assert look(hall(), observed(hall(), at), State()).state.history == History()
