"""Shortest job first, with ageing so that nobody starves.

A job counts as its limit less ``ageing`` times its wait. The difference of two jobs that wait does not
change with time, so the order is that of one fixed number, ``limit + ageing * submit``: at an ageing of
0 it is plain shortest job first, at a very large one first come, first served.
"""

import numpy as np

from aidc.job import JobTable
from aidc.simulation.policies.ordered import Ordered


def sjf(jobs: JobTable, ageing: float) -> Ordered:
    """The queue; the first blocks, so a large gang gets its boards.

    Jobs without a limit come last, in order of submission; ageing does not reach them.

    Args:
        jobs: the pool's jobs; run times are not looked at, only limits.
        ageing: seconds of expected run forgiven for each second of waiting.
    """
    return Ordered(jobs, np.asarray(jobs.limit_s + ageing * jobs.submit_s, np.float64))
