"""A chilled-water tank follows requests as far as its rates, its content and the plant allow."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.site import WaterTank
from aidc.units import H_PER_DAY

Array = NDArray[np.float64]
ROUNDING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class TankFlows:
    """What a tank can do; energies are thermal, of cold.

    Attributes:
        charge_kw: cold put in, shape (n,).
        discharge_kw: cold taken out, shape (n,).
        stored_kwh: at the end of each step, shape (n,).
        cut: where a request could not be followed in full, shape (n,).
    """

    charge_kw: Array
    discharge_kw: Array
    stored_kwh: Array
    cut: NDArray[np.bool_]


def keeps_frac(tank: WaterTank, step_h: float) -> float:
    """Share of the content that is still there after a step."""
    return float((1.0 - tank.store.loss_frac_per_day) ** (step_h / H_PER_DAY))


def follow(
    tank: WaterTank, charge_kw: Array, discharge_kw: Array, stored_kwh: float, step_h: float
) -> TankFlows:
    """Requests as the tank can follow them, one step after another.

    In a step the content first loses its share through the walls; then
    ``stored += step_h (charge_efficiency q_in - q_out / discharge_efficiency)`` within nothing and the
    capacity. Of two requests in one step the smaller is taken off the larger.

    Args:
        tank: capacity, rates, losses.
        charge_kw: asked, 0 or more, shape (n,).
        discharge_kw: asked, 0 or more, shape (n,).
        stored_kwh: at the start.
        step_h: length of a step [h].
    """
    unit = tank.store
    keeps, full = keeps_frac(tank, step_h), tank.capacity_kwh
    into, out_of = unit.charge_efficiency_frac * step_h, step_h / unit.discharge_efficiency_frac
    charged, discharged, stored = (np.zeros(len(charge_kw)) for _ in range(3))
    energy = stored_kwh
    for step, asked in enumerate((charge_kw - discharge_kw).tolist()):
        energy *= keeps
        if asked > 0.0:
            power = min(asked, tank.charge_max_kw, (full - energy) / into)
            charged[step], energy = power, min(energy + power * into, full)
        elif asked < 0.0:
            power = min(-asked, tank.discharge_max_kw, energy / out_of)
            discharged[step], energy = power, max(energy - power * out_of, 0.0)
        stored[step] = energy
    cut = (charge_kw - charged > ROUNDING_KW) | (discharge_kw - discharged > ROUNDING_KW)
    return TankFlows(charged, discharged, stored, cut)
