"""The MILP of one site and one window, in Pyomo: set-points by slot, starts of job classes, the bus.

The plant enters as points of sampled tables (`plant_tables`): in a slot the operator chooses one option,
and the IT power is a mixture of that option's points. Where site power is convex in IT power the mixture
is exact between neighbouring points; elsewhere it is the lower hull, and the replay shows the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.core.expr.numeric_expr import LinearExpression

from aidc.optimization.bus import Bus
from aidc.optimization.commitment import add_commitment
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.storage import add_battery, add_tank, tank_end_kwh

Array = NDArray[np.float64]
ROUNDING_GPUS = 1e-6  # mean boards of a slot are sums of fractions


@dataclass(frozen=True, slots=True)
class ClassColumns:
    """Columns of the job side: one for each class and start.

    Attributes:
        class_of: class of each column, shape (columns,).
        pool: pool of each column, shape (columns,).
        classes: number of classes.
        column, slot: coordinates of the entries of ``kw`` and ``gpus``, shape (entries,).
        kw: IT power the column adds in a slot, mean over the slot.
        gpus: boards the column takes in a slot, mean over the slot.
        tail: cost of what runs after the window, against starting at once, shape (columns,).
        cap_tails: the same in the unit of each limit, shape (limits, columns).
        gpus_free: boards left by everything that is fixed, shape (pools, slots).
        quota: quota of each column; -1: none, shape (columns,).
        quota_free: boards of each quota left by what is fixed, shape (quotas, slots).
    """

    class_of: NDArray[np.int64]
    pool: NDArray[np.int64]
    classes: int
    column: NDArray[np.int64]
    slot: NDArray[np.int64]
    kw: Array
    gpus: Array
    tail: Array
    cap_tails: Array
    gpus_free: Array
    quota: NDArray[np.int64]
    quota_free: Array


def site_model(
    tables: PlantTables,
    prices: Prices,
    bus: Bus,
    kept: NDArray[np.bool_],
    caps: Sequence[Cap] = (),
) -> pyo.ConcreteModel:
    """Set-points and bus, with the IT power of each slot as the free variable ``it_kw``.

    Args:
        tables: sampled plant.
        prices: of the objective.
        bus: what else there is.
        kept: options to offer in each slot, shape (slots, options).
        caps: sums in other prices that may not pass a limit.
    """
    m = pyo.ConcreteModel()
    slots, _, points = tables.facility_kw.shape
    m.slot_h = bus.slot_h
    m.SLOT = pyo.RangeSet(0, slots - 1)
    m.POINT = pyo.RangeSet(0, points - 1)
    rows = [(t, k) for t in range(slots) for k in np.flatnonzero(kept[t]).tolist()]
    m.ROW = pyo.Set(initialize=rows, dimen=2)
    of_slot: dict[int, list[int]] = {t: [] for t in range(slots)}
    for t, k in rows:
        of_slot[t].append(k)
    m.choose = pyo.Var(m.ROW, domain=pyo.Binary)
    m.share = pyo.Var(m.ROW, m.POINT, bounds=(0, 1))
    m.it_kw = pyo.Var(m.SLOT, bounds=lambda _, t: (tables.it_kw[t, 0], tables.it_kw[t, -1]))
    m.import_kw = pyo.Var(m.SLOT, domain=pyo.NonNegativeReals)
    m.curtailed_kw = pyo.Var(m.SLOT, bounds=lambda _, t: (0, float(bus.pv_kw[t])))

    choice_of, share_of, points_of = _variables(m, slots, points)

    def of_points(t: int, values: Array) -> LinearExpression:
        of_rows = values[t, of_slot[t]].ravel().tolist()
        return LinearExpression(constant=0, linear_coefs=of_rows, linear_vars=share_of[t])

    load = np.broadcast_to(tables.it_kw[:, None, :], tables.facility_kw.shape)

    def one_setpoint(_: pyo.ConcreteModel, t: int) -> pyo.Expression:
        return pyo.quicksum(choice_of[t]) == 1

    def points_of_setpoint(m: pyo.ConcreteModel, t: int, k: int) -> pyo.Expression:
        return pyo.quicksum(points_of[t, k]) == m.choose[t, k]

    def it_power(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        return of_points(t, load) == m.it_kw[t]

    m.one_setpoint = pyo.Constraint(
        m.SLOT, rule=one_setpoint
    )  # the hall has one set-point in a slot
    m.points_of_setpoint = pyo.Constraint(m.ROW, rule=points_of_setpoint)  # its table alone applies
    m.it_power = pyo.Constraint(m.SLOT, rule=it_power)  # the point on the table is the IT power
    add_battery(m, bus)
    if bus.tank is not None:
        m.tank_charge_kw = pyo.Expression(
            m.SLOT, rule=lambda _, t: of_points(t, tables.store_charge_kw)
        )
        m.tank_discharge_kw = pyo.Expression(
            m.SLOT, rule=lambda _, t: of_points(t, tables.store_discharge_kw)
        )
        add_tank(m, bus.tank, bus, tank_end_kwh(bus.tank, bus, tables))

    def bus_balance(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        sources = m.import_kw[t] + float(bus.pv_kw[t]) - m.curtailed_kw[t]
        if bus.battery_kwh > 0:
            sources += m.discharge_kw[t] - m.charge_kw[t]
        return sources == of_points(t, tables.facility_kw)

    m.bus_balance = pyo.Constraint(m.SLOT, rule=bus_balance)  # what comes in is what is used
    _add_ramp(m, tables, bus, of_slot, choice_of)
    if bus.chillers is not None:
        add_commitment(m, tables.options, bus.chillers, of_slot)
    months = sorted(set(bus.month_of_slot.tolist()))
    m.MONTH = pyo.Set(initialize=months)
    m.peak_kw = pyo.Var(m.MONTH, bounds=lambda _, month: (bus.peaks.floor_kw[month], None))
    if prices.demand_price > 0 or any(cap.prices.demand_price > 0 for cap in caps):
        m.month_peak = pyo.Constraint(  # the demand charge counts the month's highest import
            m.SLOT,
            rule=lambda m, t: (
                m.peak_kw[int(bus.month_of_slot[t])]
                >= m.import_kw[t] + float(bus.peaks.above_mean_kw[t])
            ),
        )

    _add_import_limit(m, bus)

    def sum_in(prices: Prices) -> pyo.Expression:
        paid = prices.facility_price[:, None, None] * tables.facility_kw + prices.side
        energy = pyo.quicksum(
            bus.slot_h * (float(prices.import_price[t]) * m.import_kw[t] + of_points(t, paid))
            for t in range(slots)
        )
        over = prices.over_price * bus.slot_h * pyo.quicksum(m.over_limit_kw.values())
        return energy + _demand_and_wear(m, prices, bus) + over

    m.site_cost = pyo.Expression(expr=sum_in(prices))
    m.objective = pyo.Objective(expr=m.site_cost)
    m.cap_names, m.cap_units = [cap.name for cap in caps], [cap.prices.unit for cap in caps]
    _add_limits(m, [sum_in(cap.prices) for cap in caps], [cap.limit for cap in caps])
    return m


def _variables(
    m: pyo.ConcreteModel, slots: int, points: int
) -> tuple[
    dict[int, list[pyo.Var]], dict[int, list[pyo.Var]], dict[tuple[int, int], list[pyo.Var]]
]:
    """Choices and shares of each slot, and shares of each row; look-ups in Pyomo cost more than sums."""
    share, choice = list(m.share.values()), list(m.choose.values())
    choice_of: dict[int, list[pyo.Var]] = {t: [] for t in range(slots)}
    share_of: dict[int, list[pyo.Var]] = {t: [] for t in range(slots)}
    points_of: dict[tuple[int, int], list[pyo.Var]] = {}
    for row, (t, k) in enumerate(m.ROW):
        points_of[t, k] = share[row * points : (row + 1) * points]
        share_of[t] += points_of[t, k]
        choice_of[t].append(choice[row])
    return choice_of, share_of, points_of


def _add_import_limit(m: pyo.ConcreteModel, bus: Bus) -> None:
    """Import above what the grid asks for is dear, and not forbidden: a site cannot always follow."""
    m.LIMITED = pyo.Set(initialize=np.flatnonzero(np.isfinite(bus.import_limit_kw)).tolist())
    m.over_limit_kw = pyo.Var(m.LIMITED, domain=pyo.NonNegativeReals)
    m.import_limit = pyo.Constraint(  # the highest step of a slot is no more than the grid asks for
        m.LIMITED,
        rule=lambda m, t: (
            m.import_kw[t] + float(bus.peaks.above_mean_kw[t])
            <= float(bus.import_limit_kw[t]) + m.over_limit_kw[t]
        ),
    )


def _demand_and_wear(m: pyo.ConcreteModel, prices: Prices, bus: Bus) -> pyo.Expression:
    """Charge on what the months' peaks rise above their floors, and wear of the battery."""
    peaks, ageing = bus.peaks, prices.ageing_frac * bus.slot_h * bus.battery.ageing_cny_per_kwh
    demand = pyo.quicksum(
        prices.demand_price * peaks.share[month] * (m.peak_kw[month] - peaks.floor_kw[month])
        for month in m.MONTH
    )
    if bus.battery_kwh <= 0 or ageing == 0:
        return demand
    return demand + ageing * pyo.quicksum(m.discharge_kw[t] for t in m.SLOT)


