"""Pricing, bound and placement of a plan over several sites."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from aidc.optimization.network import (
    HeldBoards,
    NetworkJobs,
    NetworkPlan,
    NetworkProblem,
    SiteSide,
    spread,
)
from aidc.optimization.network.bound import bound
from aidc.optimization.network.hull import hulls
from aidc.optimization.network.pricing import (
    board_integrals,
    energy_integrals,
    lines_of_pools,
)
from aidc.optimization.window import plan_window
from tests.networks import Start, choices, fits, may_start, random_network, tail
from tests.windows import Air, Job, TableModel, problem_of, scenario_with


def starts(plan: NetworkPlan) -> list[Start]:
    return [Start(int(p), float(s)) for p, s in zip(plan.pool, plan.start_s, strict=True)]


def test_pricing_is_what_trying_every_start_finds() -> None:
    problem = random_network(3, jobs=40, sites=2, slots=12, pools_per_site=2, slack_slots=8.0)
    rng = np.random.default_rng(5)
    price = rng.uniform(0.1, 1.0, (2, 12))
    boards = rng.uniform(0.0, 0.3, (4, 12))
    energy, held = energy_integrals(problem, price), board_integrals(problem, boards)
    jobs, edges = problem.jobs, np.arange(problem.reach_slots + 1) * 1.0
    for pool, line in enumerate(lines_of_pools(problem)):
        site = problem.site_of_pool[pool]
        cost, start = line.least(energy[site], held[pool], proof=True)
        for row, job in enumerate(line.job.tolist()):
            tried = []
            for choice in (c for c in choices(problem, job, between=40) if c.pool == pool):
                begin = choice.start_s / 3600
                end = begin + jobs.run_s[job, pool] / 3600
                power = np.interp(end, edges, energy[site]) - np.interp(begin, edges, energy[site])
                room = np.interp(end, edges, held[pool]) - np.interp(begin, edges, held[pool])
                tried.append(jobs.kw[job, pool] * power + jobs.gpus[job, pool] * room)
            assert cost[row] == pytest.approx(min(tried), rel=1e-9)
            begin = [c.start_s / 3600 for c in choices(problem, job) if c.pool == pool]
            assert min(abs(start[row] - at) for at in begin) < 1e-9  # where a slot begins or ends


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_milp_of_the_whole_lies_between_bound_and_plan(seed: int) -> None:
    problem = random_network(seed, jobs=40, sites=3, slots=8, slack_slots=5.0, spare_boards=4)
    plan = spread(problem, gap_frac=1e-3, limit_s=30.0)
    lower, upper = monolithic(problem)
    assert plan.bound <= upper + 1e-6 * abs(upper)
    assert plan.cost >= lower - 1e-6 * abs(lower)
    assert plan.bound >= 0.98 * upper  # forty jobs with few boards to spare


def monolithic(problem: NetworkProblem) -> tuple[float, float]:
    """Bound and objective of one binary for each job, pool and start, with boards as means of slots."""
    jobs, slots, sites = problem.jobs, problem.slots, len(problem.sites)
    options = [(j, c) for j in range(len(jobs)) for c in choices(problem, j)]
    facets = problem.sites[0].it_kw.shape[1] - 1
    count = len(options) + sites * slots * facets
    site_row, board_row = len(jobs), len(jobs) + sites * slots
    matrix = lil_array((board_row + len(problem.boards) * slots, count))
    objective, upper = np.zeros(count), np.ones(count)
    for column, (job, choice) in enumerate(options):
        matrix[job, column] = 1.0
        end = choice.start_s + jobs.run_s[job, choice.pool]
        early = Start(int(jobs.home[job]), float(jobs.earliest_s[job]))
        objective[column] = tail(problem, job, choice) - tail(problem, job, early)
        for t in range(slots):
            ran = min(end, problem.edges_s[t + 1]) - max(choice.start_s, problem.edges_s[t])
            share = max(0.0, ran) / problem.slot_s
            if share > 0:
                at = problem.site_of_pool[choice.pool] * slots + t
                matrix[site_row + at, column] = share * jobs.kw[job, choice.pool]
                row = board_row + choice.pool * slots + t
                matrix[row, column] = share * jobs.gpus[job, choice.pool]
    column = len(options)
    for s, side in enumerate(problem.sites):
        for t in range(slots):
            width = np.diff(side.it_kw[t])
            slope = np.diff(side.cost[t]) / width
            for f in range(facets):
                matrix[site_row + s * slots + t, column] = -1.0
                objective[column], upper[column] = slope[f] * problem.slot_h, width[f]
                column += 1
    fixed = np.stack([side.fixed_kw for side in problem.sites]).reshape(-1)
    free = problem.gpus_free.reshape(-1)
    low = np.concatenate([np.ones(len(jobs)), np.full(len(fixed), -np.inf), np.zeros(len(free))])
    high = np.concatenate([np.ones(len(jobs)), -fixed, free + 1e-9])
    whole = np.zeros(count)
    whole[: len(options)] = 1
    result = milp(
        objective,
        constraints=LinearConstraint(matrix.tocsr(), low, high),
        bounds=Bounds(0.0, upper),
        integrality=whole,
        options={"mip_rel_gap": 1e-4, "time_limit": 60.0},
    )
    return float(result.mip_dual_bound), float(result.fun)


@pytest.mark.parametrize("seed", range(6))
def test_no_pool_is_ever_over_its_boards(seed: int) -> None:
    problem = random_network(
        seed, jobs=300, sites=3, slots=24, pools_per_site=2, spare_boards=0, slack_slots=12.0
    )
    plan = spread(problem, gap_frac=2e-3, limit_s=20.0)
    assert fits(problem, starts(plan))
    for job, start in enumerate(starts(plan)):
        assert may_start(problem, job, start)


def test_wider_windows_and_more_pools_never_raise_the_bound_at_the_same_prices() -> None:
    problem = random_network(9, jobs=80, sites=3, slots=12)
    jobs = problem.jobs
    price, boards = np.full((3, 12), 0.6), np.full((3, 12), 0.05)
    price += np.linspace(0, 0.2, 12)

    def least(changed: NetworkJobs) -> float:
        new = replace(problem, jobs=changed)
        return bound(new, hulls(problem), lines_of_pools(new), price, boards)

    wider = replace(jobs, latest_s=jobs.latest_s + 2 * 3600.0)
    anywhere = replace(jobs, allowed=np.ones_like(jobs.allowed))
    at_home = np.zeros_like(jobs.allowed)
    at_home[np.arange(80), jobs.home] = True
    assert least(wider) <= least(jobs) + 1e-9
    assert least(anywhere) <= least(jobs) + 1e-9 < least(replace(jobs, allowed=at_home))


def test_the_same_window_gives_the_same_plan() -> None:
    problem = random_network(4, jobs=120, sites=3, slots=24, slack_slots=10.0)
    one, two = (spread(problem, gap_frac=1e-3, limit_s=60.0) for _ in range(2))
    np.testing.assert_array_equal(one.pool, two.pool)
    np.testing.assert_array_equal(one.start_s, two.start_s)
    assert one.bound == two.bound


def test_work_goes_to_the_cleaner_site_until_it_is_full() -> None:
    """Two sites with flat factors 0.2 and 0.8, twelve jobs of one board for an hour, two clean boards.

    Six slots hold twelve jobs on the clean site, so all of them go there when slack allows.
    """
    flat = [[0.2] * 2] * 6, [[0.8] * 2] * 6
    sides = tuple(
        SiteSide(name, np.tile([0.0, 10.0, 20.0], (6, 1)), np.array([[0, 10 * s[0], 20 * s[0]] for s in f]), np.zeros(6))
        for name, f in zip(("clean", "dirty"), flat, strict=True)
    )  # fmt: skip
    n, ones = 12, np.ones((12, 2))
    jobs = NetworkJobs(
        np.zeros(n), np.full(n, 5 * 3600.0), np.ones(n, np.int64), np.zeros(n), 3600.0 * ones,
        ones, ones, ones.astype(bool), 0.0 * ones,
    )  # fmt: skip
    none = np.zeros(0)
    problem = NetworkProblem(
        np.arange(7) * 3600.0, sides, np.array([0, 1]), np.array([2.0, 12.0]),
        HeldBoards(none, none, none, np.zeros(0, np.int64)), jobs, np.array([[0.2] * 6, [0.8] * 6]),
    )  # fmt: skip
    plan = spread(problem, gap_frac=1e-4, limit_s=10.0)
    assert plan.cost == pytest.approx(12 * 0.2)
    assert plan.bound == pytest.approx(12 * 0.2)
    assert np.bincount(np.rint(plan.start_s / 3600).astype(int)).tolist() == [2] * 6


def test_a_network_of_one_site_agrees_with_the_class_model() -> None:
    hours = 12
    air = Air(
        [30.0] * hours, [18.0] * hours, [0.0] * hours,
        [0.9, 0.9, 0.8, 0.7, 0.5, 0.3, 0.3, 0.4, 0.6, 0.8, 0.9, 0.9], [0.6] * hours,
    )  # fmt: skip
    rng = np.random.default_rng(2)
    work = [Job(float(e), float(rng.integers(1, 8)), 1.5, 4, 0.3) for e in rng.integers(0, 6, 20)]
    scenario = scenario_with(
        objective="emissions", ramp_k_per_h=20.0, step_min=60.0, gap_frac=1e-6, levels_degc=(24.0,)
    )
    window = problem_of(scenario, air, work, fixed_gpus=100.0)
    ours = spread(one_site(window), gap_frac=1e-4, limit_s=20.0)
    theirs = plan_window(window).proof
    assert ours.bound <= theirs.objective * (1 + 1e-4)
    assert theirs.bound <= ours.cost * (1 + 1e-6)
    assert ours.cost <= theirs.objective * 1.001


def one_site(window) -> NetworkProblem:  # type: ignore[no-untyped-def]
    """The window as a network of one site, with the tables of the class model."""
    model = TableModel.of(window)
    tables, money, jobs = model.tables, model.money, window.movable
    site_kw = tables.facility_kw
    bought = np.maximum(site_kw - model.bus.pv_kw[:, None, None], 0.0)
    cost = money.import_price[:, None, None] * bought
    cost = cost + money.facility_price[:, None, None] * site_kw + money.side
    fixed = (window.fixed.kw + window.fixed.idle_kw[:, None]).sum(axis=0)
    column = jobs.run_s[:, None]
    return NetworkProblem(
        np.arange(model.slots + 1) * 3600.0,
        (SiteSide("hall", tables.it_kw, cost.min(axis=1), fixed),),
        np.zeros(1, np.int64),
        np.array([256.0]),
        HeldBoards(np.zeros(1), np.full(1, 1e7), np.array([100.0]), np.zeros(1, np.int64)),
        NetworkJobs(
            jobs.earliest_s, jobs.latest_s, jobs.pool, window.at_s, column, jobs.kw[:, None],
            jobs.gpus[:, None], np.ones_like(column, bool), np.zeros_like(column),
        ),
        model.outside.price[None, :],
    )  # fmt: skip
