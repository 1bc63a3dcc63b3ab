"""A day of W1 at the Lingang centre as designed: 54,795 jobs on 27,000 boards, half of them deferrable.

Plant, weather, PV and tariff are those of the scenario of a year of twenty million tasks in July, with more
PV and a battery so that a plan has something to do with them. W1 begins with an empty machine, and
what is put off may run on the day after.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

import aidc
from aidc.api.drivers import sites_of
from aidc.forecast import Drivers
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.workload.flexibility import with_slack
from tests.w1 import w1_jobs

YEAR = Path(__file__).parents[1] / "scenarios" / "year-20m.yaml"
SIZES = ["sites.lingang.overrides.pv_kwp=4 MW", "sites.lingang.overrides.battery_kwh=8 MWh"]
SLACK_H = (6.0, 24.0)
DEFERRABLE_FRAC = 0.5


def scenario(objective: str, hours: int, step_min: int) -> Scenario:
    """One window of ``hours`` from the third of July."""
    end = f"end=2023-07-{3 + hours // 24:02d}T00:00:00+08:00"
    plan = [
        f"plan.objective={objective}", f"plan.window={hours} h", f"plan.commit={hours} h",
        f"plan.step={step_min} min", "plan.gap=0.05 %", "workload.warm_start=empty",
    ]  # fmt: skip
    return aidc.load(YEAR, sets=["start=2023-07-03T00:00:00+08:00", end, *SIZES, *plan])


def jobs() -> JobTable:
    """W1's first day, half of its jobs deferrable by 6 or by 24 h."""
    table = w1_jobs(1)
    site, pool = (np.full(len(table), name, object) for name in ("lingang", "a100"))
    table = table.with_columns(site=site, pool=pool)
    return with_slack(table, DEFERRABLE_FRAC, SLACK_H, {"w1"})


def drivers(asked: Scenario, table: JobTable) -> Drivers:
    """Series of the scenario, with these jobs."""
    nowhere = np.zeros(len(table), np.bool_)
    return Drivers(table.check(), nowhere, nowhere, sites_of(asked), table.rows_of, True, ())


def sampled(table: JobTable, count: int) -> JobTable:
    """Every so manieth job, so many in all."""
    rows = np.linspace(0, len(table) - 1, count).round().astype(np.int64)
    return replace(table.take(rows), rows_of=table.rows_of)
