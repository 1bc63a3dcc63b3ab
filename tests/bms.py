"""A small site behind a controller, and observations of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import aidc
from aidc.api import drivers_of
from aidc.bms import Advice, Observation, Reading, points_of
from aidc.forecast import Drivers
from aidc.scenario import Scenario
from aidc.schedule import Commitment, PlanningState, SetPoints

SCENARIO = Path(__file__).parents[1] / "scenarios" / "lingang-week.yaml"
SETS = (
    "site.model=helios-hall",
    "site.battery_kwh=200 kWh",
    "site.pv_kwp=100 kW",
    "start=2023-07-31T00:00:00+08:00",
    "end=2023-08-01T12:00:00+08:00",
    "step=30 min",
    "workload.jobs_per_day=300",
    "plan.window=24 h",
    "plan.commit=12 h",
    "plan.objective=cost",
    "pathway=null",
    "seed=1",
)


@cache
def hall() -> Scenario:
    """One room over a day and a half and the end of a month: PV, battery, and a price of the month's peak."""
    return aidc.load(SCENARIO, sets=SETS)


def readings(scenario: Scenario, at: datetime, **values: float) -> dict[str, Reading]:
    """A good reading of every point of the site; what is not said is an ordinary summer day."""
    usual = {
        "supply_degc": 24.0, "month_peak_kw": 0.0, "battery_kwh": 100.0, "drybulb_degc": 30.0,
        "dewpoint_degc": 24.0, "it_kw": 100.0, "pv_kw": 20.0,
    }  # fmt: skip
    site = next(iter(scenario.sites.values())).site
    return {
        point.name: Reading((usual | values)[point.name], at, unit=point.unit)
        for point in points_of(site)
    }


def observed(scenario: Scenario, at: datetime, **values: float) -> Observation:
    """A whole observation."""
    return Observation(at, readings(scenario, at, **values))


class Behind:
    """A controller's step in the place of a rolling planner: called with states, asked step by step."""

    def __init__(self, scenario: Scenario, step) -> None:  # type: ignore[no-untyped-def]
        self.scenario, self.step = scenario, step
        self.drivers: Drivers = drivers_of(scenario)
        self.advice: list[Advice] = []
        self.told: set[int] = set()

    def __call__(self, states: Mapping[str, PlanningState]) -> dict[str, Commitment]:
        ((name, state),) = states.items()
        scenario, jobs = self.scenario, self.drivers.jobs
        step = timedelta(minutes=scenario.step_min)
        now = scenario.start + timedelta(seconds=state.now_s)
        until = min(now + timedelta(hours=scenario.plan.commit_h), scenario.end)
        started = self._started(state.start_s)
        columns: dict[str, list[float]] = {}
        starts: dict[str, datetime] = {}
        supply_degc, first = state.supply_degc, round(state.now_s / step.total_seconds())
        while now < until:
            seen = Observation(
                now,
                readings(
                    scenario,
                    now,
                    supply_degc=supply_degc,
                    battery_kwh=state.battery_kwh,
                    month_peak_kw=state.month_peak_kw,
                ),
                started=started,
            )
            advice = self.step(seen)
            self.advice.append(advice)
            assert advice.status == "planned", advice.reason
            started = {}
            for point in advice.setpoints:
                value = -1.0 if point.value is None else point.value
                columns.setdefault(point.point, []).append(value)
            supply_degc = columns["supply_degc"][-1]
            starts |= {due.job_id: due.at for due in advice.job_starts if due.at < until}
            now += step
        rows = np.flatnonzero(np.isin(jobs.job_id, list(starts)))
        at_s = [(starts[job] - scenario.start).total_seconds() for job in jobs.job_id[rows]]
        nothing = np.zeros(len(columns["supply_degc"]))
        setpoints = SetPoints(
            np.array(columns["supply_degc"]),
            np.array(columns.get("spray", nothing - 1), np.int8),
            np.array(columns.get("battery_charge_kw", nothing)),
            np.array(columns.get("battery_discharge_kw", nothing)),
            nothing,
            nothing,
            np.full(len(nothing), -1, np.int8),
        )
        return {
            name: Commitment(rows, np.zeros(len(rows), np.int64), np.array(at_s), first, setpoints)
        }

    def _started(self, start_s: NDArray[np.float64]) -> dict[str, datetime]:
        new = [row for row in np.flatnonzero(np.isfinite(start_s)).tolist() if row not in self.told]
        self.told.update(new)
        ids = self.drivers.jobs.job_id
        return {
            ids[row]: self.scenario.start + timedelta(seconds=float(start_s[row])) for row in new
        }
