"""The optimiser: job classes, sampled plant tables, a MILP a window, and a bound below each plan."""

from aidc.optimization.rolling import RollingPlanner

__all__ = ["RollingPlanner"]
