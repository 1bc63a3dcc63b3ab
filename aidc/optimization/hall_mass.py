"""What pre-cooling the hall's mass could win: set-points chosen with its heat counted, beside without.

The difference of air and equipment settles within a minute, so in a plan's slot the mass is as warm as the
supply set-point makes it: the store has no state but the set-point. A slot that is colder than the one
before cools the mass down as well, one that is warmer leaves heat in it. For a given load the best course
of set-points is then found exactly, by dynamic programming over the options and their ramp.

Chillers' least times, the demand charge, the battery and the tank are left out of both courses.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.plant_tables import PlantTables, sample
from aidc.optimization.problem import WindowProblem, load_kw, pool_load_kw
from aidc.optimization.view import View
from aidc.plant.hall import ThermalMass
from aidc.scenario import Goal
from aidc.units import MIN_PER_H

Array = NDArray[np.float64]
ROUNDING_K = 1e-9


@dataclass(frozen=True, slots=True)
class HallMass:
    """A hall as a store of cold, and what it is worth in a window.

    Attributes:
        kwh_per_k: heat that the mass holds a kelvin.
        stored_kwh: between the coldest and the warmest set-point of the plan.
        minutes: of the hall's mean IT power that this is.
        steady: cost of the best course where mass holds nothing.
        with_mass: cost of the best course where its heat is counted.
        blind: cost of the first course where heat is counted: what a plan that forgets it delivers.
        unit: of the costs.
    """

    kwh_per_k: float
    stored_kwh: float
    minutes: float
    steady: float
    with_mass: float
    blind: float
    unit: str

    @property
    def gain_frac(self) -> float:
        """What planning with the mass saves against planning as if there were none, both with it."""
        return (self.blind - self.with_mass) / abs(self.steady)


def hall_mass(problem: WindowProblem, goal: Goal) -> HallMass:
    """Worth of the hall's mass at the load of a window as it stands.

    The courses begin at the set-point in force and end no warmer, so that none lives off the hall.

    Args:
        problem: the window.
        goal: what is minimised.
    """
    view, mass = View.of(problem), ThermalMass.of(problem.site)
    level = np.array([option.supply_degc for option in problem.options])
    before, ramp_k = view.bus.supply_degc, view.bus.ramp_k_per_h * view.bus.slot_h
    falls_k = np.append(level, before)[:, None] - level  # from each level, and the first, to each
    allowed = np.abs(falls_k) <= ramp_k + ROUNDING_K
    steps_k = np.unique(falls_k[allowed].round(9))
    steady = _cost(view, goal, _plant(view, None))
    moved = {
        step: _cost(view, goal, _plant(view, mass.kwh_per_k * step / view.bus.slot_h))
        for step in steps_k.tolist()
    }
    slots = len(steady)
    of_move = np.full((slots, *falls_k.shape), np.inf)
    for step, cost in moved.items():
        here = allowed & (np.abs(falls_k - step) <= ROUNDING_K)
        of_move[:, here] = np.broadcast_to(cost[:, None, :], of_move.shape)[:, here]
    unmoved = np.where(allowed, steady[:, None, :], np.inf)
    last = level <= before + ROUNDING_K
    forgetful, course = _course(unmoved, last)
    best, _ = _course(of_move, last)
    came = np.append(len(level), course[:-1])
    stored = mass.kwh_per_k * float(level.max() - level.min())
    load = load_kw(problem, problem.at, view.edges)
    return HallMass(
        kwh_per_k=mass.kwh_per_k,
        stored_kwh=stored,
        minutes=stored / float(load.mean()) * MIN_PER_H,
        steady=forgetful,
        with_mass=best,
        blind=float(of_move[np.arange(slots), came, course].sum()),
        unit=view.money(goal).unit,
    )


def _plant(view: View, mass_heat_kw: float | None) -> PlantTables:
    """The plant at the window's load, with heat from the hall's mass beside."""
    problem, slots = view.problem, len(view.bus.pv_kw)
    pools = range(len(problem.fixed.kw))
    load = np.stack([pool_load_kw(problem, problem.at, view.edges, pool) for pool in pools])
    heat = None
    if mass_heat_kw is not None:
        heat = np.full((slots, len(problem.options)), mass_heat_kw)
    return sample(
        problem.site,
        problem.options,
        problem.forecast.frame,
        view.per_slot,
        load,
        load,
        1,
        problem.scenario.baseline.mode_policy,
        problem.drivers.water_cny_per_m3,
        np.zeros((slots, 1)),
        heat,
    )


def _cost(view: View, goal: Goal, tables: PlantTables) -> Array:
    """Cost of each slot under each option, shape (slots, options)."""
    money = view.money(goal, tables)
    site_kw = tables.facility_kw[:, :, 0]
    bought = np.maximum(site_kw - view.bus.pv_kw[:, None], 0.0)
    paid = money.import_price[:, None] * bought + money.facility_price[:, None] * site_kw
    return np.asarray(view.bus.slot_h * (paid + money.side[:, :, 0]), np.float64)


def _course(cost: Array, last: NDArray[np.bool_]) -> tuple[float, NDArray[np.int64]]:
    """The cheapest course of options and its cost.

    Args:
        cost: of each option after each, shape (slots, options + 1, options); the last row is the option
            in force before, and inf is what cannot follow.
        last: options that may be the last, shape (options,).
    """
    slots, _, options = cost.shape
    least, came = cost[0, -1].copy(), np.zeros((slots, options), np.int64)
    for slot in range(1, slots):
        every = least[:, None] + cost[slot, :-1]
        came[slot] = every.argmin(axis=0)
        least = every.min(axis=0)
    least = np.where(last, least, np.inf)
    course = np.zeros(slots, np.int64)
    course[-1] = int(least.argmin())
    for slot in range(slots - 1, 0, -1):
        course[slot - 1] = came[slot, course[slot]]
    return float(least.min()), course
