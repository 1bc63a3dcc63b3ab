"""The controller of a BMS: it is the rolling planner step by step, never late, and never without an end."""

import json
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import aidc
from aidc.api import drivers_of
from aidc.api.verbs import lived
from aidc.api.verbs import simulate as simulated
from aidc.bms import Advice, Controller, Job, Observation, Reading, State, advise
from aidc.bms.chillers import noted, ran
from aidc.cli import app
from aidc.errors import ObservationError
from aidc.schedule import SETPOINT_COLUMNS
from aidc.simulation import simulate
from aidc.trace import Trace
from tests.bms import SCENARIO, SETS, Behind, hall, observed, readings

HANGS = "import sys, time, aidc.bms.pure_step as a; a.tried = lambda *_: time.sleep(600); from aidc.bms.worker import main; main(int(sys.argv[1]))"
DIES = "import sys, os, aidc.bms.pure_step as a; a.tried = lambda *_: os._exit(3); from aidc.bms.worker import main; main(int(sys.argv[1]))"
STEP = timedelta(minutes=30)


@cache
def batch() -> Trace:
    """The rolling simulation, in which the plan is lived."""
    return lived(hall(), simulated(hall()))[1]


@cache
def first() -> tuple[Advice, State]:
    """The first step of a controller."""
    return advise(hall(), observed(hall(), hall().start), State())


def assert_same_run(trace: Trace, other: Trace) -> None:
    (name,) = trace.setpoints
    for column in SETPOINT_COLUMNS:
        mine, theirs = (getattr(one.setpoints[name], column) for one in (trace, other))
        np.testing.assert_array_equal(mine, theirs, column)
    np.testing.assert_array_equal(trace.job_runs[name].start_s, other.job_runs[name].start_s)


def test_step_by_step_the_controller_gives_the_rolling_simulation_to_the_bit() -> None:
    state = State()

    def step(seen: Observation) -> Advice:
        nonlocal state
        advice, state = advise(hall(), seen, state)
        state = State.from_json(state.to_json())  # a restart before every step
        return advice

    behind = Behind(hall(), step)
    trace = simulate(hall(), drivers_of(hall()), variant="planned", planner=behind)
    assert_same_run(trace, batch())
    assert len(behind.advice) == 36 * 2
    (name,) = hall().sites
    supply = batch().setpoints[name].supply_degc
    assert len(np.unique(supply)) > 1  # there was something to get wrong
    moved = batch().job_runs[name].start_s - simulated(hall()).job_runs[name].start_s
    assert np.nanmax(moved) > 3600.0
    # what has ended is forgotten: the memory holds what runs, not what ever ran
    assert len(state.started) < 0.5 * len(behind.told)


def test_the_process_of_a_controller_gives_the_same_and_goes_on_after_a_restart() -> None:
    saved: list[str] = []
    controllers = [Controller(hall(), limit_s=60)]

    def step(seen: Observation) -> Advice:
        if len(saved) in (5, 24):  # in the middle of a plan, and before a new one
            controllers[-1].close()
            controllers.append(Controller(hall(), limit_s=60, state=saved[-1]))
        advice = controllers[-1].step(seen)
        saved.append(controllers[-1].state)
        return advice

    behind = Behind(hall(), step)
    trace = simulate(hall(), drivers_of(hall()), variant="planned", planner=behind)
    controllers[-1].close()
    assert_same_run(trace, batch())


def test_the_same_input_gives_the_same_output() -> None:
    advice, state = first()
    again = advise(hall(), observed(hall(), hall().start), State())
    assert (again[0].to_json(), again[1].to_json()) == (advice.to_json(), state.to_json())


def test_the_plan_costs_less_power_than_the_baseline_policy_over_its_window() -> None:
    expected = first()[0].expected
    assert expected is not None
    assert (expected.start, expected.end) == (hall().start, hall().start + timedelta(hours=24))
    assert 1.0 < expected.plan.pue < 2.0
    assert 1.0 < expected.baseline.pue < 2.0
    assert expected.plan.facility_kw > expected.plan.kgco2e / 24 > 0  # below 1 kg a kWh


def test_the_expected_baseline_is_the_simulated_one() -> None:
    # at the start of a horizon the baseline policy from here on is the baseline
    expected, trace = first()[0].expected, simulated(hall())
    assert expected is not None
    day = trace.frame.iloc[: 24 * 2]
    pue = trace.facility_kw.iloc[: 24 * 2].sum() / day["it_kw"].sum()
    assert expected.baseline.pue == pytest.approx(pue, rel=1e-9)
    carbon = (day["grid_import_kw"] * day["grid_kgco2e_per_kwh"]).sum() / 2
    assert expected.baseline.kgco2e == pytest.approx(carbon, rel=1e-9)


