"""Small job tables for tests."""

from collections.abc import Sequence

import numpy as np

from aidc.job import JobTable, no_failures


def jobs(
    submit_s: Sequence[float],
    gpu_count: Sequence[int],
    run_s: Sequence[float],
    *,
    limit_s: Sequence[float] | None = None,
    slack_s: Sequence[float] | None = None,
    added_kw: Sequence[float] | None = None,
    site: str = "hall",
    pool: str = "pool",
) -> JobTable:
    """A table of jobs named j0, j1, ... with a limit of twice the run time unless given."""
    count = len(submit_s)
    submit, run = np.array(submit_s, float), np.array(run_s, float)
    slack = np.zeros(count) if slack_s is None else np.array(slack_s, float)

    def text(value: str) -> np.ndarray:
        return np.full(count, value, object)

    return JobTable(
        job_id=np.array([f"j{index}" for index in range(count)], object),
        user=text("user"),
        vc=text("vc"),
        job_class=text("training"),
        site=text(site),
        pool=text(pool),
        gpu_count=np.array(gpu_count, np.int64),
        submit_s=submit,
        run_s=run,
        limit_s=2.0 * run + 1.0 if limit_s is None else np.array(limit_s, float),
        slack_s=slack,
        deadline_s=np.where(slack > 0, submit + slack + run, np.inf),
        added_kw=np.array(gpu_count, float) if added_kw is None else np.array(added_kw, float),
        end_state=text("completed"),
        warm=np.zeros(count, bool),
        useful_s=run,
        interruptions=np.zeros(count, np.int64),
        node_fails_s=no_failures(count),
        accepted=np.ones(count, bool),
        rows_of="test",
    )
