"""Which site, pool and power class a job belongs to, by its id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.job import IntColumn, TextColumn
from aidc.site import Site
from aidc.workload.accepts import Accepted
from aidc.workload.lots import lots


@dataclass(frozen=True, slots=True)
class Homes:
    """Home of each job, shape (n,): site, pool, the GPUs of that pool, and whether it is accepted."""

    site: TextColumn
    pool: TextColumn
    pool_gpu_count: IntColumn
    accepted: NDArray[np.bool_]


def homes(job_id: TextColumn, sites: tuple[Site, ...], accepted: Accepted) -> Homes:
    """Home site and pool of each job, in proportion to GPUs, whatever the size of the job.

    Args:
        job_id: identity, shape (n,).
        sites: where.
        accepted: boards that each job can run on, shape (n,). A job that no pool suits has a
            home all the same, in which it is not accepted.
    """
    lot = lots(job_id, "home")

    def among(gpu_count: IntColumn, rows: IntColumn) -> IntColumn:
        return _chosen(lot[rows], gpu_count / gpu_count.sum())

    return _homes(sites, accepted, among)


def largest_homes(sites: tuple[Site, ...], accepted: Accepted) -> Homes:
    """The largest pool that each job accepts, the first of equals; else as `homes`."""

    def among(gpu_count: IntColumn, rows: IntColumn) -> IntColumn:
        return np.full(len(rows), np.argmax(gpu_count))

    return _homes(sites, accepted, among)


def _homes(
    sites: tuple[Site, ...],
    accepted: Accepted,
    among: Callable[[IntColumn, IntColumn], IntColumn],
) -> Homes:
    """One of the pools that suit each job: ``among`` picks, from their GPUs, for rows of jobs."""
    every = [(site.name, pool) for site in sites for pool in site.pools]
    gpu_count = np.array([pool.gpu_count for _, pool in every], np.int64)
    which, is_accepted = np.zeros(len(accepted), np.int64), np.zeros(len(accepted), np.bool_)
    for code, boards in enumerate(accepted.sets):
        rows = np.flatnonzero(accepted.code == code)
        suited = np.flatnonzero(
            [boards is None or pool.server.gpu.name in boards for _, pool in every]
        )
        offered = suited if len(suited) else np.arange(len(every))
        which[rows] = offered[among(gpu_count[offered], rows)]
        is_accepted[rows] = len(suited) > 0
    site_names = np.array([name for name, _ in every], object)
    pool_names = np.array([pool.name for _, pool in every], object)
    return Homes(site_names[which], pool_names[which], gpu_count[which], is_accepted)


def classes(job_id: TextColumn, shares: Mapping[str, float]) -> TextColumn:
    """Power class of each job, in proportion to the shares of jobs by class."""
    share = np.array(list(shares.values()))
    return np.array(list(shares), object)[_chosen(lots(job_id, "class"), share / share.sum())]


def _chosen(lot: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the share that each lot falls into."""
    return np.searchsorted(np.cumsum(share)[:-1], lot, side="right").astype(np.int64)
