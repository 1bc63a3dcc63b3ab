"""Bounds that the verifier finds, against the cheapest of all schedules of small windows with everything in them."""

import itertools
import math
from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from aidc.optimization import problem as window_problem
from aidc.optimization.bound import Certificate, Window, marginal_price
from aidc.optimization.model import price_it_power, site_model
from aidc.optimization.peaks import Peaks
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.solve import solve
from aidc.verifier import PRICES, digest, lower_bound
from tests.golden.models import tank as golden_tank
from tests.property.test_plan_brute_force import OBJECTIVES, SLOW, airs, boards_at_once, tenths
from tests.windows import HOUR_S, MONTH, Air, Job, TableModel, problem_of, scenario_with

GPUS, MOST_SCHEDULES = 256, 24
KW_OF_COLD = 0.25  # site power of a kW of cold, made up
JOBS = st.lists(
    st.builds(Job, tenths(0, 19), tenths(5, 30), tenths(5, 50), st.integers(8, 64), tenths(1, 3)),
    min_size=1,
    max_size=3,
)


def with_tank(tables: PlantTables, rate_kw: float) -> PlantTables:
    """The tables with a tank that is at rest, charged or discharged."""
    shape = tables.facility_kw.shape
    net = np.concatenate([np.zeros(shape), np.full(shape, rate_kw), np.full(shape, -rate_kw)], 2)

    def thrice(values: np.ndarray) -> np.ndarray:
        return np.tile(values, 3)

    return PlantTables(
        options=tables.options,
        rates=3,
        it_kw=thrice(tables.it_kw),
        facility_kw=thrice(tables.facility_kw) + KW_OF_COLD * net,
        overhead_kw=thrice(tables.overhead_kw) + KW_OF_COLD * net,
        water_l_per_h=thrice(tables.water_l_per_h),
        served_kw=thrice(tables.served_kw),
        unmet_kw=thrice(tables.unmet_kw),
        store_charge_kw=np.maximum(net, 0.0),
        store_discharge_kw=np.maximum(-net, 0.0),
    )


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, TableModel]:
    slots = draw(st.integers(2, 3))
    jobs = [job for job in draw(JOBS) if job.earliest_h < slots]
    assume(jobs)
    starts = [
        1 + sum(j.earliest_h < h <= j.earliest_h + j.slack_h for h in range(slots)) for j in jobs
    ]
    assume(1 < math.prod(starts) <= MOST_SCHEDULES)
    scenario = scenario_with(
        objective=draw(st.sampled_from(OBJECTIVES)), ramp_k_per_h=draw(st.sampled_from([2.0, 20.0])),
        step_min=60.0, gap_frac=1e-6, levels_degc=(22.0, 24.0, 26.0),
    )  # fmt: skip
    problem = problem_of(
        scenario, draw(airs(slots)), jobs, fixed_gpus=float(GPUS - boards_at_once(jobs)),
        demand_cny_per_kw_month=draw(st.sampled_from([0.0, 42.0])),
        battery_kwh=draw(st.sampled_from([0.0, 60.0])), month_peak_kw=draw(st.sampled_from([0.0, 60.0])),
    )  # fmt: skip
    model = TableModel.of(problem)
    tables, bus, edges = model.tables, model.bus, np.arange(slots + 1) * HOUR_S
    if draw(st.booleans()):
        tables = with_tank(tables, 25.0)
        bus = replace(bus, tank=golden_tank(), store_kwh=draw(st.sampled_from([0.0, 45.0])))
    floor_kw, later = bus.peaks.floor_kw[MONTH], draw(st.sampled_from([MONTH, MONTH + 1]))
    bus = replace(
        bus,
        month_of_slot=np.array([MONTH, *[later] * (slots - 1)]),
        peaks=Peaks(
            {MONTH: floor_kw, MONTH + 1: draw(st.sampled_from([0.0, 50.0]))},
            {MONTH: 1.0, MONTH + 1: draw(st.sampled_from([1.0, 0.3]))},
            np.full(slots, draw(st.sampled_from([0.0, 5.0]))),
        ),
    )
    money = window_problem.prices_of(problem, tables, 1, scenario.plan.goals[0])
    return Window(
        problem, tables, money, bus, edges, model.outside, scenario.plan.goals[0], "test"
    ), model


