"""One window: tables, MILP, assignment to jobs, the cost of that assignment, and a bound below it."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.forecast import Forecast, SiteDrivers
from aidc.horizon import Horizon
from aidc.optimization import calendar, classes
from aidc.optimization.classes import Movable
from aidc.optimization.model import (
    Bus,
    add_jobs,
    price_it_power,
    site_model,
)
from aidc.optimization.objective import Prices, prices, worth_keeping
from aidc.optimization.plant_tables import POINTS, Option, PlantTables, sample, slot_means
from aidc.optimization.solve import Solution, solve
from aidc.scenario import Scenario
from aidc.schedule import PlanningState, SetPoints, WindowProof
from aidc.site import Site
from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
NARROW_KW = 1e-3  # a range of IT power that is no range
BOUND_GAP_FRAC = (
    1e-4  # to which the site's part of the bound is solved; its own bound is what counts
)


@dataclass(frozen=True, slots=True)
class FixedWork:
    """Work that a window cannot move, by pool and slot.

    Attributes:
        kw: IT power above idle, shape (pools, slots).
        gpus: boards, shape (pools, slots).
        idle_kw: idle power of the pools, shape (pools,).
    """

    kw: Array
    gpus: Array
    idle_kw: Array


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What one window decides.

    Attributes:
        rows, start_s: jobs it speaks for and their starts.
        setpoints: on the simulation's steps of the window.
        promised: by slot: ``facility_kw, it_reference_kw, import_kw``.
        proof: status, objective, bound, gap and times.
    """

    rows: Rows
    start_s: Array
    setpoints: SetPoints
    promised: pd.DataFrame
    proof: WindowProof


@dataclass(frozen=True, slots=True)
class WindowProblem:
    """Everything that one window is given.

    Attributes:
        scenario, site, drivers: what is planned.
        options: choices of the operator.
        forecast: series of the window.
        state: what it inherits.
        fixed: work that cannot move.
        movable: jobs that can, all of them.
        at_s: where each movable job stands now, shape (n,); always feasible.
        others: start, end, boards and pool of every job that runs in or after the window.
    """

    scenario: Scenario
    site: Site
    drivers: SiteDrivers
    options: tuple[Option, ...]
    forecast: Forecast
    state: PlanningState
    fixed: FixedWork
    movable: Movable
    at_s: Array
    others: tuple[Array, Array, Array, Rows]

    @property
    def horizon(self) -> Horizon:
        """The whole horizon of the site."""
        return self.scenario.horizon(self.site.name)


def plan_window(problem: WindowProblem) -> WindowPlan:
    """The plan of one window with its proof.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no plan within the time.
    """
    began = time.perf_counter()
    plan = problem.scenario.plan
    per_slot = round(plan.step_min / problem.scenario.step_min)
    slot_s = plan.step_min * 60.0
    slots = len(problem.forecast.frame) // per_slot
    edges = problem.state.now_s + np.arange(slots + 1, dtype=np.float64) * slot_s
    tables = _tables(problem, per_slot, edges)
    money = _prices(problem, tables, per_slot)
    bus = _bus(problem, per_slot)
    jobs = problem.movable
    tail_price = _marginal(tables, money, bus, _load(problem, problem.at_s, edges))[
        -round(24 * S_PER_H / slot_s) :
    ]
    what = f"{problem.site.name}, window from {problem.forecast.frame.index[0].isoformat()}"
    built, solved = time.perf_counter() - began, 0.0
    start_s, sizes, status = problem.at_s, (0, 0, 0), "optimal"
    if len(jobs.row):
        planned = _plan_jobs(problem, tables, money, bus, edges, tail_price, what)
        found, start_s = planned.solution, planned.start_s
        built, solved = built + planned.build_s, found.solve_s
        sizes, status = (found.columns, found.rows, found.binaries), found.status
    load = _load(problem, start_s, edges)
    here = _tables_at(problem, per_slot, start_s, edges)
    here_money = _prices(problem, here, per_slot)
    model = site_model(here, here_money, bus, _kept(here, here_money, bus))
    done = solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=what)
    tail = _tail_of(problem, start_s, edges, tail_price)
    bounded = time.perf_counter()
    bound = _bound(problem, tables, money, bus, edges, tail_price, load, what)
    setpoints, promised = _read(problem, model, here, here_money, bus, per_slot)
    objective = done.objective + tail + _interpolation(tables, money, bus, promised, load)
    proof = WindowProof(
        site=problem.site.name,
        start=problem.forecast.frame.index[0].isoformat(),
        status="time_limit" if "time_limit" in (status, done.status) else "optimal",
        unit=money.unit,
        objective=objective,
        bound=bound,
        gap_frac=(objective - bound) / max(abs(objective), 1e-9),
        columns=max(sizes[0], done.columns),
        rows=max(sizes[1], done.rows),
        binaries=max(sizes[2], done.binaries),
        jobs_movable=len(jobs.row),
        jobs_moved=int((start_s > jobs.earliest_s + 1e-6).sum()),
        build_s=built + done.transfer_s,
        solve_s=solved + done.solve_s,
        bound_s=time.perf_counter() - bounded,
    )
    return WindowPlan(jobs.row, start_s, setpoints, promised, proof)


