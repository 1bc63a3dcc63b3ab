"""From the windows of all sites to one network problem, and back to the place and start of each job."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.bound import Window
from aidc.optimization.network.problem import HeldBoards, NetworkJobs, NetworkProblem, SiteSide
from aidc.optimization.problem import (
    NARROW_KW,
    WindowProblem,
    bus_of,
    load_kw,
    prices_of,
    sampled_tables,
    tank_rates_kw,
)
from aidc.optimization.tail import tail_of

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
POINTS = 16  # of IT power, over all that the boards of a site can draw


@dataclass(frozen=True, slots=True)
class Places:
    """Where the movable jobs of a window may run; pools are counted over all sites.

    Attributes:
        allowed: for each movable job, in the order of the windows' jobs, shape (n, pools).
        moving_s: what a move delays a start by.
    """

    allowed: NDArray[np.bool_]
    moving_s: float


def network_problem(
    problems: Sequence[WindowProblem], edges_s: Array, per_slot: int, places: Places
) -> tuple[NetworkProblem, tuple[Window, ...]]:
    """All sites of one window as one problem, and each site's part of its proof: its fixed work alone.

    Args:
        problems: the window of each site; its jobs stand at a start that fits.
        edges_s: of the slots, the same for all.
        per_slot: simulation steps in a slot.
        places: of the jobs of all windows, one after the other.
    """
    first_pool = np.cumsum([0, *(len(one.site.pools) for one in problems)])
    pools = int(first_pool[-1])
    home = np.concatenate(
        [one.movable.pool + first for one, first in zip(problems, first_pool, strict=False)]
    )

    def jobs(name: str) -> Array:
        return np.concatenate([getattr(one.movable, name) for one in problems])

    def everywhere(values: Array) -> Array:
        return np.broadcast_to(values[:, None], (len(values), pools))

    away = np.arange(pools) != home[:, None]
    boards = np.array([pool.gpu_count for one in problems for pool in one.site.pools], np.float64)
    movable = NetworkJobs(
        earliest_s=jobs("earliest_s"),
        latest_s=jobs("latest_s"),
        home=home,
        at_s=np.concatenate([one.at_s for one in problems]),
        run_s=everywhere(jobs("run_s")),
        kw=everywhere(jobs("kw")),
        gpus=everywhere(jobs("gpus")),
        allowed=places.allowed,
        moving_s=np.where(away, places.moving_s, 0.0),
    )
    densest = np.zeros(pools)  # IT power of a board, at most
    for pool in range(pools):
        here = places.allowed[:, pool]
        densest[pool] = np.max(movable.kw[here, pool] / movable.gpus[here, pool], initial=0.0)
    sides, windows = [], []
    for one, first in zip(problems, first_pool, strict=False):
        mine = slice(int(first), int(first) + len(one.site.pools))
        window = _window(one, edges_s, per_slot, densest[mine])
        windows.append(window)
        sides.append(_side(window))
    held = [
        HeldBoards(*one.fixed_runs[:3], one.fixed_runs[3] + first)
        for one, first in zip(problems, first_pool, strict=False)
    ]
    network = NetworkProblem(
        edges_s=edges_s,
        sites=tuple(sides),
        site_of_pool=np.repeat(np.arange(len(problems)), np.diff(first_pool)),
        boards=boards,
        held=HeldBoards(
            *(
                np.concatenate([getattr(one, name) for one in held])
                for name in ("start_s", "end_s", "gpus", "pool")
            )
        ),
        jobs=movable,
        tail_price=np.stack([window.tail.price for window in windows]),
    )
    return network, tuple(windows)


def _window(problem: WindowProblem, edges_s: Array, per_slot: int, densest_kw: Array) -> Window:
    """A site with its fixed work, its plant sampled over all that its boards can draw."""
    fixed, boards = problem.fixed, np.array([pool.gpu_count for pool in problem.site.pools])
    low = fixed.kw + fixed.idle_kw[:, None]
    free = np.maximum(boards[:, None] - fixed.gpus, 0.0)
    high = low + free * densest_kw[:, None] + NARROW_KW
    rates = tank_rates_kw(problem.site, len(edges_s) - 1)
    tables = sampled_tables(problem, per_slot, low, high, POINTS, rates)
    goal = problem.scenario.plan.goals[0]
    money, bus = prices_of(problem, tables, per_slot, goal), bus_of(problem, per_slot)
    tail = tail_of(tables, money, bus, load_kw(problem, problem.at, edges_s))
    nobody = np.zeros(0, np.int64)
    alone = replace(problem, movable=problem.movable.take(nobody), at_s=problem.at_s[nobody])
    what = f"{problem.site.name} of the network"
    return Window(alone, tables, money, bus, edges_s, tail, goal, what)


def _side(window: Window) -> SiteSide:
    """A site as the jobs of the network see it: at its best set-point in each slot, stores at rest."""
    tables, money, rest = window.tables, window.money, window.tables.at_rest
    site_kw = tables.facility_kw[:, :, rest]
    bought = np.maximum(site_kw - window.bus.pv_kw[:, None, None], 0.0)
    cost = money.import_price[:, None, None] * bought + money.side[:, :, rest]
    cost = (cost + money.facility_price[:, None, None] * site_kw).min(axis=1)
    fixed = window.problem.fixed
    load = fixed.kw.sum(axis=0) + fixed.idle_kw.sum()
    return SiteSide(window.problem.site.name, tables.it_kw[:, rest], cost, load)
