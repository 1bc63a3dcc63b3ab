"""A service that answers requests: a daily curve of requests, the replicas it takes, and their jobs.

Requests to a language model are batched into replicas, which are processes on a few GPUs each; a
request is never a job. An hour's mean rate and the time that a replica spends on a request give
the replicas kept, with head-room by a utilisation target. A replica's session, from the hour when
it is switched on to the hour when it is switched off, is a job. Nothing is drawn at random.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from aidc import catalog
from aidc.config import Config, Frac, Number
from aidc.horizon import Horizon
from aidc.job import IntColumn, JobTable, no_failures
from aidc.site import Site
from aidc.units import S_PER_DAY
from aidc.workload.accepts import ByClass, accepted_by_class
from aidc.workload.arrivals import ArrivalRate, arrival_rate, week_shape
from aidc.workload.generator import WarmStart
from aidc.workload.homes import homes
from aidc.workload.power import with_power

SERVING_USER: Final = "service"  # submits the sessions, and only those
JOB_CLASS: Final = "inference"


class Replica(Config):
    """One copy of the model, with the rates at which it works in full batches."""

    gpu_count: int = Field(ge=1)
    context_tokens_per_s: Number = Field(gt=0)  # while it reads contexts only
    generated_tokens_per_s: Number = Field(gt=0)  # while it generates only
    source: str = Field(min_length=3)


class Service(Config):
    """Requests, and what serves them: a file of ``models/services/``."""

    name: str = Field(min_length=1)
    request_shape: str = Field(min_length=1)
    context_tokens_mean: Number = Field(ge=0)
    generated_tokens_mean: Number = Field(gt=0)
    replica: Replica
    busy_target_frac: Frac = Field(gt=0, le=1)  # most of its time that a replica may be busy
    replicas_min: int = Field(ge=0)
    source: str = Field(min_length=3)

    @property
    def busy_s_per_request(self) -> float:
        """Time of a replica that a mean request takes; batched requests share the replica."""
        return (
            self.context_tokens_mean / self.replica.context_tokens_per_s
            + self.generated_tokens_mean / self.replica.generated_tokens_per_s
        )


def load_service(name: str) -> Service:
    """The service of ``models/services/NAME.yaml``.

    Raises:
        CatalogError: no such service, or every fault of its file with line and column.
    """
    return catalog.validated(Service, catalog.document("services", name))


def offered_gpus(service: Service, requests_per_day: float) -> float:
    """GPUs that the requests keep in replicas on average, not rounded up to whole replicas."""
    replicas = requests_per_day / S_PER_DAY * service.busy_s_per_request / service.busy_target_frac
    return replicas * service.replica.gpu_count


def requests(
    service: Service, requests_per_day: float, ramp: tuple[float, float], horizon: Horizon
) -> ArrivalRate:
    """Requests expected in cells of one local hour.

    Args:
        service: whose requests.
        requests_per_day: mean over whole weeks, before the ramp.
        ramp: factor on the rate at the start and at the end of the horizon, linear between.
        horizon: when, and in whose local time.

    Raises:
        CatalogError: an unknown request shape.
    """
    shape = week_shape(service.request_shape)
    return arrival_rate(shape, requests_per_day, ramp, horizon, 0.0, horizon.length_s)


def replicas(service: Service, expected: ArrivalRate) -> IntColumn:
    """Replicas kept in each cell, shape (n,): the fewest that are not busier than the target."""
    width_s = np.diff(expected.edges_s)
    busy_s = expected.expected * service.busy_s_per_request
    room_s = width_s * service.busy_target_frac
    needed = np.divide(busy_s, room_s, out=np.zeros(len(width_s)), where=width_s > 0)
    return np.maximum(np.ceil(needed), service.replicas_min).astype(np.int64)


def sessions(kept: IntColumn) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Replica, first cell and cell after the last of each session, each of shape (m,).

    Replica k runs while more than k are kept, so the last one switched on is the first one
    switched off, and the sessions that cover a cell are as many as are kept in it.
    """
    on: NDArray[np.int8] = (kept[:, None] > np.arange(kept.max(initial=0))).astype(np.int8)
    change = np.diff(on, axis=0, prepend=0, append=0)
    replica, begin = np.nonzero(change.T == 1)
    _, end = np.nonzero(change.T == -1)
    order = np.lexsort((replica, begin))
    return replica[order], begin[order], end[order]


def generate_service(
    service: Service,
    requests_per_day: float,
    horizon: Horizon,
    sites: tuple[Site, ...],
    *,
    ramp: tuple[float, float],
    warm_start: WarmStart,
    id_prefix: str = "",
    accepts: ByClass = None,
) -> JobTable:
    """Sessions of the service's replicas as jobs, in order of submission, ready to run.

    Sessions that last to the end of the horizon are cut there. They have no deadline and no slack:
    see `never_waiting` for a table that was given slack as a whole.

    Args:
        service: what is served, and by what.
        requests_per_day: mean over whole weeks, before the ramp.
        horizon: when, and in whose local time.
        sites: where; replicas go to pools in proportion to their GPUs.
        ramp: factor on the rate at the start and at the end of the horizon, linear between.
        warm_start: ``stationary`` has the first hour's replicas running when the horizon begins;
            ``empty`` submits them in its first second.
        id_prefix: before every id, where several workloads make one table.
        accepts: names of boards that the replicas run on, or names by class; None: any.

    Raises:
        CatalogError: an unknown request shape.
    """
    expected = requests(service, requests_per_day, ramp, horizon)
    kept = replicas(service, expected)
    replica, begin, end = sessions(kept)
    start_s, end_s = expected.edges_s[begin], expected.edges_s[end]
    lasts = end_s > start_s  # a cell at the end of the horizon may have no width
    replica, start_s, run_s = replica[lasts], start_s[lasts], (end_s - start_s)[lasts]
    n = len(start_s)
    job_id = np.array(
        [
            f"{id_prefix}{service.name}-{number + 1:05d}-{int(start):09d}"
            for number, start in zip(replica, start_s, strict=True)
        ],
        object,
    )
    job_class = np.full(n, JOB_CLASS, object)
    home = homes(job_id, sites, accepted_by_class(accepts, job_class))
    jobs = JobTable(
        job_id=job_id,
        user=np.full(n, SERVING_USER, object),
        vc=np.full(n, service.name, object),
        job_class=job_class,
        site=home.site,
        pool=home.pool,
        gpu_count=np.full(n, service.replica.gpu_count, np.int64),
        submit_s=start_s,
        run_s=run_s,
        limit_s=run_s,
        slack_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        added_kw=np.zeros(n),
        end_state=np.full(n, "completed", object),
        warm=(start_s == 0) & (warm_start == "stationary"),
        useful_s=run_s,
        interruptions=np.zeros(n, np.int64),
        node_fails_s=no_failures(n),
        accepted=home.accepted,
        rows_of=f"generated {service.name}, {requests_per_day:,.0f} requests a day, up to {kept.max(initial=0)} replicas",
    )
    return with_power(jobs, sites, "value")


def never_waiting(jobs: JobTable) -> JobTable:
    """The jobs without slack for sessions of a service, whatever was given to the table."""
    serves = jobs.user == SERVING_USER
    return jobs.with_columns(
        slack_s=np.where(serves, 0.0, jobs.slack_s),
        deadline_s=np.where(serves, np.inf, jobs.deadline_s),
    )
