"""What a simulation found: one row a step and site, one row a job, and a closed energy balance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import BalanceError
from aidc.scenario import Scenario
from aidc.schedule import Schedule, SetPoints

COOLING_PARTS: Final = (
    "chiller_kw",
    "iec_fan_kw",
    "iec_pump_kw",
    "crah_fan_kw",
    "tower_fan_kw",
    "pump_kw",
    "humidifier_kw",
    "dx_kw",
)
SOURCES: Final = ("grid_import_kw", "generator_kw", "pv_kw", "battery_discharge_kw")
USES: Final = (
    "it_kw",
    "cooling_kw",
    "electrical_loss_kw",
    "other_kw",
    "battery_charge_kw",
    "grid_export_kw",
    "pv_curtailed_kw",
)
FRAME_COLUMNS: Final = (
    "site",
    "it_kw",
    "server_fan_kw",
    "cooling_kw",
    *COOLING_PARTS,
    "heat_removed_kw",
    "unmet_cooling_kw",
    "heat_reused_kw",
    "store_charge_kw",
    "store_discharge_kw",
    "store_kwh",
    "ups_out_kw",
    "pdu_out_kw",
    "electrical_loss_kw",
    "other_kw",
    "pv_kw",
    "pv_curtailed_kw",
    "battery_charge_kw",
    "battery_discharge_kw",
    "battery_loss_kw",
    "battery_kwh",
    "grid_import_kw",
    "grid_export_kw",
    "generator_kw",
    "generator_fuel_kw",
    "unserved_kw",
    "water_evaporated_l_per_h",
    "water_blowdown_l_per_h",
    "water_humidifier_l_per_h",
    "water_l_per_h",
    "drybulb_degc",
    "wetbulb_degc",
    "supply_air_degc",
    "chilled_water_degc",
    "chillers_on",
    "inlet_degc",
    "mode",
    "gpus_busy",
    "gpus_allocatable",
    "queue_jobs",
    "grid_kgco2e_per_kwh",
    "tariff_cny_per_kwh",
)
SHARES: Final = ("energy_kwh", "cooling_share_kwh", "kgco2e", "water_l", "cost_cny")  # of a job
ACCOUNTS: Final = ("kwh", "overhead_kwh", "kgco2e", "water_l", "cost_cny")  # the same, of a site
JOB_COLUMNS: Final = (
    "job_id",
    "user",
    "vc",
    "class",
    "site",
    "pool",
    "gpu_count",
    "submit_s",
    "start_s",
    "end_s",
    "deadline_s",
    "state",
    "reason",
    "wait_s",
    "deferred_s",
    "ran_s",
    "useful_s",
    "power_cap_frac",
    "slowed_s",
    "stops",
    "late",
    "warm",
    *SHARES,
)
BALANCE_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of jobs without a break, shape (runs,) each; a job that was stopped and went on has several.

    Attributes:
        job: row of the job.
        start_s: when it took its boards.
        end_s: when it gives them back, in what follows the horizon where it runs at its end.
    """

    job: NDArray[np.int64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]

    def within(self, length_s: float) -> "Runs":
        """The same, cut at the end of the horizon."""
        return Runs(self.job, self.start_s, np.minimum(self.end_s, length_s))

    def held_s(self, count: int) -> NDArray[np.float64]:
        """Time that each of so many jobs held its boards, shape (count,)."""
        length_s = self.end_s - self.start_s
        return np.bincount(self.job, weights=length_s, minlength=count).astype(np.float64)


