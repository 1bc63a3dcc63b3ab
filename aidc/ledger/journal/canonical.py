"""One way to write an entry as bytes, so that its hash means something.

UTF-8, NFC, sorted ASCII keys, no spaces, integers within 2**53, no floats, decimals as plain text,
times as ``YYYY-MM-DDTHH:MM:SSZ``: with ASCII keys this is the form of RFC 8785.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from aidc.config import dotted
from aidc.errors import Fault, InputError

NO_HASH: Final = "0" * 64
LARGEST_INTEGER: Final = 2**53
LEAF: Final = b"\x00"
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def utc_text(time: datetime) -> str:
    """A time as text in UTC.

    Raises:
        InputError: it has no offset, or parts of a second.

    Examples:
        >>> from datetime import timedelta, timezone
        >>> utc_text(datetime(2022, 1, 1, tzinfo=timezone(timedelta(hours=8))))
        '2021-12-31T16:00:00Z'
    """
    if time.tzinfo is None:
        raise InputError(f"{time} has no offset; give the time its zone")
    if time.microsecond:
        raise InputError(f"{time} has parts of a second; the ledger counts whole seconds")
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat()[:-6] + "Z"  # without its +00:00


def decimal_text(value: Decimal) -> str:
    """A decimal as plain text: no exponent, zeros kept as given.

    Examples:
        >>> decimal_text(Decimal("1.50")), decimal_text(Decimal("1E+3"))
        ('1.50', '1000')
    """
    return format(value, "f")


def canonical(value: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a map.

    Raises:
        InputError: floats, large integers, keys that are not ASCII, lone surrogates; all at once.
    """
    plain: Any = value
    if not _is_plain(value):
        faults: list[Fault] = []
        plain = _plain(value, (), faults)
        if faults:
            raise InputError(faults)
    return _ENCODER.encode(plain).encode("utf-8")


def canonical_counts(value: Mapping[str, Any]) -> bytes:
    """The same for a map of text, whole numbers and lists of them that was checked field by field.

    Most entries are counts; their bytes need no second look at each value.
    """
    text = _ENCODER.encode(value)
    return text.encode("ascii") if text.isascii() else canonical(value)


def _is_plain(value: Any) -> bool:
    """Whether a value is in its canonical form already, as nearly all are."""
    kind = type(value)
    if kind is str:
        return bool(value.isascii())
    if kind is int:
        return bool(-LARGEST_INTEGER <= value <= LARGEST_INTEGER)
    if kind is dict:
        return all(map(_is_key, value)) and all(map(_is_plain, value.values()))
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    return bool(value is None or kind is bool)


def _is_key(key: object) -> bool:
    return type(key) is str and key.isascii()


def _plain(value: Any, path: tuple[str | int, ...], faults: list[Fault]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value.isascii():
            return value
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            faults.append(_fault(path, f"{value!r} holds a lone surrogate"))
        return unicodedata.normalize("NFC", value)
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            faults.append(_fault(path, f"{value} is beyond 2**53"))
        return value
    if isinstance(value, Decimal | date):
        return _written(value, path, faults)
    if isinstance(value, Mapping):
        made = {}
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                faults.append(_fault(path, f"key {key!r} is not ASCII text"))
            made[key] = _plain(item, (*path, str(key)), faults)
        return made
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index), faults) for index, item in enumerate(value)]
    faults.append(
        _fault(path, f"{value!r} is a {type(value).__name__}; write integers or decimals as text")
    )
    return None


def _written(value: Decimal | date, path: tuple[str | int, ...], faults: list[Fault]) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if not value.is_finite():
        faults.append(_fault(path, f"{value} is not finite"))
    return decimal_text(value)


def _fault(path: tuple[str | int, ...], message: str) -> Fault:
    return Fault("", 0, 0, dotted(path), message)


def read(body: bytes) -> dict[str, Any]:
    """The map that canonical bytes hold.

    Raises:
        ValueError: not UTF-8 JSON of a map, a key given twice, or a float.
    """
    text = body.decode("utf-8")
    made, end = _scan(text, 0) if text else (None, 0)
    if end != len(text):
        raise ValueError("there is more than one value")
    if not isinstance(made, dict):
        raise ValueError("not a map")  # noqa: TRY004  (one error for all that is no entry)
    return made


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice")
    return made


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is a float")


_scan: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float
).raw_decode


def entry_hash(body: bytes) -> str:
    """SHA-256 of a stored body, as the leaf hash of RFC 6962."""
    return hashlib.sha256(LEAF + body).hexdigest()


def plain_hash(value: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical bytes of a map that is no entry, such as a policy."""
    return hashlib.sha256(canonical(value)).hexdigest()
