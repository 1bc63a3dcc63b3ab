"""Free boards of a pool over the time to come, as promised so far."""

import numpy as np
from numpy.typing import NDArray

from aidc.simulation.policies.queue import NEVER

Array = NDArray[np.float64]


class Profile:
    """Steps of free boards: ``free[i]`` from ``at_s[i]`` to the next step, the last one for ever."""

    def __init__(self, capacity: int) -> None:
        self._at_s = np.zeros(1)
        self._free = np.full(1, capacity, np.int64)

    def first_gap(self, gpus: int, length_s: float, now_s: float) -> float:
        """The first time from now on at which so many boards are free for so long; inf: never."""
        self.pass_to(now_s)
        until = int(self._at_s.searchsorted(now_s + length_s))
        if self._free[:until].min() >= gpus:
            return now_s
        short = np.flatnonzero(self._free < gpus)
        begin = np.concatenate((self._at_s, (NEVER,)))[short + 1]
        end = np.concatenate((self._at_s[short[1:]], (NEVER,)))
        return float(begin[np.argmax(begin + length_s <= end)])

    def starts(self, gpus: int, length_s: float, now_s: float) -> tuple[Array, Array]:
        """All spans of starts from now on with so many boards free for so long: first and last of each.

        Spans rise, shape (spans,) each; the last of the last span is inf where it never closes.
        """
        self.pass_to(now_s)
        short = np.flatnonzero(self._free < gpus)
        first = np.concatenate((self._at_s, (NEVER,)))[np.concatenate(([0], short + 1))]
        until = np.concatenate((self._at_s[short], (NEVER,)))
        last = until - length_s
        last = np.where(last + length_s > until, np.nextafter(last, -NEVER), last)  # of rounding
        room = (first <= last) & (first < NEVER)
        return first[room], last[room]

    def free_until_s(self, gpus: int, now_s: float) -> float:
        """The first time from now on at which fewer boards are free; inf: never."""
        self.pass_to(now_s)
        short = self._free < gpus
        first = int(np.argmax(short))
        return max(float(self._at_s[first]), now_s) if short[first] else NEVER

    def take(self, gpus: int, begin_s: float, end_s: float) -> None:
        """Promises boards; a negative number gives them back."""
        first, last = self._step_at(begin_s), self._step_at(end_s)
        self._free[first:last] -= gpus

    def pass_to(self, now_s: float) -> None:
        """Forgets what is past."""
        past = int(self._at_s.searchsorted(now_s, "right")) - 1
        self._at_s, self._free = self._at_s[past:], self._free[past:]
        self._at_s[0] = now_s

    def _step_at(self, at_s: float) -> int:
        """Place of the step that begins at this time, made if there is none."""
        place = int(self._at_s.searchsorted(at_s))
        if at_s == NEVER or (place < len(self._at_s) and self._at_s[place] == at_s):
            return place
        self._at_s = np.concatenate((self._at_s[:place], [at_s], self._at_s[place:]))
        self._free = np.concatenate((self._free[:place], self._free[place - 1 :]))
        return place
