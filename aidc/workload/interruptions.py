"""Interruptions, checkpoints and restarts of gang jobs, laid out before the simulation.

While a gang of n boards runs it is interrupted at rate n / MTBF in its own running time, whenever
it starts; so its wall run time hangs on its work and its lots, not on the schedule. An
interruption takes the work since the last completed checkpoint and a restart, in which nothing
fails. A checkpoint stalls the gang; the last stretch of a job is not followed by one.

References:
    [1] Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps",
        Future Generation Computer Systems 22 (2006), doi 10.1016/j.future.2004.11.016.
    [2] Bougeret, Casanova, Rabie, Robert, Vivien, "Checkpointing strategies for parallel jobs",
        SC 2011: a stretch of s seconds takes (1/rate + restart)(exp(rate s) - 1) on average.
    [3] Young, "A first order approximation to the optimum checkpoint interval", CACM 17 (1974).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from aidc.config import Number
from aidc.equipment import Gpu, Row
from aidc.errors import Fault, SeriesError
from aidc.job import FAULTS_SHOWN, FloatColumn, IntColumn, TextColumn, no_failures
from aidc.units import S_PER_H
from aidc.workload.lots import lots

INTERRUPTIONS_MAX: Final = 10_000  # expected of one job; with more it would hardly ever end


class FaultRules(Row):
    """How gangs fail and recover: ``models/fault_rules.csv``; absent: no faults, no checkpoints."""

    mtbf_gpu_h: Number | None = Field(default=None, gt=0)  # GPU-hours run per interruption
    checkpoint_every_s: Number | None = Field(default=None, gt=0)  # work between two checkpoints
    checkpoint_stall_s: Number | None = Field(default=None, ge=0)
    restart_s: Number | None = Field(default=None, ge=0)
    node_lost_frac: Number | None = Field(default=None, ge=0, le=1)  # of the interruptions
    repair_s: Number | None = Field(default=None, gt=0)  # for which the failed node is away

    @model_validator(mode="after")
    def _is_whole(self) -> "FaultRules":
        pairs = (
            ("mtbf_gpu_h", "restart_s"),
            ("checkpoint_every_s", "checkpoint_stall_s"),
            ("node_lost_frac", "repair_s"),
        )
        for one, other in pairs:
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                text = f"{one} and {other} go together: give both or neither"
                raise PydanticCustomError("together", "{text}", {"text": text})
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nothing fails and nothing is saved."""
        return self.mtbf_gpu_h is None and self.checkpoint_every_s is None


@dataclass(frozen=True, slots=True)
class Runs:
    """Run times of jobs and what they were spent on; all columns have one length n.

    Attributes:
        gpu_count: boards of the gang.
        wall_s: from start to end; the sum of the four parts below.
        useful_s: work that counts.
        lost_s: work done and lost.
        restart_s: between an interruption and the next start.
        stall_s: in checkpoints, completed or not.
        interruptions: their number; for expected runs its mean.
        node_fails_s: when a node failed for good, as `JobTable.node_fails_s`; not told of expected runs.
    """

    gpu_count: IntColumn
    wall_s: FloatColumn
    useful_s: FloatColumn
    lost_s: FloatColumn
    restart_s: FloatColumn
    stall_s: FloatColumn
    interruptions: IntColumn | FloatColumn
    node_fails_s: TextColumn

    @property
    def active_s(self) -> FloatColumn:
        """Time at the job's own power: work, kept or lost."""
        return self.useful_s + self.lost_s

    @property
    def stalled_s(self) -> FloatColumn:
        """Time at context power: checkpoints and restarts, boards allocated."""
        return self.stall_s + self.restart_s

    @property
    def useful_gpu_s(self) -> FloatColumn:
        """Board time that counts [GPU-s]."""
        return self.gpu_count * self.useful_s

    @property
    def goodput_frac(self) -> float:
        """Useful over allocated board time of all these runs; 1 where there is none."""
        allocated = float(np.dot(self.gpu_count, self.wall_s))
        return float(np.dot(self.gpu_count, self.useful_s)) / allocated if allocated else 1.0


def young_interval_s(
    checkpoint_stall_s: ArrayLike, mtbf_gpu_h: ArrayLike, gpu_count: ArrayLike
) -> FloatColumn:
    """Work between checkpoints that wastes least, to first order: sqrt(2 stall MTBF/n) [3].

    Good while the stall is far below MTBF/n; shape is the broadcast of the inputs.

    Examples:
        >>> young_interval_s(30, 50_700, 4_096).round()
        np.float64(1635.0)
    """
    gang_s = np.asarray(mtbf_gpu_h, np.float64) * S_PER_H / np.asarray(gpu_count, np.float64)
    return np.asarray(np.sqrt(2 * np.asarray(checkpoint_stall_s, np.float64) * gang_s), np.float64)


