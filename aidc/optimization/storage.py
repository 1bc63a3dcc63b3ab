"""Rows of the MILP for what a site stores: a battery, and cold water in a tank."""

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.optimization.bus import Bus
from aidc.optimization.plant_tables import PlantTables
from aidc.plant.tank import keeps_frac
from aidc.site import WaterTank

Array = NDArray[np.float64]


def add_battery(m: pyo.ConcreteModel, bus: Bus) -> None:
    """Flows and content of the battery, where there is one; no window lives off it."""
    if bus.battery_kwh <= 0:
        return
    unit, size = bus.battery, bus.battery_kwh
    power = unit.c_rate_per_h * size
    m.charge_kw = pyo.Var(m.SLOT, bounds=(0, power))
    m.discharge_kw = pyo.Var(m.SLOT, bounds=(0, power))
    m.stored_kwh = pyo.Var(m.SLOT, bounds=(unit.soc_min_frac * size, unit.soc_max_frac * size))

    def storage(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        before = m.stored_kwh[t - 1] if t > 0 else bus.stored_kwh
        gained = (
            unit.charge_efficiency_frac * m.charge_kw[t]
            - m.discharge_kw[t] / unit.discharge_efficiency_frac
        )
        return m.stored_kwh[t] == before + bus.slot_h * gained

    m.storage = pyo.Constraint(
        m.SLOT, rule=storage
    )  # energy in the battery follows its flows and losses
    m.storage_end = pyo.Constraint(  # no window lives off the battery
        expr=m.stored_kwh[m.SLOT.last()] >= battery_end_kwh(bus, len(m.SLOT))
    )


def battery_end_kwh(bus: Bus, slots: int) -> float:
    """Least energy at the end of a window: as at the horizon's start, or what charging can reach."""
    unit = bus.battery
    power = unit.c_rate_per_h * bus.battery_kwh
    most_kwh = bus.stored_kwh + slots * bus.slot_h * unit.charge_efficiency_frac * power
    return min(unit.soc_start_frac * bus.battery_kwh, most_kwh)


def tank_end_kwh(tank: WaterTank, bus: Bus, tables: PlantTables) -> float:
    """Least cold at the end of a window: as at the horizon's start, or what any option can reach."""
    unit, keeps, most_kwh = tank.store, keeps_frac(tank, bus.slot_h), bus.store_kwh
    for charge_kw in tables.store_charge_kw.max(axis=2).min(axis=1).tolist():
        most_kwh = keeps * most_kwh + bus.slot_h * unit.charge_efficiency_frac * charge_kw
    return min(unit.soc_start_frac * tank.capacity_kwh, most_kwh)


def add_tank(m: pyo.ConcreteModel, tank: WaterTank, bus: Bus, end_kwh: float) -> None:
    """Content of the tank, and at least ``end_kwh`` of it when the window ends."""
    unit, keeps = tank.store, keeps_frac(tank, bus.slot_h)
    m.tank_kwh = pyo.Var(m.SLOT, bounds=(0.0, tank.capacity_kwh))

    def tank_content(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        before = m.tank_kwh[t - 1] if t > 0 else bus.store_kwh
        gained = (
            unit.charge_efficiency_frac * m.tank_charge_kw[t]
            - m.tank_discharge_kw[t] / unit.discharge_efficiency_frac
        )
        return m.tank_kwh[t] == keeps * before + bus.slot_h * gained

    m.tank_content = pyo.Constraint(m.SLOT, rule=tank_content)  # cold follows its flows and losses
    m.tank_end = pyo.Constraint(  # no window lives off the tank
        expr=m.tank_kwh[m.SLOT.last()] >= end_kwh
    )
