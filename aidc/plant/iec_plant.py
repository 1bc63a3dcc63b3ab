"""IEC units with DX behind them: in every step dry, sprayed or compressor alone, as the policy says."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.plant import dx, iec
from aidc.plant.cooling import DRY, DRY_DX, DX, OFF, WET, WET_DX, Cooling, Limits, Load
from aidc.plant.iec import Airs, Exchange
from aidc.site import IecCooling, ModePolicy
from aidc.units import L_PER_M3

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SPRAY_OFF: Final = 0
SPRAY_ON: Final = 1
_UNMET_WEIGHT: Final = 1e6  # heat left in the hall outweighs any power or cost


@dataclass(frozen=True, slots=True)
class Choice:
    """Who decides between dry and wet.

    Attributes:
        spray: -1 the policy, 0 dry only, 1 sprayed where frost allows it, shape (n,).
        policy: what counts where the spray is left open.
        tariff_cny_per_kwh: for the policy ``lowest_cost``, shape (n,).
        water_cny_per_m3: for the same.
    """

    spray: NDArray[np.int8]
    policy: ModePolicy
    tariff_cny_per_kwh: Array
    water_cny_per_m3: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One way through the step: what the plate does and what the compressor adds."""

    exchange: Exchange
    dx_heat_kw: Array
    dx_kw: Array
    unmet_kw: Array

    @property
    def power_kw(self) -> Array:
        return self.exchange.fan_kw + self.exchange.pump_kw + self.dx_kw

    def score(self, choice: Choice) -> Array:
        score = self.power_kw
        if choice.policy == "lowest_cost":
            water = self.exchange.evaporated_l_per_h + self.exchange.blowdown_l_per_h
            score = score * choice.tariff_cny_per_kwh + water / L_PER_M3 * choice.water_cny_per_m3
        return score + _UNMET_WEIGHT * self.unmet_kw


def cool(plant: IecCooling, load: Load, airs: Airs, choice: Choice) -> Cooling:
    """What the plant does with a load.

    Where nothing is forced it takes the cheapest of dry, wet and compressor alone by the policy's
    measure, but never one that leaves more heat in the hall. ``spray_above_temperature`` and a
    spray of 1 are wet whenever frost allows it.

    Args:
        plant: units, DX and its capacity.
        load: the hall's demand, shape (n,).
        airs: both sides of the plate.
        choice: who decides, and by what.
    """
    frost_free = (airs.drybulb_degc >= plant.unit.spray_from_degc) & load.faults.has_water
    forced = choice.spray == SPRAY_ON
    if choice.policy == "spray_above_temperature":
        forced = choice.spray != SPRAY_OFF
    may_spray = frost_free & (choice.spray != SPRAY_OFF)
    must_spray = frost_free & forced

    still = np.zeros_like(load.heat_kw)
    idle = Exchange(still, still, still, still, still, still)
    dry = _with_dx(plant, load, airs, iec.dry(plant.unit, load.heat_kw, airs))
    wet = _with_dx(plant, load, airs, iec.wet(plant.unit, load.heat_kw, airs))
    bare = _with_dx(plant, load, airs, idle)

    score = np.where(must_spray, np.inf, dry.score(choice))
    wet_score = np.where(may_spray, wet.score(choice), np.inf)
    is_wet = wet_score < score
    score = np.where(is_wet, wet_score, score)
    is_bare = ~must_spray & (bare.score(choice) < score)

    def pick(of_dry: Array, of_wet: Array, of_bare: Array) -> Array:
        return np.where(is_bare, of_bare, np.where(is_wet, of_wet, of_dry))

    plate_kw = pick(dry.exchange.heat_kw, wet.exchange.heat_kw, still)
    dx_heat_kw = pick(dry.dx_heat_kw, wet.dx_heat_kw, bare.dx_heat_kw)
    return Cooling(
        removed_kw=plate_kw + dx_heat_kw,
        unmet_kw=pick(dry.unmet_kw, wet.unmet_kw, bare.unmet_kw),
        reused_kw=still,
        store_charge_kw=still,
        store_discharge_kw=still,
        chiller_kw=still,
        dx_kw=pick(dry.dx_kw, wet.dx_kw, bare.dx_kw),
        iec_fan_kw=pick(dry.exchange.fan_kw, wet.exchange.fan_kw, still),
        iec_pump_kw=pick(still, wet.exchange.pump_kw, still),
        tower_fan_kw=still,
        pump_kw=still,
        evaporated_l_per_h=pick(still, wet.exchange.evaporated_l_per_h, still),
        blowdown_l_per_h=pick(still, wet.exchange.blowdown_l_per_h, still),
        chilled_water_degc=np.full_like(still, np.nan),
        chillers_on=still,
        mode=_mode(plate_kw > 0.0, is_wet, dx_heat_kw > 0.0),
        limits=Limits.none(len(still)),
    )


def _with_dx(plant: IecCooling, load: Load, airs: Airs, exchange: Exchange) -> _Candidate:
    """The compressor takes what the plate leaves, up to its capacity."""
    left = np.maximum(load.heat_kw - exchange.heat_kw, 0.0)
    running = load.faults.running_frac * load.faults.dx_runs
    heat = np.minimum(left, plant.dx_capacity_frac * load.rated_it_kw * running)
    sprayed = exchange.pump_kw > 0.0
    air = dx.condenser_air_degc(plant.dx, airs.drybulb_degc, airs.wetbulb_degc, sprayed)
    power = heat * dx.electricity_per_heat(plant.dx, load.supply_degc, air)
    return _Candidate(exchange, heat, power, left - heat)


def _mode(plate: Mask, sprayed: Mask, compressor: Mask) -> NDArray[np.int64]:
    without = np.where(plate, np.where(sprayed, WET, DRY), OFF)
    with_dx = np.where(plate, np.where(sprayed, WET_DX, DRY_DX), DX)
    return np.where(compressor, with_dx, without)
