"""What bounds a window from below: prices of all that couples its slots, as a certificate.

The bound itself is `aidc.verifier.lower_bound`: plan and verifier have one formula between them, which
tests hold against every schedule of small windows. Here are the prices that make it tight. A certificate
is a mapping of name to array; power in kW, energy in kWh, prices in the objective's own unit.

Data: ``slot_h``; ``it_kw`` (slots, points), ``facility_kw``, ``side``, ``store_charge_kw``,
``store_discharge_kw`` (slots, options, points) sampled from the plant, `side` a cost an hour;
``supply_degc`` (options) with ``supply_before_degc`` and ``ramp_k`` a slot; ``import_price``,
``facility_price``, ``pv_kw``, ``fixed_kw`` and ``awake_kw`` (the most that boots and idle boards still awake
add in pools that sleep), and of the demand charge ``month``, ``month_price``, ``month_floor_kw`` and
``above_mean_kw`` (slots); of each store, ``battery`` or ``tank``: its ``_start`` (share kept over a slot, content),
``_least_kwh`` and ``_most_kwh`` (slots), ``_efficiency`` (in, out), and ``battery_kw``,
``battery_ageing``; of the movable jobs ``earliest_s``, ``latest_s``, ``run_s``, ``job_kw``, ``pool``,
``job_delay`` (cost of an hour's delay), ``cap_run_s`` and ``cap_kw`` (run time and power of each under power
caps that it may have, shape (caps, jobs); those it has without where a cap is not for it), where jobs may be stopped ``restart_s`` (that each takes to go on;
inf: it may not be stopped), and the ``tail_price`` of work after the window, repeated. Where limits
of earlier objectives hold, all prices include theirs at a worth not below 0, and ``limit_credit`` is what
the limits themselves are then worth: an objective relaxed by Lagrange.

Prices, a value a slot: ``it_price`` of IT energy, ``bus_price`` of energy at the site's bus,
``peak_price`` of import against the month's peak, ``battery_value`` and ``tank_value`` of a stored kWh.

Claims: ``objective`` of the plan, ``bound``, ``sha256`` of the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.bus import Bus
from aidc.optimization.model import price_it_power, site_model
from aidc.optimization.movable import Movable
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import Option, PlantTables
from aidc.optimization.problem import (
    NARROW_KW,
    WindowProblem,
    kept_options,
    left_out_kw,
    prices_of,
    tables_at,
)
from aidc.optimization.solve import Duals, relaxed_duals, solve
from aidc.optimization.storage import battery_end_kwh, tank_end_kwh
from aidc.optimization.timing import Timing
from aidc.plant.tank import keeps_frac
from aidc.scenario import Goal
from aidc.schedule import SPRAY_BY_POLICY
from aidc.verifier import digest, lower_bound

Array = NDArray[np.float64]
Certificate = Mapping[str, Any]
EVENED_SLOTS = (3, 5)  # over which prices of a linear programme are evened


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


def evened(it_price: Array, bus_price: Array, slots: int) -> Array:
    """Prices of IT energy whose ratio to those at the bus is its mean over an odd number of slots, shape (slots,).

    Classes share their starts and their duals jump from slot to slot; jobs by themselves would use each dip.
    """
    usable = bus_price > 0
    ratio = np.divide(it_price, bus_price, out=np.zeros_like(it_price), where=usable)
    padded = np.pad(ratio, slots // 2, mode="edge")
    mean = np.convolve(padded, np.full(slots, 1.0 / slots), "valid")
    return np.where(usable, mean * bus_price, it_price)


def tail_cost(problem: WindowProblem, timing: Timing, edges: Array, tail: classes.Tail) -> float:
    """Cost of delay and of work after the window under the jobs' caps, against earliest starts without a cap."""
    jobs, slot_s, end_s = problem.movable, float(edges[1] - edges[0]), float(edges[-1])
    cost = float(classes.timing_tail_cost(jobs, timing, end_s, slot_s, tail).sum())
    if jobs.caps is not None:
        cost += float(classes.cap_cost(jobs, jobs.uncapped, end_s, slot_s, tail).sum())
    return cost


