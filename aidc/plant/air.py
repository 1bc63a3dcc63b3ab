"""Air of the hall: how much the servers ask for, what its fans draw and how warm it comes back."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Fan
from aidc.site import Hall
from aidc.units import W_PER_KW

Array = NDArray[np.float64]

AIR_KG_PER_M3: Final = 1.19  # supply air at about 24 degC and sea level
AIR_CP_KJ_PER_KG_K: Final = 1.006
_NO_AIR_M3_PER_S: Final = 1e-9  # less is rounding
_KJ_PER_M3_K: Final = AIR_KG_PER_M3 * AIR_CP_KJ_PER_KG_K


@dataclass(frozen=True, slots=True)
class AirFlow:
    """Air that the supply fans move.

    Attributes:
        flow_m3_per_s: of all fans, shape (n,).
        design_m3_per_s: what is installed.
        fan_kw: drawn by the fans; all of it becomes heat in the air.
    """

    flow_m3_per_s: Array
    design_m3_per_s: float
    fan_kw: Array

    @property
    def mass_kg_per_s(self) -> Array:
        """Mass flow, shape (n,)."""
        return AIR_KG_PER_M3 * self.flow_m3_per_s


def inlet_degc(hall: Hall, supply_degc: Array) -> Array:
    """Air at the server inlets [degC]: supply air mixed with what recirculates from the outlets."""
    return supply_degc + hall.recirculation_frac * hall.air_rise_k


def needed_m3_per_s(hall: Hall, it_kw: Array) -> Array:
    """Supply air that servers with this power at the reference inlet need, bypass included."""
    return it_kw / (_KJ_PER_M3_K * hall.air_rise_k * (1.0 - hall.bypass_frac))


def short_k(hall: Hall, needed: Array, air: "AirFlow") -> Array:
    """How much warmer the inlets are where less air is supplied than the servers draw [K].

    They take the rest from their own outlets: with a share ``d`` of it the inlet is warmer by
    ``d / (1 - d)`` of the rise across the servers. No air at all gives inf.
    """
    moved = np.minimum(air.flow_m3_per_s, needed)
    missing = needed - moved
    ratio = np.divide(missing, moved, out=np.full_like(moved, np.inf), where=moved > 0)
    return hall.air_rise_k * np.where(missing > _NO_AIR_M3_PER_S, ratio, 0.0)


def supply(
    fan: Fan,
    hall: Hall,
    needed: Array,
    rated_it_kw: float,
    capacity_ratio: float,
    running_frac: Array,
) -> AirFlow:
    """Flow and power of the supply fans.

    A fan at constant speed moves its design flow always; one with a VFD moves what is needed,
    between its floor and its design flow.

    Args:
        fan: pressure, efficiency, drive.
        hall: rise and bypass of the air, for the design flow.
        needed: air that the servers ask for [m3/s], shape (n,).
        rated_it_kw: what the design flow is sized for.
        capacity_ratio: installed over needed at rated power.
        running_frac: share of the fans that can run, shape (n,).
    """
    design = capacity_ratio * float(needed_m3_per_s(hall, np.array(rated_it_kw)))
    design_kw = design * fan.pressure_pa / fan.efficiency_frac / W_PER_KW
    if fan.drive == "constant":
        share = np.ones_like(needed)
    else:
        wanted = np.divide(
            needed / design, running_frac, out=np.ones_like(needed), where=running_frac > 0
        )
        share = np.clip(wanted, fan.flow_floor_frac, 1.0)
    return AirFlow(
        design * share * running_frac,
        design,
        design_kw * share**fan.flow_exponent * running_frac,
    )


def rise_k(heat_kw: Array, air: AirFlow) -> Array:
    """Warming of the moved air by a heat [K]; zero where no air moves."""
    capacity = AIR_CP_KJ_PER_KG_K * air.mass_kg_per_s
    return np.divide(heat_kw, capacity, out=np.zeros_like(heat_kw), where=capacity > 0)
