"""What the grid asks of a site at each time."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.event import ImportLimit
from aidc.scenario import Scenario


def import_limit_kw(scenario: Scenario, site: str, index: pd.Index) -> NDArray[np.float64]:
    """Most import that the events of a scenario ask for at each time, inf where none does, shape (steps,)."""
    limit = np.full(len(index), np.inf)
    for event in scenario.events:
        if isinstance(event, ImportLimit) and event.site in (None, site):
            acts = np.asarray((index >= event.start) & (index < event.end))
            limit[acts] = np.minimum(limit[acts], event.limit_kw)
    return limit
