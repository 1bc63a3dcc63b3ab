"""From a scenario to what drives it: jobs, weather, PV, grid intensity and tariff on one index."""

import functools
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.api.jobs import job_inputs
from aidc.api.outdoor_events import pv_left_frac, with_heat_waves
from aidc.data_file import data_path
from aidc.forecast import DRIVER_COLUMNS, Drivers, SiteDrivers
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.scenario import (
    EpwWeather,
    Scenario,
    SeriesIntensity,
    SiteChoice,
    SyntheticIntensity,
    TypicalWeather,
)
from aidc.site import Site
from aidc.supply.grid import Intensity
from aidc.supply.weather import Weather
from aidc.units import S_PER_MIN
from aidc.workload.flexibility import (
    deferrable_classes,
    deferrable_gpu_time_frac,
    may_be_stopped,
    may_move,
)
from aidc.workload_inputs import SyntheticWorkload

_IGNORED = ("name", "label", "plan", "ledger", "pathway", "baseline", "industry_baseline")


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioKey:
    """A scenario that is equal to another with the same text: what a result is kept under."""

    text: str
    scenario: Scenario

    @classmethod
    def of(cls, scenario: Scenario, without: Collection[str] = ()) -> "ScenarioKey":
        """The key of what is written in a scenario, some blocks left out."""
        parts = {key: value for key, value in scenario.raw.items() if key not in without}
        text = json.dumps([str(scenario.folder), parts], sort_keys=True, default=str)
        return cls(text, scenario)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScenarioKey) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def drivers_of(scenario: Scenario) -> Drivers:
    """Jobs and series of a scenario; the last few are kept, as variants share them.

    Raises:
        InputError: a file is naive, gappy or does not cover the horizon.
    """
    return _drivers(ScenarioKey.of(scenario, without=_IGNORED))


@functools.lru_cache(maxsize=3)
def _drivers(key: ScenarioKey) -> Drivers:
    scenario = key.scenario
    jobs, label, notes = job_inputs(scenario, id_prefix="")
    notes = (*notes, _deferrable_note(jobs, scenario.flexibility.deferrable_frac))
    stops = may_be_stopped(jobs, scenario.flexibility.interruptible_frac)
    if stops.any():
        notes = (*notes, _stopping_note(jobs, stops, scenario.flexibility.restart_s or 0.0))
    return Drivers(
        jobs=jobs.check(),
        movable=may_move(jobs, scenario.flexibility.movable_frac),
        interruptible=stops,
        sites=sites_of(scenario),
        job_label=label,
        synthetic_jobs=isinstance(scenario.workload, SyntheticWorkload),
        notes=notes,
    )


def _stopping_note(jobs: JobTable, stops: NDArray[np.bool_], restart_s: float) -> str:
    """What share of the work a plan may stop, and at what price."""
    share = float(jobs.gpu_s[stops].sum() / jobs.gpu_s.sum())
    return (
        f"a plan may stop {int(stops.sum()):,} jobs with {share:.1%} of the GPU time submitted; each time that "
        f"one goes on costs its boards {restart_s / S_PER_MIN:g} min at its own power"
    )


def _deferrable_note(jobs: JobTable, asked_frac: float) -> str:
    """What share of the jobs may wait, beside what was asked for."""
    waits = float((jobs.slack_s > 0).mean()) if len(jobs) else 0.0
    return (
        f"{deferrable_gpu_time_frac(jobs):.1%} of the GPU time submitted and {waits:.1%} of the jobs "
        f"are deferrable ({asked_frac:.0%} of the jobs asked for; of classes "
        f"{', '.join(deferrable_classes())} alone, and none that ran at the start)"
    )


def jobs_of(scenario: Scenario, id_prefix: str) -> JobTable:
    """Jobs of a scenario alone; generated ones have ids that begin with a text."""
    return job_inputs(scenario, id_prefix=id_prefix)[0]


def sites_of(scenario: Scenario) -> dict[str, SiteDrivers]:
    """Series of all sites of a scenario."""
    return {name: _site_drivers(scenario, name, choice) for name, choice in scenario.sites.items()}


