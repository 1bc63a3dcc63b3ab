"""Helios: ``cluster_log.csv``, whole or cut.

References:
    [1] Hu, Sun, Yan, Wen, Zhang, "Characterization and Prediction of Deep Learning Workloads in
        Large-Scale GPU Datacenters", SC 2021; data: github.com/S-Lab-System-Group/HeliosData.
"""

from typing import Final
from zoneinfo import ZoneInfo

from aidc.workload.traces.rows import Jobs
from aidc.workload.traces.source import Source

ZONE: Final = ZoneInfo("Asia/Shanghai")  # the format states local wall clock
COLUMNS: Final = ("job_id", "user", "vc", "gpu_num", "state", "submit_time", "duration")
TIMEOUT: Final = "TIMEOUT"
END_STATES: Final = {
    "COMPLETED": "completed",
    "CANCELLED": "cancelled",
    "CANCELED": "cancelled",
    "FAILED": "failed",
    TIMEOUT: "failed",
    "NODE_FAIL": "failed",
}


def read_helios(source: Source, jobs: Jobs) -> None:
    """Adds the jobs of a Helios log.

    ``cpu_num``, ``node_num``, ``start_time``, ``end_time`` and ``queue`` may be absent, and other
    columns are not looked at.
    """
    for row in source.csv_rows(COLUMNS):
        kept = jobs.add(
            row,
            row.identity("job_id"),
            user=row["user"],
            vc=row["vc"],
            gpus=row.whole("gpu_num", "GPUs"),
            submit_s=row.local_time("submit_time", ZONE),
            run_s=row.number("duration", "a run time in seconds"),
            end_state=row.one_of("state", END_STATES),
        )
        jobs.timeouts += kept and row["state"] == TIMEOUT
