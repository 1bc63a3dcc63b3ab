"""One plan over several sites: jobs priced apart, sites priced apart, and a bound on what is left between."""

from aidc.optimization.network.plan import spread
from aidc.optimization.network.problem import (
    HeldBoards,
    NetworkJobs,
    NetworkPlan,
    NetworkProblem,
    SiteSide,
)

__all__ = [
    "HeldBoards",
    "NetworkJobs",
    "NetworkPlan",
    "NetworkProblem",
    "SiteSide",
    "spread",
]
