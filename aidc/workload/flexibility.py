"""Which jobs may wait, and how long: an assumption laid on any job table, real or generated."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from aidc.catalog import table
from aidc.errors import SeriesError
from aidc.job import JobTable
from aidc.units import S_PER_H
from aidc.workload.lots import lots
from aidc.workload.power import JobClass


def deferrable_classes() -> tuple[str, ...]:
    """Classes whose jobs an operator may put off."""
    return tuple(name for name, row in table("job_classes", JobClass).items() if row.deferrable)


def with_slack(
    jobs: JobTable, deferrable_frac: float, slack_h: tuple[float, ...], classes: Collection[str]
) -> JobTable:
    """The jobs with slack and deadline for those that may wait.

    The lot of a job's id decides, so every variant and every trace is treated alike, and a
    greater share only adds jobs to those that already could wait. Only jobs of some classes may
    wait: of those so many that they are the asked share of all jobs, or all of them where they
    are too few. Jobs that run when the horizon starts never wait. The deadline of a job that may
    wait is ``submit + slack + run``.

    Args:
        jobs: any table; slack and deadlines that stood in it are replaced.
        deferrable_frac: share of all jobs, and so on average of GPU time, 0 to 1.
        slack_h: delays allowed [h], each for an equal part of those jobs.
        classes: whose jobs may wait.

    Raises:
        SeriesError: a share outside 0 to 1, or no slack or a negative one.
    """
    if not 0 <= deferrable_frac <= 1:
        raise SeriesError(f"deferrable_frac {deferrable_frac:g} is outside 0 to 1")
    if not slack_h or min(slack_h) < 0:
        raise SeriesError(f"slack_h {slack_h} must hold at least one delay, none of them negative")
    may_wait = np.isin(jobs.job_class.astype(str), list(classes))
    part = deferrable_frac * len(jobs) / max(int(may_wait.sum()), 1)  # of those that may
    waits = (lots(jobs.job_id, "deferrable") < part) & may_wait & ~jobs.warm
    which = (lots(jobs.job_id, "slack") * len(slack_h)).astype(np.int64)
    slack_s = np.where(waits, np.asarray(slack_h, np.float64)[which] * S_PER_H, 0.0)
    deadline_s = np.where(waits, jobs.submit_s + slack_s + jobs.run_s, np.inf)
    return jobs.with_columns(slack_s=slack_s, deadline_s=deadline_s)


def may_move(jobs: JobTable, movable_frac: float) -> NDArray[np.bool_]:
    """Whether each job may run at another site, shape (n,): a share of those that may wait, by lot.

    Args:
        jobs: with their slack.
        movable_frac: share of the jobs that may wait, 0 to 1.
    """
    return np.asarray((lots(jobs.job_id, "move") < movable_frac) & (jobs.slack_s > 0))


def may_be_stopped(jobs: JobTable, interruptible_frac: float) -> NDArray[np.bool_]:
    """Whether a plan may stop each job, shape (n,): a share of those that may wait, by lot.

    Args:
        jobs: with their slack.
        interruptible_frac: share of the jobs that may wait, 0 to 1.
    """
    return np.asarray((lots(jobs.job_id, "stop") < interruptible_frac) & (jobs.slack_s > 0))


def deferrable_gpu_time_frac(jobs: JobTable) -> float:
    """Share of the table's GPU time that may wait; 0 for a table without GPU time.

    Jobs that run when the horizon starts count as work that cannot wait, so in a short horizon the
    figure is below the share asked for. Few large jobs make up much of the GPU time, so it also
    scatters about that share.
    """
    total = float(jobs.gpu_s.sum())
    return float(jobs.gpu_s[jobs.slack_s > 0].sum()) / total if total else 0.0