@dataclass(frozen=True, slots=True)
class JobRun:
    """What the jobs of one site did, whatever the plant did.

    Attributes:
        start_s: first start of each job of the site [s], nan where it did not start, shape (n,).
        end_s: end of each job, in what follows the horizon where it runs at its end; nan where it has
            not started, or was stopped and waits, shape (n,).
        runs: of the same jobs.
        refused: jobs larger than their pool, without boards they accept, or refused by the queue, shape (n,).
        added_kw: IT power above idle at the reference inlet, mean of the step, shape (pools, steps).
        idle_kw: IT power of the servers without what jobs add, sleeping ones nearly off, same shape.
        gpus: boards held, mean of the step, same shape.
        asleep: boards of servers that are switched off, mean of the step, same shape.
        out: boards out of service with nodes under repair, mean of the step, same shape.
        queued: waiting jobs, mean of the step, shape (steps,).
        repaired: nodes that left for repair.
        without_spare_gpu_s: GPU time worked on failed nodes because no others were free.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    runs: Runs
    refused: NDArray[np.bool_]
    added_kw: NDArray[np.float64]
    idle_kw: NDArray[np.float64]
    gpus: NDArray[np.float64]
    asleep: NDArray[np.float64]
    out: NDArray[np.float64]
    queued: NDArray[np.float64]
    repaired: int = 0
    without_spare_gpu_s: float = 0.0

    @property
    def reference_kw(self) -> NDArray[np.float64]:
        """IT power at the reference inlet, shape (pools, steps)."""
        return self.added_kw + self.idle_kw


@dataclass(frozen=True, slots=True)
class Trace:
    """A simulated run.

    Attributes:
        variant: ``baseline``, ``optimized`` or another name of how it was run.
        scenario: what was simulated.
        frame: `FRAME_COLUMNS`, a row a step and site; power is the mean over the step.
        jobs: `JOB_COLUMNS`, a row a job.
        job_runs: what the jobs did, by site.
        setpoints: what was in force, by site.
        schedule: what it followed; None: the baseline's policy.
        accounts: ``jobs_*`` and ``unallocated_*`` add up to ``meter_*``: IT energy (``kwh``), overhead
            (``overhead_kwh``), ``kgco2e``, ``water_l`` and ``cost_cny`` (energy and water).
        counts: what happened that a reader must know (unmet cooling, clipped battery requests, ...).
        labels: what each input is, in words.
        synthetic: inputs that are not measured.
        incidents: a row for every spell of heat left in a hall or inlets above their limit.
        balance_residual: largest relative residual of the energy balance over all steps.
    """

    variant: str
    scenario: Scenario
    frame: pd.DataFrame
    jobs: pd.DataFrame
    job_runs: Mapping[str, JobRun]
    setpoints: Mapping[str, SetPoints]
    schedule: Schedule | None
    accounts: Mapping[str, float]
    counts: Mapping[str, float]
    labels: Mapping[str, str]
    synthetic: tuple[str, ...]
    notes: tuple[str, ...]
    incidents: pd.DataFrame
    balance_residual: float

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.scenario.step_min / 60

    def site(self, name: str) -> pd.DataFrame:
        """Rows of one site."""
        return self.frame[self.frame["site"] == name]

    def kwh(self, column: str) -> float:
        """Energy of a power column over the run, all sites [kWh]."""
        return float(self.frame[column].sum() * self.step_h)

    @property
    def facility_kw(self) -> "pd.Series[float]":
        """All that enters the sites' boundaries, own PV used and battery losses included [kW]."""
        return (
            self.frame["it_kw"]
            + self.frame["cooling_kw"]
            + self.frame["electrical_loss_kw"]
            + self.frame["other_kw"]
            + self.frame["battery_loss_kw"]
        )


def chiller_starts(frame: pd.DataFrame) -> int:
    """Chillers that came on from one step to the next, at all sites of a frame like `Trace.frame`."""
    changes = frame.groupby("site", sort=False)["chillers_on"].diff()
    return int(changes.clip(lower=0.0).sum())


def balance_residual(frame: pd.DataFrame) -> float:
    """Largest relative difference of sources and uses over the steps.

    Raises:
        BalanceError: it is above 1e-6, a power is negative or not finite: a bug, with the step.
    """
    powers = [name for name in frame.columns if name.endswith("_kw")]
    values = frame[powers].to_numpy(np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        row, column = np.argwhere(~(values >= 0))[0]
        raise BalanceError(f"{powers[column]} is {values[row, column]} at {frame.index[row]}")
    sources = frame[list(SOURCES)].to_numpy(np.float64).sum(axis=1)
    uses = frame[list(USES)].to_numpy(np.float64).sum(axis=1)
    residual = np.abs(sources - uses) / np.maximum(sources, 1.0)
    worst = int(residual.argmax()) if len(residual) else 0
    if len(residual) and residual[worst] > BALANCE_TOLERANCE:
        raise BalanceError(
            f"energy balance open by {residual[worst]:.2e} at {frame.index[worst]}: "
            f"{sources[worst]:.3f} kW in, {uses[worst]:.3f} kW out"
        )
    return float(residual[worst]) if len(residual) else 0.0
