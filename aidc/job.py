"""Jobs as columns: one row a job, checked once, never one Python object a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import Fault, SeriesError

FloatColumn = NDArray[np.float64]
IntColumn = NDArray[np.int64]
TextColumn = NDArray[np.object_]
FAULTS_SHOWN = 20
NO_BOARDS: Final = "no pool has boards that it accepts"  # reasons of a refusal
TOO_LARGE: Final = "larger than its pool"
OVER_QUOTA: Final = "larger than the quota of its virtual cluster"
NOT_IN_TIME: Final = "it or another would miss its deadline"


@dataclass(frozen=True, slots=True)
class JobTable:
    """Jobs in order of submission; all columns have one length n.

    Attributes:
        job_id: identity.
        user: who submitted.
        vc: virtual cluster (tenant).
        job_class: power class, a row of ``models/job_classes.csv``.
        site: name of the site that runs it.
        pool: name of the pool that runs it.
        gpu_count: boards taken all at once (a gang).
        submit_s: arrival, seconds from the start of the horizon.
        run_s: run time once started [s].
        limit_s: run time at which it is killed, and what backfill predicts with [s]; inf: no limit.
        slack_s: how long its start may be put off after submission [s]; 0: not deferrable.
        deadline_s: latest end [s]; inf: none.
        added_kw: IT power above idle while running, at the reference inlet.
        end_state: how it ends by itself: completed, cancelled or failed.
        warm: already running when the horizon starts; ``run_s`` is what was left.
        useful_s: part of ``run_s`` that is work kept: all of it unless interruptions cost some [s].
        interruptions: how often the run is interrupted; ``run_s`` has their cost in it.
        node_fails_s: seconds into the run at which a node of it fails and leaves for repair, a rising
            tuple a job.
        accepted: whether some pool has boards that the job accepts; the others are refused.
        rows_of: where the rows come from (a file with line numbers, or the generator).
    """

    job_id: TextColumn
    user: TextColumn
    vc: TextColumn
    job_class: TextColumn
    site: TextColumn
    pool: TextColumn
    gpu_count: IntColumn
    submit_s: FloatColumn
    run_s: FloatColumn
    limit_s: FloatColumn
    slack_s: FloatColumn
    deadline_s: FloatColumn
    added_kw: FloatColumn
    end_state: TextColumn
    warm: NDArray[np.bool_]
    useful_s: FloatColumn
    interruptions: IntColumn
    node_fails_s: TextColumn
    accepted: NDArray[np.bool_]
    rows_of: str

    def __len__(self) -> int:
        return len(self.submit_s)

    def take(self, rows: NDArray[Any]) -> "JobTable":
        """The chosen rows, in the given order."""
        columns = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "rows_of"}
        return JobTable(**columns, rows_of=self.rows_of)

    def with_columns(self, **columns: NDArray[Any]) -> "JobTable":
        """A copy with other columns."""
        return replace(self, **columns)  # type: ignore[arg-type]

    @property
    def gpu_s(self) -> FloatColumn:
        """GPU time of each job [GPU-s]."""
        return self.gpu_count * self.run_s

    def check(self) -> "JobTable":
        """The table itself, if every row makes sense.

        Raises:
            SeriesError: each faulty row with its id, the value and the remedy (the first of many).
        """
        faults: list[Fault] = []
        rules: tuple[tuple[NDArray[np.bool_], str, str], ...] = (
            (self.gpu_count < 1, "gpu_count", "a job takes at least one GPU"),
            (~np.isfinite(self.submit_s), "submit_s", "the submission time is missing"),
            (
                ~(self.run_s >= 0) | ~np.isfinite(self.run_s),
                "run_s",
                "the run time is negative or missing",
            ),
            (~(self.limit_s > 0), "limit_s", "the limit must be positive; leave it out for none"),
            (~(self.slack_s >= 0), "slack_s", "slack cannot be negative"),
            (
                self.deadline_s < self.submit_s,
                "deadline_s",
                "the deadline is before the submission",
            ),
            (~(self.added_kw >= 0), "added_kw", "power above idle cannot be negative"),
        )
        for bad, column, message in rules:
            rows = np.flatnonzero(bad)
            for row in rows[:FAULTS_SHOWN]:
                value = getattr(self, column)[row]
                where = f"{column} of job {self.job_id[row]}"
                faults.append(
                    Fault(self.rows_of, int(row) + 1, 0, where, f"{message}, not {value:g}")
                )
            if len(rows) > FAULTS_SHOWN:
                faults.append(
                    Fault(
                        self.rows_of,
                        0,
                        0,
                        column,
                        f"and {len(rows) - FAULTS_SHOWN} more rows: {message}",
                    )
                )
        _, first = np.unique(self.job_id.astype(str), return_index=True)
        if len(first) < len(self):
            again = np.setdiff1d(np.arange(len(self)), first)
            faults.extend(
                Fault(self.rows_of, int(row) + 1, 0, "job_id", f"{self.job_id[row]} stands twice")
                for row in again[:FAULTS_SHOWN]
            )
        if faults:
            raise SeriesError(faults)
        return self


def stacked(tables: Sequence[JobTable]) -> JobTable:
    """The tables one below the other, at least one."""
    columns = {
        f.name: np.concatenate([getattr(t, f.name) for t in tables])
        for f in fields(JobTable)
        if f.name != "rows_of"
    }
    return JobTable(**columns, rows_of="; ".join(dict.fromkeys(t.rows_of for t in tables)))


def no_failures(count: int) -> TextColumn:
    """`JobTable.node_fails_s` of jobs under which no node fails, shape (count,)."""
    column = np.empty(count, object)
    column.fill(())
    return column


def concatenate(tables: Sequence[JobTable]) -> JobTable:
    """One table in order of submission (ties by job id), from at least one table."""
    whole = stacked(tables)
    return whole.take(np.lexsort((whole.job_id.astype(str), whole.submit_s)))


def beyond_quota(jobs: JobTable, quotas: Mapping[str, int]) -> NDArray[np.bool_]:
    """Jobs larger than the quota of their virtual cluster, shape (n,)."""
    most = np.array([quotas.get(vc, np.inf) for vc in jobs.vc.tolist()], np.float64)
    return np.asarray(jobs.gpu_count > most)
