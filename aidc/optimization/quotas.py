"""Quotas of virtual clusters in a window: each is a calendar of boards of its own beside the pool's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
NO_GROUP = -1


@dataclass(frozen=True, slots=True)
class Groups:
    """Jobs that share a quota: those of one virtual cluster in one pool.

    Attributes:
        names: virtual cluster of each group, shape (groups,).
        boards: quota of each group, same shape.
        of_movable: group of each movable job; -1: it has no quota.
        of_fixed_run: group of each of `WindowProblem.fixed_runs`.
        used: boards that fixed work of each group holds, mean of a slot, shape (groups, slots).
    """

    names: tuple[str, ...]
    boards: Array
    of_movable: Rows
    of_fixed_run: Rows
    used: Array


def group_of(jobs: JobTable, pool: Rows, quotas: Mapping[str, int]) -> Rows:
    """Group of each job of a site: its cluster's place among the quotas, counted on from pool to pool."""
    place = {vc: index for index, vc in enumerate(quotas)}
    of_vc = np.array([place.get(vc, NO_GROUP) for vc in jobs.vc.tolist()], np.int64)
    return np.where(of_vc == NO_GROUP, NO_GROUP, of_vc + pool * len(quotas))


def quotas_left(
    groups: Groups | None, big: NDArray[np.bool_], gpus: Array, small_share: Array
) -> tuple[Rows, Array]:
    """Quota of each planned job, and the boards that all others leave of each, shape (quotas, slots).

    Args:
        groups: who shares one; None: nobody.
        big: movable jobs that are planned, shape (n,).
        gpus: boards of each movable job, shape (n,).
        small_share: share of each slot in which the others run where they stand.
    """
    if groups is None:
        return np.full(int(big.sum()), NO_GROUP), np.zeros((0, small_share.shape[1]))
    used, of_small = groups.used.copy(), groups.of_movable[~big]
    in_one = of_small != NO_GROUP
    np.add.at(used, of_small[in_one], (small_share * gpus[~big, None])[in_one])
    return groups.of_movable[big], np.maximum(groups.boards[:, None] - used, 0.0)
