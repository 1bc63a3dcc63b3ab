"""Emission factors: rows with their gas, basis, place, year and the day they were published."""

import functools
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from aidc import catalog
from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger import units
from aidc.ledger.fields import Day, Exact, Text

Status = Literal["source", "secondary", "to be confirmed", "assumed"]
_LARGEST_GRID_AVERAGE_T_PER_MWH: Final = Decimal("1.5")  # a validator of the register, not physics


def _known_unit(unit: str) -> str:
    units.base_unit(unit)
    return unit


Unit = Annotated[str, AfterValidator(_known_unit)]


class GridFactor(Config):
    """A row of models/grid_factors.csv, or of a user's table."""

    name: Text  # the version: what a statement names
    id: Text
    version: Text
    value: Exact = Field(ge=0)
    unit_num: Unit
    unit_den: Unit
    gas: Literal["CO2", "CH4", "N2O", "CO2e"]
    gwp_set: Literal["AR4", "AR5", "AR6", "to be confirmed"] | None = None
    basis: Literal["direct", "incl_td", "lifecycle", "upstream"]
    kind: Literal["average", "residual", "ex_market", "fossil", "supplier", "marginal"]
    geography: Text
    data_year: int
    published_on: Day | None = None
    publisher: Text
    document_no: Text
    locator: str | None = None
    method_flags: str | None = None
    status: Status
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _holds(self) -> "GridFactor":
        if units.base_unit(self.unit_num) != "g" or units.base_unit(self.unit_den) != "Wh":
            raise ValueError(f"{self.unit_num}/{self.unit_den} is not a mass per energy")
        if self.gas == "CO2e" and self.gwp_set is None:
            raise ValueError("CO2e needs its gwp_set")
        if self.kind == "average" and self.t_per_mwh > _LARGEST_GRID_AVERAGE_T_PER_MWH:
            raise ValueError(f"{self.t_per_mwh} t/MWh is above {_LARGEST_GRID_AVERAGE_T_PER_MWH}")
        return self

    @property
    def t_per_mwh(self) -> Decimal:
        """The value in t/MWh, which is also g/Wh: exact where the units are decimal."""
        scale = units.ratio(self.unit_num) / units.ratio(self.unit_den)
        product = units.EXACT.multiply(self.value, Decimal(scale.numerator))
        return units.EXACT.divide(product, Decimal(scale.denominator))

    def tonnes(self, wh: int) -> Decimal:
        """Emissions of an energy [t], exact; nothing is rounded before print."""
        return units.EXACT.multiply(Decimal(wh).scaleb(-6), self.t_per_mwh)


class FuelFactor(Config):
    """A row of models/fuel_factors.csv: parts are kept apart and divided last."""

    name: Text
    fuel: Text
    carbon_content: Exact = Field(gt=0)
    carbon_unit: Literal["tC/GJ"]
    oxidation: Exact = Field(gt=0, le=1)
    ratio_num: Exact = Field(gt=0)
    ratio_den: Exact = Field(gt=0)
    gas: Literal["CO2"]
    publisher: Text
    document_no: Text
    published_on: Day | None = None
    status: Status
    source: str = Field(min_length=3)

    def tonnes(self, wh: int) -> Decimal:
        """Emissions of burning an energy [t]: 44/12 does not terminate, so it is divided last."""
        exact = units.EXACT
        gj = exact.multiply(Decimal(wh), Decimal("0.0000036"))
        carbon = exact.multiply(exact.multiply(gj, self.carbon_content), self.oxidation)
        return exact.divide(exact.multiply(carbon, self.ratio_num), self.ratio_den)


Factor = GridFactor | FuelFactor


def grid_factors() -> dict[str, GridFactor]:
    """The shipped rows by version name."""
    return catalog.table("grid_factors", GridFactor)


def fuel_factors() -> dict[str, FuelFactor]:
    """The shipped fuel rows by name."""
    return catalog.table("fuel_factors", FuelFactor)


def row_of(factor: Factor) -> dict[str, str | int]:
    """A factor as the journal stores it: text, and whole numbers."""
    made: dict[str, str | int] = {}
    for key, value in factor.model_dump(exclude_none=True).items():
        made[key] = value if isinstance(value, int) else _text(value)
    return made


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def factor_entry(factor: Factor) -> dict[str, Any]:
    """The ``factor_version`` entry of a factor; it holds from its data year on."""
    grid = isinstance(factor, GridFactor)
    year = factor.data_year if isinstance(factor, GridFactor) else 1970
    return {
        "id": f"factor:{factor.name}",
        "kind": "factor_version",
        "valid_from": f"{year}-01-01T00:00:00Z",
        "valid_to": "9999-12-31T00:00:00Z",
        "payload": {"table": "grid_factors" if grid else "fuel_factors", "row": row_of(factor)},
    }


def change_frac(series: str, earlier: int, later: int) -> Decimal:
    """Relative change of a shipped series between two data years, as the ministry prints it.

    Raises:
        InputError: the series has no such year; lists what there is.
    """
    first, second = (_of_year(series, year).value for year in (earlier, later))
    return units.EXACT.divide(second - first, first)


def _of_year(series: str, year: int) -> GridFactor:
    held = _series().get(series)
    if held is None:
        raise InputError(f"no factor series '{series}'{nearest(series, _series())}")
    if year not in held:
        raise InputError(f"{series} has data years {', '.join(map(str, sorted(held)))}, not {year}")
    return held[year]


@functools.cache
def _series() -> dict[str, dict[int, GridFactor]]:
    made: dict[str, dict[int, GridFactor]] = {}
    for row in grid_factors().values():
        made.setdefault(row.id, {})[row.data_year] = row
    return made
