"""What one window of a network of sites is given: sites as jobs see them, and jobs against every pool.

Times are seconds on any common clock; slots are those of `edges_s`, all of one length. Costs are in the unit
of the objective; an hourly cost times the hours of a slot is what the slot costs.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SiteSide:
    """One site of a window as jobs see it.

    Attributes:
        name: of the site.
        it_kw: IT power at the reference inlet, increasing, shape (slots, points); it reaches from at most
            ``fixed_kw`` to what the site's boards can draw. Past its end the last slope goes on.
        cost: least cost of an hour at that power (best set-point, PV already used), same shape.
        fixed_kw: IT power that cannot move, idle power included, shape (slots,).
    """

    name: str
    it_kw: Array
    cost: Array
    fixed_kw: Array


@dataclass(frozen=True, slots=True)
class HeldBoards:
    """Work that cannot move, at its exact times; shape (jobs,) each.

    Attributes:
        start_s: its start; it may lie before the window.
        end_s: its end; it may lie after the window.
        gpus: boards it holds.
        pool: column of the pool.
    """

    start_s: Array
    end_s: Array
    gpus: Array
    pool: Rows


@dataclass(frozen=True, slots=True)
class NetworkJobs:
    """Movable jobs against every pool of every site; a column is a pool, counted over all sites.

    On its home pool a job starts between ``earliest_s`` and ``latest_s``, not after the window unless it can start
    no sooner. On another pool it starts ``moving_s`` later at the earliest and must end when it
    would have had to end at home.

    Attributes:
        earliest_s: first start at home, not before the window, shape (n,).
        latest_s: last start at home, shape (n,).
        home: pool of origin, shape (n,).
        at_s: a start at home such that all jobs together fit the boards, shape (n,).
        run_s: run time on each pool, shape (n, pools).
        kw: IT power above idle on each pool, same shape.
        gpus: boards on each pool, same shape.
        allowed: whether the job may run there, same shape; home is always allowed.
        moving_s: what moving there takes, same shape; 0 at home.
    """

    earliest_s: Array
    latest_s: Array
    home: Rows
    at_s: Array
    run_s: Array
    kw: Array
    gpus: Array
    allowed: Mask
    moving_s: Array

    def __len__(self) -> int:
        return len(self.home)


@dataclass(frozen=True)
class NetworkProblem:
    """One window of all sites.

    Attributes:
        edges_s: edges of the slots, shape (slots + 1,).
        sites: the sites.
        site_of_pool: site of each pool, shape (pools,).
        boards: boards of each pool, shape (pools,).
        held: fixed work that holds boards.
        jobs: movable jobs.
        tail_price: cost of a further kWh after the window by slot of its continuation, repeated, shape
            (sites, slots of a day); see `aidc.optimization.classes.tail_cost`.
    """

    edges_s: Array
    sites: tuple[SiteSide, ...]
    site_of_pool: Rows
    boards: Array
    held: HeldBoards
    jobs: NetworkJobs
    tail_price: Array

    @property
    def slots(self) -> int:
        """Number of slots."""
        return len(self.edges_s) - 1

    @property
    def slot_s(self) -> float:
        """Length of a slot."""
        return float(self.edges_s[1] - self.edges_s[0])

    @property
    def slot_h(self) -> float:
        """Length of a slot in hours."""
        return self.slot_s / S_PER_H

    @cached_property
    def reach_slots(self) -> int:
        """Slots from the start of the window to the last end that a job can have."""
        jobs = self.jobs
        run = np.where(jobs.allowed, jobs.run_s, 0.0).max(axis=1, initial=0.0)
        begin = np.maximum(jobs.at_s, jobs.latest_s + self.home_run_s)
        last = np.max(np.maximum(begin, jobs.at_s + run), initial=float(self.edges_s[-1]))
        return int(np.ceil((last - self.edges_s[0]) / self.slot_s)) + 2

    @cached_property
    def home_run_s(self) -> Array:
        """Run time of each job at home, shape (n,)."""
        return self.jobs.run_s[np.arange(len(self.jobs)), self.jobs.home]

    @cached_property
    def gpus_free(self) -> Array:
        """Boards that fixed work leaves, mean over each slot, shape (pools, slots)."""
        held = self.held
        first, length = self.edges_s[0], self.slot_s
        used = mean_use_by(
            (held.start_s - first) / length,
            (held.end_s - first) / length,
            held.gpus,
            held.pool,
            len(self.boards),
            self.slots,
        )
        return np.asarray(np.maximum(self.boards[:, None] - used, 0.0), np.float64)

    def earliest_on(self, pool: int) -> Array:
        """First start of each job on a pool, in slots from the start of the window, shape (n,)."""
        jobs = self.jobs
        start_s = jobs.earliest_s + jobs.moving_s[:, pool]
        return np.asarray((start_s - self.edges_s[0]) / self.slot_s, np.float64)

    def latest_on(self, pool: int) -> Array:
        """Last start of each job on a pool, in slots from the start of the window, shape (n,)."""
        start_s = self.jobs.latest_s + self.home_run_s - self.jobs.run_s[:, pool]
        return np.asarray((start_s - self.edges_s[0]) / self.slot_s, np.float64)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """Where and when each job runs, and what proves it.

    Attributes:
        pool: pool of each job, shape (n,).
        start_s: its start, shape (n,).
        price_per_kwh: the certificate's price of IT energy, shape (sites, slots).
        price_per_board_h: its price of boards, shape (pools, slots).
        load_kw: IT power of the plan, shape (sites, slots).
        bound: no schedule of the window costs less.
        cost: of the plan, by the same curves.
        gap_frac: what lies between them.
        iterations: price vectors that were tried.
        seconds: wall time of each stage.
    """

    pool: Rows
    start_s: Array
    price_per_kwh: Array
    price_per_board_h: Array
    load_kw: Array
    bound: float
    cost: float
    gap_frac: float
    iterations: int
    seconds: dict[str, float]


def mean_use_by(
    start: Array, end: Array, amount: Array, group: Rows, groups: int, slots: int
) -> Array:
    """Mean over each slot of what intervals hold together, by group, shape (groups, slots).

    Work of an interval up to an edge is linear between its ends, so two sums of ramps at the edges do.

    Args:
        start: of each interval in slots from the first edge.
        end: of it.
        amount: what it holds.
        group: to which it counts.
        groups: their number.
        slots: number of slots.
    """

    def ramps(at: Array) -> Array:
        """Integral over each slot of the amounts switched on at some times."""
        place = np.clip(at, 0.0, slots)
        slot = np.minimum(place.astype(np.int64), slots - 1)
        flat = group * slots + slot
        part = np.bincount(flat, amount * (1.0 - (place - slot)), groups * slots)
        on = np.bincount(flat, amount, groups * slots).reshape(groups, slots)
        before = np.cumsum(on, axis=1) - on
        return np.asarray(part.reshape(groups, slots) + before, np.float64)

    return np.asarray(ramps(start) - ramps(end), np.float64)
