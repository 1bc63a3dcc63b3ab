"""Humidification of the make-up air."""

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Humidifier
from aidc.plant.psychrometrics import humidity_ratio, saturation_pa
from aidc.units import S_PER_H

Array = NDArray[np.float64]


def water_l_per_h(
    humidifier: Humidifier, air_kg_per_s: Array, outdoor_ratio: Array, pressure_pa: Array
) -> Array:
    """Water that lifts the make-up air to the least dew point [l/h], shape (n,).

    Args:
        humidifier: share of make-up air, least dew point.
        air_kg_per_s: supply air.
        outdoor_ratio: humidity ratio outside [kg/kg].
        pressure_pa: of the outdoor air.
    """
    wanted = humidity_ratio(saturation_pa(humidifier.dewpoint_min_degc), pressure_pa)
    missing = np.maximum(wanted - outdoor_ratio, 0.0)
    return humidifier.makeup_air_frac * air_kg_per_s * missing * S_PER_H


def humidifier_kw(humidifier: Humidifier, water: Array) -> Array:
    """Power [kW] for a flow of water [l/h], shape (n,)."""
    return humidifier.energy_kwh_per_kg * water