@dataclass(frozen=True, slots=True)
class Window:
    """A window as its bound sees it.

    Attributes:
        problem: what is planned.
        tables: its sampled plant.
        money: prices of the objective.
        bus: what meets at the site.
        edges: of the slots [s].
        tail: what starts cost beside the window's slots.
        goal: whose prices they are.
        what: its name, for messages.
        limit_credit: what relaxed limits are worth, where their prices are in ``money`` and ``tail``.
    """

    problem: WindowProblem
    tables: PlantTables
    money: Prices
    bus: Bus
    edges: Array
    tail: classes.Tail
    goal: Goal
    what: str
    limit_credit: float = 0.0

    def data(self) -> dict[str, Any]:
        """All of a certificate but its prices and claims."""
        tables, money, bus, jobs = self.tables, self.money, self.bus, self.problem.movable
        slots, frame = len(bus.pv_kw), self.problem.forecast.frame
        fixed, (cap_run_s, cap_kw) = self.problem.fixed, under_caps(jobs)
        data: dict[str, Any] = {
            "site": self.problem.site.name,
            "start": frame.index[0].isoformat(),
            "unit": money.unit,
            "start_s": float(self.edges[0]),
            "slot_h": bus.slot_h,
            "it_kw": tables.it_kw,
            "facility_kw": tables.facility_kw,
            "side": money.side,
            "store_charge_kw": tables.store_charge_kw,
            "store_discharge_kw": tables.store_discharge_kw,
            "supply_degc": [option.supply_degc for option in tables.options],
            "supply_before_degc": bus.supply_degc,
            "ramp_k": bus.ramp_k_per_h * bus.slot_h,
            "import_price": money.import_price,
            "facility_price": money.facility_price,
            "pv_kw": bus.pv_kw,
            "month": bus.month_of_slot,
            "month_price": money.demand_price * self._by_month(bus.peaks.share),
            "month_floor_kw": self._by_month(bus.peaks.floor_kw),
            "above_mean_kw": bus.peaks.above_mean_kw,
            "fixed_kw": fixed.kw.sum(axis=0) + fixed.idle_kw.sum(),
            "awake_kw": left_out_kw(self.problem, self.edges).sum(axis=0),
            "earliest_s": jobs.earliest_s,
            "latest_s": jobs.latest_s,
            "run_s": jobs.run_s,
            "job_kw": jobs.kw,
            "cap_run_s": cap_run_s,
            "cap_kw": cap_kw,
            "pool": jobs.pool,
            "job_delay": self.tail.delay_price * jobs.gpus,
            "tail_price": self.tail.price,
            "limit_credit": self.limit_credit,
        }
        if self.problem.restart_s is not None:
            data["restart_s"] = self.problem.restart_s
        data |= _battery(bus, money, slots) | _tank(bus, tables, slots)
        return {name: np.asarray(value) for name, value in data.items()}

    def _by_month(self, values: Mapping[int, float]) -> Array:
        """A value of each month, shape (slots,)."""
        return np.array([values[month] for month in self.bus.month_of_slot.tolist()], np.float64)

    def certificate(self, it_price: Array, duals: Duals | None = None) -> Certificate:
        """The bound at a price of IT energy in each slot, with what proves it.

        Any price gives a valid bound: no schedule costs less than the cheapest site that is paid for its
        IT power, plus the fixed work at that price, plus each job at its own cheapest start with boards
        for all. The nearer the price is to what IT power costs in the plan, the tighter the bound. The
        prices of bus, peak and stores are ``duals``, or those of the site's linear relaxation.
        """
        bus, slots = self.bus, len(self.bus.pv_kw)
        duals = self._site_duals(it_price) if duals is None else duals

        def of(rows: str) -> Array:
            found = duals.get(rows, {})
            return np.array([found.get(t, 0.0) for t in range(slots)])

        peak = np.abs(of("month_peak"))
        for month in np.unique(bus.month_of_slot):  # rounding must not ask for more than the charge
            mine = bus.month_of_slot == month
            charge = self.money.demand_price * bus.peaks.share[int(month)]
            peak[mine] *= min(1.0, charge / max(float(peak[mine].sum()), 1e-12))
        worth = np.abs(of("import_limit"))
        made = self._without_import_limit(worth).data() | {
            "it_price": it_price,
            "bus_price": of("bus_balance") / bus.slot_h,
            "peak_price": peak,
            "battery_value": -of("storage"),
            "tank_value": -of("tank_content"),
        }
        return made | {
            "bound": np.asarray(float(lower_bound(made))),
            "sha256": np.asarray(digest(made)),
        }

    def _site_duals(self, it_price: Array) -> Duals:
        """Duals of the site that is paid for its IT power, set-points mixed."""
        kept = kept_options(self.tables, self.money, self.bus)
        model = site_model(self.tables, self.money, self.bus, kept)
        price_it_power(model, it_price, self.bus.slot_h)
        return relaxed_duals(model, self.problem.scenario.plan.limit_s)

    def _without_import_limit(self, worth: Array) -> "Window":
        """The window with the grid's limit paid for instead of kept: import is dearer, the limit a credit.

        Args:
            worth: of a kW more in each slot, shape (slots,); at most what import above the limit costs.
        """
        limit_kw = self.bus.import_limit_kw
        limited = np.isfinite(limit_kw)
        worth = np.where(limited, np.minimum(worth, self.money.over_price * self.bus.slot_h), 0.0)
        room_kw = np.where(limited, limit_kw - self.bus.peaks.above_mean_kw, 0.0)
        price = self.money.import_price + worth / self.bus.slot_h
        return replace(
            self,
            money=replace(self.money, import_price=price),
            limit_credit=self.limit_credit + float(worth @ room_kw),
        )

    def cost_of(self, chosen: NDArray[np.bool_], it_kw: Array) -> float:
        """What set-points and a load cost in the model of the tables, where the bound lives.

        Args:
            chosen: the one option of each slot, shape (slots, options).
            it_kw: load, shape (slots,).
        """
        model = site_model(self.tables, self.money, self.bus, chosen)
        load = np.clip(it_kw, self.tables.it_kw[:, 0], self.tables.it_kw[:, -1])
        for t in model.SLOT:
            model.it_kw[t].fix(float(load[t]))
        plan = self.problem.scenario.plan
        return solve(model, gap_frac=plan.gap_frac, limit_s=plan.limit_s, what=self.what).objective

    def left_alone(self) -> float:
        """Cost of the window run like the baseline: jobs at their earliest, its supply air, stores at rest."""
        alone = Timing.whole(self.problem.movable.earliest_s)
        return run_like_baseline(self.problem, self.bus, self.edges, alone, self.goal)[0]


