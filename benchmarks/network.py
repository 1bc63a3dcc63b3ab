"""A plan over six sites beside what a user would do. ``python -m benchmarks.network``.

Every case is costed alike, by the sites' own curves. ASAP starts each job at home as it comes. Greedy is
carbon-aware shifting: each job, as it comes, to the site and start of least cost that finds its boards free,
at the marginal price that each site has with everybody at home.
"""

import argparse
import multiprocessing
import resource
import time

import numpy as np

from aidc.optimization.network import NetworkProblem, spread
from aidc.optimization.network.hull import cost_at
from aidc.optimization.network.plan import plan_cost
from aidc.optimization.network.primal import Placement
from aidc.optimization.network.rough import Guide
from aidc.optimization.network.starts import Starts
from benchmarks.network_instance import Size, network

GAP_FRAC = 0.0025
QUARTER_S, HOUR_S = 900.0, 3600.0
CASES = {
    "5,000, flat factors": (Size(5_000, 6, 96, QUARTER_S), False),
    "55,000, flat factors": (Size(55_000, 6, 96, QUARTER_S), False),
    "55,000, factors by hour": (Size(55_000, 6, 96, QUARTER_S), True),
    "55,000, flat, whole slots": (Size(55_000, 6, 96, QUARTER_S, 0.0, True), False),
    "55,000, by hour, whole slots": (Size(55_000, 6, 96, QUARTER_S, 0.0, True), True),
    "200,000, flat factors": (Size(200_000, 6, 96, QUARTER_S), False),
    "week at 1 h, 385,000, by hour": (Size(385_000, 6, 168, HOUR_S), True),
    "week at 1 h, 385,000, whole slots": (Size(385_000, 6, 168, HOUR_S, 0.0, True), True),
}


def home_load(problem: NetworkProblem) -> np.ndarray:
    placed = Placement(problem, Starts.of(problem), 1)
    jobs = problem.jobs
    start = (jobs.at_s - problem.edges_s[0]) / problem.slot_s
    return placed.loads(np.arange(len(jobs)), jobs.home, start)


def asap_cost(problem: NetworkProblem) -> float:
    start = (problem.jobs.at_s - problem.edges_s[0]) / problem.slot_s
    fixed = np.stack([site.fixed_kw for site in problem.sites])
    return plan_cost(problem, problem.jobs.home, start, fixed + home_load(problem))


def greedy_cost(problem: NetworkProblem) -> tuple[float, float]:
    """Cost and seconds."""
    began = time.perf_counter()
    load = np.stack([site.fixed_kw for site in problem.sites]) + home_load(problem)
    step = 0.01 * load
    price = (cost_at(problem, load + step) - cost_at(problem, load)) / step
    free = np.zeros_like(problem.gpus_free)
    placed = Placement(problem, Starts.of(problem), 1)
    order = np.argsort(problem.jobs.earliest_s, kind="stable")
    placed.fill(order, Guide(price, free, load, np.zeros(len(load))))
    cost = plan_cost(problem, placed.pool, placed.start, placed.load_kw)
    return cost, time.perf_counter() - began


def row(name: str, limit_s: float) -> None:
    size, hourly = CASES[name]
    problem = network(size, 1, hourly=hourly)
    began = time.perf_counter()
    plan = spread(problem, gap_frac=GAP_FRAC, limit_s=limit_s)
    total = time.perf_counter() - began
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    asap = asap_cost(problem)
    greedy, greedy_s = greedy_cost(problem)
    stages = " / ".join(f"{plan.seconds[s]:.1f}" for s in ("build", "prices", "bound", "placement"))
    print(
        f"| {name} | {stages} | {total:.1f} | {plan.iterations} | {plan.bound:,.0f} | {plan.cost:,.0f} | "
        f"{100 * plan.gap_frac:.3f} | {asap:,.0f} | {greedy:,.0f} in {greedy_s:.1f} s | "
        f"{share(asap, plan.cost, plan.bound)} | {share(asap, greedy, plan.bound)} | {peak_gb:.2f} |",
        flush=True,
    )


def share(asap: float, cost: float, bound: float) -> str:
    """Of the saving that no plan can exceed."""
    return f"{100 * (asap - cost) / (asap - bound):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--limit-s", type=float, default=30.0, help="of the search for prices")
    asked = parser.parse_args()
    print(
        "| jobs x 6 sites x 3 pools | build / prices / bound / placement s | all s | prices tried | bound | plan | "
        "gap % | ASAP | greedy | plan captures % | greedy captures % | peak GB |"
    )
    print("|---" * 12 + "|")
    for name in asked.cases:
        one = multiprocessing.get_context("spawn").Process(target=row, args=(name, asked.limit_s))
        one.start()  # a process a case, so that its peak of memory is its own
        one.join()


if __name__ == "__main__":
    main()
