"""The restricted master: a mix of job columns against the sites' hulls, as arrays for HiGHS.

Pyomo takes seconds to hand over what HiGHS solves in tenths of one; this is the one place of the plan
where a linear program is written as a matrix. Rows are, in this order: supply of each good, power of
each site, boards of each pool, one mix of columns per block.
"""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from aidc.errors import PlanError
from aidc.optimization.network.hull import Hulls
from aidc.optimization.network.merged import Good
from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
PRIMAL_SIMPLEX = 4  # of HiGHS's simplex_strategy
SHORT_PRICE = 20.0  # of the dearest facet: of work that no pool takes


@dataclass(frozen=True, slots=True)
class Duals:
    """What the master thinks things are worth.

    Attributes:
        price_per_kwh: IT energy, shape (sites, periods).
        price_per_board_h: boards, shape (pools, periods).
        objective: of the master.
    """

    price_per_kwh: Array
    price_per_board_h: Array
    objective: float


class Master:
    """Columns so far, and the linear program that mixes them.

    Its periods are some slots long, so that it is small; prices in finer steps gain little.

    Args:
        problem: the window.
        goods: what columns load.
        blocks: in how many mixes.
        curves: hulls of the sites, one a period.
        first: first slot of each period.
        slots: slots in each period.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        goods: list[Good],
        blocks: int,
        curves: Hulls,
        first: Rows,
        slots: Rows,
    ) -> None:
        self._sites, self._periods = curves.it_kw.shape[:2]
        self._hours = problem.slot_h * slots
        self._blocks = blocks
        self._goods, self._site_of_pool = goods, problem.site_of_pool
        free = np.add.reduceat(problem.gpus_free, first, axis=1) / slots
        sizes = [len(goods), self._sites, len(free)]
        self._row = np.cumsum([0, *(size * self._periods for size in sizes), blocks])
        self._pool_of_supply = np.concatenate([good.pools for good in goods])
        self._good_of_supply = np.repeat(np.arange(len(goods)), [len(g.pools) for g in goods])
        self._supplies = len(self._pool_of_supply) * self._periods
        self.fixed_cost = float((curves.cost[:, :, 0] * self._hours).sum())
        self._lp = self._empty(curves, free)

    def _empty(self, curves: Hulls, free: Array) -> "highspy.Highs":
        """The program without columns of jobs."""
        periods, first = self._periods, self._row
        pool, good = self._pool_of_supply, self._good_of_supply
        at = np.arange(periods)
        # power of a good on a pool: supplies the good, loads the site, holds boards
        rows = (good, self._site_of_pool[pool], pool)
        supply_rows = np.stack(
            [
                start + which[:, None] * periods + at
                for start, which in zip(first[:3], rows, strict=True)
            ],
            axis=2,
        ).reshape(-1)
        boards = np.array([1.0 / g.kw_per_board for g in self._goods])[good]
        one = np.ones(len(good))
        supply_values = np.repeat(np.stack([one, one, boards], axis=1), periods, axis=0).reshape(-1)
        # power of a site on a facet of its hull
        s, t, facet = np.nonzero(curves.width_kw > 0)
        slope = curves.slope[s, t, facet]
        # work that is not done
        short = np.arange(first[1])
        short_price = SHORT_PRICE * float(np.abs(slope).max(initial=1.0))
        many = np.full(self._supplies, highspy.kHighsInf), np.full(len(short), highspy.kHighsInf)
        cost = [
            np.zeros(self._supplies),
            slope * self._hours[t],
            short_price * self._hours[short % periods],
        ]
        count = np.repeat([3, 1, 1], [self._supplies, len(s), len(short)])
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(count), int(first[4])
        lp.col_cost_, lp.col_lower_ = np.concatenate(cost), np.zeros(len(count))
        lp.col_upper_ = np.concatenate([many[0], curves.width_kw[s, t, facet], many[1]])
        lower, upper = np.full(first[4], -highspy.kHighsInf), np.zeros(first[4])
        lower[: first[1]] = 0.0
        upper[first[2] : first[3]] = free.reshape(-1)
        lower[first[3] :], upper[first[3] :] = 1.0, 1.0
        lp.row_lower_, lp.row_upper_ = lower, upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(count)])
        lp.a_matrix_.index_ = np.concatenate([supply_rows, first[1] + s * periods + t, short])
        lp.a_matrix_.value_ = np.concatenate([supply_values, -np.ones(len(s)), np.ones(len(short))])
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        # new columns leave the last basis feasible: the primal simplex goes on from there
        for option, setting in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("solver", "simplex"),
            ("simplex_strategy", PRIMAL_SIMPLEX),
        ):
            solver.setOptionValue(option, setting)
        solver.passModel(lp)
        return solver

    def add(self, block: Rows, load_kw: Array, cost: Array) -> None:
        """Adds columns.

        Args:
            block: of each, shape (columns,).
            load_kw: its load of each good, shape (columns, goods, periods).
            cost: what it costs besides, shape (columns,).
        """
        flat = load_kw.reshape(len(block), -1)
        column, row = np.nonzero(flat > 0)
        count = np.bincount(column, minlength=len(block)) + 1
        start = np.concatenate([[0], np.cumsum(count)])
        index, value = np.empty(start[-1], np.int32), np.empty(start[-1])
        last = start[1:] - 1
        inside = np.ones(start[-1], bool)
        inside[last] = False
        index[inside], value[inside] = row, -flat[column, row]
        index[last], value[last] = self._row[3] + block, 1.0
        columns = len(block)
        self._lp.addCols(
            columns,
            cost,
            np.zeros(columns),
            np.full(columns, highspy.kHighsInf),
            int(start[-1]),
            start[:-1].astype(np.int32),
            index,
            value,
        )

    def solve(self) -> Duals:
        """Prices of the best mix so far.

        Raises:
            PlanError: HiGHS did not solve it.
        """
        self._lp.run()
        if self._lp.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            status = self._lp.modelStatusToString(self._lp.getModelStatus())
            raise PlanError(f"network plan: the master program ended as {status!r}")
        periods, hours = self._periods, self._hours
        dual = np.array(self._lp.getSolution().row_dual)
        _, site, boards, _ = np.split(dual, self._row[1:4])
        return Duals(
            np.maximum(-site, 0.0).reshape(-1, periods) / hours,
            np.maximum(-boards, 0.0).reshape(-1, periods) / hours,
            float(self._lp.getInfo().objective_function_value) + self.fixed_cost,
        )

    def supply_kw(self) -> tuple[Rows, Rows, Array]:
        """Good, pool and power [kW] of each supply, shapes (n,), (n,), (n, periods)."""
        value = np.array(self._lp.getSolution().col_value)[: self._supplies]
        return self._good_of_supply, self._pool_of_supply, value.reshape(-1, self._periods)
