"""JSON Schema of ledger entries, made from the models that read them."""

from typing import Any

from pydantic.json_schema import models_json_schema

from aidc.ledger.factors.registry import TABLES
from aidc.ledger.journal.entries import KINDS, OPEN_ENDED, Header
from aidc.ledger.journal.payloads import FactorVersion


def entry_schema() -> dict[str, Any]:
    """JSON Schema of an entry, or of a list of them, as ``aidc ledger post`` takes them.

    What hangs on other entries (that a meter is known, that serials are free) is told by posting.
    """
    models = [(model, "validation") for model in (Header, *KINDS.values(), *TABLES.values())]
    references, made = models_json_schema(models, by_alias=True)  # type: ignore[arg-type]
    definitions = made["$defs"]
    header = definitions.pop(Header.__name__)
    header["required"].remove("valid_to")
    header["properties"]["kind"] = {"type": "string", "enum": list(KINDS)}
    header["title"] = "Entry"
    header["allOf"] = [
        _then("kind", kind, "payload", references[(model, "validation")])
        for kind, model in KINDS.items()
    ]
    definitions[FactorVersion.__name__]["allOf"] = [
        _then("table", table, "row", references[(model, "validation")])
        for table, model in TABLES.items()
    ]
    header["allOf"].append(
        {
            "if": {"properties": {"kind": {"enum": [k for k in KINDS if k not in OPEN_ENDED]}}},
            "then": {"required": ["valid_to"]},
        }
    )
    definitions["Entry"] = header
    one = {"$ref": "#/$defs/Entry"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ledger entries",
        "anyOf": [one, {"type": "array", "items": one}],
        "$defs": definitions,
    }


def _then(key: str, value: str, below: str, reference: Any) -> dict[str, Any]:
    """Where a key has a value, another one follows a schema of its own."""
    return {
        "if": {"properties": {key: {"const": value}}, "required": [key]},
        "then": {"properties": {below: reference}},
    }
