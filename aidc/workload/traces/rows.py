"""From the sound rows of a trace to a job table, and the report of what was left out and assumed."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from aidc.horizon import Horizon
from aidc.job import JobTable, no_failures
from aidc.site import Site
from aidc.units import S_PER_H
from aidc.workload.accepts import Accepted, Boards, ByClass, accepted_by_class
from aidc.workload.homes import classes, homes
from aidc.workload.power import with_power
from aidc.workload.traces.source import Row, Source

CPU_ONLY: Final = "takes no GPU"
BEFORE: Final = "submitted before the horizon"
BEFORE_RUNNING: Final = "submitted before the horizon, its run may reach into it"
AFTER: Final = "submitted after the horizon"
NEVER_STARTED: Final = "was never started"
STILL_RUNNING: Final = "had not ended when the record was cut"
UNNAMED: Final = "unknown"  # user or virtual cluster, where the trace tells none
LIMIT_MIN_S: Final = 1.0  # a limit of zero would kill a job of no length
_TWICE: Final = "jobs were submitted in an hour that the clock showed twice; the first is taken"
_DIGITS: Final = 6  # percentages such as 33.333333 add up to whole boards


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a reader did with a file.

    Attributes:
        rows_read: records in the file.
        rows_kept: records that became jobs.
        skipped: records left out, by reason; with the kept ones they add up to all.
        timeouts: kept jobs that were killed at their limit; their recorded run is replayed,
            although their work was longer.
        larger_than_pool: kept jobs that need more GPUs than their home pool has, to be refused.
        rounded_up: kept jobs that asked for a part of a board and were given the whole of it.
        label: the file and what was kept of it, in words.
        notes: what a reader of results must know, in words: rows left out, and all that is
            assumed because the trace does not tell it.
    """

    rows_read: int
    rows_kept: int
    skipped: Mapping[str, int]
    timeouts: int
    larger_than_pool: int
    rounded_up: int
    label: str
    notes: tuple[str, ...]


@dataclass(slots=True)
class Jobs:
    """Columns of the jobs of a horizon as they are filled, row by row.

    Attributes:
        begin_s: start of the horizon, Unix time.
        length_s: its length.
        skipped: rows left out, by reason.
        seen: what a reader remarks about kept jobs ("jobs ...", counted).
        assumed: what holds for all of them because the trace does not tell.
        boards: sets of boards that the trace names, numbered; None: any.
        accepts: number of the set of each job.
    """

    begin_s: float
    length_s: float
    skipped: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    assumed: list[str] = field(default_factory=list)
    timeouts: int = 0
    job_id: list[str] = field(default_factory=list)
    user: list[str] = field(default_factory=list)
    vc: list[str] = field(default_factory=list)
    gpus: list[float] = field(default_factory=list)
    submit_s: list[float] = field(default_factory=list)
    run_s: list[float] = field(default_factory=list)
    limit_s: list[float] = field(default_factory=list)
    end_state: list[str] = field(default_factory=list)
    boards: dict[Boards, int] = field(default_factory=lambda: {None: 0})
    accepts: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, horizon: Horizon) -> "Jobs":
        """No jobs yet."""
        return cls(horizon.start.timestamp(), horizon.length_s)

    def add(
        self,
        row: Row,
        job_id: str,
        *,
        user: str,
        vc: str,
        gpus: float,
        submit_s: float,
        run_s: float,
        end_state: str,
        limit_s: float = math.nan,
        accepts: Boards = None,
    ) -> bool:
        """Whether a sound row became a job; one outside the horizon or without GPUs is counted.

        Args:
            row: where it stands; a row with a fault is passed over.
            job_id: identity.
            user: who submitted.
            vc: virtual cluster.
            gpus: GPUs of the whole job; a part of a board is rounded up.
            submit_s: Unix time.
            run_s: recorded run.
            end_state: completed, cancelled or failed.
            limit_s: run at which it would have been killed; nan: the trace has none.
            accepts: boards that the trace names for it; None: any.
        """
        if not row.sound:
            return False
        after_s = submit_s - self.begin_s
        if reason := self._left_out(gpus, after_s, run_s):
            self.skipped[reason] += 1
            return False
        if row.clock_ran_twice:
            self.seen[_TWICE] += 1
        self.job_id.append(job_id)
        self.user.append(user)
        self.vc.append(vc)
        self.gpus.append(gpus)
        self.submit_s.append(after_s)
        self.run_s.append(run_s)
        self.limit_s.append(limit_s)
        self.end_state.append(end_state)
        self.accepts.append(self.boards.setdefault(accepts, len(self.boards)))
        return True

    def skip(self, row: Row, reason: str) -> None:
        """Counts a sound row that is no job."""
        if row.sound:
            self.skipped[reason] += 1

    def _left_out(self, gpus: float, after_s: float, run_s: float) -> str:
        """Why a sound row is no job of the horizon; empty when it is one."""
        if gpus == 0:
            return CPU_ONLY
        if after_s < 0:
            return BEFORE if after_s + run_s <= 0 else BEFORE_RUNNING
        return AFTER if after_s >= self.length_s else ""