def run_like_baseline(
    problem: WindowProblem, bus: Bus, edges: Array, timing: Timing, goal: Goal
) -> tuple[float, PlantTables, Prices]:
    """Cost of a window with the baseline's supply air, mode policy and stores at rest; its plant and prices.

    Args:
        problem: the window.
        bus: what meets at the site.
        edges: of the slots [s].
        timing: of its movable jobs.
        goal: what is counted.
    """
    scenario, slots = problem.scenario, len(bus.pv_kw)
    per_slot = round(scenario.plan.step_min / scenario.step_min)
    option = Option(scenario.baseline.supply_air_degc, SPRAY_BY_POLICY)
    plain = replace(problem, options=(option,))
    tables = tables_at(plain, per_slot, timing, edges, np.zeros((slots, 1)))
    money = prices_of(plain, tables, per_slot, goal)
    site_kw = tables.facility_kw[:, 0, 0]
    bought = np.maximum(site_kw - bus.pv_kw, 0.0)
    hourly = money.import_price * bought + money.facility_price * site_kw + money.side[:, 0, 0]
    peaks, cost = bus.peaks, float(hourly.sum() * bus.slot_h)
    over_kw = np.maximum(bought + peaks.above_mean_kw - bus.import_limit_kw, 0.0)
    cost += float(money.over_price * over_kw.sum() * bus.slot_h)
    for month in np.unique(bus.month_of_slot).tolist():
        rise_kw = (bought + peaks.above_mean_kw)[bus.month_of_slot == month].max()
        rise_kw = max(float(rise_kw) - peaks.floor_kw[month], 0.0)
        cost += money.demand_price * peaks.share[month] * rise_kw
    return cost, tables, money


def under_caps(jobs: Movable) -> tuple[Array, Array]:
    """Run time and power of jobs under each cap, shape (caps, n); their own where a cap is not offered."""
    if jobs.caps is None:
        return np.zeros((0, len(jobs.row))), np.zeros((0, len(jobs.row)))
    run_s, kw = jobs.caps.run_s[:, 1:].T, jobs.caps.kw[:, 1:].T
    offered = np.isfinite(run_s)
    return np.where(offered, run_s, jobs.run_s), np.where(offered, kw, jobs.kw)


def _battery(bus: Bus, money: Prices, slots: int) -> dict[str, Any]:
    unit, size = bus.battery, bus.battery_kwh
    least = np.full(slots, unit.soc_min_frac * size)
    if size > 0:
        least[-1] = max(least[-1], battery_end_kwh(bus, slots))
    return {
        "battery_kw": unit.c_rate_per_h * size,
        "battery_start": (1.0, bus.stored_kwh if size > 0 else 0.0),
        "battery_least_kwh": least,
        "battery_most_kwh": np.full(slots, unit.soc_max_frac * size),
        "battery_efficiency": (unit.charge_efficiency_frac, unit.discharge_efficiency_frac),
        "battery_ageing": money.ageing_frac * unit.ageing_cny_per_kwh,
    }


def _tank(bus: Bus, tables: PlantTables, slots: int) -> dict[str, Any]:
    least, tank = np.zeros(slots), bus.tank
    if tank is not None:
        least[-1] = tank_end_kwh(tank, bus, tables)
    return {
        "tank_start": (0.0, 0.0) if tank is None else (keeps_frac(tank, bus.slot_h), bus.store_kwh),
        "tank_least_kwh": least,
        "tank_most_kwh": np.full(slots, 0.0 if tank is None else tank.capacity_kwh),
        "tank_efficiency": (1.0, 1.0)
        if tank is None
        else (tank.store.charge_efficiency_frac, tank.store.discharge_efficiency_frac),
    }
