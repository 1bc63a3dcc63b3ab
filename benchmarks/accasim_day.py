"""One day of W1 through AccaSim, beside bare SimPy and ours: ``python -m benchmarks.accasim_day``.

AccaSim 1.1.3 [1] is no dependency of ours: it has an interpreter of its own, which the environment
names::

    python3.11 -m venv accasim-venv && accasim-venv/bin/pip install accasim==1.1.3
    AIDC_ACCASIM_PYTHON=accasim-venv/bin/python python -m benchmarks.accasim_day

Every run is a process of its own, one after the other, so that peak memory and CPU time are its own.
All start the same gangs of whole nodes, first come first served without backfill, and must agree on
every start. What each does besides differs; the table of benchmarks/README.md says it.

References:
    [1] Galleguillos, Kiziltan, Netti, Soto, "AccaSim: a customizable workload management simulator
        for job dispatching research in HPC systems", Cluster Computing 23 (2020), pypi.org/project/accasim.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import aidc
from aidc.workload.traces.swf import write_swf
from benchmarks.jobs import REPEATS, bare_starts, pool_starts
from tests.integration.test_w1_full import w1_trace
from tests.w1 import DAY_S, GPUS_PER_NODE, NODES, w1_finished, w1_jobs

Array = NDArray[np.float64]
INTERPRETER = "AIDC_ACCASIM_PYTHON"
ACCASIM = "AccaSim 1.1.3, FIFO, first fit"
START_S = DAY_S  # of AccaSim's clock, which goes wrong where a time is 0


@dataclass(frozen=True)
class Day:
    """What one process tells of the day; times are from its start, in the order of submission."""

    cpu_s: float  # without the start of the interpreter and the imports at its top
    peak_mib: float  # of the whole process
    start_s: Array
    end_s: Array

    @classmethod
    def read(cls, path: Path, clock_s: float) -> "Day":
        found = json.loads(path.read_text(encoding="ascii"))
        lines = found["status"].splitlines()
        peak_kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        times = (np.array(found[name]) - clock_s for name in ("start_s", "end_s"))
        return cls(found["cpu_s"], peak_kib / 1024, *times)


def bare() -> tuple[Array, Array]:
    jobs = w1_jobs(1)
    starts = bare_starts(jobs, NODES)
    return starts, starts + jobs.run_s


def pool() -> tuple[Array, Array]:
    jobs = w1_jobs(1)
    starts = pool_starts(jobs, NODES, "fifo")
    return starts, starts + jobs.run_s


def chain() -> tuple[Array, Array]:
    """The scenario is read, its drivers are made, pool and plant simulated, the books drawn up."""
    trace = w1_trace()
    aidc.account(trace)
    jobs = trace.jobs.sort_values("job_id")
    return jobs["start_s"].to_numpy(), jobs["end_s"].to_numpy()


OURS: dict[str, tuple[str, Callable[[], tuple[Array, Array]]]] = {
    "bare": ("bare SimPy, a process a job", bare),
    "pool": ("our pool, FIFO, with power", pool),
    "chain": ("our whole chain", chain),
}


def play(name: str, result: Path) -> None:
    """One of ours, in this process."""
    began = time.process_time()
    starts, ends = OURS[name][1]()
    found = {
        "cpu_s": time.process_time() - began,
        "status": Path("/proc/self/status").read_text(encoding="ascii"),
        "start_s": starts.tolist(),
        "end_s": ends.tolist(),
    }
    result.write_text(json.dumps(found), encoding="ascii")


def quickest(command: list[str], result: Path, clock_s: float) -> Day:
    """The run of least CPU time."""
    days = []
    for _ in range(REPEATS):
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(f"{' '.join(command)}:\n{ran.stderr}")
        days.append(Day.read(result, clock_s))
    return min(days, key=lambda day: day.cpu_s)


def through_accasim(interpreter: str, folder: Path) -> Day:
    """A processor of the file is a node, and a node has one core: a gang holds whole nodes."""
    jobs = w1_jobs(1)
    swf, system, result = (folder / name for name in ("w1.swf", "system.json", "accasim.json"))
    write_swf(jobs.with_columns(gpu_count=jobs.gpu_count // GPUS_PER_NODE), swf)
    config = {
        "start_time": START_S,
        "equivalence": {"processor": {"core": 1}},
        "groups": {"node": {"core": 1}},
        "resources": {"node": NODES},
    }
    system.write_text(json.dumps(config), encoding="ascii")
    script = Path(__file__).with_name("accasim_run.py")
    command = [interpreter, "-I", *map(str, (script, swf, system, result))]
    return quickest(command, result, START_S)


def main() -> None:
    interpreter = os.environ.get(INTERPRETER)
    if interpreter is None:
        sys.exit(f"{INTERPRETER} does not name an interpreter that has AccaSim; {__doc__}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        days = {}
        for key, (who, _) in OURS.items():
            result = folder / f"{key}.json"
            command = [sys.executable, "-m", "benchmarks.accasim_day", key, str(result)]
            days[who] = quickest(command, result, 0.0)
        days[ACCASIM] = through_accasim(interpreter, folder)
    jobs = w1_jobs(1)
    closed = w1_finished(1)
    print(f"{len(jobs):,} jobs on {NODES:,} nodes; least CPU time of {REPEATS} processes")
    print("| who | CPU s | of AccaSim's | jobs per CPU s | peak MiB | ended |")
    print("|---|---|---|---|---|---|")
    for who, day in days.items():
        np.testing.assert_array_equal(day.start_s, jobs.submit_s)  # nobody waits
        ended = int((day.end_s <= DAY_S).sum())
        assert ended == closed, (
            f"{who}: {ended} jobs ended in the day, the closed form has {closed}"
        )
        print(
            f"| {who} | {day.cpu_s:.2f} | 1/{days[ACCASIM].cpu_s / day.cpu_s:,.0f} | "
            f"{len(jobs) / day.cpu_s:,.0f} | {day.peak_mib:,.0f} | "
            f"{ended:,} |"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        play(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