def job_table(
    source: Source,
    jobs: Jobs,
    sites: tuple[Site, ...],
    limit_factor: float,
    class_shares: Mapping[str, float],
    accepts: ByClass = None,
) -> tuple[JobTable, ReadReport]:
    """The jobs in order of submission with home, class and power, and the report.

    A job that shares a board takes the whole board, as ``gpu_count`` is whole: its GPU time and
    energy are overstated, and the notes say by how much.

    Raises:
        SeriesError: the faults of the file.
    """
    source.check()
    n, file = len(jobs.job_id), source.path.name
    job_id, run_s = np.array(jobs.job_id, object), np.array(jobs.run_s, np.float64)
    gpus = np.round(np.array(jobs.gpus, np.float64), _DIGITS)
    gpu_count = np.ceil(gpus).astype(np.int64)
    limit_s = np.array(jobs.limit_s, np.float64)
    job_class = classes(job_id, class_shares)
    named = Accepted(tuple(jobs.boards), np.array(jobs.accepts, np.int16))
    home = homes(job_id, sites, accepted_by_class(accepts, job_class).and_also(named))
    table = JobTable(
        job_id=job_id,
        user=np.array(jobs.user, object),
        vc=np.array(jobs.vc, object),
        job_class=job_class,
        site=home.site,
        pool=home.pool,
        gpu_count=gpu_count,
        submit_s=np.array(jobs.submit_s, np.float64),
        run_s=run_s,
        limit_s=np.maximum(np.where(np.isnan(limit_s), limit_factor * run_s, limit_s), LIMIT_MIN_S),
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=np.zeros(n),
        end_state=np.array(jobs.end_state, object),
        warm=np.zeros(n, np.bool_),
        useful_s=run_s,
        interruptions=np.zeros(n, np.int64),
        node_fails_s=no_failures(n),
        accepted=home.accepted,
        rows_of=f"{file}, kept row",
    )
    table = with_power(table, sites, "value")
    skipped = dict(sorted(jobs.skipped.items()))
    notes = [f"{count} rows of {file} left out: {reason}" for reason, count in skipped.items()]
    if jobs.timeouts:
        notes.append(
            f"{jobs.timeouts} jobs were killed at their limit; their recorded run is replayed"
        )
    if rounded_up := int((gpu_count > gpus).sum()):
        notes.append(
            f"{rounded_up} jobs asked for a part of a board and take the whole of it: "
            f"{table.gpu_s.sum() / S_PER_H:,.0f} GPU-h in all, {gpus @ run_s / S_PER_H:,.0f} asked for"
        )
    notes += [f"{count} {remark}" for remark, count in sorted(jobs.seen.items()) if count]
    report = ReadReport(
        rows_read=source.rows_read,
        rows_kept=n,
        skipped=skipped,
        timeouts=jobs.timeouts,
        larger_than_pool=int((gpu_count > home.pool_gpu_count).sum()),
        rounded_up=rounded_up,
        label=f"{source.title} {file}, {n} of {source.rows_read} rows",
        notes=(*notes, *jobs.assumed),
    )
    return table.take(np.lexsort((job_id.astype(str), table.submit_s))), report
