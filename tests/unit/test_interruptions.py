"""Gangs that fail, against closed forms and published runs."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.special import lambertw

from aidc import catalog
from aidc.equipment import Server
from aidc.errors import SeriesError
from aidc.workload.interruptions import (
    FaultRules,
    Runs,
    expected_runs,
    interrupted_runs,
    mean_phi_frac,
    training_run,
    young_interval_s,
)
from aidc.workload.power import added_kw

RULES = catalog.table("fault_rules", FaultRules)
DAY_S = 86_400.0
PARTS = ("wall_s", "lost_s", "restart_s", "stall_s", "interruptions")


def ids(count: int) -> NDArray[np.object_]:
    return np.array([f"run-{i}" for i in range(count)], object)


def many(count: int, work_s: float, gpu_count: int, rules: FaultRules) -> Runs:
    return interrupted_runs(
        ids(count), np.full(count, work_s), np.full(count, gpu_count), rules, seed=2026
    )


def one(work_s: float, gpu_count: int, rules: FaultRules) -> Runs:
    return expected_runs(np.array([work_s]), np.array([gpu_count]), rules)


def rules_of(mtbf_h: float, every_s: float, stall_s: float, restart_s: float) -> FaultRules:
    """Rules of a machine of one board, in the terms of Daly's paper."""
    return FaultRules(
        name="daly", mtbf_gpu_h=mtbf_h, checkpoint_every_s=every_s,
        checkpoint_stall_s=stall_s, restart_s=restart_s, source="Daly 2006",
    )  # fmt: skip


def test_mtbf_is_that_of_the_llama_3_run() -> None:
    # arXiv 2407.21783, section 3.3.4: 419 unexpected interruptions, 54 days, 16,384 GPUs
    assert RULES["llama3-405b"].mtbf_gpu_h == pytest.approx(54 * 24 * 16_384 / 419, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "gpu_count", "work_s"),
    [
        ("half-hour-recovery", 4_096, 30 * DAY_S),
        ("llama3-405b", 16_384, 5 * DAY_S + 77),
        ("half-hour-recovery", 100_000, 20_000.0),  # interrupted in most stretches
        ("half-hour-recovery", 4_096, 1_000.0),  # never saved
    ],
)
def test_means_of_the_draws_are_the_closed_form(name: str, gpu_count: int, work_s: float) -> None:
    drawn, mean = many(4_000, work_s, gpu_count, RULES[name]), one(work_s, gpu_count, RULES[name])
    for part in PARTS:
        values, wanted = getattr(drawn, part), float(getattr(mean, part)[0])
        error = float(values.std()) / np.sqrt(len(values))
        assert abs(values.mean() - wanted) <= 4 * error + 1e-9 * wanted, part


def test_the_closed_form_is_daly_s_but_for_failures_during_restart() -> None:
    # Daly 2006: M e^(R/M) (e^((tau+delta)/M) - 1) Ts/tau; ours has 1 + R/M for e^(R/M), and no
    # checkpoint after the last stretch
    mean_h, every_s, stall_s, restart_s = 6.0, 57 * 60.0, 300.0, 600.0
    stretches, m = 1_000, mean_h * 3_600
    daly_s = m * np.exp(restart_s / m) * np.expm1((every_s + stall_s) / m) * stretches
    ours = one(every_s * stretches, 1, rules_of(mean_h, every_s, stall_s, restart_s))
    assert ours.wall_s[0] == pytest.approx(daly_s, rel=(restart_s / m) ** 2 / 2 + 1 / stretches)
    assert ours.wall_s[0] < daly_s


@pytest.mark.parametrize(("mean_h", "printed_min"), [(24.0, 117), (6.0, 57), (0.25, 9.1)])
def test_the_best_interval_is_the_one_daly_prints(mean_h: float, printed_min: float) -> None:
    # Daly 2006, figures 3 to 5: M = 24 h, 6 h, 15 min; delta = 5 min, R = 10 min. He prints his
    # third-order solution; the exact one is M (1 + W(-exp(-1 - delta / M)))
    minutes = np.linspace(0.5, 2.0, 2_001) * printed_min
    wall_per_work = [
        one(20_000 * m * 60, 1, rules_of(mean_h, m * 60, 300, 600)).wall_s[0] / m for m in minutes
    ]
    best_min = minutes[int(np.argmin(wall_per_work))]
    mean_min = 60 * mean_h
    exact_min = mean_min * (1 + float(lambertw(-np.exp(-1 - 5 / mean_min)).real))
    assert best_min == pytest.approx(exact_min, rel=2e-3)
    assert best_min == pytest.approx(printed_min, rel=0.01)


def test_young_s_interval_is_near_the_best_where_stalls_are_short() -> None:
    stall_s, gpu_count = 30.0, 4_096
    young = float(young_interval_s(stall_s, 50_700, gpu_count))
    walls = [
        one(30 * DAY_S, gpu_count, rules_of(50_700, factor * young, stall_s, 1_800)).wall_s[0]
        for factor in (0.5, 1.0, 2.0)
    ]
    assert walls[1] < min(walls[0], walls[2])
    assert young == pytest.approx(np.sqrt(2 * 30 * 50_700 * 3_600 / 4_096))


