"""Run time, power and useful time of jobs on the boards of their pools."""

import numpy as np
import pytest

from aidc import catalog
from aidc.equipment import Server
from aidc.errors import CatalogError, SeriesError
from aidc.job import JobTable
from aidc.site import Pool, Site
from aidc.workload.accepts import Accepted, accepted_by_class
from aidc.workload.boards import Conditions, on_boards, speed_ratio
from aidc.workload.homes import classes, homes, largest_homes
from aidc.workload.interruptions import FaultRules, training_run
from tests.jobs import jobs
from tests.w1 import bare_site

A100 = catalog.row("servers", Server, "a100-8gpu")
H100 = catalog.row("servers", Server, "h100-8gpu")
NONE = catalog.row("fault_rules", FaultRules, "no-faults")
HALF_HOUR = catalog.row("fault_rules", FaultRules, "half-hour-recovery")
DAY_S = 86_400.0


def site(server: Server = A100, cap: float | None = None) -> tuple[Site, ...]:
    return (bare_site("hall", Pool(name="pool", server=server, server_count=640, power_cap=cap)),)


def run(
    table: JobTable,
    sites: tuple[Site, ...],
    *,
    reference: str | None = "a100-sxm",
    faults: FaultRules = NONE,
    sessions: bool = False,
) -> JobTable:
    given = Conditions(bound="value", reference_gpu=reference, faults=faults, seed=7)
    return on_boards(table, sites, given, np.full(len(table), sessions)).check()


def some(count: int = 200, gpus: int = 4096) -> JobTable:
    return jobs([0.0] * count, [gpus] * count, [30 * DAY_S] * count)


def test_on_the_reference_board_without_caps_and_faults_times_are_not_even_copied() -> None:
    table = some(3)
    made = run(table, site())
    assert made.run_s is table.run_s
    assert made.useful_s is table.useful_s


def test_a_faster_board_shortens_run_and_limit_alike() -> None:
    # MLPerf Training v3.0, Dell, equal systems: 14.4 / 7.8, 11.0 / 7.6, 8.4 / 4.3 minutes
    speed = (14.4 / 7.8 * 11.0 / 7.6 * 8.4 / 4.3) ** (1 / 3)
    assert speed_ratio("h100-sxm", "a100-sxm") == pytest.approx(speed, abs=0.01)
    table = some(2)
    made = run(table, site(H100))
    assert made.run_s == pytest.approx(table.run_s / speed, rel=0.01)
    assert made.limit_s / made.run_s == pytest.approx(table.limit_s / table.run_s)
    assert made.useful_s == pytest.approx(made.run_s)
    assert run(table, site(H100), reference=None).run_s == pytest.approx(table.run_s)


def test_speeds_of_two_boards_are_each_others_inverse() -> None:
    for name in catalog.names("gpu_speeds"):
        back = speed_ratio(name, "a100-sxm") * speed_ratio("a100-sxm", name)
        assert back == pytest.approx(1.0)
    assert set(catalog.names("gpu_speeds")) == set(catalog.names("gpus"))
    with pytest.raises(CatalogError, match=r"gpu_speeds\.csv has no 'h100'"):
        speed_ratio("h100", "a100-sxm")


def test_a_cap_costs_the_published_time_and_saves_the_published_board_energy() -> None:
    # ml-energy/zeus, V100 at 0.7 of its limit, draws over 0.8 uncapped: throughput 0.911; the draw
    # of a training job (phi 0.85) is 0.874 of the maximum here, where the same table has 0.977
    table = some(1, gpus=8)
    free, capped = run(table, site()), run(table, site(cap=0.7))
    phi, idle = 0.85, 63 / 400
    drawn = idle + phi * (1 - idle)
    at_draw = 0.952 + (drawn - 0.8) / 0.1 * (0.985 - 0.952)
    assert capped.run_s[0] == pytest.approx(free.run_s[0] * at_draw / 0.911, rel=1e-6)
    assert capped.added_kw[0] / free.added_kw[0] == pytest.approx((0.7 - idle) / (drawn - idle))
    assert capped.useful_s == pytest.approx(capped.run_s)
    assert run(table, site(cap=1.0)).added_kw == pytest.approx(free.added_kw)


def test_a_cap_below_the_known_ones_is_refused() -> None:
    with pytest.raises(SeriesError, match=r"from 0\.5 to 1"):
        run(some(1), site(cap=0.4))


