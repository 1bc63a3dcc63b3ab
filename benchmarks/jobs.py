"""Jobs per CPU second of a pool, beside bare SimPy with a process a job. ``python -m benchmarks.jobs``.

The same W1 jobs go to both in the same run: on the 3,375 nodes of W1, where nobody waits, and on fewer,
where many do. FIFO starts of both must agree; the comparison means nothing otherwise.
"""

import time
from collections.abc import Callable, Generator
from typing import get_args

import numpy as np
import simpy

from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.policies import QUEUES, Given
from aidc.simulation.pool import Pool
from tests.w1 import DAY_S, GPUS_PER_NODE, NODES, SEED, w1_jobs

REPEATS = 3
CROWDED_NODES, OVERLOADED_NODES = 2_600, 2_400  # W1 needs 2,513 on the mean
HORIZON_S = 7.0 * DAY_S  # long enough for every job to end
STEP_S = 900.0  # between readings of the meter
DEFERRABLE_FRAC, SLACK_S = 0.3, 21_600.0


def pool_starts(jobs: JobTable, nodes: int, policy: Policy) -> np.ndarray:
    """Our pool, with its power read every quarter of an hour."""
    boards = nodes * GPUS_PER_NODE
    price = 1 + np.sin(np.arange(0, HORIZON_S, STEP_S) * 2 * np.pi / DAY_S)
    given = Given(boards, QueueRules(), price, price, STEP_S)
    pool = Pool(boards, jobs, jobs.submit_s, QUEUES[policy](jobs, given))
    env = simpy.Environment()

    def meter() -> Generator[simpy.Event, None, None]:
        while True:
            yield env.timeout(STEP_S)
            pool.read(env.now)

    env.process(meter())
    env.process(pool.process(env, HORIZON_S))
    env.run(until=HORIZON_S)
    return pool.start_s


def bare_starts(jobs: JobTable, nodes: int) -> np.ndarray:
    """SimPy as its tutorial has it: a container of boards and a process a job, without power."""
    env = simpy.Environment()
    boards = simpy.Container(env, nodes * GPUS_PER_NODE, init=nodes * GPUS_PER_NODE)
    start_s = np.full(len(jobs), np.nan)

    def job(row: int, gpus: int, run_s: float) -> Generator[simpy.Event, None, None]:
        yield boards.get(gpus)
        start_s[row] = env.now
        yield env.timeout(run_s)
        yield boards.put(gpus)

    def arrivals() -> Generator[simpy.Event, None, None]:
        columns = zip(
            jobs.submit_s.tolist(), jobs.gpu_count.tolist(), jobs.run_s.tolist(), strict=True
        )
        for row, (submit_s, gpus, run_s) in enumerate(columns):
            yield env.timeout(submit_s - env.now)
            env.process(job(row, gpus, run_s))

    env.process(arrivals())
    env.run(until=HORIZON_S)
    return start_s


def cpu_s(play: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Least CPU time of some repetitions, and what came out."""
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        starts = play()
        seconds.append(time.process_time() - began)
    return min(seconds), starts


def main() -> None:
    jobs = w1_jobs(1)
    print(f"{len(jobs):,} jobs of one day of W1; least CPU time of {REPEATS} repetitions")
    print("| nodes | jobs that wait | who | CPU s | jobs per CPU s | times bare SimPy |")
    print("|---|---|---|---|---|---|")
    for nodes in (NODES, CROWDED_NODES, OVERLOADED_NODES):
        bare, expected = cpu_s(lambda n=nodes: bare_starts(jobs, n))
        fifo, starts = cpu_s(lambda n=nodes: pool_starts(jobs, n, "fifo"))
        easy, easy_starts = cpu_s(lambda n=nodes: pool_starts(jobs, n, "easy_backfill"))
        np.testing.assert_allclose(starts, expected, atol=1e-6)
        rows = (
            ("bare SimPy, a process a job", bare, expected),
            ("pool, FIFO", fifo, starts),
            ("pool, EASY backfill", easy, easy_starts),
        )
        for who, seconds, begun in rows:
            waiting = int((begun > jobs.submit_s + 1e-6).sum())
            print(
                f"| {nodes:,} | {waiting:,} | {who} | {seconds:.2f} | "
                f"{len(jobs) / seconds:,.0f} | {bare / seconds:.2f} |"
            )
    every_policy(jobs)


def every_policy(jobs: JobTable) -> None:
    """All policies where thousands wait, with classes, virtual clusters and slack laid on W1."""
    rng, n = np.random.default_rng(SEED), len(jobs)
    slack_s = np.where(rng.random(n) < DEFERRABLE_FRAC, SLACK_S, 0.0)
    jobs = jobs.with_columns(
        vc=rng.choice([f"vc-{number:03d}" for number in range(20)], n).astype(object),
        job_class=rng.choice(QueueRules().class_order, n).astype(object),
        slack_s=slack_s,
        deadline_s=np.where(slack_s > 0, jobs.submit_s + slack_s + jobs.run_s, np.inf),
    )
    print(f"\nEvery policy on {OVERLOADED_NODES:,} nodes:")
    print("| policy | jobs per CPU s | mean wait s | p95 | longest | refused |")
    print("|---|---|---|---|---|---|")
    for policy in get_args(Policy):
        seconds, starts = cpu_s(lambda name=policy: pool_starts(jobs, OVERLOADED_NODES, name))
        ran = np.isfinite(starts)
        wait_s = (starts - jobs.submit_s)[ran]
        print(
            f"| `{policy}` | {n / seconds:,.0f} | {wait_s.mean():,.0f} | "
            f"{np.percentile(wait_s, 95):,.0f} | {wait_s.max():,.0f} | {(~ran).sum()} |"
        )


if __name__ == "__main__":
    main()
