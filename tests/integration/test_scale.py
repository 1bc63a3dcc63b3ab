"""The scale that is promised: jobs per CPU second beside bare SimPy, and memory that does not grow."""

import tracemalloc
from pathlib import Path

import numpy as np

import aidc
from aidc.api.long_run import simulate_long
from benchmarks.jobs import bare_starts, cpu_s, pool_starts
from tests.integration.test_long_run import QUIET, WEEK
from tests.w1 import NODES, w1_jobs

# bare SimPy does about 40,000 jobs of W1 in a CPU second of a machine on which 150,000 are asked for;
# FIFO was measured at six to eight times bare SimPy and EASY backfill at five to six
LEAST_TIMES = {"fifo": 4.0, "easy_backfill": 3.0}


def test_a_pool_with_policy_and_power_plays_w1_several_times_as_fast_as_a_process_a_job() -> None:
    jobs = w1_jobs(1)
    bare, expected = cpu_s(lambda: bare_starts(jobs, NODES))
    for policy, least in LEAST_TIMES.items():
        ours, starts = cpu_s(lambda name=policy: pool_starts(jobs, NODES, name))
        np.testing.assert_allclose(starts, expected, atol=1e-6)
        assert bare / ours >= least, policy


def test_three_weeks_need_the_memory_of_one_and_their_columns(tmp_path: Path) -> None:
    def peak_mb(days: int) -> tuple[float, int]:
        sets = [f"end=2023-07-{3 + days:02d}T00:00:00+08:00", "pathway=null"]
        scenario = aidc.load(WEEK, sets=[*sets, "workload.jobs_per_day=1000"])
        tracemalloc.start()
        told = simulate_long(scenario, tmp_path / f"{days}", QUIET)
        mb = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        return mb, told["jobs"]

    peak_mb(1)  # what is imported and read once
    (one, jobs), (three, more_jobs) = peak_mb(7), peak_mb(21)
    assert more_jobs > 2.9 * jobs > 20_000
    assert three < 1.25 * one
