"""Alibaba: the PAI tables of 2020 and the pod list of 2023.

References:
    [1] Weng et al., "MLaaS in the Wild: Workload Analysis and Scheduling in Large-Scale
        Heterogeneous GPU Clusters", NSDI 2022.
    [2] Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation
        Gradient Descent", USENIX ATC 2023.
    Data and column definitions: github.com/alibaba/clusterdata, ``cluster-trace-gpu-v2020`` and
    ``cluster-trace-gpu-v2023``.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aidc import equipment
from aidc.catalog import table
from aidc.errors import Fault, SeriesError
from aidc.units import S_PER_DAY
from aidc.workload.traces.rows import CPU_ONLY, NEVER_STARTED, STILL_RUNNING, UNNAMED, Jobs
from aidc.workload.traces.source import Row, Source

JOB_COLUMNS: Final = ("job_name", "inst_id", "user", "status", "start_time", "end_time")
TASK_COLUMNS: Final = (
    "job_name", "task_name", "inst_num", "status", "start_time", "end_time", "plan_cpu",
    "plan_mem", "plan_gpu", "gpu_type",
)  # fmt: skip
POD_COLUMNS: Final = (
    "name", "num_gpu", "gpu_milli", "gpu_spec", "qos", "pod_phase", "creation_time",
    "deletion_time", "scheduled_time",
)  # fmt: skip
_WAITING, _RUNNING = "waiting", "running"
STATUSES: Final = {
    "Terminated": "completed",
    "Failed": "failed",
    "Running": _RUNNING,
    "Waiting": _WAITING,
}
PHASES: Final = {
    "Succeeded": "completed",
    "Failed": "failed",
    "Running": "cancelled",  # deleted while it ran
    "Pending": _WAITING,
}
PERCENT: Final = 100.0
MILLI: Final = 1_000.0
NO_SUBMISSION: Final = "has no time of submission"
NO_TASK: Final = "has no task in the task table"
_MOVED: Final = (
    "hours and weekdays are not those of the record: its second 0 was a Thursday, 08:00 in "
    "Asia/Shanghai"
)
_SPEC: Final = "jobs accept only some types of board (gpu_spec)"
_SPEC_UNKNOWN: Final = "jobs accept only types of board that models/gpus.csv does not have"


class TraceBoard(equipment.Row):
    """What a trace calls a board: ``models/trace_boards.csv``."""

    gpu: str | None = None  # in models/gpus.csv; none: not there, or undisclosed


@dataclass(slots=True)
class _Tasks:
    """The tasks of one job that take GPUs: boards in all, first start and last end [s]."""

    gpus: float = 0.0
    start_s: float = math.inf
    end_s: float = -math.inf


def read_alibaba_2020(source: Source, jobs: Jobs, epoch_s: float) -> None:
    """Adds the jobs of ``pai_job_table.csv``, sized by ``pai_task_table.csv`` beside it.

    A job takes the GPUs of all its tasks' instances (``inst_num`` times ``plan_gpu`` percent) as
    one gang, from the first start of a task to the last end. Tasks without GPUs are left aside.
    Both tables are published without a header; one that is there is read.

    Raises:
        SeriesError: the task table's faults; a job table of another name.
    """
    tasks = _tasks(source)
    for row in source.csv_rows(JOB_COLUMNS, headless=JOB_COLUMNS):
        name, state = row.identity("job_name"), row.one_of("status", STATUSES)
        if not _stamped(row, "start_time"):
            jobs.skip(row, NO_SUBMISSION)
            continue
        submit_s = row.number("start_time", "a time in seconds")
        task = tasks.get(name)
        if task is None:
            jobs.skip(row, NO_TASK)
        elif task.gpus == 0:
            jobs.skip(row, CPU_ONLY)
        elif state == _WAITING or task.start_s == math.inf:
            jobs.skip(row, NEVER_STARTED)
        elif state == _RUNNING or task.end_s == -math.inf:
            jobs.skip(row, STILL_RUNNING)
        else:
            jobs.add(
                row,
                name,
                user=row["user"],
                vc=UNNAMED,
                gpus=task.gpus,
                submit_s=epoch_s + submit_s,
                run_s=task.end_s - task.start_s,
                end_state=state,
            )
    if epoch_s % (7 * S_PER_DAY):
        jobs.assumed.append(_MOVED)


def task_table(job_table: Path) -> Path:
    """The task table beside a job table.

    Raises:
        SeriesError: a job table of another name.
    """
    part = "job_table"
    if part not in job_table.name:
        message = f"name the job table, pai_{part}.csv; the task table is looked for beside it"
        raise SeriesError(Fault(str(job_table), 0, 0, "", message))
    return job_table.with_name(job_table.name.replace(part, "task_table"))


def _tasks(job_source: Source) -> dict[str, _Tasks]:
    """What the tasks of each job take together."""
    source = Source(task_table(job_source.path), "PAI task table")
    found: dict[str, _Tasks] = {}
    for row in source.csv_rows(TASK_COLUMNS, headless=TASK_COLUMNS):
        job = found.setdefault(row["job_name"], _Tasks())
        share = row.number("plan_gpu", "percent of a GPU") if row.given("plan_gpu") else 0.0
        if share == 0:
            continue
        job.gpus += share / PERCENT * row.whole("inst_num", "instances")
        start_s, end_s = (
            row.number(key, "a time in seconds") if _stamped(row, key) else math.nan
            for key in ("start_time", "end_time")
        )
        if end_s < start_s:
            row.fault("end_time", f"{end_s:g} is before start_time, {start_s:g}")
        if not math.isnan(start_s):
            job.start_s = min(job.start_s, start_s)
            job.end_s = job.end_s if math.isnan(end_s) else max(job.end_s, end_s)
    source.check()
    return found


def _stamped(row: Row, key: str) -> bool:
    """Whether a time is given; the tables write a missing one as nothing or as zero."""
    return row.given(key) and row[key] not in ("0", "0.0")


def read_alibaba_2023(source: Source, jobs: Jobs, epoch_s: float) -> None:
    """Adds the pods of an ``openb_pod_list``; the run is ``deletion_time - scheduled_time``.

    A pod with ``gpu_milli`` below 1,000 shares its board. The list has no users or virtual
    clusters: ``vc`` holds the quality of service (LS, BE, Burstable, Guaranteed). A pod that was
    deleted while it ran counts as cancelled. A pod with a ``gpu_spec`` accepts the boards that it
    names, as far as ``models/trace_boards.csv`` knows them here.
    """
    for row in source.csv_rows(POD_COLUMNS):
        name, state = row.identity("name"), row.one_of("pod_phase", PHASES)
        gpus = row.whole("num_gpu", "GPUs")
        milli = row.number("gpu_milli", "thousandths of a GPU")
        submit_s = row.number("creation_time", "a time in seconds")
        if gpus > 0 and not 0 < milli <= MILLI:
            row.fault("gpu_milli", f"{milli:g} is not 1 to 1000 thousandths of a GPU")
        if gpus == 0:
            jobs.skip(row, CPU_ONLY)
        elif state == _WAITING or not row.given("scheduled_time"):
            jobs.skip(row, NEVER_STARTED)
        elif not row.given("deletion_time"):
            jobs.skip(row, STILL_RUNNING)
        else:
            kept = jobs.add(
                row,
                name,
                user=UNNAMED,
                vc=row["qos"],
                gpus=gpus * milli / MILLI,
                submit_s=epoch_s + submit_s,
                run_s=_pod_run_s(row),
                end_state=state,
                accepts=(boards := _boards(row["gpu_spec"]) if row.given("gpu_spec") else None),
            )
            jobs.seen[_SPEC] += kept and boards is not None
            jobs.seen[_SPEC_UNKNOWN] += kept and boards is not None and not boards
    jobs.assumed.append("a pod that was deleted while it ran counts as cancelled")
    jobs.assumed.append("the list names no virtual cluster: its quality of service stands for one")


@functools.cache
def _boards(spec: str) -> frozenset[str]:
    """Boards of the catalog among those that a pod names, ``A|B``."""
    known = table("trace_boards", TraceBoard)
    ours = (known[name].gpu for name in spec.split("|") if name in known)
    return frozenset(gpu for gpu in ours if gpu is not None)


def _pod_run_s(row: Row) -> float:
    """From scheduling to deletion [s]."""
    start_s = row.number("scheduled_time", "a time in seconds")
    end_s = row.number("deletion_time", "a time in seconds")
    if end_s < start_s:
        row.fault("deletion_time", f"{end_s:g} is before scheduled_time, {start_s:g}")
    return end_s - start_s
