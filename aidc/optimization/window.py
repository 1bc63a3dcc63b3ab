"""One window planned: tables, MILP, assignment to jobs, and the cost of that assignment beside its bound."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.errors import InfeasibleError
from aidc.optimization import calendar, classes
from aidc.optimization.bound import Certificate, Window, marginal_price, tail_cost
from aidc.optimization.model import (
    Bus,
    add_jobs,
    site_model,
)
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import (
    WindowProblem,
    bus_of,
    kept_options,
    load_kw,
    prices_of,
    tables_at,
    tables_of,
    tank_rates_kw,
)
from aidc.optimization.solve import Solution, relaxed_duals, solve
from aidc.schedule import SetPoints, WindowProof
from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What one window decides.

    Attributes:
        rows, start_s: jobs it speaks for and their starts.
        setpoints: on the simulation's steps of the window.
        promised: by slot: ``facility_kw, it_reference_kw, import_kw``.
        proof: status, objective, bound, gap and times.
        certificate: from which `aidc.verifier` finds the bound again.
    """

    rows: Rows
    start_s: Array
    setpoints: SetPoints
    promised: pd.DataFrame
    proof: WindowProof
    certificate: Certificate


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
    tables = tables_of(problem, per_slot, edges)
    money = prices_of(problem, tables, per_slot)
    bus = bus_of(problem, per_slot)
    jobs = problem.movable
    tail_price = marginal_price(tables, money, bus, load_kw(problem, problem.at_s, edges))[
        -round(24 * S_PER_H / slot_s) :
    ]
    what = f"{problem.site.name}, window from {problem.forecast.frame.index[0].isoformat()}"
    built, solved = time.perf_counter() - began, 0.0
    start_s, sizes, status = problem.at_s, (0, 0, 0), "optimal"
    planned = _planned(problem, tables, money, bus, edges, tail_price, what)
    if planned is not None:
        found, start_s = planned.solution, planned.start_s
        built, solved = built + planned.build_s, found.solve_s
        sizes, status = (found.columns, found.rows, found.binaries), found.status
    course = _course(problem, bus, edges, tail_price, start_s, what)
    if len(jobs.row) and (start_s != problem.at_s).any():  # never worse than leaving the jobs alone
        stay = _course(problem, bus, edges, tail_price, problem.at_s, what)
        solved += course.solution.solve_s
        course = min(stay, course, key=lambda one: one.cost)
    done, load, start_s = course.solution, course.load_kw, course.start_s
    bounded = time.perf_counter()
    setpoints, promised = _read(problem, course, bus, per_slot)
    window = Window(problem, tables, money, bus, edges, tail_price, what)
    in_tables = window.cost_of(course.chosen, load)
    in_tables += tail_cost(problem, start_s, edges, tail_price)
    objective = max(in_tables, course.cost)  # the tables' error is never in the plan's favour
    proven = window.certificate(marginal_price(tables, money, bus, load))
    if objective - proven["bound"] > plan.gap_frac * abs(objective) and planned is not None:
        other = window.certificate(planned.relaxed_price(bus.slot_h))
        proven = max(proven, other, key=lambda one: float(one["bound"]))
    bound, baseline = float(proven["bound"]), window.left_alone()
    facility_kwh, it_kwh = promised[["facility_kw", "it_reference_kw"]].sum() * bus.slot_h
    wasted_kwh = objective - bound
    if plan.objective not in ("energy", "pue"):
        wasted_kwh *= facility_kwh / max(abs(objective), 1e-9)
    proof = WindowProof(
        site=problem.site.name,
        start=problem.forecast.frame.index[0].isoformat(),
        status="time_limit" if "time_limit" in (status, done.status) else "optimal",
        unit=money.unit,
        objective=objective,
        bound=bound,
        gap_frac=(objective - bound) / max(abs(objective), 1e-9),
        gap_pue=float(wasted_kwh / it_kwh),
        baseline=baseline,
        sha256=str(proven["sha256"]),
        columns=max(sizes[0], done.columns),
        rows=max(sizes[1], done.rows),
        binaries=max(sizes[2], done.binaries),
        jobs_movable=len(jobs.row),
        jobs_moved=int((start_s > jobs.earliest_s + 1e-6).sum()),
        full=planned is None and len(jobs.row) > 0,
        build_s=built + done.transfer_s,
        solve_s=solved + done.solve_s,
        bound_s=time.perf_counter() - bounded,
    )
    certificate = {**proven, "objective": np.asarray(objective)}
    return WindowPlan(jobs.row, start_s, setpoints, promised, proof, certificate)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Starts of the movable jobs, with the model that proposed them."""

    start_s: Array
    model: pyo.ConcreteModel
    solution: Solution
    build_s: float

    def relaxed_price(self, slot_h: float) -> Array:
        """Price of IT energy in each slot from the relaxed model, the peak's share in it."""
        duals = relaxed_duals(self.model)["it_load"]
        return np.array([duals[t] for t in self.model.SLOT]) / slot_h


