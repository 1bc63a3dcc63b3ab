"""What bounds a window from below: a price of IT power, and each part at its cheapest under it."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.model import Bus, price_it_power, site_model
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import NARROW_KW, WindowProblem, kept_options
from aidc.optimization.solve import solve
from aidc.units import S_PER_H

Array = NDArray[np.float64]
BOUND_GAP_SHARE = 0.3  # of the plan's gap: to this the site's part is solved, and its bound counts


def marginal_price(tables: PlantTables, money: Prices, bus: Bus, it_kw: Array) -> Array:
    """What a further kWh of IT work costs in each slot about a given load, shape (slots,).

    It is the slope of the convex hull of the site's cost under its best set-point, so that a step of the
    plant (a pump, a mode) counts by what it costs on average and not at its edge.
    """
    rest = tables.at_rest
    site_kw, side = tables.facility_kw[:, :, rest], money.side[:, :, rest]
    bought = np.maximum(site_kw - bus.pv_kw[:, None, None], 0.0)
    cost = money.import_price[:, None, None] * bought
    cost = cost + money.facility_price[:, None, None] * site_kw + side
    best = cost.min(axis=1)
    price = np.zeros(len(it_kw))
    for t, load in enumerate(it_kw):
        x, y = tables.it_kw[t, rest], best[t]
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


def job_costs(
    problem: WindowProblem, price: Array, edges: Array, tail: classes.Tail
) -> tuple[classes.Starts, Array]:
    """Cost of every start of every movable job at a price of IT energy, shape (starts,)."""
    jobs, slot_s = problem.movable, float(edges[1] - edges[0])
    starts = classes.starts_of(jobs, problem.state.now_s, slot_s, len(edges) - 1)
    integral = np.concatenate([[0.0], np.cumsum(price * slot_s / S_PER_H)])
    end = starts.start_s + jobs.run_s[starts.job]
    inside = np.interp(end, edges, integral) - np.interp(starts.start_s, edges, integral)
    beside = classes.tail_cost(starts, jobs, float(edges[-1]), slot_s, tail)
    return starts, jobs.kw[starts.job] * inside + beside


def tail_cost(problem: WindowProblem, start_s: Array, edges: Array, tail: classes.Tail) -> float:
    """Cost after the window of the chosen starts, against the earliest ones."""
    jobs = problem.movable
    count = np.arange(len(start_s))
    chosen = classes.Starts(
        np.repeat(count, 2),
        np.tile([-1, 0], len(count)),
        np.stack([jobs.earliest_s, start_s], axis=1).reshape(-1),
    )
    slot_s = float(edges[1] - edges[0])
    return float(classes.tail_cost(chosen, jobs, float(edges[-1]), slot_s, tail)[1::2].sum())


def lagrangian_bound(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    edges: Array,
    tail: classes.Tail,
    price: Array,
    objective: float,
    what: str,
) -> float:
    """A lower bound on every schedule of the window, by pricing IT power (Lagrangian relaxation).

    With any price of IT power in each slot, no schedule costs less than the cheapest site that is paid
    for its IT power, plus the fixed work at that price, plus each job at its own cheapest start with
    boards for all. The nearer the price is to what IT power costs in the plan, the tighter the bound.

    Args:
        problem: the window.
        tables: its sampled plant.
        money: prices of the objective.
        bus: what meets at the site.
        edges: of the slots [s].
        tail: what starts cost beside the window's slots.
        price: of IT energy in each slot, shape (slots,); any price gives a valid bound.
        objective: of the plan to be bounded; the gap is a share of it.
        what: name of the window, for messages.
    """
    model = site_model(tables, money, bus, kept_options(tables, money, bus))
    price_it_power(model, price, bus.slot_h)
    plan = problem.scenario.plan
    site = solve(
        model,
        gap_frac=0.0,
        gap_abs=BOUND_GAP_SHARE * plan.gap_frac * abs(objective),
        limit_s=plan.limit_s,
        what=f"bound of {what}",
    ).bound
    fixed = problem.fixed.kw.sum(axis=0) + problem.fixed.idle_kw.sum()
    work = float((price * fixed).sum() * bus.slot_h)
    if not len(problem.movable.row):
        return site + work
    starts, cost = job_costs(problem, price, edges, tail)
    cheapest = np.full(len(problem.movable.row), np.inf)
    np.minimum.at(cheapest, starts.job, cost)
    return site + work + float(cheapest.sum())


def table_cost(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    chosen: NDArray[np.bool_],
    it_kw: Array,
    what: str,
) -> float:
    """What given set-points and a given load cost in the model of the tables, where the bound lives.

    Args:
        problem: the window.
        tables: its sampled plant.
        money: prices of the objective.
        bus: what meets at the site.
        chosen: the one option of each slot, shape (slots, options).
        it_kw: load, shape (slots,).
        what: name of the window, for messages.
    """
    model = site_model(tables, money, bus, chosen)
    load = np.clip(it_kw, tables.it_kw[:, 0], tables.it_kw[:, -1])
    for t in model.SLOT:
        model.it_kw[t].fix(float(load[t]))
    plan = problem.scenario.plan
    return solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=what).objective
