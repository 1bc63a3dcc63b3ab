"""Advice for a facilities BMS: readings in, set-points with an end out. No protocol, no socket of its own.

The caller owns clock, connections and threads; `Controller.step` answers within its limit, always.
"""

from aidc.bms.advice import Advice, Expected, JobStart, Outlook, SetPoint
from aidc.bms.controller import Controller
from aidc.bms.observation import Job, Observation, Reading
from aidc.bms.points import Point, points_of, setpoints_of
from aidc.bms.pure_step import advise
from aidc.bms.state import State

__all__ = [
    "Advice",
    "Controller",
    "Expected",
    "Job",
    "JobStart",
    "Observation",
    "Outlook",
    "Point",
    "Reading",
    "SetPoint",
    "State",
    "advise",
    "points_of",
    "setpoints_of",
]
