"""What the pools of a site have done with its jobs, put together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aidc.simulation.pool import Pool
from aidc.trace import Runs

Array = NDArray[np.float64]


def outcome(
    pools: Sequence[Pool], rows: Sequence[NDArray[np.int64]], count: int
) -> tuple[Array, Array, NDArray[np.bool_], Runs]:
    """Start, end and refusal of each job of a site, and all runs; see `aidc.trace.JobRun`.

    Args:
        pools: of the site, played to the end.
        rows: jobs of each pool, as rows of the site's table.
        count: jobs of the site.
    """
    start_s, end_s = np.full(count, np.nan), np.full(count, np.nan)
    refused = np.zeros(count, bool)
    parts = []
    for pool, mine in zip(pools, rows, strict=True):
        due_s = pool.due_s
        start_s[mine], end_s[mine], refused[mine] = pool.start_s, due_s, pool.refused
        job, begin_s, until_s = pool.runs()
        until_s = np.where(np.isnan(until_s), due_s[job], until_s)
        parts.append((mine[job], begin_s, until_s))
    if not parts:
        return start_s, end_s, refused, Runs(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    job, begin_s, until_s = (np.concatenate(column) for column in zip(*parts, strict=True))
    return start_s, end_s, refused, Runs(job, begin_s, until_s)