def interrupted_runs(
    job_id: TextColumn, work_s: FloatColumn, gpu_count: IntColumn, rules: FaultRules, seed: int
) -> Runs:
    """Runs as they come, interruption by interruption, each drawn by a lot of the job's id.

    A job has the same lots in every variant, table and order; under a longer MTBF the same lots
    fall later. The cost is one pass over the jobs still running for each interruption.

    Args:
        job_id: identity, shape (n,).
        work_s: run time without faults and checkpoints, shape (n,).
        gpu_count: boards of the gang, shape (n,).
        rules: a row of ``models/fault_rules.csv``.
        seed: of the scenario.

    Raises:
        SeriesError: work that is negative or missing, no boards, or a job that would hardly ever
            end under these rules; the first of many, with their ids.
    """
    _check(job_id, work_s, gpu_count)
    saves, every_s, stall_each_s = _checkpoints(work_s, rules)
    if rules.mtbf_gpu_h is None or rules.restart_s is None:
        return _untouched(work_s, gpu_count, saves, stall_each_s)
    _refuse_endless(job_id, expected_runs(work_s, gpu_count, rules).interruptions)
    mean_gap_s = rules.mtbf_gpu_h * S_PER_H / gpu_count
    wall_s, lost_s, stall_s = (np.zeros(len(work_s)) for _ in range(3))
    saved, interruptions = (np.zeros(len(work_s), np.int64) for _ in range(2))
    running, attempt = np.flatnonzero(work_s > 0), 0
    failed: list[tuple[IntColumn, FloatColumn]] = []  # rows whose node is lost, and when
    while len(running):
        gap_s = -np.log1p(-lots(job_id[running], f"interruption {seed} {attempt}"))
        gap_s *= mean_gap_s[running]
        to_save = saves[running] - saved[running]
        left_s = work_s[running] - saved[running] * every_s + to_save * stall_each_s
        hit = gap_s < left_s
        ends = running[~hit]
        wall_s[ends] += left_s[~hit]
        stall_s[ends] += to_save[~hit] * stall_each_s

        running, gap_s, to_save = running[hit], gap_s[hit], to_save[hit]
        if rules.node_lost_frac is not None:
            lost = lots(job_id[running], f"node {seed} {attempt}") < rules.node_lost_frac
            failed.append((running[lost], (wall_s[running] + gap_s)[lost]))
        done = np.minimum((gap_s / (every_s + stall_each_s)).astype(np.int64), to_save)
        since_s = gap_s - done * (every_s + stall_each_s)  # the last completed checkpoint
        since_s = np.maximum(since_s, 0.0)  # a rounding of the line above
        worked_s = np.minimum(since_s, every_s)
        wall_s[running] += gap_s + rules.restart_s
        lost_s[running] += worked_s
        stall_s[running] += done * stall_each_s + (since_s - worked_s)
        saved[running] += done
        interruptions[running] += 1
        attempt += 1
    restart_s = np.asarray(interruptions * rules.restart_s, np.float64)
    fails_s = _by_row(failed, len(work_s))
    return Runs(
        gpu_count, wall_s, work_s.copy(), lost_s, restart_s, stall_s, interruptions, fails_s
    )


def expected_runs(work_s: FloatColumn, gpu_count: IntColumn, rules: FaultRules) -> Runs:
    """Means of the same runs in closed form [1, 2], shape (n,); inf where no number can hold it.

    A stretch of s seconds is interrupted ``exp(rate s) - 1`` times and takes that over the rate
    in running time; its stall of d seconds takes ``(exp(rate d) - 1) / rate`` of it.
    """
    saves, every_s, stall_each_s = _checkpoints(work_s, rules)
    if rules.mtbf_gpu_h is None or rules.restart_s is None:
        return _untouched(work_s, gpu_count, saves, stall_each_s)
    rate_per_s = gpu_count / (rules.mtbf_gpu_h * S_PER_H)
    with np.errstate(over="ignore", invalid="ignore"):
        between = np.expm1(rate_per_s * (every_s + stall_each_s))
        last = np.expm1(rate_per_s * (work_s - saves * every_s))
        interruptions = np.where(saves > 0, saves * between, 0.0) + last
        running_s = interruptions / rate_per_s
        stall_s = np.where(saves > 0, saves * np.expm1(rate_per_s * stall_each_s), 0.0) / rate_per_s
        lost_s = np.where(np.isfinite(running_s), running_s - work_s - stall_s, np.inf)
    restart_s = interruptions * rules.restart_s
    return Runs(
        gpu_count=gpu_count,
        wall_s=running_s + restart_s,
        useful_s=work_s.copy(),
        lost_s=np.maximum(
            lost_s, 0.0
        ),  # a difference of nearly equal numbers where faults are rare
        restart_s=restart_s,
        stall_s=stall_s,
        interruptions=interruptions,
        node_fails_s=no_failures(len(work_s)),
    )


