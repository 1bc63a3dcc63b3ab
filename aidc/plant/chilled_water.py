"""Chillers, towers and pumps, with or without a water-side economiser in series."""

import numpy as np
from numpy.typing import NDArray

from aidc.plant import chiller, tower
from aidc.plant.cooling import CHILLER, FREE, OFF, Cooling, Load, blowdown_l_per_h
from aidc.plant.pump import pump_kw
from aidc.site import ChilledWaterCooling

Array = NDArray[np.float64]


def cool(plant: ChilledWaterCooling, load: Load, wetbulb_degc: Array) -> Cooling:
    """What the plant does with a load.

    Machines are staged on the heat of the hall, each with its own pumps and tower cells, also while
    the economiser takes a part of it; so a warmer hour never needs fewer of them. The approach of
    the tower follows the heat of the hall over the capacity that runs, which needs no iteration.

    Args:
        plant: machines, towers, pumps.
        load: the hall's demand, shape (n,).
        wetbulb_degc: outdoor wet bulb.
    """
    machine = plant.chiller
    running = chiller.machines_running(
        load.heat_kw, machine.capacity_kw, plant.chiller_count, plant.stage_up_frac
    )
    capacity = running * machine.capacity_kw
    part = np.divide(load.heat_kw, capacity, out=np.zeros_like(capacity), where=capacity > 0)
    part = np.minimum(part, 1.0)

    water = load.supply_degc - plant.air_water_approach_k
    tower_water = wetbulb_degc + tower.approach_k(plant.tower, part)
    free_kw = load.heat_kw * _free_frac(plant, water, tower_water)
    machine_kw = np.minimum(load.heat_kw - free_kw, capacity)
    removed = free_kw + machine_kw

    machine_part = np.divide(machine_kw, capacity, out=np.zeros_like(capacity), where=capacity > 0)
    condenser = np.maximum(tower_water, plant.tower.water_min_degc)
    per_heat, guarded = chiller.electricity_per_heat(machine, machine_part, water, condenser)
    chiller_kw = machine_kw * per_heat

    rejected = removed + chiller_kw
    design_kw = capacity * machine.rejection_ratio
    evaporated = tower.evaporated_l_per_h(plant.tower, rejected)
    still = np.zeros_like(removed)
    return Cooling(
        removed_kw=removed,
        unmet_kw=load.heat_kw - removed,
        chiller_kw=chiller_kw,
        dx_kw=still,
        iec_fan_kw=still,
        iec_pump_kw=still,
        tower_fan_kw=tower.fan_kw(plant.tower, rejected, design_kw),
        pump_kw=pump_kw(plant.chilled_water_pump, removed, capacity)
        + pump_kw(plant.condenser_water_pump, rejected, design_kw),
        evaporated_l_per_h=evaporated,
        blowdown_l_per_h=blowdown_l_per_h(evaporated, plant.tower.concentration_cycles),
        chilled_water_degc=water,
        mode=np.where(machine_kw > 0.0, CHILLER, np.where(removed > 0.0, FREE, OFF)),
        carnot_guarded=guarded & (machine_kw > 0.0),
    )


def _free_frac(plant: ChilledWaterCooling, water_degc: Array, tower_degc: Array) -> Array:
    """Share of the heat that tower water takes in front of the chillers, shape (n,)."""
    if not plant.economiser:
        return np.zeros_like(water_degc)
    rise_k = plant.chilled_water_pump.temperature_rise_k
    reach_k = water_degc + rise_k - (tower_degc + plant.economiser_approach_k)
    return np.clip(reach_k / rise_k, 0.0, 1.0)