def _tables(problem: WindowProblem, per_slot: int, edges: Array) -> PlantTables:
    """Plant tables over the IT power that the window can reach."""
    fixed, jobs, site = problem.fixed, problem.movable, problem.site
    low = fixed.kw + fixed.idle_kw[:, None]
    reach = np.zeros_like(low)
    if len(jobs.row):
        last = np.minimum(jobs.latest_s + jobs.run_s, edges[-1])
        touched = (jobs.earliest_s[:, None] < edges[None, 1:]) & (last[:, None] > edges[None, :-1])
        for pool in range(len(low)):
            of_pool = jobs.pool == pool
            reach[pool] = (touched[of_pool] * jobs.kw[of_pool, None]).sum(axis=0)
            free = np.maximum(site.pools[pool].gpu_count - fixed.gpus[pool], 0.0)
            dense = np.max(jobs.kw[of_pool] / jobs.gpus[of_pool], initial=0.0)
            reach[pool] = np.minimum(reach[pool], free * dense)
    here = np.stack([_pool_load(problem, problem.at_s, edges, pool) for pool in range(len(low))])
    high = np.maximum(low + reach, here) + NARROW_KW
    return _sampled(problem, per_slot, low, high, POINTS)


def _tables_at(problem: WindowProblem, per_slot: int, start_s: Array, edges: Array) -> PlantTables:
    """Plant tables at the very load of a schedule: one point a slot, no interpolation."""
    pools = range(len(problem.fixed.kw))
    load = np.stack([_pool_load(problem, start_s, edges, pool) for pool in pools])
    return _sampled(problem, per_slot, load, load, 1)


def _sampled(
    problem: WindowProblem, per_slot: int, low: Array, high: Array, points: int
) -> PlantTables:
    return sample(
        problem.site,
        problem.options,
        problem.forecast.frame,
        per_slot,
        low,
        high,
        points,
        problem.scenario.baseline.mode_policy,
        problem.drivers.water_cny_per_m3,
    )


def _prices(problem: WindowProblem, tables: PlantTables, per_slot: int) -> Prices:
    frame = problem.forecast.frame
    return prices(
        problem.scenario.plan.objective,
        tables,
        slot_means(frame, per_slot, "grid_kgco2e_per_kwh"),
        slot_means(frame, per_slot, "tariff_cny_per_kwh"),
        problem.drivers.water_cny_per_m3,
        problem.drivers.demand_cny_per_kw_month,
    )


