"""Typed fields of entries: times in UTC, exact decimals, base units, names."""

import re
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from aidc.config import nearest

Role = Literal["planner", "accountant", "approver", "bms"]
Quality = Literal["metered", "billed", "reported", "estimated", "simulated"]
Stream = Literal[
    "grid_import", "grid_export", "generator", "pv", "storage_in", "storage_out", "ups_out", "pdu_out", "it_in",
    "cooling", "loss", "other", "fuel", "water_in", "water_out", "heat_out", "refrigerant",
    "goods_mass", "goods_spend", "travel", "hotel", "commuting",
]  # fmt: skip
_TIME_FORM: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?")
LARGEST_EXPONENT: Final = 100  # a number beyond it is a slip, and would fill the memory as digits
_LONGEST: Final = 200  # characters of a number
_DIGITS: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NUMBER: Final = re.compile(_DIGITS, re.ASCII)
_BASE_OF_STREAM: Final = {
    "water_in": "ml",
    "water_out": "ml",
    "refrigerant": "g",
    "goods_mass": "g",
    "goods_spend": "fen",
    "travel": "pm",  # metres travelled, summed over passengers
    "hotel": "night",
    "commuting": "pm",
}
BASE_UNITS: Final = ("Wh", *dict.fromkeys(_BASE_OF_STREAM.values()))


def base_unit_of(stream: str) -> str:
    """Base unit that a stream is counted in."""
    return _BASE_OF_STREAM.get(stream, "Wh")


def _utc(value: object) -> object:
    """A time with any offset, in UTC: what the journal stores."""
    form = "write it with its offset, as 2022-01-01T00:00:00+08:00 or 2021-12-31T16:00:00Z"
    if isinstance(value, str):
        told = {"v": repr(value), "f": form}
        if not _TIME_FORM.fullmatch(value):
            raise PydanticCustomError("time", "{v} is no time; {f}", told)
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("time", "{v} is no time; {f}", told) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise PydanticCustomError("time", "{v} is naive; {f}", {"v": str(value), "f": form})
        if value.tzinfo is not UTC:
            return value.astimezone(UTC)
    return value


def digits(text: str) -> Decimal:
    """A number as a journal takes it: plain digits, no blanks, underscores or digits of other scripts.

    A zero has no sign, and no number an exponent beyond `LARGEST_EXPONENT`.

    Raises:
        InvalidOperation: it is none.
    """
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise InvalidOperation
    made = Decimal(text)
    if (made.is_zero() and made.is_signed()) or abs(made.adjusted()) > LARGEST_EXPONENT:
        raise InvalidOperation
    return made


def _decimal(value: object) -> object:
    if isinstance(value, float):
        message = '{v} is a float; write the digits as text, e.g. "0.5366"'
        raise PydanticCustomError("decimal", message, {"v": value})
    if isinstance(value, str):
        try:
            value = digits(value)
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
    if unit in BASE_UNITS:
        return unit
    if "co2" in unit.lower():
        message = (
            "'{v}' is an emission; emissions are derived: post a published one as a reported_figure"
        )
        raise PydanticCustomError("unit", message, {"v": unit})
    message = (
        "'{v}' is not a base unit ({u}); write the amount in it; meter values in CSV take any unit"
    )
    raise PydanticCustomError("unit", message, {"v": unit, "u": ", ".join(BASE_UNITS)})


def _text(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in value):
        message = "{v} holds a control character, such as a line break; write it on one line"
        raise PydanticCustomError("text", message, {"v": repr(value[:60])})
    return unicodedata.normalize("NFC", value)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = "'{v}' is no time zone{n}"
        raise PydanticCustomError(
            "zone", message, {"v": name, "n": nearest(name, available_timezones())}
        ) from None
    return name


Utc = Annotated[
    datetime, BeforeValidator(_utc), WithJsonSchema({"type": "string", "format": "date-time"})
]
Exact = Annotated[
    Decimal, BeforeValidator(_decimal), WithJsonSchema({"type": "string", "pattern": _DIGITS})
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Zone = Annotated[str, AfterValidator(_zone)]
Text = Annotated[str, Field(min_length=1), AfterValidator(_text)]
Period = Annotated[str, Field(pattern=r"^(19|20|21)[0-9]{2}(-(0[1-9]|1[0-2]))?$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
BaseUnit = Annotated[
    str, AfterValidator(_base), WithJsonSchema({"type": "string", "enum": list(BASE_UNITS)})
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]  # SHA-256
