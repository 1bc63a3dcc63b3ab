"""Price of electricity by the hour, of the month's peak, and of water: ``models/tariffs/NAME.yaml``.

The time-of-use multiplier floats only some parts of the price; put on the whole price it would
overstate the Shanghai peak by 5-6 % and understate the valley by 11-16 %.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import BeforeValidator, Field, model_validator

from aidc import catalog
from aidc.config import Config, Document, Number
from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.units import H_PER_DAY

Array = NDArray[np.float64]
_SATURDAY = 5


def _day(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _year(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _month_day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        date.fromisoformat(f"2000-{value}")
    except ValueError:
        raise ValueError(f"'{value}' is no day of a year; write e.g. 10-01") from None
    return value


Month = Annotated[int, Field(ge=1, le=12)]
Hour = Annotated[int, Field(ge=0, le=23)]
Day = Annotated[date, BeforeValidator(_day)]
Year = Annotated[int, BeforeValidator(_year)]
MonthDay = Annotated[str, BeforeValidator(_month_day)]
Multiplier = Annotated[Number, Field(ge=0)]


class Component(Config):
    """A part of the price."""

    name: str = Field(min_length=1)
    cny_per_kwh: Number = Field(ge=0)
    floats: bool  # with the time of use


class Period(Config):
    """Months with the same day."""

    months: tuple[Month, ...] = Field(min_length=1, strict=False)
    multiplier: tuple[Multiplier, ...] = Field(
        min_length=H_PER_DAY, max_length=H_PER_DAY, strict=False
    )


class SpecialDays(Config):
    """Hours with their own multiplier on weekends and listed days."""

    label: str = Field(min_length=1)
    multiplier: Number = Field(ge=0)
    hours: tuple[Hour, ...] = Field(min_length=1, strict=False)
    valid_from: Day
    weekend_months: tuple[Month, ...] = Field(strict=False)
    dates: Mapping[Year, Annotated[tuple[MonthDay, ...], Field(strict=False)]]
    applied: str = Field(min_length=10)  # which days these are, in words
    source: str = Field(min_length=3)

    def holds(self, index: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Whether each time is in one of these hours, shape (n,)."""
        listed = [f"{year}-{day}" for year, days in self.dates.items() for day in days]
        dates = index.strftime("%Y-%m-%d")
        weekend = (index.day_of_week >= _SATURDAY) & index.month.isin(self.weekend_months)
        day = (weekend | dates.isin(listed)) & (dates >= self.valid_from.isoformat())
        return np.asarray(day & index.hour.isin(self.hours), np.bool_)


class Tariff(Config):
    """A tariff of electricity and water."""

    label: str = Field(min_length=1)
    source: str = Field(min_length=3)
    components: tuple[Component, ...] = Field(min_length=1, strict=False)
    periods: tuple[Period, ...] = Field(min_length=1, strict=False)
    special_days: SpecialDays | None = None
    demand_cny_per_kw_month: Number = Field(ge=0)
    water_cny_per_m3: Number = Field(ge=0)
    water_source: str = Field(min_length=3)

    @property
    def flat_cny_per_kwh(self) -> float:
        """Price at multiplier 1."""
        return sum(part.cny_per_kwh for part in self.components)

    @property
    def floating_cny_per_kwh(self) -> float:
        """The part that the multiplier acts on."""
        return sum(part.cny_per_kwh for part in self.components if part.floats)

    @model_validator(mode="after")
    def _every_month_once(self) -> "Tariff":
        months = sorted(month for period in self.periods for month in period.months)
        if months != list(range(1, 13)):
            raise ValueError(f"periods have months {months}; give each of 1 to 12 once")
        return self


def read_tariff(name: str) -> Tariff:
    """The tariff of ``models/tariffs/NAME.yaml``.

    Raises:
        CatalogError: no such tariff, or every fault of its file with line and column.
    """
    return parse_tariff(catalog.document("tariffs", name))


def parse_tariff(document: Document) -> Tariff:
    """The same for a document that was read elsewhere.

    Raises:
        CatalogError: every fault of the file with line and column.
    """
    return catalog.validated(Tariff, document)


def energy_price_cny_per_kwh(tariff: Tariff, horizon: Horizon) -> Array:
    """Price of a kWh in every step, shape (steps,); a step has the price of its start."""
    index = horizon.index
    by_month = np.empty((13, H_PER_DAY))
    for period in tariff.periods:
        by_month[list(period.months)] = period.multiplier
    multiplier = by_month[index.month, index.hour]
    if tariff.special_days is not None:
        special = tariff.special_days.holds(index)
        multiplier = np.where(special, tariff.special_days.multiplier, multiplier)
    floating = tariff.floating_cny_per_kwh
    return np.asarray(tariff.flat_cny_per_kwh + (multiplier - 1) * floating, np.float64)


def tariff_notes(tariff: Tariff, horizon: Horizon) -> tuple[str, ...]:
    """Which special days were applied, and years whose holidays the tariff does not list."""
    special = tariff.special_days
    if special is None:
        return ()
    years = {int(year) for year in horizon.index.year if year >= special.valid_from.year}
    notes = [f"{special.label}: {special.applied}"] if special.holds(horizon.index).any() else []
    if unlisted := sorted(years - set(special.dates)):
        text = ", ".join(str(year) for year in unlisted)
        notes.append(f"{special.label}: holidays of {text} are not listed, only weekends applied")
    return tuple(notes)


def demand_charge_cny(
    tariff: Tariff, peak_kw_by_month: ArrayLike, month_share_frac: ArrayLike
) -> float:
    """Charge on the peak import of each month.

    Args:
        tariff: the tariff.
        peak_kw_by_month: highest mean import of a step in each month, shape (months,).
        month_share_frac: share of each month that is covered, 0 to 1, shape (months,); a short
            run bears its share of the month's charge.

    Raises:
        SeriesError: unequal lengths, a negative peak, or a share beyond 0 to 1.
    """
    peak, share = np.broadcast_arrays(
        np.asarray(peak_kw_by_month, np.float64), np.asarray(month_share_frac, np.float64)
    )
    faults = []
    if not (np.isfinite(peak) & (peak >= 0)).all():
        faults.append(Fault("", 0, 0, "peak_kw_by_month", f"{peak.min():g} kW is no peak import"))
    if not ((share >= 0) & (share <= 1 + 1e-9)).all():
        message = f"{share.min():g} to {share.max():g} is not within 0 and 1"
        faults.append(Fault("", 0, 0, "month_share_frac", message))
    if faults:
        raise SeriesError(faults)
    return float(np.sum(peak * share) * tariff.demand_cny_per_kw_month)