def _bus(problem: WindowProblem, per_slot: int) -> Bus:
    plan, frame = problem.scenario.plan, problem.forecast.frame
    return Bus(
        pv_kw=slot_means(frame, per_slot, "pv_kw"),
        slot_h=plan.step_min / 60,
        battery=problem.site.battery,
        battery_kwh=problem.site.battery_kwh,
        stored_kwh=problem.state.battery_kwh,
        supply_degc=problem.state.supply_degc,
        ramp_k_per_h=plan.ramp_k_per_h,
        month_of_slot=(frame.index.year * 12 + frame.index.month).to_numpy(np.int64)[::per_slot],
        month_peak_kw=problem.state.month_peak_kw,
    )


def _pool_load(problem: WindowProblem, start_s: Array, edges: Array, pool: int) -> Array:
    """IT power of one pool with every movable job at a start, shape (slots,)."""
    jobs, mine = problem.movable, problem.movable.pool == pool
    share = classes.profile(start_s[mine], jobs.run_s[mine], edges)
    fixed = problem.fixed.kw[pool] + problem.fixed.idle_kw[pool]
    return np.asarray(fixed + (share * jobs.kw[mine, None]).sum(axis=0), np.float64)


def _load(problem: WindowProblem, start_s: Array, edges: Array) -> Array:
    """IT power of the site with every movable job at a start, shape (slots,)."""
    pools = range(len(problem.fixed.kw))
    by_pool = [_pool_load(problem, start_s, edges, pool) for pool in pools]
    return np.asarray(np.sum(by_pool, axis=0), np.float64)


def _kept(tables: PlantTables, money: Prices, bus: Bus) -> NDArray[np.bool_]:
    """Options worth offering to the solver, shape (slots, options)."""
    return worth_keeping(tables, money, bus.supply_degc, bus.ramp_k_per_h * bus.slot_h)


def _marginal(tables: PlantTables, money: Prices, bus: Bus, it_kw: Array) -> Array:
    """What a further kWh of IT work costs in each slot about a given load, shape (slots,).

    It is the slope of the convex hull of the site's cost under its best set-point, so that a step of the
    plant (a pump, a mode) counts by what it costs on average and not at its edge.
    """
    bought = np.maximum(tables.facility_kw - bus.pv_kw[:, None, None], 0.0)
    cost = money.import_price[:, None, None] * bought
    cost = cost + money.facility_price[:, None, None] * tables.facility_kw + money.side
    best = cost.min(axis=1)
    price = np.zeros(len(it_kw))
    for t, load in enumerate(it_kw):
        x, y = tables.it_kw[t], best[t]
        if x[-1] - x[0] <= NARROW_KW:
            continue
        corner = 0
        while True:  # facets of the lower hull, from the left, until one holds the load
            slopes = (y[corner + 1 :] - y[corner]) / (x[corner + 1 :] - x[corner])
            step = int(np.argmin(slopes))
            price[t] = slopes[step]
            corner += step + 1
            if x[corner] >= load or corner == len(x) - 1:
                break
    return price


@dataclass(frozen=True, slots=True)
class _Planned:
    """Starts of the movable jobs, with the model that proposed them."""

    start_s: Array
    solution: Solution
    build_s: float


def _plan_jobs(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    edges: Array,
    tail_price: Array,
    what: str,
) -> _Planned:
    """Solves the class model and gives its shares back to single jobs, checked against free boards."""
    began = time.perf_counter()
    jobs, fixed, plan = problem.movable, problem.fixed, problem.scenario.plan
    big = classes.worth_planning(jobs)
    small = jobs.take(~big)
    share = classes.profile(problem.at_s[~big], small.run_s, edges)
    used = fixed.gpus.copy()
    np.add.at(used, small.pool, share * small.gpus[:, None])
    fixed_kw = fixed.kw.sum(axis=0) + fixed.idle_kw.sum() + (share * small.kw[:, None]).sum(axis=0)
    boards = np.array([pool.gpu_count for pool in problem.site.pools], np.float64)
    side = classes.job_side(
        jobs.take(big),
        problem.state.now_s,
        edges,
        tail_price,
        np.maximum(boards[:, None] - used, 0.0),
    )
    model = site_model(tables, money, bus, _kept(tables, money, bus))
    add_jobs(model, fixed_kw, side.columns)
    built = time.perf_counter() - began
    solution = solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=what)
    start_share = np.array([pyo.value(model.start[column]) for column in model.COLUMN])
    start_s = problem.at_s.copy()
    start_s[big] = _settled(problem, big, side, classes.assign(side, start_share))
    return _Planned(start_s, solution, built + solution.transfer_s)


