"""Emission factors: rows with their gas, basis, place, year and the day they were published."""

import functools
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from aidc import catalog
from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger.factors.distributions import Spread
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Day, Exact, Text

Status = Literal["source", "secondary", "to be confirmed", "assumed"]
GwpSet = Literal["AR4", "AR5", "AR6"]
StatedSet = Literal["AR4", "AR5", "AR6", "to be confirmed"]  # of a published CO2e
Basis = Literal["direct", "incl_td", "lifecycle", "upstream"]
Origin = Literal["fossil", "biogenic"]
GAS_PATTERN = (
    r"^(CO2e?|CH4(-fossil|-non-fossil)?|N2O|SF6|NF3|(HFC|HCFC|HFO|HCFO|PFC)-[0-9A-Za-z()]+)$"
)
Gas = Annotated[str, Field(pattern=GAS_PATTERN)]


def _known_unit(unit: str) -> str:
    units.base_unit(unit)
    return unit


Unit = Annotated[str, AfterValidator(_known_unit)]


class Published(Config):
    """Where a row comes from, since when it applies and how well it is known."""

    applies_from: Day | None = None
    applies_to: Day | None = None  # last day
    published_on: Day | None = None  # a row without it is never chosen by a dated policy
    publisher: Text
    document_no: Text
    locator: str | None = None
    source_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    licence: str | None = None
    retrieved_on: Day | None = None
    method_flags: str | None = None  # words apart by spaces, such as ets
    uncertainty: Spread | None = None  # multiples of the value; absent is not assessed
    correlation_group: Text | None = None  # rows of one group are drawn once
    status: Status
    superseded_by: Text | None = None  # name of the row that takes its place
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _in_order(self) -> "Published":
        if self.applies_from and self.applies_to and self.applies_to < self.applies_from:
            raise ValueError(f"applies_to {self.applies_to} is before {self.applies_from}")
        return self


class SeriesRow(Published):
    """A row of a series that has a value for each data year: mass of a gas per unit of an activity."""

    name: Text  # the version: what a statement names
    id: Text
    version: Text
    edition: Text | None = None
    value: Exact = Field(ge=0)
    unit_num: Unit
    unit_den: Unit
    gas: Gas
    gwp_set: StatedSet | None = None
    basis: Basis
    geography: Text
    data_year: int

    @property
    def key(self) -> str:
        """What its versions share."""
        return f"{self.id} {self.data_year} {self.edition or ''}".strip()


class GridFactor(SeriesRow):
    """A row of models/grid_factors.csv, or of a user's table."""

    kind: Literal["average", "residual", "ex_market", "fossil", "supplier", "marginal"]

    @model_validator(mode="after")
    def _holds(self) -> "GridFactor":
        _dimension(self.unit_num, self.unit_den, "Wh")
        _gwp_given(self.gas, self.gwp_set)
        return self

    @property
    def t_per_mwh(self) -> Decimal:
        """The value in t/MWh, which is also g/Wh: exact where the units are decimal."""
        return _per_base(self.value, self.unit_num, self.unit_den)

    def tonnes(self, wh: int) -> Decimal:
        """Emissions of an energy [t], exact; nothing is rounded before print."""
        return units.EXACT.multiply(Decimal(wh).scaleb(-6), self.t_per_mwh)


class FuelFactor(Published):
    """A row of models/fuel_factors.csv: parts are kept apart and divided last."""

    name: Text
    fuel: Text
    carbon_content: Exact = Field(gt=0)
    carbon_unit: Literal["tC/GJ"]
    oxidation: Exact = Field(gt=0, le=1)
    ratio_num: Exact = Field(gt=0)
    ratio_den: Exact = Field(gt=0)
    gas: Literal["CO2"]
    origin: Origin = "fossil"  # the CO2 of a biogenic fuel stands outside the scopes, as a memo

    @property
    def key(self) -> str:
        """What its versions share."""
        return f"{self.publisher} {self.fuel} {self.gas}"

    def tonnes(self, wh: int) -> Decimal:
        """Emissions of burning an energy [t]: 44/12 does not terminate, so it is divided last."""
        exact = units.EXACT
        gj = exact.multiply(Decimal(wh), Decimal("0.0000036"))
        carbon = exact.multiply(exact.multiply(gj, self.carbon_content), self.oxidation)
        return exact.divide(exact.multiply(carbon, self.ratio_num), self.ratio_den)


class ActivityFactor(SeriesRow):
    """A row of models/activity_factors.csv: mass of a gas per unit of any other activity.

    A fuel's CH4 and N2O per energy; goods per mass or money, travel and commuting per passenger-km,
    hotels per night: those are the user's own rows.
    """

    activity: Text  # the fuel, or the item of a scope 3 meter
    origin: Origin = "fossil"

    @model_validator(mode="after")
    def _holds(self) -> "ActivityFactor":
        _dimension(self.unit_num, self.unit_den, None)
        _gwp_given(self.gas, self.gwp_set)
        return self

    @property
    def g_per_base(self) -> Decimal:
        """Grams per base unit of the activity (Wh, g, ml, fen, pm, night)."""
        return _per_base(self.value, self.unit_num, self.unit_den)

    def tonnes(self, amount: int) -> Decimal:
        """Mass of its gas for an amount in the base unit [t]."""
        return units.EXACT.multiply(Decimal(amount).scaleb(-6), self.g_per_base)


Factor = GridFactor | FuelFactor | ActivityFactor


def grid_factors() -> dict[str, GridFactor]:
    """The shipped rows by version name."""
    return catalog.table("grid_factors", GridFactor)


def fuel_factors() -> dict[str, FuelFactor]:
    """The shipped fuel rows by name."""
    return catalog.table("fuel_factors", FuelFactor)


def activity_factors() -> dict[str, ActivityFactor]:
    """The shipped rows of other activities by version name."""
    return catalog.table("activity_factors", ActivityFactor)


def row_of(factor: Config) -> dict[str, str | int]:
    """A factor as the journal stores it: text, and whole numbers."""
    made: dict[str, str | int] = {}
    for key, value in factor.model_dump(exclude_none=True, exclude_defaults=True).items():
        made[key] = value if isinstance(value, int) else _text(value)
    return made


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


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


def _per_base(value: Decimal, unit_num: str, unit_den: str) -> Decimal:
    scale = units.ratio(unit_num) / units.ratio(unit_den)
    product = units.EXACT.multiply(value, Decimal(scale.numerator))
    return units.EXACT.divide(product, Decimal(scale.denominator))


def _dimension(unit_num: str, unit_den: str, wanted: str | None) -> None:
    if units.base_unit(unit_num) != "g" or wanted not in (None, units.base_unit(unit_den)):
        what = "a mass per energy" if wanted == "Wh" else "a mass per unit of an activity"
        raise ValueError(f"{unit_num}/{unit_den} is not {what}")


def _gwp_given(gas: str, gwp_set: str | None) -> None:
    if (gas == "CO2e") != (gwp_set is not None):
        raise ValueError("CO2e, and no other gas, needs its gwp_set")
