"""Jobs per CPU second of a pool, beside bare SimPy with a process a job. ``python -m benchmarks.jobs``.

The same W1 jobs go to both in the same run: on the 3,375 nodes of W1, where nobody waits, and on fewer,
where many do. FIFO starts of both must agree; the comparison means nothing otherwise.
"""

import time
from collections.abc import Callable, Generator

import numpy as np
import simpy

from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.policies import QUEUES, Given
from aidc.simulation.pool import Pool
from tests.w1 import DAY_S, GPUS_PER_NODE, NODES, w1_jobs

REPEATS = 3
CROWDED_NODES, OVERLOADED_NODES = 2_600, 2_400  # W1 needs 2,513 on the mean
HORIZON_S = 7.0 * DAY_S  # long enough for every job to end
STEP_S = 900.0  # between readings of the meter


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


if __name__ == "__main__":
    main()
