"""IT power of a pool at idle and of the jobs on top of it, at the servers' reference inlet."""

from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from aidc.catalog import table
from aidc.config import Number
from aidc.equipment import Row, Server
from aidc.errors import Fault, SeriesError
from aidc.job import FloatColumn, JobTable
from aidc.site import Pool, Site
from aidc.units import W_PER_KW

Bound = Literal["value", "low", "high"]


class JobClass(Row):
    """A power class of jobs: ``models/job_classes.csv``.

    phi is the share of the way from idle to maximum board power while the job runs. It belongs to
    the class and not to the utilisation that the driver reports, which overstates board power.
    """

    phi_frac: Number = Field(ge=0, le=1)
    phi_low_frac: Number = Field(ge=0, le=1)
    phi_high_frac: Number = Field(ge=0, le=1)
    deferrable: bool  # whether jobs of the class may be put off at all

    def phi(self, bound: Bound) -> float:
        """Phi at its value, or at an end of its range."""
        ends = {"value": self.phi_frac, "low": self.phi_low_frac, "high": self.phi_high_frac}
        return ends[bound]


def idle_kw(pool: Pool) -> float:
    """Power of a pool with every server on and every board idle [kW], fans included."""
    server = pool.server
    boards_w = server.gpu_power_ratio * server.gpu_count * server.gpu.idle_w
    return pool.server_count * (server.base_w + boards_w) / W_PER_KW


def asleep_kw_per_gpu(pool: Pool) -> float:
    """What a board saves while its server is switched off instead of idle [kW]."""
    return idle_kw(pool) / pool.gpu_count - pool.server.off_w / W_PER_KW / pool.server.gpu_count


@overload
def added_kw(server: Server, gpu_count: int, phi_frac: float) -> float: ...
@overload
def added_kw(
    server: Server, gpu_count: NDArray[np.int64], phi_frac: FloatColumn | float
) -> FloatColumn: ...
def added_kw(
    server: Server, gpu_count: int | NDArray[np.int64], phi_frac: FloatColumn | float
) -> FloatColumn | float:
    """Power that running boards add to the idle pool [kW], conversion losses included.

    Args:
        server: what the boards stand in.
        gpu_count: boards of the job, a number or shape (n,).
        phi_frac: share of the way from idle to maximum board power, 0 to 1.
    """
    full_w = (server.gpu.max_w - server.gpu.idle_w) * server.gpu_power_ratio
    boards: FloatColumn | float = np.multiply(gpu_count, phi_frac)
    return boards * (full_w / W_PER_KW)


def class_phi_frac(jobs: JobTable, bound: Bound) -> FloatColumn:
    """Phi of each job by its class, shape (n,).

    Raises:
        SeriesError: classes without a row in ``models/job_classes.csv``; each is named once.
    """
    known = table("job_classes", JobClass)
    phi = {name: row.phi(bound) for name, row in known.items()}
    if unknown := sorted(set(jobs.job_class.tolist()) - phi.keys()):
        message = "no row of models/job_classes.csv; it has " + ", ".join(phi)
        raise SeriesError([Fault(jobs.rows_of, 0, 0, f"class {name}", message) for name in unknown])
    return np.fromiter(map(phi.__getitem__, jobs.job_class), np.float64, len(jobs))


def with_power(jobs: JobTable, sites: tuple[Site, ...], bound: Bound) -> JobTable:
    """The jobs with ``added_kw`` from their class, pool and size.

    Args:
        jobs: any table; what stood in ``added_kw`` is replaced.
        sites: the sites that the table names.
        bound: phi of every class at its value, or at the low or high end of its range.

    Raises:
        SeriesError: a class, site or pool that nobody has; each is named once.
    """
    phi_frac = class_phi_frac(jobs, bound)
    kw = np.full(len(jobs), np.nan)
    for site in sites:
        at_site = jobs.site == site.name
        for pool in site.pools:
            here = at_site & (jobs.pool == pool.name)
            kw[here] = added_kw(pool.server, jobs.gpu_count[here], phi_frac[here])
    if (homeless := np.isnan(kw)).any():
        names = sorted(
            {
                (str(s), str(p))
                for s, p in zip(jobs.site[homeless], jobs.pool[homeless], strict=True)
            }
        )
        raise SeriesError(
            [Fault(jobs.rows_of, 0, 0, f"pool {p} of site {s}", "no site has it") for s, p in names]
        )
    return jobs.with_columns(added_kw=kw)
