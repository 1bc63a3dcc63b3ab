"""The dataclasses of this room as JSON and back: ISO times with their offset, NaN as null."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from aidc.errors import Fault, ObservationError

Made = TypeVar("Made")


def _number(value: object) -> object:
    return float("nan") if value is None else value


Number = Annotated[float, BeforeValidator(_number)]  # of a field that may be NaN


def to_json(thing: object) -> str:
    """A frozen dataclass as JSON text; the same thing gives the same text."""
    return json.dumps(_plain(thing), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(thing: Any) -> Any:
    if isinstance(thing, float):
        if isfinite(thing):
            return thing
        return None if thing != thing else ("inf" if thing > 0 else "-inf")
    if isinstance(thing, datetime):
        return thing.isoformat()
    if is_dataclass(thing):
        return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_plain(value) for value in thing]
    return thing


def from_json(kind: type[Made], text: str | bytes) -> Made:
    """A frozen dataclass from JSON text.

    Raises:
        ObservationError: no JSON, or a field that is missing, unknown or of another kind; all at once.
    """
    chosen: Any = kind
    try:
        made: Made = _adapter(chosen).validate_python(json.loads(text))
    except json.JSONDecodeError as error:
        raise ObservationError(
            Fault("", error.lineno, error.colno, kind.__name__, f"no JSON: {error.msg}")
        ) from None
    except ValidationError as error:
        raise ObservationError(
            [
                Fault("", 0, 0, ".".join(map(str, (kind.__name__, *one["loc"]))), one["msg"])
                for one in error.errors()
            ]
        ) from None
    return made


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
