"""Tasks under a price that changes by the hour, in the form of CSPLib problem 059, against all schedules.

H. Simonis, B. O'Sullivan, D. Mehta, B. Hurley, M. De Cauwer, "Energy-Cost Aware Scheduling", CSPLib 059: tasks
of a duration, an earliest start, a latest end, resources and a power; machines with capacities; energy at the
price of its slot. What a window states of it exactly is one machine with one resource that costs nothing at
rest and nothing to switch: boards of a pool, in a site without overhead. The instances are our own.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from aidc.optimization import problem as window_problem
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import FixedWork, WindowProblem
from aidc.optimization.window import plan_window
from tests.windows import HOUR_S, Air, Job, problem_of, scenario_with

SLOTS = 8


@dataclass(frozen=True)
class Task:
    """A task of CSPLib 059, times in slots of an hour."""

    duration: int
    earliest_start: int
    latest_end: int
    boards: int
    power_kw: float

    def starts(self) -> range:
        return range(self.earliest_start, self.latest_end - self.duration + 1)


def fits(tasks: Sequence[Task], starts: Sequence[int], capacity: int) -> bool:
    used = np.zeros(SLOTS)
    for task, start in zip(tasks, starts, strict=True):
        used[start : start + task.duration] += task.boards
    return bool((used <= capacity).all())


def cost(tasks: Sequence[Task], starts: Sequence[int], price: np.ndarray) -> float:
    return sum(
        task.power_kw * float(price[start : start + task.duration].sum())
        for task, start in zip(tasks, starts, strict=True)
    )


def schedules(tasks: Sequence[Task], capacity: int) -> list[tuple[int, ...]]:
    every = itertools.product(*(task.starts() for task in tasks))
    return [starts for starts in every if fits(tasks, starts, capacity)]


def drawn(seed: int) -> tuple[list[Task], np.ndarray]:
    random = np.random.default_rng(seed)
    tasks = []
    for _ in range(6):
        duration = int(random.integers(1, 4))
        earliest = int(random.integers(0, SLOTS - duration))
        latest = int(random.integers(earliest + duration, min(SLOTS, earliest + duration + 3) + 1))
        power_kw = round(float(random.uniform(0.5, 4.0)), 1)
        tasks.append(Task(duration, earliest, latest, int(random.integers(1, 6)), power_kw))
    return tasks, random.uniform(0.2, 1.5, SLOTS).round(3)


def stated(
    tasks: Sequence[Task], price: np.ndarray, capacity: int, first: Sequence[int]
) -> WindowProblem:
    """The instance as a window; the jobs stand at a schedule that fits."""
    none = [0.0] * SLOTS
    air = Air([20.0] * SLOTS, [10.0] * SLOTS, none, none, price.tolist())
    scenario = scenario_with(objective="cost", gap_frac=1e-6, levels_degc=(24.0,))
    jobs = [
        Job(t.earliest_start, t.starts()[-1] - t.earliest_start, t.duration, t.boards, 0.0)
        for t in tasks
    ]
    made = problem_of(scenario, air, jobs, fixed_gpus=0.0)
    taken = float(made.site.pools[0].gpu_count - capacity)
    begin, end, _, pool = made.fixed_runs
    return replace(
        made,
        fixed=FixedWork(np.zeros((1, SLOTS)), np.full((1, SLOTS), taken), np.zeros(1)),
        fixed_runs=(begin, end, np.array([taken]), pool),
        movable=replace(made.movable, kw=np.array([t.power_kw for t in tasks])),
        at_s=np.array(first) * HOUR_S,
    )


@pytest.fixture
def no_overhead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that draws what its machines draw."""

    def tables(
        problem: WindowProblem, _: int, low: np.ndarray, high: np.ndarray, points: int, *__: object
    ) -> PlantTables:
        load = low[0][:, None] + (high - low)[0][:, None] * np.linspace(0.0, 1.0, points)
        shape = (len(load), len(problem.options), points)
        of_option = np.broadcast_to(load[:, None, :], shape)
        none = np.zeros(shape)
        return PlantTables(
            problem.options, 1, load, of_option, none, none, of_option, none, none, none
        )

    monkeypatch.setattr(window_problem, "sampled_tables", tables)


@pytest.mark.usefixtures("no_overhead")
@pytest.mark.parametrize("seed", range(6))
def test_tasks_on_a_large_machine_are_placed_at_the_proved_optimum(seed: int) -> None:
    tasks, price = drawn(seed)
    capacity = sum(task.boards for task in tasks)
    optimum = min(cost(tasks, starts, price) for starts in schedules(tasks, capacity))
    plan = plan_window(stated(tasks, price, capacity, [t.earliest_start for t in tasks]))
    found = (plan.start_s / HOUR_S).round().astype(int).tolist()
    assert cost(tasks, found, price) == pytest.approx(optimum, rel=1e-6)
    assert plan.proof.objective == pytest.approx(optimum, rel=1e-6)
    assert plan.proof.bound == pytest.approx(optimum, rel=1e-6)


@pytest.mark.usefixtures("no_overhead")
@pytest.mark.parametrize("seed", range(6))
def test_on_a_machine_just_large_enough_the_best_schedule_is_found_and_the_bound_holds(
    seed: int,
) -> None:
    tasks, price = drawn(seed)
    least = max(task.boards for task in tasks)
    capacity = next(c for c in range(least, 31) if schedules(tasks, c))
    every = schedules(tasks, capacity)
    worst = max(every, key=lambda starts: cost(tasks, starts, price))
    optimum = min(cost(tasks, starts, price) for starts in every)
    plan = plan_window(stated(tasks, price, capacity, worst))
    found = (plan.start_s / HOUR_S).round().astype(int).tolist()
    assert tuple(found) in every
    assert plan.proof.objective == pytest.approx(cost(tasks, found, price), rel=1e-6)
    assert plan.proof.bound <= optimum * (1 + 1e-9)
    assert plan.proof.objective == pytest.approx(optimum, rel=1e-6), "the best of the few that fit"
