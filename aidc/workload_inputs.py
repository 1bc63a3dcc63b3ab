"""The workload block of a scenario: which jobs there are, and on which boards they may run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from aidc import catalog
from aidc.config import Config, Number, Time, WrittenHours
from aidc.data_file import DataFile
from aidc.site import Site


def _form(value: object) -> str:
    return "by class" if isinstance(value, Mapping) else "of all jobs"


Boards = Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
ClassBoards = Annotated[Mapping[str, Boards], Field(min_length=1)]  # classes not named accept any
AcceptedBoards = (
    Annotated[
        Annotated[Boards, Tag("of all jobs")] | Annotated[ClassBoards, Tag("by class")],
        Discriminator(_form),
    ]
    | None
)


class LongRun(Config):
    """One job that is named instead of drawn, such as the training of a large model. It never waits."""

    name: str = Field(min_length=1)
    gpu_count: int = Field(ge=1)
    work_h: WrittenHours = Field(alias="work", gt=0)  # run time on the reference board, no faults
    after_h: WrittenHours = Field(default=0.0, alias="after", ge=0)  # from the start to submission
    job_class: str = "training"
    scaling: str | None = (
        None  # a row of models/gang_scaling.csv, if work is the time at perfect scaling
    )


class Workload(Config):
    """What every kind of workload may say."""

    class_power: Literal["value", "low", "high"] = (
        "value"  # of each class, in models/job_classes.csv
    )
    accepts: AcceptedBoards = None  # boards that the jobs run on; none given: any
    faults: str = "no-faults"  # a row of models/fault_rules.csv
    runs: tuple[LongRun, ...] = Field(default=(), strict=False)  # beside the other jobs


class SyntheticWorkload(Workload):
    """Jobs that are made, not recorded."""

    reference_gpu: str = "a100-sxm"  # board that run times belong to
    ramp: tuple[Number, Number] = Field(
        default=(1.0, 1.0), strict=False
    )  # factor on the rate, first and last day
    warm_start: Literal["stationary", "empty"]


class GeneratedWorkload(SyntheticWorkload):
    """Jobs drawn from published moments."""

    kind: Literal["generated"]
    profile: str
    jobs_per_day: Number = Field(gt=0)


class ServiceWorkload(SyntheticWorkload):
    """Replicas of a model that answer requests: nothing else, and none of it waits."""

    kind: Literal["service"]
    service: str  # a file of models/services/
    requests_per_day: Number = Field(gt=0)


class MixedWorkload(SyntheticWorkload):
    """Profiles and services that share the sites."""

    kind: Literal["mixed"]
    mix: str  # a file of models/mixes/
    gpus: Number = Field(gt=0)  # asked for on average, before the ramp


class TraceWorkload(Workload):
    """Jobs of a recorded trace; their own queueing is only for comparison."""

    kind: Literal["trace"]
    format: Literal[
        "helios", "acme", "philly", "philly-json", "alibaba-2020", "alibaba-2023", "swf"
    ]
    file: DataFile
    zone: str | None = None  # IANA name: of the wall clock in a Philly trace
    epoch: Time | None = None  # when second 0 of an Alibaba or SWF trace was
    class_shares: str = "research-cluster"  # profile whose class mix the jobs draw from
    reference_gpu: str | None = (
        None  # board of the trace; none given: run times hold on every board
    )
    shift_h: WrittenHours = Field(
        default=0.0, alias="shift"
    )  # moves the trace's times; whole weeks keep weekdays
    limit_factor: Number = Field(ge=1)  # what backfill expects over the recorded run time


AnyWorkload = GeneratedWorkload | ServiceWorkload | MixedWorkload | TraceWorkload


def board_faults(work: AnyWorkload, sites: Mapping[str, Site]) -> list[str]:
    """Boards, classes and caps that are not in the catalog, and named runs twice: ``key: message`` each."""
    faults = []
    pools = [(name, pool) for name, site in sites.items() for pool in site.pools]
    speeds = dict.fromkeys(catalog.names("gpu_speeds"))
    known = dict.fromkeys([*catalog.names("gpus"), *(p.server.gpu.name for _, p in pools)])
    classes = dict.fromkeys(catalog.names("job_classes"))
    faults += [
        f"{key}: {catalog.missing('gpus.csv', name, known)}"
        for key, boards in _accepts(work).items()
        for name in boards
        if name not in known
    ]
    if isinstance(work.accepts, Mapping):
        faults += [
            f"workload.accepts.{name}: {catalog.missing('job_classes.csv', name, classes)}"
            for name in work.accepts
            if name not in classes
        ]
    if work.reference_gpu is not None:
        boards = {pool.server.gpu.name for _, pool in pools} - {work.reference_gpu}
        for name in sorted({work.reference_gpu, *boards} - speeds.keys()) if boards else ():
            message = catalog.missing("gpu_speeds.csv", name, speeds)
            faults.append(f"workload.reference_gpu: {message}")
    for index, run in enumerate(work.runs):
        if run.job_class not in classes:
            message = catalog.missing("job_classes.csv", run.job_class, classes)
            faults.append(f"workload.runs.{index}.job_class: {message}")
        faults += _scaling_faults(run, f"workload.runs.{index}")
        if run.name in [other.name for other in work.runs[:index]]:
            faults.append(f"workload.runs.{index}.name: '{run.name}' stands twice")
    lowest = {
        row["name"]: float(row["cap_frac"].split()[0]) for row in catalog.records("power_caps")
    }
    for name, pool in pools:
        cap, board = pool.power_cap_frac, pool.server.gpu.name
        place = f"sites.{name}.overrides.pools: power_cap of {pool.name}"
        if cap is not None and board not in lowest:
            faults.append(f"{place}: {catalog.missing('power_caps.csv', board, lowest)}")
        elif cap is not None and cap < lowest[board]:
            faults.append(
                f"{place}: {cap:g} is below {lowest[board]:g}, the lowest known of {board}"
            )
    return faults


def _scaling_faults(run: LongRun, key: str) -> list[str]:
    """A law of scaling that is not in the catalog, or a gang beyond the sizes that it is known for."""
    if run.scaling is None:
        return []
    largest = {row["name"]: int(row["gpu_count_max"]) for row in catalog.records("gang_scaling")}
    if run.scaling not in largest:
        return [f"{key}.scaling: {catalog.missing('gang_scaling.csv', run.scaling, largest)}"]
    if run.gpu_count > (most := largest[run.scaling]):
        told = f"{run.gpu_count} is beyond the {most} that scaling {run.scaling} is known to"
        return [f"{key}.gpu_count: {told}; leave scaling out and give the run time as work"]
    return []


def _accepts(work: AnyWorkload) -> dict[str, tuple[str, ...]]:
    """Boards that a workload names, by the key that names them."""
    if isinstance(work.accepts, Mapping):
        return {f"workload.accepts.{name}": boards for name, boards in work.accepts.items()}
    return {"workload.accepts": work.accepts or ()}
