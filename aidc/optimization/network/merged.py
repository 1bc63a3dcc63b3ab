"""The relaxation in which prices are sought: pools that suit a job equally well share one price.

A *good* is the work of jobs that may run on the same set of pools at a like power per board. In the
relaxation a good's load may be split over its pools slot by slot, so one price of it holds for all of them;
far fewer prices have to be found, and the prices of energy and boards behind them are good ones for the
jobs as they are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.pricing import (
    Line,
    energy_integrals,
    open_pools,
)
from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Sets = dict[tuple[int, ...], list[tuple[Rows, int]]]  # rows of jobs and the pool of their measure
POOL_SETS = 32  # at most; rarer sets count as the kept one most like them
DENSITY_BINS = 3  # of power per board
ALIKE = 1e-3  # to this share do pools suit a job equally
SLACK_BANDS = 4
SET_BANDS = 3  # of jobs by what they accept: the two commonest patterns, and the rest


@dataclass(frozen=True, slots=True)
class Good:
    """Work that may run on a set of pools.

    Attributes:
        pools: the set.
        kw_per_board: its mean.
        line: its jobs, which take power only; on any of the pools they run as on the first.
    """

    pools: Rows
    kw_per_board: float
    line: Line


@dataclass(frozen=True, slots=True)
class Merged:
    """All goods.

    Attributes:
        goods: the goods; a job is in several where pools of unlike speed are open to it.
        block_of: part of the master to which a job belongs, shape (n,).
        blocks: their number.
    """

    goods: list[Good]
    block_of: Rows
    blocks: int

    def prices(
        self, problem: NetworkProblem, price_per_kwh: Array, price_per_board_h: Array
    ) -> list[Array]:
        """Integrated price of a kW of each good, shape (edges,): of its cheapest pool in each slot."""
        energy = energy_integrals(problem, price_per_kwh)
        found = []
        for good in self.goods:
            sites = problem.site_of_pool[good.pools]
            by_pool = price_per_kwh[sites] + price_per_board_h[good.pools] / good.kw_per_board
            inside = np.cumsum(by_pool.min(axis=0) * problem.slot_h)
            steps = np.diff(energy[np.unique(sites), problem.slots :], axis=1).min(axis=0)
            after = inside[-1] + np.cumsum(steps)
            found.append(np.concatenate([[0.0], inside, after]))
        return found


def merged(problem: NetworkProblem) -> Merged:
    """The goods of a window."""
    jobs = problem.jobs
    every = np.arange(len(jobs))
    kind, groups = _patterns(problem)
    by_set: Sets = {}
    work = (jobs.kw * jobs.run_s)[every, jobs.home]
    for number, sets in enumerate(groups):
        rows = np.flatnonzero(kind == number)
        for pools in sets:
            by_set.setdefault(pools, []).append((rows, pools[0]))
    by_set = _fewer(by_set, work)
    goods: list[Good] = []
    for pools, parts in by_set.items():
        rows = np.concatenate([rows for rows, _ in parts])
        pool = np.concatenate([np.full(len(rows), first) for rows, first in parts])
        goods.extend(_goods(problem, np.array(pools), rows, pool))
    common = np.argsort(-np.bincount(kind, work), kind="stable")
    rank = np.empty(len(common), np.int64)
    rank[common] = np.arange(len(common))
    set_band = np.minimum(rank[kind], SET_BANDS - 1)
    slack = jobs.latest_s - jobs.earliest_s
    edges = np.quantile(slack, np.linspace(0, 1, SLACK_BANDS + 1)[1:-1])
    key = set_band * SLACK_BANDS + np.digitize(slack, edges)
    found, block_of = np.unique(key, return_inverse=True)
    return Merged(goods, block_of.reshape(-1).astype(np.int64), len(found))


def _patterns(problem: NetworkProblem) -> tuple[Rows, list[list[tuple[int, ...]]]]:
    """Kind of each job by which pools suit it alike, and of each kind the sets of pools alike."""
    jobs, opened = problem.jobs, open_pools(problem)
    code = np.zeros(opened.shape, np.int64)
    home = jobs.home[:, None]
    for amount, weight in ((jobs.run_s, 1), (jobs.kw, 100_003), (jobs.gpus, 1_000_003)):
        relative = amount / np.take_along_axis(amount, home, axis=1)
        code += weight * np.rint(np.where(opened, relative, 0.0) / ALIKE).astype(np.int64)
    code[np.logical_not(opened)] = -1
    weights = np.random.default_rng(0).integers(1, 2**40, len(problem.boards))
    _, first, kind = np.unique(code @ weights, return_index=True, return_inverse=True)
    groups: list[list[tuple[int, ...]]] = []
    for row in first:
        values = [value for value in np.unique(code[row]) if value >= 0]
        groups.append([tuple(np.flatnonzero(code[row] == v).tolist()) for v in values])
    return kind.reshape(-1).astype(np.int64), groups


def _fewer(by_set: Sets, work: Array) -> Sets:
    """At most `POOL_SETS` sets: rarer ones join the kept one with most pools in common."""
    weight = {pools: sum(float(work[r].sum()) for r, _ in by_set[pools]) for pools in by_set}
    ordered = sorted(by_set, key=lambda pools: (-weight[pools], pools))
    kept = {pools: list(by_set[pools]) for pools in ordered[:POOL_SETS]}
    for pools in ordered[POOL_SETS:]:
        mine = set(pools)
        like = max(kept, key=lambda other: len(mine & set(other)) / len(mine | set(other)))
        kept[like].extend(by_set[pools])
    return kept


def _goods(problem: NetworkProblem, pools: Rows, rows: Rows, pool: Rows) -> list[Good]:
    """Goods of one set of pools by power per board; ``pool`` is where each run is measured."""
    jobs, slot_s = problem.jobs, problem.slot_s
    run = jobs.run_s[rows, pool] / slot_s
    kw, gpus = jobs.kw[rows, pool], jobs.gpus[rows, pool]
    early = (jobs.earliest_s[rows] - problem.edges_s[0]) / slot_s
    late = (jobs.latest_s + problem.home_run_s - problem.edges_s[0])[rows] / slot_s - run
    density = kw / gpus
    bins = DENSITY_BINS if len(pools) > 1 else 1  # one pool leaves no choice of whom to put where
    edges = np.quantile(density, np.linspace(0, 1, bins + 1)[1:-1])
    of_bin = np.digitize(density, np.unique(edges))
    goods = []
    for number in np.unique(of_bin):
        part = of_bin == number
        none = np.zeros(int(part.sum()))
        line = Line.of(
            rows[part], run[part], early[part], late[part], problem.slots, kw[part], none
        )
        mean = float(kw[part] @ run[part]) / max(float(gpus[part] @ run[part]), 1e-12)
        goods.append(Good(pools, mean, line))
    return goods
