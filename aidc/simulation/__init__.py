"""The simulation: jobs in pools and the plant on the step, on SimPy's calendar."""

from aidc.simulation.energy import PlantState
from aidc.simulation.faults import faults_of
from aidc.simulation.run import simulate, simulate_piece, with_setpoints
from aidc.simulation.setpoints import baseline_setpoints, trim_and_respond_setpoints
from aidc.simulation.site_run import Planner
from aidc.simulation.state import SiteState
from aidc.simulation.sweep import setpoint_sweep

__all__ = [
    "Planner",
    "PlantState",
    "SiteState",
    "baseline_setpoints",
    "faults_of",
    "setpoint_sweep",
    "simulate",
    "simulate_piece",
    "trim_and_respond_setpoints",
    "with_setpoints",
]
