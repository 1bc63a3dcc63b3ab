"""The Standard Workload Format of the Parallel Workloads Archive: read and written.

References:
    [1] Feitelson et al., "The Standard Workload Format", version 2.2,
        www.cs.huji.ac.il/labs/parallel/workload/swf.html.
"""

import math
import re
from pathlib import Path
from typing import Final

from aidc.errors import Fault, SeriesError
from aidc.job import JobTable, TextColumn
from aidc.workload.traces.rows import UNNAMED, Jobs
from aidc.workload.traces.source import Row, Source

FIELDS: Final = (
    "job", "submit", "wait", "run", "allocated", "cpu_time", "memory", "requested",
    "requested_time", "requested_memory", "status", "user", "group", "executable", "queue",
    "partition", "preceding", "think_time",
)  # fmt: skip
MISSING: Final = "-1"
PARTIAL: Final = ("2", "3", "4")  # a part of a job that has a line of its own too
STATUSES: Final = {"1": "completed", "0": "failed", "5": "cancelled", MISSING: "completed"}
STATUS_OF: Final = {"completed": "1", "failed": "0", "cancelled": "5"}
NO_RUN: Final = "has no run time"
NO_SIZE: Final = "has no number of processors"
IS_PARTIAL: Final = "is a partial execution of a job with a line of its own"
_LATE: Final = "jobs ran beyond the time they had requested; their limit is their run"
_UNKNOWN_END: Final = "jobs have no status and count as completed"
_START: Final = re.compile(r";\s*UnixStartTime:\s*(\d+)\s*$")


def read_swf(source: Source, jobs: Jobs, epoch_s: float | None) -> None:
    """Adds the jobs of a log; a processor is one GPU, and ``vc`` is the group.

    Args:
        source: the file.
        jobs: where to.
        epoch_s: Unix time of second 0; none: the header's ``UnixStartTime``.

    Raises:
        SeriesError: nobody tells when second 0 was.
    """
    for line, text in enumerate(source.lines(), 1):
        if text.startswith(";"):
            if epoch_s is None and (start := _START.match(text)):
                epoch_s = float(start[1])
        elif words := text.split():
            if epoch_s is None:
                message = "the header has no UnixStartTime: give the epoch, the time of second 0"
                raise SeriesError(Fault(source.path.name, line, 0, "epoch", message))
            source.rows_read += 1
            row = Row(source, line, dict(zip(FIELDS, words, strict=False)))
            if len(words) == len(FIELDS):
                _read(row, jobs, epoch_s)
            else:
                row.fault("", f"{len(words)} numbers where the format has {len(FIELDS)}")


def _read(row: Row, jobs: Jobs, epoch_s: float) -> None:
    for key in FIELDS:
        if key not in ("submit", "status") and row[key] != MISSING:
            row.number(key, "a number, or -1 where it is missing")
    if row["status"] in PARTIAL:
        jobs.skip(row, IS_PARTIAL)
        return
    job_id, end_state = row.identity("job"), row.one_of("status", STATUSES)
    submit_s = row.number("submit", "a time in seconds")
    size = "requested" if row["allocated"] == MISSING else "allocated"
    if row["run"] == MISSING:
        jobs.skip(row, NO_RUN)
    elif row[size] == MISSING:
        jobs.skip(row, NO_SIZE)
    elif row.sound:
        run_s, requested_s = float(row["run"]), float(row["requested_time"])
        limit_s = max(requested_s, run_s) if requested_s > 0 else math.nan
        kept = jobs.add(
            row,
            job_id,
            user=_name(row["user"]),
            vc=_name(row["group"]),
            gpus=row.whole(size, "processors"),
            submit_s=epoch_s + submit_s,
            run_s=run_s,
            end_state=end_state,
            limit_s=limit_s,
        )
        jobs.seen[_LATE] += kept and 0 < requested_s < run_s
        jobs.seen[_UNKNOWN_END] += kept and row["status"] == MISSING


def _name(word: str) -> str:
    return UNNAMED if word == MISSING else word


def write_swf(jobs: JobTable, path: Path) -> None:
    """Writes a job table for other simulators: version 2.2, one line a job, times in seconds.

    Submission, run, GPUs (as processors), limit, end state, user and virtual cluster (as group)
    are kept; power class, site, pool, slack and deadline have no place in the format. Ids and
    names that are not all whole numbers are numbered from 1, as the format has no text. Second 0
    is the start of the table's horizon, whose date the table does not know: give it as the epoch
    when the file is read again.
    """
    names = (_numbers(jobs.job_id), _numbers(jobs.user), _numbers(jobs.vc))
    lines = [
        "; Version: 2.2",
        f"; MaxJobs: {len(jobs)}",
        f"; MaxRecords: {len(jobs)}",
        "; Note: a processor is a GPU; second 0 is the start of the horizon",
    ]
    if warm := int(jobs.warm.sum()):
        lines.append(f"; Note: {warm} jobs ran already at second 0; their run is what was left")
    columns = zip(
        *names,
        jobs.submit_s.tolist(),
        jobs.run_s.tolist(),
        jobs.gpu_count.tolist(),
        jobs.limit_s.tolist(),
        jobs.end_state.tolist(),
        strict=True,
    )
    for job, user, group, submit_s, run_s, gpus, limit_s, end_state in columns:
        cells = dict.fromkeys(FIELDS, MISSING) | {
            "job": job,
            "submit": _seconds(submit_s),
            "run": _seconds(run_s),
            "allocated": str(gpus),
            "requested": str(gpus),
            "requested_time": _seconds(limit_s),
            "status": STATUS_OF[end_state],
            "user": user,
            "group": group,
        }
        lines.append(" ".join(cells.values()))
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def _seconds(value: float) -> str:
    """A whole number where it is one; the format permits decimals in times."""
    if math.isinf(value):
        return MISSING
    return str(int(value)) if value.is_integer() else repr(value)


def _numbers(column: TextColumn) -> list[str]:
    """The names themselves if they are whole numbers, else their place in order of appearance."""
    names = [name for name in dict.fromkeys(column.tolist()) if name != UNNAMED]
    if all(re.fullmatch(r"[1-9]\d*", name, re.ASCII) for name in names):
        number = {name: name for name in names}
    else:
        number = {name: str(place) for place, name in enumerate(names, 1)}
    number[UNNAMED] = MISSING
    return [number[name] for name in column]
