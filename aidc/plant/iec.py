"""Indirect evaporative cooler: hall air gives its heat to outdoor air through a plate, dry or sprayed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import IecUnit
from aidc.plant.air import AIR_CP_KJ_PER_KG_K
from aidc.plant.cooling import blowdown_l_per_h
from aidc.plant.curves import Sampled, sampled
from aidc.plant.psychrometrics import HEAT_OF_EVAPORATION_KJ_PER_KG
from aidc.units import S_PER_H, W_PER_KW

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Airs:
    """The two airs at the plate.

    Attributes:
        return_degc: primary air, from the hall, shape (n,).
        primary_kg_per_s: its flow.
        drybulb_degc: outdoor air.
        wetbulb_degc: of it.
        dewpoint_degc: of it.
        outdoor_kg_per_m3: its density.
        secondary_m3_per_s: design flow of the secondary fans that can run, shape (n,).
    """

    return_degc: Array
    primary_kg_per_s: Array
    drybulb_degc: Array
    wetbulb_degc: Array
    dewpoint_degc: Array
    outdoor_kg_per_m3: Array
    secondary_m3_per_s: Array

    @property
    def flow_ratio_max(self) -> Array:
        """Secondary over primary mass flow with the secondary fans at design flow."""
        most = self.secondary_m3_per_s * self.outdoor_kg_per_m3
        return np.divide(
            most, self.primary_kg_per_s, out=np.zeros_like(most), where=self.primary_kg_per_s > 0
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the units do in one mode; every array has shape (n,).

    Attributes:
        heat_kw: taken out of the hall air; what was asked for, or what full flow reaches.
        flow_frac: secondary flow over its design.
        fan_kw: of the secondary fans.
        pump_kw: of the spray pumps.
        evaporated_l_per_h: spray water that left as vapour.
        blowdown_l_per_h: spray water drained.
    """

    heat_kw: Array
    flow_frac: Array
    fan_kw: Array
    pump_kw: Array
    evaporated_l_per_h: Array
    blowdown_l_per_h: Array


def dry(unit: IecUnit, heat_kw: Array, airs: Airs) -> Exchange:
    """Cools a heat away without spray, by as little secondary air as will do.

    Args:
        unit: effectiveness, curves and powers.
        heat_kw: to be taken out of the hall air, shape (n,).
        airs: both sides of the plate.
    """
    curve, effectiveness = sampled(unit.dry_curve), unit.dry_effectiveness_frac
    head_k = np.maximum(airs.return_degc - airs.drybulb_degc, 0.0)
    reach_k = effectiveness * curve(airs.flow_ratio_max) * head_k
    heat, flow = _modulated(heat_kw, reach_k, effectiveness * head_k, curve, airs)
    idle = np.zeros_like(heat)
    return Exchange(heat, flow, _fan_kw(unit, flow, airs.secondary_m3_per_s), idle, idle, idle)


def wet(unit: IecUnit, heat_kw: Array, airs: Airs) -> Exchange:
    """The same with spray: towards the wet bulb, but not past a share of the way to the dew point."""
    curve, effectiveness = sampled(unit.wet_curve), unit.wet_effectiveness_frac
    head_k = np.maximum(airs.return_degc - airs.wetbulb_degc, 0.0)
    bound_k = unit.dewpoint_factor_frac * np.maximum(airs.return_degc - airs.dewpoint_degc, 0.0)
    reach_k = np.minimum(effectiveness * curve(airs.flow_ratio_max) * head_k, bound_k)
    heat, flow = _modulated(heat_kw, reach_k, effectiveness * head_k, curve, airs)
    evaporated = heat * S_PER_H / HEAT_OF_EVAPORATION_KJ_PER_KG
    return Exchange(
        heat_kw=heat,
        flow_frac=flow,
        fan_kw=_fan_kw(unit, flow, airs.secondary_m3_per_s),
        pump_kw=spray_pump_kw(unit, flow, airs.secondary_m3_per_s),
        evaporated_l_per_h=evaporated,
        blowdown_l_per_h=blowdown_l_per_h(evaporated, unit.concentration_cycles),
    )


def _modulated(
    heat_kw: Array, reach_k: Array, scale_k: Array, curve: Sampled, airs: Airs
) -> tuple[Array, Array]:
    """Heat taken and share of secondary flow: the least flow that takes the heat, or all that can be had.

    Air beyond the end of the curve, or beyond the dew-point bound, would cool no further: the fans do
    not move it.
    """
    capacity = AIR_CP_KJ_PER_KG_K * airs.primary_kg_per_s
    reached_kw = reach_k * capacity
    useful = (heat_kw > 0.0) & (reached_kw > 0.0)
    taken = np.where(useful, np.minimum(heat_kw, reached_kw), 0.0)
    scale_kw = scale_k * capacity  # heat at a factor of 1 on effectiveness
    factor = np.divide(taken, scale_kw, out=np.zeros_like(heat_kw), where=useful)
    part = np.divide(
        curve.inverse(factor), airs.flow_ratio_max, out=np.zeros_like(heat_kw), where=useful
    )
    return taken, np.minimum(part, 1.0)


def _fan_kw(unit: IecUnit, flow_frac: Array, secondary_m3_per_s: Array) -> Array:
    design_kw = unit.secondary_fan_w_per_m3_s * secondary_m3_per_s / W_PER_KW
    return design_kw * sampled(unit.fan_curve)(flow_frac)


def spray_pump_kw(unit: IecUnit, flow_frac: Array, secondary_m3_per_s: Array) -> Array:
    """Power of the two-speed spray pumps [kW]; off without secondary air."""
    design_kw = unit.spray_pump_w_per_m3_s * secondary_m3_per_s / W_PER_KW
    low = flow_frac < unit.spray_pump_switch_frac
    return np.where(
        flow_frac > 0.0, np.where(low, unit.spray_pump_low_frac * design_kw, design_kw), 0.0
    )
