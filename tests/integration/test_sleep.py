"""A site whose idle servers sleep: less energy, jobs that boot them, and accounts that still add up."""

from pathlib import Path

import numpy as np
import pytest

import aidc
from aidc.errors import InputError
from aidc.trace import Trace
from aidc.workload.power import asleep_kw_per_gpu

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
DAY = ["end=2023-07-05T00:00:00+08:00", "workload.jobs_per_day=2000", "pathway=null"]
SLEEP = "site.pools.0.sleep_after_min=10"


@pytest.fixture(scope="module")
def awake() -> Trace:
    return aidc.simulate(aidc.load(WEEK, sets=DAY))


@pytest.fixture(scope="module")
def asleep() -> Trace:
    return aidc.simulate(aidc.load(WEEK, sets=[*DAY, SLEEP]))


def test_sleeping_servers_save_what_they_would_idle_at(awake: Trace, asleep: Trace) -> None:
    run = asleep.job_runs["lingang"]
    pool = asleep.scenario.sites["lingang"].site.pools[0]
    assert (run.gpus + run.asleep <= pool.gpu_count + 1e-6).all()
    saved = run.asleep * asleep_kw_per_gpu(pool)
    np.testing.assert_allclose(awake.job_runs["lingang"].idle_kw - run.idle_kw, saved, rtol=1e-9)
    assert asleep.kwh("it_kw") < 0.9 * awake.kwh("it_kw")
    assert asleep.kwh("cooling_kw") < awake.kwh("cooling_kw")
    for trace in (awake, asleep):
        parts = trace.accounts["jobs_kwh"] + trace.accounts["unallocated_kwh"]
        assert parts == pytest.approx(trace.accounts["meter_kwh"], rel=1e-9)


def test_a_job_that_boots_servers_holds_them_for_so_long_more(awake: Trace, asleep: Trace) -> None:
    table = asleep.jobs[asleep.jobs["state"].isin(["completed", "failed", "cancelled"])]
    before = awake.jobs.set_index("job_id").loc[table["job_id"]]
    ran = (table["end_s"] - table["start_s"]).to_numpy()
    longer = ran - (before["end_s"] - before["start_s"]).to_numpy()
    boot_s = asleep.scenario.sites["lingang"].site.pools[0].server.boot_s
    booted = longer > 1.0
    np.testing.assert_allclose(longer[booted], boot_s, atol=1e-6)
    np.testing.assert_allclose(longer[~booted], 0.0, atol=1e-6)
    assert 0 < booted.sum() < 0.5 * len(table)


def test_a_plan_and_a_run_by_the_week_refuse_servers_that_sleep(asleep: Trace) -> None:
    with pytest.raises(InputError, match="a plan takes all servers as awake"):
        aidc.plan(asleep)
