"""Laws of interrupted runs and capped boards, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc import catalog
from aidc.workload.interruptions import FaultRules, Runs, expected_runs, interrupted_runs
from aidc.workload.power_cap import PowerCap, capped_draw_frac, throughput_frac

CAPS = catalog.table("power_caps", PowerCap)
BOARDS = st.sampled_from(sorted(CAPS)).map(CAPS.__getitem__)
SHARES = st.floats(0, 1)
WORK_S = st.just(0.0) | st.floats(1e-3, 2e5)
JOBS = st.lists(st.tuples(WORK_S, st.integers(1, 4_096)), min_size=1, max_size=8)


@st.composite
def rules_in_use(draw: st.DrawFn) -> FaultRules:
    """Rules under which the jobs above end: at most some interruptions in each stretch."""
    return FaultRules(
        name="drawn",
        mtbf_gpu_h=draw(st.floats(20_000, 1e7)),
        checkpoint_every_s=draw(st.floats(500, 20_000)),
        checkpoint_stall_s=draw(st.floats(0, 300)),
        restart_s=draw(st.floats(0, 7_200)),
        source="a test",
    )


def run(jobs: list[tuple[float, int]], rules: FaultRules, seed: int = 1) -> tuple[Runs, Runs]:
    """Drawn and expected runs."""
    work_s, gpu_count = np.array([w for w, _ in jobs]), np.array([n for _, n in jobs])
    job_id = np.array([f"job-{i}" for i in range(len(jobs))], object)
    drawn = interrupted_runs(job_id, work_s, gpu_count, rules, seed)
    return drawn, expected_runs(work_s, gpu_count, rules)


@given(JOBS, rules_in_use())
def test_useful_lost_restart_and_stall_are_the_wall(
    jobs: list[tuple[float, int]], rules: FaultRules
) -> None:
    for runs in run(jobs, rules):
        parts = (runs.useful_s, runs.lost_s, runs.restart_s, runs.stall_s)
        assert runs.wall_s == pytest.approx(sum(parts), rel=1e-9, abs=1e-6)
        assert all((part >= 0).all() for part in parts)
        assert (runs.useful_s == [work for work, _ in jobs]).all()
        assert 0 <= runs.goodput_frac <= 1
        assert rules.restart_s is not None
        assert runs.restart_s == pytest.approx(runs.interruptions * rules.restart_s)


@given(JOBS, rules_in_use())
def test_without_faults_the_wall_is_work_and_stalls(
    jobs: list[tuple[float, int]], rules: FaultRules
) -> None:
    none = rules.model_copy(update={"mtbf_gpu_h": None, "restart_s": None})
    rare = rules.model_copy(update={"mtbf_gpu_h": 1e18})
    assert rules.checkpoint_every_s is not None
    assert rules.checkpoint_stall_s is not None
    for runs in (*run(jobs, none), run(jobs, rare)[0]):
        assert (runs.interruptions == 0).all()
        assert runs.wall_s == pytest.approx(runs.useful_s + runs.stall_s)
        saves = np.maximum(np.ceil(runs.useful_s / rules.checkpoint_every_s) - 1, 0)
        assert runs.stall_s == pytest.approx(saves * rules.checkpoint_stall_s)


@given(JOBS, rules_in_use(), st.floats(1, 100))
def test_a_longer_mtbf_never_lengthens_the_expected_run(
    jobs: list[tuple[float, int]], rules: FaultRules, factor: float
) -> None:
    assert rules.mtbf_gpu_h is not None
    better = rules.model_copy(update={"mtbf_gpu_h": rules.mtbf_gpu_h * factor})
    before, after = run(jobs, rules)[1], run(jobs, better)[1]
    assert (after.wall_s <= before.wall_s * (1 + 1e-9)).all()
    assert (after.interruptions <= before.interruptions * (1 + 1e-9)).all()


@given(JOBS, rules_in_use(), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bytes_in_any_order_and_company(
    jobs: list[tuple[float, int]], rules: FaultRules, seed: int
) -> None:
    runs, again = run(jobs, rules, seed)[0], run(jobs, rules, seed)[0]
    back = np.arange(len(jobs))[::-1]
    job_id = np.array([f"job-{i}" for i in back], object)
    turned = interrupted_runs(job_id, runs.useful_s[back], runs.gpu_count[back], rules, seed)
    alone = interrupted_runs(job_id[-1:], runs.useful_s[:1], runs.gpu_count[:1], rules, seed)
    for part in ("wall_s", "lost_s", "restart_s", "stall_s", "interruptions"):
        column = getattr(runs, part)
        assert column.tobytes() == getattr(again, part).tobytes()
        assert column[back].tobytes() == getattr(turned, part).tobytes()
        assert column[:1].tobytes() == getattr(alone, part).tobytes()


def test_another_seed_draws_other_interruptions() -> None:
    rules = catalog.table("fault_rules", FaultRules)["half-hour-recovery"]
    jobs = [(30 * 86_400.0, 4_096)] * 5
    assert (run(jobs, rules, 1)[0].wall_s != run(jobs, rules, 2)[0].wall_s).all()


@given(BOARDS, SHARES)
def test_throughput_rises_with_the_cap_and_is_concave(board: PowerCap, drawn: float) -> None:
    caps = np.linspace(board.floor_frac, 1, 121)
    speed = throughput_frac(caps, drawn, board)
    steps = np.diff(speed)
    assert (steps >= 0).all()
    assert (np.diff(steps) <= 1e-12).all()
    assert (speed > 0).all()
    assert speed[-1] == 1


@given(BOARDS, SHARES, SHARES)
def test_a_cap_at_or_above_the_own_draw_costs_nothing(
    board: PowerCap, drawn: float, share: float
) -> None:
    cap = max(board.floor_frac + share * (1 - board.floor_frac), drawn)
    assert throughput_frac(cap, drawn, board) == 1
    assert capped_draw_frac(cap, drawn, board) == drawn


@given(BOARDS, SHARES, SHARES)
def test_power_is_never_above_cap_or_draw(board: PowerCap, drawn: float, share: float) -> None:
    cap = board.floor_frac + share * (1 - board.floor_frac)
    assert capped_draw_frac(cap, drawn, board) == min(cap, drawn)


@given(BOARDS, st.floats(1e-3, 1), SHARES)
def test_a_cap_down_to_that_of_least_energy_never_costs_board_energy(
    board: PowerCap, drawn: float, share: float
) -> None:
    cap = board.least_energy_frac + share * (1 - board.least_energy_frac)
    power_ratio = float(capped_draw_frac(cap, drawn, board)) / drawn
    assert float(throughput_frac(cap, drawn, board)) >= power_ratio - 1e-12
