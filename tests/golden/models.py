"""A window of three slots by hand: two set-points, two points of IT power, two classes of jobs."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from pyomo.repn.plugins.lp_writer import LPWriter

from aidc.equipment import Battery, ThermalStore
from aidc.optimization.bus import Bus
from aidc.optimization.commitment import Chillers
from aidc.optimization.model import ClassColumns, add_jobs, site_model
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.peaks import Peaks
from aidc.optimization.plant_tables import Option, PlantTables
from aidc.site import WaterTank

FAMILIES = (
    "one_setpoint",
    "points_of_setpoint",
    "it_power",
    "bus_balance",
    "storage",
    "storage_end",
    "setpoint_rises",
    "setpoint_falls",
    "import_limit",
    "month_peak",
    "every_class_starts",
    "it_load",
    "gpu_capacity",
    "vc_quota",
    "capped",
)
TANK_FAMILIES = ("tank_content", "tank_end")
CHILLER_FAMILIES = (
    "rule_or_counts",
    "chillers_not_fewer",
    "chillers_not_more",
    "chillers_change",
    "chillers_least_time_on",
    "chillers_least_time_off",
)
FILES = {
    name: Path(__file__).parent / f"{name}.lp"
    for name in (*FAMILIES, *TANK_FAMILIES, *CHILLER_FAMILIES, "objective")
}
SLOTS = 3


def tables() -> PlantTables:
    """IT power of 100 to 200 kW; the warm set-point uses 10 kW less; each hour all use 1 kW more."""
    later = np.arange(SLOTS, dtype=np.float64)[:, None, None]
    it_kw = np.tile([100.0, 200.0], (SLOTS, 1))
    facility_kw = later + np.array([[130.0, 250.0], [120.0, 240.0]])
    none = np.zeros_like(facility_kw)
    options = (Option(20.0, 0), Option(24.0, 0))
    overhead_kw = facility_kw - it_kw[:, None, :]
    served_kw = facility_kw - overhead_kw
    return PlantTables(
        options, 1, it_kw, facility_kw, overhead_kw, none, served_kw, none, none, none
    )


def money(demand_price: float, points: int, ageing_frac: float, options: int = 2) -> Prices:
    """A tariff of 0.5, 1 and 0.25 CNY/kWh on import."""
    none, side = np.zeros(SLOTS), np.zeros((SLOTS, options, points))
    tariff = np.array([0.5, 1.0, 0.25])
    return Prices("CNY", tariff, none, side, demand_price, ageing_frac, 0.0, 50.0)


def prices() -> Prices:
    """A tariff of 0.5, 1 and 0.25 CNY/kWh, and 40 CNY for a kW of the month's peak."""
    return money(40.0, 2, 1.0)


def bus() -> Bus:
    """30 kW of PV at noon, a battery of 80 kWh half full, one month, 2 K an hour."""
    battery = Battery(
        name="golden",
        source="typed for this test",
        charge_efficiency_frac=0.9,
        discharge_efficiency_frac=0.8,
        c_rate_per_h=0.5,
        soc_min_frac=0.1,
        soc_max_frac=0.95,
        soc_start_frac=0.5,
        ageing_cny_per_kwh=0.125,
    )
    return Bus(
        pv_kw=np.array([0.0, 30.0, 0.0]),
        slot_h=1.0,
        battery=battery,
        battery_kwh=80.0,
        stored_kwh=40.0,
        tank=None,
        store_kwh=0.0,
        supply_degc=22.0,
        ramp_k_per_h=2.0,
        month_of_slot=np.full(SLOTS, 7),
        peaks=Peaks({7: 150.0}, {7: 1.0}, np.zeros(SLOTS)),
        import_limit_kw=np.array([np.inf, 170.0, np.inf]),
        chillers=None,
    )


def columns() -> ClassColumns:
    """A class of 50 kW for two hours from slot 0 or 1, and one of 20 kW for one hour in slot 1 or 2.

    Nine boards are free in slot 1, of the eight and four that want it; elsewhere there are plenty.
    The second class has a quota, which leaves it three boards in slot 1 and six in slot 2.
    """
    return ClassColumns(
        class_of=np.array([0, 0, 1, 1]),
        pool=np.zeros(4, np.int64),
        classes=2,
        column=np.array([0, 0, 1, 1, 2, 3]),
        slot=np.array([0, 1, 1, 2, 1, 2]),
        kw=np.array([50.0, 50.0, 50.0, 50.0, 20.0, 20.0]),
        gpus=np.array([8.0, 8.0, 8.0, 8.0, 4.0, 4.0]),
        tail=np.array([0.0, 3.0, 0.0, 0.0]),
        cap_tails=np.array([[0.0, 2.0, 0.0, 0.0]]),
        gpus_free=np.array([[40.0, 9.0, 40.0]]),
        quota=np.array([-1, -1, 0, 0]),
        quota_free=np.array([[2.0, 3.0, 6.0]]),
    )


