"""Set-points that no optimiser chose, and those of a commitment laid on what is in force."""

from dataclasses import replace
from typing import Final

import numpy as np

from aidc.scenario import Scenario
from aidc.schedule import Commitment, SetPoints

TRIM_K: Final = 0.5  # a trim step, as in hewlettpackard.github.io/dc-rl


def baseline_setpoints(scenario: Scenario, steps: int) -> SetPoints:
    """Fixed supply air, cooling mode by policy, battery and tank at rest."""
    return SetPoints.at_rest(np.full(steps, scenario.baseline.supply_air_degc))


def trim_and_respond_setpoints(scenario: Scenario, name: str) -> SetPoints:
    """The set-points of a trim-and-respond sequence, a second baseline.

    From the baseline's set-point the supply is raised by a step in each step of the simulation while
    no server asks for cooler air, and held one step below where its inlet would pass the limit. In
    the quasi-steady hall the inlet follows from the supply alone, so the sequence is closed form.
    """
    hall, steps = scenario.sites[name].site.hall, scenario.horizon(name).steps
    warmest = min(
        hall.supply_max_degc, hall.inlet_max_degc - hall.recirculation_frac * hall.air_rise_k
    )
    start = scenario.baseline.supply_air_degc
    supply = np.minimum(start + TRIM_K * np.arange(steps), max(warmest, start))
    return replace(baseline_setpoints(scenario, steps), supply_degc=supply)


def laid_on(setpoints: SetPoints, said: Commitment) -> SetPoints:
    """Set-points with those of a commitment in their place."""
    until = said.first_step + len(said.setpoints.supply_degc)
    before, after = setpoints.at(slice(0, said.first_step)), setpoints.at(slice(until, None))
    return SetPoints.joined([before, said.setpoints, after])
