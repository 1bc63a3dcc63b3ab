"""Philly: the native ``cluster_job_log``, and a table converted from it.

References:
    [1] Jeon et al., "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training
        Workloads", USENIX ATC 2019; data and schema: github.com/msr-fiddle/philly-traces.
"""

import json
import re
from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from aidc.workload.traces.rows import NEVER_STARTED, STILL_RUNNING, UNNAMED, Jobs
from aidc.workload.traces.source import Row, Source

COLUMNS: Final = ("timestamp", "duration", "num_gpus", "gpu_time", "cluster")
END_STATES: Final = {"Pass": "completed", "Killed": "cancelled", "Failed": "failed"}
NO_TIMES: Final = "an attempt has no start or no end"
_TWIN: Final = "jobs repeat another row of the table word for word; each has an id of its own"
_RETRIED: Final = "jobs ran in several attempts, replayed as one run as long as all of them"
_RESIZED: Final = (
    "jobs changed their number of GPUs between attempts; they take the most of them for a run "
    "that keeps their GPU time"
)
_BETWEEN: Final = re.compile(r"[\s,]*")
_ROUNDING_GPU_S: Final = 1.0


def read_philly(source: Source, jobs: Jobs, zone: ZoneInfo) -> None:
    """Adds the jobs of a converted table; ids are ``philly-`` and the line.

    The table has no ids, users or end states: rows that are alike are jobs of their own, and
    every job counts as completed.
    """
    rows_alike: set[tuple[str, ...]] = set()
    for row in source.csv_rows(COLUMNS):
        gpus = row.whole("num_gpus", "GPUs")
        run_s = row.number("duration", "a run time in seconds")
        gpu_s = row.number("gpu_time", "a GPU time in GPU-seconds")
        submit_s = row.local_time("timestamp", zone)
        if row.sound and abs(gpus * run_s - gpu_s) > _ROUNDING_GPU_S:
            row.fault("gpu_time", f"{gpu_s:g} is not num_gpus x duration, {gpus * run_s:g}")
        kept = jobs.add(
            row,
            f"philly-{row.line:06d}",
            user=UNNAMED,
            vc=row["cluster"],
            gpus=gpus,
            submit_s=submit_s,
            run_s=run_s,
            end_state="completed",
        )
        if kept:
            words = tuple(row[name] for name in COLUMNS)
            jobs.seen[_TWIN] += words in rows_alike
            rows_alike.add(words)
    jobs.assumed.append("the table has no end states: every job counts as completed")


class _Place(BaseModel):
    gpus: list[str]


class _Attempt(BaseModel):
    start_time: str | None
    end_time: str | None
    detail: list[_Place]


class _Job(BaseModel):
    """A record of the log; other keys are not looked at."""

    status: str
    vc: str
    jobid: str
    user: str
    submitted_time: str | None
    attempts: list[_Attempt]


def read_philly_json(source: Source, jobs: Jobs, zone: ZoneInfo) -> None:
    """Adds the jobs of a native log; the status of a job is that of its last attempt.

    A job is one run as long as all its attempts: what an attempt lost, the next did again, and
    that took the GPUs too. The pauses between attempts are left to the simulation's own queue.
    """
    for line, record in _records(source):
        source.rows_read += 1
        row = Row(source, line, {})
        try:
            job = _Job.model_validate(record)
        except ValidationError as error:
            for problem in error.errors():
                row.fault(".".join(map(str, problem["loc"])), problem["msg"])
            continue
        row.cells = _cells(job)
        job_id, end_state = row.identity("jobid"), row.one_of("status", END_STATES)
        submit_s = row.local_time("submitted_time", zone)
        if not job.attempts:
            jobs.skip(row, NEVER_STARTED)
        elif not row.given(f"attempts.{len(job.attempts) - 1}.end_time"):
            jobs.skip(row, STILL_RUNNING)
        elif not all(row.given(key) for key in row.cells):
            jobs.skip(row, NO_TIMES)
        else:
            gpus = [sum(len(place.gpus) for place in attempt.detail) for attempt in job.attempts]
            runs_s = [_run_s(row, index, zone) for index in range(len(job.attempts))]
            gpu_s = sum(g * s for g, s in zip(gpus, runs_s, strict=True))
            kept = jobs.add(
                row,
                job_id,
                user=job.user,
                vc=job.vc,
                gpus=max(gpus),
                submit_s=submit_s,
                run_s=gpu_s / max(*gpus, 1),
                end_state=end_state,
            )
            jobs.seen[_RETRIED] += kept and len(gpus) > 1
            jobs.seen[_RESIZED] += kept and len(set(gpus)) > 1


def _cells(job: _Job) -> dict[str, str]:
    """Id, status and times of a job as text, under the names that faults are told by."""
    cells = {"jobid": job.jobid, "status": job.status, "submitted_time": job.submitted_time or ""}
    for index, attempt in enumerate(job.attempts):
        cells[f"attempts.{index}.start_time"] = attempt.start_time or ""
        cells[f"attempts.{index}.end_time"] = attempt.end_time or ""
    return cells


def _run_s(row: Row, index: int, zone: ZoneInfo) -> float:
    """Run time of an attempt [s]."""
    start, end = f"attempts.{index}.start_time", f"attempts.{index}.end_time"
    start_s = row.local_time(start, zone)
    end_s = row.local_time(end, zone, not_before=start_s)
    if end_s < start_s:
        row.fault(end, f"{row[end]} is before the start, {row[start]}")
    return end_s - start_s


def _records(source: Source) -> Iterator[tuple[int, object]]:
    """Line and value of each element of the list that the file is."""
    text = "".join(source.lines())
    if not (opening := re.match(r"\s*\[", text)):
        raise source.unreadable("it is not a JSON list of jobs")
    decoder, at, line, counted = json.JSONDecoder(), opening.end(), 1, 0
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        line, counted = line + text.count("\n", counted, at), at
        if text.startswith("]", at):
            return
        try:
            record, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            Row(source, error.lineno, {}).fault("", f"{error.msg}; the rest is not read")
            return
        yield line, record