def test_a_hung_solver_gives_an_answer_within_the_limit_and_holds() -> None:
    start = hall().start
    _, state = first()
    later = start + timedelta(hours=12)  # a new plan is due
    before = replace(state, time=later - STEP)
    with Controller(hall(), limit_s=4, state=before.to_json()) as controller:
        controller._program = (sys.executable, "-c", HANGS)
        assert controller.prepare(60)
        began = time.monotonic()
        advice = controller.step(observed(hall(), later))
        took_s = time.monotonic() - began
        assert 3 < took_s < 4
        assert advice.status == "held"
        assert "the solve was given up" in advice.reason[1]
        plan = state.plan
        assert plan is not None
        assert advice.setpoints[0].value == plan.columns["supply_degc"][24]  # the plan goes on
        controller._program = Controller(hall(), limit_s=9)._program
        assert controller.prepare(60)  # and the next step has a process again
        controller._limit_s = 60
        assert controller.step(observed(hall(), later + STEP)).status == "planned"


def test_a_solver_that_dies_is_an_answer_too() -> None:
    with Controller(hall(), limit_s=60) as controller:
        controller._program = (sys.executable, "-c", DIES)
        advice = controller.step(observed(hall(), hall().start))
    assert advice.status == "fallback"
    assert "the planning process ended" in advice.reason[1]
    assert all(point.value is None and point.action == "release" for point in advice.setpoints)


def test_a_process_that_is_not_ready_is_waited_for_and_no_step_is_late() -> None:
    with Controller(hall(), limit_s=0.8) as controller:
        controller._program = (sys.executable, "-c", "import time; time.sleep(60)")
        began = time.monotonic()
        advices = [controller.step(observed(hall(), hall().start + k * STEP)) for k in range(2)]
        assert time.monotonic() - began < 2.0
    assert [advice.status for advice in advices] == ["fallback"] * 2
    assert "getting ready" in advices[0].reason[1]


def test_without_a_new_plan_the_last_goes_on_then_holds_then_falls_back() -> None:
    _, state = first()
    bad = {"supply_degc": float("nan")}
    seen = []
    for hours in (11.5, 12.0, 23.5, 24.0, 24.5):
        at = hall().start + timedelta(hours=hours)
        advice, state = advise(hall(), observed(hall(), at, **bad), state)
        seen.append((advice.status, advice.setpoints[0].action))
        assert "supply_degc is not a number" in advice.reason
    assert seen == [
        ("held", "write"),
        ("held", "write"),
        ("held", "write"),
        ("fallback", "release"),  # the plan ended, and its last set-point with it
        ("fallback", "release"),
    ]


def test_a_set_point_without_a_plan_holds_until_its_end_and_not_longer() -> None:
    _, state = first()
    later = hall().start + timedelta(minutes=20)
    lost = replace(state, plan=None, readings={})
    seen = replace(observed(hall(), later, supply_degc=float("nan")))
    advice, kept = advise(hall(), seen, lost)
    assert advice.status == "held"
    assert advice.setpoints[0].action == "hold"
    assert advice.setpoints[0].valid_until == hall().start + 2 * STEP  # not put off
    assert advice.job_starts == ()
    advice, _ = advise(
        hall(), observed(hall(), hall().start + 2 * STEP, supply_degc=float("nan")), kept
    )
    assert advice.status == "fallback"


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        (Reading(float("nan"), hall().start), "battery_kwh is not a number"),
        (Reading(float("inf"), hall().start), "battery_kwh is not a number"),
        (Reading(100.0, hall().start, "uncertain"), "battery_kwh is of quality uncertain"),
        (Reading(100.0, hall().start - 3 * STEP), "battery_kwh is stale"),
        (Reading(100.0, hall().start + 3 * STEP), "battery_kwh is from the future"),
    ],
    ids=["nan", "inf", "quality", "stale", "future"],
)
def test_what_a_plan_needs_and_lacks_is_named(reading: Reading, says: str) -> None:
    values = readings(hall(), hall().start) | {"battery_kwh": reading}
    advice, _ = advise(hall(), Observation(hall().start, values), State())
    assert advice.status == "fallback"
    assert advice.reason[1].startswith(says)


def test_a_reading_that_is_bad_for_a_moment_is_bridged_by_the_last_good_one() -> None:
    _, state = first()
    at = hall().start + STEP
    advice, state = advise(hall(), observed(hall(), at, battery_kwh=float("nan")), state)
    assert advice.status == "planned"
    advice, _ = advise(hall(), observed(hall(), at + 3 * STEP, battery_kwh=float("nan")), state)
    assert advice.status == "held"


