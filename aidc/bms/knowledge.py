"""What a plan may know: the scenario's own jobs and series, forecasts from what was read, or readings taken to stay.

Another way to foresee is another function from a `Look` to a `Knowledge`.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.api.drivers import ScenarioKey, drivers_of, intensity_of
from aidc.bms.expected_load import it_kw
from aidc.bms.forecasting import CALM_M_PER_S, Air, forecast
from aidc.bms.look import Look, site_of
from aidc.bms.reported import REST, reported_jobs, with_rest
from aidc.forecast import DRIVER_COLUMNS, Drivers, SiteDrivers
from aidc.job import JobTable
from aidc.persistence import Method
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.scenario import Scenario
from aidc.simulation import simulate
from aidc.supply.forecasts import clear_sky_pv_kw
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
    if seen.foreseen:
        return foreseen(scenario)
    method = scenario.plan.foresight
    return as_read(scenario, seen) if method == "perfect" else as_forecast(scenario, seen, method)


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
    made, readings = _window(scenario, seen), seen.state.readings
    air = [readings[name].value for name in ("drybulb_degc", "dewpoint_degc")]
    pv_kw = readings["pv_kw"].value if "pv_kw" in readings else 0.0
    jobs = reported_jobs(scenario, seen)
    drivers = _drivers(made, Air(air[0], min(air), pv_kw), jobs, "as read")
    return Knowledge(made, drivers, _baseline_s(made, drivers))


def as_forecast(scenario: Scenario, seen: Look, method: Method) -> Knowledge:
    """Air, PV and IT power as forecast from what was read so far; tariff and grid as they are known.

    Work is what the scheduler reported, with the IT power that is expected beside it step by step.
    """
    made, name = _window(scenario, seen), site_of(scenario)
    horizon = made.horizon(name)
    told = forecast(seen.state.history, made.sites[name].site, horizon, method)
    jobs = reported_jobs(scenario, seen)
    # at first nothing but what was reported: a rest without boards is in nobody's way
    known = jobs.with_columns(added_kw=np.where(jobs.job_id == REST, 0.0, jobs.added_kw))
    drivers = _drivers(made, told.air, known, f"forecast ({method})")
    start_s = _baseline_s(made, drivers)
    edges_s = np.arange(horizon.steps + 1, dtype=np.float64) * horizon.step_s
    known_kw = it_kw(made.sites[name].site, known, start_s, edges_s).sum(axis=0)
    rest_kw = np.maximum(told.it_kw - known_kw, 0.0)
    jobs, start_s = with_rest(known, start_s, rest_kw, edges_s)
    return Knowledge(
        made, replace(drivers, jobs=jobs, movable=np.zeros(len(jobs), np.bool_)), start_s
    )


def ready_to_forecast(scenario: Scenario) -> None:
    """Loads what a first forecast needs, which takes seconds."""
    name = site_of(scenario)
    clear_sky_pv_kw(scenario.sites[name].site, scenario.horizon(name), 0.0, CALM_M_PER_S)


def _window(scenario: Scenario, seen: Look) -> Scenario:
    """The scenario over the window of a plan made now."""
    start = seen.plan_start
    end = start + timedelta(hours=scenario.plan.window_h)
    return scenario.model_copy(update={"start": start, "end": end, "events": ()})


def _drivers(made: Scenario, air: Air, jobs: JobTable, label: str) -> Drivers:
    """Jobs and series of a window."""
    name = site_of(made)
    choice, horizon = made.sites[name], made.horizon(name)
    tariff = read_tariff(choice.tariff)
    drybulb, dewpoint = (
        np.broadcast_to(np.asarray(one, np.float64), horizon.steps)
        for one in (air.drybulb_degc, air.dewpoint_degc)
    )
    pressure = np.full(horizon.steps, standard_pressure_pa(choice.site.elevation_m))
    known = {
        "drybulb_degc": drybulb,
        "dewpoint_degc": dewpoint,
        "wetbulb_degc": wetbulb_degc(drybulb, dewpoint, pressure),
        "pressure_pa": pressure,
        "pv_kw": air.pv_kw,
        "grid_kgco2e_per_kwh": intensity_of(made, choice, horizon).kgco2e_per_kwh,
        "tariff_cny_per_kwh": energy_price_cny_per_kwh(tariff, horizon),
    }
    frame = pd.DataFrame(known, index=horizon.index, columns=list(DRIVER_COLUMNS))
    series = SiteDrivers(
        frame=frame,
        water_cny_per_m3=tariff.water_cny_per_m3,
        demand_cny_per_kw_month=tariff.demand_cny_per_kw_month,
        labels={"weather": label},
        synthetic=(),
        notes=(),
    )
    return Drivers(
        jobs=jobs,
        movable=np.zeros(len(jobs), np.bool_),
        interruptible=np.zeros(len(jobs), np.bool_),
        sites={name: series},
        job_label="as reported",
        synthetic_jobs=False,
        notes=(),
    )
