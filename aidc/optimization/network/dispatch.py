"""From slots to exact times: in each pool jobs start as boards come free, so that full pools stay full."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.cells import ROUNDING, Cells
from aidc.optimization.network.problem import NetworkProblem
from aidc.optimization.network.starts import Starts

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
AHEAD_SLOTS = 0.5  # before it was meant to start, a job may where boards are scarce
URGENT_SLOTS = 1.0  # before its last start, it goes before those meant later
MISSES = 8  # of one cell: then nobody else is tried in it


@dataclass(frozen=True, slots=True)
class _Queue:
    """Jobs of a pool in the order of release; times in cells.

    Attributes:
        release: from when each may start, and
        late: until when.
        length: of its run.
        gpus: its boards.
        rank: its place among all: the least is tried first.
    """

    release: list[float]
    late: list[float]
    length: list[float]
    gpus: list[float]
    rank: list[int]


def dispatched(
    problem: NetworkProblem,
    starts: Starts,
    cells: Cells,
    pool: Rows,
    meant: Array,
    scarce: NDArray[np.bool_],
    rows: Rows,
) -> Array:
    """Exact starts in slots, shape (n,); nan of jobs that found no boards in time.

    Cell by cell each pool tries those that wait, the first to be meant first.

    Args:
        problem: the window.
        starts: what its jobs may do.
        cells: boards in use; the jobs are added.
        pool: of all jobs, shape (n,).
        meant: about when each should start, in slots, same shape.
        scarce: where boards have a price, shape (pools, slots): there jobs may start a little ahead.
        rows: jobs to start.
    """
    found = np.full(len(pool), np.nan)
    for index in range(len(problem.boards)):
        mine = rows[pool[rows] == index]
        early, late = starts.early[mine, index], starts.late[mine, index]
        slot = np.minimum(meant[mine].astype(np.int64), problem.slots - 1)
        ahead = np.where(scarce[index, slot], AHEAD_SLOTS, 0.0)
        release = np.minimum(np.maximum(early, meant[mine] - ahead), meant[mine])
        first = np.minimum(late - URGENT_SLOTS, meant[mine])
        order = np.argsort(release, kind="stable")
        rank = np.empty(len(mine), np.int64)
        rank[np.lexsort((release[order], first[order]))] = np.arange(len(mine))
        mine, scale = mine[order], cells.per_slot
        queue = _Queue(
            (release[order] * scale).tolist(),
            (late[order] * scale + ROUNDING).tolist(),
            (starts.run[mine, index] * scale).tolist(),
            problem.jobs.gpus[mine, index].tolist(),
            rank.tolist(),
        )
        found[mine] = _started(queue, cells, index) / scale
    return found


def _started(queue: _Queue, cells: Cells, pool: int) -> Array:
    """Starts of the jobs of one pool in cells."""
    used, boards = cells.used[pool], float(cells.boards[pool])
    release, late, gpus, total = queue.release, queue.late, queue.gpus, len(queue.release)
    begun = np.full(total, np.nan)
    waiting: list[int] = []
    coming, cell = 0, 0
    while coming < total or waiting:
        if not waiting:
            cell = max(cell, int(release[coming]))
        known = coming
        while coming < total and release[coming] < cell + 1:
            coming += 1
        if coming > known:
            waiting.extend(range(known, coming))
            waiting.sort(key=queue.rank.__getitem__)
        free, misses, left = boards - used[cell], 0, []
        for place, job in enumerate(waiting):
            begin = max(release[job], cell)
            if begin > late[job]:
                continue
            if gpus[job] <= free:
                span = used[cell : int(np.ceil(begin + queue.length[job] - ROUNDING))]
                if span.max(initial=0.0) + gpus[job] <= boards:
                    span += gpus[job]
                    free -= gpus[job]
                    begun[job] = begin
                    continue
                misses += 1
            left.append(job)
            if misses >= MISSES:
                left.extend(waiting[place + 1 :])
                break
        waiting = left
        cell += 1
    return begun
