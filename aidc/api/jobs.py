"""From a scenario's workload to its job table, on the boards that its sites have."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np

from aidc.catalog import row
from aidc.data_file import data_path
from aidc.horizon import Horizon
from aidc.job import JobTable, concatenate, no_failures
from aidc.scenario import Scenario
from aidc.site import Site
from aidc.units import H_PER_DAY, S_PER_H
from aidc.workload_inputs import (
    GeneratedWorkload,
    LongRun,
    MixedWorkload,
    ServiceWorkload,
    TraceWorkload,
)

RUN_USER: Final = "named-runs"

Notes = tuple[str, ...]


def job_inputs(scenario: Scenario, *, id_prefix: str) -> tuple[JobTable, str, Notes]:
    """The job table with run times, power and slack, its label, and what a reader must know of it.

    Args:
        scenario: whose jobs.
        id_prefix: before the id of every generated job.

    Raises:
        InputError: a file that cannot be read, or jobs that the scenario's boards cannot run.
    """
    from aidc.workload.boards import Conditions, on_boards
    from aidc.workload.flexibility import deferrable_classes, with_slack
    from aidc.workload.inference import SERVING_USER, never_waiting
    from aidc.workload.interruptions import FaultRules

    work, sites = scenario.workload, tuple(choice.site for choice in scenario.sites.values())
    horizon = scenario.horizon(next(iter(scenario.sites)))
    jobs, label, notes = _bare(scenario, horizon, sites, id_prefix)
    serves = np.zeros(len(jobs), np.bool_)
    if isinstance(work, ServiceWorkload | MixedWorkload):
        serves = np.asarray(jobs.user == SERVING_USER)
    given = Conditions(
        bound=work.class_power,
        reference_gpu=work.reference_gpu,
        faults=row("fault_rules", FaultRules, work.faults),
        seed=scenario.seed,
    )
    jobs = on_boards(jobs, sites, given, serves)
    flexible = scenario.flexibility
    jobs = with_slack(jobs, flexible.deferrable_frac, flexible.slack_h, deferrable_classes())
    if serves.any():
        jobs = never_waiting(jobs)
    if work.runs:
        named = _named_runs(scenario, sites)
        named = on_boards(named, sites, given, np.zeros(len(named), np.bool_))
        whole = concatenate([jobs, named])
        jobs = whole.take(np.lexsort((whole.job_id.astype(str), ~whole.warm, whole.submit_s)))
        label += "; " + ", ".join(
            f"{run.name}: {run.gpu_count} GPUs for {run.work_h:g} h" for run in work.runs
        )
    return jobs, label, (*notes, *_told(scenario, jobs))


def _bare(
    scenario: Scenario, horizon: Horizon, sites: tuple[Site, ...], id_prefix: str
) -> tuple[JobTable, str, Notes]:
    """Jobs with the run times of their reference board."""
    from aidc.workload.generator import generate
    from aidc.workload.inference import generate_service, load_service
    from aidc.workload.mix import generate_mix, load_mix
    from aidc.workload.profile import load_profile

    work = scenario.workload
    if isinstance(work, TraceWorkload):
        return _recorded(scenario, work, horizon, sites)
    if isinstance(work, GeneratedWorkload):
        jobs = generate(
            load_profile(work.profile), work.jobs_per_day, horizon, sites, scenario.seed,
            ramp=work.ramp, warm_start=work.warm_start, id_prefix=id_prefix, accepts=work.accepts,
        )  # fmt: skip
        label = f"generated, profile {work.profile}, {work.jobs_per_day:g} jobs a day (synthetic)"
    elif isinstance(work, ServiceWorkload):
        jobs = generate_service(
            load_service(work.service), work.requests_per_day, horizon, sites,
            ramp=work.ramp, warm_start=work.warm_start, id_prefix=id_prefix, accepts=work.accepts,
        )  # fmt: skip
        label = (
            f"generated, service {work.service}, {work.requests_per_day:,.0f} requests a day "
            "(synthetic)"
        )
    else:
        jobs = generate_mix(
            load_mix(work.mix), work.gpus, horizon, sites, scenario.seed,
            ramp=work.ramp, warm_start=work.warm_start, accepts=work.accepts,
        )  # fmt: skip
        label = f"generated, mix {work.mix}, {work.gpus:g} GPUs asked for (synthetic)"
    return jobs, label, ()


def _recorded(
    scenario: Scenario, work: TraceWorkload, horizon: Horizon, sites: tuple[Site, ...]
) -> tuple[JobTable, str, Notes]:
    """Jobs of a trace."""
    from aidc.workload.profile import load_profile
    from aidc.workload.traces import read_trace

    moved = timedelta(hours=work.shift_h)
    recorded = replace(horizon, start=horizon.start - moved, end=horizon.end - moved)
    jobs, read = read_trace(
        work.format,
        data_path(work.file, scenario.folder),
        recorded,
        sites,
        limit_factor=work.limit_factor,
        class_shares=load_profile(work.class_shares).class_shares,
        zone=work.zone,
        epoch=work.epoch,
        accepts=work.accepts,
    )
    notes = read.notes
    if moved:
        notes += (f"the trace's times are moved by {work.shift_h / H_PER_DAY:g} days",)
    return jobs, read.label, notes


def _named_runs(scenario: Scenario, sites: tuple[Site, ...]) -> JobTable:
    """The jobs that the scenario names, each in the largest pool that it accepts; they never wait."""
    from aidc.workload.accepts import accepted_by_class
    from aidc.workload.homes import largest_homes

    work, n = scenario.workload, len(scenario.workload.runs)
    job_class = np.array([run.job_class for run in work.runs], object)
    home = largest_homes(sites, accepted_by_class(work.accepts, job_class))
    run_s = np.array([run.work_h / _scaling_frac(run) * S_PER_H for run in work.runs])

    def text(value: str) -> np.ndarray:
        return np.full(n, value, object)

    return JobTable(
        job_id=np.array([run.name for run in work.runs], object),
        user=text(RUN_USER),
        vc=text(RUN_USER),
        job_class=job_class,
        site=home.site,
        pool=home.pool,
        gpu_count=np.array([run.gpu_count for run in work.runs], np.int64),
        submit_s=np.array([run.after_h * S_PER_H for run in work.runs]),
        run_s=run_s,
        limit_s=run_s,
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=np.zeros(n),
        end_state=text("completed"),
        warm=np.zeros(n, np.bool_),
        useful_s=run_s,
        interruptions=np.zeros(n, np.int64),
        node_fails_s=no_failures(n),
        accepted=home.accepted,
        rows_of="workload.runs",
    )


def _scaling_frac(run: LongRun) -> float:
    """Share of their speed that the boards of a named run keep; 1 where its work has it inside."""
    from aidc.workload.scaling import GangScaling, scaling_efficiency

    if run.scaling is None:
        return 1.0
    return float(scaling_efficiency(run.gpu_count, row("gang_scaling", GangScaling, run.scaling)))


def _told(scenario: Scenario, jobs: JobTable) -> Notes:
    """What boards, caps and faults do to the jobs."""
    work, notes = scenario.workload, []
    if refused := int((~jobs.accepted).sum()):
        notes.append(f"{refused} jobs are refused: no pool has boards that they accept")
    notes += [
        f"{run.name}: {run.gpu_count} GPUs keep {_scaling_frac(run):.1%} of their speed (scaling "
        f"{run.scaling}), so {run.work_h:g} h of work take {run.work_h / _scaling_frac(run):,.1f} h on "
        f"{work.reference_gpu or 'any board'}"
        for run in work.runs
        if run.scaling is not None
    ]
    notes += [
        f"boards of pool {pool.name} of {name} are capped at "
        f"{pool.power_cap_frac:.0%} of their maximum power"
        for name, choice in scenario.sites.items()
        for pool in choice.site.pools
        if pool.power_cap_frac is not None
    ]
    spent, useful = float(jobs.gpu_s.sum()), float(jobs.gpu_count @ jobs.useful_s)
    if useful < spent:
        notes.append(
            f"faults {work.faults}: {int(jobs.interruptions.sum())} interruptions are drawn; "
            f"{useful / spent:.1%} of the GPU time of all jobs is useful"
        )
        if isinstance(work, TraceWorkload):
            notes.append("the run times of a trace hold the interruptions of its own cluster too")
    return tuple(notes)
