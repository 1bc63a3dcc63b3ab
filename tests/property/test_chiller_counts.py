"""Counts of chillers in a plan: against every course there is, and never dearer than the plant's rule."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aidc
from aidc.optimization.bus import Bus
from aidc.optimization.commitment import Chillers
from aidc.optimization.model import site_model
from aidc.optimization.objective import Prices, worth_keeping
from aidc.optimization.plant_tables import Option, PlantTables
from aidc.optimization.solve import solve
from aidc.scenario import Scenario
from tests.golden.models import bus as golden_bus
from tests.windows import SCENARIOS

COUNT = 3
LEVELS = (20.0, 21.0)  # the set-point in force is 19 degC
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def held(changes: dict[int, int], least: int, slot: int) -> int:
    """Machines that a change of some slots ago still binds in a slot."""
    return sum(size for ago, size in changes.items() if ago + slot < least)


def allowed(course: tuple[int, ...], ran: list[int], up: int, down: int) -> bool:
    """Machine by machine: the one that has been off longest starts, the one on longest stops.

    Machines that the plant's rule stopped or started too soon before the window may stay as they are.
    """
    whole = [*ran, *course]
    on_since, off_since = [-99] * whole[0], [-99] * (COUNT - whole[0])
    for at in range(1, len(whole)):
        planned = at >= len(ran)
        for _ in range(whole[at] - whole[at - 1]):
            since = off_since.pop(0)
            if planned and at - since < down:
                return False
            on_since.append(at)
        for _ in range(whole[at - 1] - whole[at]):
            since = on_since.pop(0)
            if planned and at - since < up:
                return False
            off_since.append(at)
    return True


@st.composite
def windows(draw: st.DrawFn) -> tuple[PlantTables, Prices, Bus, list[int], int, int]:
    """Two to four hours at one load, two levels, the rule and one to three machines."""
    slots = draw(st.integers(2, 4))
    options = tuple(Option(level, 0, count) for level in LEVELS for count in (-1, 1, 2, 3))
    cost = st.integers(100, 130).map(float)
    size = slots * len(options)
    drawn = draw(st.lists(cost, min_size=size, max_size=size))
    facility_kw = np.array(drawn).reshape(slots, len(options), 1)
    rule_is = draw(st.lists(st.integers(1, COUNT), min_size=slots, max_size=slots))
    for t, count in enumerate(rule_is):  # the rule runs some number of machines
        facility_kw[t, [0, 4]] = facility_kw[t, [count, 4 + count]]
    if draw(st.booleans()):  # a count that is nowhere worth it
        facility_kw[:, [3, 7]] = facility_kw[:, [2, 6]] + 1.0
    none, it_kw = np.zeros_like(facility_kw), np.full((slots, 1), 100.0)
    tables = PlantTables(options, 1, it_kw, facility_kw, none, none, none, none, none, none)
    money = Prices("kWh", np.ones(slots), np.zeros(slots), none, 0.0, 0.0, 0.0, 0.0)
    up, down = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    ran = draw(st.lists(st.integers(1, COUNT), min_size=0, max_size=4))
    chillers = Chillers.after(np.array(ran, float), 1.0, COUNT, up, down, 1.0, slots)
    bus = replace(
        golden_bus(), pv_kw=np.zeros(slots), battery_kwh=0.0, supply_degc=19.0,
        ramp_k_per_h=draw(st.sampled_from([1.0, 10.0])), month_of_slot=np.full(slots, 7),
        chillers=chillers,
    )  # fmt: skip
    return tables, money, bus, ran, up, down


def solved(
    tables: PlantTables, money: Prices, bus: Bus, kept: np.ndarray
) -> tuple[float, list[float]]:
    model = site_model(tables, money, bus, kept)
    found = solve(model, gap_frac=0.0, limit_s=20.0, what="test")
    by_rule = pyo.value(model.by_rule) > 0.5
    return found.objective, [] if by_rule else [pyo.value(model.chillers_on[t]) for t in model.SLOT]


def by_force(
    tables: PlantTables, bus: Bus, ran: list[int], up: int, down: int
) -> tuple[float, float]:
    """Least cost by the rule, and least cost over all allowed courses of counts."""
    slots = len(tables.it_kw)
    ramp = bus.ramp_k_per_h

    def levels() -> list[tuple[int, ...]]:
        courses = itertools.product(range(len(LEVELS)), repeat=slots)
        return [
            c for c in courses
            if all(abs(LEVELS[b] - a) <= ramp for a, b in zip(
                [bus.supply_degc, *(LEVELS[i] for i in c[:-1])], c, strict=True))
        ]  # fmt: skip

    def cost(level: tuple[int, ...], column: tuple[int, ...]) -> float:
        return sum(float(tables.facility_kw[t, 4 * level[t] + column[t], 0]) for t in range(slots))

    rule = min(cost(level, (0,) * slots) for level in levels())
    counts = min(
        (
            cost(level, course)
            for course in itertools.product(range(1, COUNT + 1), repeat=slots)
            if allowed(course, ran or [course[0]], up, down)
            for level in levels()
        ),
        default=np.inf,
    )
    return rule, counts


@SLOW
@given(windows())
def test_the_plan_is_the_best_of_all_courses_and_never_dearer_than_the_rule(
    window: tuple[PlantTables, Prices, Bus, list[int], int, int],
) -> None:
    tables, money, bus, ran, up, down = window
    every = np.ones(tables.facility_kw.shape[:2], bool)
    objective, course = solved(tables, money, bus, every)
    rule, counts = by_force(tables, bus, ran, up, down)
    assert objective <= rule + 1e-6
    assert objective == pytest.approx(min(rule, counts), abs=1e-6)
    if course:
        assert allowed(tuple(round(on) for on in course), ran or [round(course[0])], up, down)


@SLOW
@given(windows())
def test_what_is_not_offered_to_the_solver_costs_nothing(
    window: tuple[PlantTables, Prices, Bus, list[int], int, int],
) -> None:
    tables, money, bus, *_ = window
    assert bus.chillers is not None
    kept = worth_keeping(tables, money, bus.supply_degc, bus.ramp_k_per_h, bus.chillers.before)
    assert kept.any(axis=1).all()
    cut, _ = solved(tables, money, bus, kept)
    whole, _ = solved(tables, money, bus, np.ones_like(kept))
    assert cut == pytest.approx(whole, abs=1e-6)


def flat_tables(site_kw: list[list[float]], counts: tuple[int, ...]) -> tuple[PlantTables, Prices]:
    """Site power by slot and count at one level."""
    facility_kw = np.array(site_kw)[:, :, None]
    none, it_kw = np.zeros_like(facility_kw), np.full((len(site_kw), 1), 100.0)
    options = tuple(Option(20.0, 0, count) for count in counts)
    money = Prices("kWh", np.ones(len(site_kw)), np.zeros(len(site_kw)), none, 0.0, 0.0, 0.0, 0.0)
    return PlantTables(options, 1, it_kw, facility_kw, none, none, none, none, none, none), money


def test_a_dearer_count_stays_where_least_times_may_need_it() -> None:
    tables, money = flat_tables([[110, 120], [120, 110], [110, 120]], (1, 2))
    assert worth_keeping(tables, money, 20.0, 1.0, 1).all()


def test_a_count_that_is_dearer_in_every_slot_goes_unless_it_is_in_force() -> None:
    tables, money = flat_tables([[110, 120], [110, 121], [110, 122]], (1, 2))
    assert worth_keeping(tables, money, 20.0, 1.0, None).tolist() == [[True, False]] * 3
    assert worth_keeping(tables, money, 20.0, 1.0, 1).tolist() == [[True, False]] * 3
    assert worth_keeping(tables, money, 20.0, 1.0, 2).all()


def test_least_times_cost_something_where_the_best_count_swings() -> None:
    """Without them 1, 2, 1, 2 machines at 100 kW each; a stopped one may not start again in the next hour."""
    tables, money = flat_tables([[100, 109], [103, 100], [100, 102], [103, 100]], (1, 2))
    free = Chillers.after(np.array([1.0]), 1.0, 2, 0.0, 0.0, 1.0, 4)
    bound = Chillers.after(np.array([1.0]), 1.0, 2, 3.0, 2.0, 1.0, 4)
    every = np.ones((4, 2), bool)
    beside = replace(
        golden_bus(), pv_kw=np.zeros(4), battery_kwh=0.0, supply_degc=20.0,
        month_of_slot=np.full(4, 7), chillers=free,
    )  # fmt: skip
    assert solved(tables, money, beside, every) == (pytest.approx(400.0), [1.0, 2.0, 1.0, 2.0])
    held_on = solved(tables, money, replace(beside, chillers=bound), every)
    assert held_on == (pytest.approx(402.0), [1.0, 2.0, 2.0, 2.0])


def test_steps_before_a_window_bind_it_by_the_hour() -> None:
    """Quarters of an hour: one start 45 and one stop 15 minutes ago, two hours on and one off at least."""
    found = Chillers.after(np.array([1.0, 2.0, 2.0, 1.0]), 0.25, 3, 2.0, 1.0, 0.5, 4)
    assert found.before == 1
    assert (found.min_up_slots, found.min_down_slots) == (4, 2)
    assert found.held_on.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert found.held_off.tolist() == [1.0, 1.0, 0.0, 0.0]


@cache
def water_plant() -> Scenario:
    sets = [
        "sites.lingang.overrides.cooling.tank=null", "end=2023-07-04T12:00:00+08:00",
        "plan.window=24 h", "plan.levels_degc=[22, 24]", "workload.jobs_per_day=14000",
    ]  # fmt: skip
    return aidc.load(SCENARIOS / "lingang-tank.yaml", sets=sets)


def test_the_replay_follows_the_counts_and_the_trace_shows_them() -> None:
    scenario = water_plant()
    baseline = aidc.simulate(scenario)
    schedule = aidc.plan(baseline)
    after = aidc.simulate(scenario, schedule=schedule)
    asked = schedule.setpoints["lingang"].chillers_on
    assert set(asked.tolist()) - {-1}, "the plan counts machines"
    ran = after.frame["chillers_on"].to_numpy()
    counted = asked >= 0
    missed = int((asked[counted] != ran[counted]).sum())
    assert after.counts["chiller_count_not_held_steps"] == missed <= 2
    assert after.counts["chiller_starts"] == np.maximum(np.diff(ran), 0).sum()
    assert after.counts["unmet_cooling_kwh"] == 0
    least = scenario.sites["lingang"].site.cooling
    assert least.kind == "chilled_water"
    if missed == 0 and counted.all():
        for begin in np.flatnonzero(np.diff(ran) > 0) + 1:
            hours = round(least.chiller_min_up_h / 0.25)
            assert ran[begin : begin + hours].min() >= ran[begin] - ran[begin - 1]
    assert (baseline.setpoints["lingang"].chillers_on == -1).all()
    assert baseline.counts["chiller_count_not_held_steps"] == 0
    used = [trace.kwh("cooling_kw") for trace in (baseline, after)]
    assert used[1] < used[0]
