"""What drives a run, and what the optimiser may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.job import JobTable

OUTDOOR_COLUMNS: Final = ("drybulb_degc", "wetbulb_degc", "dewpoint_degc", "pressure_pa")
DRIVER_COLUMNS: Final = (
    *OUTDOOR_COLUMNS,
    "ghi_w_per_m2",
    "dni_w_per_m2",
    "dhi_w_per_m2",
    "wind_m_per_s",
    "pv_kw",
    "grid_kgco2e_per_kwh",
    "tariff_cny_per_kwh",
)


@dataclass(frozen=True, slots=True)
class SiteDrivers:
    """Everything that acts on one site from outside.

    Attributes:
        frame: `DRIVER_COLUMNS` on the horizon's index in the site's zone; ``pv_kw`` is what the
            PV plant could deliver.
        water_cny_per_m3: price of water.
        demand_cny_per_kw_month: demand charge on the month's peak import.
        labels: what each input is, in words (``weather``, ``grid``, ``tariff``, ``jobs``).
        synthetic: inputs that are not measured.
        notes: what was filled, clipped or coerced on the way.
    """

    frame: pd.DataFrame
    water_cny_per_m3: float
    demand_cny_per_kw_month: float
    labels: Mapping[str, str]
    synthetic: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drivers:
    """Jobs and series of a scenario; the same for every variant of it.

    Attributes:
        jobs: all jobs of all sites, each with its home site and pool.
        movable: jobs that may run at another site on servers like those at home, shape (n,).
        interruptible: jobs that a plan may stop and let go on, shape (n,).
        sites: series by site.
        labels: what the jobs are.
        synthetic: whether the jobs are generated.
    """

    jobs: JobTable
    movable: NDArray[np.bool_]
    interruptible: NDArray[np.bool_]
    sites: Mapping[str, SiteDrivers]
    job_label: str
    synthetic_jobs: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known at ``now_s`` about a window of one site.

    With perfect foresight this is a cut of the drivers. ``frame`` has `DRIVER_COLUMNS` on the
    simulation's steps of the window; ``first_step`` is its first step in the horizon.
    """

    site: str
    now_s: float
    first_step: int
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ExpectedWork:
    """What is known at some time of the work of a site.

    Attributes:
        run_s: run time of every job of the site, shape (n,): as it was for those that have ended, as
            predicted for the others that were submitted, nan for those to come.
        long_s: a run time that few of them pass, same shape and same gaps.
        kw: IT power above idle that the site is expected to carry in all, jobs to come included, by
            pool and step of the window, shape (pools, steps).
        gpus: boards in use, same shape.
    """

    run_s: NDArray[np.float64]
    long_s: NDArray[np.float64]
    kw: NDArray[np.float64]
    gpus: NDArray[np.float64]


class Forecaster(Protocol):
    """Who says what a plan may know: series and work of a window, from what lies before it."""

    def series(self, site: str, now_s: float, first_step: int, steps: int) -> Forecast:
        """Series of the window that starts now."""

    def work(
        self, site: str, now_s: float, first_step: int, steps: int, start_s: NDArray[np.float64]
    ) -> ExpectedWork:
        """Run times and load.

        Args:
            site: whose.
            now_s: start of the window.
            first_step: its first step in the horizon.
            steps: of the window.
            start_s: start of every job of the site that has begun, else nan, shape (n,).
        """
