"""Quotas of virtual clusters: kept by the baseline, by the plan, and in its replay."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.errors import ScenarioError
from aidc.schedule import Schedule
from aidc.trace import Trace
from tests.integration.test_plan_replay import room

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"
QUOTAS = {"vc-012": 16, "vc-015": 8, "vc-042": 16, "vc-059": 8, "vc-061": 4, "vc-085": 64}
UNBOUND_BOARDS = 17  # vc-059 holds as many without a quota


def most_held(jobs: pd.DataFrame, vc: str) -> int:
    """Boards that a virtual cluster holds at the worst instant."""
    mine = jobs[(jobs["vc"] == vc) & jobs["start_s"].notna()]
    at = mine["start_s"].to_numpy()
    held = (at[:, None] >= at) & (at[:, None] < mine["end_s"].fillna(np.inf).to_numpy())
    return int((held @ mine["gpu_count"].to_numpy()).max(initial=0))


@cache
def runs() -> tuple[Trace, Schedule, Trace]:
    scenario = room().replace_all(
        {"baseline.queue": {"vc_quota": QUOTAS}, "flexibility.deferrable_frac": 1.0}
    )
    before = aidc.simulate(scenario)
    schedule = aidc.plan(before)
    return before, schedule, aidc.simulate(scenario, schedule=schedule)


def test_no_cluster_passes_its_quota_in_the_baseline_or_under_the_plan() -> None:
    before, _, after = runs()
    assert most_held(aidc.simulate(room()).jobs, "vc-059") == UNBOUND_BOARDS > QUOTAS["vc-059"]
    for vc, quota in QUOTAS.items():
        assert 0 < most_held(before.jobs, vc) <= quota
        assert most_held(after.jobs, vc) <= quota


def test_a_plan_within_quotas_starts_jobs_when_it_said_and_names_the_full_ones() -> None:
    _, schedule, after = runs()
    planned, started = schedule.decisions["start_s"], after.jobs["start_s"]
    np.testing.assert_allclose(started, planned, atol=1e-6)
    assert sum(proof.jobs_moved for proof in schedule.windows) > 0
    assert [proof.quotas for proof in schedule.windows] == ["vc-042"]


def test_a_job_larger_than_its_quota_is_refused_with_that_reason() -> None:
    scenario = room().replace("baseline.queue", {"vc_quota": {"vc-085": 63}})
    jobs = aidc.simulate(scenario).jobs
    refused = jobs[jobs["reason"] == "larger than the quota of its virtual cluster"]
    assert set(refused["vc"]) == {"vc-085"}
    assert (refused["gpu_count"] > 63).all()


def test_queues_that_promise_on_arrival_refuse_quotas() -> None:
    with pytest.raises(ScenarioError, match="carbon promises starts on arrival"):
        aidc.load(WEEK, sets=["baseline.policy=carbon", "baseline.queue={vc_quota: {vc-001: 8}}"])
