"""Where jobs may run besides their home, and where a plan has put them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.site import Pool


def pools_of(scenario: Scenario) -> tuple[tuple[str, Pool], ...]:
    """All pools of all sites, each with the name of its site."""
    return tuple((name, p) for name, choice in scenario.sites.items() for p in choice.site.pools)


def open_to(scenario: Scenario) -> NDArray[np.bool_]:
    """Whether a movable job of each pool (row) may run in each pool (column) of `pools_of`.

    Besides its home these are pools at other sites in which it runs as long and draws as much: of the
    same servers under the same power cap.
    """
    pools = pools_of(scenario)
    kinds = [(p.server.name, p.power_cap_frac, p.sleep_after_min) for _, p in pools]
    return np.array(
        [
            [
                at == to or (pools[at][0] != pools[to][0] and kinds[at] == kinds[to])
                for to in range(len(pools))
            ]
            for at in range(len(pools))
        ]
    )


def pool_index(scenario: Scenario, jobs: JobTable) -> NDArray[np.int64]:
    """Place of each job's pool in `pools_of`, shape (n,)."""
    index = np.zeros(len(jobs), np.int64)
    for place, (site, pool) in enumerate(pools_of(scenario)):
        index[(jobs.site == site) & (jobs.pool == pool.name)] = place
    return index


def guests(scenario: Scenario, drivers: Drivers, site: str, pool: Pool) -> NDArray[np.int64]:
    """Rows of the jobs that may come to a pool from elsewhere.

    Args:
        scenario: with its sites.
        drivers: with its jobs.
        site: name of the pool's site.
        pool: where to.
    """
    names = [(name, one.name) for name, one in pools_of(scenario)]
    here, home = names.index((site, pool.name)), pool_index(scenario, drivers.jobs)
    may_come = open_to(scenario)[home, here] & (home != here)
    return np.flatnonzero(may_come & drivers.movable)


def placed(jobs: JobTable, site: str, pool: str) -> JobTable:
    """The jobs at another site and pool."""
    at = np.full(len(jobs), site, object), np.full(len(jobs), pool, object)
    return jobs.with_columns(site=at[0], pool=at[1])


def as_planned(drivers: Drivers, schedule: Schedule) -> Drivers:
    """The drivers with each job at the site and pool that a plan gives it."""
    site, pool = (schedule.decisions[name].to_numpy(object) for name in ("site", "pool"))
    return replace(drivers, jobs=drivers.jobs.with_columns(site=site, pool=pool))
