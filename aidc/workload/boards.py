"""How long jobs run on the boards they have, and at which power: speed, power cap and faults.

A run time belongs to a reference board. On another board it is shorter or longer by the ratio of the
speeds; a cap slows it and holds its draw down; interruptions and checkpoints come last, on the time it
then takes. Limits are multiples of a run and stretch with it; a job is not killed for the time that
interruptions cost it. Sessions of a service are spans of the clock: a cap holds down their draw, and
nothing else touches them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from aidc.catalog import row
from aidc.config import Number
from aidc.equipment import Gpu, Row
from aidc.job import FloatColumn, IntColumn, JobTable, TextColumn, no_failures
from aidc.site import Pool, Site
from aidc.workload.interruptions import FaultRules, interrupted_runs, mean_phi_frac
from aidc.workload.power import Bound, added_kw, class_phi_frac, with_power
from aidc.workload.power_cap import (
    PowerCap,
    capped_draw_frac,
    draw_frac,
    phi_of_draw_frac,
    throughput_frac,
)

NO_CAP: Final = 1.0


class GpuSpeed(Row):
    """Training speed of a board over that of an A100: ``models/gpu_speeds.csv``."""

    speed_ratio: Number = Field(gt=0)
    speed_low_ratio: Number = Field(gt=0)
    speed_high_ratio: Number = Field(gt=0)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which jobs run.

    Attributes:
        bound: which end of the power of every class.
        reference_gpu: board that the run times belong to; None: they hold on every board.
        faults: how gangs fail and save.
        seed: of the interruptions.
    """

    bound: Bound
    reference_gpu: str | None
    faults: FaultRules
    seed: int


def speed_ratio(gpu: str, reference_gpu: str | None) -> float:
    """Speed of a board over that of the reference board.

    Raises:
        CatalogError: a board without a row in ``models/gpu_speeds.csv``.

    Examples:
        >>> speed_ratio("h100-sxm", "a100-sxm")
        1.73
    """
    if reference_gpu is None or gpu == reference_gpu:
        return 1.0
    ours, theirs = (row("gpu_speeds", GpuSpeed, name) for name in (gpu, reference_gpu))
    return ours.speed_ratio / theirs.speed_ratio


def on_boards(
    jobs: JobTable, sites: tuple[Site, ...], given: Conditions, is_session: NDArray[np.bool_]
) -> JobTable:
    """The jobs with run time, limit and power of the pools they have, useful time and interruptions.

    A table whose boards are the reference, without caps and faults, keeps its times as they are.

    Args:
        jobs: any table with homes; run times are those on the reference board.
        sites: the sites that the table names.
        given: board, faults, power of the classes.
        is_session: sessions of a service, shape (n,).

    Raises:
        SeriesError: a class, site or pool that nobody has; a cap outside the known ones; a job that
            would hardly ever end under these faults.
        CatalogError: a board whose speed or behaviour under a cap is not known.
    """
    jobs = with_power(jobs, sites, given.bound)
    pools = [(site, pool) for site in sites for pool in site.pools]
    if all(_is_plain(pool, given) for _, pool in pools):
        return jobs
    phi_frac = class_phi_frac(jobs, given.bound)
    run_s, useful_s, limit_s = jobs.run_s.copy(), jobs.useful_s.copy(), jobs.limit_s.copy()
    kw, interruptions = jobs.added_kw.copy(), jobs.interruptions.copy()
    fails_s = jobs.node_fails_s.copy()
    for site, pool in pools:
        here = np.flatnonzero((jobs.site == site.name) & (jobs.pool == pool.name))
        made = _runs(
            jobs.job_id[here], jobs.run_s[here], jobs.gpu_count[here], phi_frac[here],
            pool, given, is_session[here],
        )  # fmt: skip
        stretch = np.divide(
            made.work_s, jobs.run_s[here], out=np.ones(len(here)), where=jobs.run_s[here] > 0
        )
        run_s[here], useful_s[here] = made.wall_s, made.work_s
        limit_s[here] = jobs.limit_s[here] * stretch + (made.wall_s - made.work_s)
        kw[here] = added_kw(pool.server, jobs.gpu_count[here], made.phi_frac)
        interruptions[here], fails_s[here] = made.interruptions, made.node_fails_s
    return jobs.with_columns(
        run_s=run_s, useful_s=useful_s, limit_s=limit_s, added_kw=kw, interruptions=interruptions,
        node_fails_s=fails_s,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs of the jobs of one pool, shape (n,) each."""

    work_s: FloatColumn  # at the pool's speed, without faults
    wall_s: FloatColumn
    phi_frac: FloatColumn  # mean over the wall time
    interruptions: IntColumn
    node_fails_s: TextColumn


def _runs(
    job_id: NDArray[np.object_],
    run_s: FloatColumn,
    gpu_count: IntColumn,
    phi_frac: FloatColumn,
    pool: Pool,
    given: Conditions,
    is_session: NDArray[np.bool_],
) -> _Runs:
    gpu = pool.server.gpu
    slower, phi = _capped(gpu, pool.power_cap_frac, phi_frac)
    work_s = run_s / (speed_ratio(gpu.name, given.reference_gpu) * slower)
    work_s = np.where(is_session, run_s, work_s)
    wall_s, interruptions = work_s.copy(), np.zeros(len(run_s), np.int64)
    fails_s = no_failures(len(run_s))
    gang = np.flatnonzero(~is_session)
    if not given.faults.is_empty and len(gang):
        runs = interrupted_runs(
            job_id[gang], work_s[gang], gpu_count[gang], given.faults, given.seed
        )
        wall_s[gang], interruptions[gang] = runs.wall_s, runs.interruptions
        fails_s[gang] = runs.node_fails_s
        phi[gang] = mean_phi_frac(runs, gpu, phi[gang])
    return _Runs(work_s, wall_s, phi, interruptions, fails_s)


def _capped(
    gpu: Gpu, cap_frac: float | None, phi_frac: FloatColumn
) -> tuple[FloatColumn, FloatColumn]:
    """Speed over that without a cap, and phi under it."""
    if cap_frac is None or cap_frac == NO_CAP:
        return np.ones(len(phi_frac)), phi_frac.copy()
    board, drawn = row("power_caps", PowerCap, gpu.name), draw_frac(gpu, phi_frac)
    under_cap = capped_draw_frac(cap_frac, drawn, board)
    return throughput_frac(cap_frac, drawn, board), phi_of_draw_frac(gpu, under_cap)


def _is_plain(pool: Pool, given: Conditions) -> bool:
    """Whether the pool leaves run times and power as they are."""
    return (
        given.faults.is_empty
        and pool.power_cap_frac in (None, NO_CAP)
        and speed_ratio(pool.server.gpu.name, given.reference_gpu) == 1.0
    )
