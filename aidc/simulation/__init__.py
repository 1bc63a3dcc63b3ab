"""The simulation: jobs in pools and the plant on the step, on SimPy's calendar."""

from aidc.simulation.run import (
    Planner,
    baseline_setpoints,
    simulate,
    trim_and_respond_setpoints,
    with_setpoints,
)

__all__ = [
    "Planner",
    "baseline_setpoints",
    "simulate",
    "trim_and_respond_setpoints",
    "with_setpoints",
]
