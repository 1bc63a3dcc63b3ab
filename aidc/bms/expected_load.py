"""IT power of jobs at given starts."""

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.site import Site
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]


def it_kw(site: Site, jobs: JobTable, start_s: Array, edges_s: Array) -> Array:
    """IT power at the reference inlet, mean of each step, shape (pools, steps)."""
    end_s = start_s + np.minimum(jobs.run_s, jobs.limit_s)
    made = np.zeros((len(site.pools), len(edges_s) - 1))
    for row, pool in enumerate(site.pools):
        mine = np.flatnonzero(
            (jobs.pool == pool.name) & (end_s > edges_s[0]) & (start_s < edges_s[-1])
        )
        at_s = np.concatenate([edges_s[:1], start_s[mine], end_s[mine], edges_s[-1:]])
        change_kw = np.concatenate([[0.0], jobs.added_kw[mine], -jobs.added_kw[mine], [0.0]])
        order = np.argsort(at_s, kind="stable")
        at_s, running_kw = at_s[order], np.cumsum(change_kw[order])
        work = np.concatenate([[0.0], np.cumsum(running_kw[:-1] * np.diff(at_s))])
        made[row] = np.diff(np.interp(edges_s, at_s, work)) / np.diff(edges_s) + idle_kw(pool)
    return made
