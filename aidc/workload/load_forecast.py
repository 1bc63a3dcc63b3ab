"""Load and arrivals of the next hours, from those of the days before."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.persistence import Method, combined, repeated

Array = NDArray[np.float64]
DAYS_PER_WEEK: Final = 7


def seasonal(past: Array, method: Method, per_day: int, steps: int) -> Array:
    """A load or a count of the next steps, shape (steps,); never negative.

    ``persistence``: the last day again. ``learned``: the recent level, the last day and week and the means
    of its hour and of its hour and weekday, in the mix that would have been best so far
    (`aidc.persistence.combined`).

    Args:
        past: up to now, shape (n,), n at least 1.
        method: how.
        per_day: steps of a day.
        steps: to forecast.
    """
    if method == "persistence":
        return repeated(past, per_day, steps)
    return np.maximum(combined(past, (DAYS_PER_WEEK * per_day, per_day), steps), 0.0)


def mean_level(begin_s: Array, end_s: Array, weight: Array, edges_s: Array) -> Array:
    """Mean of what runs in each interval, shape (n,): the integral of a staircase, exact.

    Args:
        begin_s: of each run, shape (runs,).
        end_s: of each run; one before its beginning counts as none.
        weight: boards or power of each, shape (runs,).
        edges_s: of the intervals, shape (n + 1,).
    """
    if not len(begin_s):
        return np.zeros(len(edges_s) - 1)
    end_s = np.maximum(begin_s, end_s)
    at = np.concatenate([begin_s, end_s])
    change = np.concatenate([weight, -weight]).astype(np.float64)
    order = np.argsort(at, kind="stable")
    at, level = at[order], np.cumsum(change[order])
    done = np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(at))])
    mean: Array = np.diff(np.interp(edges_s, at, done)) / np.diff(edges_s)
    return np.maximum(mean, 0.0)


def within(gpus: Array, kw: Array, capacity: float) -> tuple[Array, Array]:
    """Boards no more than there are, and their power in proportion."""
    share = np.minimum(1.0, np.divide(capacity, gpus, out=np.ones_like(gpus), where=gpus > 0))
    return gpus * share, kw * share
