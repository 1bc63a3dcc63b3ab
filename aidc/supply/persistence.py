"""The air as it is read, taken to stay: the simplest forecast there is."""

import numpy as np
import pandas as pd

from aidc.forecast import OUTDOOR_COLUMNS
from aidc.horizon import Horizon
from aidc.plant.psychrometrics import wetbulb_degc


def air_as_read(
    drybulb_degc: float, dewpoint_degc: float, elevation_m: float, horizon: Horizon
) -> pd.DataFrame:
    """`OUTDOOR_COLUMNS` in every step of a horizon, at the standard pressure of an elevation."""
    from pvlib.atmosphere import alt2pres

    pressure_pa = float(alt2pres(elevation_m))
    dewpoint = min(dewpoint_degc, drybulb_degc)
    wetbulb = float(wetbulb_degc([drybulb_degc], [dewpoint], [pressure_pa])[0])
    values = (drybulb_degc, wetbulb, dewpoint, pressure_pa)
    columns = {
        name: np.full(horizon.steps, value)
        for name, value in zip(OUTDOOR_COLUMNS, values, strict=True)
    }
    return pd.DataFrame(columns, index=horizon.index)
