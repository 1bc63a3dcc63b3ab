"""One window of the optimiser on a real plant, small enough to be solved by trying everything."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import aidc
from aidc.forecast import Forecast, SiteDrivers
from aidc.optimization import problem as window_problem
from aidc.optimization.bus import Bus
from aidc.optimization.classes import Tail
from aidc.optimization.movable import Movable
from aidc.optimization.objective import Prices
from aidc.optimization.peaks import Peaks
from aidc.optimization.plant_tables import PlantTables, options_of
from aidc.optimization.problem import FixedWork, WindowProblem
from aidc.optimization.sleeping import Held, held_kw_per_gpu, resting_kw, sleeps, still_awake_s
from aidc.optimization.tail import tail_of
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.scenario import Scenario
from aidc.schedule import PlanningState
from aidc.site import Pool

HOUR_S = 3600.0
PRESSURE_PA = 101_325.0
MONTH = 2023 * 12 + 7  # of the window
SCENARIOS = Path(__file__).parents[1] / "scenarios"


@cache
def hall_scenario() -> Scenario:
    """One room of 256 GPUs; plan and simulation both in steps of an hour."""
    return aidc.load(
        SCENARIOS / "lingang-week.yaml",
        sets=["site.model=helios-hall", "step=60 min", "pathway=null", "seed=1"],
    )


def scenario_with(**plan: Any) -> Scenario:
    """The room with another plan; keys as in `Plan`."""
    made = hall_scenario()
    return made.model_copy(update={"plan": made.plan.model_copy(update=plan)})


@dataclass(frozen=True)
class Job:
    """Hours from the start of the window."""

    earliest_h: float
    slack_h: float
    run_h: float
    gpus: int
    kw_per_gpu: float


@dataclass(frozen=True)
class Air:
    """What acts on the site, a value an hour."""

    drybulb_degc: Sequence[float]
    dewpoint_degc: Sequence[float]
    pv_kw: Sequence[float]
    kgco2e_per_kwh: Sequence[float]
    cny_per_kwh: Sequence[float]

    def frame(self) -> pd.DataFrame:
        dry = np.array(self.drybulb_degc, float)
        dew = np.minimum(np.array(self.dewpoint_degc, float), dry)
        pressure = np.full(len(dry), PRESSURE_PA)
        index = pd.date_range("2023-07-03", periods=len(dry), freq="h", tz="Asia/Shanghai")
        return pd.DataFrame(
            {
                "drybulb_degc": dry,
                "dewpoint_degc": dew,
                "wetbulb_degc": wetbulb_degc(dry, dew, pressure),
                "pressure_pa": pressure,
                "pv_kw": np.array(self.pv_kw, float),
                "grid_kgco2e_per_kwh": np.array(self.kgco2e_per_kwh, float),
                "tariff_cny_per_kwh": np.array(self.cny_per_kwh, float),
            },
            index=index,
        )


def problem_of(
    scenario: Scenario,
    air: Air,
    jobs: Sequence[Job],
    *,
    fixed_gpus: float,
    demand_cny_per_kw_month: float = 0.0,
    battery_kwh: float = 0.0,
    month_peak_kw: float = 0.0,
    month_share: float = 1.0,
    above_mean_kw: float = 0.0,
    sleep_after_min: float | None = None,
) -> WindowProblem:
    """The window of some movable jobs, which all stand at their earliest start."""
    site = next(iter(scenario.sites.values())).site
    pool = site.pools[0].model_copy(update={"sleep_after_min": sleep_after_min})
    site = site.model_copy(update={"battery_kwh": battery_kwh, "pools": (pool,)})
    frame = air.frame()
    slots = len(frame)
    early = np.array([job.earliest_h for job in jobs], float) * HOUR_S
    run = np.array([job.run_h for job in jobs], float) * HOUR_S
    gpus = np.array([job.gpus for job in jobs], float)
    movable = Movable(
        row=np.arange(len(jobs)),
        earliest_s=early,
        latest_s=early + np.array([job.slack_h for job in jobs], float) * HOUR_S,
        run_s=run,
        kw=gpus * (np.array([job.kw_per_gpu for job in jobs], float) + held_kw_per_gpu(pool)),
        gpus=gpus,
        pool=np.zeros(len(jobs), np.int64),
    )
    held = np.array([0.0]), np.array([1e7]), np.array([fixed_gpus]), np.array([0], np.int64)
    return WindowProblem(
        scenario=scenario,
        site=site,
        drivers=SiteDrivers(frame, 5.0, demand_cny_per_kw_month, {}, (), ()),
        options=options_of(site, scenario.plan, scenario.baseline.supply_air_degc),
        forecast=Forecast(site.name, 0.0, 0, frame),
        state=PlanningState(
            0.0,
            np.full(len(jobs), np.nan),
            np.full(len(jobs), np.nan),
            scenario.baseline.supply_air_degc,
            battery_kwh * site.battery.soc_start_frac,
            0.0 if site.tank is None else site.tank.capacity_kwh * site.tank.store.soc_start_frac,
            month_peak_kw,
            np.zeros(0),
        ),
        peaks=Peaks({MONTH: month_peak_kw}, {MONTH: month_share}, np.full(slots, above_mean_kw)),
        fixed=FixedWork(
            np.full((1, slots), (0.2 + held_kw_per_gpu(pool)) * fixed_gpus),
            np.full((1, slots), fixed_gpus),
            np.array([resting_kw(pool)]),
        ),
        movable=movable,
        at_s=early.copy(),
        fixed_runs=held,
        held=_held(movable, fixed_gpus, pool) if sleeps(pool) else None,
    )


def _held(movable: Movable, fixed_gpus: float, pool: Pool) -> Held:
    """The movable jobs, and one that has begun long ago and holds what is fixed."""
    before = np.array([-1e6])
    return Held(
        np.append(movable.row, len(movable.row)),
        np.concatenate([movable.earliest_s, before]),
        np.concatenate([movable.run_s, [1e8]]),
        np.append(movable.gpus, fixed_gpus),
        np.append(movable.kw, (0.2 + held_kw_per_gpu(pool)) * fixed_gpus),
        np.zeros(len(movable.row) + 1, np.int64),
        np.append(np.zeros(len(movable.row), bool), True),
    )


def _inside(begin_s: float, end_s: float, ticks: int, tick_s: float) -> np.ndarray:
    """Share of each tick between two times."""
    at = np.arange(ticks + 1) * tick_s
    return np.diff(np.clip(at, begin_s, max(begin_s, end_s))) / tick_s


@dataclass(frozen=True)
class TableModel:
    """The model that plan, bound and brute force share: sampled tables, prices, bus, tail."""

    problem: WindowProblem
    tables: PlantTables
    money: Prices
    bus: Bus
    outside: Tail

    @classmethod
    def of(cls, problem: WindowProblem) -> "TableModel":
        slots = len(problem.forecast.frame)
        edges = np.arange(slots + 1) * HOUR_S
        tables = window_problem.tables_of(problem, 1, edges)
        goal = problem.scenario.plan.goals[-1]
        money = window_problem.prices_of(problem, tables, 1, goal)
        bus = window_problem.bus_of(problem, 1)
        load = window_problem.load_kw(problem, problem.at, edges)
        return cls(problem, tables, money, bus, tail_of(tables, money, bus, load))

    def load_kw(self, start_h: Sequence[float]) -> list[float]:
        """IT power of each slot, one job after the other."""
        jobs, fixed = self.problem.movable, self.problem.fixed
        if self.problem.held is not None:
            edges = np.arange(self.slots + 1) * HOUR_S
            return self._second_by_second(np.array(start_h) * HOUR_S, edges).tolist()
        load = [float(fixed.kw[0, t] + fixed.idle_kw[0]) for t in range(self.slots)]
        for job, start in enumerate(start_h):
            end = start + jobs.run_s[job] / HOUR_S
            for t in range(self.slots):
                load[t] += jobs.kw[job] * max(0.0, min(end, t + 1) - max(start, t))
        return load

    def _second_by_second(self, start_s: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """The same where servers sleep: each board followed by itself, a tenth of a minute at a time."""
        pool, held, tick_s = self.problem.site.pools[0], self.problem.held, 6.0
        assert held is not None
        after_s, ticks = still_awake_s(pool), int(edges[-1] / tick_s)
        idle_since, busy_until = np.zeros((2, pool.gpu_count))
        load = np.zeros(ticks)
        fixed = int(held.gpus[-1])
        busy_until[:fixed] = np.inf
        mine = np.flatnonzero(start_s < edges[-1])
        for job in mine[np.argsort(start_s[mine], kind="stable")]:
            start, need = start_s[job], int(held.gpus[job])
            free = np.flatnonzero(busy_until <= start)
            recent = free[np.argsort(-idle_since[free], kind="stable")[:need]]
            boots = (start > idle_since[recent] + after_s).any()
            end = start + held.run_s[job] + (pool.server.boot_s if boots else 0.0)
            for board in recent:
                awake_to = min(start, idle_since[board] + after_s)
                load += _inside(idle_since[board], awake_to, ticks, tick_s) * held_kw_per_gpu(pool)
            load += _inside(start, end, ticks, tick_s) * held.kw[job]
            idle_since[recent] = busy_until[recent] = end
        for board in range(fixed, pool.gpu_count):
            since = idle_since[board]
            load += _inside(since, since + after_s, ticks, tick_s) * held_kw_per_gpu(pool)
        load += resting_kw(pool) + held.kw[-1]
        return load.reshape(self.slots, -1).mean(axis=1)

    def tail(self, start_h: Sequence[float]) -> float:
        """What runs after the window at the repeated price, against starting at once."""
        jobs, period, cost = self.problem.movable, len(self.outside.price), 0.0
        for job, start in enumerate(start_h):
            early, run = jobs.earliest_s[job] / HOUR_S, jobs.run_s[job] / HOUR_S
            cost += self.outside.delay_price * jobs.gpus[job] * (start - early)
            for begin, sign in ((start, 1.0), (early, -1.0)):
                hour = self.slots
                while hour < begin + run:
                    ran = min(begin + run, hour + 1) - max(begin, hour)
                    if ran > 0:
                        price = self.outside.price[(hour - self.slots) % period]
                        cost += sign * jobs.kw[job] * ran * price
                    hour += 1
        return float(cost)

    def fits(self, start_h: Sequence[float]) -> bool:
        """Whether boards suffice at every instant at which a job starts."""
        jobs = self.problem.movable
        free = self.problem.site.pools[0].gpu_count - self.problem.fixed.gpus[0, 0]
        spans = [
            (s, s + r / HOUR_S, g) for s, r, g in zip(start_h, jobs.run_s, jobs.gpus, strict=True)
        ]
        groups = self.problem.groups
        limits = [(free, np.ones(len(spans), bool))]
        if groups is not None:
            left = groups.boards - groups.used[:, 0]
            limits += [(boards, groups.of_movable == i) for i, boards in enumerate(left)]
        return all(
            sum(
                g
                for (s, e, g), in_it in zip(spans, who, strict=True)
                if in_it and s <= at + 1e-9 < e
            )
            <= boards + 1e-9
            for boards, who in limits
            for (at, _, _), counted in zip(spans, who, strict=True)
            if counted
        )

    def starts(self) -> list[list[float]]:
        """Every start that a plan may give each job: the earliest, then whole hours."""
        jobs = self.problem.movable
        found = []
        for early_s, latest_s in zip(jobs.earliest_s, jobs.latest_s, strict=True):
            early, latest = early_s / HOUR_S, latest_s / HOUR_S
            hours = [h for h in range(self.slots) if early < h <= latest + 1e-9]
            found.append([float(early), *map(float, hours)])
        return found

    def slot_costs(self, load_kw: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Cost of energy and import [kW] of each option in each slot, shape (slots, options)."""
        tables, money = self.tables, self.money
        cost, bought = np.zeros((2, self.slots, len(tables.options)))
        for t, load in enumerate(load_kw):
            x = tables.it_kw[t]
            for k in range(len(tables.options)):
                site_kw = np.interp(load, x, tables.facility_kw[t, k])
                bought[t, k] = max(site_kw - self.bus.pv_kw[t], 0.0)
                cost[t, k] = money.import_price[t] * bought[t, k]
                cost[t, k] += money.facility_price[t] * site_kw
                cost[t, k] += np.interp(load, x, money.side[t, k])
        return cost, bought

    def cheapest(self, start_h: Sequence[float]) -> float:
        """Least cost of a choice of starts over every course of set-points that the ramp allows."""
        cost, bought = self.slot_costs(self.load_kw(start_h))
        tail = self.tail(start_h)
        if self.money.demand_price == 0:
            return tail + self._best_course(cost)
        peaks = self.bus.peaks
        floor, share = peaks.floor_kw[MONTH], peaks.share[MONTH]
        steps_kw = bought + peaks.above_mean_kw[:, None]
        return tail + min(
            self._best_course(np.where(steps_kw <= peak + 1e-9, cost, np.inf))
            + self.money.demand_price * share * (peak - floor)
            for peak in np.unique(np.maximum(steps_kw, floor))
        )

    def _best_course(self, cost: np.ndarray) -> float:
        supply = np.array([option.supply_degc for option in self.tables.options])
        ramp = self.bus.ramp_k_per_h * self.bus.slot_h + 1e-9
        reachable = np.abs(supply[:, None] - supply[None, :]) <= ramp
        least = np.where(np.abs(supply - self.bus.supply_degc) <= ramp, cost[0], np.inf)
        for t in range(1, self.slots):
            least = cost[t] + np.where(reachable, least[:, None], np.inf).min(axis=0)
        return float(least.min())

    def optimum(self) -> float:
        """The least cost over every feasible choice of starts."""
        return min(
            self.cheapest(starts)
            for starts in itertools.product(*self.starts())
            if self.fits(starts)
        )

    @property
    def slots(self) -> int:
        return len(self.problem.forecast.frame)


def with_options(problem: WindowProblem, levels: Sequence[float]) -> WindowProblem:
    """The problem with only some supply levels."""
    kept = tuple(option for option in problem.options if option.supply_degc in levels)
    return replace(problem, options=kept)
