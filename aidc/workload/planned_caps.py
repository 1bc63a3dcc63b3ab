"""Jobs under power caps of their own, as a plan gives them: longer runs at less power, the same work."""

import numpy as np

from aidc.catalog import row
from aidc.job import FloatColumn, JobTable
from aidc.site import Site
from aidc.workload.power import added_kw
from aidc.workload.power_cap import (
    PowerCap,
    capped_draw_frac,
    draw_frac,
    phi_of_draw_frac,
    throughput_frac,
)

NO_CAP_FRAC = 1.0


def under_caps(
    jobs: JobTable, sites: tuple[Site, ...], cap_frac: FloatColumn
) -> tuple[FloatColumn, FloatColumn]:
    """Speed over that without a cap, and IT power above idle [kW] of each job, shape (n,) each.

    Args:
        jobs: with their power without a cap.
        sites: the sites that the table names.
        cap_frac: cap of each job over its boards' maximum power, shape (n,); 1: none.

    Raises:
        CatalogError: a board whose behaviour under a cap is not known.
        SeriesError: a cap below those that are known of a board.
    """
    speed, kw = np.ones(len(jobs)), jobs.added_kw.copy()
    for site in sites:
        at_site = (jobs.site == site.name) & (cap_frac < NO_CAP_FRAC)
        for pool in site.pools:
            here, server = np.flatnonzero(at_site & (jobs.pool == pool.name)), pool.server
            if not len(here):
                continue
            board, gpus = row("power_caps", PowerCap, server.gpu.name), jobs.gpu_count[here]
            phi = np.minimum(jobs.added_kw[here] / added_kw(server, gpus, 1.0), 1.0)
            drawn, cap = draw_frac(server.gpu, phi), cap_frac[here]
            binds = cap < drawn
            under = phi_of_draw_frac(server.gpu, capped_draw_frac(cap, drawn, board))
            speed[here] = throughput_frac(cap, drawn, board)
            kw[here] = np.where(binds, added_kw(server, gpus, under), kw[here])
    return speed, kw


def with_caps(jobs: JobTable, sites: tuple[Site, ...], cap_frac: FloatColumn) -> JobTable:
    """The jobs with run time, limit and power under caps of their own.

    ``useful_s`` stays as it is without a cap: the work is the same.

    Args:
        jobs: without caps.
        sites: the sites that the table names.
        cap_frac: as for `under_caps`.

    Raises:
        CatalogError, SeriesError: as `under_caps`.
    """
    if (cap_frac >= NO_CAP_FRAC).all():
        return jobs
    speed, kw = under_caps(jobs, sites, cap_frac)
    return jobs.with_columns(run_s=jobs.run_s / speed, limit_s=jobs.limit_s / speed, added_kw=kw)
