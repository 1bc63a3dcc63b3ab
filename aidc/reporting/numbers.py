"""Numbers as people read them: the one place where anything is rounded."""

import math
from typing import Any, Final

import numpy as np

from aidc.units import KWH_PER_MWH

MINUS: Final = "\N{MINUS SIGN}"
MISSING: Final = "not available"
NOISE_DECIMALS: Final = 9  # below this a float is noise of the last bits


def number(value: float | None, decimals: int = 0, unit: str = "") -> str:
    """The value with thousands separators and its unit.

    Examples:
        >>> number(1234.56, 1, "MWh")
        '1,234.6 MWh'
        >>> number(None)
        'not available'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return (MINUS if negative else "") + text + (f" {unit}" if unit else "")


def signed(value: float | None, decimals: int = 0, unit: str = "") -> str:
    """A difference: always with its sign.

    Examples:
        >>> signed(-1.26, 1, "t"), signed(0.04, 1, "t"), signed(3.0)
        ('−1.3 t', '±0.0 t', '+3')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(abs(value), decimals, unit)
    zero = float(f"{abs(value):.{decimals}f}") == 0
    return ("±" if zero else MINUS if value < 0 else "+") + text


def percent(frac: float | None, decimals: int = 1) -> str:
    """A share in per cent."""
    return number(None if frac is None else 100 * frac, decimals, "%")


def signed_percent(frac: float | None, decimals: int = 1) -> str:
    """A relative difference in per cent, with its sign."""
    return signed(None if frac is None else 100 * frac, decimals, "%")


def energy(kwh: float | None) -> str:
    """Energy in the unit that reads best.

    Examples:
        >>> energy(512.3), energy(51_230.0), energy(53_434_500.0)
        ('512 kWh', '51.2 MWh', '53,434 MWh')
    """
    if kwh is None or not math.isfinite(kwh):
        return MISSING
    if abs(kwh) < 10 * KWH_PER_MWH:
        return number(kwh, 0, "kWh")
    mwh = kwh / KWH_PER_MWH
    return number(mwh, 1 if abs(mwh) < 1000 else 0, "MWh")


def signed_energy(kwh: float | None) -> str:
    """A difference of energies in the unit that reads best."""
    if kwh is None or not math.isfinite(kwh):
        return MISSING
    if abs(kwh) < 10 * KWH_PER_MWH:
        return signed(kwh, 0, "kWh")
    return signed(kwh / KWH_PER_MWH, 1, "MWh")


def tonnes(t: float | None) -> str:
    """Emissions with as many decimals as say something.

    Examples:
        >>> tonnes(232.71), tonnes(97_016.03)
        ('232.71 t', '97,016 t')
    """
    return number(t, mass_decimals(t or 0.0), "t")


def signed_tonnes(t: float | None) -> str:
    """A difference of emissions."""
    return signed(t, mass_decimals(t or 0.0), "t")


def mass_decimals(t: float) -> int:
    """Decimals for a number of tonnes."""
    return 2 if abs(t) < 1_000 else 1 if abs(t) < 10_000 else 0


def ratio(part: float | None, whole: float | None) -> float | None:
    """Part over whole; None where there is no whole."""
    if part is None or whole is None or whole == 0:
        return None
    return part / whole


def plain(value: Any) -> Any:
    """The same as plain JSON: no NumPy, no nan, no noise below 1e-9."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, NOISE_DECIMALS) + 0.0 if math.isfinite(value) else None
    return value
