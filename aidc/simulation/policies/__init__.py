"""Queue policies: a small module each, and one table of their names.

A new policy is a class with the three methods of `Queue`, its line in `QUEUES`, and its name in
`aidc.scenario.Policy`. Traces to compare policies on, and what is known of them: D. G. Feitelson, D.
Tsafrir, D. Krakov, "Experience with using the Parallel Workloads Archive", J. Parallel and Distributed
Computing 74(10), 2014.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.policies.carbon import carbon
from aidc.simulation.policies.conservative_backfill import ConservativeBackfill
from aidc.simulation.policies.deadline import Deadline
from aidc.simulation.policies.easy_backfill import EasyBackfill
from aidc.simulation.policies.fair_share import FairShare
from aidc.simulation.policies.fifo import Fifo
from aidc.simulation.policies.priority import Priority
from aidc.simulation.policies.queue import Boards, Queue
from aidc.simulation.policies.quotas import WithinQuotas
from aidc.simulation.policies.sjf import sjf
from aidc.units import S_PER_H

__all__ = ["QUEUES", "Boards", "Given", "Queue", "following_a_plan", "queue_of"]


@dataclass(frozen=True, slots=True)
class Given:
    """What queues go by besides their jobs.

    Attributes:
        capacity: boards of the pool.
        rules: of the scenario's baseline.
        grid_kgco2e_per_kwh: of each step of the horizon, shape (steps,).
        tariff_cny_per_kwh: same shape.
        step_s: length of a step.
    """

    capacity: int
    rules: QueueRules
    grid_kgco2e_per_kwh: NDArray[np.float64]
    tariff_cny_per_kwh: NDArray[np.float64]
    step_s: float


QUEUES: Mapping[Policy, Callable[[JobTable, Given], Queue]] = {
    "fifo": lambda jobs, _: Fifo(jobs),
    "sjf": lambda jobs, given: sjf(jobs, given.rules.ageing),
    "easy_backfill": lambda jobs, _: EasyBackfill(jobs),
    "conservative_backfill": lambda jobs, given: ConservativeBackfill(jobs, given.capacity),
    "priority": lambda jobs, given: Priority(
        jobs, given.rules.class_order, frozenset(given.rules.preempts)
    ),
    "fair_share": lambda jobs, given: FairShare(
        jobs, given.capacity, given.rules.vc_shares, given.rules.half_life_h * S_PER_H
    ),
    "deadline": lambda jobs, given: Deadline(jobs, given.capacity),
    "carbon": lambda jobs, given: carbon(
        jobs, given.capacity, given.grid_kgco2e_per_kwh, given.step_s
    ),
    "price": lambda jobs, given: carbon(
        jobs, given.capacity, given.tariff_cny_per_kwh, given.step_s
    ),
}


def queue_of(policy: Policy, jobs: JobTable, given: Given) -> Queue:
    """The queue of a policy, within quotas where the scenario has some."""
    queue, quotas = QUEUES[policy](jobs, given), given.rules.vc_quota
    return WithinQuotas(queue, jobs, quotas) if quotas else queue


def following_a_plan(policy: Policy) -> Policy:
    """The queue behind planned starts: one that neither puts off nor refuses what a plan decided."""
    return "easy_backfill" if policy in ("carbon", "price", "deadline") else policy
