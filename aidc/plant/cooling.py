"""What every kind of cooling plant answers, so that the site can be composed of any of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.plant.faults import Faults
from aidc.site import CoolingMode

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MODES: Final[tuple[CoolingMode, ...]] = (
    "off", "dry", "wet", "dx", "dry_dx", "wet_dx", "chiller", "free", "tank",
)  # fmt: skip
OFF, DRY, WET, DX, DRY_DX, WET_DX, CHILLER, FREE, TANK = range(len(MODES))


@dataclass(frozen=True, slots=True)
class Load:
    """What the hall asks of the cooling plant.

    Attributes:
        heat_kw: to be removed so that the supply air keeps its set-point, shape (n,).
        supply_degc: set-point of the supply air.
        return_degc: air that comes back.
        air_kg_per_s: supply air.
        design_m3_per_s: installed supply air.
        rated_it_kw: what the plant is sized for.
        faults: what of it does not work.
        store_charge_kw: cold asked to be stored, thermal, shape (n,).
        store_discharge_kw: cold asked out of the store.
        chillers_on: machines asked to run; -1: by the plant's own rule.
    """

    heat_kw: Array
    supply_degc: Array
    return_degc: Array
    air_kg_per_s: Array
    design_m3_per_s: float
    rated_it_kw: float
    faults: Faults
    store_charge_kw: Array
    store_discharge_kw: Array
    chillers_on: Array


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the plant's laws met their limits while it ran; every array has shape (n,).

    Attributes:
        carnot_guarded: the chiller's law was held below Carnot.
        chiller_outside: the chiller's curves were clamped or extrapolated.
        tower_outside: inputs of the tower's correlation were clipped to its limits.
    """

    carnot_guarded: Mask
    chiller_outside: Mask
    tower_outside: Mask

    @property
    def counts(self) -> dict[str, int]:
        """Steps of each, as a result tells them."""
        return {
            "carnot_guarded_steps": int(self.carnot_guarded.sum()),
            "chiller_outside_steps": int(self.chiller_outside.sum()),
            "tower_outside_steps": int(self.tower_outside.sum()),
        }

    @classmethod
    def none(cls, count: int) -> "Limits":
        """Every law was within its limits."""
        nowhere = np.zeros(count, np.bool_)
        return cls(nowhere, nowhere, nowhere)


@dataclass(frozen=True, slots=True)
class Cooling:
    """What the cooling plant did; every array has shape (n,).

    Attributes:
        removed_kw: heat taken out of the hall, by the plant and by stored water.
        unmet_kw: heat that was more than both can take.
        reused_kw: of the heat removed, what a user beside the site took.
        store_charge_kw: cold put into store, on top of the hall's heat.
        store_discharge_kw: cold taken from store.
        mode: index into `MODES`.
        chilled_water_degc: leaving water; nan where the plant has none.
        chillers_on: machines that run with their pumps and tower cells, none in an IEC plant.
        limits: where its laws met their limits.
    """

    removed_kw: Array
    unmet_kw: Array
    reused_kw: Array
    store_charge_kw: Array
    store_discharge_kw: Array
    chiller_kw: Array
    dx_kw: Array
    iec_fan_kw: Array
    iec_pump_kw: Array
    tower_fan_kw: Array
    pump_kw: Array
    evaporated_l_per_h: Array
    blowdown_l_per_h: Array
    chilled_water_degc: Array
    chillers_on: Array
    mode: NDArray[np.int64]
    limits: Limits


def mode_names(mode: NDArray[np.int64]) -> NDArray[np.object_]:
    """Modes as words, shape (n,)."""
    return np.array(MODES, dtype=object)[mode]


def blowdown_l_per_h(evaporated_l_per_h: Array, concentration_cycles: float) -> Array:
    """Water drained so that salts stay at the cycles of concentration [l/h]."""
    return evaporated_l_per_h / (concentration_cycles - 1.0)