def _settled(
    problem: WindowProblem, big: NDArray[np.bool_], side: classes.JobSide, wanted: Array
) -> Array:
    """The wanted starts where boards are free, else the nearest start that fits."""
    jobs, at_s = side.jobs, problem.at_s[big]
    first = np.searchsorted(side.starts.job, np.arange(len(at_s) + 1))
    options = [side.starts.start_s[first[i] : first[i + 1]] for i in range(len(at_s))]
    start, end, gpus, of_pool = problem.others
    settled = at_s.copy()
    for index, pool in enumerate(problem.site.pools):
        mine, theirs = np.flatnonzero(jobs.pool == index), of_pool == index
        ours = np.isin(side.starts.job, mine)
        times = side.starts.start_s[ours]
        until = times + jobs.run_s[side.starts.job[ours]]
        plan = calendar.Calendar(
            pool.gpu_count,
            start[theirs],
            end[theirs],
            gpus[theirs],
            np.concatenate([times, until, at_s[mine]]),
        )
        settled[mine] = calendar.settle(
            plan,
            at_s[mine],
            wanted[mine],
            jobs.run_s[mine],
            jobs.gpus[mine],
            [options[i] for i in mine],
        )
    return settled


def _job_costs(
    problem: WindowProblem, price: Array, edges: Array, tail_price: Array
) -> tuple[classes.Starts, Array]:
    """Cost of every start of every movable job at a price of IT energy, shape (starts,)."""
    jobs, slot_s = problem.movable, float(edges[1] - edges[0])
    starts = classes.starts_of(jobs, problem.state.now_s, slot_s, len(edges) - 1)
    integral = np.concatenate([[0.0], np.cumsum(price * slot_s / S_PER_H)])
    end = starts.start_s + jobs.run_s[starts.job]
    inside = np.interp(end, edges, integral) - np.interp(starts.start_s, edges, integral)
    tail = classes.tail_cost(starts, jobs, float(edges[-1]), slot_s, tail_price)
    return starts, jobs.kw[starts.job] * inside + tail


def _tail_of(problem: WindowProblem, start_s: Array, edges: Array, tail_price: Array) -> float:
    """Cost after the window of the chosen starts, against the earliest ones."""
    jobs = problem.movable
    count = np.arange(len(start_s))
    chosen = classes.Starts(
        np.repeat(count, 2),
        np.tile([-1, 0], len(count)),
        np.stack([jobs.earliest_s, start_s], axis=1).reshape(-1),
    )
    slot_s = float(edges[1] - edges[0])
    return float(classes.tail_cost(chosen, jobs, float(edges[-1]), slot_s, tail_price)[1::2].sum())


def _bound(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    edges: Array,
    tail_price: Array,
    it_kw: Array,
    what: str,
) -> float:
    """A lower bound on every schedule of the window, by pricing IT power (Lagrangian relaxation).

    With any price of IT power in each slot, no schedule costs less than the cheapest site that is paid
    for its IT power, plus the fixed work at that price, plus each job at its own cheapest start with
    boards for all. The price taken is the marginal cost at the plan's load.
    """
    price = _marginal(tables, money, bus, it_kw)
    model = site_model(tables, money, bus, _kept(tables, money, bus))
    price_it_power(model, price, bus.slot_h)
    site = solve(
        model,
        gap_frac=BOUND_GAP_FRAC,
        limit_s=problem.scenario.plan.limit_s,
        what=f"bound of {what}",
    ).bound
    fixed = problem.fixed.kw.sum(axis=0) + problem.fixed.idle_kw.sum()
    work = float((price * fixed).sum() * bus.slot_h)
    if not len(problem.movable.row):
        return site + work
    starts, cost = _job_costs(problem, price, edges, tail_price)
    cheapest = np.full(len(problem.movable.row), np.inf)
    np.minimum.at(cheapest, starts.job, cost)
    return site + work + float(cheapest.sum())


