"""The numbers a plan has to reach, one instance a row. ``python -m benchmarks.optimizer_targets``.

500 jobs over 96 quarters of an hour; the day of W1 (`benchmarks.day_instance`); a window as a BMS has it planned
again. Beside each: jobs as they come, greedy shifting, and for the small one a binary for each job and start.
Each row runs in a process of its own, so that its peak of memory is its own; that of HiGHS is beside it.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import aidc
from aidc.api.drivers import drivers_of
from aidc.forecast import Drivers
from aidc.optimization import RollingPlanner, highs_process, record
from aidc.optimization.problem import WindowProblem
from aidc.optimization.solve import self_test
from aidc.optimization.window import WindowPlan, plan_window
from aidc.scenario import Scenario
from aidc.simulation import simulate
from aidc.verifier import findings
from benchmarks import day_instance
from benchmarks.optimizer import PLAIN_LIMIT_S, SCENARIOS, Frame, cut_to, greedy, plain_milp

DAY_JUDGE_GAP_FRAC = 5e-4


class MetError(Exception):
    """The first window is met; what follows is not run."""


def first_window(scenario: Scenario, drivers: Drivers) -> WindowProblem:
    """The first window of a rolling plan, not planned yet."""
    met: list[WindowProblem] = []

    def meet(problem: WindowProblem) -> WindowPlan:
        met.append(problem)
        raise MetError

    name = next(iter(scenario.sites))
    start_s = simulate(scenario, drivers, variant="baseline").job_runs[name].start_s
    record.plan_window = meet
    try:
        simulate(
            scenario, drivers, variant="planned", planner=RollingPlanner(scenario, drivers, start_s)
        )
    except MetError:
        pass
    finally:
        record.plan_window = plan_window
    return met[0]


def week(*sets: str) -> WindowProblem:
    """The first window of the Lingang week."""
    end = "end=2023-07-05T00:00:00+08:00"
    scenario = aidc.load(SCENARIOS / "lingang-week.yaml", sets=["pathway=null", end, *sets])
    return first_window(scenario, drivers_of(scenario))


def small() -> WindowProblem:
    """The 500 largest jobs of a day at 15 min, at cost."""
    return cut_to(
        week("plan.step=15 min", "plan.window=24 h", "plan.objective=cost", "plan.gap=0.1 %"), 500
    )


def day(objective: str) -> WindowProblem:
    """The day of W1 over 192 quarters of an hour."""
    scenario, table = day_instance.scenario(objective, 48, 15), day_instance.jobs()
    return first_window(scenario, day_instance.drivers(scenario, table))


CASES: dict[str, Callable[[], WindowProblem]] = {
    "500 jobs x 96": small,
    "W1 day x 192, cost": lambda: day("cost"),
    "W1 day x 192, emissions": lambda: day("emissions"),
    "24 h at 60 min": lambda: week("plan.window=24 h"),
    "48 h at 60 min": week,
    "24 h at 15 min": lambda: week("plan.window=24 h", "plan.step=15 min"),
    "48 h at 15 min": lambda: week("plan.step=15 min"),
}  # fmt: skip


def peak_gb(pid: str) -> float:
    """Most memory that a process held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 2**20


def cpu_s(pid: int) -> float:
    """CPU time of another process so far, in hundredths of a second."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / 100


def row(name: str) -> None:
    problem = CASES[name]()
    self_test()
    worker = highs_process._workers[
        0
    ].process.pid  # warm: imports and the solver's start are not counted
    began, cpu, solver = time.perf_counter(), time.process_time(), cpu_s(worker)
    plan = plan_window(problem)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    solver = cpu_s(worker) - solver if highs_process._workers[0].process.pid == worker else np.nan
    memory = f"{peak_gb('self'):.2f} + {peak_gb(str(highs_process._workers[0].process.pid)):.2f}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "certificate.npz"
        np.savez_compressed(
            file, **{f"0000/{key}": value for key, value in plan.certificate.items()}
        )
        began = time.perf_counter()
        told = list(findings(file))
        verified = f"{time.perf_counter() - began:.2f} s, {file.stat().st_size / 1e6:.2f} MB"
        faults = [fault for _, _, said in told for fault in said]
    frame, proof = Frame(problem), plan.proof
    gap = DAY_JUDGE_GAP_FRAC
    asap, ours = frame.cost(problem.at_s, gap), proof.objective
    began = time.perf_counter()
    shifted = greedy(frame)
    greedy_s = time.perf_counter() - began
    theirs = frame.cost(shifted, gap)
    plain = "-"
    if len(problem.movable.row) <= 500:
        found = plain_milp(frame, problem.scenario.plan.gap_frac)
        cost = "no plan" if found.start_s is None else f"{frame.cost(found.start_s, gap):,.0f}"
        plain = f"{cost} in {found.build_s + found.solve_s:.1f} s"

    def captured(cost: float) -> str:
        return f"{100 * (asap - cost) / (asap - proof.bound):.1f}"

    print(
        f"| {name} | {len(problem.movable.row):,} | {proof.columns:,} | {wall:.1f} | {cpu:.1f} + {solver:.1f} | "
        f"{100 * proof.gap_frac:.3f} | {proof.gap_pue:.4f} | {captured(ours)} | {asap:,.0f} | {ours:,.0f} | "
        f"{theirs:,.0f} in {greedy_s:.1f} s, {captured(theirs)} | {plain} | {memory} | {verified}{' !' * len(faults)} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    asked = parser.parse_args()
    print(f"A binary a job has {PLAIN_LIMIT_S:.0f} s.\n")
    print(
        "| window | movable | columns | wall s | CPU s, ours + HiGHS | gap % | gap in PUE | of the attainable saving % | "
        "as they come | plan | greedy, and its share of the saving % | binary a job | peak GB, ours + HiGHS | certificate |"
    )
    print("|---" * 14 + "|")
    for name in asked.cases:
        one = multiprocessing.get_context("spawn").Process(target=row, args=(name,))
        one.start()
        one.join()


if __name__ == "__main__":
    main()
