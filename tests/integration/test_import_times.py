"""Importing aidc and asking for help are quick, because what is heavy is imported where it is used."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = {"scipy", "pvlib", "pyomo", "highspy", "matplotlib", "pandas", "simpy", "pyarrow", "jinja2"}


def python(code: str) -> tuple[float, str]:
    """CPU time [s] and stdout of a fresh interpreter; wall time hangs on what else the machine does."""
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0, done.stderr
    return taken_s, done.stdout


def heavy_after(code: str) -> set[str]:
    """Heavy packages that an interpreter has loaded after some code."""
    _, out = python(f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))")
    return HEAVY & set(json.loads(out.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "limit_s"),
    [
        ("import aidc", 1.0),
        ("import aidc.bms", 0.8),
        ("import sys; sys.argv[1:] = ['--help']; from aidc.cli import main; main()", 0.5),
    ],
    ids=["import", "bms", "help"],
)
def test_the_best_of_three_is_within_its_time(code: str, limit_s: float) -> None:
    assert min(python(code)[0] for _ in range(3)) < limit_s


@pytest.mark.parametrize(
    "code", ["import aidc", "import aidc.bms", "import aidc.cli", "import aidc.plant.facility"]
)
def test_nothing_heavy_is_imported_before_it_is_used(code: str) -> None:
    assert heavy_after(code) == set()


def test_loading_a_scenario_needs_pandas_for_its_calendar_and_nothing_else_heavy() -> None:
    scenario = REPOSITORY / "scenarios" / "lingang-week.yaml"
    code = f"from aidc.scenario_file import load; load({str(scenario)!r})"
    assert heavy_after(code) <= {"pandas", "pyarrow"}


def test_what_is_heavy_would_be_seen() -> None:
    assert heavy_after("import simpy") == {"simpy"}