def test_llama_3_is_over_nine_tenths_effective_as_published() -> None:
    # arXiv 2407.21783, section 3.3.4: "higher than 90% effective training time"
    run = training_run(54 * DAY_S * 0.9, 16_384, RULES["llama3-405b"])
    assert 0.90 < run.goodput_frac < 0.97
    assert run.interruptions == pytest.approx(419, rel=0.1)


def test_byterobust_is_within_three_points() -> None:
    # arXiv 2509.16293: 97 % effective training time over three months on 9,600 GPUs; other boards
    run = training_run(90 * DAY_S, 9_600, RULES["llama3-405b"])
    assert run.goodput_frac == pytest.approx(0.97, abs=0.03)


def test_thirty_days_on_a_thousand_boards_are_not_free_of_interruptions() -> None:
    rules = RULES["half-hour-recovery"].model_copy(
        update={"checkpoint_every_s": None, "checkpoint_stall_s": None}
    )
    untouched = float(np.exp(-30 * 24 * 1_000 / 50_700))
    assert untouched == pytest.approx(7e-7, rel=0.05)
    drawn = many(20_000, 5 * 3_600.0, 1_000, rules)
    share = float((drawn.interruptions == 0).mean())
    wanted = training_run(5 * 3_600.0, 1_000, rules).untouched_probability
    assert wanted == pytest.approx(float(np.exp(-5_000 / 50_700)))
    assert share == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / 20_000))


def test_a_training_run_says_where_its_time_went() -> None:
    run = training_run(30 * DAY_S, 4_096, RULES["half-hour-recovery"])
    assert run.wall_s == pytest.approx(30 * DAY_S + run.lost_s + run.restart_s + run.stall_s)
    assert run.goodput_frac == pytest.approx(30 * DAY_S / run.wall_s)
    assert run.active_gpu_h + run.stalled_gpu_h == pytest.approx(run.wall_s * 4_096 / 3_600)
    running_h = (run.wall_s - run.restart_s) / 3_600
    assert run.interruptions == pytest.approx(running_h * 4_096 / 50_700)  # rate x running time


def test_gaps_between_interruptions_are_exponential() -> None:
    rules = rules_of(1.0, 1e6, 0.0, 0.0)  # one job is one stretch; lost work is the gap itself
    drawn = many(20_000, 3_600.0, 1, rules)
    once = drawn.lost_s[drawn.interruptions == 1] / 3_600
    grid = np.linspace(0.05, 0.95, 19)
    wanted = -np.expm1(-grid) / -np.expm1(-1.0)  # exponential, known to fall inside the hour
    found = np.searchsorted(np.sort(once), grid) / len(once)
    assert np.abs(found - wanted).max() < 1.63 / np.sqrt(len(once))  # Kolmogorov, 1 %


def test_energy_of_the_mean_phi_is_that_of_the_parts() -> None:
    server = catalog.table("servers", Server)["a100-8gpu"]
    runs = many(50, 10 * DAY_S, 4_096, RULES["half-hour-recovery"])
    mean_kw = added_kw(server, runs.gpu_count, mean_phi_frac(runs, server.gpu, 0.85))
    board_kw = server.gpu_power_ratio * runs.gpu_count / 1_000
    own_w = 0.85 * (server.gpu.max_w - server.gpu.idle_w)
    context_w = server.gpu.context_w - server.gpu.idle_w
    wanted = board_kw * (own_w * runs.active_s + context_w * runs.stalled_s)
    assert mean_kw * runs.wall_s == pytest.approx(wanted)


def test_a_job_that_would_never_end_is_refused_by_name() -> None:
    rules = rules_of(1.0, 1e6, 0.0, 600.0)
    with pytest.raises(SeriesError, match=r"job run-0: would be interrupted .* save more often"):
        many(1, 100 * 3_600.0, 1, rules)
    with pytest.raises(SeriesError, match="save more often"):
        training_run(1e9, 1, rules)


def test_nonsense_is_refused_with_every_job_named() -> None:
    with pytest.raises(SeriesError) as caught:
        interrupted_runs(
            ids(3), np.array([-1.0, np.nan, 5.0]), np.array([1, 1, 0]), RULES["no-faults"], 1
        )
    assert len(caught.value.faults) == 3


def test_half_a_rule_is_refused() -> None:
    for half in ({"mtbf_gpu_h": 50_700}, {"checkpoint_stall_s": 3.0}):
        with pytest.raises(ValidationError, match="go together"):
            FaultRules.model_validate({"name": "half", "source": "a test"} | half)


def test_no_jobs_have_no_runs() -> None:
    for rules in RULES.values():
        none = interrupted_runs(ids(0), np.empty(0), np.empty(0, np.int64), rules, 1)
        assert len(none.wall_s) == 0
        assert none.goodput_frac == 1.0
