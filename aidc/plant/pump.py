"""Pumps that run with a machine and are sized for its heat."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Pump

Array = NDArray[np.float64]

WATER_KJ_PER_M3_K: Final = 4_180.0  # density times heat capacity at 20 degC


def pump_kw(pump: Pump, heat_kw: Array, design_kw: Array) -> Array:
    """Power [kW] of pumps sized to carry ``design_kw``, shape (n,).

    A VFD follows the heat down to its floor; at constant speed the running pumps draw their design
    power.

    Args:
        pump: head, temperature rise, efficiency, drive.
        heat_kw: carried.
        design_kw: what the running pumps are sized for; zero where none runs.
    """
    design_m3_per_s = design_kw / (WATER_KJ_PER_M3_K * pump.temperature_rise_k)
    full_kw = design_m3_per_s * pump.pressure_kpa / pump.efficiency_frac
    if pump.drive == "constant":
        return full_kw
    part = np.divide(heat_kw, design_kw, out=np.zeros_like(design_kw), where=design_kw > 0)
    share = np.clip(part, pump.flow_floor_frac, 1.0)
    return full_kw * share**pump.flow_exponent
