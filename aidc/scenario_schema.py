"""JSON Schema of scenario files."""

import json
from typing import Any

from aidc.equipment import TABLES
from aidc.pathway_inputs import PathwayInputs
from aidc.scenario import Grid, Scenario, SiteChoice
from aidc.site import Site


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors.

    Only a file that extends no other must give every key, and what is missing below the first
    level is left to ``aidc check``.
    """
    text = json.dumps(Scenario.model_json_schema(by_alias=True))
    made: dict[str, Any] = json.loads(text.replace('"oneOf"', '"anyOf"'))  # kind may be the base's
    definitions, keys = made["$defs"], made["properties"]
    rows = {row.__name__ for row in TABLES.values()}
    for name, definition in list(definitions.items()):
        definition.pop("required", None)
        if name in rows:
            definition["properties"]["like"] = {"type": "string"}
            definitions[name] = {"anyOf": [{"type": "string"}, definition]}
    site = definitions[Site.__name__]["properties"]
    choice = definitions[SiteChoice.__name__]["properties"]
    choice.pop("site")
    choice["overrides"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": site | {"pools": {"anyOf": [site["pools"], {"type": "object"}]}},
        "description": "Keys of the site to change.",
    }
    intensity = definitions[Grid.__name__]["properties"]["intensity"]
    intensity["anyOf"].append({"const": "flat"})
    keys["extends"] = {"type": "string", "description": "One base file; maps merge by key."}
    definitions[PathwayInputs.__name__]["properties"]["extends"] = keys["extends"]
    keys["variants"] = {
        "type": "object",
        "description": "Named changes of dotted keys.",
        "additionalProperties": {"type": "object"},
    }
    alone = {"required": made.pop("required")}
    made |= {"if": {"not": {"required": ["extends"]}}, "then": alone}
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return made
