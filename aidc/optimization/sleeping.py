"""Pools whose idle servers sleep: what a schedule draws there, boots and boards still awake in it.

In the model of a window a board is off unless a job holds it, so idle power belongs to the job and work
stays linear in its starts. What is left out, boards awake until they sleep and jobs that hold theirs longer
while servers boot, is never negative: the model bounds every schedule from below. A given schedule is
played on the very `Sleepers` of the simulation, and a plan is priced, chosen and promised at that load.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from aidc.site import Pool
from aidc.units import S_PER_MIN
from aidc.workload.load_forecast import mean_level
from aidc.workload.power import asleep_kw_per_gpu, idle_kw
from aidc.workload.sleep import Sleepers

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Held:
    """Jobs that hold boards in a window, or held some so shortly before it that those are still awake.

    Attributes:
        row: of the job table, rising.
        start_s: where each stands, shape (n,).
        run_s: run time; of those that have begun with the boot of their servers.
        gpus: boards.
        kw: IT power above that of its boards switched off.
        pool: pool index.
        begun: whether it has started.
    """

    row: Rows
    start_s: Array
    run_s: Array
    gpus: Array
    kw: Array
    pool: Rows
    begun: NDArray[np.bool_]

    def of_pool(self, pool: int) -> "Held":
        """Those of one pool."""
        mine = self.pool == pool
        columns = (self.row, self.start_s, self.run_s, self.gpus, self.kw, self.pool, self.begun)
        return Held(*(column[mine] for column in columns))

    def moved(self, row: Rows, start_s: Array) -> "Held":
        """With other starts for some, who must be among them."""
        start = self.start_s.copy()
        start[np.searchsorted(self.row, row)] = start_s
        return Held(self.row, start, self.run_s, self.gpus, self.kw, self.pool, self.begun)


def sleeps(pool: Pool) -> bool:
    """Whether idle servers of a pool switch off."""
    return pool.sleep_after_min is not None


def still_awake_s(pool: Pool) -> float:
    """How long boards stay awake that nobody holds; 0 where that makes no difference."""
    return 0.0 if pool.sleep_after_min is None else pool.sleep_after_min * S_PER_MIN


def resting_kw(pool: Pool) -> float:
    """Power of a pool that no job holds: off where its servers sleep, else idle."""
    return idle_kw(pool) - held_kw_per_gpu(pool) * pool.gpu_count


def held_kw_per_gpu(pool: Pool) -> float:
    """What holding a board draws before any work, over the pool at rest."""
    return asleep_kw_per_gpu(pool) if sleeps(pool) else 0.0


def load_kw(pool: Pool, held: Held, edges_s: Array) -> Array:
    """IT power of a sleeping pool under a schedule, as the simulation will have it, shape (slots,).

    Args:
        pool: whose servers sleep.
        held: its jobs.
        edges_s: of the slots.
    """
    sleepers = Sleepers(pool.gpu_count, still_awake_s(pool), pool.server.boot_s)
    start_s, end_s = _played(held, pool.gpu_count, sleepers)
    work = mean_level(start_s, end_s, held.kw, edges_s)
    in_use = mean_level(start_s, end_s, held.gpus, edges_s)
    waking = np.maximum(pool.gpu_count - sleepers.asleep(edges_s) - in_use, 0.0)
    return np.asarray(resting_kw(pool) + work + held_kw_per_gpu(pool) * waking, np.float64)


def _played(held: Held, capacity: int, sleepers: Sleepers) -> tuple[Array, Array]:
    """Start and end of each job with the boots it meets; one that finds too few boards waits for them."""
    start_s, end_s = held.start_s.copy(), np.zeros(len(held.row))
    ends: list[tuple[float, int]] = []
    now_s, free = -np.inf, capacity

    def give_back() -> float:
        nonlocal free
        at_s, boards = heappop(ends)
        sleepers.give(boards, at_s)
        free += boards
        return at_s

    for job in np.lexsort((held.row, held.start_s)).tolist():
        now_s, boards = max(now_s, float(held.start_s[job])), int(held.gpus[job])
        while ends and (ends[0][0] <= now_s or free < boards):
            now_s = max(now_s, give_back())
        boot_s = sleepers.take(min(boards, max(free, 0)), now_s)
        free -= boards
        start_s[job] = now_s
        end_s[job] = now_s + held.run_s[job] + (0.0 if held.begun[job] else boot_s)
        heappush(ends, (float(end_s[job]), boards))
    while ends:
        give_back()
    return start_s, end_s


def most_left_out_kw(
    pool: Pool, held: Held, movable: Rows, touched: Array, edges_s: Array
) -> Array:
    """What the model of a sleeping pool leaves out at most, shape (slots,).

    Args:
        pool: whose servers sleep.
        held: its jobs.
        movable: rows of those that may move.
        touched: 1 where such a job may run or boot, shape (movable jobs of the pool, slots).
        edges_s: of the slots.
    """
    fixed = ~np.isin(held.row, movable)
    boots = fixed & ~held.begun
    boot_s, per_gpu = np.full(int(boots.sum()), pool.server.boot_s), held_kw_per_gpu(pool)
    own_kw = held.kw - per_gpu * held.gpus
    end_s = held.start_s + held.run_s
    in_use = mean_level(held.start_s[fixed], end_s[fixed], held.gpus[fixed], edges_s)
    left_out = per_gpu * np.maximum(pool.gpu_count - in_use, 0.0)
    left_out += mean_level(end_s[boots], end_s[boots] + boot_s, own_kw[boots], edges_s)
    share = min(1.0, pool.server.boot_s / float(edges_s[1] - edges_s[0]))
    return np.asarray(left_out + share * (own_kw[~fixed] @ touched), np.float64)
