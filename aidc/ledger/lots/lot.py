"""Certificates, contracts and credits as entries: what was issued, and each move of it."""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from aidc import catalog
from aidc.config import Config
from aidc.ledger.factors.rows import Status
from aidc.ledger.journal.fields import Count, Day, Exact, Text, Utc
from aidc.ledger.lots.criteria import Criteria

LotType = Literal[
    "gec_single", "gec_green_trade", "ppa", "supplier_rate", "irec_go", "granular",
    "ccer", "removal", "inset",
]  # fmt: skip
Act = Literal[
    "acquire", "transfer", "allocate", "retire", "expire", "void", "ccer_apply", "ccer_withdraw",
    "ccer_issue",
]  # fmt: skip
LOT_TYPES: Final = get_args(LotType)
Piece = Annotated[int, Field(gt=0, le=2**53)]


class Serials(Config):
    """A run of serial numbers, both ends included."""

    first: Piece
    last: Piece

    @property
    def count(self) -> int:
        """How many there are."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class Apart(Config):
    """Another lot of the same project and time whose MWh are not these, and what shows it."""

    lot: Text
    document: Text


class Lot(Config):
    """A certificate, contract or credit as issued; the entry's valid time is the generation interval.

    Attributes:
        registry: who keeps it; a serial number stands once in a registry.
        quantity: Wh, or kg of a credit.
        zone: where it can be delivered: the place itself or a larger one of models/policies.yaml.
        factor: version of the rate it conveys; None is generation without direct emissions.
        meter: own PV meter whose generation it certifies.
        interval_s: length of each interval of a granular lot, at most an hour.
        quantities: Wh of each interval of a granular lot, in order.
        hour_weights: how a lot coarser than an hour spreads over the hours of a day in the site's
            zone, 24 whole numbers; None is flat.
        apart_from: lots of the same project and time that are other MWh.
        planned: of a simulated plan, not issued: never beside measured activity.
        expires_on: last day it may be retired, where the registry states one.
    """

    type: LotType
    registry: Text
    serials: Serials | None = None
    project: Text
    technology: Text
    commissioned_on: Day
    region: Text
    zone: Text
    quantity: Piece
    unit: Literal["Wh", "kg"]
    price_cny: Exact | None = Field(default=None, ge=0)
    sole_claim: bool
    ccer_status: Literal["none", "applied", "issued"] = "none"
    criteria: Criteria | None = None  # of what enters scope 2
    factor: Text | None = None
    meter: Text | None = None
    interval_s: int | None = Field(default=None, gt=0)
    quantities: tuple[Count, ...] | None = Field(default=None, strict=False)
    hour_weights: tuple[Count, ...] | None = Field(default=None, strict=False)
    expires_on: Day | None = None
    apart_from: tuple[Apart, ...] = Field(default=(), strict=False)
    planned: bool = False


class LotMove(Config):
    """What happened to part of a lot; the entry's ``valid_from`` is when.

    Attributes:
        entity: who holds it after an acquisition, and whose it is in every other act.
        to: who holds it after a transfer.
        site: id of the site it is allocated or retired for; None: all sites of the entity.
        beneficiary: in whose name it is retired.
        period_from: start of the consumption that it is retired for.
        period_to: its end, exclusive.
        document: retirement or settlement document.
        claim: what a retired credit is claimed for.
    """

    lot: Text
    act: Act
    quantity: Piece
    serials: Serials | None = None
    entity: Text | None = None
    to: Text | None = None
    site: Text | None = None
    beneficiary: Text | None = None
    period_from: Utc | None = None
    period_to: Utc | None = None
    document: Text | None = None
    claim: Text | None = None


class LotRule(Config):
    """A row of models/lot_types.csv."""

    name: LotType
    measure: Literal["Wh", "kg"]
    per_piece: int | None = Field(default=None, gt=0)
    account: Literal["scope2", "offset", "inset"]
    tier: Literal["certificate", "contract", "supplier_rate"] | None = None
    validity_months: int | None = Field(default=None, gt=0)  # from the production month
    validity_status: Status | None = None
    status: Status
    source: str = Field(min_length=3)

    def usable_until(self, lot: Lot, produced: date) -> date | None:
        """Last day it may be retired; None where nothing says so.

        Args:
            lot: with a day of its own, or none.
            produced: last day of generation in the ledger's zone.
        """
        if lot.expires_on is not None or self.validity_months is None:
            return lot.expires_on
        months = produced.year * 12 + produced.month - 1 + self.validity_months
        year, month = months // 12, months % 12 + 1
        return date(year, month, calendar.monthrange(year, month)[1])


class CcerTechnology(Config):
    """A row of models/ccer_technologies.csv."""

    name: Text
    admitted: Literal["yes", "no"]
    treatment: Text
    status: Status
    source: str = Field(min_length=3)


class LotTechnology(Config):
    """A row of models/lot_technologies.csv: generation without direct CO2."""

    name: Text
    status: Status
    source: str = Field(min_length=3)


def lot_rules() -> Mapping[str, LotRule]:
    """The rule of each type."""
    return catalog.table("lot_types", LotRule)


def zero_technologies() -> Mapping[str, LotTechnology]:
    """Technologies without direct CO2: a lot of one counts at zero."""
    return catalog.table("lot_technologies", LotTechnology)


def ccer_technologies() -> Mapping[str, CcerTechnology]:
    """Technologies that a notice admits to CCER or closes."""
    return catalog.table("ccer_technologies", CcerTechnology)
