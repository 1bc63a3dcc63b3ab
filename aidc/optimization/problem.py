"""What one window is given, and the table model of it: sampled plant, prices, bus and load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Forecast, SiteDrivers
from aidc.grid_limit import import_limit_kw
from aidc.horizon import Horizon
from aidc.optimization import classes, sleeping
from aidc.optimization.bus import Bus
from aidc.optimization.commitment import Chillers
from aidc.optimization.movable import NO_CAP, Choice, Movable
from aidc.optimization.objective import Cap, Prices, prices, worth_keeping
from aidc.optimization.peaks import Peaks, month_numbers
from aidc.optimization.plant_tables import (
    POINTS,
    TANK_RATES,
    Option,
    PlantTables,
    sample,
    slot_means,
)
from aidc.optimization.quotas import Groups
from aidc.optimization.sleeping import Held
from aidc.optimization.timing import Segments, Timing
from aidc.scenario import Goal, Scenario
from aidc.schedule import PlanningState
from aidc.site import Site
from aidc.units import MIN_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
NARROW_KW = 1e-3  # a range of IT power that is no range


@dataclass(frozen=True, slots=True)
class FixedWork:
    """Work that a window cannot move, by pool and slot.

    Attributes:
        kw: IT power above ``idle_kw``, shape (pools, slots).
        gpus: boards, shape (pools, slots).
        idle_kw: power of the pools that no job holds: idle, or off where servers sleep, shape (pools,).
    """

    kw: Array
    gpus: Array
    idle_kw: Array


@dataclass(frozen=True, slots=True)
class WindowProblem:
    """Everything that one window is given.

    Attributes:
        scenario, site, drivers: what is planned.
        options: choices of the operator.
        forecast: series of the window.
        state: what it inherits.
        peaks: the demand charge as the window sees it.
        fixed: work that cannot move.
        movable: jobs that can, all of them, without power caps.
        at_s: where each movable job starts as it stands, shape (n,); always feasible.
        at_level: level of power cap under which each stands; None: nothing is capped.
        fixed_runs: start, end, boards and pool of every job that runs in or after the window and cannot move.
        held: every job in the window, to follow who sleeps; None: no pool of the site has sleeping servers.
        groups: who shares a quota of boards; None: there are no quotas.
        broken: runs of the movable jobs that stand stopped in between, by their index.
        restart_s: time that each movable job takes to go on after a stop; inf: it may not be stopped, shape
            (n,); None: none may.
    """

    scenario: Scenario
    site: Site
    drivers: SiteDrivers
    options: tuple[Option, ...]
    forecast: Forecast
    state: PlanningState
    peaks: Peaks
    fixed: FixedWork
    movable: Movable
    at_s: Array
    fixed_runs: tuple[Array, Array, Array, Rows]
    held: Held | None = None
    groups: Groups | None = None
    at_level: Rows | None = None
    broken: Mapping[int, Segments] = field(default_factory=dict)
    restart_s: Array | None = None

    @property
    def at(self) -> Timing:
        """When the movable jobs run as they stand; always feasible."""
        return Timing(self.at_s, self.broken)

    @property
    def stands(self) -> Choice:
        """Where the movable jobs stand, and under which caps."""
        level = np.full(len(self.at_s), NO_CAP) if self.at_level is None else self.at_level
        return Choice(self.at_s, level, self.broken)

    def under(self, level: Rows) -> "WindowProblem":
        """The window with its movable jobs under power caps."""
        if self.movable.caps is None:
            return self
        return replace(self, movable=self.movable.under(level))

    @property
    def horizon(self) -> Horizon:
        """The whole horizon of the site."""
        return self.scenario.horizon(self.site.name)


def tables_of(
    problem: WindowProblem, per_slot: int, edges: Array, points: int = POINTS
) -> PlantTables:
    """Plant tables over the IT power that the window can reach, on evenly spaced points of it."""
    fixed, jobs, site = problem.fixed, problem.movable, problem.site
    low = fixed.kw + fixed.idle_kw[:, None]
    reach = np.zeros_like(low)
    if len(jobs.row):
        touched = _touched(problem, edges, np.zeros(len(low)))
        for index, pool in enumerate(site.pools):
            of_pool = jobs.pool == index
            own_kw = jobs.kw[of_pool] - sleeping.held_kw_per_gpu(pool) * jobs.gpus[of_pool]
            reach[index] = (touched[of_pool] * own_kw[:, None]).sum(axis=0)
            free = np.maximum(pool.gpu_count - fixed.gpus[index], 0.0)
            dense = np.max(own_kw / jobs.gpus[of_pool], initial=0.0)
            reach[index] = np.minimum(reach[index], free * dense)
    reach += left_out_kw(problem, edges)
    here = np.stack([pool_load_kw(problem, problem.at, edges, pool) for pool in range(len(low))])
    high = np.maximum(low + reach, here) + NARROW_KW
    return sampled_tables(problem, per_slot, low, high, points, tank_rates_kw(site, low.shape[1]))


def _touched(problem: WindowProblem, edges: Array, boot_s: Array) -> NDArray[np.bool_]:
    """Slots in which each movable job may run, shape (n, slots), with a boot of each pool after it."""
    jobs = problem.movable
    last = np.minimum(jobs.latest_s + jobs.run_s + boot_s[jobs.pool], edges[-1])
    return np.asarray((jobs.earliest_s[:, None] < edges[1:]) & (last[:, None] > edges[:-1]))


def left_out_kw(problem: WindowProblem, edges: Array) -> Array:
    """Most that boots and boards still awake draw beside what the model counts, shape (pools, slots)."""
    pools, jobs, held = problem.site.pools, problem.movable, problem.held
    most = np.zeros_like(problem.fixed.kw)
    if held is None:
        return most
    touched = _touched(problem, edges, np.array([pool.server.boot_s for pool in pools]))
    for index, pool in enumerate(pools):
        if sleeping.sleeps(pool):
            mine = jobs.pool == index
            most[index] = sleeping.most_left_out_kw(
                pool, held.of_pool(index), jobs.row[mine], touched[mine], edges
            )
    return most


def tank_rates_kw(site: Site, slots: int) -> Array:
    """Rates of the tank that tables sample, positive is charging, shape (slots, rates)."""
    if site.tank is None:
        return np.zeros((slots, 1))
    most = [
        rate * (site.tank.charge_max_kw if rate > 0 else site.tank.discharge_max_kw)
        for rate in TANK_RATES
    ]
    return np.tile(np.array(most), (slots, 1))


def tables_at(
    problem: WindowProblem, per_slot: int, timing: Timing, edges: Array, store_kw: Array
) -> PlantTables:
    """Plant tables at the very load of a schedule, without interpolation over IT power."""
    pools = range(len(problem.fixed.kw))
    load = np.stack([pool_load_kw(problem, timing, edges, pool) for pool in pools])
    return sampled_tables(problem, per_slot, load, load, 1, store_kw)


def sampled_tables(
    problem: WindowProblem, per_slot: int, low: Array, high: Array, points: int, store_kw: Array
) -> PlantTables:
    """Plant tables between two loads.

    Args:
        problem: the window.
        per_slot: simulation steps in a slot.
        low: least IT power at the reference inlet, shape (pools, slots).
        high: the most, same shape.
        points: between the two.
        store_kw: rates of the tank, shape (slots, rates).
    """
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
        store_kw,
    )


def prices_of(problem: WindowProblem, tables: PlantTables, per_slot: int, goal: Goal) -> Prices:
    """Prices of an objective in each slot."""
    frame = problem.forecast.frame
    return prices(
        goal,
        tables,
        slot_means(frame, per_slot, "grid_kgco2e_per_kwh"),
        slot_means(frame, per_slot, "tariff_cny_per_kwh"),
        problem.drivers.water_cny_per_m3,
        problem.drivers.demand_cny_per_kw_month,
    )


def bus_of(problem: WindowProblem, per_slot: int) -> Bus:
    """What meets at the site's bus, and what the window inherits."""
    plan, frame = problem.scenario.plan, problem.forecast.frame
    return Bus(
        pv_kw=slot_means(frame, per_slot, "pv_kw"),
        slot_h=plan.step_min / 60,
        battery=problem.site.battery,
        battery_kwh=problem.site.battery_kwh,
        stored_kwh=problem.state.battery_kwh,
        tank=problem.site.tank,
        store_kwh=problem.state.store_kwh,
        supply_degc=problem.state.supply_degc,
        ramp_k_per_h=plan.ramp_k_per_h,
        month_of_slot=month_numbers(pd.DatetimeIndex(frame.index))[::per_slot],
        peaks=problem.peaks,
        import_limit_kw=_limit_kw(problem, per_slot),
        chillers=chillers_of(problem, len(frame) // per_slot),
    )


def _limit_kw(problem: WindowProblem, per_slot: int) -> Array:
    """Least import that the grid asks for in each slot, shape (slots,)."""
    frame = problem.forecast.frame
    limit = import_limit_kw(problem.scenario, problem.site.name, frame.index)
    return np.asarray(limit.reshape(-1, per_slot).min(axis=1), np.float64)


def chillers_of(problem: WindowProblem, slots: int) -> Chillers | None:
    """What the chillers bring into the window; None where the plan does not count them."""
    plant, scenario = problem.site.cooling, problem.scenario
    if plant.kind != "chilled_water" or scenario.plan.chillers == "by_rule":
        return None
    return Chillers.after(
        problem.state.chillers_on,
        scenario.step_min / MIN_PER_H,
        plant.chiller_count,
        plant.chiller_min_up_h,
        plant.chiller_min_down_h,
        scenario.plan.step_min / MIN_PER_H,
        slots,
    )


def pool_load_kw(problem: WindowProblem, timing: Timing, edges: Array, pool: int) -> Array:
    """IT power of one pool at some timing of the movable jobs, shape (slots,)."""
    jobs, mine, made = problem.movable, problem.movable.pool == pool, problem.site.pools[pool]
    if problem.held is not None and sleeping.sleeps(made):
        held = problem.held.of_pool(pool).moved(jobs.row[mine], timing.start_s[mine])
        return sleeping.load_kw(made, held, edges)
    own = np.flatnonzero(mine)
    job, start_s, run_s = timing.take(own).runs(jobs.run_s[own])
    share = classes.profile(start_s, run_s, edges)
    fixed = problem.fixed.kw[pool] + problem.fixed.idle_kw[pool]
    return np.asarray(fixed + (share * jobs.kw[own[job], None]).sum(axis=0), np.float64)


def load_kw(problem: WindowProblem, timing: Timing, edges: Array) -> Array:
    """IT power of the site at some timing of the movable jobs, shape (slots,)."""
    pools = range(len(problem.fixed.kw))
    by_pool = [pool_load_kw(problem, timing, edges, pool) for pool in pools]
    return np.asarray(np.sum(by_pool, axis=0), np.float64)


def kept_options(
    tables: PlantTables, money: Prices, bus: Bus, caps: Sequence[Cap] = ()
) -> NDArray[np.bool_]:
    """Options worth offering to the solver, shape (slots, options)."""
    if np.isfinite(bus.import_limit_kw).any():
        return np.ones(tables.facility_kw.shape[:2], bool)
    before = None if bus.chillers is None else bus.chillers.before
    return worth_keeping(
        tables, money, bus.supply_degc, bus.ramp_k_per_h * bus.slot_h, before, caps
    )
