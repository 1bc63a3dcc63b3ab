"""A site whose idle servers sleep: less energy, jobs that boot them, and accounts that still add up."""

from pathlib import Path

import numpy as np
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.long_run import simulate_long
from aidc.api.progress import Stages
from aidc.errors import InputError
from aidc.optimization import sleeping
from aidc.optimization.sleeping import Held
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


HOURLY = {"kind": "synthetic", "amplitude": "20 %", "shape": "demand"}


def test_a_plan_over_servers_that_sleep_does_what_it_promised_and_is_no_worse() -> None:
    scenario = aidc.load(WEEK, sets=[*DAY, SLEEP, "plan.window=24 h"]).replace(
        "site.grid.intensity", HOURLY
    )
    before = aidc.simulate(scenario)
    schedule = aidc.plan(before)
    after = aidc.simulate(scenario, schedule=schedule)
    promised, step_h = schedule.promised["lingang"], scenario.plan.step_min / 60
    delivered_kw = after.job_runs["lingang"].reference_kw.sum(axis=0)
    by_slot = delivered_kw.reshape(len(promised), -1).mean(axis=1)
    np.testing.assert_allclose(by_slot, promised["it_reference_kw"], rtol=1e-9)
    assert after.facility_kw.sum() * after.step_h == pytest.approx(
        promised["facility_kw"].sum() * step_h, rel=1e-3
    )
    assert kgco2e(after) < kgco2e(before)
    assert sum(proof.jobs_moved for proof in schedule.windows) > 0
    for proof in schedule.windows:
        assert proof.bound <= proof.objective <= proof.baseline * (1 + 1e-9)


def kgco2e(trace: Trace) -> float:
    frame = trace.frame
    return float((frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() * trace.step_h)


@pytest.mark.parametrize("after_min", [1.0, 10.0, 45.0])
def test_the_planner_s_account_of_who_sleeps_is_the_simulation_s(after_min: float) -> None:
    scenario = aidc.load(WEEK, sets=[*DAY, f"site.pools.0.sleep_after_min={after_min}"])
    trace, pool = aidc.simulate(scenario), scenario.sites["lingang"].site.pools[0]
    jobs = drivers_of(scenario).jobs
    run = trace.job_runs["lingang"]
    there = np.flatnonzero(np.isfinite(run.start_s))
    kw = jobs.added_kw + sleeping.held_kw_per_gpu(pool) * jobs.gpu_count
    held = Held(
        there,
        run.start_s[there],
        np.minimum(jobs.run_s, jobs.limit_s)[there],
        jobs.gpu_count[there].astype(float),
        kw[there],
        np.zeros(len(there), np.int64),
        np.zeros(len(there), bool),
    )
    edges_s = np.arange(len(trace.frame) + 1) * scenario.step_min * 60.0
    np.testing.assert_allclose(
        sleeping.load_kw(pool, held, edges_s), run.reference_kw.sum(axis=0), rtol=1e-9
    )


def test_what_cannot_follow_who_sleeps_refuses_servers_that_sleep(tmp_path: Path) -> None:
    scenario = aidc.load(WEEK, sets=[*DAY, SLEEP])
    with pytest.raises(InputError, match="not carried from week to week"):
        simulate_long(scenario, tmp_path / "weeks", Stages(quiet=True))
    with pytest.raises(InputError, match="only a plan with perfect foresight"):
        aidc.plan(aidc.simulate(scenario.replace("plan.foresight", "persistence")))
