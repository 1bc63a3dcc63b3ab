"""What entries hold of places, meters, activity, published figures and calculations.

Lots, boundary events, assets and approvals are described beside their rules.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from aidc.config import Config
from aidc.ledger.factors.distributions import Spread
from aidc.ledger.journal.fields import (
    BaseUnit,
    Count,
    Day,
    Digest,
    Exact,
    Period,
    Quality,
    Stream,
    Text,
    Utc,
    Zone,
)
from aidc.ledger.journal.heat import HeatContent


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
    legal_name: Text | None = None  # of the entity, as registries name the beneficiary
    # whole days of a statement are read in the site's zone; "ledger": in the ledger's, as a
    # simulation of several sites counts
    calendar: Literal["ledger"] | None = None


class Meter(Config):
    """A counter of one stream at one site."""

    site: Text  # id of the site's entry
    stream: Stream
    unit: BaseUnit
    fuel: Text | None = None
    heat_content: HeatContent | None = None  # of a fuel that its bill counts in ml or g
    item: Text | None = None  # the refrigerant, or what is bought, ridden or slept in
    attribute_kept: bool | None = None  # of own PV: false once its certificates are sold
    multiplier: Exact = Field(default=Decimal(1), gt=0)  # base units of one count of its register
    uncertainty: Spread | None = None  # of what it counts, multiples: normal 0.01
    register_digits: int | None = Field(default=None, ge=1, le=15)  # it rolls over after so many


class Activity(Config):
    """What a meter counted: one interval, or a block of equal ones within a calendar month."""

    meter: Text
    unit: BaseUnit
    interval_s: int = Field(gt=0, le=2**31)
    quantities: tuple[Count, ...] = Field(min_length=1, strict=False)
    quality: Quality
    method: Text | None = None  # of an estimate
    across_edges: Literal["by_time"] | None = None  # a bill across a year's edge is split so


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
    policies: Mapping[str, Mapping[str, Any]]  # as they were then
    report_date: Day
    known_on: Utc | None = None
    input_seq: int = Field(ge=0)  # entries that it read: those before this place
    input_head: Text
    factors: tuple[Text, ...] = Field(strict=False)
    gas: Text
    total_t: Exact
    statement_sha256: Digest  # of the statement's canonical bytes
    code_version: Text
    draws: int | None = Field(default=None, gt=0)  # of the uncertainty, with all that follows
    seed: int | None = Field(default=None, ge=0)
    low_t: Exact | None = None  # 95 % of the draws lie between
    high_t: Exact | None = None
    assessed_frac: Exact | None = None


def _row_value(value: object) -> object:
    if value is None:
        raise PydanticCustomError("row", "null is no value: leave the key out")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("row", "write text or a whole number; decimals are text")
    return value


RowValue = Annotated[str | int, BeforeValidator(_row_value)]


class FactorVersion(Config):
    """A row of a factor table as this ledger uses it: see `aidc.ledger.factors.rows`."""

    table: Literal[
        "grid_factors", "fuel_factors", "activity_factors", "gwp", "refrigerants", "td_losses", "embodied"
    ]  # fmt: skip
    row: Mapping[str, RowValue]


class Move(Config):
    """Energy from one account to another, as a meter counted it; ``rounding`` has no meter."""

    source: Text = Field(alias="from")
    target: Text = Field(alias="to")
    wh: int = Field(gt=0, le=2**53)
    meter: Text | None = None

    @property
    def stream(self) -> Stream | None:
        """What a meter between these accounts counts; None: no move goes this way."""
        return _STREAM_BETWEEN.get((_account(self.source), _account(self.target)))

    @property
    def rounding(self) -> bool:
        """Whether it only holds what rounding leaves."""
        return "rounding" in (_account(self.source), _account(self.target))


def _account(name: str) -> str:
    return name.partition(":")[0]


class EnergyTx(Config):
    """All moves of one interval over a site's bus: what comes in goes out, to the Wh.

    Accounts are written ``kind:name``; a kind is one of `ACCOUNTS`. Direction is in the names, and
    a move is never negative.
    """

    site: Text  # id of the site's entry
    moves: tuple[Move, ...] = Field(min_length=1, strict=False)
    quality: Quality
    method: Text | None = None  # of an estimate
    across_edges: Literal["by_time"] | None = None  # a bill across a year's edge is split so

    def counted(self) -> dict[str, int]:
        """Wh of each meter."""
        made: dict[str, int] = {}
        for move in self.moves:
            if move.meter is not None:
                made[move.meter] = made.get(move.meter, 0) + move.wh
        return made

    @property
    def rounding_wh(self) -> int:
        """Wh that the moves leave to rounding."""
        return sum(move.wh for move in self.moves if move.rounding)

    @property
    def buses(self) -> tuple[str, ...]:
        """Buses that the moves name."""
        named = (name for move in self.moves for name in (move.source, move.target))
        return tuple(dict.fromkeys(name for name in named if _account(name) == "bus"))

    @property
    def open_wh(self) -> int:
        """What comes to the bus less what leaves it, rounding included."""
        into = sum(move.wh for move in self.moves if _account(move.target) == "bus")
        return into - sum(move.wh for move in self.moves if _account(move.source) == "bus")


_STREAM_BETWEEN: Final[Mapping[tuple[str, str], Stream]] = {
    ("grid", "bus"): "grid_import",
    ("generator", "bus"): "generator",
    ("pv", "bus"): "pv",
    ("storage", "bus"): "storage_out",
    ("bus", "storage"): "storage_in",
    ("bus", "use.it"): "it_in",
    ("bus", "use.cooling"): "cooling",
    ("bus", "use.other"): "other",
    ("bus", "loss"): "loss",
    ("bus", "export"): "grid_export",
}
ACCOUNTS: Final = tuple(
    dict.fromkeys((*(name for pair in _STREAM_BETWEEN for name in pair), "rounding"))
)


class PeriodClose(Config):
    """That a period was closed: the Merkle root over all entries since the close before."""

    period: Period  # 2024 or 2024-07, in the ledger's zone
    first_seq: int = Field(ge=0)
    entries: int = Field(gt=0)
    root: Digest  # RFC 6962
    head: Digest  # hash of the last of them
    approved_by: Text
    signatories: tuple[Text, ...] = Field(default=(), strict=False)


class PeriodReopen(Config):
    """That a closed period takes entries again until it is closed anew; its old root stays."""

    period: Period
    approved_by: Text


class Anchor(Config):
    """Where a head was left outside, and what was given back for it."""

    seq: int = Field(ge=0)
    head: Digest
    receipt: Text  # locator of the receipt: a mail, a time stamp, a notary's number
    receipt_sha256: Digest | None = None