def _planned(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    edges: Array,
    tail_price: Array,
    what: str,
) -> _Planned | None:
    """Starts of the movable jobs; None: there are none, or the boards are too full to move any.

    The class model counts mean boards of a slot. Where a pool is full, jobs that start late have no
    place in it, although they stand somewhere; then all stay there.
    """
    if not len(problem.movable.row):
        return None
    try:
        return _plan_jobs(problem, tables, money, bus, edges, tail_price, what)
    except InfeasibleError:
        return None


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
    model = site_model(tables, money, bus, kept_options(tables, money, bus))
    add_jobs(model, fixed_kw, side.columns)
    built = time.perf_counter() - began
    solution = solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=what)
    start_share = np.array([pyo.value(model.start[column]) for column in model.COLUMN])
    start_s = problem.at_s.copy()
    start_s[big] = _settled(problem, big, side, classes.assign(side, start_share))
    return _Planned(start_s, model, solution, built + solution.transfer_s)


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


@dataclass(frozen=True, slots=True)
class _Course:
    """Starts of the jobs with the best set-points for them, in the plant itself.

    Attributes:
        start_s: of the movable jobs.
        load_kw: IT power of each slot.
        tables: the plant at that very load, one point a slot.
        money: prices there.
        model: solved for the set-points.
        solution: of it.
        chosen: the option of each slot, shape (slots, options).
        cost: of the window and of what the jobs still take after it.
    """

    start_s: Array
    load_kw: Array
    tables: PlantTables
    money: Prices
    model: pyo.ConcreteModel
    solution: Solution
    chosen: NDArray[np.bool_]
    cost: float


def _course(
    problem: WindowProblem, bus: Bus, edges: Array, tail_price: Array, start_s: Array, what: str
) -> _Course:
    """Solves the set-points for given starts, and with a tank once more at the rates it then has."""
    plan = problem.scenario.plan
    per_slot = round(plan.step_min / problem.scenario.step_min)
    slots = len(bus.pv_kw)

    def solved(rates_kw: Array, bus: Bus, only: NDArray[np.bool_] | None) -> _Course:
        tables = tables_at(problem, per_slot, start_s, edges, rates_kw)
        money = prices_of(problem, tables, per_slot)
        kept = kept_options(tables, money, bus) if only is None else only
        model = site_model(tables, money, bus, kept)
        solution = solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=what)
        chosen = np.zeros_like(kept)
        for t, k in model.ROW:
            chosen[t, k] = pyo.value(model.choose[t, k]) > 0.5
        cost = solution.objective + tail_cost(problem, start_s, edges, tail_price)
        load = load_kw(problem, start_s, edges)
        return _Course(start_s, load, tables, money, model, solution, chosen, cost)

    course = solved(tank_rates_kw(problem.site, slots), bus, None)
    if bus.tank is None:
        return course
    # between its rates a tank mixes tables; the plant itself says what that costs
    model = course.model
    net_kw = [pyo.value(model.tank_charge_kw[t] - model.tank_discharge_kw[t]) for t in model.SLOT]
    return solved(np.array(net_kw)[:, None], replace(bus, tank=None), course.chosen)


def _read(
    problem: WindowProblem, course: _Course, bus: Bus, per_slot: int
) -> tuple[SetPoints, pd.DataFrame]:
    """Set-points on the simulation's steps, and what the plan promises by slot."""
    model, tables, money = course.model, course.tables, course.money
    slots = len(bus.pv_kw)
    supply, spray = np.zeros(slots), np.zeros(slots, np.int8)
    chillers = np.zeros(slots, np.int8)
    site_kw, side, option = np.zeros(slots), np.zeros(slots), np.zeros(slots, np.int64)
    for t, k in np.argwhere(course.chosen).tolist():
        supply[t], spray[t] = tables.options[k].supply_degc, tables.options[k].spray
        chillers[t] = tables.options[k].chillers_on
        site_kw[t], side[t], option[t] = tables.facility_kw[t, k, 0], money.side[t, k, 0], k
    every = np.arange(slots)
    store_charge = tables.store_charge_kw[every, option, 0]
    store_discharge = tables.store_discharge_kw[every, option, 0]
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
    columns = (supply, spray, charge, discharge, store_charge, store_discharge, chillers)
    steps = SetPoints(*(np.repeat(column, per_slot) for column in columns))
    return steps, promised
