"""From a fuel as its bill counts it, by volume or mass, to energy: the heat content on its meter."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from aidc import catalog
from aidc.config import Config
from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Exact, Text


def _energy_of_fuel(unit: str) -> str:
    over, slash, under = unit.partition("/")
    if not slash or units.base_unit(over) != "Wh" or units.base_unit(under) not in ("ml", "g"):
        raise InputError(
            f"'{unit}' is no energy of a volume or mass; write MJ/m3, MJ/l, GJ/t or kWh/kg"
        )
    return unit


class HeatContent(Config):
    """Net calorific value of a fuel, as its supplier or a national table gives it."""

    value: Exact = Field(gt=0)
    unit: Annotated[str, AfterValidator(_energy_of_fuel)]
    source: Text

    @property
    def base_unit(self) -> str:
        """What the meter counts: ml or g."""
        return units.base_unit(self.unit.partition("/")[2])

    @property
    def wh_per_base(self) -> Fraction:
        """Wh of a ml or g, exact."""
        over, _, under = self.unit.partition("/")
        return Fraction(self.value) * units.ratio(over) / units.ratio(under)


class HeatRow(Config):
    """A row of models/heat_contents.csv."""

    name: Text  # the fuel
    value: Exact = Field(gt=0)
    unit: Annotated[str, AfterValidator(_energy_of_fuel)]
    status: Literal["source", "secondary", "to be confirmed", "assumed"]
    source: str = Field(min_length=3)


def national_default(fuel: str) -> str:
    """The heat content of a national table as a meter may state it, in words; empty without one."""
    row = catalog.table("heat_contents", HeatRow).get(fuel)
    if row is None:
        return ""
    return f"; a national default is {row.value} {row.unit} ({row.source}; {row.status})"


def whole_wh(amount: NDArray[np.int64], contents: Sequence[HeatContent]) -> NDArray[np.int64]:
    """Whole Wh of each interval, shape (n,): any run of them agrees with the exact energy to 1 Wh.

    Args:
        amount: ml or g of each interval, shape (n,).
        contents: heat content of each interval.
    """
    ends = np.asarray([0, *_running(amount.tolist(), contents)], np.int64)
    return ends[1:] - ends[:-1]


def _running(amount: Sequence[int], contents: Sequence[HeatContent]) -> Iterator[int]:
    total = Fraction(0)
    rates = {id(one): one.wh_per_base for one in contents}
    for counted, content in zip(amount, contents, strict=True):
        total += counted * rates[id(content)]
        yield round(total)
