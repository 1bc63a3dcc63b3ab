"""Cooling towers: how near the wet bulb they bring the water, and what their fans draw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Tower
from aidc.errors import Fault, InputError
from aidc.plant import yorkcalc
from aidc.units import W_PER_KW

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Duty:
    """What the running cells have to do; every array has shape (n,).

    Attributes:
        rejected_kw: heat.
        design_kw: heat that the cells are sized to reject; zero where none runs.
        water_ratio: water flow over design.
        design_range_k: cooling of the water at design flow and heat.
        wetbulb_degc: of the air that enters.
    """

    rejected_kw: Array
    design_kw: Array
    water_ratio: Array
    design_range_k: float
    wetbulb_degc: Array

    @property
    def part_load_frac(self) -> Array:
        """Heat rejected over design, zero where no cell runs, shape (n,)."""
        return share(self.rejected_kw, self.design_kw)

    @property
    def range_k(self) -> Array:
        """Cooling of the water [K], shape (n,)."""
        return self.design_range_k * share(self.part_load_frac, self.water_ratio)


def reached_k(tower: Tower, duty: Duty) -> tuple[Array, Mask]:
    """Leaving water over the wet bulb [K], and where the correlation was clipped, shape (n,) each.

    A YorkCalc tower keeps its design approach and floats above it where its fan is at full speed.
    """
    if tower.model == "simple":
        return approach_k(tower, duty.part_load_frac), _nowhere(duty)
    cell = yorkcalc.cell(tower, duty.design_range_k)
    full, clipped = yorkcalc.full_air_approach_k(
        cell, duty.water_ratio, duty.range_k, duty.wetbulb_degc
    )
    return np.maximum(full, tower.approach_k), clipped


def held_fan_kw(tower: Tower, duty: Duty, leaving_degc: Array) -> tuple[Array, Mask]:
    """Power of the fans [kW], and where the correlation was clipped, shape (n,) each.

    Args:
        tower: the row.
        duty: of the running cells.
        leaving_degc: water that the fans are to hold; a simple tower follows its load alone.
    """
    if tower.model == "simple":
        return fan_kw(tower, duty.rejected_kw, duty.design_kw), _nowhere(duty)
    air, clipped = yorkcalc.air_ratio(
        yorkcalc.cell(tower, duty.design_range_k),
        leaving_degc - duty.wetbulb_degc,
        duty.water_ratio,
        duty.range_k,
        duty.wetbulb_degc,
    )
    return _full_fan_kw(tower, duty.design_kw) * air**tower.fan_exponent, clipped


def approach_k(tower: Tower, part_load_frac: Array) -> Array:
    """Leaving water over the wet bulb [K] of a simple tower, shape (n,)."""
    floor = tower.approach_floor_frac
    if floor is None:
        raise InputError(Fault("", 0, 0, f"towers {tower.name}", "is not of the model simple"))
    return tower.approach_k * (floor + (1.0 - floor) * part_load_frac)


def fan_kw(tower: Tower, rejected_kw: Array, design_kw: Array) -> Array:
    """Power of the fans [kW] of simple cells that are sized to reject ``design_kw``, shape (n,).

    At most the design power: what is rejected beyond it raises the water temperature instead.
    """
    part = np.minimum(share(rejected_kw, design_kw), 1.0)
    return _full_fan_kw(tower, design_kw) * part**tower.fan_exponent


def evaporated_l_per_h(tower: Tower, rejected_kw: Array) -> Array:
    """Water that leaves as vapour [l/h], shape (n,)."""
    return tower.evaporation_l_per_kwh * rejected_kw


def share(part: Array, whole: Array) -> Array:
    """A part over a whole, zero where the whole is, shape (n,)."""
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.0)


def _full_fan_kw(tower: Tower, design_kw: Array) -> Array:
    return tower.fan_w_per_kw / W_PER_KW * design_kw


def _nowhere(duty: Duty) -> Mask:
    return np.zeros(len(duty.wetbulb_degc), np.bool_)
