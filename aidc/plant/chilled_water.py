"""Chillers, towers and pumps, with or without a water-side economiser in series."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Pump
from aidc.plant import chiller, tower
from aidc.plant.cooling import CHILLER, FREE, OFF, TANK, Cooling, Limits, Load, blowdown_l_per_h
from aidc.plant.pump import pump_kw
from aidc.plant.tower import Duty, share
from aidc.site import ChilledWaterCooling

Array = NDArray[np.float64]
ROUNDING = 1e-9


def cool(plant: ChilledWaterCooling, load: Load, wetbulb_degc: Array) -> Cooling:
    """What the plant does with a load.

    Machines are staged on the heat of the hall, each with its own pumps and tower cells, also while
    the economiser takes a part of it; so a warmer hour never needs fewer of them. The water of the
    tower follows the heat of the hall over the nameplate capacity that would run, which needs no
    iteration; a chiller with curves then has the capacity that they give at this water.

    A number of machines may be asked for instead. They then run whatever the heat is, as far as they are
    there: too few leave heat in the hall, and those under their least part load cycle.

    Stored water takes heat from the hall first, as much as is asked and there is. Charging is what the
    machines do on top of the hall's heat, with water as cold as the tank needs it; where that would
    leave heat in the hall, the tank is not charged.

    Args:
        plant: machines, towers, pumps.
        load: the hall's demand, shape (n,).
        wetbulb_degc: outdoor wet bulb.

    Raises:
        InputError: a running chiller is outside its curves and its row says ``error``.
    """
    done = _cool(plant, load, wetbulb_degc)
    short = (done.unmet_kw > 0.0) & (load.store_charge_kw > 0.0)
    if short.any():
        charge_kw = np.where(short, 0.0, load.store_charge_kw)
        done = _cool(plant, replace(load, store_charge_kw=charge_kw), wetbulb_degc)
    return done


def _cool(plant: ChilledWaterCooling, load: Load, wetbulb_degc: Array) -> Cooling:
    machine = plant.chiller
    discharged_kw = np.minimum(load.store_discharge_kw, load.heat_kw)
    heat_kw = load.heat_kw - discharged_kw + load.store_charge_kw
    usable_count = np.floor(plant.chiller_count * load.faults.running_frac + ROUNDING)
    usable_count = usable_count * load.faults.has_water  # towers without water reject nothing
    water = load.supply_degc - plant.air_water_approach_k
    if plant.tank is not None:
        tank_degc = np.minimum(water, plant.tank.water_degc)
        water = np.where(load.store_charge_kw > 0.0, tank_degc, water)
    nameplate_kw = machine.capacity_kw * _running(
        plant, load, heat_kw, machine.capacity_kw, usable_count
    )
    expected_kw = np.minimum(heat_kw, nameplate_kw)
    duty = _duty(plant, expected_kw * machine.rejection_ratio, nameplate_kw, wetbulb_degc)
    reach_k, tower_outside = tower.reached_k(plant.tower, duty)
    tower_water = wetbulb_degc + reach_k
    condenser = np.maximum(tower_water, plant.tower.water_min_degc)

    each_kw, chiller_outside = chiller.available_kw(machine, water, condenser)
    running = _running(plant, load, heat_kw, each_kw, usable_count)
    capacity = running * each_kw
    free_kw = heat_kw * _free_frac(plant, water, tower_water) * (running > 0.0)
    left_kw = heat_kw - free_kw
    machine_kw = np.minimum(left_kw, capacity)
    taken_kw = free_kw + machine_kw
    short_kw = left_kw - machine_kw
    uncharged_kw = np.minimum(short_kw, load.store_charge_kw)  # the hall comes first
    compressing = machine_kw > 0.0
    chiller.refuse_outside(machine, water, condenser, compressing)
    per_heat, guarded = chiller.electricity_per_heat(
        machine, share(machine_kw, capacity), water, condenser
    )
    chiller_kw = machine_kw * per_heat

    rejected = taken_kw + chiller_kw
    nameplate_kw = running * machine.capacity_kw
    duty = _duty(plant, rejected, nameplate_kw, wetbulb_degc)
    # tower water no colder than the economiser can use, and no colder than a condenser bears
    usable = np.maximum(tower_water, water - plant.economiser_approach_k)
    leaving = np.where(free_kw > 0.0, usable, condenser)
    tower_fan_kw, fan_outside = tower.held_fan_kw(plant.tower, duty, leaving)

    evaporated = tower.evaporated_l_per_h(plant.tower, rejected)
    still = np.zeros_like(taken_kw)
    return Cooling(
        removed_kw=np.maximum(load.heat_kw - (short_kw - uncharged_kw), 0.0),  # rounding
        unmet_kw=short_kw - uncharged_kw,
        reused_kw=still,
        store_charge_kw=load.store_charge_kw - uncharged_kw,
        store_discharge_kw=discharged_kw,
        chiller_kw=chiller_kw,
        dx_kw=still,
        iec_fan_kw=still,
        iec_pump_kw=still,
        tower_fan_kw=tower_fan_kw,
        pump_kw=pump_kw(plant.chilled_water_pump, taken_kw, nameplate_kw)
        + pump_kw(plant.chilled_water_pump, discharged_kw, discharged_kw)
        + pump_kw(plant.condenser_water_pump, rejected, duty.design_kw),
        evaporated_l_per_h=evaporated,
        blowdown_l_per_h=blowdown_l_per_h(evaporated, plant.tower.concentration_cycles),
        chilled_water_degc=water,
        chillers_on=running,
        mode=np.select(
            [compressing, taken_kw > 0.0, discharged_kw > 0.0], [CHILLER, FREE, TANK], OFF
        ),
        limits=Limits(
            carnot_guarded=guarded & compressing,
            chiller_outside=chiller_outside & compressing,
            tower_outside=(tower_outside | fan_outside) & (rejected > 0.0),
        ),
    )


def _running(
    plant: ChilledWaterCooling,
    load: Load,
    heat_kw: Array,
    each_kw: float | Array,
    usable_count: Array,
) -> Array:
    """Machines on: those asked for, or by the rule, shape (n,)."""
    by_rule = chiller.machines_running(heat_kw, each_kw, usable_count, plant.stage_up_frac)
    asked = np.minimum(load.chillers_on, usable_count)
    return np.where(load.chillers_on >= 0.0, asked, by_rule)


def _duty(
    plant: ChilledWaterCooling, rejected_kw: Array, nameplate_kw: Array, wetbulb_degc: Array
) -> Duty:
    """Heat and water of the tower cells that belong to the running machines."""
    pump = plant.condenser_water_pump
    design_kw = nameplate_kw * plant.chiller.rejection_ratio
    return Duty(
        rejected_kw=rejected_kw,
        design_kw=design_kw,
        water_ratio=_flow_share(pump, share(rejected_kw, design_kw)),
        design_range_k=pump.temperature_rise_k,
        wetbulb_degc=wetbulb_degc,
    )


def _flow_share(pump: Pump, part_load_frac: Array) -> Array:
    """Flow over design of the running pumps, shape (n,)."""
    if pump.drive == "constant":
        return np.ones_like(part_load_frac)
    return np.clip(part_load_frac, pump.flow_floor_frac, 1.0)


def _free_frac(plant: ChilledWaterCooling, water_degc: Array, tower_degc: Array) -> Array:
    """Share of the heat that tower water takes in front of the chillers, shape (n,)."""
    if not plant.economiser:
        return np.zeros_like(water_degc)
    rise_k = plant.chilled_water_pump.temperature_rise_k
    reach_k = water_degc + rise_k - (tower_degc + plant.economiser_approach_k)
    return np.clip(reach_k / rise_k, 0.0, 1.0)
