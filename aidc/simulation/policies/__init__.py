"""Queue policies: one small module each, with its name in one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aidc.job import JobTable
from aidc.simulation.policies.easy_backfill import EasyBackfill
from aidc.simulation.policies.fifo import Fifo
from aidc.simulation.policies.queue import Boards, Queue

__all__ = ["QUEUES", "Boards", "Given", "Queue"]


@dataclass(frozen=True, slots=True)
class Given:
    """What queues may go by besides their jobs."""

    capacity: int


QUEUES: Mapping[str, Callable[[JobTable, Given], Queue]] = {
    "fifo": lambda jobs, _: Fifo(jobs),
    "easy_backfill": lambda jobs, _: EasyBackfill(jobs),
}