def optimum(window: Window, model: TableModel) -> float:
    """The least cost over every choice of starts, each with its best set-points and storage."""
    every = np.ones(window.tables.facility_kw.shape[:2], bool)
    site = site_model(window.tables, window.money, window.bus, every)
    best = math.inf
    for starts in filter(model.fits, itertools.product(*model.starts())):
        for t, kw in enumerate(model.load_kw(starts)):
            low, high = window.tables.it_kw[t, 0], window.tables.it_kw[t, -1]
            site.it_kw[t].fix(float(np.clip(kw, low, high)))
        cost = solve(site, gap_frac=0.0, limit_s=30.0, what="brute force").objective
        best = min(best, cost + model.tail(starts))
    return best


def priced(window: Window, model: TableModel) -> Certificate:
    """The certificate at what IT power costs with every job at its earliest start."""
    load = window_problem.load_kw(window.problem, window.problem.at, window.edges)
    return window.certificate(marginal_price(window.tables, window.money, window.bus, load))


@SLOW
@given(windows(), st.integers(0, 2**31), st.floats(0.0, 3.0))
def test_no_schedule_is_cheaper_than_the_certified_bound_at_any_prices(
    drawn: tuple[Window, TableModel], seed: int, spread: float
) -> None:
    window, model = drawn
    best = optimum(window, model)
    proven, room = priced(window, model), 1e-6 * max(1.0, abs(best))
    assert proven["bound"] <= best + room
    rng = np.random.default_rng(seed)
    other = dict(proven)
    for name in PRICES:
        other[name] = proven[name] * (1 + spread * rng.standard_normal(window.bus.pv_kw.shape))
        other[name] += spread * rng.standard_normal(window.bus.pv_kw.shape)
    assert lower_bound(other) <= best + room
    assert digest(other) == digest(proven) == proven["sha256"]


@SLOW
@given(airs(3), st.sampled_from(["emissions", "energy", "pue"]), st.sampled_from([2.0, 20.0]))
def test_without_stores_the_bound_is_that_of_the_priced_milp(
    air: Air, objective: str, ramp_k_per_h: float
) -> None:
    scenario = scenario_with(
        objective=objective,
        ramp_k_per_h=ramp_k_per_h,
        step_min=60.0,
        levels_degc=(22.0, 24.0, 26.0),
    )
    jobs = [Job(0.0, 2.0, 1.5, 40, 0.3)]
    problem = problem_of(scenario, replace(air, pv_kw=[0.0] * 3), jobs, fixed_gpus=150.0)
    model = TableModel.of(problem)
    window = Window(
        problem,
        model.tables,
        model.money,
        model.bus,
        np.arange(4) * HOUR_S,
        model.outside,
        scenario.plan.goals[0],
        "",
    )
    proven = priced(window, model)
    every = np.ones(model.tables.facility_kw.shape[:2], bool)
    site = site_model(model.tables, model.money, model.bus, every)
    price_it_power(site, proven["it_price"], 1.0)
    milp = solve(site, gap_frac=0.0, limit_s=30.0, what="priced").objective
    job = min(
        0.3 * 40 * _work(proven["it_price"], start, 1.5) + model.tail([start])
        for start in model.starts()[0]
    )
    whole = milp + float(proven["it_price"] @ proven["fixed_kw"]) + job
    np.testing.assert_allclose(proven["bound"], whole, rtol=1e-6, atol=1e-6)


def _work(price: np.ndarray, start_h: float, run_h: float) -> float:
    """Price of a kilowatt from a start on, inside the window."""
    ran = [max(0.0, min(start_h + run_h, t + 1) - max(start_h, t)) for t in range(len(price))]
    return float(np.dot(price, ran))
