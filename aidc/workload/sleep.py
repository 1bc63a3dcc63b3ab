"""Idle servers that are switched off after a while and booted when they are wanted."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Sleepers:
    """Boards of a pool that nobody holds: since when, and which of them are off by now.

    Boards stand for the servers they are in, packed: jobs take the boards that were freed last, so
    those that idle longest go to sleep first. Placement inside servers is not followed, so a
    half-empty server sleeps by halves.

    Args:
        capacity: boards, all idle and awake at time 0.
        after_s: how long a board idles before it sleeps.
        boot_s: until a board that sleeps can work.
    """

    def __init__(self, capacity: int, after_s: float, boot_s: float) -> None:
        self._after_s, self._boot_s = after_s, boot_s
        self._idle: list[tuple[float, int]] = [(0.0, capacity)]  # (since, boards), latest last
        self._slept: list[tuple[float, float, int]] = []  # (from, to, boards), not yet told
        self.boots = 0

    def take(self, boards: int, now_s: float) -> float:
        """Takes idle boards for a job; returns the seconds until all of them are awake."""
        delay_s, idle = 0.0, self._idle
        while boards:
            since_s, there = idle.pop()
            used = min(there, boards)
            boards -= used
            if there > used:
                idle.append((since_s, there - used))
            if now_s > since_s + self._after_s:
                self._slept.append((since_s + self._after_s, now_s, used))
                self.boots += used
                delay_s = self._boot_s
        return delay_s

    def give(self, boards: int, now_s: float) -> None:
        """Takes back the boards of a job."""
        if boards:
            self._idle.append((now_s, boards))

    def asleep(self, edges_s: Array) -> Array:
        """Mean of the boards that sleep between each two edges, shape (edges - 1,).

        Edges rise from call to call; what lies before the last of them is forgotten.
        """
        until_s = float(edges_s[-1])
        open_now = [
            (since_s + self._after_s, until_s, boards)
            for since_s, boards in self._idle
            if since_s + self._after_s < until_s
        ]
        spans = np.array(self._slept + open_now, np.float64).reshape(-1, 3)
        self._slept = [span for span in self._slept if span[1] > until_s]
        time_s = np.concatenate([spans[:, 0], spans[:, 1]])
        change = np.concatenate([spans[:, 2], -spans[:, 2]])
        order = np.argsort(time_s, kind="stable")
        time_s, count = time_s[order], np.cumsum(change[order])
        if not len(time_s):
            return np.zeros(len(edges_s) - 1)
        area = np.concatenate([[0.0], np.cumsum(count[:-1] * np.diff(time_s))])
        return np.asarray(np.diff(np.interp(edges_s, time_s, area)) / np.diff(edges_s))