def _interpolation(
    tables: PlantTables, money: Prices, bus: Bus, promised: pd.DataFrame, it_kw: Array
) -> float:
    """What the tables' straight lines add to the cost of a schedule, in the unit of the objective.

    Objective and bound are compared in one model, that of the tables; the promise is without them.
    """
    option = promised["option"].to_numpy(np.int64)
    site_kw = promised["facility_kw"].to_numpy(np.float64)
    lines, side = np.zeros(len(it_kw)), np.zeros(len(it_kw))
    for t, k in enumerate(option):
        lines[t] = np.interp(it_kw[t], tables.it_kw[t], tables.facility_kw[t, k])
        side[t] = np.interp(it_kw[t], tables.it_kw[t], money.side[t, k])
    bought = promised["import_kw"].to_numpy(np.float64)
    by_lines = np.maximum(bought + lines - site_kw, 0.0)
    extra_side = side - promised["side"].to_numpy(np.float64)
    cost = money.import_price * (by_lines - bought) + money.facility_price * (lines - site_kw)
    peaks = _peaks_kw(bus, by_lines) - _peaks_kw(bus, bought)
    return float((cost + extra_side).sum() * bus.slot_h + money.demand_price * peaks)


def _peaks_kw(bus: Bus, import_kw: Array) -> float:
    """Highest import of each month of a window, summed; the running month's so far counts."""
    months = np.unique(bus.month_of_slot)
    peaks = [import_kw[bus.month_of_slot == month].max() for month in months]
    peaks[0] = max(peaks[0], bus.month_peak_kw)
    return float(sum(peaks))


def _read(
    problem: WindowProblem,
    model: pyo.ConcreteModel,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    per_slot: int,
) -> tuple[SetPoints, pd.DataFrame]:
    """Set-points on the simulation's steps, and what the plan promises by slot.

    ``tables`` are those at the very load of the plan, with one point a slot.
    """
    slots = len(bus.pv_kw)
    supply, spray = np.zeros(slots), np.zeros(slots, np.int8)
    site_kw, side, option = np.zeros(slots), np.zeros(slots), np.zeros(slots, np.int64)
    for t, k in model.ROW:
        if pyo.value(model.choose[t, k]) > 0.5:
            supply[t], spray[t] = tables.options[k].supply_degc, tables.options[k].spray
            site_kw[t], side[t], option[t] = tables.facility_kw[t, k, 0], money.side[t, k, 0], k
    charge, discharge = np.zeros(slots), np.zeros(slots)
    if bus.battery_kwh > 0:
        charge = np.maximum([pyo.value(model.charge_kw[t]) for t in model.SLOT], 0.0)
        discharge = np.maximum([pyo.value(model.discharge_kw[t]) for t in model.SLOT], 0.0)
    bought = np.maximum(site_kw + charge - discharge - bus.pv_kw, 0.0)
    index = problem.forecast.frame.index[::per_slot]
    it_kw = [pyo.value(model.it_kw[t]) for t in model.SLOT]
    promised = pd.DataFrame(
        {
            "facility_kw": site_kw,
            "it_reference_kw": it_kw,
            "import_kw": bought,
            "side": side,
            "option": option,
        },
        index=index,
    )
    steps = SetPoints(
        np.repeat(supply, per_slot),
        np.repeat(spray, per_slot),
        np.repeat(charge, per_slot),
        np.repeat(discharge, per_slot),
    )
    return steps, promised
