"""Jobs that a plan stops and lets go on: small windows against every way to run them."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aidc.optimization import problem as window_problem
from aidc.optimization.bound import Window, marginal_price, tail_cost
from aidc.optimization.classes import Pattern
from aidc.optimization.problem import WindowProblem
from aidc.optimization.stops import broken_runs, cheapest_stops
from aidc.optimization.timing import Timing
from aidc.optimization.window import plan_window
from aidc.scenario import Weights
from aidc.verifier import PRICES, lower_bound
from tests.property.test_plan_brute_force import airs, tenths
from tests.windows import HOUR_S, Job, TableModel, hall_scenario, problem_of, scenario_with

hall_scenario()  # read once, outside of what hypothesis watches
GPUS, MOST_TIMINGS = 256, 600
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
DELAY = Weights(cost=1.0, delay_cny_per_gpu_h=0.02)
JOBS = st.lists(
    st.builds(Job, tenths(0, 15), tenths(5, 40), tenths(8, 40), st.integers(8, 64), tenths(1, 3)),
    min_size=1,
    max_size=2,
)


def ways(problem: WindowProblem, job: int) -> list[np.ndarray]:
    """Every way to run a job on the grid: runs of its own start, ends in time, a restart each time."""
    jobs, slots = problem.movable, len(problem.forecast.frame)
    assert problem.restart_s is not None
    early, last = float(jobs.earliest_s[job]), float((jobs.latest_s + jobs.run_s)[job])
    restart = float(problem.restart_s[job])

    def on_from(at: float, left: float) -> Iterator[list[tuple[float, float]]]:
        if at + left <= last + 1e-6:
            yield [(at, at + left)]
        if not math.isfinite(restart):
            return
        for stop in range(slots):
            if at < stop * HOUR_S < at + left:
                for go_on in range(stop + 1, slots):
                    again = left - (stop * HOUR_S - at) + restart
                    for rest in on_from(go_on * HOUR_S, again):
                        yield [(at, stop * HOUR_S), *rest]

    starts = [early, *(h * HOUR_S for h in range(slots) if h * HOUR_S > early)]
    return [np.array(way) for at in starts for way in on_from(at, float(jobs.run_s[job]))]


def timings(problem: WindowProblem) -> Iterator[Timing]:
    """Every timing of the jobs for which boards suffice at all times."""
    jobs = problem.movable
    free = GPUS - problem.fixed.gpus[0, 0]
    for chosen in itertools.product(*(ways(problem, job) for job in range(len(jobs.row)))):
        begun = [at for way in chosen for at in way[:, 0]]
        held = [
            sum(g for way, g in zip(chosen, jobs.gpus, strict=True)
                if ((way[:, 0] <= at + 1e-9) & (at < way[:, 1] - 1e-9)).any())
            for at in begun
        ]  # fmt: skip
        if max(held) <= free + 1e-9:
            start_s = np.array([way[0, 0] for way in chosen])
            yield Timing(start_s, {n: way for n, way in enumerate(chosen) if len(way) > 1})


def cost(model: TableModel, timing: Timing) -> float:
    """Of a timing with its best course of set-points, in the tables."""
    problem, edges = model.problem, np.arange(model.slots + 1) * HOUR_S
    job, start_s, run_s = timing.runs(problem.movable.run_s)
    load = problem.fixed.kw[0] + problem.fixed.idle_kw[0]
    for kw, start, run in zip(problem.movable.kw[job], start_s, run_s, strict=True):
        inside = np.minimum(start + run, edges[1:]) - np.maximum(start, edges[:-1])
        load = load + kw * np.maximum(inside, 0.0) / HOUR_S
    by_slot, _ = model.slot_costs(load.tolist())
    return model._best_course(by_slot) + tail_cost(problem, timing, edges, model.outside)


@st.composite
def problems(draw: st.DrawFn) -> WindowProblem:
    slots = draw(st.integers(3, 5))
    jobs = [job for job in draw(JOBS) if job.earliest_h < slots]
    assume(jobs)
    scenario = scenario_with(
        objective=draw(st.sampled_from(["emissions", "energy", "cost", "pue", DELAY])),
        ramp_k_per_h=draw(st.sampled_from([2.0, 20.0])), step_min=60.0, gap_frac=1e-6,
        levels_degc=(22.0, 24.0, 26.0),
    )  # fmt: skip
    spare = draw(st.integers(0, 12))
    made = problem_of(
        scenario,
        draw(airs(slots)),
        jobs,
        fixed_gpus=float(GPUS - sum(job.gpus for job in jobs) - spare),
    )
    restart_s = draw(
        st.lists(
            st.sampled_from([0.0, 300.0, 1200.0, math.inf]),
            min_size=len(jobs),
            max_size=len(jobs),
        )
    )
    made = replace(made, restart_s=np.array(restart_s))
    assume(1 < math.prod(len(ways(made, job)) for job in range(len(jobs))) <= MOST_TIMINGS)
    return made


@SLOW
@given(problems())
def test_bound_and_plan_enclose_the_cheapest_way_to_run_jobs_that_may_be_stopped(
    problem: WindowProblem,
) -> None:
    plan, model = plan_window(problem), TableModel.of(problem)
    optimum = min(cost(model, timing) for timing in timings(problem))
    room = 1e-6 * max(1.0, abs(optimum))
    assert plan.proof.bound <= optimum + room
    assert plan.proof.objective >= optimum - room
    check_kept(problem, plan.choice.timing)
    unbroken = plan_window(replace(problem, restart_s=None)).proof
    assert plan.proof.bound <= unbroken.objective + room, "what may be stopped need not be"


def check_kept(problem: WindowProblem, timing: Timing) -> None:
    """Work is done, restarts are paid, nobody is late, and boards suffice."""
    jobs = problem.movable
    job, start_s, run_s = timing.runs(jobs.run_s)
    held = np.bincount(job, run_s, len(jobs.row))
    stops = np.bincount(job, minlength=len(jobs.row)) - 1
    restart_s = np.where(stops > 0, problem.restart_s, 0.0)  # type: ignore[arg-type]
    np.testing.assert_allclose(held, jobs.run_s + stops * restart_s, rtol=1e-12)
    assert (timing.end_s(jobs.run_s) <= jobs.latest_s + jobs.run_s + 1e-6).all()
    assert (timing.start_s >= jobs.earliest_s - 1e-9).all()
    for at in start_s:
        on = (start_s <= at + 1e-9) & (at < start_s + run_s - 1e-9)
        assert problem.fixed.gpus[0, 0] + jobs.gpus[job[on]].sum() <= GPUS + 1e-9


@SLOW
@given(problems(), st.integers(0, 2**31), st.floats(0.0, 3.0))
def test_no_way_to_run_jobs_is_cheaper_than_the_certified_bound_at_any_prices(
    problem: WindowProblem, seed: int, spread: float
) -> None:
    model = TableModel.of(problem)
    edges, goal = np.arange(model.slots + 1) * HOUR_S, problem.scenario.plan.goals[0]
    window = Window(
        problem, model.tables, model.money, model.bus, edges, model.outside, goal, "test"
    )
    load = window_problem.load_kw(problem, problem.at, edges)
    proven = dict(window.certificate(marginal_price(model.tables, model.money, model.bus, load)))
    optimum = min(cost(model, timing) for timing in timings(problem))
    room = 1e-6 * max(1.0, abs(optimum))
    assert proven["bound"] <= optimum + room
    rng = np.random.default_rng(seed)
    for name in PRICES:
        proven[name] = proven[name] * (1 + spread * rng.standard_normal(model.slots))
        proven[name] += spread * rng.standard_normal(model.slots)
    assert lower_bound(proven) <= optimum + room


@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=8),
    st.lists(st.integers(1, 30), min_size=9, max_size=9),
    st.integers(0, 2),
    st.integers(1, 5),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.25]),
    st.sampled_from([0.0, 2.0]),
)
def test_the_way_found_by_price_is_the_cheapest_of_all_whole_slots(
    price: list[int],
    after: list[int],
    first: int,
    slack: int,
    length: int,
    restart: float,
    wait: float,
) -> None:
    assume(first < len(price) - 1)
    later = np.append(0.0, np.cumsum(np.array(after, float)))
    every = np.append(np.array(price, float), after)

    def worth(slots: tuple[int, ...]) -> float:
        again = [b for a, b in itertools.pairwise(slots) if b > a + 1]
        idle = slots[-1] - first + 1 - length
        return sum(every[s] for s in slots) + restart * sum(every[b] for b in again) + wait * idle

    last = first + slack + length
    options = [
        slots
        for slots in itertools.combinations(range(first, min(last, len(every))), length)
        if slots[0] < len(price)
        and all(b < len(price) for a, b in itertools.pairwise(slots) if b > a + 1)
    ]
    least = min(worth(slots) for slots in options)
    unbroken = min(worth(slots) for slots in options if slots[-1] - slots[0] == length - 1)
    found = cheapest_stops(
        np.array(price, float), later, first, first + slack, length, restart, wait
    )
    if found is None:
        assert math.isclose(least, unbroken)
        return
    start = first if found.first < 0 else found.first
    runs = broken_runs(Pattern(start, found.stops), float(start), float(length), 0.0, 0.0, 1.0)
    held = tuple(slot for begin, end in runs for slot in range(round(begin), round(end)))
    assert len(held) == length
    assert math.isclose(worth(held), least)
