"""From slots to exact times: in each pool jobs start as boards come free, so that full pools stay full."""

from bisect import insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.cells import Cells
from aidc.optimization.network.problem import NetworkProblem
from aidc.optimization.network.starts import Starts

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
import os
TIGHT, AHEAD, AHEAD2, BEFORE = eval(os.environ.get('DISP', '0,0,0,0'))
URGENT = float(os.environ.get('URGENT','0'))
MISSES = 8  # of one cell: then nobody else is tried in it


def dispatched(
    problem: NetworkProblem, starts: Starts, cells: Cells, pool: Rows, meant: Array, rows: Rows
) -> Array:
    """Exact starts in slots, not before they were meant to be; nan of jobs that found no boards in time.

    Cell by cell each pool tries those that wait, the first to be meant first.

    Args:
        problem: the window.
        starts: what its jobs may do.
        cells: boards in use; the jobs are added.
        pool: of all jobs, shape (n,).
        meant: start in slots, same shape.
        rows: jobs to start.
    """
    found = np.full(len(pool), np.nan)
    for index in range(len(problem.boards)):
        mine = rows[pool[rows] == index]
        late, want = starts.late[mine, index], meant[mine]
        release = np.maximum(starts.early[mine, index], np.where(late < want + TIGHT, want - AHEAD, want - AHEAD2))
        release = np.minimum(release, want)
        key = np.minimum(late - BEFORE, want)
        order = np.lexsort((-problem.jobs.gpus[mine, index], key, release))
        _one_pool(problem, starts, cells, index, mine[order], release[order], key[order], found)
    return found


def _one_pool(problem, starts, cells, pool, rows, meant, key, found):
    used, per_slot, most = cells.used[pool], cells.per_slot, float(cells.boards[pool])
    release = (meant * per_slot).tolist()
    late = (starts.late[rows, pool] * per_slot + 1e-9).tolist()
    length = (starts.run[rows, pool] * per_slot).tolist()
    gpus = problem.jobs.gpus[rows, pool].tolist()
    rank = np.empty(len(rows)); rank[np.argsort(key, kind="stable")] = np.arange(len(rows)); rank = rank.tolist()
    waiting: list[int] = []
    nxt, n, cell = 0, len(rows), 0
    urgent = URGENT * per_slot
    begun = np.full(n, np.nan)
    while nxt < n or waiting:
        if not waiting:
            cell = max(cell, int(release[nxt]))
        while nxt < n and release[nxt] < cell + 1:
            insort(waiting, nxt, key=rank.__getitem__)
            nxt += 1
        free, misses = most - used[cell], 0
        kept: list[int] = []
        blocked = False
        for place, job in enumerate(waiting):
            if blocked and late[job] >= cell + urgent:
                kept.append(job)
                continue
            if gpus[job] > free:
                if late[job] < cell + urgent:
                    blocked = True
                if late[job] >= cell + 1:
                    kept.append(job)
                continue
            begin = release[job] if release[job] > cell else cell
            if begin > late[job]:
                if release[job] >= cell: pass
                continue
            stop = int(np.ceil(begin + length[job] - 1e-9))
            span = used[cell:stop]
            if span.max() + gpus[job] <= most:
                span += gpus[job]
                free -= gpus[job]
                begun[job] = begin / per_slot
            else:
                if late[job] >= cell + 1:
                    kept.append(job)
                if late[job] < cell + urgent:
                    blocked = True
                misses += 1
                if misses >= MISSES:
                    kept.extend(waiting[place + 1 :])
                    break
        waiting = kept
        cell += 1
    found[rows] = begun
