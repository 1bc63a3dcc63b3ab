"""Moist air: saturation, humidity ratio, enthalpy, dew point, wet bulb and density.

References:
    [1] ASHRAE Handbook, Fundamentals, "Psychrometrics" (saturation after Hyland and Wexler).
    [2] Stull, "Wet-Bulb Temperature from Relative Humidity and Air Temperature", J. Appl. Meteor.
        Climatol. 50 (2011); up to 2 K off, here only where Newton's method starts.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aidc.units import ZERO_DEGC_IN_K

Array = NDArray[np.float64]

MOLAR_MASS_RATIO: Final = 0.621945  # water over dry air [1]
GAS_CONSTANT_J_PER_KG_K: Final = 287.042  # of dry air [1]
CP_DRY_KJ_PER_KG_K: Final = 1.006
CP_VAPOUR_KJ_PER_KG_K: Final = 1.86
HEAT_OF_EVAPORATION_KJ_PER_KG: Final = 2_450.0  # of spray water at 20 degC
TRIPLE_POINT_DEGC: Final = 0.01

# ln psat [Pa] = c0/K + c1 + c2 K + c3 K^2 + c4 K^3 + c5 K^4 + c6 ln K [1]
_WATER: Final = (
    -5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 0.0, 6.5459673,
)  # fmt: skip
_ICE: Final = (
    -5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019,
)  # fmt: skip
_WETBULB_STEPS: Final = 4
_DEWPOINT_STEPS: Final = 4


def _ln_saturation(degc: Array) -> tuple[Array, Array]:
    """Logarithm of the saturation pressure [Pa] and its slope [1/K]."""
    k = degc + ZERO_DEGC_IN_K

    def branch(c: tuple[float, ...], at: Array) -> tuple[Array, Array]:
        value = c[0] / at + c[1] + at * (c[2] + at * (c[3] + at * (c[4] + at * c[5])))
        slope = c[2] + at * (2 * c[3] + at * (3 * c[4] + at * 4 * c[5]))
        return value + c[6] * np.log(at), slope - c[0] / at**2 + c[6] / at

    ice = degc < TRIPLE_POINT_DEGC
    value, slope = branch(_WATER, k)
    if ice.any():
        value[ice], slope[ice] = branch(_ICE, k[ice])
    return value, slope


def _floats(*values: ArrayLike) -> list[Array]:
    """Arrays of one shape, at least one-dimensional."""
    arrays = [np.atleast_1d(np.asarray(value, np.float64)) for value in values]
    return [np.array(array) for array in np.broadcast_arrays(*arrays)]


def saturation_pa(degc: ArrayLike) -> Array:
    """Saturation pressure [Pa] over water, below 0.01 degC over ice, shape (n,).

    Examples:
        >>> saturation_pa(25.0).round(1)
        array([3169.2])
    """
    return np.asarray(np.exp(_ln_saturation(*_floats(degc))[0]))


def humidity_ratio(vapour_pa: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Humidity ratio [kg water per kg dry air] from vapour and air pressure, shape (n,)."""
    vapour, pressure = _floats(vapour_pa, pressure_pa)
    return MOLAR_MASS_RATIO * vapour / (pressure - vapour)


def enthalpy_kj_per_kg(drybulb_degc: ArrayLike, ratio: ArrayLike) -> Array:
    """Enthalpy of moist air [kJ per kg dry air] at a humidity ratio, zero for dry air at 0 degC."""
    drybulb, w = _floats(drybulb_degc, ratio)
    return CP_DRY_KJ_PER_KG_K * drybulb + w * (2_501.0 + CP_VAPOUR_KJ_PER_KG_K * drybulb)


def density_kg_per_m3(drybulb_degc: ArrayLike, ratio: ArrayLike, pressure_pa: ArrayLike) -> Array:
    """Dry air in a cubic metre of moist air [kg/m3], shape (n,)."""
    drybulb, w, pressure = _floats(drybulb_degc, ratio, pressure_pa)
    kelvin = drybulb + ZERO_DEGC_IN_K
    return pressure / (GAS_CONSTANT_J_PER_KG_K * kelvin * (1 + w / MOLAR_MASS_RATIO))


