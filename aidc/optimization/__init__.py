"""The optimiser: job classes, sampled plant tables, a MILP a window, and a bound below each plan."""

from aidc.optimization.forecast_planner import ForecastPlanner
from aidc.optimization.problem import WindowProblem
from aidc.optimization.pure_pue import PurePue, pure_pue
from aidc.optimization.rolling import RollingPlanner

__all__ = ["ForecastPlanner", "PurePue", "RollingPlanner", "WindowProblem", "pure_pue"]
