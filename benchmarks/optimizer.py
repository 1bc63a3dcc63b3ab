"""Our plan beside what a user would write. ``python -m benchmarks.optimizer``.

Three tables in one run. Each window of the Lingang week (and of a week of the real Helios jobs, where
AIDC_REAL_DATA is set) beside a greedy shifting of its jobs to their cheapest hours. The largest jobs of the
first window beside a plain Pyomo MILP with a binary for every job and start. And the error of the plant tables.

Starts of every method are judged alike: jobs fixed there, best set-points for that load from the full
plant, objective of the window with what it leaves for later.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers import Highs

import aidc
from aidc.optimization import bound as window_bound
from aidc.optimization import calendar, classes, record
from aidc.optimization import problem as window_problem
from aidc.optimization.model import site_model
from aidc.optimization.problem import WindowProblem
from aidc.optimization.solve import solve
from aidc.optimization.tail import tail_of
from aidc.optimization.timing import Timing
from aidc.optimization.window import WindowPlan, plan_window
from aidc.scenario import Scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios"
CUTS = (100, 300, 1000, 4000)  # jobs given to the plain MILP
PLAIN_LIMIT_S = 60.0  # HiGHS runs over it
DENSE_POINTS = 51  # of IT power, at which tables are compared with the plant
JUDGE_GAP_FRAC = 1e-6


@dataclass(frozen=True)
class Case:
    name: str
    scenario: Scenario


def cases(days: int) -> Iterator[Case]:
    week = SCENARIOS / "lingang-week.yaml"
    sets = ["pathway=null", f"end=2023-07-{3 + days:02d}T00:00:00+08:00"]
    yield Case("week, flat grid", aidc.load(week, sets=sets))
    yield Case("week, synthetic hours", aidc.load(week, sets=sets, variant="synthetic-hours"))
    yield Case("week, cost", aidc.load(week, sets=sets, variant="cost"))
    if os.environ.get("AIDC_REAL_DATA"):
        end = f"end=2022-09-{1 + days:02d}T00:00:00+08:00"
        start = "start=2022-09-01T00:00:00+08:00"
        real = aidc.load(SCENARIOS / "lingang-helios.yaml", sets=[start, end])
        yield Case("real Helios", real)
        yield Case("real Helios, cost", real.replace("plan.objective", "cost"))


@contextmanager
def recorded() -> Iterator[list[tuple[WindowProblem, WindowPlan]]]:
    """Every window that is planned meanwhile, with its plan."""
    found: list[tuple[WindowProblem, WindowPlan]] = []

    def watched(problem: WindowProblem) -> WindowPlan:
        plan = plan_window(problem)
        found.append((problem, plan))
        return plan

    record.plan_window = watched
    try:
        yield found
    finally:
        record.plan_window = plan_window


class Frame:
    """Tables, prices and bus of a window, made once for all methods."""

    def __init__(self, problem: WindowProblem) -> None:
        scenario = problem.scenario
        self.problem = problem
        self.per_slot = round(scenario.plan.step_min / scenario.step_min)
        self.slot_s = scenario.plan.step_min * 60.0
        self.slots = len(problem.forecast.frame) // self.per_slot
        self.edges = problem.state.now_s + np.arange(self.slots + 1) * self.slot_s
        self.tables = window_problem.tables_of(problem, self.per_slot, self.edges)
        self.goal = scenario.plan.goals[-1]
        self.money = window_problem.prices_of(problem, self.tables, self.per_slot, self.goal)
        self.bus = window_problem.bus_of(problem, self.per_slot)
        load = window_problem.load_kw(problem, Timing.whole(problem.at_s), self.edges)
        self.tail = tail_of(self.tables, self.money, self.bus, load)
        self.day = len(self.tail.price)

    def cost(self, start_s: np.ndarray, gap_frac: float = JUDGE_GAP_FRAC) -> float:
        """Objective of a choice of starts under the best set-points for it."""
        timing = Timing.whole(start_s)
        rates_kw = window_problem.tank_rates_kw(self.problem.site, len(self.edges) - 1)
        here = window_problem.tables_at(self.problem, self.per_slot, timing, self.edges, rates_kw)
        money = window_problem.prices_of(self.problem, here, self.per_slot, self.goal)
        model = site_model(
            here, money, self.bus, window_problem.kept_options(here, money, self.bus)
        )
        site = solve(model, gap_frac=gap_frac, limit_s=60.0, what="judge").objective
        return site + window_bound.tail_cost(self.problem, timing, self.edges, self.tail)

    def calendars(self) -> list[calendar.Calendar]:
        """Boards of each pool with all jobs as they stand."""
        problem, jobs = self.problem, self.problem.movable
        starts = classes.starts_of(jobs, problem.state.now_s, self.slot_s, self.slots)
        times = np.concatenate([starts.start_s, starts.start_s + jobs.run_s[starts.job]])
        standing = problem.at_s, problem.at_s + jobs.run_s, jobs.gpus, jobs.pool
        start, end, gpus, of_pool = (
            np.concatenate(pair) for pair in zip(problem.fixed_runs, standing, strict=True)
        )
        return [
            calendar.Calendar(
                pool.gpu_count,
                start[of_pool == index],
                end[of_pool == index],
                gpus[of_pool == index],
                times,
            )
            for index, pool in enumerate(problem.site.pools)
        ]


def job_costs(frame: Frame, price: np.ndarray) -> tuple[classes.Starts, np.ndarray]:
    """Cost of every start of every movable job at a price of IT energy."""
    problem, edges, slot_s = frame.problem, frame.edges, frame.slot_s
    jobs, starts = (
        problem.movable,
        classes.starts_of(problem.movable, problem.state.now_s, slot_s, frame.slots),
    )
    integral = np.concatenate([[0.0], np.cumsum(price * slot_s / 3600.0)])
    end = starts.start_s + jobs.run_s[starts.job]
    inside = np.interp(end, edges, integral) - np.interp(starts.start_s, edges, integral)
    tail = classes.tail_cost(
        starts, jobs, float(edges[-1]), slot_s, classes.Tail(price[-frame.day :], 0.0)
    )
    return starts, jobs.kw[starts.job] * inside + tail


def greedy(frame: Frame) -> np.ndarray:
    """Each job, in order of arrival, to the start of least price x energy that finds its boards free.

    The price is what a user has at hand: grid intensity or tariff of the hour, repeated after the window.
    """
    problem, jobs = frame.problem, frame.problem.movable
    price = frame.money.import_price + frame.money.facility_price
    starts, cost = job_costs(frame, price)
    boards = frame.calendars()
    chosen = problem.at_s.copy()
    first = np.searchsorted(starts.job, np.arange(len(jobs.row) + 1))
    for job in np.argsort(jobs.earliest_s, kind="stable").tolist():
        pool, run, gpus = boards[jobs.pool[job]], float(jobs.run_s[job]), float(jobs.gpus[job])
        stands = float(problem.at_s[job])
        pool.put(stands, stands + run, -gpus)
        mine = slice(int(first[job]), int(first[job + 1]))
        for start in starts.start_s[mine][np.argsort(cost[mine], kind="stable")].tolist():
            if pool.fits(start, start + run, gpus):
                chosen[job] = start
                break
        at = float(chosen[job])
        pool.put(at, at + run, gpus)
    return chosen


def cut_to(problem: WindowProblem, count: int) -> WindowProblem:
    """The window with only its largest jobs movable; the others are fixed where they stand."""
    jobs, frame = problem.movable, Frame(problem)
    chosen = np.zeros(len(jobs.row), bool)
    chosen[np.argsort(-jobs.kw * jobs.run_s, kind="stable")[:count]] = True
    rest = jobs.take(~chosen)
    share = classes.profile(problem.at_s[~chosen], rest.run_s, frame.edges)
    kw, gpus = problem.fixed.kw.copy(), problem.fixed.gpus.copy()
    np.add.at(kw, rest.pool, share * rest.kw[:, None])
    np.add.at(gpus, rest.pool, share * rest.gpus[:, None])
    fixed = replace(problem.fixed, kw=kw, gpus=gpus)
    return replace(problem, fixed=fixed, movable=jobs.take(chosen), at_s=problem.at_s[chosen])


@dataclass(frozen=True)
class Plain:
    start_s: np.ndarray | None
    bound: float
    binaries: int
    build_s: float
    solve_s: float
    status: str


def plain_milp(frame: Frame, gap_frac: float) -> Plain:
    """One binary for each job and start, as the textbook has it, through Pyomo's own HiGHS interface.

    The same tables, prices and starts; boards count as the mean of a slot.
    """
    began = time.perf_counter()
    problem, jobs = frame.problem, frame.problem.movable
    m = site_model(
        frame.tables, frame.money, frame.bus, np.ones(frame.tables.facility_kw.shape[:2], bool)
    )
    starts = classes.starts_of(jobs, problem.state.now_s, frame.slot_s, frame.slots)
    share = classes.profile(starts.start_s, jobs.run_s[starts.job], frame.edges)
    tail = classes.tail_cost(
        starts, jobs, float(frame.edges[-1]), frame.slot_s, frame.tail
    ).tolist()
    options = [np.flatnonzero(starts.job == job).tolist() for job in range(len(jobs.row))]
    running = [np.flatnonzero(share[:, t] > 0).tolist() for t in range(frame.slots)]
    fixed_kw = problem.fixed.kw.sum(axis=0) + problem.fixed.idle_kw.sum()
    kw, gpus = share * jobs.kw[starts.job, None], share * jobs.gpus[starts.job, None]
    m.x = pyo.Var(range(len(starts.job)), domain=pyo.Binary)
    m.once = pyo.Constraint(
        range(len(options)), rule=lambda m, j: sum(m.x[o] for o in options[j]) == 1
    )
    m.it_load = pyo.Constraint(
        m.SLOT,
        rule=lambda m, t: (
            m.it_kw[t] == float(fixed_kw[t]) + sum(float(kw[o, t]) * m.x[o] for o in running[t])
        ),
    )
    for index, pool in enumerate(problem.site.pools):
        free = pool.gpu_count - problem.fixed.gpus[index]
        mine = [[o for o in running[t] if jobs.pool[starts.job[o]] == index] for t in m.SLOT]
        full = [t for t in m.SLOT if gpus[mine[t], t].sum() > free[t]]
        limit = pyo.Constraint(
            full,
            rule=lambda m, t, mine=mine, free=free: (
                sum(float(gpus[o, t]) * m.x[o] for o in mine[t]) <= float(free[t]) + 1e-6
            ),
        )
        m.add_component(f"boards_{index}", limit)
    m.objective.deactivate()
    m.whole = pyo.Objective(expr=m.site_cost + sum(c * m.x[o] for o, c in enumerate(tail) if c))
    built = time.perf_counter()
    solver = Highs()
    solver.config.load_solution = False
    solver.config.time_limit = PLAIN_LIMIT_S
    solver.config.mip_gap = gap_frac
    solver.highs_options = {"threads": 1}
    result = solver.solve(m)
    done = time.perf_counter()
    status = result.termination_condition.name
    start_s = None
    if result.best_feasible_objective is not None:
        result.solution_loader.load_vars()
        taken = np.array([pyo.value(m.x[o]) > 0.5 for o in m.x])
        start_s = starts.start_s[taken]
    binaries = len(starts.job) + len(m.choose)
    bound = float(result.best_objective_bound)
    return Plain(start_s, bound, binaries, built - began, done - built, status)


def windows_table(case: Case, found: list[tuple[WindowProblem, WindowPlan]]) -> None:
    for problem, plan in found:
        frame, proof = Frame(problem), plan.proof
        stay, ours = frame.cost(problem.at_s), frame.cost(plan.start_s)
        began = time.perf_counter()
        chosen = greedy(frame)
        greedy_s = time.perf_counter() - began
        theirs = frame.cost(chosen)
        ours_s = proof.build_s + proof.solve_s
        print(
            f"| {case.name} {proof.start[5:10]} | {proof.jobs_movable:,} | {proof.jobs_moved:,} | "
            f"{proof.columns:,} / {proof.rows:,} / {proof.binaries:,} | {proof.build_s:.2f} | "
            f"{proof.solve_s:.2f} | {proof.bound_s:.2f} | {100 * proof.gap_frac:.3f} | {stay:,.1f} | "
            f"{ours:,.1f} | {theirs:,.1f} | {saved(stay, ours)} | {saved(stay, theirs)} | "
            f"{greedy_s:.3f} | {ours_s / greedy_s:.0f} |",
            flush=True,
        )


def saved(before: float, after: float) -> str:
    return f"{100 * (before - after) / before:.2f}"


def cut_table(case: Case, problem: WindowProblem, counts: tuple[int, ...]) -> None:
    for count in sorted({min(count, len(problem.movable.row)) for count in counts}):
        cut = cut_to(problem, count)
        frame = Frame(cut)
        stay = frame.cost(cut.at_s)
        began = time.perf_counter()
        ours = plan_window(cut)
        ours_s = time.perf_counter() - began
        ours_cost = frame.cost(ours.start_s)
        began = time.perf_counter()
        shifted = greedy(frame)
        greedy_s = time.perf_counter() - began
        greedy_cost = frame.cost(shifted)
        plain = plain_milp(frame, cut.scenario.plan.gap_frac)
        plain_s = plain.build_s + plain.solve_s
        plain_cost = np.nan if plain.start_s is None else frame.cost(plain.start_s)
        print(
            f"| {case.name} | {len(cut.movable.row)} | {plain.binaries:,} | {stay:,.2f} | "
            f"{ours_cost:,.2f} in {ours_s:.2f} s, bound {ours.proof.bound:,.2f} | "
            f"{greedy_cost:,.2f} in {greedy_s:.2f} s | "
            f"{plain_cost:,.2f} in {plain_s:.1f} s ({plain.status}), bound {plain.bound:,.2f} | "
            f"{ours_cost / plain_cost:.5f} | {plain_s / ours_s:.0f} |",
            flush=True,
        )


def table_error(case: Case, problem: WindowProblem) -> None:
    frame = Frame(problem)
    load = frame.tables.it_kw
    low, high = load[None, :, 0], load[None, :, -1]
    dense = window_problem.sampled_tables(
        problem, frame.per_slot, low, high, DENSE_POINTS, np.zeros((len(load), 1))
    )
    error = np.empty_like(dense.facility_kw)
    for t, k in np.ndindex(error.shape[:2]):
        lines = np.interp(dense.it_kw[t], load[t], frame.tables.facility_kw[t, k])
        error[t, k] = lines / dense.facility_kw[t, k] - 1
    size = 100 * np.abs(error)
    print(
        f"| {case.name} | {error.shape[0]} x {error.shape[1]} x {error.shape[2]} | "
        f"{100 * np.sqrt((error**2).mean()):.4f} | {np.percentile(size, 99):.4f} | "
        f"{size.max():.4f} | {100 * error.mean():+.4f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7, help="of each scenario")
    parser.add_argument("--cuts", type=int, nargs="*", default=CUTS, help="jobs of the plain MILP")
    asked = parser.parse_args()
    planned = []
    print("## Windows of 48 h by the hour, and greedy shifting on the same windows\n")
    print(
        "| window | movable | moved | columns / rows / binaries | build s | solve s | bound s | gap % | "
        "as baseline | ours | greedy | ours saves % | greedy saves % | greedy s | ours s / greedy s |"
    )
    print("|---" * 15 + "|")
    for case in cases(asked.days):
        with recorded() as found:
            aidc.plan(aidc.simulate(case.scenario))
        planned.append((case, found))
        windows_table(case, found)
    print(
        "\n## The largest jobs of the first window, and a plain MILP with a binary for each job and start\n"
    )
    print(
        "| case | movable | plain binaries | as baseline | ours | greedy | plain MILP | "
        "objective ours / plain | time plain / ours |"
    )
    print("|---" * 9 + "|")
    for case, found in planned:
        cut_table(case, found[0][0], tuple(asked.cuts))
    print("\n## Site power by the tables against the plant itself, in % of site power\n")
    print("| case | slots x set-points x loads | rms | p99 | max | mean |")
    print("|---" * 6 + "|")
    for case, found in planned:
        table_error(case, found[0][0])


if __name__ == "__main__":
    main()
