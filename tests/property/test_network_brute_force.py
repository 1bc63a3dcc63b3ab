"""Plans of a network and their bound against every schedule there is."""

import math

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aidc.optimization.network import NetworkProblem, spread
from aidc.optimization.network.bound import bound
from aidc.optimization.network.hull import hulls
from aidc.optimization.network.pricing import lines_of_pools
from tests.networks import Start, choices, cost, every_plan, fits, may_start, random_network

MOST_SCHEDULES = 3_000
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def networks(draw: st.DrawFn) -> NetworkProblem:
    problem = random_network(
        draw(st.integers(0, 2**31)),
        jobs=draw(st.integers(1, 6)),
        sites=draw(st.integers(1, 3)),
        slots=draw(st.integers(1, 4)),
        pools_per_site=draw(st.integers(1, 2)),
        spare_boards=draw(st.integers(0, 2)),
        convex=draw(st.booleans()),
    )
    count = math.prod(len(choices(problem, job)) for job in range(len(problem.jobs)))
    assume(count <= MOST_SCHEDULES)
    return problem


@SLOW
@given(networks())
def test_plan_and_bound_enclose_the_optimum(problem: NetworkProblem) -> None:
    plan = spread(problem, gap_frac=1e-4, limit_s=30.0)
    optimum = min(cost(problem, other) for other in every_plan(problem))
    room = 1e-6 * max(1.0, abs(optimum))
    assert plan.bound <= min(optimum, plan.cost) + room  # a start between those tried may cost less
    ours = [Start(int(p), float(s)) for p, s in zip(plan.pool, plan.start_s, strict=True)]
    assert fits(problem, ours)
    assert abs(plan.cost - cost(problem, ours)) <= room
    for job, start in enumerate(ours):
        assert may_start(problem, job, start)


@SLOW
@given(networks(), st.integers(0, 2**31))
def test_any_prices_give_a_bound(problem: NetworkProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(0.0, 1.5, (len(problem.sites), problem.slots))
    boards = rng.uniform(0.0, 0.5, (len(problem.boards), problem.slots)) * rng.integers(0, 2)
    optimum = min(cost(problem, other) for other in every_plan(problem))
    least = bound(problem, hulls(problem), lines_of_pools(problem), price, boards)
    assert least <= optimum + 1e-6 * max(1.0, abs(optimum))
