"""Warm-water cooling of servers: cold plates, CDU, and a tower or a dry cooler with a chiller in reserve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Tower
from aidc.plant import chiller, tower
from aidc.plant.cooling import blowdown_l_per_h
from aidc.site import LiquidLoop
from aidc.units import W_PER_KW

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Liquid:
    """What the loop does; every array has shape (n,).

    Attributes:
        removed_kw: heat of the servers and of the CDU pumps that left through the water.
        unmet_kw: more than the loop can take.
        reused_kw: of the heat removed, what a user beside the site took.
        pump_kw: CDU pumps.
        fan_kw: tower or dry cooler.
        chiller_kw: compressors in reserve.
        evaporated_l_per_h: of the tower.
        blowdown_l_per_h: drained from it.
        supply_degc: water to the cold plates while all heat is taken.
        compressor_runs: where outdoor air alone does not hold the facility water.
    """

    removed_kw: Array
    unmet_kw: Array
    reused_kw: Array
    pump_kw: Array
    fan_kw: Array
    chiller_kw: Array
    evaporated_l_per_h: Array
    blowdown_l_per_h: Array
    supply_degc: Array
    compressor_runs: NDArray[np.bool_]


def cool(
    loop: LiquidLoop,
    captured_kw: Array,
    rated_kw: float,
    drybulb_degc: Array,
    wetbulb_degc: Array,
    has_water: NDArray[np.bool_],
) -> Liquid:
    """Takes the heat that the cold plates capture to the outdoor air.

    A user of heat comes first. Outdoor air cools the water as far as its approach allows; where that is above the facility
    water wanted, a chiller takes the rest of the way. Without water a tower rejects nothing.

    Args:
        loop: temperatures, pumps, rejection.
        captured_kw: heat of the servers into the water, shape (n,).
        rated_kw: captured heat that the loop is sized for.
        drybulb_degc: outdoor air.
        wetbulb_degc: of it.
        has_water: for a tower.
    """
    pump_kw = loop.pump_frac * captured_kw
    reused_kw = np.minimum(
        captured_kw + pump_kw, 0.0 if loop.reuse is None else loop.reuse.demand_kw
    )
    heat = captured_kw + pump_kw - reused_kw
    part = np.minimum(heat / (rated_kw * (1.0 + loop.pump_frac)), 1.0)
    wanted = np.full_like(heat, loop.facility_water_degc)
    reached = _outdoor_water_degc(loop, part, drybulb_degc, wetbulb_degc)
    way = (wanted + loop.rise_k - reached) / loop.rise_k
    free_kw = heat * np.clip(way, 0.0, 1.0)
    machine = loop.chiller
    capacity = loop.chiller_capacity_frac * rated_kw
    machine_kw = np.minimum(heat - free_kw, capacity)
    can_reject = has_water if isinstance(loop.rejection, Tower) else np.ones_like(has_water)
    free_kw, machine_kw = free_kw * can_reject, machine_kw * can_reject
    machine_part = machine_kw / capacity if capacity > 0 else np.zeros_like(heat)
    per_heat, _ = chiller.electricity_per_heat(machine, machine_part, wanted, reached)
    chiller_kw = machine_kw * per_heat
    rejected = free_kw + machine_kw + chiller_kw
    design = np.full_like(heat, rated_kw * (1.0 + loop.pump_frac))
    evaporated = np.zeros_like(heat)
    if isinstance(loop.rejection, Tower):
        fan_kw = tower.fan_kw(loop.rejection, rejected, design)
        evaporated = tower.evaporated_l_per_h(loop.rejection, rejected)
        blowdown = blowdown_l_per_h(evaporated, loop.rejection.concentration_cycles)
    else:
        load = np.minimum(rejected / design, 1.0)
        fan_kw = loop.rejection.fan_w_per_kw / W_PER_KW * design * load**loop.rejection.fan_exponent
        blowdown = evaporated
    return Liquid(
        removed_kw=reused_kw + free_kw + machine_kw,
        unmet_kw=heat - free_kw - machine_kw,
        reused_kw=reused_kw,
        pump_kw=pump_kw,
        fan_kw=fan_kw,
        chiller_kw=chiller_kw,
        evaporated_l_per_h=evaporated,
        blowdown_l_per_h=blowdown,
        supply_degc=wanted + loop.cdu_approach_k,
        compressor_runs=machine_kw > 0.0,
    )


def _outdoor_water_degc(
    loop: LiquidLoop, part: Array, drybulb_degc: Array, wetbulb_degc: Array
) -> Array:
    """Water that outdoor air alone gives, shape (n,)."""
    if isinstance(loop.rejection, Tower):
        return wetbulb_degc + tower.approach_k(loop.rejection, part)
    return drybulb_degc + loop.rejection.approach_k
