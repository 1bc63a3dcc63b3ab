"""Units of published and metered quantities: dimension and exact ratio to the ledger's base unit.

The base units are Wh, ml and g, counted as integers; of scope 3 also metres, passenger-metres, fen and
nights. Water is taken at 1 kg a litre.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Final

from aidc.config import nearest
from aidc.errors import InputError

EXACT: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)  # the ledger's decimals
_READ_IN: Final = {  # what people read of a base unit, and the power of ten between
    "Wh": ("MWh", 6),
    "ml": ("m3", 6),
    "g": ("kg", 3),
    "fen": ("CNY", 2),
    "pm": ("pkm", 3),
}
_BASE: Final = {
    "energy": "Wh",
    "volume": "ml",
    "mass": "g",
    "distance": "m",
    "travel": "pm",
    "money": "fen",
    "stay": "night",
}
_UNITS: Final[dict[str, tuple[str, Fraction]]] = {
    "Wh": ("energy", Fraction(1)),
    "kWh": ("energy", Fraction(10**3)),
    "MWh": ("energy", Fraction(10**6)),
    "GWh": ("energy", Fraction(10**9)),
    "TJ": ("energy", Fraction(10**12, 3600)),
    "MJ": ("energy", Fraction(10**6, 3600)),
    "GJ": ("energy", Fraction(10**9, 3600)),
    "tce": ("energy", Fraction(29_307_600_000, 3600)),  # GB/T 2589: 29,307.6 kJ a kg
    "ml": ("volume", Fraction(1)),
    "l": ("volume", Fraction(10**3)),
    "m3": ("volume", Fraction(10**6)),
    "g": ("mass", Fraction(1)),
    "kg": ("mass", Fraction(10**3)),
    "t": ("mass", Fraction(10**6)),
    "m": ("distance", Fraction(1)),
    "km": ("distance", Fraction(10**3)),
    "pm": ("travel", Fraction(1)),  # a metre travelled by one person
    "pkm": ("travel", Fraction(10**3)),
    "fen": ("money", Fraction(1)),
    "CNY": ("money", Fraction(10**2)),
    "night": ("stay", Fraction(1)),
}


def base_unit(unit: str) -> str:
    """Base unit of a unit's dimension.

    Raises:
        InputError: no such unit; names the nearest.
    """
    if unit not in _UNITS:
        raise InputError(
            f"unit '{unit}' is unknown{nearest(unit, _UNITS)}; there are {', '.join(_UNITS)}"
        )
    return _BASE[_UNITS[unit][0]]


def ratio(unit: str) -> Fraction:
    """Base units in one unit, exact."""
    base_unit(unit)
    return _UNITS[unit][1]


def to_base(value: Decimal, unit: str) -> int:
    """A quantity in its base unit, rounded half to even to a whole one.

    Raises:
        InputError: no such unit, or a negative value.

    Examples:
        >>> to_base(Decimal("765.8"), "MWh"), to_base(Decimal("2756.88"), "GJ")
        (765800000, 765800000)
    """
    if value < 0:
        raise InputError(
            f"{value} {unit} is negative; a quantity never is, the stream gives direction"
        )
    return round(Fraction(value) * ratio(unit))


def amount_text(amount: int, unit: str) -> str:
    """Base units as people read them, exact, thousands apart.

    Examples:
        >>> amount_text(39_251_353_000, "Wh"), amount_text(1_500, "g"), amount_text(3, "night")
        ('39,251.353 MWh', '1.5 kg', '3 night')
    """
    shown, places = _READ_IN.get(unit, (unit, 0))
    number = f"{Decimal(amount).scaleb(-places):,f}"
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {shown}"
