"""The five verbs, and the main job: the only place where the rooms of aidc are put together."""

from aidc.api.drivers import drivers_of
from aidc.api.front import pareto
from aidc.api.main_job import Result, run
from aidc.api.verbs import account, load, plan, report, simulate

__all__ = ["Result", "account", "drivers_of", "load", "pareto", "plan", "report", "run", "simulate"]
