"""The weather of a scenario in a table that a person can judge, and weather files tried on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aidc.api.drivers import drivers_of, weather_file
from aidc.scenario import Scenario
from aidc.supply.weather import Weather


@dataclass(frozen=True, slots=True)
class MonthlyWeather:
    """Weather of a site by month.

    Attributes:
        label: what it is.
        synthetic: whether it is generated.
        notes: what was filled, clipped or coerced.
        rows: a month each.
    """

    label: str
    synthetic: bool
    notes: tuple[str, ...]
    rows: list[dict[str, Any]]


def monthly_weather(scenario: Scenario) -> Mapping[str, MonthlyWeather]:
    """Means, extremes and radiation of every month of the horizon, by site."""
    found = {}
    for name, drivers in drivers_of(scenario).sites.items():
        frame, rows = drivers.frame, []
        for month, part in frame.groupby(frame.index.strftime("%Y-%m")):
            rows.append(
                {
                    "month": month,
                    "dry bulb degC": float(part["drybulb_degc"].mean()),
                    "min": float(part["drybulb_degc"].min()),
                    "max": float(part["drybulb_degc"].max()),
                    "wet bulb degC": float(part["wetbulb_degc"].mean()),
                    "max wet bulb": float(part["wetbulb_degc"].max()),
                    "GHI kWh/m2": float(part["ghi_w_per_m2"].sum()) * scenario.step_min / 60 / 1000,
                }
            )
        found[name] = MonthlyWeather(
            drivers.labels["weather"], "weather" in drivers.synthetic, drivers.notes, rows
        )
    return found


def weather_from(file: Path, scenario: Scenario) -> Mapping[str, Weather]:
    """A weather file on the horizon of each site.

    Raises:
        InputError: every fault of the file, or it does not cover the horizon.
    """
    return {
        name: weather_file(file, scenario.horizon(name), choice.site)
        for name, choice in scenario.sites.items()
    }