def mean_phi_frac(runs: Runs, gpu: Gpu, phi_frac: ArrayLike) -> FloatColumn:
    """Phi whose constant power over the wall run has the energy of the runs, shape (n,).

    Boards draw the job's power while it works and their context power in checkpoints and restarts.
    """
    phi = np.broadcast_to(np.asarray(phi_frac, np.float64), runs.wall_s.shape)
    context = (gpu.context_w - gpu.idle_w) / (gpu.max_w - gpu.idle_w)
    stalled_frac = np.zeros(len(phi))
    np.divide(runs.stalled_s, runs.wall_s, out=stalled_frac, where=runs.wall_s > 0)
    return np.asarray(phi + stalled_frac * (context - phi), np.float64)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What to expect of one long run: means, and the chance that nothing happens."""

    goodput_frac: float
    wall_s: float
    interruptions: float
    untouched_probability: float
    lost_s: float
    restart_s: float
    stall_s: float
    active_gpu_h: float  # at the job's own power
    stalled_gpu_h: float  # at context power


def training_run(work_s: float, gpu_count: int, rules: FaultRules) -> TrainingRun:
    """Expected course of one run under rules, in closed form; errors as `interrupted_runs`."""
    work, boards = np.array([work_s], np.float64), np.array([gpu_count], np.int64)
    name: TextColumn = np.array(["of this run"], object)
    _check(name, work, boards)
    runs = expected_runs(work, boards, rules)
    _refuse_endless(name, runs.interruptions)
    saves, _, stall_each_s = _checkpoints(work, rules)
    shortest_s = work_s + float(saves[0]) * stall_each_s
    rate_per_s = gpu_count / (rules.mtbf_gpu_h * S_PER_H) if rules.mtbf_gpu_h else 0.0
    return TrainingRun(
        goodput_frac=runs.goodput_frac,
        wall_s=float(runs.wall_s[0]),
        interruptions=float(runs.interruptions[0]),
        untouched_probability=float(np.exp(-rate_per_s * shortest_s)),
        lost_s=float(runs.lost_s[0]),
        restart_s=float(runs.restart_s[0]),
        stall_s=float(runs.stall_s[0]),
        active_gpu_h=float(runs.active_s[0]) * gpu_count / S_PER_H,
        stalled_gpu_h=float(runs.stalled_s[0]) * gpu_count / S_PER_H,
    )


def _checkpoints(work_s: FloatColumn, rules: FaultRules) -> tuple[IntColumn, float, float]:
    """Checkpoints of each job, the work between two, and the stall of each."""
    if rules.checkpoint_every_s is None or rules.checkpoint_stall_s is None:
        return np.zeros(len(work_s), np.int64), float(work_s.max(initial=0.0)) + 1.0, 0.0
    saves = np.maximum(np.ceil(work_s / rules.checkpoint_every_s) - 1, 0).astype(np.int64)
    return saves, rules.checkpoint_every_s, rules.checkpoint_stall_s


def _untouched(
    work_s: FloatColumn, gpu_count: IntColumn, saves: IntColumn, stall_each_s: float
) -> Runs:
    stall_s = np.asarray(saves * stall_each_s, np.float64)
    none = np.zeros(len(work_s))
    count = np.zeros(len(work_s), np.int64)
    return Runs(
        gpu_count, work_s + stall_s, work_s.copy(), none, none.copy(), stall_s, count,
        no_failures(len(work_s)),
    )  # fmt: skip


def _by_row(parts: list[tuple[IntColumn, FloatColumn]], count: int) -> TextColumn:
    """Times of each row as rising tuples; a later part holds later times of a row."""
    found = no_failures(count)
    for rows, times_s in parts:
        for row, at_s in zip(rows.tolist(), times_s.tolist(), strict=True):
            found[row] = (*found[row], at_s)
    return found


def _check(job_id: TextColumn, work_s: FloatColumn, gpu_count: IntColumn) -> None:
    faults = []
    for bad, values, what, remedy in (
        (~(np.isfinite(work_s) & (work_s >= 0)), work_s, "work_s", "must be 0 s or more"),
        (gpu_count < 1, gpu_count, "gpu_count", "a job takes at least one GPU"),
    ):
        faults += [
            Fault("", 0, 0, f"{what} of job {job_id[row]}", f"{remedy}, not {values[row]:g}")
            for row in np.flatnonzero(bad)[:FAULTS_SHOWN]
        ]
    if faults:
        raise SeriesError(faults)


def _refuse_endless(job_id: TextColumn, interruptions: IntColumn | FloatColumn) -> None:
    rows = np.flatnonzero(~(interruptions <= INTERRUPTIONS_MAX))
    if len(rows):
        raise SeriesError(
            [
                Fault(
                    "", 0, 0, f"job {job_id[row]}",
                    f"would be interrupted {interruptions[row]:.3g} times before it ends; "
                    "let it save more often (checkpoint_every_s)",
                )
                for row in rows[:FAULTS_SHOWN]
            ]
        )  # fmt: skip
