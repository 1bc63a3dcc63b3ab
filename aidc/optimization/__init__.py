"""The optimiser: job classes, sampled plant tables, a MILP a window, and a bound below each plan."""

from aidc.optimization.forecast_planner import ForecastPlanner
from aidc.optimization.rolling import RollingPlanner

__all__ = ["ForecastPlanner", "RollingPlanner"]
