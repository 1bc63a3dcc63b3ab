"""Where jobs may run besides their home, and where a plan has put them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.site import Pool


def alike(pool: Pool, other: Pool) -> bool:
    """Whether a job runs as long and draws as much in either pool."""
    return (pool.server.name, pool.power_cap_frac) == (other.server.name, other.power_cap_frac)


def guests(scenario: Scenario, drivers: Drivers, site: str, pool: Pool) -> NDArray[np.int64]:
    """Rows of the jobs that may come to a pool from elsewhere: movable ones from pools like it.

    Args:
        scenario: with its sites.
        drivers: with its jobs.
        site: name of the pool's site.
        pool: where to.
    """
    jobs, from_there = drivers.jobs, np.zeros(len(drivers.jobs), bool)
    for name, choice in scenario.sites.items():
        for home in choice.site.pools:
            if name != site and alike(home, pool):
                from_there |= (jobs.site == name) & (jobs.pool == home.name)
    return np.flatnonzero(from_there & drivers.movable)


def placed(jobs: JobTable, site: str, pool: str) -> JobTable:
    """The jobs at another site and pool."""
    at = np.full(len(jobs), site, object), np.full(len(jobs), pool, object)
    return jobs.with_columns(site=at[0], pool=at[1])


def as_planned(drivers: Drivers, schedule: Schedule) -> Drivers:
    """The drivers with each job at the site and pool that a plan gives it."""
    site, pool = (schedule.decisions[name].to_numpy(object) for name in ("site", "pool"))
    return replace(drivers, jobs=drivers.jobs.with_columns(site=site, pool=pool))
