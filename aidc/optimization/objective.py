"""What a plan minimises, as prices on imported energy, site energy and the plant's own accounts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.plant_tables import PlantTables
from aidc.scenario import Goal, Weights
from aidc.units import L_PER_M3

Array = NDArray[np.float64]
TIE = 1e-9
OVER_PRICE_FACTOR = 10.0  # a kWh above the grid's limit, over the dearest kWh of the window
UNMET_PRICE_FACTOR = 100.0  # a kWh of heat not removed, over the dearest kWh of the window


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of a kWh and a kW in each slot, in the objective's own unit.

    Attributes:
        unit: of the objective.
        import_price: on imported energy, shape (slots,).
        facility_price: on site energy, shape (slots,).
        side: price an hour of each point of the plant tables, shape (slots, options, points).
        demand_price: on a kW of the month's peak import.
        ageing_frac: share of the battery's wear that counts.
        delay_price: on an hour's delay of a board's work.
        over_price: on a kWh of import above what the grid asks for.
    """

    unit: str
    import_price: Array
    facility_price: Array
    side: Array
    demand_price: float
    ageing_frac: float
    delay_price: float
    over_price: float

    def plus(self, weight: float, other: "Prices") -> "Prices":
        """These prices and another objective's at a weight: what relaxing a limit on it leaves."""
        return Prices(
            self.unit,
            self.import_price + weight * other.import_price,
            self.facility_price + weight * other.facility_price,
            self.side + weight * other.side,
            self.demand_price + weight * other.demand_price,
            self.ageing_frac + weight * other.ageing_frac,
            self.delay_price + weight * other.delay_price,
            self.over_price + weight * other.over_price,
        )


@dataclass(frozen=True, slots=True)
class Cap:
    """A sum over the window that may not pass a limit.

    Attributes:
        name: of what is limited.
        prices: that it is summed in.
        limit: in their unit.
    """

    name: str
    prices: Prices
    limit: float


def prices(
    objective: Goal,
    tables: PlantTables,
    grid_kgco2e_per_kwh: Array,
    tariff_cny_per_kwh: Array,
    water_cny_per_m3: float,
    demand_cny_per_kw: float,
) -> Prices:
    """Prices of an objective.

    ``pue`` is least overhead energy at equal IT work, with server fans counted as overhead: the ratio
    itself would reward hot air and wasted IT energy.
    """
    none = np.zeros_like(grid_kgco2e_per_kwh)
    water_m3 = tables.water_l_per_h / L_PER_M3
    side, facility, bought, demand = np.zeros_like(tables.facility_kw), none, none, 0.0
    ageing, delay = 0.0, 0.0
    if objective == "emissions":
        unit, bought = "kgCO2e", grid_kgco2e_per_kwh
    elif objective == "energy":
        unit, facility = "kWh", none + 1.0
    elif objective == "pue":
        unit, side = "kWh", tables.overhead_kw
    elif objective == "water":
        unit, side = "m3", water_m3
    elif isinstance(objective, Weights):
        unit, demand = "CNY", objective.cost * demand_cny_per_kw
        bought = (
            objective.cost * tariff_cny_per_kwh
            + objective.emissions_cny_per_kg * grid_kgco2e_per_kwh
        )
        side = (objective.cost * water_cny_per_m3 + objective.water_cny_per_m3) * water_m3
        ageing, delay = objective.cost, objective.delay_cny_per_gpu_h
    else:
        unit, bought, side, demand = (
            "CNY", tariff_cny_per_kwh, water_cny_per_m3 * water_m3, demand_cny_per_kw
        )  # fmt: skip
        ageing = 1.0
    dearest = float(max(bought.max(), facility.max(), 1.0))
    side = side + UNMET_PRICE_FACTOR * dearest * tables.unmet_kw
    over = OVER_PRICE_FACTOR * dearest
    return Prices(unit, bought, facility, side, demand, ageing, delay, over)


def pue_cap(pue_max: float, tables: PlantTables) -> Cap:
    """Site energy no more than so many times the IT energy, server fans counted in both as meters do."""
    none = np.zeros(len(tables.it_kw))
    money = Prices("kWh", none, none + 1.0, -pue_max * tables.served_kw, 0.0, 0.0, 0.0, 0.0)
    return Cap(f"PUE of {pue_max:g}", money, 0.0)


