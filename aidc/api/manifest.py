"""What rebuilds a run: the scenario as resolved, hashes of what was read, versions, solver results, times."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from aidc import __version__, catalog
from aidc.data_file import data_path
from aidc.scenario import (
    CsvWeather,
    EpwWeather,
    Scenario,
    SeriesIntensity,
)
from aidc.schedule import Schedule
from aidc.workload.traces import trace_files
from aidc.workload_inputs import TraceWorkload

PACKAGES = (
    "pyomo",
    "highspy",
    "pandas",
    "numpy",
    "scipy",
    "simpy",
    "pvlib",
    "matplotlib",
    "pydantic",
    "pyarrow",
)


def manifest(
    scenario: Scenario,
    schedule: Schedule | None,
    seconds: Mapping[str, float],
    summary: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest of a run; the only file with wall times in it."""
    limited = schedule is not None and schedule.status != "optimal"
    return {
        "schema_version": 1,
        "aidc": __version__,
        "name": scenario.name,
        "seed": scenario.seed,
        "scenario": scenario.model_dump(mode="json", by_alias=True),
        "origins": scenario.origins,
        "inputs": inputs(scenario),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "wall_s": dict(seconds),
        "plan": summary.get("plan"),
        "windows": [asdict(window) for window in schedule.windows] if schedule else [],
        "reproducible": not limited,
        "reproducible_why": "a time limit bit before the gap was reached, or a window has no plan"
        if limited
        else "",
    }


def inputs(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every data file and of every file of the catalog."""
    found: dict[str, str] = {}
    files = [
        choice.weather.file
        for choice in scenario.sites.values()
        if isinstance(choice.weather, EpwWeather | CsvWeather)
    ]
    files += [
        choice.grid.intensity.file
        for choice in scenario.sites.values()
        if isinstance(choice.grid.intensity, SeriesIntensity)
    ]
    if isinstance(scenario.workload, TraceWorkload):
        work = scenario.workload
        files += [path.as_posix() for path in trace_files(work.format, Path(work.file))]
    for file in files:
        found[file] = hashlib.sha256(data_path(file, scenario.folder).read_bytes()).hexdigest()
    for path in sorted(catalog.root().rglob("*")):
        if path.suffix in (".csv", ".yaml"):
            name = f"models/{path.relative_to(catalog.root()).as_posix()}"
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
