"""Workloads that share a site: several profiles and services in one table, by share of GPU time."""

from typing import Final

import numpy as np
from pydantic import Field, model_validator

from aidc import catalog
from aidc.config import Config, Frac
from aidc.horizon import Horizon
from aidc.job import JobTable, concatenate
from aidc.site import Site
from aidc.units import S_PER_DAY
from aidc.workload.accepts import ByClass
from aidc.workload.generator import WarmStart, generate
from aidc.workload.inference import generate_service, load_service
from aidc.workload.inference import offered_gpus as service_gpus
from aidc.workload.profile import load_profile
from aidc.workload_inputs import AcceptedBoards

_SUM_WITHIN: Final = 1e-6


class Part(Config):
    """A profile or a service, and its share of the mean GPUs asked for."""

    profile: str | None = None
    service: str | None = None
    gpu_time_frac: Frac = Field(gt=0, le=1)
    accepts: AcceptedBoards = None  # where they are not those of the whole

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Part":
        if (self.profile is None) == (self.service is None):
            raise ValueError("a part names either a profile or a service")
        return self

    @property
    def name(self) -> str:
        """Of the profile or service."""
        return self.profile or self.service or ""


class Mix(Config):
    """Parts that share a site: a file of ``models/mixes/``."""

    name: str = Field(min_length=1)
    parts: tuple[Part, ...] = Field(min_length=1, strict=False)
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _adds_up(self) -> "Mix":
        total = sum(part.gpu_time_frac for part in self.parts)
        if abs(total - 1) > _SUM_WITHIN:
            raise ValueError(f"the shares of GPU time add up to {total:g}, not to 1")
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise ValueError("a part stands twice; add up its shares")
        return self


def load_mix(name: str) -> Mix:
    """The mix of ``models/mixes/NAME.yaml``.

    Raises:
        CatalogError: no such mix, or every fault of its file with line and column.
    """
    return catalog.validated(Mix, catalog.document("mixes", name))


def generate_mix(
    mix: Mix,
    gpus: float,
    horizon: Horizon,
    sites: tuple[Site, ...],
    seed: int,
    *,
    ramp: tuple[float, float],
    warm_start: WarmStart,
    accepts: ByClass = None,
) -> JobTable:
    """Jobs of all parts in order of submission, running ones first; ids begin with the part.

    Args:
        mix: what runs, and its share of GPU time.
        gpus: GPUs asked for on average over whole weeks, before the ramp and were there no limit.
        horizon: when, and in whose local time.
        sites: where.
        seed: the same seed gives the same bytes; each part has streams of its own, by its name.
        ramp: factor on every rate at the start and at the end of the horizon, linear between.
        warm_start: as in `generate` and `generate_service`.
        accepts: names of boards that jobs run on, or names by class, where their part does not
            say; None: any.

    Raises:
        CatalogError: an unknown profile or service, or one that cannot be met.
    """
    tables = []
    for part in mix.parts:
        share, prefix = gpus * part.gpu_time_frac, f"{part.name}/"
        boards = part.accepts or accepts
        if part.service is not None:
            service = load_service(part.service)
            per_day = share / service_gpus(service, 1.0)
            table = generate_service(
                service, per_day, horizon, sites,
                ramp=ramp, warm_start=warm_start, id_prefix=prefix, accepts=boards,
            )  # fmt: skip
        else:
            profile = load_profile(part.name)
            per_day = share * S_PER_DAY / profile.gpu_s_per_job
            table = generate(
                profile, per_day, horizon, sites, _seed(seed, part.name),
                ramp=ramp, warm_start=warm_start, id_prefix=prefix, accepts=boards,
            )  # fmt: skip
        tables.append(table)
    jobs = concatenate(tables)
    return jobs.take(np.lexsort((jobs.job_id.astype(str), ~jobs.warm, jobs.submit_s)))


def _seed(seed: int, name: str) -> int:
    """A seed of its own for a part, whatever the other parts are."""
    return int(np.random.SeedSequence((seed, *name.encode())).generate_state(1)[0])
