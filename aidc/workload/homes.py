"""Which site, pool and power class a job belongs to, by its id."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.job import IntColumn, TextColumn
from aidc.site import Site
from aidc.workload.lots import lots


@dataclass(frozen=True, slots=True)
class Homes:
    """Home of each job, shape (n,): site, pool, the GPUs of that pool, and whether it is accepted."""

    site: TextColumn
    pool: TextColumn
    pool_gpu_count: IntColumn
    accepted: NDArray[np.bool_]


def homes(
    job_id: TextColumn, sites: tuple[Site, ...], accepts: Collection[str] | None = None
) -> Homes:
    """Home site and pool of each job, in proportion to GPUs, whatever the size of the job.

    Args:
        job_id: identity, shape (n,).
        sites: where.
        accepts: names of boards that the jobs can run on; None: any. Where no pool has them the
            jobs have a home all the same, in which they are not accepted.
    """
    every = [(site, pool) for site in sites for pool in site.pools]
    suited = [
        (site, pool) for site, pool in every if accepts is None or pool.server.gpu.name in accepts
    ]
    pools = [(site.name, pool.name, pool.gpu_count) for site, pool in suited or every]
    gpu_count = np.array([count for _, _, count in pools], np.int64)
    which = _chosen(lots(job_id, "home"), gpu_count / gpu_count.sum())
    site_names = np.array([name for name, _, _ in pools], object)
    pool_names = np.array([name for _, name, _ in pools], object)
    accepted = np.full(len(job_id), bool(suited))
    return Homes(site_names[which], pool_names[which], gpu_count[which], accepted)


def classes(job_id: TextColumn, shares: Mapping[str, float]) -> TextColumn:
    """Power class of each job, in proportion to the shares of jobs by class."""
    share = np.array(list(shares.values()))
    return np.array(list(shares), object)[_chosen(lots(job_id, "class"), share / share.sum())]


def _chosen(lot: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the share that each lot falls into."""
    return np.searchsorted(np.cumsum(share)[:-1], lot, side="right").astype(np.int64)