def test_a_point_that_a_foreseen_plan_does_not_need_may_fail() -> None:
    advice, _ = advise(hall(), observed(hall(), hall().start, drybulb_degc=float("nan")), State())
    assert advice.status == "planned"


def test_every_fault_of_the_wiring_comes_at_once_with_its_remedy() -> None:
    at = hall().start
    values = readings(hall(), at)
    del values["month_peak_kw"]
    values["battery_kw"] = values.pop("battery_kwh")
    values["supply_degc"] = Reading(75.2, at, unit="degF")
    values["it_kw"] = Reading(100.0, datetime(2023, 7, 30))  # noqa: DTZ001
    with pytest.raises(ObservationError) as told:
        advise(hall(), Observation(datetime(2023, 7, 30), values), State())  # noqa: DTZ001
    text = str(told.value)
    assert told.value.exit_status == 2
    assert len(told.value.faults) == 5
    assert "time: 2023-07-30T00:00:00 has no zone" in text
    assert (
        "values.battery_kwh: missing; wire energy in the battery in kWh - is it 'battery_kw'?"
        in text
    )
    assert "values.month_peak_kw: missing" in text
    assert "values.supply_degc: 75.2 degF is not in degC; convert it" in text


def test_a_wiring_fault_leaves_the_memory_as_it_was() -> None:
    with Controller(hall(), limit_s=5, state=first()[1].to_json()) as controller:
        before = controller.state
        with pytest.raises(ObservationError):
            controller.step(Observation(hall().start, {}))
        assert controller.state == before


def test_a_peak_of_the_month_before_says_nothing() -> None:
    last = datetime.fromisoformat("2023-07-31T23:30:00+08:00")
    _, state = advise(hall(), observed(hall(), last, month_peak_kw=180.0), State())
    assert (state.month, state.month_peak_kw) == ("2023-07", 180.0)
    values = readings(hall(), last + STEP) | {"month_peak_kw": Reading(180.0, last)}
    _, state = advise(hall(), Observation(last + STEP, values), state)
    assert (state.month, state.month_peak_kw) == ("2023-08", 0.0)
    # a meter that is silent does not lower it
    _, state = advise(hall(), observed(hall(), last + 2 * STEP, month_peak_kw=90.0), state)
    _, state = advise(hall(), observed(hall(), last + 3 * STEP, month_peak_kw=float("nan")), state)
    assert state.month_peak_kw == 90.0


def test_how_many_chillers_ran_is_remembered_by_step_as_far_back_as_it_binds() -> None:
    start, least = hall().start, timedelta(hours=2)
    changes: tuple[tuple[datetime, float], ...] = ()
    counts = [2, 2, 3, 3, 3, 1, 1, 1]
    for k, count in enumerate(counts):
        changes = noted(changes, start + k * STEP, float(count), least)
    assert [count for _, count in changes] == [2, 3, 1]
    assert ran(changes, start + 7 * STEP, STEP, least) == (3, 3, 1, 1, 1)[-5:]
    assert ran(changes, start + 1 * STEP, STEP, least) == (2, 2)  # no more is known
    for k in range(8, 400):
        changes = noted(changes, start + k * STEP, 1.0, least)
    assert len(changes) == 1  # and nothing is kept that binds no more
    assert ran((), start, STEP, least) == ()


def test_a_chilled_water_site_is_advised_on_chillers_and_tank() -> None:
    tank = aidc.load(
        SCENARIO.with_name("lingang-tank.yaml"),
        sets=["plan.window=6 h", "plan.commit=3 h", "pathway=null"],
    )
    values = readings(tank, tank.start, chillers_on=1.0, store_kwh=100.0, it_kw=1000.0)
    advice, state = advise(tank, Observation(tank.start, values), State())
    assert advice.status == "planned", advice.reason
    points = {point.point: point for point in advice.setpoints}
    assert {"supply_degc", "chillers_on", "store_charge_kw", "store_discharge_kw"} <= set(points)
    assert "spray" not in points
    assert state.chillers == ((tank.start, 1.0),)


def test_a_clock_that_jumps_leaves_no_set_point_longer_than_two_steps() -> None:
    _, state = first()
    hours = (6.0, -5.0, 30.0, 11.9, -400.0, 8000.0)
    for at in (hall().start + timedelta(hours=hour) for hour in hours):
        advice, state = advise(hall(), observed(hall(), at), state)
        assert all(point.valid_until <= at + 2 * STEP for point in advice.setpoints)
        assert advice.status == "planned"