def _add_limits(m: pyo.ConcreteModel, sums: list[pyo.Expression], limits: list[float]) -> None:
    """Sums that may not pass their limits; one without end is only summed."""
    m.CAP = pyo.RangeSet(0, len(sums) - 1)
    m.cap_sum = pyo.Expression(m.CAP, rule=lambda _, i: sums[i])
    m.cap_tail = pyo.Expression(m.CAP, initialize=0.0)
    m.capped = pyo.Constraint(  # what an earlier stage won, and a promised PUE, stay
        m.CAP,
        rule=lambda m, i: (
            m.cap_sum[i] + m.cap_tail[i] <= limits[i]
            if np.isfinite(limits[i])
            else pyo.Constraint.Skip
        ),
    )


def settle_peaks(m: pyo.ConcreteModel, bus: Bus) -> None:
    """Puts the peaks of a solved model where its imports put them: a limit with room leaves them free."""
    for month in m.MONTH:
        reached = [
            pyo.value(m.import_kw[t]) + float(bus.peaks.above_mean_kw[t])
            for t in m.SLOT
            if bus.month_of_slot[t] == month
        ]
        m.peak_kw[month].set_value(max(bus.peaks.floor_kw[month], *reached))


def _add_ramp(
    m: pyo.ConcreteModel,
    tables: PlantTables,
    bus: Bus,
    of_slot: Mapping[int, list[int]],
    choice_of: Mapping[int, list[pyo.Var]],
) -> None:
    def level(t: int) -> LinearExpression:
        degc = [tables.options[k].supply_degc for k in of_slot[t]]
        return LinearExpression(constant=0, linear_coefs=degc, linear_vars=choice_of[t])

    step = bus.ramp_k_per_h * bus.slot_h
    levels = [option.supply_degc for option in tables.options]
    if step >= max(*levels, bus.supply_degc) - min(*levels, bus.supply_degc):
        return

    def rises(_: pyo.ConcreteModel, t: int) -> pyo.Expression:
        before = level(t - 1) if t > 0 else bus.supply_degc
        return level(t) - before <= step

    def falls(_: pyo.ConcreteModel, t: int) -> pyo.Expression:
        before = level(t - 1) if t > 0 else bus.supply_degc
        return before - level(t) <= step

    m.setpoint_rises = pyo.Constraint(
        m.SLOT, rule=rises
    )  # the set-point rises no faster than its ramp
    m.setpoint_falls = pyo.Constraint(m.SLOT, rule=falls)  # nor does it fall faster


