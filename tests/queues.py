"""A pool played to the end under a policy, and plain programs that say what should come out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import simpy

from aidc.job import JobTable
from aidc.scenario import Policy, QueueRules
from aidc.simulation.policies import Given, Queue
from aidc.simulation.policies import queue_of as made_queue
from aidc.simulation.pool import Pool
from aidc.simulation.repairs import Repairs
from aidc.workload.sleep import Sleepers

STEP_S = 250.0


def queue_of(
    policy: Policy,
    table: JobTable,
    capacity: int,
    rules: QueueRules | None = None,
    price: np.ndarray | None = None,
) -> Queue:
    """The queue of a policy; the price stands for carbon and tariff, in steps of 250 s."""
    series = np.zeros(1) if price is None else price
    return made_queue(policy, table, Given(capacity, rules or QueueRules(), series, series, STEP_S))


@dataclass(frozen=True)
class Played:
    """A pool at the end; readings are kWh above idle, GPU-s, queued job-s and GPU-s out of service."""

    pool: Pool
    readings: np.ndarray

    @property
    def start_s(self) -> np.ndarray:
        return self.pool.start_s


def play(
    table: JobTable,
    capacity: int,
    queue: Queue,
    end_s: float,
    step_s: float = STEP_S,
    repairs: Repairs | None = None,
    sleepers: Sleepers | None = None,
) -> Played:
    """Plays to the end of the horizon, a whole number of steps."""
    pool = Pool(capacity, table, table.submit_s, queue, (), sleepers, repairs)
    env, readings = simpy.Environment(), []

    def meter():
        while env.now < end_s:
            yield env.timeout(step_s)
            readings.append(pool.read(env.now))

    env.process(meter())
    env.process(pool.process(env, end_s))
    env.run()
    return Played(pool, np.array(readings))


@dataclass
class State:
    """What a plain program sees at an instant."""

    now: float
    free: int
    waiting: list[int]  # in order of arrival
    running: dict[int, float]  # start of each


Choose = Callable[[JobTable, State], list[int]]


def plain_starts(table: JobTable, capacity: int, choose: Choose) -> list[float]:
    """Starts of an event loop without any cleverness: at each instant ends, arrivals, then starts."""
    held = np.minimum(table.run_s, table.limit_s)
    state = State(0.0, capacity, [], {})
    starts, arrived = [float("nan")] * len(table), 0
    while arrived < len(table) or state.running:
        times = [start + held[row] for row, start in state.running.items()]
        state.now = float(min([*times, *table.submit_s[arrived : arrived + 1]]))
        for row in [row for row, s in state.running.items() if s + held[row] <= state.now]:
            del state.running[row]
            state.free += int(table.gpu_count[row])
        while arrived < len(table) and table.submit_s[arrived] <= state.now:
            if table.gpu_count[arrived] <= capacity:
                state.waiting.append(arrived)
            arrived += 1
        for row in choose(table, state):
            starts[row] = state.now
    return starts


def begin(table: JobTable, state: State, row: int) -> int:
    """Starts a job of a plain program."""
    state.waiting.remove(row)
    state.running[row] = state.now
    state.free -= int(table.gpu_count[row])
    assert state.free >= 0
    return row


def plain_sjf(ageing: float) -> Choose:
    """Shortest first by limit less age; the first blocks."""

    def choose(table: JobTable, state: State) -> list[int]:
        def age(row: int) -> tuple[float, int]:
            return table.limit_s[row] - ageing * (state.now - table.submit_s[row]), row

        begun = []
        while state.waiting:
            first = min(state.waiting, key=age)
            if table.gpu_count[first] > state.free:
                break
            begun.append(begin(table, state, first))
        return begun

    return choose


class PlainEasy:
    """EASY as its papers have it, with every reservation it ever made."""

    def __init__(self) -> None:
        self.reserved: list[tuple[int, float]] = []

    def __call__(self, table: JobTable, state: State) -> list[int]:
        begun = []
        while state.waiting and table.gpu_count[state.waiting[0]] <= state.free:
            begun.append(begin(table, state, state.waiting[0]))
        if not state.waiting:
            return begun
        head = state.waiting[0]
        ends = sorted({start + table.limit_s[row] for row, start in state.running.items()})
        for shadow in ends:
            back = [
                row for row, start in state.running.items() if start + table.limit_s[row] <= shadow
            ]
            spare = state.free + int(table.gpu_count[back].sum()) - int(table.gpu_count[head])
            if spare >= 0:
                break
        if not np.isfinite(shadow):
            return begun
        self.reserved.append((head, shadow))
        for row in state.waiting[1:]:
            gpus = int(table.gpu_count[row])
            if gpus > state.free:
                continue
            if state.now + table.limit_s[row] <= shadow:
                begun.append(begin(table, state, row))
            elif gpus <= spare:
                spare -= gpus
                begun.append(begin(table, state, row))
        return begun
