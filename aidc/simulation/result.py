"""From the columns of a finished run to its trace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.forecast import Drivers
from aidc.grid_limit import import_limit_kw
from aidc.job import JobTable
from aidc.scenario import Scenario
from aidc.schedule import AS_SOON_AS_FREE, Schedule, SetPoints
from aidc.simulation import accounting
from aidc.simulation.energy import Block
from aidc.simulation.faults import INLET_K, incidents, restarts
from aidc.simulation.job_table import LATE_S, job_table
from aidc.trace import (
    ACCOUNTS,
    FRAME_COLUMNS,
    SHARES,
    JobRun,
    Trace,
    balance_residual,
    chiller_starts,
)
from aidc.units import S_PER_H
from aidc.workload.power import idle_kw

Array = NDArray[np.float64]
OVER_KW = 1e-6  # less than this is rounding


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

    @classmethod
    def of_blocks(
        cls,
        name: str,
        jobs: JobTable,
        run: JobRun,
        setpoints: SetPoints,
        blocks: Sequence[Block],
    ) -> "SiteResult":
        """Blocks of steps that follow one another, at least one, put together."""
        return cls(
            name,
            jobs,
            run,
            setpoints,
            {
                item: np.concatenate([one.columns[item] for one in blocks])
                for item in blocks[0].columns
            },
            np.concatenate([one.limit_s for one in blocks]),
            sum(one.clipped_steps for one in blocks),
            sum(one.store_cut_steps for one in blocks),
            {law: sum(one.law_steps[law] for one in blocks) for law in blocks[0].law_steps},
        )


def trace_of(
    scenario: Scenario,
    drivers: Drivers,
    variant: str,
    results: list[SiteResult],
    schedule: Schedule | None,
    caps_from: Schedule | None = None,
) -> Trace:
    """Puts the sites together, shares the energy out to jobs and closes the balance.

    Args:
        scenario: what was run.
        drivers: with the jobs where and as they ran.
        variant: name of the run.
        results: of the sites.
        schedule: what was followed.
        caps_from: the schedule whose power caps the jobs ran under, where none is followed.
    """
    capping = schedule or caps_from
    frames, tables, spells, missed, above, beyond, hot_restarts, dark_gpu_h = (
        [], [], [], 0, 0, 0, 0, 0.0,
    )  # fmt: skip
    accounts = dict.fromkeys(
        (f"{who}_{what}" for what in ACCOUNTS for who in ("jobs", "unallocated", "meter")), 0.0
    )
    unstopped = 0
    for result in results:
        frame, site = _frame(scenario, drivers, result), scenario.sites[result.name].site
        mine = np.flatnonzero(drivers.jobs.site == result.name)
        moved, capped = np.zeros(len(mine)), np.ones(len(mine))
        if schedule is not None:
            moved = schedule.decisions["moved_s"].to_numpy(np.float64)[mine]
            planned = schedule.decisions["start_s"].to_numpy(np.float64)[mine]
            meant = schedule.decisions["reason"].to_numpy()[mine] != AS_SOON_AS_FREE
            unstopped += _stops_missed(schedule, result, mine)
            missed += int((meant & (np.nan_to_num(result.run.start_s - planned) > LATE_S)).sum())
        if capping is not None:
            capped = capping.decisions["power_cap_frac"].to_numpy(np.float64)[mine]
        frames.append(frame)
        spells.append(incidents(scenario, result.name, frame, result.limit_s))
        spells.append(restarts(scenario, result.name, frame))
        hot_restarts += int(spells[-1]["limit_after_s"].notna().sum())
        dark_gpu_h += _dark_gpu_h(frame) * scenario.step_min / 60
        allowed_degc = min(pool.server.ashrae_class.allowable_max_degc for pool in site.pools)
        beyond += int((frame["inlet_degc"] > allowed_degc + INLET_K).sum())
        above += int((frame["inlet_degc"] > site.hall.inlet_max_degc + INLET_K).sum())
        shares, told = _accounts(scenario, drivers, result, frame)
        accounts = {name: total + told[name] for name, total in accounts.items()}
        length_s = float(scenario.horizon(result.name).length_s)
        tables.append(
            job_table(
                result.jobs,
                site.pools,
                result.run,
                length_s,
                moved,
                capped,
                shares,
                scenario.baseline.queue.vc_quota,
            )
        )
    whole, jobs = pd.concat(frames), pd.concat(tables, ignore_index=True)
    step_h = scenario.step_min / 60
    limit_kw = np.concatenate(
        [import_limit_kw(scenario, r.name, f.index) for r, f in zip(results, frames, strict=True)]
    )
    over_kw = np.maximum(whole["grid_import_kw"].to_numpy(np.float64) - limit_kw, 0.0)
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
        accounts=accounts,
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
            "chiller_starts": chiller_starts(whole),
            "chiller_count_not_held_steps": sum(_counts_not_held(result) for result in results),
            **{name: sum(r.law_steps[name] for r in results) for name in results[0].law_steps},
            "jobs_refused": int((state == "refused").sum()),
            "jobs_waiting_at_end": int((state == "waiting").sum()),
            "jobs_running_at_end": int((state == "running").sum()),
            "planned_starts_missed": missed,
            "planned_stops_missed": unstopped,
            **_repairs(results, step_h),
            "pv_curtailed_kwh": float(whole["pv_curtailed_kw"].sum() * step_h),
            "import_above_limit_kwh": float(over_kw.sum() * step_h),
            "import_above_limit_steps": int((over_kw > OVER_KW).sum()),
        },
        incidents=pd.concat(spells, ignore_index=True),
        balance_residual=balance_residual(whole),
        labels=given.labels,
        synthetic=given.synthetic,
        notes=given.notes,
    )


def _repairs(results: list[SiteResult], step_h: float) -> dict[str, float]:
    """Counts of nodes under repair; nothing where no node ever was."""
    runs = [result.run for result in results]
    if not any(run.repaired or run.out.any() for run in runs):
        return {}
    return {
        "nodes_repaired": sum(run.repaired for run in runs),
        "gpu_h_out_of_service": sum(float(run.out.sum()) for run in runs) * step_h,
        "gpu_h_without_spare": sum(run.without_spare_gpu_s for run in runs) / S_PER_H,
    }


def _counts_not_held(result: SiteResult) -> int:
    """Steps in which the plant ran another number of chillers than it was asked for."""
    asked, running = result.setpoints.chillers_on, result.columns["chillers_on"]
    return int(((asked >= 0) & (asked != running)).sum())


def _stops_missed(schedule: Schedule, result: SiteResult, rows: NDArray[np.int64]) -> int:
    """Planned stops that did not find their job running.

    Args:
        schedule: with the stops.
        result: of a site.
        rows: of its jobs in the schedule.
    """
    stops = schedule.decisions["stopped_s"].map(len).to_numpy(np.int64)[rows]
    runs = np.bincount(result.run.runs.job, minlength=len(rows))
    return int(np.maximum(stops - np.maximum(runs - 1, 0), 0).sum())


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
    gpus = np.full(steps, scenario.sites[result.name].site.gpu_count, np.int64)
    columns = result.columns | {
        "gpus_busy": run.gpus.sum(axis=0),
        "gpus_allocatable": gpus - run.out.sum(axis=0) if run.out.any() else gpus,
        "queue_jobs": run.queued,
        "site": np.full(steps, result.name, object),
    }
    return pd.DataFrame(columns, index=drivers.sites[result.name].frame.index)[list(FRAME_COLUMNS)]


def _accounts(
    scenario: Scenario, drivers: Drivers, result: SiteResult, frame: pd.DataFrame
) -> tuple[dict[str, Array], dict[str, float]]:
    """Shares of the jobs of a site, and its accounts, which add up to its meter."""
    jobs, run, step_h = result.jobs, result.run, scenario.step_min / 60
    pools = scenario.sites[result.name].site.pools
    per_gpu = np.array([idle_kw(pool) / pool.gpu_count for pool in pools])
    job_kw = jobs.added_kw.copy()
    for pool, kw in zip(pools, per_gpu, strict=True):
        mine = jobs.pool == pool.name
        job_kw[mine] += jobs.gpu_count[mine] * kw
    flows = accounting.flows_of(frame, drivers.sites[result.name].water_cny_per_m3)
    reference_kw = run.reference_kw.sum(axis=0)
    step_s = scenario.horizon(result.name).step_s
    shares = accounting.per_job(flows, reference_kw, run.runs, job_kw, step_s)
    unheld_kw = run.idle_kw - run.gpus * per_gpu[:, None]
    nobodys = accounting.unallocated(flows, reference_kw, unheld_kw, step_h)
    told = {}
    for share, account in zip(SHARES, ACCOUNTS, strict=True):
        told[f"jobs_{account}"] = float(shares[share].sum())
        told[f"unallocated_{account}"] = nobodys[share]
        told[f"meter_{account}"] = float(flows[share].sum() * step_h)
    return shares, told
