"""The class model without its integers, for windows in which the integers cost more than they are worth.

With very many columns HiGHS has no schedule of the class model in its time, and needs none: jobs want a
price of IT energy in each slot, and set-points are chosen afterwards, for the starts that came of it. So each
point of IT power takes the cheapest option there is for it, ramp and chillers aside, and the rest is one linear
programme. Nothing is taken on trust: the bound of such a plan comes from all options, with the duals as prices.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.errors import InfeasibleError, PlanError, SolverTimeoutError
from aidc.optimization import highs_process
from aidc.optimization.bus import Bus
from aidc.optimization.classes import JobSide
from aidc.optimization.model import ClassColumns, fix_it_power, site_model
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.solve import Duals, Solution, compiled, loaded_values, named_duals
from aidc.optimization.view import View

Array = NDArray[np.float64]
LARGE_COLUMNS = 50_000  # of the class model: from here on the integers are left out


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What the relaxation says.

    Attributes:
        duals: of the site's rows and of ``it_load``.
        most_site_kw: power of the site in each slot that leaves the month's peak as it is, inf where it is free, shape (slots,).
        solution: shares of the classes' starts, sizes and times.
    """

    duals: Duals
    most_site_kw: Array
    solution: Solution


def cheapest_options(tables: PlantTables, money: Prices, bus: Bus) -> tuple[PlantTables, Prices]:
    """One option a slot: at each point of IT power the cheapest of all, with its prices."""
    bought = np.maximum(tables.facility_kw - bus.pv_kw[:, None, None], 0.0)
    cost = money.import_price[:, None, None] * bought
    cost = cost + money.facility_price[:, None, None] * tables.facility_kw + money.side
    best = cost.argmin(axis=1)[:, None, :]

    def taken(values: Array) -> Array:
        return np.take_along_axis(values, best, axis=1)

    at_rest = replace(tables.options[0], supply_degc=bus.supply_degc)  # no ramp to keep
    cheapest = replace(
        tables,
        options=(at_rest,),
        facility_kw=taken(tables.facility_kw),
        overhead_kw=taken(tables.overhead_kw),
        water_l_per_h=taken(tables.water_l_per_h),
        served_kw=taken(tables.served_kw),
        unmet_kw=taken(tables.unmet_kw),
        store_charge_kw=taken(tables.store_charge_kw),
        store_discharge_kw=taken(tables.store_discharge_kw),
    )
    return cheapest, replace(money, side=taken(money.side))


def relaxed_or_mean(view: View, money: Prices, fixed_kw: Array, side: JobSide) -> Relaxed:
    """The relaxation with whole slots of boards held, or with their means where that is too much.

    Jobs start with a slot and end within one, so that a pool which is full on the mean is not always
    free when the next jobs start: with means alone many would have to stand elsewhere.
    """
    plan = view.problem.scenario.plan
    held = replace(side.columns, gpus=side.held_gpus)
    try:
        return solve_relaxed(view.tables, money, view.bus, fixed_kw, held, plan.limit_s, view.what)
    except InfeasibleError:
        return solve_relaxed(
            view.tables, money, view.bus, fixed_kw, side.columns, plan.limit_s, view.what
        )


def solve_relaxed(
    tables: PlantTables,
    money: Prices,
    bus: Bus,
    fixed_kw: Array,
    jobs: ClassColumns,
    limit_s: float,
    what: str,
) -> Relaxed:
    """Solves the relaxation with `cheapest_options`.

    Args:
        tables: sampled plant.
        money: prices of the objective.
        bus: what else there is.
        fixed_kw: IT power that no class carries, shape (slots,).
        jobs: columns of the classes.
        limit_s: wall time.
        what: name of the window, for messages.

    Raises:
        InfeasibleError: boards or tables leave no plan.
        SolverTimeoutError: no optimum within the time.
        PlanError: HiGHS stopped for another reason.
    """
    began = time.perf_counter()
    cheap, prices = cheapest_options(tables, money, bus)
    every = np.ones((len(fixed_kw), 1), bool)
    model = site_model(cheap, prices, replace(bus, chillers=None), every)
    fix_it_power(model, fixed_kw)
    form, parts = compiled(model, jobs)
    parts["whole"][:] = 0
    options = {"output_flag": False, "threads": 1, "time_limit": limit_s, "random_seed": 0}
    loaded = time.perf_counter()
    said = highs_process.run(parts, options, limit_s)
    done = time.perf_counter()
    status = said["status"]
    if status in ("kInfeasible", "kUnboundedOrInfeasible"):
        raise InfeasibleError(f"{what}: the limits leave no plan")
    if status == "kTimeLimit":
        raise SolverTimeoutError(
            f"{what}: no plan within {limit_s:g} s; raise plan.limit or plan.step"
        )
    if status != "kOptimal":
        raise PlanError(f"{what}: HiGHS stopped with {status}")
    found = Solution(
        status="optimal",
        objective=said["objective"],
        bound=said["objective"],
        columns=parts["num_col_"],
        rows=parts["num_row_"],
        binaries=0,
        transfer_s=loaded - began,
        solve_s=done - loaded,
        start_share=loaded_values(form, said["values"]),
    )
    duals = named_duals(form, said["duals"])
    return Relaxed(duals, _most_site_kw(model, bus), found)


def _most_site_kw(m: pyo.ConcreteModel, bus: Bus) -> Array:
    """Power of the site that leaves the month's peak as a solved model has it, shape (slots,)."""
    if m.component("month_peak") is None:
        return np.full(len(bus.pv_kw), np.inf)
    peak = np.array([pyo.value(m.peak_kw[month]) for month in bus.month_of_slot.tolist()])
    stored = np.zeros(len(peak))
    if bus.battery_kwh > 0:
        stored = np.array([pyo.value(m.discharge_kw[t] - m.charge_kw[t]) for t in m.SLOT])
    return np.asarray(peak - bus.peaks.above_mean_kw + bus.pv_kw + stored)
