"""Unit factors, and the reader of quantities such as ``20 MW`` at the border of a file.

Inside the program a number is in the unit that its name ends with and nothing is converted.
"""

import re
from typing import Final

W_PER_KW: Final = 1e3
KW_PER_MW: Final = 1e3
KWH_PER_MWH: Final = 1e3
S_PER_MIN: Final = 60
MIN_PER_H: Final = 60
S_PER_H: Final = 3_600
H_PER_DAY: Final = 24
S_PER_DAY: Final = 86_400
KG_PER_T: Final = 1e3
L_PER_M3: Final = 1e3
PA_PER_HPA: Final = 100.0
ZERO_DEGC_IN_K: Final = 273.15

# dimension -> unit -> factor to the first unit of that dimension (offset units are not scaled)
_DIMENSIONS: Final[dict[str, dict[str, float]]] = {
    "power": {"kw": 1.0, "w": 1e-3, "mw": 1e3, "kwp": 1.0, "mwp": 1e3},
    "energy": {"kwh": 1.0, "wh": 1e-3, "mwh": 1e3, "gwh": 1e6},
    "time": {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0},
    "temperature": {"degc": 1.0},
    "temperature difference": {"k": 1.0},
    "ratio": {"frac": 1.0, "%": 0.01},
    "length": {"m": 1.0, "km": 1e3},
    "angle": {"deg": 1.0},
}
_TEXT = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%°/0-9]*)\s*")
_SPELLINGS: Final = {
    "°c": "degc",
    "c": "degc",
    "hours": "h",
    "hour": "h",
    "minutes": "min",
    "days": "d",
    "day": "d",
    "sec": "s",
}


def dimension_of(unit: str) -> dict[str, float]:
    """Units that convert into ``unit``, with the factor of each to the dimension's first unit.

    Raises:
        KeyError: if no dimension has this unit.
    """
    for units in _DIMENSIONS.values():
        if unit in units:
            return units
    raise KeyError(unit)


def quantity(text: str, unit: str) -> float:
    """Value of a written quantity in ``unit``.

    Args:
        text: number with a unit, such as ``"20 MW"``, ``"18 degC"``, ``"0.25 %"``.
        unit: unit of the result, as it stands at the end of a field's name (``kw``, ``degc``).

    Raises:
        ValueError: no number, no unit, or a unit of another dimension; the message has the remedy.

    Examples:
        >>> quantity("20 MW", "kw")
        20000.0
        >>> quantity("0.25 %", "frac")
        0.0025
    """
    units = dimension_of(unit)
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError(
            f"cannot read '{text}' as a number with a unit; write e.g. \"18 {written(unit)}\""
        )
    number, given = float(match[1].replace("_", "")), match[2].lower()
    given = _SPELLINGS.get(given, given)
    if not given:
        raise ValueError(f'{text.strip()} has no unit; write e.g. "{text.strip()} {written(unit)}"')
    if given not in units:
        allowed = ", ".join(written(name) for name in units)
        raise ValueError(f"unit '{match[2]}' is not one of {allowed}")
    return number * units[given] / units[unit]


def written(unit: str) -> str:
    """The unit as people write it."""
    return {
        "kw": "kW", "w": "W", "mw": "MW", "kwp": "kWp", "mwp": "MWp", "kwh": "kWh", "wh": "Wh", "mwh": "MWh",
        "gwh": "GWh", "degc": "degC", "k": "K",
    }.get(unit, unit)  # fmt: skip