def test_goodput_of_many_runs_agrees_with_the_closed_form() -> None:
    made = run(some(), site(), faults=HALF_HOUR)
    expected = training_run(30 * DAY_S, 4096, HALF_HOUR)
    sem_s = made.run_s.std() / np.sqrt(len(made))
    assert made.run_s.mean() == pytest.approx(expected.wall_s, abs=4 * sem_s)
    assert made.useful_s.sum() / made.run_s.sum() == pytest.approx(expected.goodput_frac, abs=0.002)
    assert made.interruptions.mean() == pytest.approx(expected.interruptions, rel=0.03)
    # energy: at the job's own power while it works, at context power while it is stalled
    gpu, ratio = A100.gpu, A100.gpu_power_ratio
    own_kw = 0.85 * (gpu.max_w - gpu.idle_w) * ratio / 1e3
    context_kw = (gpu.context_w - gpu.idle_w) * ratio / 1e3
    kwh = expected.active_gpu_h * own_kw + expected.stalled_gpu_h * context_kw
    assert (made.added_kw * made.run_s).mean() / 3600 == pytest.approx(kwh, rel=0.005)


def test_faults_come_after_the_cap_and_no_job_is_killed_for_them() -> None:
    made = run(some(20), site(cap=0.7), faults=HALF_HOUR)
    capped = run(some(20), site(cap=0.7))
    assert made.useful_s == pytest.approx(capped.run_s)
    assert (made.run_s > made.useful_s).all()
    assert made.limit_s - made.run_s == pytest.approx(capped.limit_s - capped.run_s)


def test_sessions_of_a_service_keep_their_span_of_the_clock() -> None:
    table = some(3, gpus=2)
    made = run(table, site(H100, cap=0.6), faults=HALF_HOUR, sessions=True)
    assert made.run_s == pytest.approx(table.run_s)
    assert not made.interruptions.any()
    assert (made.added_kw < run(table, site(H100), sessions=True).added_kw).all()


THREE = (
    bare_site(
        "hall",
        Pool(name="one", server=A100, server_count=30),
        Pool(name="two", server=A100, server_count=10),
        Pool(name="new", server=H100, server_count=60),
    ),
)
IDS = np.array([f"job-{index}" for index in range(20_000)], object)
SHARES = {"training": 0.4, "fine-tune": 0.2, "inference": 0.15, "debug": 0.25}


def all_accept(*boards: str) -> Accepted:
    return accepted_by_class(boards or None, IDS)


def test_jobs_go_to_pools_with_boards_they_accept_in_proportion_to_their_gpus() -> None:
    found = homes(IDS, THREE, all_accept("a100-sxm"))
    assert (found.pool == "one").mean() == pytest.approx(0.75, abs=0.01)
    assert not (found.pool == "new").any()
    assert found.accepted.all()
    assert (homes(IDS, THREE, all_accept()).pool == "new").mean() == pytest.approx(0.6, abs=0.01)
    assert not homes(IDS, THREE, all_accept("mlu290-m5")).accepted.any()


def test_each_class_goes_to_the_boards_it_accepts_and_no_other_job_moves() -> None:
    job_class = classes(IDS, SHARES)
    boards = {"training": ["h100-sxm"], "debug": ["a100-sxm"], "fine-tune": ["mlu290-m5"]}
    found, free = (
        homes(IDS, THREE, accepted_by_class(boards, job_class)),
        homes(IDS, THREE, all_accept()),
    )
    assert set(found.pool[job_class == "training"]) == {"new"}
    assert set(found.pool[job_class == "debug"]) == {"one", "two"}
    debug = found.pool[job_class == "debug"]
    assert (debug == "one").mean() == pytest.approx(0.75, abs=0.02)
    assert (found.accepted == (job_class != "fine-tune")).all()
    others = ~np.isin(job_class, ["training", "debug"])
    assert (found.pool[others] == free.pool[others]).all()


def test_a_job_runs_on_boards_that_its_class_and_its_trace_both_name() -> None:
    job_class = np.array(["training", "training", "training", "debug", "debug"], object)
    by_class = accepted_by_class({"training": ["a100-sxm", "h100-sxm"]}, job_class)
    sets = (None, frozenset({"h100-sxm", "v100-sxm2"}), frozenset({"v100-sxm2"}))
    named = Accepted(sets, np.array([0, 1, 2, 1, 0], np.int16))
    both = by_class.and_also(named)
    assert [both.sets[code] for code in both.code] == [
        {"a100-sxm", "h100-sxm"}, {"h100-sxm"}, frozenset(), {"h100-sxm", "v100-sxm2"}, None,
    ]  # fmt: skip
    found = homes(np.array(list("abcde"), object), THREE, both)
    assert found.accepted.tolist() == [True, True, False, True, True]
    assert found.pool[[1, 3]].tolist() == ["new", "new"]


def test_a_named_run_goes_to_the_largest_pool_with_boards_for_it() -> None:
    accepted = accepted_by_class({"debug": ["a100-sxm"]}, np.array(["training", "debug"], object))
    assert largest_homes(THREE, accepted).pool.tolist() == ["new", "one"]


def test_a_year_of_tasks_needs_two_bytes_each_to_say_what_they_accept() -> None:
    assert accepted_by_class({"debug": ["a100-sxm"]}, classes(IDS, SHARES)).code.nbytes == 2 * len(
        IDS
    )
