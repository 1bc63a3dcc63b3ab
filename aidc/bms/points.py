"""The points that a controller reads and writes at a site."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aidc.site import Site

Needed = Literal["always", "unforeseen"]


@dataclass(frozen=True, slots=True)
class Point:
    """A point; its name ends with its unit.

    Attributes:
        name: key in `Observation.values`, or `SetPoint.point`.
        unit: degC, kW, kWh, or none.
        needed: by every plan, or only where weather and jobs are not foreseen.
        what: in words.
    """

    name: str
    unit: str
    needed: Needed
    what: str


def points_of(site: "Site") -> tuple[Point, ...]:
    """What has to be wired: the readings of a site."""
    has_battery, has_tank, has_pv = site.battery_kwh > 0, site.tank is not None, site.pv_kwp > 0
    has_water = site.cooling.kind == "chilled_water"
    table: tuple[tuple[bool, str, str, Needed, str], ...] = (
        (True, "supply_degc", "degC", "always", "supply-air set-point in force"),
        (True, "month_peak_kw", "kW", "always", "highest mean import of a step this month"),
        (has_battery, "battery_kwh", "kWh", "always", "energy in the battery"),
        (has_tank, "store_kwh", "kWh", "always", "cold in the chilled-water tank, thermal"),
        (has_water, "chillers_on", "", "always", "chillers running"),
        (True, "drybulb_degc", "degC", "unforeseen", "outside air"),
        (True, "dewpoint_degc", "degC", "unforeseen", "outside air"),
        (True, "it_kw", "kW", "unforeseen", "IT power"),
        (has_pv, "pv_kw", "kW", "unforeseen", "PV power after the inverter"),
    )  # fmt: skip
    return tuple(
        Point(name, unit, needed, what) for there, name, unit, needed, what in table if there
    )


def setpoints_of(site: "Site") -> tuple[Point, ...]:
    """What is advised: the set-points of a site."""
    has_battery, has_tank = site.battery_kwh > 0, site.tank is not None
    table = (
        (True, "supply_degc", "degC", "supply air"),
        (site.cooling.kind == "iec", "spray", "", "1 wet, 0 dry"),
        (site.cooling.kind == "chilled_water", "chillers_on", "", "chillers that run"),
        (has_battery, "battery_charge_kw", "kW", "at the AC side"),
        (has_battery, "battery_discharge_kw", "kW", "at the AC side"),
        (has_tank, "store_charge_kw", "kW", "cold into the tank, thermal"),
        (has_tank, "store_discharge_kw", "kW", "cold out of the tank, thermal"),
    )
    return tuple(Point(name, unit, "always", what) for there, name, unit, what in table if there)
