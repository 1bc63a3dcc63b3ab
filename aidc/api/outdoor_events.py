"""Events that come from outside: heat waves in the weather, losses of the PV plant."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.event import Event, HeatWave, PvLoss
from aidc.scenario import Scenario


def with_heat_waves(
    air: pd.DataFrame, scenario: Scenario, site: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Weather with the heat waves of a scenario on it, and a note for each.

    The dew point stays at or below the dry bulb.
    """
    notes = []
    for event in scenario.events:
        if not isinstance(event, HeatWave) or event.site not in (None, site):
            continue
        acts = _acts(event, air.index)
        dry = air["drybulb_degc"] + np.where(acts, event.drybulb_rise_k, 0.0)
        dew = air["dewpoint_degc"] + np.where(acts, event.dewpoint_rise_k, 0.0)
        air = air.assign(drybulb_degc=dry, dewpoint_degc=np.minimum(dew, dry))
        notes.append(
            f"heat wave of {event.drybulb_rise_k:g} K on the dry bulb in {int(acts.sum())} steps, laid on the weather"
        )
    return air, tuple(notes)


def pv_left_frac(scenario: Scenario, site: str) -> NDArray[np.float64]:
    """Share of the PV output that the events leave, shape (steps,)."""
    index = scenario.horizon(site).index
    left = np.ones(len(index))
    for event in scenario.events:
        if isinstance(event, PvLoss) and event.site in (None, site):
            left[_acts(event, index)] *= 1.0 - event.lost_frac
    return left


def _acts(event: Event, index: pd.Index) -> NDArray[np.bool_]:
    return np.asarray((index >= event.start) & (index < event.end))