def test_beyond_the_scenario_what_is_read_is_taken_to_stay() -> None:
    at = hall().end + timedelta(hours=7)
    job = Job("train", hall().sites["lingang"].site.pools[0].name, 8, 3.0, at, 7200.0, 6 * 3600.0)
    urgent = replace(job, job_id="serve", slack_s=0.0)
    seen = replace(observed(hall(), at, it_kw=120.0), submitted=(job, urgent))
    advice, state = advise(hall(), seen, State())
    assert advice.status == "planned"
    assert advice.expected is not None
    plan = state.plan
    assert plan is not None
    start_s = (at - hall().start).total_seconds()
    assert start_s <= plan.starts["train"] <= start_s + 6 * 3600.0
    assert plan.starts["serve"] == start_s
    assert set(plan.starts) == {"train", "serve"}
    # IT power stays at what was read, with the two jobs on top in their hours
    base = advise(hall(), observed(hall(), at, it_kw=120.0), State())[0].expected
    assert base is not None
    it_kw = base.baseline.facility_kw / base.baseline.pue
    assert it_kw == pytest.approx(120.0, rel=0.02)  # fans draw more at a warmer inlet
    warm = advise(
        hall(), observed(hall(), at, it_kw=120.0, drybulb_degc=36.0, dewpoint_degc=27.0), State()
    )[0]
    assert warm.expected is not None
    assert warm.expected.baseline.pue > base.baseline.pue
    done = replace(observed(hall(), at + STEP), ended={"serve": at + STEP}, started={"train": at})
    _, state = advise(hall(), done, state)
    assert set(state.known) == {"train"}


def test_a_job_that_ends_early_gives_its_boards_back() -> None:
    _, state = first()
    plan = state.plan
    assert plan is not None
    jobs = drivers_of(hall()).jobs
    row = int(np.flatnonzero(jobs.warm & (jobs.run_s > 24 * 3600.0))[0])
    later = hall().start + timedelta(hours=12)
    seen = observed(hall(), later)
    job = jobs.job_id[row]
    started = replace(seen, started={job: hall().start}, ended={job: hall().start + STEP})
    stays = replace(seen, started={job: hall().start})
    _, gone = advise(hall(), started, state)
    _, still = advise(hall(), stays, state)
    assert gone.plan is not None
    assert still.plan is not None
    assert np.isnan(gone.plan.standing[job])
    lighter, heavier = gone.plan.expected, still.plan.expected
    saved_kw = heavier.plan.facility_kw - lighter.plan.facility_kw
    assert saved_kw > jobs.added_kw[row] * 0.9


def test_advice_behind_a_pipe_with_its_memory_in_a_file(tmp_path: Path) -> None:
    memory = tmp_path / "state.json"
    sets = [word for one in SETS for word in ("--set", one)]
    command = ["bms", "step", str(SCENARIO), "--state", str(memory), "--limit", "60", *sets]
    at = hall().start
    lines = [observed(hall(), at + k * STEP).to_json() for k in range(3)]
    done = CliRunner().invoke(app, [*command, "--lines"], input="\n".join(lines) + "\n")
    assert done.exit_code == 0, done.output
    advices = [Advice.from_json(line) for line in done.stdout.splitlines()]
    assert [advice.status for advice in advices] == ["planned"] * 3
    assert advices[0] == first()[0]
    done = CliRunner().invoke(app, command, input=observed(hall(), at + 3 * STEP).to_json())
    assert json.loads(done.stdout)["status"] == "planned"
    assert State.from_json(memory.read_text()).time == at + 3 * STEP


def test_a_step_that_does_not_plan_takes_little_time_at_400_points() -> None:
    more = {f"point_{k}": Reading(1.0, hall().start) for k in range(400)}
    with Controller(hall(), limit_s=5, state=first()[1].to_json()) as controller:
        took_s = []
        for k in range(1, 8):
            seen = observed(hall(), hall().start + k * STEP)
            seen = replace(seen, values={**more, **seen.values})
            began = time.perf_counter()
            assert controller.step(seen).status == "planned"
            took_s.append(time.perf_counter() - began)
        assert controller._worker is None
    assert min(took_s) < 0.05


def test_consecutive_set_points_overlap_so_that_one_lost_cycle_is_bridged() -> None:
    state, until = first()[1], []
    for k in range(1, 4):
        advice, state = advise(hall(), observed(hall(), hall().start + k * STEP), state)
        until.append(advice.setpoints[0].valid_until)
    assert all(after - before == STEP for before, after in pairwise(until))
