"""Entry kinds and what each must hold. The journal holds facts; tonnes are derived, never posted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from aidc.config import Config, dotted, faults_of, nearest
from aidc.errors import Fault

Role = Literal["planner", "accountant", "approver", "bms"]
Quality = Literal["metered", "billed", "reported", "estimated", "simulated"]
Stream = Literal[
    "grid_import", "grid_export", "generator", "pv", "storage_in", "storage_out", "ups_out", "pdu_out", "it_in",
    "cooling", "loss", "other", "fuel", "water_in", "water_out", "heat_out", "refrigerant",
]  # fmt: skip
_BASE_OF_STREAM: Final = {"water_in": "ml", "water_out": "ml", "refrigerant": "g"}


def base_unit_of(stream: str) -> str:
    """Base unit that a stream is counted in."""
    return _BASE_OF_STREAM.get(stream, "Wh")


def _utc(value: object) -> object:
    form = "write it in UTC as 2021-12-31T16:00:00Z"
    if isinstance(value, str):
        try:
            value = datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise PydanticCustomError(
                "time", "{v} is no time; {f}", {"v": repr(value), "f": form}
            ) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise PydanticCustomError("time", "{v} is naive; {f}", {"v": str(value), "f": form})
        if value.utcoffset() != timedelta(0):
            raise PydanticCustomError(
                "time", "{v} is not in UTC; {f}", {"v": str(value), "f": form}
            )
    return value


def _decimal(value: object) -> object:
    if isinstance(value, float):
        message = '{v} is a float; write the digits as text, e.g. "0.5366"'
        raise PydanticCustomError("decimal", message, {"v": value})
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise PydanticCustomError("decimal", "{v} is no decimal", {"v": repr(value)}) from None
    if isinstance(value, Decimal) and not value.is_finite():
        raise PydanticCustomError("decimal", "{v} is not finite", {"v": str(value)})
    return value


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        message = "{v} is no date; write e.g. 2024-12-20"
        raise PydanticCustomError("date", message, {"v": repr(value)}) from None


def _base(unit: str) -> str:
    if "co2" in unit.lower():
        message = (
            "'{v}' is an emission; emissions are derived: post a published one as a reported_figure"
        )
        raise PydanticCustomError("unit", message, {"v": unit})
    if unit not in ("Wh", "ml", "g"):
        message = "'{v}' is not a base unit (Wh, ml, g); convert with aidc.ledger.units.to_base"
        raise PydanticCustomError("unit", message, {"v": unit})
    return unit


def _zone(name: str) -> str:
    if name not in available_timezones():
        message = "'{v}' is no time zone{n}"
        raise PydanticCustomError(
            "zone", message, {"v": name, "n": nearest(name, available_timezones())}
        )
    return name


Utc = Annotated[datetime, BeforeValidator(_utc)]
Exact = Annotated[Decimal, BeforeValidator(_decimal)]
Day = Annotated[date, BeforeValidator(_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0, le=2**53)]


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
    unit: Annotated[str, AfterValidator(_base)]
    fuel: Text | None = None
    attribute_kept: bool | None = None  # of own PV: false once its certificates are sold


class Activity(Config):
    """What a meter counted: one interval, or a block of equal ones within a calendar month."""

    meter: Text
    unit: Annotated[str, AfterValidator(_base)]
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


Payload = (
    LedgerHead | LedgerSite | Meter | Activity | Adjustment | ReportedFigure | Calc | FactorVersion
)
KINDS: Final[dict[str, type[Config]]] = {
    "ledger": LedgerHead,
    "site": LedgerSite,
    "meter": Meter,
    "activity": Activity,
    "adjustment": Adjustment,
    "reported_figure": ReportedFigure,
    "calc": Calc,
    "factor_version": FactorVersion,
}


class _Header(Config):
    """What every entry has."""

    id: Text
    kind: Text
    schema_version: Literal[1] = 1
    valid_from: Utc
    valid_to: Utc
    payload: Mapping[str, Any]
    evidence: tuple[Text, ...] = Field(default=(), strict=False)
    supersedes: Text | None = None
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked entry, still without its place in the journal."""

    id: str
    kind: str
    valid_from: datetime
    valid_to: datetime
    payload: Config
    evidence: tuple[str, ...]
    supersedes: str | None
    reason: str | None

    def content(self) -> dict[str, Any]:
        """What the journal stores of it; equal content under one id is a safe retry."""
        made: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "schema_version": 1,
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
            "payload": self.payload.model_dump(exclude_none=True),
            "evidence": list(self.evidence),
        }
        if self.supersedes is not None:
            made["supersedes"] = self.supersedes
        if self.reason is not None:
            made["reason"] = self.reason
        return made


