"""Figures beside the inventory: product footprint, effect of a decision, carbon of a GPU-hour.

None of them is a part of scope 1, 2 or 3, and none is ever added to them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NoReturn

from aidc.errors import InputError
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.journal import units
from aidc.ledger.scopes.scope3 import Asset
from aidc.ledger.statements.books import BookMixError

HOURS_PER_YEAR: Final = Decimal(8760)  # of the life of equipment that is on all year


@dataclass(frozen=True, slots=True)
class Memo:
    """A figure that stands for itself: it cannot be summed, not even with its like."""

    book: str
    what: str
    tco2e: Decimal
    rows: tuple[str, ...]

    def __add__(self, other: object) -> NoReturn:
        raise BookMixError(f"{self.book} is a memo: '{self.what}' cannot be summed")

    __radd__ = __add__
    __sub__ = __add__
    __rsub__ = __add__


@dataclass(frozen=True, slots=True)
class Sci:
    """Software carbon intensity: grams CO2e per functional unit, (O + M) / R.

    Attributes:
        operational_g: energy times the location-based factor.
        embodied_g: equipment, by the share of its life and of its capacity that was reserved.
        units_r: functional units, such as GPU-hours or jobs.
        unit: name of the functional unit.
    """

    operational_g: Decimal
    embodied_g: Decimal
    units_r: Decimal
    unit: str
    rows: tuple[str, ...]

    @property
    def g_per_unit(self) -> Decimal:
        """Grams CO2e per functional unit."""
        return units.EXACT.divide(
            units.EXACT.add(self.operational_g, self.embodied_g), self.units_r
        )


def conseq(decision: str, saved_wh: int, factor: GridFactor) -> Memo:
    """What a decision changes on the grid, at a marginal factor; avoided emissions are negative.

    Args:
        decision: what is decided.
        saved_wh: less energy taken from the grid [Wh]; negative where it takes more.
        factor: marginal factor.

    Raises:
        InputError: the factor is not marginal.
    """
    if factor.kind != "marginal":
        raise InputError(
            f"CONSEQ asks for a marginal factor; {factor.name} is {factor.kind}: an average says "
            "what a place emits, not what a decision changes"
        )
    return Memo("CONSEQ", decision, units.EXACT.minus(factor.tonnes(saved_wh)), (factor.name,))


def pcf(product: str, wh: int, factor: GridFactor) -> Memo:
    """Footprint of the electricity in a product, at a life-cycle factor.

    Raises:
        InputError: the factor is not one of the life cycle in CO2e.
    """
    if factor.basis != "lifecycle" or factor.gas != "CO2e":
        raise InputError(
            f"PCF asks for a life-cycle factor in CO2e; {factor.name} is {factor.basis} {factor.gas}"
        )
    return Memo("PCF", product, factor.tonnes(wh), (factor.name,))


def embodied_g(
    assets: Iterable[Asset], hours: Decimal, reserved_frac: Decimal, on: date
) -> Decimal:
    """Embodied carbon of an interval [g]: total x hours / hours of life x share reserved.

    Equipment past its life is written off and counts nothing.

    Args:
        assets: equipment that was used.
        hours: time it was reserved.
        reserved_frac: share of its capacity, 0 to 1.
        on: day within the interval.

    Raises:
        InputError: an asset has no embodied carbon: not assessed is no zero.
    """
    total = Decimal(0)
    for asset in assets:
        if asset.embodied_kgco2e is None:
            raise InputError(
                f"SCI: {asset.pieces} x {asset.asset} have no embodied carbon; post it"
            )
        age_years = Decimal((on - asset.purchased_on).days) / Decimal(365)
        if not 0 <= age_years < asset.life_years:
            continue
        grams = asset.embodied_kgco2e.scaleb(3) * asset.pieces
        life_h = units.EXACT.multiply(asset.life_years, HOURS_PER_YEAR)
        share = units.EXACT.divide(units.EXACT.multiply(hours, reserved_frac), life_h)
        total = units.EXACT.add(total, units.EXACT.multiply(grams, share))
    return total


def sci(
    wh: int,
    factor: GridFactor,
    embodied: Decimal,
    units_r: Decimal,
    unit: str,
    book: str = "S2-LB",
) -> Sci:
    """Carbon of a job or GPU-hour.

    Args:
        wh: energy of the software [Wh].
        factor: location-based factor.
        embodied: see `embodied_g`.
        units_r: functional units.
        unit: name of one.
        book: the factor's book; market-based measures are refused.

    Raises:
        InputError: a market-based book, a factor that is no grid average, or no units.

    References:
        Green Software Foundation, Software Carbon Intensity specification.
    """
    if book != "S2-LB" or factor.kind != "average":
        raise InputError(
            f"SCI is location-based: no {book} and no {factor.kind} factor; certificates do not enter"
        )
    if units_r <= 0:
        raise InputError(f"SCI per {unit}: {units_r} units; give a number above zero")
    return Sci(factor.tonnes(wh).scaleb(6), embodied, units_r, unit, (factor.name,))
