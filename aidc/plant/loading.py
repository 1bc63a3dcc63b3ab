"""Optimal loading: which unlike chillers run, and how a heat is shared among them, at least power."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InfeasibleError

Array = NDArray[np.float64]
HALVINGS = 60  # of the range of marginal powers
GRID = 201  # loads of the one machine on a concave part, in each of the rounds
ROUNDS = 5
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class CubicMachine:
    """A chiller whose power is ``a + b PLR + c PLR^2 + d PLR^3`` [kW] where it runs, and nothing where not.

    Attributes:
        capacity_kw: heat at PLR 1.
        plr_min_frac: least part load of a running machine.
        power_kw: a, b, c, d.
    """

    capacity_kw: float
    plr_min_frac: float
    power_kw: tuple[float, float, float, float]

    def at(self, plr: Array) -> Array:
        """Power at a part load [kW], same shape."""
        a, b, c, d = self.power_kw
        return a + plr * (b + plr * (c + plr * d))

    def marginal(self, plr: Array | float) -> Array:
        """Power for a further kW of heat, same shape."""
        _, b, c, d = self.power_kw
        part = np.asarray(plr, np.float64)
        return np.asarray((b + part * (2 * c + 3 * d * part)) / self.capacity_kw, np.float64)

    def convex_plr(self, marginal: Array) -> Array:
        """Part load of the convex part with this marginal power, or nearest to it, same shape."""
        _, b, c, d = self.power_kw
        rise = marginal * self.capacity_kw - b
        if d == 0.0:
            return np.asarray(rise / (2 * c), np.float64)
        return np.asarray((-c + np.sqrt(np.maximum(c * c + 3 * d * rise, 0.0))) / (3 * d))

    def parts(self) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
        """The convex and the concave part of its range; a straight line counts as concave."""
        _, _, c, d = self.power_kw
        low, high = self.plr_min_frac, 1.0
        if d == 0.0:
            return ((low, high), None) if c > 0.0 else (None, (low, high))
        turn = min(max(-c / (3 * d), low), high)
        below, above = (low, turn), (turn, high)
        convex, concave = (above, below) if d > 0.0 else (below, above)
        return (
            convex if convex[1] > convex[0] else None,
            concave if concave[1] > concave[0] else None,
        )


@dataclass(frozen=True, slots=True)
class Loading:
    """Heat of each machine [kW], shape (machines,), nothing where it is off, and the power of all."""

    heat_kw: Array
    power_kw: float


def optimal_loading(machines: Sequence[CubicMachine], heat_kw: float) -> Loading:
    """The machines that run and what each carries, so that together they draw the least.

    At a least power the running machines off their limits have one marginal power, and at most one of
    them is on a concave part of its curve: of two such, shifting load from one to the other would help.
    So every machine is tried off, on its convex part, or at an end of its concave part, and at most
    one inside its concave part. What is left is convex: one marginal power, found by halving. The load
    of the one concave machine is a search in one dimension, a grid that is refined about its best.

    Args:
        machines: unlike machines; the number of trials grows as a power of it.
        heat_kw: to be carried in full.

    Raises:
        InfeasibleError: no set of machines carries exactly this heat.

    References:
        Y.-C. Chang, "A novel energy conservation method - optimal chiller loading", Electric Power
        Systems Research 69 (2004) 221-226; F. Acerbi, M. Rampazzo, G. De Nicolao, "An Exact Algorithm
        for the Optimal Chiller Loading Problem", Energies 13 (2020) 6372, for quadratic curves.
    """
    best: Loading | None = None
    for course in itertools.product(*(_trials(machine) for machine in machines)):
        if sum(inside for _, _, inside in course) > 1:
            continue
        found = _shared(machines, course, heat_kw)
        if found is not None and (best is None or found.power_kw < best.power_kw):
            best = found
    if best is None:
        most = sum(machine.capacity_kw for machine in machines)
        raise InfeasibleError(
            f"no set of machines carries exactly {heat_kw:g} kW; all together carry {most:g} kW at most"
        )
    return best


Trial = tuple[float, float, bool]  # range of part loads; whether it is inside a concave part
OFF: Trial = (0.0, 0.0, False)


def _trials(machine: CubicMachine) -> list[Trial]:
    convex, concave = machine.parts()
    found: list[Trial] = [OFF]
    if convex is not None:
        found.append((*convex, False))
    if concave is not None:
        found += [(end, end, False) for end in concave if convex is None or end not in convex]
        found.append((*concave, True))
    return found


def _shared(
    machines: Sequence[CubicMachine], course: Sequence[Trial], heat_kw: float
) -> Loading | None:
    """The best sharing within the ranges; None: they cannot carry this heat."""
    convex = [i for i, (low, high, inside) in enumerate(course) if high > low and not inside]
    moving = next((i for i, (_, _, inside) in enumerate(course) if inside), None)
    plr = np.array([low for low, _, _ in course])
    fixed = [
        i for i, trial in enumerate(course) if trial != OFF and i not in convex and i != moving
    ]
    fixed_kw = sum(machines[i].capacity_kw * plr[i] for i in fixed)
    left_kw = heat_kw - fixed_kw
    tried = np.zeros(1)
    if moving is not None:
        low, high, _ = course[moving]
        size = machines[moving].capacity_kw
        reach = [sum(machines[i].capacity_kw * course[i][end] for i in convex) for end in (0, 1)]
        low, high = max(low, (left_kw - reach[1]) / size), min(high, (left_kw - reach[0]) / size)
        if low > high + ROUNDING:
            return None
        tried = np.linspace(low, max(low, high), GRID)
    for _ in range(ROUNDS if moving is not None else 1):
        moved_kw = 0.0 if moving is None else tried * machines[moving].capacity_kw
        shares = _convex(machines, convex, course, left_kw - moved_kw + 0.0 * tried)
        if shares is None:
            return None
        power = sum((machines[i].at(shares[n]) for n, i in enumerate(convex)), 0.0 * tried)
        if moving is not None:
            power = power + machines[moving].at(tried)
        at = int(np.argmin(power))
        plr[convex] = shares[:, at]
        if moving is not None:
            plr[moving] = tried[at]
            tried = np.linspace(tried[max(at - 1, 0)], tried[min(at + 1, GRID - 1)], GRID)
    running = [i for i, trial in enumerate(course) if trial != OFF]
    total = sum(float(machines[i].at(plr[i : i + 1])[0]) for i in running)
    return Loading(np.array([m.capacity_kw for m in machines]) * plr, total)


def _convex(
    machines: Sequence[CubicMachine], convex: list[int], course: Sequence[Trial], left_kw: Array
) -> Array | None:
    """Part loads at equal marginal power, shape (convex, n); None where the ranges cannot carry it."""
    size = np.array([machines[i].capacity_kw for i in convex])
    low = np.array([course[i][0] for i in convex])
    high = np.array([course[i][1] for i in convex])
    room = ROUNDING * max(float(np.abs(left_kw).max()), 1.0)
    if (left_kw < (size * low).sum() - room).any() or (left_kw > (size * high).sum() + room).any():
        return None
    if not convex:
        return np.zeros((0, len(left_kw)))
    ends = [machines[i].marginal(end) for i in convex for end in course[i][:2]]
    under, over = (np.full(len(left_kw), float(pick(ends))) for pick in (min, max))

    def shares(marginal: Array) -> Array:
        return np.stack(
            [np.clip(machines[i].convex_plr(marginal), course[i][0], course[i][1]) for i in convex]
        )

    for _ in range(HALVINGS):
        middle = 0.5 * (under + over)
        less = (size[:, None] * shares(middle)).sum(axis=0) < left_kw
        under, over = np.where(less, middle, under), np.where(less, over, middle)
    return shares(over)
