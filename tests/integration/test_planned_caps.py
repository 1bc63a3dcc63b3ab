"""A plan that caps jobs, played on the full plant: one room of 256 GPUs for two days."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.verbs import lived
from aidc.bms import Controller
from aidc.errors import InputError, SolverTimeoutError
from aidc.optimization import RollingPlanner, record
from aidc.optimization.problem import WindowProblem
from aidc.optimization.window import WindowPlan, plan_window
from aidc.reporting import words
from aidc.reporting.comparison import work_difference_frac
from aidc.reporting.job_figures import job_figures
from aidc.schedule import Schedule
from aidc.simulation import simulate, with_setpoints
from aidc.trace import Trace
from aidc.verifier import findings
from tests.integration.test_plan_replay import END_OF_TWO, gpu_seconds, kgco2e, room

CAPS = [0.6, 0.8, 1]


@cache
def planned(caps: tuple[float, ...]) -> tuple[Trace, Schedule, Trace, Trace]:
    """Baseline, schedule, the run in which it was planned, and its replay."""
    scenario = room().replace_all({"end": END_OF_TWO, "plan.power_caps": list(caps)})
    before = aidc.simulate(scenario)
    schedule, run = lived(scenario, before)
    return before, schedule, run, aidc.simulate(scenario, schedule=schedule)


def capped() -> tuple[Trace, Schedule, Trace, Trace]:
    return planned(tuple(CAPS))


def by_id(trace: Trace, ids: pd.Series) -> pd.DataFrame:
    return trace.jobs.set_index("job_id").loc[ids].reset_index()


def test_the_replay_is_the_run_in_which_the_caps_were_chosen() -> None:
    _, schedule, run, replay = capped()
    pd.testing.assert_frame_equal(run.frame, replay.frame, check_exact=True)
    for name, jobs in run.job_runs.items():
        np.testing.assert_array_equal(jobs.start_s, replay.job_runs[name].start_s)
        np.testing.assert_array_equal(jobs.end_s, replay.job_runs[name].end_s)
    assert replay.counts["planned_starts_missed"] == 0
    told = by_id(replay, schedule.decisions["job_id"])["power_cap_frac"]
    assert (told.to_numpy() == schedule.decisions["power_cap_frac"].to_numpy()).all()
    assert schedule.totals()["jobs_capped"] == (told < 1).sum() > 10
    assert set(told) <= set(CAPS)


def test_capped_jobs_do_the_same_work_in_more_time_with_less_energy() -> None:
    before, schedule, _, replay = capped()
    ids = schedule.decisions["job_id"][schedule.decisions["power_cap_frac"] < 1]
    was, now = by_id(before, ids), by_id(replay, ids)
    assert (now["ran_s"] > was["ran_s"]).all()
    np.testing.assert_allclose(now["ran_s"] - now["slowed_s"], was["ran_s"], rtol=1e-9)
    done = now["state"] == "completed"
    np.testing.assert_allclose(now["useful_s"][done], was["useful_s"][done])
    assert (now["state"] == was["state"]).all()
    others = ~replay.jobs["job_id"].isin(ids)
    assert (replay.jobs["slowed_s"][others] == 0).all()
    longer = gpu_seconds(replay) - gpu_seconds(before)
    slowed = float(replay.jobs["slowed_s"] @ replay.jobs["gpu_count"])
    assert longer == pytest.approx(slowed, rel=1e-6)
    added = [_above_idle_kwh(trace) for trace in (before, replay)]
    assert added[1] < added[0]


def _above_idle_kwh(trace: Trace) -> float:
    run = next(iter(trace.job_runs.values()))
    return float(run.added_kw.sum() * trace.step_h)


def test_energy_above_idle_is_that_of_the_jobs_at_their_caps() -> None:
    """By hand: a capped board draws its cap, and its idle power is there anyway; all adds up to the meter."""
    _, _, _, replay = capped()
    jobs, server = replay.jobs, next(iter(replay.scenario.sites.values())).site.pools[0].server
    drivers = drivers_of(replay.scenario).jobs
    kw_of = dict(zip(drivers.job_id, drivers.added_kw, strict=True))
    uncapped_kw = jobs["job_id"].map(kw_of).to_numpy(float)
    cap_w = jobs["power_cap_frac"] * server.gpu.max_w
    capped_kw = jobs["gpu_count"] * server.gpu_power_ratio * (cap_w - server.gpu.idle_w) / 1000
    kw = np.where(jobs["power_cap_frac"] < 1, capped_kw, uncapped_kw)
    assert (kw <= uncapped_kw + 1e-9).all(), "a cap never makes a job draw more"
    by_hand = float(kw @ jobs["ran_s"]) / 3600
    assert by_hand == pytest.approx(_above_idle_kwh(replay), rel=1e-9)
    accounts = replay.accounts
    whole = accounts["jobs_kwh"] + accounts["unallocated_kwh"]
    assert whole == pytest.approx(accounts["meter_kwh"], rel=1e-9)
    assert replay.balance_residual < 1e-9


def test_no_job_ends_later_than_one_that_is_put_off_without_a_cap_may() -> None:
    before, schedule, _, replay = capped()
    ids = schedule.decisions["job_id"]
    was, now = by_id(before, ids), by_id(replay, ids)
    slack_s = drivers_of(replay.scenario).jobs.slack_s
    latest_s = np.maximum(was["submit_s"] + slack_s, was["start_s"])
    ran = was["start_s"].notna()
    until_s = latest_s + (was["end_s"] - was["start_s"])
    assert (now["end_s"][ran] <= until_s[ran] + 1e-6).all()
    assert (now["start_s"][ran] >= was["submit_s"][ran] - 1e-6).all()
    assert not now["late"].gt(was["late"]).any()
    rigid = slack_s == 0
    assert (now["power_cap_frac"][rigid] == 1).all()
    np.testing.assert_array_equal(now["start_s"][rigid], was["start_s"][rigid])


def test_boards_are_never_used_twice_under_caps() -> None:
    jobs = capped()[3].jobs
    jobs = jobs[jobs["start_s"].notna()]
    for at in jobs["start_s"]:
        on = (jobs["start_s"] <= at) & (jobs["end_s"] > at)
        assert jobs["gpu_count"][on].sum() <= 256


def test_more_caps_never_emit_more_than_the_gaps() -> None:
    _, _, _, by_starts = planned(())
    _, one, _, by_one = planned((0.8,))
    _, more, _, by_more = capped()
    assert kgco2e(by_one) <= kgco2e(by_starts) * (1 + one.gap_frac)
    assert kgco2e(by_more) <= kgco2e(by_one) * (1 + more.gap_frac)
    assert kgco2e(by_more) < 0.99 * kgco2e(by_starts), "or the test shows nothing"


def test_bounds_of_a_plan_with_caps_hold_for_the_verifier(tmp_path: Path) -> None:
    _, schedule, _, _ = capped()
    schedule.save_certificate(tmp_path / "certificate.npz")
    found = list(findings(tmp_path / "certificate.npz"))
    assert len(found) == 2
    for (window, bound, said), proof in zip(found, schedule.windows, strict=True):
        assert said == []
        assert window["cap_run_s"].shape == (2, len(window["run_s"]))
        assert bound == pytest.approx(proof.bound)
        assert (
            proof.gap_frac < 0.02
        )  # boards are nearly all in use, and the bound has enough for all


def test_a_saving_is_stated_for_the_same_work_and_the_longer_runs_are_told() -> None:
    before, _, _, replay = capped()
    assert abs(work_difference_frac(before, replay)) < 1e-6
    figures = job_figures(replay)
    assert figures["slowed_gpu_hours"] > 0
    assert figures["gpu_hours"] - job_figures(before)["gpu_hours"] == pytest.approx(
        figures["slowed_gpu_hours"], rel=1e-6
    )
    saved = {"gpu_seconds_difference_frac": work_difference_frac(before, replay)}
    line = words.work_line({"savings": saved, "optimized": figures})
    assert "GPU-hours more to do that work" in line
    plain = words.work_line({"savings": saved, "optimized": job_figures(before)})
    assert "power caps" not in plain


def test_the_starts_and_caps_alone_do_the_same_work_too() -> None:
    before, _, _, replay = capped()
    drivers = drivers_of(replay.scenario)
    alone = with_setpoints(replay, drivers, before.setpoints, "shifting_only")
    assert abs(work_difference_frac(before, alone)) < 1e-6
    for column in ("power_cap_frac", "slowed_s", "ran_s"):
        np.testing.assert_array_equal(alone.jobs[column], replay.jobs[column])
    assert _above_idle_kwh(alone) == _above_idle_kwh(replay)
    assert kgco2e(alone) < kgco2e(before)


def test_a_window_without_a_plan_keeps_the_caps_that_jobs_stand_under() -> None:
    scenario = room().replace_all({"end": END_OF_TWO, "plan.power_caps": CAPS})
    before = aidc.simulate(scenario)
    drivers = drivers_of(scenario)
    starts = next(iter(before.job_runs.values())).start_s
    planner = RollingPlanner(scenario, drivers, starts)
    asked = []

    def failing(problem: WindowProblem) -> WindowPlan:
        asked.append(problem)
        if len(asked) == 2:
            raise SolverTimeoutError("no plan in the second window")
        return plan_window(problem)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "plan_window", failing)
        run = simulate(scenario, drivers, variant="planned", planner=planner)
    schedule = planner.schedule()
    assert schedule.windows[1].status == "fallback"
    replay = aidc.simulate(scenario, schedule=schedule)
    pd.testing.assert_frame_equal(run.frame, replay.frame, check_exact=True)
    second = asked[1]
    caps = schedule.decisions["power_cap_frac"].to_numpy()[second.movable.row]
    levels = np.array([1.0, 0.8, 0.6])
    assert second.at_level is not None
    assert (caps == levels[second.at_level]).all()


def test_a_controller_does_not_take_caps_that_it_could_not_tell() -> None:
    scenario = room().replace("plan.power_caps", CAPS)
    with pytest.raises(InputError, match=r"plan\.power_caps"):
        Controller(scenario, limit_s=20.0)
