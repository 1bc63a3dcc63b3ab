"""What IT power costs at each site in each slot: the curve itself, and its lower convex hull."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.problem import NetworkProblem, SiteSide

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
PERIOD_POINTS = 7
NARROW_KW = 1e-9  # of two corners nearer than this one is left out


@dataclass(frozen=True, slots=True)
class Hulls:
    """Lower convex hulls from the fixed load to the most that boards can draw; the last corner is repeated.

    Attributes:
        it_kw: corners, shape (sites, slots, corners).
        cost: of an hour there, same shape.
    """

    it_kw: Array
    cost: Array

    def least(self, price: Array) -> Array:
        """Least of cost less price x power, shape (sites, slots); any curve above the hull has no less."""
        return np.asarray((self.cost - price[:, :, None] * self.it_kw).min(axis=2), np.float64)

    @property
    def width_kw(self) -> Array:
        """Width of each facet, shape (sites, slots, corners - 1)."""
        return np.diff(self.it_kw, axis=2)

    @property
    def slope(self) -> Array:
        """Cost of a kWh on each facet, same shape; of an empty facet that before it."""
        width = self.width_kw
        rise = np.diff(self.cost, axis=2)
        slope = np.divide(rise, width, out=np.full_like(rise, -np.inf), where=width > 0)
        return np.asarray(np.maximum.accumulate(slope, axis=2), np.float64)


def hulls(problem: NetworkProblem) -> Hulls:
    """The hulls of all sites."""
    most = most_kw(problem)
    corners = [
        [_hull(*_curve(site, t, most[s, t])) for t in range(problem.slots)]
        for s, site in enumerate(problem.sites)
    ]
    widest = max(2, *(len(x) for row in corners for x, _ in row))
    shape = (len(problem.sites), problem.slots, widest)
    it_kw, cost = np.empty(shape), np.empty(shape)
    for s, row in enumerate(corners):
        for t, (x, y) in enumerate(row):
            it_kw[s, t, : len(x)], it_kw[s, t, len(x) :] = x, x[-1]
            cost[s, t, : len(y)], cost[s, t, len(y) :] = y, y[-1]
    return Hulls(it_kw, cost)


def by_period(curves: Hulls, first: Rows, slots: Rows) -> Hulls:
    """Hulls of periods of some slots, in which the load is even between the least and the most.

    The mean of the slots' costs at some shares of the way; it serves to find prices, not to bound.

    Args:
        curves: of the slots.
        first: first slot of each period.
        slots: slots in each period.
    """
    low, high = curves.it_kw[:, :, :1], curves.it_kw[:, :, -1:]
    at = low + (high - low) * np.linspace(0.0, 1.0, PERIOD_POINTS)
    cost = np.empty(at.shape)
    for place in np.ndindex(at.shape[:2]):
        cost[place] = np.interp(at[place], curves.it_kw[place], curves.cost[place])
    count = slots[:, None]
    return Hulls(
        np.add.reduceat(at, first, axis=1) / count, np.add.reduceat(cost, first, axis=1) / count
    )


def most_kw(problem: NetworkProblem) -> Array:
    """IT power with every free board at the densest job's power, shape (sites, slots)."""
    jobs = problem.jobs
    most = np.stack([site.fixed_kw for site in problem.sites]).astype(np.float64)
    for pool, site in enumerate(problem.site_of_pool):
        here = jobs.allowed[:, pool]
        dense = np.max(jobs.kw[here, pool] / jobs.gpus[here, pool], initial=0.0)
        most[site] += dense * problem.gpus_free[pool]
    return most


def cost_at(problem: NetworkProblem, load_kw: Array) -> Array:
    """Cost of an hour at a load by the sites' own curves, shape (sites, slots)."""
    cost = np.empty(load_kw.shape)
    for s, site in enumerate(problem.sites):
        for t in range(problem.slots):
            x, y = _curve(site, t, max(float(load_kw[s, t]), float(site.fixed_kw[t])))
            cost[s, t] = np.interp(load_kw[s, t], x, y)
    return cost


def _curve(site: SiteSide, slot: int, most_kw: float) -> tuple[Array, Array]:
    """The curve of a slot from the fixed load to the most, past its end with its last slope."""
    x, y = site.it_kw[slot], site.cost[slot]
    low, high = float(site.fixed_kw[slot]), max(most_kw, float(site.fixed_kw[slot]))
    if high > x[-1]:
        slope = (y[-1] - y[-2]) / (x[-1] - x[-2]) if len(x) > 1 else 0.0
        x, y = np.append(x, high), np.append(y, y[-1] + slope * (high - x[-1]))
    inside = (x > low + NARROW_KW) & (x < high - NARROW_KW)
    at = np.concatenate([[low], x[inside], [high]]) if high > low else np.array([low])
    return at, np.interp(at, x, y)


def _hull(x: Array, y: Array) -> tuple[Array, Array]:
    """Corners of the lower convex hull."""
    kept = [0]
    while kept[-1] < len(x) - 1:
        corner = kept[-1]
        slopes = (y[corner + 1 :] - y[corner]) / (x[corner + 1 :] - x[corner])
        kept.append(corner + 1 + int(np.argmin(slopes)))
    return x[kept], y[kept]
