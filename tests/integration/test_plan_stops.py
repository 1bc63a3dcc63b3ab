"""A plan that stops jobs, played: boards come free, restarts are paid, nobody is late, and it is as promised."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.plan_folder import plan_into
from aidc.api.progress import Stages
from aidc.api.verbs import lived
from aidc.errors import ScenarioError
from aidc.scenario import Scenario
from aidc.schedule import CERTIFICATE, Schedule
from aidc.trace import Trace
from aidc.verifier import findings
from tests.windows import SCENARIOS

RESTART_S = 300.0
SETS = [
    "pathway=null", "end=2023-07-05T00:00:00+08:00", "step=60 min", "plan.objective=cost", "plan.window=36 h",
    "workload.jobs_per_day=600", "flexibility.deferrable_frac=0.5", "flexibility.restart=5 min",
    "site.overrides={pools: [{name: a100, server: a100-8gpu, server_count: 64}]}",
]  # fmt: skip


@cache
def room(interruptible_frac: float) -> Scenario:
    """Two days of 512 boards under a tariff with three steps a day."""
    sets = [*SETS, f"flexibility.interruptible_frac={interruptible_frac}"]
    return aidc.load(SCENARIOS / "lingang-week.yaml", sets=sets)


@cache
def planned(interruptible_frac: float) -> tuple[Trace, Schedule, Trace, Trace]:
    """Baseline, schedule, the run in which it was planned, and its replay."""
    scenario = room(interruptible_frac)
    before = aidc.simulate(scenario)
    schedule, run = lived(scenario, before)
    return before, schedule, run, aidc.simulate(scenario, schedule=schedule)


def test_the_replay_stops_jobs_when_the_plan_says_and_is_the_run_of_the_plan() -> None:
    _, schedule, run, replay = planned(1.0)
    pd.testing.assert_frame_equal(run.frame, replay.frame, check_exact=True)
    stops = schedule.stops()
    assert len(stops) == schedule.totals()["jobs_stopped"] > 3, (
        "a plan that stops nobody shows nothing"
    )
    assert replay.counts["planned_stops_missed"] == replay.counts["planned_starts_missed"] == 0
    ran = next(iter(replay.job_runs.values())).runs
    for row, of_job in stops.items():
        mine = np.flatnonzero(ran.job == row)
        mine = mine[np.argsort(ran.start_s[mine])]
        assert ran.end_s[mine][:-1] == pytest.approx(of_job[:, 0], abs=1e-6)
        assert ran.start_s[mine][1:] == pytest.approx(of_job[:, 1], abs=1e-6)
    told = replay.jobs.set_index("job_id")["stops"].loc[schedule.decisions["job_id"]].to_numpy()
    assert told.sum() == schedule.totals()["stops"]
    assert [told[row] for row in stops] == [len(one) for one in stops.values()]


def test_stopped_jobs_do_their_work_and_a_restart_each_time_and_none_is_late() -> None:
    before, schedule, _, replay = planned(1.0)
    jobs = replay.jobs.set_index("job_id").loc[before.jobs["job_id"]]
    run_s = np.minimum(
        *(getattr(drivers_of(room(1.0)).jobs, name) for name in ("run_s", "limit_s"))
    )
    run_s = pd.Series(run_s, drivers_of(room(1.0)).jobs.job_id).loc[jobs.index].to_numpy()
    ended = jobs["state"].isin(["completed", "failed", "cancelled", "killed"]).to_numpy()
    owed_s = run_s + jobs["stops"].to_numpy() * RESTART_S
    assert jobs["ran_s"].to_numpy()[ended] == pytest.approx(owed_s[ended], abs=1e-5)
    assert (jobs["stops"].to_numpy()[~ended] == 0).all()
    assert not jobs["late"].to_numpy()[~before.jobs["late"].to_numpy()].any()
    stopped = jobs[jobs["stops"] > 0]
    assert (stopped["end_s"] <= stopped["deadline_s"] + 1e-6).all()
    assert set(stopped["class"]) <= {"training", "fine-tune"}
    assert (schedule.decisions["reason"] == "stopped by the plan in between").sum() == len(stopped)


def test_the_energy_of_all_jobs_and_of_idle_boards_is_the_meter() -> None:
    before, _, _, replay = planned(1.0)
    parts = replay.accounts["jobs_kwh"] + replay.accounts["unallocated_kwh"]
    assert parts == pytest.approx(replay.accounts["meter_kwh"], rel=1e-9)
    held_gpu_s = (replay.jobs["ran_s"] * replay.jobs["gpu_count"]).sum()
    by_meter = replay.frame["gpus_busy"].sum() * replay.step_h * 3600
    assert by_meter == pytest.approx(held_gpu_s, rel=1e-9)
    at_once = (before.jobs["ran_s"] * before.jobs["gpu_count"]).sum()
    restarts = (replay.jobs["stops"] * replay.jobs["gpu_count"]).sum() * RESTART_S
    assert held_gpu_s == pytest.approx(at_once + restarts, rel=2e-3)


def test_a_plan_that_may_stop_jobs_is_no_worse_than_one_that_may_not() -> None:
    unbroken, stopping = planned(0.0), planned(1.0)
    first, second = unbroken[1].windows[0], stopping[1].windows[0]
    assert second.bound <= first.objective * (1 + 1e-9)
    assert second.objective <= first.objective * (1 + second.gap_frac)
    assert second.objective < first.objective, "here stops are worth their restarts"
    assert not unbroken[1].stops()


def test_the_verifier_finds_the_bounds_of_a_plan_that_stops_jobs_again(
    tmp_path: Path,
) -> None:
    schedule = plan_into(room(1.0), tmp_path, Stages(quiet=True))
    told = list(findings(tmp_path / CERTIFICATE))
    assert [said for *_, said in told] == [[]] * len(schedule.windows)
    assert [found for _, found, _ in told] == pytest.approx([w.bound for w in schedule.windows])
    assert "restart_s" in told[0][0]
    kept = pd.read_parquet(tmp_path / "schedule.parquet")
    assert kept["stopped_s"].map(len).sum() == schedule.totals()["stops"]
    assert (kept["stopped_s"].map(len) == kept["resumed_s"].map(len)).all()


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["plan.foresight=persistence"], "not with plan.foresight: persistence"),
        (["flexibility.restart=null"], "flexibility.restart must say how long"),
        (["flexibility.restart=60 min"], "no less than plan.step"),
        (["plan.power_caps=[0.8]"], "not with plan.power_caps"),
    ],
)
def test_stops_that_no_plan_can_make_are_refused(sets: list[str], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        aidc.load(
            SCENARIOS / "lingang-week.yaml", sets=[*SETS, "flexibility.interruptible_frac=1", *sets]
        )


def test_a_network_whose_jobs_may_be_stopped_is_refused_in_one_message() -> None:
    with pytest.raises(ScenarioError, match="at one site, under perfect foresight"):
        aidc.load(
            SCENARIOS / "network-six-cities.yaml",
            sets=["flexibility.interruptible_frac=0.5", "flexibility.restart=5 min"],
        )


def test_quotas_hold_while_jobs_are_stopped_and_go_on() -> None:
    scenario = room(1.0).replace("baseline.queue.vc_quota", {"vc-000": 96, "vc-001": 64})
    before = aidc.simulate(scenario)
    schedule = aidc.plan(before)
    replay = aidc.simulate(scenario, schedule=schedule)
    assert schedule.stops()
    assert replay.counts["planned_stops_missed"] == replay.counts["planned_starts_missed"] == 0
    runs = next(iter(replay.job_runs.values())).runs
    vc, gpus = (replay.jobs[name].to_numpy()[runs.job] for name in ("vc", "gpu_count"))
    for name, boards in scenario.baseline.queue.vc_quota.items():
        mine = vc == name
        for at in runs.start_s[mine]:
            on = mine & (runs.start_s <= at) & (at < runs.end_s)
            assert gpus[on].sum() <= boards