def read_entries(raw: Iterable[Mapping[str, Any]]) -> tuple[list[Entry], list[Fault]]:
    """Entries that hold on their own, and every fault of those that do not."""
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, given in enumerate(raw):
        place = str(given.get("id") or f"entry {number}")
        entry = _read(given, place, faults)
        if entry is not None:
            entries.append(entry)
    return entries, faults


def stored_entry(body: Mapping[str, Any]) -> Entry:
    """An entry as it was stored.

    Raises:
        ValueError: it is none.
    """
    faults: list[Fault] = []
    skip = ("seq", "prev", "recorded_at", "recorded_by", "role")
    entry = _read({k: v for k, v in body.items() if k not in skip}, str(body.get("id")), faults)
    if entry is None:
        raise ValueError("\n".join(map(str, faults)))
    return entry


def _read(given: Mapping[str, Any], place: str, faults: list[Fault]) -> Entry | None:
    data = dict(given)
    before = len(faults)
    header: _Header | None = None
    payload: Config | None = None
    try:
        header = _Header.model_validate(data)
    except ValidationError as error:
        faults.extend(_faults(place, (), error, data, _Header))
    kind = data.get("kind")
    model = KINDS.get(str(kind))
    if model is None:
        faults.append(
            Fault(
                "",
                0,
                0,
                f"{place}: kind",
                f"'{kind}' is no kind of entry{nearest(str(kind), KINDS)}",
            )
        )
    elif isinstance(data.get("payload"), Mapping):
        try:
            payload = model.model_validate(dict(data["payload"]))
        except ValidationError as error:
            faults.extend(_faults(place, ("payload",), error, data["payload"], model))
    if (
        header is not None
        and header.valid_to <= header.valid_from
        and kind in ("activity", "adjustment")
    ):
        faults.append(
            Fault(
                "",
                0,
                0,
                f"{place}: valid_to",
                f"{header.valid_to} is not after {header.valid_from}",
            )
        )
    if len(faults) > before or header is None or payload is None:
        return None
    return Entry(
        header.id,
        header.kind,
        header.valid_from,
        header.valid_to,
        payload,
        header.evidence,
        header.supersedes,
        header.reason,
    )


def _faults(
    place: str, under: tuple[str, ...], error: ValidationError, data: Any, model: type[Config]
) -> list[Fault]:
    return [
        Fault("", 0, 0, f"{place}: {dotted((*under, *path))}", message)
        for path, message, _ in faults_of(error, data, model)
    ]


def block_faults(entry: Entry, activity: Activity, zone: str) -> list[Fault]:
    """What is wrong between a block's times and its intervals."""
    faults = []
    seconds = activity.interval_s * len(activity.quantities)
    if entry.valid_from + timedelta(seconds=seconds) != entry.valid_to:
        faults.append(
            f"{len(activity.quantities)} intervals of {activity.interval_s} s do not reach from "
            f"{entry.valid_from} to {entry.valid_to}"
        )
    last = (entry.valid_to - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    first = entry.valid_from.astimezone(ZoneInfo(zone))
    if len(activity.quantities) > 1 and (first.year, first.month) != (last.year, last.month):
        faults.append(f"a block stays within one calendar month of {zone}; split it at the month")
    if activity.quality == "estimated" and activity.method is None:
        faults.append("an estimate names its method")
    return [Fault("", 0, 0, f"{entry.id}: payload", fault) for fault in faults]
