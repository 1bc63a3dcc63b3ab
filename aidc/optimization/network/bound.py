"""The certificate: from any prices of energy and boards, a cost that no schedule can undercut."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.hull import Hulls
from aidc.optimization.network.pricing import (
    Line,
    at_home_cost,
    board_integrals,
    energy_integrals,
    tail_at_earliest,
)
from aidc.optimization.network.problem import NetworkProblem

Array = NDArray[np.float64]


def sites_bound(
    problem: NetworkProblem, curves: Hulls, price_per_kwh: Array, price_per_board_h: Array
) -> float:
    """What the sites cost at least when jobs pay them for energy and boards."""
    fixed = np.stack([site.fixed_kw for site in problem.sites])
    energy = curves.least(price_per_kwh) + price_per_kwh * fixed
    boards = price_per_board_h * problem.gpus_free
    return float((energy.sum() - boards.sum()) * problem.slot_h)


def bound(
    problem: NetworkProblem,
    curves: Hulls,
    lines: list[Line],
    price_per_kwh: Array,
    price_per_board_h: Array,
) -> float:
    """A lower bound on every schedule of the window, from any prices (Lagrangian relaxation).

    Each job goes to its cheapest start on any pool that it accepts, or where it stands; each site runs at
    its cheapest load; boards that are free at a price and not used are paid back.

    Args:
        problem: the window.
        curves: hulls of its sites.
        lines: its jobs by pool, see `lines_of_pools`.
        price_per_kwh: of IT energy, shape (sites, slots).
        price_per_board_h: of boards, shape (pools, slots), not negative.
    """
    energy = energy_integrals(problem, price_per_kwh)
    boards = board_integrals(problem, price_per_board_h)
    cheapest = at_home_cost(problem, energy, boards)
    for pool, line in enumerate(lines):
        cost, _ = line.least(energy[int(problem.site_of_pool[pool])], boards[pool], proof=True)
        cheapest[line.job] = np.minimum(cheapest[line.job], cost)
    sites = sites_bound(problem, curves, price_per_kwh, price_per_board_h)
    return sites + float(cheapest.sum()) - tail_at_earliest(problem)
