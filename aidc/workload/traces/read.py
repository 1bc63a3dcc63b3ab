"""One way to read a recorded trace, whatever its format."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aidc.config import nearest
from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.site import Site
from aidc.workload.accepts import ByClass
from aidc.workload.traces.acme import read_acme
from aidc.workload.traces.alibaba import read_alibaba_2020, read_alibaba_2023, task_table
from aidc.workload.traces.helios import read_helios
from aidc.workload.traces.philly import read_philly, read_philly_json
from aidc.workload.traces.rows import Jobs, ReadReport, job_table
from aidc.workload.traces.source import Source
from aidc.workload.traces.swf import read_swf

# The times of a format say themselves when they are, lack a zone, or are seconds from a start.
_SELF_TOLD: Final[Mapping[str, Callable[[Source, Jobs], None]]] = {
    "helios": read_helios,
    "acme": read_acme,
}
_WALL_CLOCK: Final[Mapping[str, Callable[[Source, Jobs, ZoneInfo], None]]] = {
    "philly": read_philly,
    "philly-json": read_philly_json,
}
_SECONDS: Final[Mapping[str, Callable[[Source, Jobs, float], None]]] = {
    "alibaba-2020": read_alibaba_2020,
    "alibaba-2023": read_alibaba_2023,
}
_TITLES: Final = {
    "helios": "Helios trace",
    "acme": "Acme trace",
    "philly": "Philly table",
    "philly-json": "Philly log",
    "alibaba-2020": "PAI job table",
    "alibaba-2023": "Alibaba pod list",
    "swf": "SWF log",
}
FORMATS: Final = tuple(_TITLES)


def read_trace(
    format_: str,
    path: Path,
    horizon: Horizon,
    sites: tuple[Site, ...],
    *,
    limit_factor: float,
    class_shares: Mapping[str, float],
    zone: str | None = None,
    epoch: datetime | None = None,
    accepts: ByClass = None,
) -> tuple[JobTable, ReadReport]:
    """Jobs of a trace that were submitted within the horizon, and what was left out.

    Submission and run time are the recorded ones; starts and queues are left to the simulation.
    No trace knows a power class: each job draws one by its id. A job that shares a board takes
    the whole board; the report counts them.

    Args:
        format_: one of `FORMATS`.
        path: the file, plain or ``.gz``; of ``alibaba-2020`` the job table.
        horizon: which part of the trace.
        sites: where; jobs go to pools in proportion to their GPUs.
        limit_factor: limit over recorded run time, 1 or more, where the trace has no limits.
        class_shares: share of jobs by power class; assumed.
        zone: IANA name of the zone of the wall clock in a Philly trace, which does not tell it.
        epoch: when second 0 of an Alibaba or SWF trace was, with an offset; an SWF log may tell
            it itself (``UnixStartTime``), and then the argument goes first.
        accepts: names of boards that the jobs run on, or names by class; None: any. A job whose
            trace names boards too runs on those that both name.

    Raises:
        SeriesError: every row that cannot be read, as file and line (the first hundred); a file
            that cannot be read at all or lacks a column; a zone or an epoch that is missing, or
            given to a format that has no use for it.
    """
    if format_ not in _TITLES:
        message = f"no trace format is called '{format_}'{nearest(format_, FORMATS)}"
        raise SeriesError(f"{message}; there are {', '.join(FORMATS)}")
    source, jobs = Source(path, _TITLES[format_]), Jobs.of(horizon)
    if zone is not None and format_ not in _WALL_CLOCK:
        raise _refused(source, "zone", "its times need no zone: leave it out")
    if epoch is not None and (format_ in _SELF_TOLD or format_ in _WALL_CLOCK):
        raise _refused(source, "epoch", "its times are dates: leave the epoch out")
    if format_ in _SELF_TOLD:
        _SELF_TOLD[format_](source, jobs)
    elif format_ in _WALL_CLOCK:
        _WALL_CLOCK[format_](source, jobs, _zone(source, zone))
    elif format_ == "swf":
        read_swf(source, jobs, None if epoch is None else _unix_s(source, epoch))
    else:
        _SECONDS[format_](source, jobs, _unix_s(source, epoch))
    return job_table(source, jobs, sites, limit_factor, class_shares, accepts)


def trace_files(format_: str, path: Path) -> tuple[Path, ...]:
    """Every file that is read for a trace: the named one, and what lies beside it."""
    return (path, task_table(path)) if format_ == "alibaba-2020" else (path,)


def _refused(source: Source, key: str, message: str) -> SeriesError:
    return SeriesError(Fault(str(source.path), 0, 0, key, f"a {source.title}: {message}"))


def _zone(source: Source, name: str | None) -> ZoneInfo:
    if name is None:
        raise _refused(source, "zone", "its times have none: name it, e.g. America/Los_Angeles")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused(source, "zone", f"'{name}' is no IANA zone such as Asia/Shanghai") from None


def _unix_s(source: Source, epoch: datetime | None) -> float:
    if epoch is None:
        asked = "its times are seconds: give the epoch, the time of second 0, with its offset"
        raise _refused(source, "epoch", asked)
    if epoch.tzinfo is None:
        raise _refused(source, "epoch", f"{epoch.isoformat()} has no offset, e.g. +08:00")
    return epoch.timestamp()
