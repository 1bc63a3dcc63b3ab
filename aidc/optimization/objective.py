"""What a plan minimises, as prices on imported energy, site energy and the plant's own accounts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.plant_tables import PlantTables
from aidc.scenario import Objective, Weights
from aidc.units import L_PER_M3

Array = NDArray[np.float64]
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
    """

    unit: str
    import_price: Array
    facility_price: Array
    side: Array
    demand_price: float


def prices(
    objective: Objective | Weights,
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
    water = tables.water_l_per_h / L_PER_M3 * water_cny_per_m3
    side, facility, bought, demand = np.zeros_like(tables.facility_kw), none, none, 0.0
    if objective == "emissions":
        unit, bought = "kgCO2e", grid_kgco2e_per_kwh
    elif objective == "energy":
        unit, facility = "kWh", none + 1.0
    elif objective == "pue":
        unit, side = "kWh", tables.overhead_kw
    elif isinstance(objective, Weights):
        unit, demand = "CNY", objective.cost * demand_cny_per_kw
        bought = (
            objective.cost * tariff_cny_per_kwh
            + objective.emissions_cny_per_kg * grid_kgco2e_per_kwh
        )
        side = objective.cost * water
    else:
        unit, bought, side, demand = "CNY", tariff_cny_per_kwh, water, demand_cny_per_kw
    dearest = float(max(bought.max(), facility.max(), 1.0))
    return Prices(
        unit, bought, facility, side + UNMET_PRICE_FACTOR * dearest * tables.unmet_kw, demand
    )
