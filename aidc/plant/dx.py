"""Direct expansion: the compressor behind an IEC unit."""

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import DxUnit
from aidc.units import ZERO_DEGC_IN_K

Array = NDArray[np.float64]


def condenser_air_degc(
    unit: DxUnit, drybulb_degc: Array, wetbulb_degc: Array, sprayed: NDArray[np.bool_]
) -> Array:
    """Air at the condenser [degC]: outdoor air, where sprayed on its way to the wet bulb."""
    cooled = drybulb_degc - unit.wet_condenser_share_frac * (drybulb_degc - wetbulb_degc)
    return np.where(sprayed, cooled, drybulb_degc)


def electricity_per_heat(unit: DxUnit, supply_degc: Array, condenser_air: Array) -> Array:
    """Electricity of compressor and condenser fans per heat removed, shape (n,).

    Args:
        unit: approaches, least lift and law.
        supply_degc: air behind the evaporator.
        condenser_air: air in front of the condenser [degC].
    """
    evaporating_k = supply_degc - unit.evaporator_approach_k + ZERO_DEGC_IN_K
    condensing_k = condenser_air + unit.condenser_approach_k + ZERO_DEGC_IN_K
    lift_k = np.maximum(condensing_k - evaporating_k, unit.lift_min_k)
    share = unit.carnot_a + unit.carnot_b * lift_k / evaporating_k
    return unit.eir_factor * share + unit.fan_frac
