"""Speed of the plant, and what the optimiser's tables lose of it: ``python -m benchmarks.physics``."""

import time
from collections.abc import Callable
from datetime import datetime

import numpy as np

from aidc import catalog
from aidc.horizon import Horizon
from aidc.plant.facility import Outdoor, facility
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import Site
from aidc.supply import sun
from aidc.supply.pv import pv_kw
from aidc.supply.typical import typical

SHANGHAI = {"latitude_deg": 31.2, "longitude_deg": 121.34, "elevation_m": 3.0}
TABLE_POINTS = 12  # as aidc.optimization.plant_tables


def milliseconds(what: Callable[[], object], times: int = 7) -> float:
    """Least wall time of some calls."""
    what()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        found.append(1e3 * (time.perf_counter() - began))
    return min(found)


def year(step_min: int) -> Horizon:
    """The year 2023 in Shanghai."""
    start, end = (datetime.fromisoformat(f"{y}-01-01T00:00+08:00") for y in (2023, 2024))
    return Horizon(start, end, step_min, "Asia/Shanghai")


def site_named(name: str) -> Site:
    """A site of the catalog."""
    return Site.model_validate(catalog.document("sites", name).data, context=catalog.TABLES)


def outdoor_of(horizon: Horizon) -> Outdoor:
    """A typical year of outdoor air."""
    air = typical("shanghai", horizon, 1, **SHANGHAI).frame
    dry, dew, pressure = (
        air[name].to_numpy(float) for name in ("drybulb_degc", "dewpoint_degc", "pressure_pa")
    )
    return Outdoor(dry, wetbulb_degc(dry, dew, pressure), dew, pressure)


def site_kw(site: Site, outdoor: Outdoor, it_kw: np.ndarray, supply: np.ndarray) -> np.ndarray:
    """Power of the whole site."""
    return facility(
        site, it_kw[None, :], outdoor, supply, spray=np.full(len(it_kw), -1, np.int8),
        policy="lowest_power", tariff_cny_per_kwh=np.ones(len(it_kw)), water_cny_per_m3=5.0,
    ).facility_kw  # fmt: skip


def part_of(outdoor: Outdoor, rows: np.ndarray) -> Outdoor:
    """Some hours of it."""
    return Outdoor(
        outdoor.drybulb_degc[rows], outdoor.wetbulb_degc[rows], outdoor.dewpoint_degc[rows],
        outdoor.pressure_pa[rows],
    )  # fmt: skip


def table_errors(site: Site, outdoor: Outdoor) -> tuple[float, float, float]:
    """rms, p99 and max error of straight lines between points of IT power, in % of rated power.

    Random hours, set-points and loads of 20 to 100 %; the lines span 20 to 100 %, five times the
    range of a plan step, so that this is more than a plan loses.
    """
    rng = np.random.default_rng(1)
    rows = rng.integers(0, len(outdoor.drybulb_degc), 4_000)
    air, supply = part_of(outdoor, rows), rng.choice([20.0, 22.0, 24.0, 26.0], 4_000)
    points = np.linspace(0.2, 1.0, TABLE_POINTS) * site.rated_it_kw
    table = np.stack([site_kw(site, air, np.full(4_000, x), supply) for x in points])
    load = rng.uniform(0.2, 1.0, 4_000) * site.rated_it_kw
    lines = np.array([np.interp(x, points, table[:, i]) for i, x in enumerate(load)])
    error = np.abs(lines - site_kw(site, air, load, supply)) / site.rated_it_kw * 100
    return float(np.sqrt(np.mean(error**2))), float(np.quantile(error, 0.99)), float(error.max())


def main() -> None:
    """Prints the tables."""
    quarter, five = year(15), year(5)
    outdoor = outdoor_of(quarter)
    n = quarter.steps
    print("| what | points | ms |\n|---|---|---|")
    for name in (
        "reference-iec",
        "reference-chilled-water",
        "reference-chilled-water-basic",
        "reference-liquid",
    ):
        site = site_named(name)
        load, supply = np.full(n, 0.6 * site.rated_it_kw), np.full(n, 24.0)
        took = milliseconds(lambda s=site, w=load, t=supply: site_kw(s, outdoor, w, t))  # type: ignore[misc]
        print(f"| a year of {name} at 15 min | {n:,} | {took:.1f} |")
    fine = typical("shanghai", five, 1, **SHANGHAI).frame
    dry, dew, pressure = (
        fine[c].to_numpy(float) for c in ("drybulb_degc", "dewpoint_degc", "pressure_pa")
    )
    print(
        f"| wet bulb | {five.steps:,} | {milliseconds(lambda: wetbulb_degc(dry, dew, pressure)):.1f} |"
    )
    plant = site_named("lingang-rampup")
    began = time.perf_counter()
    sun.position(five, plant.latitude_deg, plant.longitude_deg, plant.elevation_m)
    print(
        f"| sun's position, once a site and year | {five.steps:,} | {1e3 * (time.perf_counter() - began):.0f} |"
    )
    print(
        f"| PV year at 5 min | {five.steps:,} | {milliseconds(lambda: pv_kw(plant, fine, five), 3):.0f} |"
    )
    print(
        "\n| tables of the optimiser over 20-100 % of rated IT | rms % | p99 % | max % |\n|---|---|---|---|"
    )
    for name in ("reference-iec", "reference-chilled-water"):
        rms, p99, most = table_errors(site_named(name), outdoor)
        print(f"| {name} | {rms:.2f} | {p99:.2f} | {most:.2f} |")


if __name__ == "__main__":
    main()
