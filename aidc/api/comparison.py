"""Several scenarios run and put side by side on the same random streams."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from aidc.api.drivers import drivers_of
from aidc.api.main_job import run
from aidc.api.progress import Stages
from aidc.errors import InputError
from aidc.reporting import difference_table
from aidc.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` found.

    Attributes:
        table: figures side by side, with differences to the first.
        notes: what a reader has to know before comparing.
        faults: name -> why it has no plan.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    faults: dict[str, str]


def compare(
    scenarios: Sequence[Scenario],
    out: Path,
    *,
    planned: bool,
    stages: Stages,
) -> Comparison:
    """Runs each scenario into a folder of its own and compares them with the first.

    Args:
        scenarios: at least two, of different names.
        out: their folders go below; ``compare.csv`` goes here.
        planned: compare the optimised runs, else the baselines.
        stages: who tells of progress.

    Raises:
        InputError: fewer than two, or two of one name.
    """
    names = [scenario.name for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if len(names) < 2 or twice:
        raise InputError(
            f"two scenarios are named {', '.join(twice)}; give each a name of its own"
            if twice
            else "a comparison needs at least two scenarios"
        )
    summaries: dict[str, dict[str, Any]] = {}
    faults: dict[str, str] = {}
    for scenario in scenarios:
        made = run(
            scenario,
            out / scenario.name,
            planned=planned,
            ends=False,
            stages=stages.of(scenario.name),
        )
        summaries[scenario.name] = made.summary
        if made.fault is not None:
            faults[scenario.name] = str(made.fault)
    table = difference_table(summaries, "optimized" if planned else "baseline")
    table.to_csv(out / "compare.csv", lineterminator="\n")
    return Comparison(table, tuple(_notes(scenarios)), faults)


def _notes(scenarios: Sequence[Scenario]) -> list[str]:
    first, *others = scenarios
    notes = []
    for other in others:
        if _job_hash(other) != _job_hash(first):
            notes.append(
                f"{other.name} does not have the jobs of {first.name}: differences mix work and plant"
            )
        if (other.start, other.end) != (first.start, first.end):
            notes.append(
                f"{other.name} covers another period than {first.name}: totals do not compare"
            )
    return notes


def _job_hash(scenario: Scenario) -> str:
    jobs = drivers_of(scenario).jobs
    parts = (jobs.submit_s.tobytes(), jobs.run_s.tobytes(), jobs.gpu_count.tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()