def worth_keeping(
    tables: PlantTables,
    money: Prices,
    supply_degc: float,
    ramp_k: float,
    chillers_on: int | None,
    caps: Sequence[Cap] = (),
) -> NDArray[np.bool_]:
    """Options that an optimal plan may need, shape (slots, options); dropping the others is exact.

    In a slot the dry or the sprayed twin of a level goes where the other is nowhere dearer. The coldest
    and the warmest level go where the next one is nowhere dearer in any slot: a course of set-points cut
    off there costs no more. Levels that lie on the way there from the set-point in force stay until the
    ramp has passed them.

    A number of chillers that is dearer in its slot may be what their least times need, so it stays.
    Only the fewest and the most go, where at each level that is left the next number is nowhere dearer
    in any slot: a course of counts cut off there has no start and no stop that it did not have, and
    starts within a time only what is still on. The number in force before the window is never cut off.

    Args:
        tables: sampled plant.
        money: prices of the objective.
        supply_degc: set-point in force before the window.
        ramp_k: largest change in a slot.
        chillers_on: machines on before the window; None: not known, or not counted.
        caps: limits that must not grow tighter either.
    """
    counted = [money, *(cap.prices for cap in caps)]
    priced = any((one.import_price + one.facility_price).any() for one in counted)
    site_kw = tables.facility_kw if priced else np.zeros_like(tables.facility_kw)
    flow_kw = tables.store_charge_kw - tables.store_discharge_kw
    kept = np.ones(site_kw.shape[:2], bool)

    def no_dearer(k: int, other: int) -> NDArray[np.bool_]:
        cheaper = site_kw[:, k] <= site_kw[:, other] + TIE
        for one in counted:
            cheaper = cheaper & (one.side[:, k] <= one.side[:, other] + TIE)
        alike = np.abs(flow_kw[:, k] - flow_kw[:, other]) <= TIE  # what the tank then can do
        return np.asarray((cheaper & alike).all(axis=1))

    supply = [option.supply_degc for option in tables.options]
    counts = [option.chillers_on for option in tables.options]
    for k, level in enumerate(supply):
        for other in range(len(supply)):
            if other != k and supply[other] == level and counts[other] == counts[k]:
                kept[:, k] &= ~(no_dearer(other, k) & (~no_dearer(k, other) | (other < k)))
    every = np.array(sorted(set(supply)))
    levels = every.tolist()
    for ends in (1, -1):
        while len(levels) > 1:
            edge, next_one = levels[::ends][:2]
            if not _replaceable(supply, counts, edge, next_one, kept, no_dearer):
                break
            levels.remove(edge)
    coldest, warmest = _ways(every, levels, supply_degc, ramp_k, len(kept))
    at = np.array(supply)
    inside = (at <= warmest[:, None] + TIE) & (at >= coldest[:, None] - TIE)
    kept &= inside
    offered = sorted({count for count in counts if count >= 0})
    for ends in (1, -1):
        while len(offered) > 1:
            edge, next_one = offered[::ends][:2]
            needed = chillers_on is not None and ends * (chillers_on - edge) <= 0
            if needed or not _replaceable(counts, supply, edge, next_one, kept, no_dearer):
                break
            offered.remove(edge)
            kept[:, np.array(counts) == edge] = False
    return kept


def _ways(
    every: Array, levels: list[float], supply_degc: float, ramp_k: float, slots: int
) -> tuple[Array, Array]:
    """Coldest and warmest level worth having, shape (slots,) each.

    They are the ends of the levels kept, or what lies on the way there from the set-point in force,
    level by level as the ramp allows.
    """
    warmest, coldest = np.empty(slots), np.empty(slots)
    high, low = supply_degc, supply_degc
    for slot in range(slots):
        down = int(np.searchsorted(every, high - ramp_k - TIE))
        up = int(np.searchsorted(every, low + ramp_k + TIE, side="right")) - 1
        high, low = float(every[min(down, len(every) - 1)]), float(every[max(up, 0)])
        warmest[slot], coldest[slot] = max(levels[-1], high), min(levels[0], low)
    return coldest, warmest


def _replaceable(
    part: Sequence[float],
    rest: Sequence[float],
    edge: float,
    next_one: float,
    kept: NDArray[np.bool_],
    no_dearer: Callable[[int, int], NDArray[np.bool_]],
) -> bool:
    """Whether every option at one end of a part has, in every slot, a cheaper one next to it and alike in the rest."""
    for k in (k for k, value in enumerate(part) if value == edge):
        cheaper = np.zeros(len(kept), bool)
        for other, value in enumerate(part):
            if value == next_one and rest[other] == rest[k]:
                cheaper |= no_dearer(other, k) & kept[:, other]
        if not (cheaper | ~kept[:, k]).all():
            return False
    return True
