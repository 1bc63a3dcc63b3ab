"""A start for each job from a mix of columns, so that all together they make up the mix."""

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.network.merged import Merged
from aidc.optimization.network.problem import NetworkProblem
from aidc.optimization.network.search import Found

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
GOLDEN = (5**0.5 - 1) / 2


def sample(problem: NetworkProblem, merged: Merged, found: Found) -> tuple[Array, Mask]:
    """Start of each job in slots, shape (n,), and the pools of the good it is drawn as, (n, pools).

    Alike jobs (block, what they take, release) follow each other, and the fractional parts of multiples of
    the golden ratio spread them over the columns in the mix's shares.
    """
    jobs = problem.jobs
    n = len(jobs)
    share, block = found.master.mix(), np.array(found.master.block_of)
    home = np.arange(n), jobs.home
    energy = (jobs.kw * jobs.run_s)[home]
    order = np.lexsort((jobs.earliest_s, np.log2(energy).astype(np.int64), merged.block_of))
    draw = np.empty(n)
    draw[order] = (np.arange(n) * GOLDEN) % 1.0
    start, good = np.zeros(n), np.zeros(n, np.int64)
    for number in range(merged.blocks):
        mine = np.flatnonzero(merged.block_of == number)
        columns = np.flatnonzero(block == number)
        reached = np.cumsum(share[columns])
        taken = np.searchsorted(reached, draw[mine] * reached[-1], side="right")
        taken = columns[np.minimum(taken, len(columns) - 1)]
        for column in np.unique(taken):
            rows = mine[taken == column]
            whole = found.columns[found.column_of[column]]
            start[rows], good[rows] = whole.start[rows], whole.good[rows]
    of_good = np.zeros((len(merged.goods), len(problem.boards)), bool)
    for number, item in enumerate(merged.goods):
        of_good[number, item.pools] = True
    return start, of_good[good]