def price_it_power(m: pyo.ConcreteModel, price: Array, slot_h: float) -> None:
    """Pays the site for IT power: the Lagrangian subproblem of the bound."""
    m.objective.deactivate()
    revenue = pyo.quicksum(float(price[t]) * slot_h * m.it_kw[t] for t in m.SLOT)
    m.priced_objective = pyo.Objective(expr=m.site_cost - revenue)


def tight(jobs: ClassColumns, of_column: NDArray[np.int64], free: Array) -> NDArray[np.bool_]:
    """Where boards could run short, of pools or quotas, shape of ``free``: every class at its greediest start."""
    slots = free.shape[1]
    greediest = np.zeros((jobs.classes, slots))
    np.maximum.at(greediest, (jobs.class_of[jobs.column], jobs.slot), jobs.gpus)
    of_class = np.zeros(jobs.classes, np.int64)
    of_class[jobs.class_of] = of_column
    wanted = np.zeros_like(free)
    np.add.at(wanted, of_class[of_class >= 0], greediest[of_class >= 0])
    return np.asarray(wanted > free + ROUNDING_GPUS)


def full_quotas(jobs: ClassColumns, start_share: Array) -> list[int]:
    """Quotas that some slot fills to the last board, where they could run short."""
    used, group = np.zeros_like(jobs.quota_free), jobs.quota[jobs.column]
    mine = group >= 0
    taken = (jobs.gpus * start_share[jobs.column])[mine]
    np.add.at(used, (group[mine], jobs.slot[mine]), taken)
    full = tight(jobs, jobs.quota, jobs.quota_free) & (used >= jobs.quota_free - ROUNDING_GPUS)
    return np.flatnonzero(full.any(axis=1)).tolist()


