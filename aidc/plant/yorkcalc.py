"""YorkCalc: how close a cooling tower brings its water to the wet bulb, and the air that takes.

The correlation is a polynomial of the liquid-to-gas ratio L/G, the range and the wet bulb. For a
given range and wet bulb it is a parabola in L/G, so the air flow of an approach is the root of a
quadratic: no iteration.

References:
    EnergyPlus Engineering Reference, "Variable Speed Cooling Towers Empirical Models";
    Modelica Buildings library, Buildings.Fluid.HeatExchangers.CoolingTowers.YorkCalc.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Tower, TowerCorrelation
from aidc.errors import Fault, InputError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cell:
    """A tower fitted to its design point.

    Attributes:
        correlation: of the tower.
        liquid_gas: L/G, in the correlation's own scale, at design water and air.
        air_ratio_min: least air flow over design.
    """

    correlation: TowerCorrelation
    liquid_gas: float
    air_ratio_min: float


@functools.cache
def cell(tower: Tower, design_range_k: float) -> Cell:
    """A tower with the L/G at which the correlation gives the design approach.

    The design wet bulb is taken as it is, also above the limit of the correlation, as EnergyPlus
    does.

    Args:
        tower: of the model ``yorkcalc``.
        design_range_k: cooling of the water at design.

    Raises:
        InputError: the tower lacks a number, or no L/G gives this approach.
    """
    correlation, wetbulb, least = tower.correlation, tower.design_wetbulb_degc, tower.air_ratio_min
    if correlation is None or wetbulb is None or least is None:
        raise InputError(Fault("", 0, 0, f"towers {tower.name}", "is not of the model yorkcalc"))
    parabola = _parabola(correlation, np.array([design_range_k]), np.array([wetbulb]))
    liquid_gas = float(_liquid_gas(parabola, np.array([tower.approach_k]))[0])
    inside = (
        correlation.approach_k[0] <= tower.approach_k <= correlation.approach_k[1]
        and correlation.range_k[0] <= design_range_k <= correlation.range_k[1]
    )
    if not inside or not 0.0 < liquid_gas <= correlation.liquid_gas_max:
        text = (
            f"an approach of {tower.approach_k:g} K at a range of {design_range_k:g} K and a wet "
            f"bulb of {wetbulb:g} degC is out of the correlation's reach; its own are "
            f"{correlation.approach_k[0]:g} to {correlation.approach_k[1]:g} K and "
            f"{correlation.range_k[0]:g} to {correlation.range_k[1]:g} K"
        )
        raise InputError(Fault("", 0, 0, f"towers {tower.name}", text))
    return Cell(correlation, liquid_gas, least)


def approach_k(
    correlation: TowerCorrelation, liquid_gas: Array, range_k: Array, wetbulb_degc: Array
) -> Array:
    """Leaving water over the wet bulb [K] as the correlation has it, limits not applied, shape (n,)."""
    c0, c1, c2 = _parabola(correlation, range_k, wetbulb_degc)
    return c0 + (c1 + c2 * liquid_gas) * liquid_gas


def full_air_approach_k(
    of: Cell, water_ratio: Array, range_k: Array, wetbulb_degc: Array
) -> tuple[Array, Mask]:
    """Approach [K] with the fan at full speed, and where a limit was clipped, shape (n,) each.

    Args:
        of: a tower's cell.
        water_ratio: water flow over design.
        range_k: cooling of the water.
        wetbulb_degc: of the air that enters.
    """
    water, cooled, wetbulb, clipped = _inside(of.correlation, water_ratio, range_k, wetbulb_degc)
    return approach_k(of.correlation, of.liquid_gas * water, cooled, wetbulb), clipped


def air_ratio(
    of: Cell, approach_k: Array, water_ratio: Array, range_k: Array, wetbulb_degc: Array
) -> tuple[Array, Mask]:
    """Least air flow over design that holds an approach, and where a limit was clipped, shape (n,) each.

    One where even full air does not hold it; the least flow where that overcools.

    Args:
        of: a tower's cell.
        approach_k: leaving water over the wet bulb.
        water_ratio: water flow over design.
        range_k: cooling of the water.
        wetbulb_degc: of the air that enters.
    """
    limits = of.correlation
    water, cooled, wetbulb, clipped = _inside(limits, water_ratio, range_k, wetbulb_degc)
    wanted = np.clip(approach_k, *limits.approach_k)
    clipped |= wanted != approach_k
    design = of.liquid_gas * water
    most = np.maximum(np.minimum(design / of.air_ratio_min, limits.liquid_gas_max), design)
    found = _liquid_gas(_parabola(limits, cooled, wetbulb), wanted)
    return design / np.clip(found, design, most), clipped


def _inside(
    limits: TowerCorrelation, water_ratio: Array, range_k: Array, wetbulb_degc: Array
) -> tuple[Array, Array, Array, Mask]:
    """Inputs clipped to the limits of the correlation, and where one was."""
    water = np.clip(water_ratio, *limits.water_ratio)
    cooled = np.clip(range_k, *limits.range_k)
    wetbulb = np.clip(wetbulb_degc, *limits.wetbulb_degc)
    clipped = (water != water_ratio) | (cooled != range_k) | (wetbulb != wetbulb_degc)
    return water, cooled, wetbulb, clipped


def _parabola(correlation: TowerCorrelation, range_k: Array, wetbulb_degc: Array) -> list[Array]:
    """Coefficients of 1, L/G and (L/G)^2 at a range and a wet bulb, each of shape (n,)."""
    found = []
    for i in range(3):
        c = correlation.coefficients[9 * i : 9 * i + 9]
        rows = [
            c[3 * j] + (c[3 * j + 1] + c[3 * j + 2] * wetbulb_degc) * wetbulb_degc for j in range(3)
        ]
        found.append(rows[0] + (rows[1] + rows[2] * range_k) * range_k)
    return found


def _liquid_gas(parabola: list[Array], approach_k: Array) -> Array:
    """Largest L/G that holds an approach, shape (n,): zero where none does, inf where any does.

    On the branch where less air brings the water further from the wet bulb; the slope at L/G = 0,
    ``c1``, is positive everywhere inside the limits of the correlation.
    """
    c0, c1, c2 = parabola
    above = approach_k - c0
    inner = c1 * c1 + 4.0 * c2 * above
    root = 2.0 * above / (c1 + np.sqrt(np.maximum(inner, 0.0)))  # the form that does not cancel
    return np.where(above <= 0.0, 0.0, np.where(inner >= 0.0, root, np.inf))
