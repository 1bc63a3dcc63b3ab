"""One plan for the movable jobs of all sites, and its proof."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.bound import bound
from aidc.optimization.network.hull import Hulls, cost_at, hulls
from aidc.optimization.network.merged import merged
from aidc.optimization.network.pricing import (
    energy_integrals,
    lines_of_pools,
    tail_at_earliest,
)
from aidc.optimization.network.primal import Placement
from aidc.optimization.network.problem import NetworkPlan, NetworkProblem
from aidc.optimization.network.rough import Guide, Rough
from aidc.optimization.network.search import Found, Search
from aidc.optimization.network.starts import Starts

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
SEARCH_GAP_SHARE = 0.2  # of the asked gap, for the prices
PULL = 0.1  # a kW beside the mix counts, as a price, by this times its share of the site's greatest power
TRIED_PER_SLOT = 5  # starts of jobs that found no boards when they were meant to start
LENGTH_POWER = 0.3  # the densest jobs first, of like density the longest
HURRY_SLOTS = 1.0  # jobs that cannot wait longer go before all others
LEFT_OVER_SHARE = 0.5  # of their price, what boards cost that are left over by a first pass


def spread(
    problem: NetworkProblem,
    *,
    gap_frac: float,
    limit_s: float,
    progress: Callable[[str], None] | None = None,
) -> NetworkPlan:
    """A pool and a start for each job, and a bound on what any choice costs.

    Args:
        problem: the window.
        gap_frac: gap asked for; the search for prices ends when they are good enough for it.
        limit_s: time for the search for prices; bound and placement come on top.
        progress: called with a line on each step.

    Returns:
        A plan that fits all boards at exact times, with its gap, whatever that is.
    """
    clock = _Clock()
    curves, goods = hulls(problem), merged(problem)
    lines = lines_of_pools(problem)
    clock.lap("build")
    if not len(problem.jobs):
        return _empty(problem, curves, clock)
    search = Search(problem, goods, curves)
    found = search.run(SEARCH_GAP_SHARE * gap_frac, clock.began + limit_s, progress)
    clock.lap("prices")
    least, price, boards = max(
        ((bound(problem, curves, lines, *prices), *prices) for prices in found.prices),
        key=lambda tried: tried[0],
    )
    clock.lap("bound")
    placed = _place(problem, curves, (price, boards), _mix_load(problem, found, search.slots_in))
    clock.lap("placement")
    cost = plan_cost(problem, placed.pool, placed.start, placed.load_kw)
    return NetworkPlan(
        pool=placed.pool,
        start_s=problem.edges_s[0] + placed.start * problem.slot_s,
        price_per_kwh=price,
        price_per_board_h=boards,
        load_kw=placed.load_kw,
        bound=least,
        cost=cost,
        gap_frac=(cost - least) / max(abs(cost), 1e-12),
        iterations=found.rounds,
        seconds=clock.laps,
    )


def plan_cost(problem: NetworkProblem, pool: Rows, start: Array, load_kw: Array) -> float:
    """Cost of a schedule by the sites' own curves, and of its tail against the earliest starts at home.

    Args:
        problem: the window.
        pool: of each job, shape (n,).
        start: of each job in slots, shape (n,).
        load_kw: IT power that follows, shape (sites, slots).
    """
    jobs, rows = problem.jobs, np.arange(len(pool))
    zero = np.zeros((len(problem.sites), problem.slots))
    after = energy_integrals(problem, zero)
    end = start + jobs.run_s[rows, pool] / problem.slot_s
    tail = -tail_at_earliest(problem)
    reach = np.arange(after.shape[1])
    for site in range(len(problem.sites)):
        mine = problem.site_of_pool[pool] == site
        spent = np.interp(end[mine], reach, after[site]) - np.interp(
            start[mine], reach, after[site]
        )
        tail += float(jobs.kw[rows, pool][mine] @ spent)
    return float(cost_at(problem, load_kw).sum() * problem.slot_h) + tail


def _place(
    problem: NetworkProblem, curves: Hulls, prices: tuple[Array, Array], load: Array
) -> Placement:
    """Every job placed: at prices, and with a pull towards a load."""
    jobs, starts = problem.jobs, Starts.of(problem)
    energy, boards = prices
    most = curves.it_kw[:, :, -1].max(axis=1)
    pull = PULL * np.abs(energy).mean(axis=1) / np.maximum(most, 1e-9)
    home = np.arange(len(jobs)), jobs.home
    dense = (jobs.kw / jobs.gpus)[home] * np.maximum(problem.home_run_s, 1.0) ** LENGTH_POWER
    order = np.lexsort((-dense, starts.slack > HURRY_SLOTS))
    guide = Guide(energy, boards, load, pull)
    rough = Rough(problem, starts)
    rough.fill(order, guide)
    rough.improve(order, replace(guide, price_per_board_h=boards * LEFT_OVER_SHARE))
    placed = Placement(problem, starts, TRIED_PER_SLOT)
    placed.dispatch(rough.pool, rough.start, boards > 0)
    placed.fill(order, guide)
    return placed


def _mix_load(problem: NetworkProblem, found: Found, slots_in: Rows) -> Array:
    """IT power of the sites in the master's mix, shape (sites, slots)."""
    _, pool, power = found.master.supply_kw()
    load = np.stack([site.fixed_kw for site in problem.sites]).astype(np.float64)
    np.add.at(load, problem.site_of_pool[pool], np.repeat(power, slots_in, axis=1))
    return load


def _empty(problem: NetworkProblem, curves: Hulls, clock: "_Clock") -> NetworkPlan:
    """The plan of a window without movable jobs."""
    load = np.stack([site.fixed_kw for site in problem.sites]).astype(np.float64)
    cost = float(cost_at(problem, load).sum() * problem.slot_h)
    return NetworkPlan(
        pool=np.zeros(0, np.int64),
        start_s=np.zeros(0),
        price_per_kwh=curves.slope[:, :, 0],
        price_per_board_h=np.zeros((len(problem.boards), problem.slots)),
        load_kw=load,
        bound=cost,
        cost=cost,
        gap_frac=0.0,
        iterations=0,
        seconds=clock.laps,
    )


class _Clock:
    """Wall time by stage."""

    def __init__(self) -> None:
        self.began = self._last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.perf_counter()
        self.laps[stage], self._last = now - self._last, now