def _site_drivers(scenario: Scenario, name: str, choice: SiteChoice) -> SiteDrivers:
    """Series of one site."""
    from aidc.supply.pv import pv_kw
    from aidc.supply.tariff import energy_price_cny_per_kwh, read_tariff, tariff_notes

    horizon, site = scenario.horizon(name), choice.site
    weather = _weather(scenario, choice, horizon)
    air, told = with_heat_waves(weather.frame, scenario, name)
    intensity = intensity_of(scenario, choice, horizon)
    tariff = read_tariff(choice.tariff)
    columns = {column: air[column] for column in air.columns}
    frame = pd.DataFrame(columns, index=horizon.index).assign(
        wetbulb_degc=wetbulb_degc(
            air["drybulb_degc"].to_numpy(),
            air["dewpoint_degc"].to_numpy(),
            air["pressure_pa"].to_numpy(),
        ),
        pv_kw=pv_kw(site, air, horizon) * pv_left_frac(scenario, name),
        grid_kgco2e_per_kwh=intensity.kgco2e_per_kwh,
        tariff_cny_per_kwh=energy_price_cny_per_kwh(tariff, horizon),
    )
    synthetic = [
        text
        for text, made in (("weather", weather.synthetic), ("grid intensity", intensity.synthetic))
        if made
    ]
    return SiteDrivers(
        frame=horizon.check(frame, DRIVER_COLUMNS),
        water_cny_per_m3=tariff.water_cny_per_m3,
        demand_cny_per_kw_month=tariff.demand_cny_per_kw_month,
        labels={
            "weather": weather.label,
            "grid intensity": intensity.label,
            "tariff": tariff.label,
        },
        synthetic=tuple(synthetic),
        notes=(*weather.notes, *told, *tariff_notes(tariff, horizon)),
    )


def _weather(scenario: Scenario, choice: SiteChoice, horizon: Horizon) -> Weather:
    from aidc.supply.typical import typical

    asked, site = choice.weather, choice.site
    if isinstance(asked, TypicalWeather):
        return typical(
            asked.climate,
            horizon,
            scenario.seed,
            latitude_deg=site.latitude_deg,
            longitude_deg=site.longitude_deg,
            elevation_m=site.elevation_m,
        )
    return weather_file(
        data_path(asked.file, scenario.folder), horizon, site, epw=isinstance(asked, EpwWeather)
    )


def weather_file(path: Path, horizon: Horizon, site: Site, *, epw: bool | None = None) -> Weather:
    """Weather in a file; its ending tells the kind where ``epw`` does not.

    Raises:
        InputError: every fault of the file, or it does not cover the horizon.
    """
    from aidc.supply.csv_weather import read_csv
    from aidc.supply.epw import read_epw

    read = read_epw if (path.suffix.lower() == ".epw" if epw is None else epw) else read_csv
    return read(path, horizon, latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg)


def intensity_of(scenario: Scenario, choice: SiteChoice, horizon: Horizon) -> Intensity:
    """The intensity that the plan decides on."""
    from aidc.supply import grid

    asked = choice.grid.intensity
    if isinstance(asked, SeriesIntensity):
        return grid.series(data_path(asked.file, scenario.folder), horizon)
    year = min(scenario.start.year, scenario.ledger.report_date.year)
    factor = decision_factor(choice.grid.location, year, scenario.ledger.report_date)
    if isinstance(asked, SyntheticIntensity):
        made = grid.synthetic(factor.kgco2e_per_kwh, asked.amplitude, asked.shape, horizon)
    else:
        made = grid.flat(factor.kgco2e_per_kwh, horizon)
    return made._replace(label=f"{made.label}, from {factor.label}")


@dataclass(frozen=True, slots=True)
class DecisionFactor:
    """The annual factor that a plan decides on, with its name and year."""

    kgco2e_per_kwh: float
    label: str


def decision_factor(region: str, year: int, report_date: date) -> DecisionFactor:
    """The factor that the location-based book would choose for a region and year.

    Raises:
        InputError: no row fits; lists what exists.
    """
    from aidc.ledger.factors import policies
    from aidc.ledger.factors import rows as factors

    chosen = policies.select(
        policies.shipped(),
        "MEE-LB",
        factors.grid_factors().values(),
        region=region,
        activity_year=year,
        report_date=report_date,
    )
    lag = f", {chosen.lag_years} years before the activity" if chosen.lag_years else ""
    label = f"{chosen.factor.publisher} {chosen.level} of {chosen.factor.data_year}{lag}"
    return DecisionFactor(float(chosen.factor.t_per_mwh), label)
