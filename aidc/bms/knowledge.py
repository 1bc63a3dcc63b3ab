"""What a plan may know: the scenario's own jobs and series, or what was read, taken to stay.

Another way to foresee is another function from a `Look` to a `Knowledge`.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.api.drivers import ScenarioKey, drivers_of, intensity_of
from aidc.bms.look import Look, site_of
from aidc.bms.reported import reported_jobs
from aidc.forecast import DRIVER_COLUMNS, Drivers, SiteDrivers
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.scenario import Scenario
from aidc.simulation import simulate
from aidc.supply.pressure import standard_pressure_pa
from aidc.supply.tariff import energy_price_cny_per_kwh, read_tariff

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Jobs and series that reach over the window, and what the baseline policy would do.

    Attributes:
        scenario: with the horizon that the drivers cover.
        drivers: jobs and series.
        baseline_s: start of each job under the baseline policy [s], nan where it does not start.
    """

    scenario: Scenario
    drivers: Drivers
    baseline_s: Array


def knowledge_of(scenario: Scenario, seen: Look) -> Knowledge:
    """What a plan made now may know.

    Raises:
        InputError: a file of the scenario, or its tariff, does not cover the window.
    """
    return foreseen(scenario) if seen.foreseen else as_read(scenario, seen)


def foreseen(scenario: Scenario) -> Knowledge:
    """The scenario's own jobs and series; kept, as every step of a horizon asks for the same."""
    return _foreseen(ScenarioKey.of(scenario))


@lru_cache(maxsize=2)
def _foreseen(key: ScenarioKey) -> Knowledge:
    drivers = drivers_of(key.scenario)
    return Knowledge(key.scenario, drivers, _baseline_s(key.scenario, drivers))


def _baseline_s(scenario: Scenario, drivers: Drivers) -> Array:
    trace = simulate(scenario, drivers, variant="baseline")
    return trace.job_runs[site_of(scenario)].start_s


def as_read(scenario: Scenario, seen: Look) -> Knowledge:
    """Air, PV and IT power as they were read, over one window; tariff and grid as they are known.

    Work is what the scheduler reported, with the rest of the IT power as one load that stays.
    """
    name = site_of(scenario)
    start, plan = seen.plan_start, scenario.plan
    made = scenario.model_copy(
        update={"start": start, "end": start + timedelta(hours=plan.window_h), "events": ()}
    )
    choice, horizon = made.sites[name], made.horizon(name)
    site, readings = choice.site, seen.state.readings
    tariff = read_tariff(choice.tariff)
    air = [readings[name].value for name in ("drybulb_degc", "dewpoint_degc")]
    pressure_pa = standard_pressure_pa(site.elevation_m)
    dewpoint = min(air)
    known = {
        "drybulb_degc": air[0],
        "dewpoint_degc": dewpoint,
        "wetbulb_degc": float(wetbulb_degc([air[0]], [dewpoint], [pressure_pa])[0]),
        "pressure_pa": pressure_pa,
        "pv_kw": readings["pv_kw"].value if site.pv_kwp > 0 else 0.0,
        "grid_kgco2e_per_kwh": intensity_of(made, choice, horizon).kgco2e_per_kwh,
        "tariff_cny_per_kwh": energy_price_cny_per_kwh(tariff, horizon),
    }
    frame = pd.DataFrame(known, index=horizon.index, columns=list(DRIVER_COLUMNS))
    series = SiteDrivers(
        frame=frame,
        water_cny_per_m3=tariff.water_cny_per_m3,
        demand_cny_per_kw_month=tariff.demand_cny_per_kw_month,
        labels={"weather": "as read"},
        synthetic=(),
        notes=(),
    )
    jobs = reported_jobs(scenario, seen)
    drivers = Drivers(
        jobs=jobs,
        movable=np.zeros(len(jobs), np.bool_),
        interruptible=np.zeros(len(jobs), np.bool_),
        sites={name: series},
        job_label="as reported",
        synthetic_jobs=False,
        notes=(),
    )
    return Knowledge(made, drivers, _baseline_s(made, drivers))
