"""Acme: ``trace_seren.csv`` and ``trace_kalos.csv``.

References:
    [1] Hu et al., "Characterization of Large Language Model Development in the Datacenter",
        NSDI 2024; data and column definitions: github.com/InternLM/AcmeTrace.
"""

from typing import Final

from aidc.workload.traces.helios import END_STATES, TIMEOUT
from aidc.workload.traces.rows import NEVER_STARTED, STILL_RUNNING, Jobs
from aidc.workload.traces.source import Row, Source

COLUMNS: Final = (
    "job_id", "user", "gpu_num", "type", "state", "submit_time", "start_time", "end_time",
    "duration",
)  # fmt: skip
_OTHER_DURATION: Final = (
    "jobs have a duration other than end - start (that of Kalos counts the queue); "
    "end - start is replayed"
)
_ROUNDING_S: Final = 1.0  # of two stamps in whole seconds


def read_acme(source: Source, jobs: Jobs) -> None:
    """Adds the jobs of an Acme trace; the run is ``end_time - start_time``.

    ``duration`` is documented as that difference, but in the published Kalos rows it counts the
    queue too, so it is only compared. The trace has no virtual clusters: ``vc`` holds its
    workload type.
    """
    for row in source.csv_rows(COLUMNS):
        job_id, submit_s = row.identity("job_id"), row.instant("submit_time")
        gpus, end_state = row.whole("gpu_num", "GPUs"), row.one_of("state", END_STATES)
        if not row.given("start_time"):
            jobs.skip(row, NEVER_STARTED)
            continue
        if not row.given("end_time"):
            jobs.skip(row, STILL_RUNNING)
            continue
        run_s = _run_s(row)
        kept = jobs.add(
            row,
            job_id,
            user=row["user"],
            vc=row["type"],
            gpus=gpus,
            submit_s=submit_s,
            run_s=run_s,
            end_state=end_state,
        )
        jobs.timeouts += kept and row["state"] == TIMEOUT
        if kept and abs(float(row["duration"]) - run_s) > _ROUNDING_S:
            jobs.seen[_OTHER_DURATION] += 1
    jobs.assumed.append("the trace names no virtual cluster: its workload types stand for them")


def _run_s(row: Row) -> float:
    """Run time from both stamps [s]."""
    row.number("duration", "a run time in seconds")
    start_s, end_s = row.instant("start_time"), row.instant("end_time")
    if end_s < start_s:
        row.fault("end_time", f"{row['end_time']} is before start_time, {row['start_time']}")
    return end_s - start_s
