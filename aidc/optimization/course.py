"""The best set-points for given starts of the jobs, in the plant itself."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.errors import InfeasibleError, PlanError, SolverTimeoutError
from aidc.optimization import classes
from aidc.optimization.bound import tail_cost
from aidc.optimization.bus import Bus
from aidc.optimization.model import settle_peaks, site_model
from aidc.optimization.movable import Choice
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import kept_options, load_kw, tables_at, tank_rates_kw
from aidc.optimization.solve import Solution, relaxed_values, solve_or_by_rule
from aidc.optimization.view import Limit, View
from aidc.scenario import Goal
from aidc.schedule import CHILLERS_BY_RULE, SetPoints

Array = NDArray[np.float64]
USED_FRAC = 1e-6  # of a slot; less is rounding


@dataclass(frozen=True, slots=True)
class Course:
    """Starts and caps of the jobs with the best set-points for them, in the plant itself.

    Attributes:
        choice: for the movable jobs.
        load_kw: IT power of each slot.
        tables: the plant at that very load, one point a slot.
        money: prices there.
        model: solved for the set-points.
        solution: of it.
        chosen: the option of each slot, shape (slots, options).
        cost: of the window and of what the jobs still take after it.
        limited: the same in the unit of each limit.
    """

    choice: Choice
    load_kw: Array
    tables: PlantTables
    money: Prices
    model: pyo.ConcreteModel
    solution: Solution
    chosen: NDArray[np.bool_]
    cost: float
    limited: list[float]

    def read(self, view: View) -> tuple[SetPoints, pd.DataFrame]:
        """Set-points on the simulation's steps, and what the plan promises by slot."""
        bus, model, tables, money = view.bus, self.model, self.tables, self.money
        slots = len(bus.pv_kw)
        supply, spray = np.zeros(slots), np.zeros(slots, np.int8)
        chillers = np.zeros(slots, np.int8)
        site_kw, side, option = np.zeros(slots), np.zeros(slots), np.zeros(slots, np.int64)
        for t, k in np.argwhere(self.chosen).tolist():
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
        index = view.problem.forecast.frame.index[:: view.per_slot]
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
        steps = SetPoints(*(np.repeat(column, view.per_slot) for column in columns))
        return steps, promised


def likely_options(view: View, goal: Goal, limits: Sequence[Limit]) -> NDArray[np.bool_]:
    """Options to offer in any slot, shape (options,): all, or those whose number of chillers is likely.

    Counts multiply the binaries of a window, and few are of use. Likely is the plant's rule, and what the
    relaxed model takes anywhere under the load as it stands. The bound does not hang on that.
    """
    view = view.under(view.problem.stands.level)
    problem, counts = view.problem, [option.chillers_on for option in view.problem.options]
    every = np.ones(len(counts), np.bool_)
    if view.bus.chillers is None:
        return every
    at = problem.at
    tables = tables_at(
        problem, view.per_slot, at, view.edges, tank_rates_kw(problem.site, len(view.bus.pv_kw))
    )
    caps = [
        limit.cap(view, tables, tail_cost(problem, at, view.edges, limit.tail)) for limit in limits
    ]
    money = view.money(goal, tables)
    model = site_model(tables, money, view.bus, kept_options(tables, money, view.bus, caps), caps)
    try:
        relaxed_values(model, problem.scenario.plan.limit_s)
    except PlanError:
        return every
    used = {counts[k] for t, k in model.ROW if pyo.value(model.choose[t, k]) > USED_FRAC}
    return np.isin(counts, [CHILLERS_BY_RULE, *used])


def course_of(
    view: View,
    goal: Goal,
    tail: classes.Tail,
    limits: Sequence[Limit],
    choice: Choice,
    offered: NDArray[np.bool_],
    explain: bool = True,
) -> Course:
    """Solves the set-points for given starts and caps, and with a tank once more at the rates it then has.

    Args:
        view: of the window.
        goal: what is minimised.
        tail: what starts cost after the window.
        limits: of earlier stages.
        choice: for the movable jobs.
        offered: options to choose from, shape (options,).
        explain: say why where the limits leave no set-points.

    Raises:
        InfeasibleError: the limits leave no set-points; says why where asked to ``explain``.
    """
    view, timing = view.under(choice.level), choice.timing
    problem, plan = view.problem, view.problem.scenario.plan
    outside = [tail_cost(problem, timing, view.edges, limit.tail) for limit in limits]

    def solved(rates_kw: Array, bus: Bus, only: NDArray[np.bool_] | None) -> Course:
        tables = tables_at(problem, view.per_slot, timing, view.edges, rates_kw)
        money = view.money(goal, tables)
        caps = [limit.cap(view, tables, cost) for limit, cost in zip(limits, outside, strict=True)]
        if only is not None:  # they were kept where the choice was made
            caps = [replace(cap, limit=np.inf) for cap in caps]
        kept = kept_options(tables, money, bus, caps) & offered if only is None else only
        model = site_model(tables, money, bus, kept, caps)
        solution = solve_or_by_rule(
            model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=view.what, explain=explain
        )
        chosen = np.zeros_like(kept)
        for t, k in model.ROW:
            chosen[t, k] = pyo.value(model.choose[t, k]) > 0.5
        cost = solution.objective + tail_cost(problem, timing, view.edges, tail)
        load = load_kw(problem, timing, view.edges)
        settle_peaks(model, bus)
        limited = [pyo.value(model.cap_sum[i]) + outside[i] for i in model.CAP]
        return Course(choice, load, tables, money, model, solution, chosen, cost, limited)

    course = solved(tank_rates_kw(problem.site, len(view.bus.pv_kw)), view.bus, None)
    if view.bus.tank is None:
        return course
    # between its rates a tank mixes tables; the plant itself says what that costs
    model = course.model
    net_kw = [pyo.value(model.tank_charge_kw[t] - model.tank_discharge_kw[t]) for t in model.SLOT]
    return solved(np.array(net_kw)[:, None], replace(view.bus, tank=None), course.chosen)


def best_course(
    view: View,
    goal: Goal,
    tail: classes.Tail,
    limits: Sequence[Limit],
    choices: Sequence[Choice],
    offered: NDArray[np.bool_],
) -> Course:
    """The cheapest course over some choices; the last of them keeps the limits, if any can.

    So a plan is never worse than leaving the jobs alone, and a stage never loses what is feasible.
    """
    *tried, surely = choices
    courses = []
    for choice in tried:
        if choice.is_same(surely):
            continue
        with suppress(InfeasibleError, SolverTimeoutError):
            courses.append(course_of(view, goal, tail, limits, choice, offered, explain=False))
    try:
        courses.append(course_of(view, goal, tail, limits, surely, offered, explain=not courses))
    except (InfeasibleError, SolverTimeoutError):
        if not courses:
            raise
    return min(reversed(courses), key=lambda one: one.cost)
