"""Cooling tower in its simple form: an approach that grows with load, a fan that follows it."""

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Tower
from aidc.units import W_PER_KW

Array = NDArray[np.float64]


def approach_k(tower: Tower, part_load_frac: Array) -> Array:
    """Leaving water over the wet bulb [K], shape (n,)."""
    floor = tower.approach_floor_frac
    return tower.approach_k * (floor + (1.0 - floor) * part_load_frac)


def fan_kw(tower: Tower, rejected_kw: Array, design_kw: Array) -> Array:
    """Power of the fans [kW] of cells that are sized to reject ``design_kw``, shape (n,).

    At most the design power: what is rejected beyond it raises the water temperature instead.
    """
    part = np.divide(rejected_kw, design_kw, out=np.zeros_like(design_kw), where=design_kw > 0)
    return tower.fan_w_per_kw / W_PER_KW * design_kw * np.minimum(part, 1.0) ** tower.fan_exponent


def evaporated_l_per_h(tower: Tower, rejected_kw: Array) -> Array:
    """Water that leaves as vapour [l/h], shape (n,)."""
    return tower.evaporation_l_per_kwh * rejected_kw