def dewpoint_degc(vapour_pa: ArrayLike) -> Array:
    """Dew point, or frost point below 0.01 degC [degC], of a vapour pressure above zero."""
    (vapour,) = _floats(vapour_pa)
    target = np.log(vapour)
    magnus = np.log(vapour / 611.2)
    dewpoint = 243.12 * magnus / (17.62 - magnus)
    for _ in range(_DEWPOINT_STEPS):
        value, slope = _ln_saturation(dewpoint)
        dewpoint = dewpoint - (value - target) / slope
    return dewpoint


def wetbulb_degc(
    drybulb_degc: ArrayLike, dewpoint_degc: ArrayLike, pressure_pa: ArrayLike
) -> Array:
    """Thermodynamic wet bulb [degC], shape (n,); never above the dry bulb.

    The branches over water and over ice leave a gap of half a kelvin at 0 degC.

    Args:
        drybulb_degc: Air [degC], shape (n,).
        dewpoint_degc: Dew point [degC]; above the dry bulb it is taken as the dry bulb.
        pressure_pa: Air pressure [Pa].

    References:
        [1], equations for the adiabatic saturation over water and over ice.
    """
    drybulb, dewpoint, pressure = _floats(drybulb_degc, dewpoint_degc, pressure_pa)
    dewpoint = np.minimum(dewpoint, drybulb)
    wetbulb = _wetbulb(drybulb, saturation_pa(dewpoint), pressure)
    return np.maximum(wetbulb, dewpoint)


def wetbulb_from_humidity_degc(
    drybulb_degc: ArrayLike, relative_humidity_frac: ArrayLike, pressure_pa: ArrayLike
) -> Array:
    """The same from relative humidity, 0 to 1."""
    drybulb, humidity, pressure = _floats(drybulb_degc, relative_humidity_frac, pressure_pa)
    return _wetbulb(drybulb, humidity * saturation_pa(drybulb), pressure)


def _wetbulb(drybulb: Array, vapour_pa: Array, pressure: Array) -> Array:
    w = humidity_ratio(vapour_pa, pressure)
    wetbulb = np.minimum(_stull_degc(drybulb, vapour_pa / saturation_pa(drybulb)), drybulb)
    for _ in range(_WETBULB_STEPS):
        ln_saturation, slope = _ln_saturation(wetbulb)
        saturation = np.exp(ln_saturation)
        at_saturation = MOLAR_MASS_RATIO * saturation / (pressure - saturation)
        rise = at_saturation * slope * pressure / (pressure - saturation)
        over_water = wetbulb >= 0.0
        heat = np.where(over_water, 2_501.0, 2_830.0)  # of evaporation or sublimation [1]
        fall = np.where(over_water, 2.326, 0.24)
        liquid = np.where(over_water, 4.186, 2.1)
        residual = (
            (heat - fall * wetbulb) * at_saturation
            - CP_DRY_KJ_PER_KG_K * (drybulb - wetbulb)
            - w * (heat + CP_VAPOUR_KJ_PER_KG_K * drybulb - liquid * wetbulb)
        )
        residual_rise = (
            (heat - fall * wetbulb) * rise - fall * at_saturation + CP_DRY_KJ_PER_KG_K + w * liquid
        )
        wetbulb = np.minimum(wetbulb - residual / residual_rise, drybulb)
    return wetbulb


def _stull_degc(drybulb: Array, humidity_frac: Array) -> Array:
    percent = 100.0 * humidity_frac
    return np.asarray(
        drybulb * np.arctan(0.151977 * np.sqrt(percent + 8.313659))
        + np.arctan(drybulb + percent)
        - np.arctan(percent - 1.676331)
        + 0.00391838 * percent**1.5 * np.arctan(0.023101 * percent)
        - 4.686035
    )
