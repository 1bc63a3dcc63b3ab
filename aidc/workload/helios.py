"""Job traces in the Helios format: ``cluster_log.csv``, whole or cut.

References:
    [1] Hu, Sun, Yan, Wen, Zhang, "Characterization and Prediction of Deep Learning Workloads in
        Large-Scale GPU Datacenters", SC 2021; data: github.com/S-Lab-System-Group/HeliosData.
"""

import csv
import gzip
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

import numpy as np

from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.site import Site
from aidc.workload.homes import classes, homes
from aidc.workload.power import with_power

ZONE: Final = ZoneInfo("Asia/Shanghai")  # the format states local wall clock
COLUMNS: Final = ("job_id", "user", "vc", "gpu_num", "state", "submit_time", "duration")
END_STATES: Final = {
    "COMPLETED": "completed",
    "CANCELLED": "cancelled",
    "CANCELED": "cancelled",
    "FAILED": "failed",
    "TIMEOUT": "failed",
    "NODE_FAIL": "failed",
}
CPU_ONLY: Final = "takes no GPU"
BEFORE: Final = "submitted before the horizon"
BEFORE_RUNNING: Final = "submitted before the horizon, its run may reach into it"
AFTER: Final = "submitted after the horizon"
LIMIT_MIN_S: Final = 1.0  # a limit of zero would kill a job of no length
FAULTS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a reader did with a file.

    Attributes:
        rows_read: rows below the header.
        rows_kept: rows that became jobs.
        skipped: rows left out, by reason; with the kept rows they add up to all rows.
        timeouts: kept jobs that were killed at their limit; their recorded run is replayed,
            although their work was longer.
        larger_than_pool: kept jobs that need more GPUs than their home pool has, to be refused.
        label: the file and what was kept of it, in words.
    """

    rows_read: int
    rows_kept: int
    skipped: Mapping[str, int]
    timeouts: int
    larger_than_pool: int
    label: str


@dataclass(slots=True)
class _Rows:
    """Columns as they are filled, row by row."""

    line_of: dict[str, int] = field(default_factory=dict)  # job id -> line, all rows
    job_id: list[str] = field(default_factory=list)
    user: list[str] = field(default_factory=list)
    vc: list[str] = field(default_factory=list)
    gpu_count: list[int] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    submit_s: list[float] = field(default_factory=list)
    run_s: list[float] = field(default_factory=list)
    rows_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


def read_helios(
    path: Path,
    horizon: Horizon,
    sites: tuple[Site, ...],
    *,
    limit_factor: float,
    class_shares: Mapping[str, float],
) -> tuple[JobTable, ReadReport]:
    """Jobs of a Helios trace that were submitted within the horizon, and what was left out.

    Submission and run time are the recorded ones; starts and queues are left to the simulation.
    The trace knows no power class: each job draws one by its id.

    Args:
        path: a ``.csv`` or ``.csv.gz`` file; ``cpu_num``, ``node_num``, ``start_time``,
            ``end_time`` and ``queue`` may be absent, and other columns are not looked at.
        horizon: which part of the trace.
        sites: where; jobs go to pools in proportion to their GPUs.
        limit_factor: limit over recorded run time, 1 or more; assumed, the trace has no limits.
        class_shares: share of jobs by power class; assumed.

    Raises:
        SeriesError: every row that cannot be read, as file and line (the first hundred); a file
            that cannot be read at all or lacks a column.
    """
    rows = _Rows()
    begin = horizon.start.astimezone(ZONE)
    try:
        with _open(path) as text:
            for line, cells in _records(path, text, rows):
                _read(path.name, line, cells, begin, horizon.length_s, rows)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise SeriesError(Fault(str(path), 0, 0, "", f"cannot be read: {error}")) from None
    if rows.faults:
        count = f"{len(rows.faults)} faults, of which the first {FAULTS_SHOWN} follow"
        head = [Fault(path.name, 0, 0, "", count)] if len(rows.faults) > FAULTS_SHOWN else []
        raise SeriesError(head + rows.faults[:FAULTS_SHOWN])
    return _table(path, rows, sites, limit_factor, class_shares)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _records(path: Path, text: TextIO, rows: _Rows) -> Iterator[tuple[int, list[str]]]:
    """Line and the cells of `COLUMNS` of each row; rows of another width are faults."""
    reader = csv.reader(text)
    header = next(reader, [])
    if absent := [name for name in COLUMNS if name not in header]:
        message = "the column is missing; a Helios log has " + ", ".join(COLUMNS)
        raise SeriesError([Fault(path.name, 1, 0, name, message) for name in absent])
    at = [header.index(name) for name in COLUMNS]
    for cells in reader:
        if not cells:
            continue
        rows.rows_read += 1
        if len(cells) != len(header):
            message = f"{len(cells)} cells where the header has {len(header)}"
            rows.faults.append(Fault(path.name, reader.line_num, 0, "", message))
            continue
        yield reader.line_num, [cells[i] for i in at]


def _read(
    file: str, line: int, cells: list[str], begin: datetime, length_s: float, rows: _Rows
) -> None:
    """Adds one row to the columns, to the skipped, or to the faults."""
    job_id, user, vc, gpu_text, state, submit_text, duration_text = cells
    problems = []
    gpu_count, run_s = _number(gpu_text), _number(duration_text)
    if not (gpu_count >= 0 and gpu_count.is_integer()):
        problems.append(("gpu_num", f"'{gpu_text}' is not a whole number of GPUs"))
    if not run_s >= 0:
        problems.append(("duration", f"'{duration_text}' is not a run time in seconds"))
    submit = _local_time(submit_text)
    if submit is None:
        message = f"'{submit_text}' is not a local time such as 2020-09-01 01:37:15"
        problems.append(("submit_time", message))
    if state not in END_STATES:
        problems.append(("state", f"'{state}' is none of " + ", ".join(END_STATES)))
    if not job_id:
        problems.append(("job_id", "the job has no id"))
    elif (first := rows.line_of.setdefault(job_id, line)) != line:
        problems.append(("job_id", f"{job_id} stands in line {first} already"))
    if problems or submit is None:
        rows.faults.extend(Fault(file, line, 0, key, message) for key, message in problems)
        return
    submit_s = (submit - begin).total_seconds()
    if reason := _left_out(gpu_count, submit_s, run_s, length_s):
        rows.skipped[reason] += 1
        return
    rows.job_id.append(job_id)
    rows.user.append(user)
    rows.vc.append(vc)
    rows.gpu_count.append(int(gpu_count))
    rows.state.append(state)
    rows.submit_s.append(submit_s)
    rows.run_s.append(run_s)


def _left_out(gpu_count: float, submit_s: float, run_s: float, length_s: float) -> str:
    """Why a sound row is no job of the horizon; empty when it is one."""
    if gpu_count == 0:
        return CPU_ONLY
    if submit_s < 0:
        return BEFORE if submit_s + run_s <= 0 else BEFORE_RUNNING
    return AFTER if submit_s >= length_s else ""


def _number(text: str) -> float:
    """A finite number, or nan."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _local_time(text: str) -> datetime | None:
    """A wall-clock time in the format's zone; none where it is not one, or has an offset."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (
        read.replace(tzinfo=ZONE) if read.tzinfo is None and len(text) > len("2020-09-01") else None
    )


def _table(
    path: Path,
    rows: _Rows,
    sites: tuple[Site, ...],
    limit_factor: float,
    class_shares: Mapping[str, float],
) -> tuple[JobTable, ReadReport]:
    n = len(rows.job_id)
    job_id, run_s = np.array(rows.job_id, object), np.array(rows.run_s, np.float64)
    home = homes(job_id, sites)
    jobs = JobTable(
        job_id=job_id,
        user=np.array(rows.user, object),
        vc=np.array(rows.vc, object),
        job_class=classes(job_id, class_shares),
        site=home.site,
        pool=home.pool,
        gpu_count=np.array(rows.gpu_count, np.int64),
        submit_s=np.array(rows.submit_s, np.float64),
        run_s=run_s,
        limit_s=np.maximum(limit_factor * run_s, LIMIT_MIN_S),
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=np.zeros(n),
        end_state=np.array([END_STATES[state] for state in rows.state], object),
        warm=np.zeros(n, np.bool_),
        rows_of=f"{path.name}, kept row",
    )
    jobs = with_power(jobs, sites, "value")
    report = ReadReport(
        rows_read=rows.rows_read,
        rows_kept=n,
        skipped=dict(sorted(rows.skipped.items())),
        timeouts=rows.state.count("TIMEOUT"),
        larger_than_pool=int((jobs.gpu_count > home.pool_gpu_count).sum()),
        label=f"Helios trace {path.name}, {n} of {rows.rows_read} rows",
    )
    return jobs.take(np.lexsort((job_id.astype(str), jobs.submit_s))), report