def fix_it_power(m: pyo.ConcreteModel, fixed_kw: Array) -> None:
    """The rows ``it_load`` of fixed work alone, which job columns join (`job_columns.with_jobs`)."""
    m.it_load = pyo.Constraint(m.SLOT, rule=lambda m, t: m.it_kw[t] == float(fixed_kw[t]))


def add_jobs(m: pyo.ConcreteModel, fixed_kw: Array, jobs: ClassColumns) -> None:
    """Starts of job classes in Pyomo: ``start`` is the share of a class's work that takes a start.

    Windows are planned with the same columns as arrays (`job_columns`), which is much faster.
    """
    columns = len(jobs.class_of)
    m.COLUMN = pyo.RangeSet(0, columns - 1)
    m.CLASS = pyo.RangeSet(0, jobs.classes - 1)
    m.start = pyo.Var(m.COLUMN, bounds=(0, 1))
    every_start = list(m.start.values())  # a look-up in Pyomo costs more than the sum
    by_class: list[list[int]] = [[] for _ in range(jobs.classes)]
    for column, which in enumerate(jobs.class_of.tolist()):
        by_class[which].append(column)
    entries = [np.flatnonzero(jobs.slot == t) for t in m.SLOT]
    pools_tight = tight(jobs, jobs.pool, jobs.gpus_free)
    quotas_tight = tight(jobs, jobs.quota, jobs.quota_free)

    def sum_of(rows: NDArray[np.intp], values: Array) -> LinearExpression:
        starts = [every_start[column] for column in jobs.column[rows].tolist()]
        return LinearExpression(constant=0, linear_coefs=values[rows].tolist(), linear_vars=starts)

    def every_class_starts(m: pyo.ConcreteModel, c: int) -> pyo.Expression:
        return pyo.quicksum(m.start[column] for column in by_class[c]) == 1

    def it_load(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        return m.it_kw[t] == float(fixed_kw[t]) + sum_of(entries[t], jobs.kw)

    def gpu_capacity(_: pyo.ConcreteModel, pool: int, t: int) -> pyo.Expression:
        if not pools_tight[pool, t]:
            return pyo.Constraint.Skip  # everything fits, whatever is chosen
        mine = entries[t][jobs.pool[jobs.column[entries[t]]] == pool]
        return sum_of(mine, jobs.gpus) <= float(jobs.gpus_free[pool, t]) + ROUNDING_GPUS

    def vc_quota(_: pyo.ConcreteModel, quota: int, t: int) -> pyo.Expression:
        if not quotas_tight[quota, t]:
            return pyo.Constraint.Skip
        mine = entries[t][jobs.quota[jobs.column[entries[t]]] == quota]
        return sum_of(mine, jobs.gpus) <= float(jobs.quota_free[quota, t]) + ROUNDING_GPUS

    m.every_class_starts = pyo.Constraint(m.CLASS, rule=every_class_starts)  # no work is left out
    m.it_load = pyo.Constraint(m.SLOT, rule=it_load)  # IT power is fixed work plus what starts
    m.POOL = pyo.RangeSet(0, len(jobs.gpus_free) - 1)
    m.gpu_capacity = pyo.Constraint(  # boards in use never exceed those there are
        m.POOL, m.SLOT, rule=gpu_capacity
    )
    m.QUOTA = pyo.RangeSet(0, len(jobs.quota_free) - 1)
    m.vc_quota = pyo.Constraint(  # nor do those of a virtual cluster exceed its quota
        m.QUOTA, m.SLOT, rule=vc_quota
    )
    m.objective.deactivate()

    def tail(cost: Array) -> pyo.Expression:
        return pyo.quicksum(float(cost[c]) * m.start[c] for c in range(columns) if cost[c])

    m.plan_objective = pyo.Objective(expr=m.site_cost + tail(jobs.tail))
    for cap in m.CAP:
        m.cap_tail[cap].set_value(tail(jobs.cap_tails[cap]))
