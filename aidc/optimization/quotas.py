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
        of_other: group of each of `WindowProblem.others`.
        used: boards that fixed work of each group holds, mean of a slot, shape (groups, slots).
    """

    names: tuple[str, ...]
    boards: Array
    of_movable: Rows
    of_other: Rows
    used: Array


def group_of(jobs: JobTable, pool: Rows, quotas: Mapping[str, int]) -> Rows:
    """Group of each job of a site: its cluster's place among the quotas, counted on from pool to pool."""
    place = {vc: index for index, vc in enumerate(quotas)}
    of_vc = np.array([place.get(vc, NO_GROUP) for vc in jobs.vc.tolist()], np.int64)
    return np.where(of_vc == NO_GROUP, NO_GROUP, of_vc + pool * len(quotas))
