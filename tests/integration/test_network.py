"""One plan over several sites: jobs leave home where they may, and nothing is lost or counted twice."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.verbs import lived
from aidc.errors import ScenarioError
from aidc.moves import guests, open_to, pools_of
from aidc.reporting.site_tables import by_site
from aidc.scenario import Scenario
from aidc.schedule import Schedule
from aidc.trace import Trace
from tests.windows import SCENARIOS

ROOMS = Path(__file__).parents[1] / "three_rooms.yaml"


@cache
def network() -> Scenario:
    return aidc.load(ROOMS)


@cache
def planned() -> tuple[Trace, Schedule, Trace, Trace]:
    """Baseline, schedule, the run in which it was planned, and its replay."""
    before = aidc.simulate(network())
    schedule, run = lived(network(), before)
    return before, schedule, run, aidc.simulate(network(), schedule=schedule)


def kgco2e(trace: Trace) -> float:
    frame = trace.frame
    return float((frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() * trace.step_h)


def test_the_replay_is_the_run_in_which_the_plan_was_made() -> None:
    _, _, run, replay = planned()
    pd.testing.assert_frame_equal(run.frame, replay.frame, check_exact=True)
    told = ["wait_s", "deferred_s"]  # only the replay knows what was meant
    pd.testing.assert_frame_equal(
        run.jobs.drop(columns=told), replay.jobs.drop(columns=told), check_exact=True
    )
    assert replay.counts["planned_starts_missed"] == 0


def test_every_job_stands_once_at_one_site() -> None:
    before, schedule, _, after = planned()
    assert sorted(after.jobs["job_id"]) == sorted(before.jobs["job_id"])
    assert after.jobs["job_id"].is_unique
    placed = schedule.decisions.set_index("job_id")["site"]
    assert (after.jobs.set_index("job_id")["site"] == placed.loc[after.jobs["job_id"]]).all()


def test_only_movable_jobs_leave_home_and_not_before_their_data_are_there() -> None:
    before, _, _, after = planned()
    drivers = drivers_of(network())
    table = after.jobs.set_index("job_id").loc[drivers.jobs.job_id]
    left = (table["site"] != drivers.jobs.site).to_numpy()
    assert left.sum() > 20, "a network in which nothing moves shows nothing"
    assert drivers.movable[left].all()
    assert (drivers.jobs.slack_s[left] > 0).all()
    began = before.jobs.set_index("job_id").loc[drivers.jobs.job_id, "start_s"].to_numpy()
    assert (table["start_s"].to_numpy()[left] >= began[left] + 3600.0 - 1e-6).all()
    late = table["start_s"].to_numpy()[left] > (drivers.jobs.submit_s + drivers.jobs.slack_s)[left]
    assert not late.any()


def test_work_goes_from_the_dirty_grid_to_the_clean_one_and_saves() -> None:
    before, schedule, _, after = planned()
    saved = 1 - kgco2e(after) / kgco2e(before)
    stay = network().replace("flexibility.movable_frac", 0.0)
    home_before = aidc.simulate(stay)
    at_home = aidc.simulate(stay, schedule=aidc.plan(home_before))
    saved_at_home = 1 - kgco2e(at_home) / kgco2e(home_before)
    assert saved > saved_at_home + 0.005
    assert schedule.gap_frac < 0.02
    it = {name: before.site(name)["it_kw"].sum() for name in network().sites}
    then = {name: after.site(name)["it_kw"].sum() for name in network().sites}
    assert then["south"] > it["south"]
    assert then["north"] < it["north"]


def test_the_same_work_is_done() -> None:
    before, _, _, after = planned()

    def gpu_s(trace: Trace) -> float:
        return float((trace.jobs["gpu_count"] * trace.jobs["ran_s"]).sum())

    assert abs(gpu_s(after) / gpu_s(before) - 1) < 1e-3


def test_no_pool_ever_has_more_boards_busy_than_it_has() -> None:
    _, _, _, after = planned()
    for name, run in after.job_runs.items():
        boards = network().sites[name].site.pools[0].gpu_count
        jobs = after.jobs[after.jobs["site"] == name]
        started = jobs[jobs["start_s"].notna()]
        times = np.concatenate([started["start_s"], started["end_s"]])
        change = np.concatenate([started["gpu_count"], -started["gpu_count"]])
        order = np.lexsort((change, times))
        assert np.cumsum(change[order]).max() <= boards
        assert run.gpus.max() <= boards + 1e-9


def test_sites_of_the_table_add_up_to_the_run() -> None:
    before, _, _, after = planned()
    report = aidc.report(before, after)
    frame = by_site(report.study)
    for name, trace in (("baseline", before), ("optimized", after)):
        mine = frame[frame["run"] == name]
        shown = report.summary[name]
        for column in (
            "it_kwh",
            "facility_kwh",
            "grid_import_kwh",
            "scope2_location_tco2e",
            "cost_cny",
            "water_m3",
        ):
            assert np.isclose(mine[column].sum(), shown[column], rtol=1e-9), column
        assert np.isclose(mine["gpu_hours"].sum(), shown["gpu_hours"], rtol=1e-9)
        assert mine["jobs_from_home"].sum() + mine["jobs_from_elsewhere"].sum() == len(trace.jobs)
    assert "By site" in report.html


def test_jobs_go_only_to_pools_of_the_same_servers() -> None:
    mixed = aidc.load(SCENARIOS / "network-six-cities.yaml")
    pools, may = pools_of(mixed), open_to(mixed)
    for at, (site, pool) in enumerate(pools):
        for to, (other, there) in enumerate(pools):
            wanted = at == to or (site != other and pool.server.name == there.server.name)
            assert may[at, to] == wanted
    assert sum(pool.gpu_count for _, pool in pools) == 45_000


def test_guests_are_movable_jobs_from_elsewhere() -> None:
    scenario, drivers = network(), drivers_of(network())
    pool = scenario.sites["south"].site.pools[0]
    rows = guests(scenario, drivers, "south", pool)
    assert drivers.movable[rows].all()
    assert (drivers.jobs.site[rows] != "south").all()
    assert len(rows) == (drivers.movable & (drivers.jobs.site != "south")).sum()


def test_jobs_that_have_nowhere_to_go_are_a_fault_of_the_scenario() -> None:
    with pytest.raises(ScenarioError, match="one site alone"):
        aidc.load(SCENARIOS / "lingang-week.yaml", sets=["flexibility.movable_frac=0.5"])
    with pytest.raises(ScenarioError, match=r"under plan\.foresight: perfect alone"):
        network().replace("plan.foresight", "persistence")
