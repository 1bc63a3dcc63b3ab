"""What entries hold of places, meters, activity, published figures and calculations.

Lots, boundary events, assets and approvals are described beside their rules.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from aidc.config import Config
from aidc.ledger.fields import BaseUnit, Count, Day, Exact, Quality, Stream, Text, Utc, Zone


class LedgerHead(Config):
    """Entry 0: what the whole ledger is counted in."""

    ledger_id: Text
    zone: Zone  # calendar periods are read in it
    decimal_digits: Literal[34] = 34
    decimal_rounding: Literal["half_even"] = "half_even"
    hash: Literal["sha256-rfc6962-leaf"] = "sha256-rfc6962-leaf"


class LedgerSite(Config):
    """A place whose energy is booked."""

    entity: Text  # the reporting entity it belongs to
    name: Text
    region: Text  # ISO 3166-2, the country, or a row of the user's table
    zone: Zone
    use: Literal["AIDC", "office", "company"]  # company: a published total without a split
    approach: Literal["operational_control", "financial_control", "equity_share"]
    share: Exact = Field(gt=0, le=1)


class Meter(Config):
    """A counter of one stream at one site."""

    site: Text  # id of the site's entry
    stream: Stream
    unit: BaseUnit
    fuel: Text | None = None
    attribute_kept: bool | None = None  # of own PV: false once its certificates are sold


class Activity(Config):
    """What a meter counted: one interval, or a block of equal ones within a calendar month."""

    meter: Text
    unit: BaseUnit
    interval_s: int = Field(gt=0)
    quantities: tuple[Count, ...] = Field(min_length=1, strict=False)
    quality: Quality
    method: Text | None = None  # of an estimate


class Adjustment(Config):
    """Takes back what ``supersedes`` names and puts a replacement, if any, in its place."""

    code: Literal["error", "better_data", "late_data"]
    replacement: Activity | None = None


class ReportedFigure(Config):
    """A figure somebody published; it exists to be compared."""

    entity: Text
    quantity: Text
    year: int
    value: Exact
    unit: Text
    decimals: int = Field(ge=0)
    relation: Literal["=", "<", ">", "about"]
    document: Text
    table: Text


class Calc(Config):
    """That a statement was drawn up, from what and with which result."""

    book: Text
    entity: Text
    policy_hash: Text
    report_date: Day
    known_on: Utc | None = None
    input_head: Text
    factors: tuple[Text, ...] = Field(strict=False)
    gas: Text
    total_t: Exact
    code_version: Text


class FactorVersion(Config):
    """A row of a factor table as this ledger uses it: see `aidc.ledger.factors`."""

    table: Literal["grid_factors", "fuel_factors"]
    row: Mapping[str, str | int]
