"""Plans that know only what lies before them: nothing leaks, nothing is lost, nothing breaks."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.foresight import PastForecaster, forecaster_of, past_jobs
from aidc.api.foresight_value import COLUMNS, foresight_value
from aidc.api.progress import Stages
from aidc.api.verbs import lived
from aidc.forecast import Drivers
from aidc.optimization import RollingPlanner
from aidc.scenario import Scenario
from aidc.schedule import AS_SOON_AS_FREE, Schedule
from aidc.simulation import simulate
from aidc.trace import Trace
from tests.windows import SCENARIOS

SITE = "lingang"
METHODS = ("persistence", "learned")
SETS = (
    "site.model=helios-hall",
    "site.pv_kwp=50",
    "site.battery_kwh=200",
    "pathway=null",
    "seed=3",
    "step=60 min",
    "end=2023-07-05T00:00:00+08:00",
    "workload.jobs_per_day=150",
    "plan.window=24 h",
    "plan.commit=3 h",
    "flexibility.deferrable_frac=0.5",
    "site.grid.intensity={kind: synthetic, amplitude: 20 %, shape: demand}",
)


@cache
def room(foresight: str) -> Scenario:
    return aidc.load(SCENARIOS / "lingang-week.yaml", sets=[*SETS, f"plan.foresight={foresight}"])


@cache
def run_under(foresight: str) -> tuple[Trace, Schedule, Trace, Trace]:
    """Baseline, schedule, the run in which it was planned, and its replay."""
    scenario = room(foresight)
    before = aidc.simulate(scenario)
    schedule, run = lived(scenario, before)
    return before, schedule, run, aidc.simulate(scenario, schedule=schedule)


def with_another_future(drivers: Drivers, now_s: float, seed: int) -> Drivers:
    """The same up to now; weather, PV, intensity, jobs and the rest of running jobs are others after."""
    random, site = np.random.default_rng(seed), drivers.sites[SITE]
    first = round(now_s / 3600)
    frame = site.frame.copy()
    for name in frame.columns.drop("tariff_cny_per_kwh"):
        frame.iloc[first:, frame.columns.get_loc(name)] *= random.uniform(0.5, 1.5)
    jobs = drivers.jobs
    to_come = jobs.submit_s > now_s
    still = ~to_come & (jobs.submit_s + jobs.run_s > now_s)  # as if begun on submission
    run_s = jobs.run_s.copy()
    run_s[still] = now_s - jobs.submit_s[still] + random.uniform(1, 1e5, int(still.sum()))
    run_s[to_come] = random.uniform(1, 1e5, int(to_come.sum()))
    submit_s = jobs.submit_s.copy()
    submit_s[to_come] = random.uniform(now_s + 1, 1.7e5, int(to_come.sum()))
    gpus = np.where(to_come, random.integers(1, 64, len(jobs)), jobs.gpu_count)
    jobs = jobs.with_columns(
        run_s=run_s, limit_s=np.full(len(jobs), np.inf), submit_s=submit_s, gpu_count=gpus
    )
    return replace(drivers, jobs=jobs, sites={SITE: replace(site, frame=frame)})


@pytest.mark.parametrize("method", METHODS)
@given(now_h=st.integers(0, 40), seed=st.integers(0, 1000))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_another_future_changes_no_forecast(method: str, now_h: int, seed: int) -> None:
    scenario, now_s, steps = room(method), now_h * 3600.0, min(24, 48 - now_h)
    truth = drivers_of(scenario)
    truth = replace(truth, jobs=truth.jobs.with_columns(limit_s=np.full(len(truth.jobs), np.inf)))
    begun = np.where(truth.jobs.submit_s < now_s, truth.jobs.submit_s, np.nan)
    made = []
    for drivers in (truth, with_another_future(truth, now_s, seed)):
        forecaster = PastForecaster(scenario, drivers, method)  # type: ignore[arg-type]
        series = forecaster.series(SITE, now_s, now_h, steps)
        work = forecaster.work(SITE, now_s, now_h, steps, begun)
        made.append((series.frame, work))
    (frame, work), (other_frame, other) = made
    if now_h == 0:  # nothing of the horizon is known but what the source had before
        assert len(frame) == steps
    pd.testing.assert_frame_equal(frame, other_frame, check_exact=True)
    np.testing.assert_array_equal(work.run_s, other.run_s)
    np.testing.assert_array_equal(work.long_s, other.long_s)
    np.testing.assert_array_equal(work.kw, other.kw)
    np.testing.assert_array_equal(work.gpus, other.gpus)
    assert np.isnan(work.run_s[truth.jobs.submit_s > now_s]).all()


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_make_physical_sense(method: str) -> None:
    scenario = room(method)
    forecaster = forecaster_of(scenario, drivers_of(scenario))
    assert forecaster is not None
    for now in (0, 6, 30):
        frame = forecaster.series(SITE, now * 3600.0, now, 18).frame
        assert np.isfinite(frame.to_numpy()).all()
        assert (frame["dewpoint_degc"] <= frame["drybulb_degc"]).all()
        assert (frame["wetbulb_degc"] <= frame["drybulb_degc"] + 1e-9).all()
        truth = drivers_of(scenario).sites[SITE].frame.iloc[now : now + 18]
        assert (frame.index == truth.index).all()
        np.testing.assert_array_equal(frame["tariff_cny_per_kwh"], truth["tariff_cny_per_kwh"])
        night = truth.index.hour.isin([22, 23, 0, 1, 2])
        assert (frame["pv_kw"][night] == 0).all()
        assert frame["pv_kw"].between(0, 75).all()
        assert frame["drybulb_degc"].between(15, 40).all()  # a July in Shanghai


@pytest.mark.parametrize("method", METHODS)
def test_every_job_of_the_baseline_runs_once_and_none_before_it_came(method: str) -> None:
    before, schedule, _, after = run_under(method)
    jobs = after.jobs.set_index("job_id").reindex(before.jobs["job_id"])
    assert len(after.jobs) == len(before.jobs)
    submitted = before.jobs["submit_s"].to_numpy()
    start = jobs["start_s"].to_numpy()
    free = np.isfinite(start)
    assert (start[free] >= submitted[free]).all()
    late = before.jobs["start_s"].notna().to_numpy() & ~free
    assert late.sum() <= 0.02 * len(jobs)  # in the queue at the end, and told as work not done
    assert set(jobs["state"][late]) <= {"waiting"}
    decided = schedule.decisions["start_s"].to_numpy()
    assert np.isfinite(decided).all()  # nobody is forgotten
    ran = np.minimum(after.jobs["end_s"].fillna(1e9), 172_800.0) - after.jobs["start_s"]
    assert after.jobs["ran_s"].to_numpy() == pytest.approx(
        np.nan_to_num(np.maximum(ran, 0.0)), abs=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_energy_balance_closes_whatever_was_not_foreseen(method: str) -> None:
    *_, after = run_under(method)
    assert after.balance_residual < 1e-6
    assert after.counts["unmet_cooling_steps"] == 0


@pytest.mark.parametrize("method", METHODS)
def test_the_replay_is_the_run_in_which_the_plan_was_made(method: str) -> None:
    _, schedule, run, replay = run_under(method)
    pd.testing.assert_frame_equal(run.frame, replay.frame, check_exact=True)
    np.testing.assert_array_equal(run.job_runs[SITE].start_s, replay.job_runs[SITE].start_s)
    assert schedule.foresight == method
    assert len(schedule.windows) == 16


def test_a_job_that_cannot_wait_is_never_put_off() -> None:
    _, schedule, _, _ = run_under("learned")
    jobs = drivers_of(room("learned")).jobs
    moved = schedule.decisions["moved_s"].to_numpy()
    assert (moved[jobs.slack_s == 0] == 0).all()
    assert (moved <= jobs.slack_s + 1e-6).all()
    assert (moved > 0).sum() > 10
    _, by_persistence, _, _ = run_under("persistence")
    assert set(by_persistence.decisions["reason"]) == {AS_SOON_AS_FREE, "moved by the plan"}


def test_a_planned_start_that_is_missed_is_counted_and_a_wait_in_the_queue_is_not() -> None:
    _, schedule, _, after = run_under("persistence")
    planned = schedule.decisions.set_index("job_id")
    started = after.jobs.set_index("job_id")["start_s"]
    promised = planned[planned["reason"] == "moved by the plan"]["start_s"]
    missed = int((started.reindex(promised.index) > promised + 1e-6).sum())
    assert after.counts["planned_starts_missed"] == missed


def test_perfect_foresight_is_planned_as_it_always_was() -> None:
    """By the planner that knows all, window for window and bit for bit."""
    scenario = room("perfect")
    drivers = drivers_of(scenario)
    assert forecaster_of(scenario, drivers) is None
    before, schedule, _, _ = run_under("perfect")
    start = before.job_runs[SITE].start_s
    planner = RollingPlanner(scenario, drivers, start)
    simulate(scenario, drivers, variant="planned", planner=planner)
    pd.testing.assert_frame_equal(
        planner.schedule().decisions, schedule.decisions, check_exact=True
    )


def test_the_jobs_of_the_week_before_are_others() -> None:
    scenario = room("learned")
    old, new = past_jobs(scenario), drivers_of(scenario).jobs
    assert old is not None
    runs = old.run_s[~old.warm], new.run_s[~new.warm]
    first = min(map(len, runs))
    assert (runs[0][:first] == runs[1][:first]).mean() < 0.05  # another seed, not the same stream
    assert 0.5 < np.median(runs[0]) / np.median(runs[1]) < 2.0


def test_a_source_without_a_past_is_held_and_not_made_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("weather") / "air.csv"
    scenario = room("learned")
    frame = drivers_of(scenario).sites[SITE].frame
    columns = ["drybulb_degc", "dewpoint_degc", "pressure_pa", "ghi_w_per_m2", "dni_w_per_m2",
               "dhi_w_per_m2", "wind_m_per_s"]  # fmt: skip
    frame[columns].rename_axis("time").to_csv(file)
    short = scenario.replace("site.weather", {"kind": "csv", "file": str(file)})
    forecaster = forecaster_of(short, drivers_of(short))
    assert forecaster is not None
    ahead = forecaster.series(SITE, 0.0, 0, 24).frame
    first = drivers_of(short).sites[SITE].frame.iloc[0]
    assert (ahead["drybulb_degc"] == first["drybulb_degc"]).all()


def test_the_value_of_knowing_has_a_row_a_foresight() -> None:
    table = foresight_value(room("learned"), None, Stages(quiet=True)).set_index("foresight")
    assert list(table.reset_index().columns) == list(COLUMNS)
    assert list(table.index) == ["perfect", "persistence", "learned"]
    assert table.loc["perfect", "of_perfect_frac"] == 1.0
    assert table.loc["perfect", "work_difference_frac"] == pytest.approx(0.0, abs=1e-4)
    *_, after = run_under("learned")
    kg = (after.frame["grid_import_kw"] * after.frame["grid_kgco2e_per_kwh"]).sum()
    assert table.loc["learned", "tco2e"] == pytest.approx(kg / 1000)
