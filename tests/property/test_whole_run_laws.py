"""Laws of whole runs, for any jobs and every policy: Little's law, conservation, and accounts that add up."""

from collections.abc import Iterator
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.job import NOT_IN_TIME, TOO_LARGE, JobTable
from aidc.reporting import Prices
from aidc.reporting.figures import key_figures
from aidc.reporting.tenants import SUMS, tenants
from aidc.scenario import Policy
from aidc.simulation.policies import QUEUES
from aidc.simulation.policies.priority import Priority
from aidc.trace import SHARES, Trace
from aidc.workload.power import idle_kw
from tests.jobs import jobs
from tests.small_site import CLASSES, LENGTH_S, SITE, played, small_drivers, small_scenario, tables

POLICIES = get_args(Policy)
STOPPING = "priority with preemption"
QUANTITIES = ("kwh", "overhead_kwh", "kgco2e", "water_l", "cost_cny")


def let_stop(patch: pytest.MonkeyPatch) -> None:
    """Priority stops training and fine-tuning for what a person waits for."""
    stops = frozenset({"training", "fine-tune"})
    patch.setitem(QUEUES, "priority", lambda table, _: Priority(table, CLASSES, stops))


@pytest.fixture(params=[*POLICIES, STOPPING], scope="module")
def policy(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every policy; and priority that stops jobs."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == STOPPING:
            let_stop(patch)
        yield "priority" if request.param == STOPPING else request.param


def prices() -> dict[str, Prices]:
    drivers = small_drivers().sites[SITE]
    return {SITE: Prices(drivers.demand_cny_per_kw_month, drivers.water_cny_per_m3)}


def ran(policy: Policy, table: JobTable, sleep: bool = False) -> Trace:
    return played(small_scenario(policy, sleep), table)


@settings(max_examples=12, deadline=None)
@given(table=tables(), sleep=st.booleans())
def test_jobs_and_what_nobody_took_add_up_to_the_meter(
    policy: Policy, table: JobTable, sleep: bool
) -> None:
    trace = ran(policy, table, sleep)
    frame = trace.frame
    meter = {
        "kwh": trace.kwh("it_kw"),
        "overhead_kwh": float((trace.facility_kw - frame["it_kw"]).sum() * trace.step_h),
        "kgco2e": float((frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() / 4),
        "water_l": float(frame["water_l_per_h"].sum() * trace.step_h),
    }
    for share, name in zip(SHARES, QUANTITIES, strict=True):
        jobs_take = float(trace.jobs[share].sum())
        whole = trace.accounts[f"meter_{name}"]
        assert jobs_take + trace.accounts[f"unallocated_{name}"] == pytest.approx(whole, rel=1e-9)
        assert jobs_take == pytest.approx(trace.accounts[f"jobs_{name}"], rel=1e-12)
        assert whole == pytest.approx(meter.get(name, whole), rel=1e-12)
        assert (trace.jobs[share] >= 0).all()
        assert trace.accounts[f"unallocated_{name}"] >= -1e-9 * whole


@settings(max_examples=10, deadline=None)
@given(table=tables())
def test_each_job_takes_its_share_of_every_step_that_its_runs_touch(
    policy: Policy, table: JobTable
) -> None:
    trace = ran(policy, table)
    run, step_s = trace.job_runs[SITE], 900.0
    at = {pool.name: pool for pool in trace.scenario.sites[SITE].site.pools}
    reference, it = run.reference_kw.sum(axis=0), trace.frame["it_kw"].to_numpy()
    expected = np.zeros(len(trace.jobs))
    added = _added_kw(trace, table)
    for row, start, end in zip(run.runs.job, run.runs.start_s, run.runs.end_s, strict=True):
        pool = at[table.pool[row]]
        kw = added[row] + table.gpu_count[row] * idle_kw(pool) / pool.gpu_count
        for step in range(len(it)):
            inside = min(end, (step + 1) * step_s) - max(start, step * step_s)
            if inside > 0:
                expected[row] += kw * it[step] / reference[step] * inside / 3600
    np.testing.assert_allclose(trace.jobs["energy_kwh"], expected, rtol=1e-9, atol=1e-12)


def _added_kw(trace: Trace, table: JobTable) -> np.ndarray:
    from aidc.workload.power import with_power

    return with_power(table, (trace.scenario.sites[SITE].site,), "value").added_kw


@settings(max_examples=12, deadline=None)
@given(table=tables())
def test_jobs_and_gpu_time_are_conserved(policy: Policy, table: JobTable) -> None:
    trace = ran(policy, table)
    found = key_figures(trace, prices(), {})
    assert sum(found["job_ends"].values()) == found["jobs_submitted"] == len(table)
    assert set(found["job_ends"]) == {
        "completed", "cancelled", "failed", "killed", "refused", "running", "waiting"
    }  # fmt: skip
    assert sum(found["job_ends_gpu_h"].values()) == pytest.approx(found["gpu_hours"], abs=1e-9)
    assert sum(found["job_ends_it_kwh"].values()) == pytest.approx(trace.accounts["jobs_kwh"])
    assert found["job_ends_gpu_h"]["refused"] == 0
    refused, room = trace.jobs["state"] == "refused", np.where(table.pool == "first", 16, 8)
    assert ((trace.jobs["reason"] != "") == refused).all()
    assert ((trace.jobs["reason"] == TOO_LARGE) == (table.gpu_count > room)).all()
    in_time = trace.jobs["reason"] == NOT_IN_TIME
    assert not in_time.any() or (
        policy == "deadline" and np.isfinite(table.deadline_s[in_time]).all()
    )
    assert sum(found["refusals"].values()) == found["job_ends"]["refused"]
    assert (trace.jobs["ran_s"] <= np.minimum(table.run_s, table.limit_s) + 1e-6).all()
    ended = trace.jobs["state"].isin(["completed", "cancelled", "failed", "killed"])
    np.testing.assert_allclose(
        trace.jobs["ran_s"][ended], np.minimum(table.run_s, table.limit_s)[ended], atol=1e-6
    )
    useful = float((table.gpu_count * table.run_s)[trace.jobs["state"] == "completed"].sum())
    assert found["goodput_frac"] == pytest.approx(useful / (24 * LENGTH_S))
    deadlines = found["deadlines"]
    assert deadlines["jobs"] == sum(deadlines.values()) - deadlines["jobs"]


@settings(max_examples=12, deadline=None)
@given(table=tables())
def test_littles_law_holds_for_the_queue_and_for_what_runs(policy: Policy, table: JobTable) -> None:
    trace = ran(policy, table)
    job = trace.jobs[trace.jobs["state"] != "refused"]
    count = len(job)
    until_s = job["end_s"].fillna(np.inf).clip(upper=LENGTH_S)
    waited_s = until_s - job["submit_s"] - job["ran_s"]  # before the start, and while stopped
    assert (waited_s >= -1e-6).all()
    rate = count / LENGTH_S
    mean_queue = float(trace.frame["queue_jobs"].mean())
    mean_gpus = float(trace.frame["gpus_busy"].mean())
    if count:
        assert mean_queue == pytest.approx(rate * float(waited_s.mean()), rel=1e-9, abs=1e-9)
        gpu_s = float((job["gpu_count"] * job["ran_s"]).mean())
        assert mean_gpus == pytest.approx(rate * gpu_s, rel=1e-9, abs=1e-9)
    else:
        assert mean_queue == mean_gpus == 0


@settings(max_examples=10, deadline=None)
@given(table=tables(), sleep=st.booleans())
def test_the_table_of_tenants_adds_up_to_the_figures_of_the_run(
    policy: Policy, table: JobTable, sleep: bool
) -> None:
    trace = ran(policy, table, sleep)
    found, by = key_figures(trace, prices(), {}), tenants(trace, prices())
    parts, whole = by[by["account"] != "site"], by[by["account"] == "site"].iloc[0]
    for name in ("jobs", "gpu_h", *SUMS):
        assert parts[name].sum() == pytest.approx(whole[name], rel=1e-9), name
    assert whole["it_kwh"] == pytest.approx(found["it_kwh"], rel=1e-12)
    assert whole["overhead_kwh"] == pytest.approx(found["overhead_kwh"], rel=1e-9)
    assert whole["cost_cny"] == pytest.approx(found["cost_cny"], rel=1e-9)
    assert whole["water_l"] == pytest.approx(1000 * found["water_m3"], rel=1e-9)
    assert set(by["vc"]) - {""} == set(table.vc)


@settings(max_examples=12, deadline=None)
@given(table=tables())
def test_servers_in_use_lie_between_packed_and_spread_as_a_count_at_every_instant_says(
    policy: Policy, table: JobTable
) -> None:
    trace = ran(policy, table)
    found, runs = key_figures(trace, prices(), {}), trace.job_runs[SITE].runs
    packed = spread = 0.0
    edges = np.unique(
        np.minimum(np.concatenate([runs.start_s, runs.end_s, [0, LENGTH_S]]), LENGTH_S)
    )
    for low, high in pairwise(edges):
        on = runs.job[(runs.start_s <= low) & (runs.end_s >= high)]
        for name, servers in (("first", 2), ("second", 1)):
            gpus = table.gpu_count[on][table.pool[on] == name]
            packed += -(-int(gpus.sum()) // 8) * (high - low)
            spread += min(int(np.ceil(gpus / 8).sum()), servers) * (high - low)
    assert found["occupancy_frac"] == pytest.approx(packed / (3 * LENGTH_S), abs=1e-12)
    assert found["occupancy_most_frac"] == pytest.approx(spread / (3 * LENGTH_S), abs=1e-12)
    assert found["out_of_service_server_frac"] == pytest.approx(1 - found["occupancy_frac"])
    assert found["utilisation_frac"] <= found["occupancy_frac"] + 1e-9


def test_a_job_that_was_stopped_has_two_runs_and_pays_for_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_stop(monkeypatch)
    table = jobs([0, 1000], [16, 16], [3600, 600], site=SITE, pool="first")
    table = table.with_columns(job_class=np.array(["training", "debug"], object))
    trace = ran("priority", table)
    training, debug = trace.jobs.iloc[0], trace.jobs.iloc[1]
    assert (training["stops"], debug["stops"]) == (1, 0)
    assert (training["wait_s"], debug["wait_s"]) == (0.0, 0.0)
    assert training["ran_s"] == 3600
    assert training["end_s"] == 3600 + 600  # as long as the other ran
    assert trace.frame["queue_jobs"].sum() * 900 == pytest.approx(600)
    assert trace.frame["gpus_busy"].sum() * 900 == pytest.approx(16 * 4200)
    found = key_figures(trace, prices(), {})
    assert found["jobs_stopped"] == 1
    assert found["slowdown"]["mean"] == pytest.approx((4200 / 3600 + 1) / 2)
