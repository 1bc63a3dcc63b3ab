"""From the columns of a finished run to its trace."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.schedule import Schedule, SetPoints
from aidc.simulation import accounting
from aidc.simulation.faults import INLET_K, incidents, restarts
from aidc.trace import FRAME_COLUMNS, JobRun, Trace, balance_residual
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
LATE_S = 1e-6  # less than this is rounding


@dataclass(frozen=True, slots=True)
class SiteResult:
    """What one site did.

    Attributes:
        name: the site.
        jobs: its jobs.
        run: what they did.
        setpoints: what was in force.
        columns: columns of the trace that the plant made, shape (steps,) each.
        limit_s: seconds into each step at which the inlet passes its limit; inf: not in it.
        clipped_steps: battery requests that its limits cut.
        store_cut_steps: requests to the tank that its limits or the machines cut.
        law_steps: steps in which a law of the plant met its limits, by law.
    """

    name: str
    jobs: JobTable
    run: JobRun
    setpoints: SetPoints
    columns: dict[str, NDArray[np.generic]]
    limit_s: Array
    clipped_steps: int
    store_cut_steps: int
    law_steps: Mapping[str, int]


def trace_of(
    scenario: Scenario,
    drivers: Drivers,
    variant: str,
    results: list[SiteResult],
    schedule: Schedule | None,
) -> Trace:
    """Puts the sites together, shares the energy out to jobs and closes the balance."""
    frames, tables, spells, unallocated, missed, above, beyond, hot_restarts, dark_gpu_h = (
        [], [], [], 0.0, 0, 0, 0, 0, 0.0,
    )  # fmt: skip
    for result in results:
        frame = _frame(scenario, drivers, result)
        mine = np.flatnonzero(drivers.jobs.site == result.name)
        moved = np.zeros(len(mine))
        if schedule is not None:
            moved = schedule.decisions["moved_s"].to_numpy(np.float64)[mine]
            planned = schedule.decisions["start_s"].to_numpy(np.float64)[mine]
            missed += int((np.nan_to_num(result.run.start_s - planned) > LATE_S).sum())
        frames.append(frame)
        spells.append(incidents(scenario, result.name, frame, result.limit_s))
        spells.append(restarts(scenario, result.name, frame))
        hot_restarts += int(spells[-1]["limit_after_s"].notna().sum())
        dark_gpu_h += _dark_gpu_h(frame) * scenario.step_min / 60
        inlet_max = scenario.sites[result.name].site.hall.inlet_max_degc
        allowed = min(
            pool.server.ashrae_class.allowable_max_degc
            for pool in scenario.sites[result.name].site.pools
        )
        beyond += int((frame["inlet_degc"] > allowed + INLET_K).sum())
        above += int((frame["inlet_degc"] > inlet_max + INLET_K).sum())
        tables.append(_jobs(scenario, drivers, result, frame, moved))
        unallocated += _unallocated_kwh(scenario, result, frame)
    whole, jobs = pd.concat(frames), pd.concat(tables, ignore_index=True)
    step_h = scenario.step_min / 60
    state = jobs["state"].to_numpy()
    given = _Provenance.of(scenario, drivers)
    return Trace(
        variant=variant,
        scenario=scenario,
        frame=whole,
        jobs=jobs,
        job_runs={result.name: result.run for result in results},
        setpoints={result.name: result.setpoints for result in results},
        schedule=schedule,
        accounts={
            "jobs_kwh": float(jobs["energy_kwh"].sum()),
            "unallocated_kwh": unallocated,
            "meter_kwh": float(whole["it_kw"].sum() * step_h),
        },
        counts={
            "unmet_cooling_kwh": float(whole["unmet_cooling_kw"].sum() * step_h),
            "unmet_cooling_steps": int((whole["unmet_cooling_kw"] > 1e-9).sum()),
            "generator_kwh": float(whole["generator_kw"].sum() * step_h),
            "unserved_kwh": float(whole["unserved_kw"].sum() * step_h),
            "dark_gpu_h": dark_gpu_h,
            "restarts_above_limit": hot_restarts,
            "inlet_above_limit_steps": above,
            "inlet_above_class_steps": beyond,
            "battery_clipped_steps": sum(result.clipped_steps for result in results),
            "store_cut_steps": sum(result.store_cut_steps for result in results),
            **{name: sum(r.law_steps[name] for r in results) for name in results[0].law_steps},
            "jobs_refused": int((state == "refused").sum()),
            "jobs_waiting_at_end": int((state == "waiting").sum()),
            "jobs_running_at_end": int((state == "running").sum()),
            "planned_starts_missed": missed,
            "pv_curtailed_kwh": float(whole["pv_curtailed_kw"].sum() * step_h),
        },
        incidents=pd.concat(spells, ignore_index=True),
        balance_residual=balance_residual(whole),
        labels=given.labels,
        synthetic=given.synthetic,
        notes=given.notes,
    )


def _dark_gpu_h(frame: pd.DataFrame) -> float:
    """GPUs of running jobs that had no power, summed over the steps."""
    drawn = frame[["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw"]].sum(axis=1)
    dark = frame["unserved_kw"] / (drawn + frame["unserved_kw"])
    return float((dark * frame["gpus_busy"]).sum())


@dataclass(frozen=True, slots=True)
class _Provenance:
    """What the inputs are."""

    labels: dict[str, str]
    notes: tuple[str, ...]
    synthetic: tuple[str, ...]

    @classmethod
    def of(cls, scenario: Scenario, drivers: Drivers) -> "_Provenance":
        labels = {"jobs": drivers.job_label}
        notes, synthetic = list(drivers.notes), ["jobs"] if drivers.synthetic_jobs else []
        for name in scenario.sites:
            of_site = drivers.sites[name]
            prefix = f"{name}: " if len(scenario.sites) > 1 else ""
            labels |= {f"{prefix}{key}": text for key, text in of_site.labels.items()}
            notes += [f"{prefix}{note}" for note in of_site.notes]
            synthetic += [f"{prefix}{item}" for item in of_site.synthetic]
        return cls(labels, tuple(notes), tuple(synthetic))


def _frame(scenario: Scenario, drivers: Drivers, result: SiteResult) -> pd.DataFrame:
    run, steps = result.run, len(result.run.queued)
    columns = result.columns | {
        "gpus_busy": run.gpus.sum(axis=0),
        "gpus_allocatable": np.full(steps, scenario.sites[result.name].site.gpu_count, np.int64),
        "queue_jobs": run.queued,
        "site": np.full(steps, result.name, object),
    }
    return pd.DataFrame(columns, index=drivers.sites[result.name].frame.index)[list(FRAME_COLUMNS)]


def _jobs(
    scenario: Scenario, drivers: Drivers, result: SiteResult, frame: pd.DataFrame, moved_s: Array
) -> pd.DataFrame:
    jobs, run, site = result.jobs, result.run, scenario.sites[result.name].site
    length = float(scenario.horizon(result.name).length_s)
    expected = run.start_s + np.minimum(jobs.run_s, jobs.limit_s)
    end = np.where(np.isfinite(run.end_s), run.end_s, np.maximum(expected, length))
    started = np.isfinite(run.start_s)
    state = np.where(jobs.limit_s < jobs.run_s, "killed", jobs.end_state).astype(object)
    state[started & ~np.isfinite(run.end_s)] = "running"
    state[~started] = "waiting"
    state[run.refused] = "refused"
    wait = np.where(started, run.start_s, length) - jobs.submit_s - moved_s
    job_kw = jobs.added_kw.copy()
    for pool in site.pools:
        mine = jobs.pool == pool.name
        job_kw[mine] += jobs.gpu_count[mine] * (idle_kw(pool) / pool.gpu_count)
    shares = accounting.per_job(
        frame,
        result.run.reference_kw.sum(axis=0),
        run.start_s,
        np.minimum(end, length),
        job_kw,
        scenario.horizon(result.name).step_s,
        drivers.sites[result.name].water_cny_per_m3,
    )
    late = np.where(started, end > jobs.deadline_s + LATE_S, jobs.deadline_s < length)
    return pd.DataFrame(
        {
            "job_id": jobs.job_id,
            "user": jobs.user,
            "vc": jobs.vc,
            "class": jobs.job_class,
            "site": jobs.site,
            "pool": jobs.pool,
            "gpu_count": jobs.gpu_count,
            "submit_s": jobs.submit_s,
            "start_s": run.start_s,
            "end_s": end,
            "state": state,
            "wait_s": np.maximum(wait, 0.0),
            "deferred_s": moved_s,
            "late": late & ~run.refused,
            "warm": jobs.warm,
            **shares,
        }
    )


def _unallocated_kwh(scenario: Scenario, result: SiteResult, frame: pd.DataFrame) -> float:
    """Energy of boards that nobody held."""
    pools = scenario.sites[result.name].site.pools
    per_gpu = np.array([idle_kw(pool) / pool.gpu_count for pool in pools])
    return accounting.unallocated_kwh(
        frame,
        result.run.reference_kw.sum(axis=0),
        result.run.idle_kw - result.run.gpus * per_gpu[:, None],
        scenario.step_min / 60,
    )
