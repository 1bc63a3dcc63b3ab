"""Chillers: electricity for heat, by two parameters on the Carnot lift and a part-load curve."""

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Chiller
from aidc.plant.curves import sampled
from aidc.units import ZERO_DEGC_IN_K

Array = NDArray[np.float64]


def machines_running(heat_kw: Array, capacity_kw: float, count: int, stage_up_frac: float) -> Array:
    """Machines that share a heat, the next one on above a load share; none at no heat, shape (n,)."""
    return np.clip(np.ceil(heat_kw / (capacity_kw * stage_up_frac)), 0.0, count)


def electricity_per_heat(
    chiller: Chiller, part_load_frac: Array, leaving_degc: Array, condenser_degc: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Electricity per heat removed, and where Carnot had to hold it, shape (n,) each.

    Below its least part load a machine cycles: its efficiency stays that of the least part load.

    Args:
        chiller: the fitted law.
        part_load_frac: heat over capacity of the running machines, 0 to 1.
        leaving_degc: chilled water.
        condenser_degc: condenser water that enters.
    """
    plr = np.clip(part_load_frac, chiller.plr_min_frac, 1.0)
    evaporating_k = leaving_degc - chiller.evaporator_approach_k + ZERO_DEGC_IN_K
    condensing_k = (
        condenser_degc
        + chiller.condenser_approach_per_plr_k * plr
        + chiller.condenser_approach_k
        + ZERO_DEGC_IN_K
    )
    lift_k = np.maximum(condensing_k - evaporating_k, chiller.lift_min_k)
    full_load = chiller.carnot_a + chiller.carnot_b * lift_k / evaporating_k
    fitted = full_load * sampled(chiller.part_load_curve)(plr) / plr
    least = lift_k / (chiller.carnot_limit_frac * evaporating_k)
    return np.maximum(fitted, least), fitted < least