def cap() -> Cap:
    """What an earlier stage left: no more than 400 kg, at 0.5, 0.75 and 1 kg a kWh of import."""
    none, side = np.zeros(SLOTS), np.zeros((SLOTS, 2, 2))
    carbon = Prices("kgCO2e", np.array([0.5, 0.75, 1.0]), none, side, 0.0, 0.0, 0.0, 0.0)
    return Cap("emissions", carbon, 400.0)


def window_model() -> pyo.ConcreteModel:
    """The whole model of the window."""
    model = site_model(tables(), prices(), bus(), np.ones((SLOTS, 2), bool), [cap()])
    add_jobs(model, np.full(SLOTS, 105.0), columns())
    return model


def tank() -> WaterTank:
    """100 kWh of cold that fills in four hours and empties in two, a tenth of it lost in a day."""
    store = ThermalStore(
        name="golden",
        source="typed for this test",
        charge_efficiency_frac=0.9,
        discharge_efficiency_frac=0.8,
        loss_frac_per_day=0.1,
        charge_h=4.0,
        discharge_h=2.0,
        soc_start_frac=0.3,
    )
    return WaterTank(store=store, capacity_kwh=100.0, water_degc=9.0, source="for this test")


def tank_model() -> pyo.ConcreteModel:
    """The set-points of the window with a tank in place of the battery.

    A kW of cold into or out of it is 0.2 kW of site power more or less; at 100 kW of IT it gives 40 kW.
    """
    plain = tables()
    charge = np.tile([0.0, 0.0, 25.0, 25.0, 0.0, 0.0], (SLOTS, 2, 1))
    discharge = np.tile([0.0, 0.0, 0.0, 0.0, 40.0, 50.0], (SLOTS, 2, 1))

    def repeated(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.tile(values, 3)

    with_tank = PlantTables(
        plain.options,
        3,
        repeated(plain.it_kw),
        repeated(plain.facility_kw) + 0.2 * (charge - discharge),
        repeated(plain.overhead_kw) + 0.2 * (charge - discharge),
        repeated(plain.water_l_per_h),
        repeated(plain.served_kw),
        repeated(plain.unmet_kw),
        charge,
        discharge,
    )
    beside = replace(bus(), battery_kwh=0.0, tank=tank(), store_kwh=30.0)
    return site_model(with_tank, money(0.0, 6, 0.0), beside, np.ones((SLOTS, 2), bool))


def chiller_model() -> pyo.ConcreteModel:
    """The set-points of the window with three chillers: the rule, one machine or two, at 20 degC.

    Two hours on and two off at least; two run, both started an hour ago. By the rule the site
    uses 130 to 250 kW, with one machine 10 kW less, with two 6 kW less but 20 kW more in the last hour.
    """
    plain = tables()
    by_rule = plain.facility_kw[:, :1, :]
    two = by_rule - 6.0
    two[2] += 26.0
    facility_kw = np.concatenate([by_rule, by_rule - 10.0, two], axis=1)
    none = np.zeros_like(facility_kw)
    options = tuple(Option(20.0, 0, count) for count in (-1, 1, 2))
    overhead_kw = facility_kw - plain.it_kw[:, None, :]
    served_kw = facility_kw - overhead_kw
    counted = PlantTables(
        options, 1, plain.it_kw, facility_kw, overhead_kw, none, served_kw, none, none, none
    )
    chillers = Chillers.after(np.array([0.0, 0.0, 2.0]), 1.0, 3, 2.0, 2.0, 1.0, SLOTS)
    beside = replace(bus(), battery_kwh=0.0, chillers=chillers)
    return site_model(counted, money(0.0, 2, 1.0, options=3), beside, np.ones((SLOTS, 3), bool))


def lp_text(family: str) -> str:
    """The constraints of one family alone, or ``objective``, as LP text that is always the same."""
    if family in TANK_FAMILIES:
        model = tank_model()
    else:
        model = chiller_model() if family in CHILLER_FAMILIES else window_model()
    for constraint in model.component_objects(pyo.Constraint, active=True):
        if constraint.local_name != family:
            constraint.deactivate()
    if family != "objective":
        for objective in model.component_objects(pyo.Objective, active=True):
            objective.deactivate()
        model.nothing = pyo.Objective(expr=0.0)
    text = io.StringIO()
    LPWriter().write(model, text, symbolic_solver_labels=True, file_determinism=30)
    return re.sub(r"\n{2,}", "\n", text.getvalue())
