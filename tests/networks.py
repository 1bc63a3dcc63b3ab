"""Small networks of sites that can be solved by trying everything."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aidc.optimization.network import HeldBoards, NetworkJobs, NetworkProblem, SiteSide

SLOT_S = 3600.0


def site(name: str, slopes: list[list[float]], width_kw: float, fixed_kw: float) -> SiteSide:
    """A site whose cost per kWh of a slot is a slope for each width of IT power."""
    points = len(slopes[0]) + 1
    it_kw = np.repeat((np.arange(points) * width_kw)[None, :], len(slopes), axis=0)
    cost = np.concatenate(
        [np.zeros((len(slopes), 1)), np.cumsum(np.array(slopes) * width_kw, axis=1)], axis=1
    )
    return SiteSide(name, it_kw, cost, np.full(len(slopes), fixed_kw))


def at_home_boards(jobs: NetworkJobs, pools: int) -> np.ndarray:
    """Boards that all jobs hold at once where they stand, by pool."""
    most = np.zeros(pools)
    for pool in range(pools):
        mine = np.flatnonzero(jobs.home == pool)
        start, end = jobs.at_s[mine], jobs.at_s[mine] + jobs.run_s[mine, pool]
        gpus = jobs.gpus[mine, pool]
        most[pool] = max([float(gpus[(start <= at) & (end > at)].sum()) for at in start], default=0)
    return most


def random_network(
    seed: int,
    *,
    jobs: int,
    sites: int,
    slots: int,
    pools_per_site: int = 1,
    spare_boards: int = 2,
    convex: bool = True,
    slack_slots: float = 3.0,
) -> NetworkProblem:
    """A network with tight boards, off-grid releases and boards of unlike speed."""
    rng = np.random.default_rng(seed)
    pools = sites * pools_per_site
    home = rng.integers(0, pools, jobs)
    earliest = rng.integers(0, max(1, 10 * (slots - 1)), jobs) * SLOT_S / 10
    slack = rng.integers(0, round(10 * slack_slots) + 1, jobs) * SLOT_S / 10
    speed = rng.choice([1.0, 1.5], pools)
    run = rng.integers(2, 25, jobs)[:, None] * SLOT_S / 10 / speed[None, :]
    gpus = np.repeat(rng.integers(1, 5, jobs)[:, None], pools, axis=1).astype(float)
    kw = gpus * rng.uniform(0.3, 1.0, jobs)[:, None] * rng.uniform(0.8, 1.2, pools)[None, :]
    every = np.arange(jobs)
    allowed = rng.random((jobs, pools)) < 0.8
    allowed[every, home] = True
    moving = rng.integers(0, 5, (jobs, pools)) * SLOT_S / 10
    moving[every, home] = 0.0
    table = NetworkJobs(
        earliest, earliest + slack, home, earliest.copy(), run, kw, gpus, allowed, moving
    )
    slopes = rng.uniform(0.2, 1.0, (sites, 1, 1)) * rng.uniform(0.7, 1.3, (sites, slots, 1))
    bends = rng.uniform(0.8, 1.4, (sites, slots, 4))
    slopes = slopes * (np.sort(bends, axis=2) if convex else bends)
    width = max(1.0, float(kw.max(axis=1).sum()) / 3)
    sides = tuple(site(f"s{s}", slopes[s].tolist(), width, 0.3) for s in range(sites))
    boards = at_home_boards(table, pools) + rng.integers(0, spare_boards + 1, pools)
    held_pool = np.arange(pools)
    held = HeldBoards(
        np.full(pools, -SLOT_S),
        rng.integers(0, 20, pools) * SLOT_S / 10,
        rng.integers(1, 4, pools).astype(float),
        held_pool,
    )
    return NetworkProblem(
        np.arange(slots + 1) * SLOT_S,
        sides,
        np.repeat(np.arange(sites), pools_per_site),
        np.maximum(boards + held.gpus, 1.0),
        held,
        table,
        rng.uniform(0.2, 1.0, (sites, slots)),
    )


@dataclass(frozen=True)
class Start:
    pool: int
    start_s: float


def choices(problem: NetworkProblem, job: int, between: int = 0) -> list[Start]:
    """Starts a plan may give a job: the ends of its window, edges at which it begins or ends, and some between."""
    jobs, found = problem.jobs, []
    home_end = jobs.latest_s[job] + jobs.run_s[job, jobs.home[job]]
    for pool in np.flatnonzero(jobs.allowed[job]).tolist():
        early = float(jobs.earliest_s[job] + jobs.moving_s[job, pool])
        late = float(home_end - jobs.run_s[job, pool])
        if pool != jobs.home[job] and (early > late + 1e-6 or early >= problem.edges_s[-1]):
            continue
        stop = max(early, min(late, float(problem.edges_s[-1])))
        last = stop + jobs.run_s[job, pool]
        edges = problem.edges_s[0] + problem.slot_s * np.arange(round(last / problem.slot_s) + 2)
        even = np.linspace(early, stop, 2 + between)
        tried = np.concatenate([edges, edges - jobs.run_s[job, pool], even])
        found += [Start(pool, at) for at in np.unique(tried[(tried >= early) & (tried <= stop)])]
    return found


def may_start(problem: NetworkProblem, job: int, start: Start) -> bool:
    """Whether a job may start there and then."""
    its = [c.start_s for c in choices(problem, job) if c.pool == start.pool]
    return bool(its) and min(its) - 1e-6 <= start.start_s <= max(its) + 1e-6


def fits(problem: NetworkProblem, plan: list[Start]) -> bool:
    """Whether boards suffice at every instant at which something starts."""
    jobs, held = problem.jobs, problem.held
    for pool in range(len(problem.boards)):
        mine = [j for j, start in enumerate(plan) if start.pool == pool]
        begin = np.array([plan[j].start_s for j in mine])
        end = begin + jobs.run_s[mine, pool]
        gpus = jobs.gpus[mine, pool]
        here = held.pool == pool
        begin = np.concatenate([begin, held.start_s[here]])
        end = np.concatenate([end, held.end_s[here]])
        gpus = np.concatenate([gpus, held.gpus[here]])
        for at in begin:
            running = (begin <= at + 1e-6) & (end > at + 1e-6)
            if gpus[running].sum() > problem.boards[pool] + 1e-6:
                return False
    return True


def load_kw(problem: NetworkProblem, plan: list[Start]) -> np.ndarray:
    """IT power of each site and slot."""
    jobs = problem.jobs
    load = np.stack([side.fixed_kw for side in problem.sites]).astype(float)
    for job, start in enumerate(plan):
        end = start.start_s + jobs.run_s[job, start.pool]
        for t in range(problem.slots):
            low, high = problem.edges_s[t], problem.edges_s[t + 1]
            ran = max(0.0, min(end, high) - max(start.start_s, low)) / problem.slot_s
            load[problem.site_of_pool[start.pool], t] += jobs.kw[job, start.pool] * ran
    return load


def tail(problem: NetworkProblem, job: int, start: Start) -> float:
    """What a job costs after the window."""
    jobs, cost, slot = problem.jobs, 0.0, 0
    end = start.start_s + jobs.run_s[job, start.pool]
    prices = problem.tail_price[problem.site_of_pool[start.pool]]
    while (low := problem.edges_s[-1] + slot * problem.slot_s) < end:
        ran_s = max(0.0, min(end, low + problem.slot_s) - max(start.start_s, low))
        cost += jobs.kw[job, start.pool] * ran_s / 3600 * prices[slot % len(prices)]
        slot += 1
    return float(cost)


def cost(problem: NetworkProblem, plan: list[Start]) -> float:
    """What a plan costs, by interpolation in the sites' own curves."""
    load, total = load_kw(problem, plan), 0.0
    for s, side in enumerate(problem.sites):
        for t in range(problem.slots):
            x, y = side.it_kw[t], side.cost[t]
            total += np.interp(load[s, t], x, y) * problem.slot_h
    for job, start in enumerate(plan):
        early = Start(int(problem.jobs.home[job]), float(problem.jobs.earliest_s[job]))
        total += tail(problem, job, start) - tail(problem, job, early)
    return float(total)


def every_plan(problem: NetworkProblem) -> Iterator[list[Start]]:
    for plan in itertools.product(*(choices(problem, j) for j in range(len(problem.jobs)))):
        if fits(problem, list(plan)):
            yield list(plan)
