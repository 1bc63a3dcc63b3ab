"""What bounds a window from below: a price of IT power, and each part at its cheapest under it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.model import Bus, price_it_power, site_model
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import NARROW_KW, WindowProblem, kept_options
from aidc.optimization.solve import solve
from aidc.units import S_PER_H

Array = NDArray[np.float64]
BOUND_GAP_FRAC = (
    1e-4  # to which the site's part of the bound is solved; its own bound is what counts
)


def marginal_price(tables: PlantTables, money: Prices, bus: Bus, it_kw: Array) -> Array:
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


def job_costs(
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


def tail_cost(problem: WindowProblem, start_s: Array, edges: Array, tail_price: Array) -> float:
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


def lagrangian_bound(
    problem: WindowProblem,
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    edges: Array,
    tail_price: Array,
    price: Array,
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
        tail_price: of IT energy after the window, a day of it.
        price: of IT energy in each slot, shape (slots,); any price gives a valid bound.
        what: name of the window, for messages.
    """
    model = site_model(tables, money, bus, kept_options(tables, money, bus))
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
    starts, cost = job_costs(problem, price, edges, tail_price)
    cheapest = np.full(len(problem.movable.row), np.inf)
    np.minimum.at(cheapest, starts.job, cost)
    return site + work + float(cheapest.sum())


def interpolation_cost(
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
