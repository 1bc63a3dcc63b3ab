"""What the MILP knows of the plant: site power sampled from the plant functions, per slot and set-point.

There is no second physics here: every number comes from `aidc.plant.facility.facility`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import InfeasibleError
from aidc.forecast import OUTDOOR_COLUMNS
from aidc.plant.facility import Outdoor, facility
from aidc.scenario import Plan
from aidc.schedule import CHILLERS_BY_RULE, SPRAY_OFF, SPRAY_ON
from aidc.site import ModePolicy, Site
from aidc.units import MIN_PER_H

Array = NDArray[np.float64]
POINTS = 12  # of IT power per slot and option
TANK_RATES = (0.0, 1.0, -1.0)  # of its largest; at rest first
LEVEL_STEP_K = 1.5  # between supply levels where the plan names none


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of the operator: a supply temperature, dry or sprayed, and how many chillers run."""

    supply_degc: float
    spray: int
    chillers_on: int = CHILLERS_BY_RULE


@dataclass(frozen=True, slots=True)
class PlantTables:
    """Site power over the slots of a window.

    A point is an IT power, and with a tank an IT power at a rate of the tank: all IT powers at rest
    first, then all at the next rate.

    Attributes:
        options: the choices, k.
        rates: rates of the tank that were sampled, 1 where there is none.
        it_kw: IT power at the reference inlet at each point, shape (slots, points).
        facility_kw: site power, shape (slots, options, points).
        overhead_kw: site power less IT power, plus server fans, same shape.
        water_l_per_h: same shape.
        served_kw: IT power at the inlet of that option, same shape.
        unmet_kw: heat that the plant could not remove, same shape.
        store_charge_kw: cold that goes into the tank, same shape.
        store_discharge_kw: cold that comes out of it, same shape.
    """

    options: tuple[Option, ...]
    rates: int
    it_kw: Array
    facility_kw: Array
    overhead_kw: Array
    water_l_per_h: Array
    served_kw: Array
    unmet_kw: Array
    store_charge_kw: Array
    store_discharge_kw: Array

    @property
    def at_rest(self) -> slice:
        """The points with the tank at rest."""
        return slice(0, self.it_kw.shape[1] // self.rates)


def options_of(site: Site, plan: Plan, baseline_supply_degc: float) -> tuple[Option, ...]:
    """Supply levels that keep the inlet within its limit, each dry and, with an IEC, sprayed.

    With chilled water there is each level by the plant's rule, and at each number of chillers.

    The baseline's level is always among them, so that a plan can never be forced away from it.

    Raises:
        InfeasibleError: no level keeps the inlet limit.
    """
    hall = site.hall
    warmest = min(
        hall.supply_max_degc, hall.inlet_max_degc - hall.recirculation_frac * hall.air_rise_k
    )
    asked = plan.levels_degc or _even_levels(
        hall.supply_min_degc,
        warmest,
        baseline_supply_degc,
        plan.ramp_k_per_h * plan.step_min / MIN_PER_H,
    )
    levels = sorted({level for level in (*asked, baseline_supply_degc) if level <= warmest + 1e-9})
    if not levels:
        raise InfeasibleError(
            f"{site.name}: no supply temperature keeps the server inlet at or below {hall.inlet_max_degc:g} degC; "
            f"recirculation adds {hall.recirculation_frac * hall.air_rise_k:.2g} K, so a level of {warmest:.3g} degC or less is needed"
        )
    sprays = (SPRAY_OFF, SPRAY_ON) if site.cooling.kind == "iec" else (SPRAY_OFF,)
    return tuple(
        Option(level, spray, count)
        for level in levels
        for spray in sprays
        for count in _chiller_counts(site, plan)
    )


def _chiller_counts(site: Site, plan: Plan) -> tuple[int, ...]:
    """Machines that may run, the plant's own rule first; none at all only where a tank may do."""
    plant = site.cooling
    if plant.kind != "chilled_water" or plan.chillers == "by_rule":
        return (CHILLERS_BY_RULE,)
    least = 1 if plant.tank is None else 0
    return (CHILLERS_BY_RULE, *range(least, plant.chiller_count + 1))


def _even_levels(
    coldest: float, warmest: float, baseline: float, ramp_k: float
) -> tuple[float, ...]:
    """Levels about the baseline, near enough for the set-point to step from each to the next in a slot."""
    step = min(LEVEL_STEP_K, ramp_k)
    down = np.arange(baseline, coldest - 1e-9, -step)
    up = np.arange(baseline, warmest - 1e-9, step)
    return tuple(np.unique(np.concatenate([down, up, [coldest, warmest]]).round(6)).tolist())


def slot_means(frame: pd.DataFrame, steps_per_slot: int, name: str) -> Array:
    """Mean of a driver over each slot, shape (slots,)."""
    by_slot = frame[name].to_numpy(np.float64).reshape(-1, steps_per_slot)
    return np.asarray(by_slot.mean(axis=1), np.float64)


def sample(
    site: Site,
    options: tuple[Option, ...],
    frame: pd.DataFrame,
    steps_per_slot: int,
    low_kw: Array,
    high_kw: Array,
    points: int,
    policy: ModePolicy,
    water_cny_per_m3: float,
    store_kw: Array,
    mass_heat_kw: Array | None = None,
) -> PlantTables:
    """Tables of one window.

    Args:
        site: the site.
        options: the choices of the operator.
        frame: drivers on the simulation's steps of the window.
        steps_per_slot: simulation steps in a slot.
        low_kw: least IT power that the window can reach, by pool, shape (pools, slots).
        high_kw: most of it, same shape.
        points: of IT power from low to high.
        policy: mode policy where an option leaves the mode open.
        water_cny_per_m3: price of water.
        store_kw: rates of the tank to sample, positive is charging, shape (slots, rates).
        mass_heat_kw: that the hall gives off beside, shape (slots, options); None: none.
    """
    slots, choices = low_kw.shape[1], len(options)
    rates = store_kw.shape[1]
    part = np.tile(np.linspace(0.0, 1.0, points), rates)
    by_pool = low_kw[:, :, None] + (high_kw - low_kw)[:, :, None] * part  # (pools, slots, points)
    shape = (slots, choices, points * rates)
    store = np.broadcast_to(np.repeat(store_kw, points, axis=1)[:, None, :], shape).reshape(-1)
    load = np.broadcast_to(by_pool[:, :, None, :], (len(low_kw), *shape)).reshape(len(low_kw), -1)

    def spread(values: Array) -> Array:
        return np.broadcast_to(values[:, None, None], shape).reshape(-1)

    outdoor = Outdoor(
        *(spread(slot_means(frame, steps_per_slot, name)) for name in OUTDOOR_COLUMNS)
    )
    supply = np.array([option.supply_degc for option in options])
    spray = np.array([option.spray for option in options], np.int8)
    chillers = np.array([option.chillers_on for option in options], np.int8)
    plant = facility(
        site,
        load,
        outdoor,
        np.broadcast_to(supply[None, :, None], shape).reshape(-1),
        spray=np.broadcast_to(spray[None, :, None], shape).reshape(-1),
        policy=policy,
        tariff_cny_per_kwh=spread(slot_means(frame, steps_per_slot, "tariff_cny_per_kwh")),
        water_cny_per_m3=water_cny_per_m3,
        store_charge_kw=np.maximum(store, 0.0),
        store_discharge_kw=np.maximum(-store, 0.0),
        chillers_on=np.broadcast_to(chillers[None, :, None], shape).reshape(-1),
        mass_heat_kw=None
        if mass_heat_kw is None
        else np.broadcast_to(mass_heat_kw[:, :, None], shape).reshape(-1),
    )
    facility_kw = plant.facility_kw.reshape(shape)
    water = plant.water_l_per_h.reshape(shape)
    unmet = plant.unmet_cooling_kw.reshape(shape)
    overhead = (plant.facility_kw - plant.it_kw + plant.server_fan_kw).reshape(shape)
    return PlantTables(
        options=options,
        rates=rates,
        it_kw=by_pool.sum(axis=0),
        facility_kw=facility_kw,
        overhead_kw=overhead,
        water_l_per_h=water,
        served_kw=plant.it_kw.reshape(shape),
        unmet_kw=unmet,
        store_charge_kw=plant.store_charge_kw.reshape(shape),
        store_discharge_kw=plant.store_discharge_kw.reshape(shape),
    )
