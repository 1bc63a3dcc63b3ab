"""What is read from a file: YAML with positions, pydantic base classes, faults with their place."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from aidc import units
from aidc.errors import Fault

KeyPath: TypeAlias = tuple[str | int, ...]
# kinds of faults whose message names the value already
_TELLS_ITS_VALUE = ("quantity", "catalog", "file", "time", "date", "together")


class Config(BaseModel):
    """Base of everything read from a file: frozen, strict, unknown keys refused, no inf or nan."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, populate_by_name=True
    )


def _reader(unit: str, *, bare: bool) -> BeforeValidator:
    def read(value: object) -> object:
        if isinstance(value, bool):
            raise PydanticCustomError("quantity", "{value} is not a number", {"value": value})
        if isinstance(value, str):
            try:
                return units.quantity(value, unit)
            except ValueError as error:
                raise PydanticCustomError("quantity", "{error}", {"error": str(error)}) from None
        if isinstance(value, int):
            value = float(value)
        if isinstance(value, float) and not bare:
            message = '{value} has no unit; write e.g. "{value} {unit}"'
            raise PydanticCustomError(
                "quantity", message, {"value": f"{value:g}", "unit": units.written(unit)}
            )
        return value

    return BeforeValidator(read)


def quantity_in(unit: str, *, bare: bool = True) -> Any:
    """Annotation of a float that also reads text with a unit: ``Annotated[float, *quantity_in("kw")]``.

    Args:
        unit: unit the value is stored in, as at the end of the field's name.
        bare: whether a number without a unit is taken to be in ``unit``; false for keys whose
            written name does not end in a unit.
    """
    kinds = [{"type": "string"}] + ([{"type": "number"}] if bare else [])
    return _reader(unit, bare=bare), WithJsonSchema({"anyOf": kinds, "x-unit": unit})


Kw = Annotated[float, *quantity_in("kw")]
Kwp = Annotated[float, *quantity_in("kwp")]
Kwh = Annotated[float, *quantity_in("kwh")]
Degc = Annotated[float, *quantity_in("degc")]
Kelvin = Annotated[float, *quantity_in("k")]


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError(
            "date", "cannot read '{v}' as a date; write e.g. 2024-04-30", {"v": value}
        ) from None


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError(
            "time",
            "cannot read '{v}' as a time; write e.g. 2023-07-03T00:00:00+08:00",
            {"v": value},
        ) from None
    if read.tzinfo is None:
        meant = value if "T" in value or " " in value else f"{value[:10]}T00:00:00"
        message = "{v} has no offset; write e.g. {meant}+08:00"
        raise PydanticCustomError("time", message, {"v": value, "meant": meant})
    return read


Day = Annotated[date, BeforeValidator(_day)]
Time = Annotated[datetime, BeforeValidator(_time)]
Frac = Annotated[float, *quantity_in("frac")]
Hours = Annotated[float, *quantity_in("h")]
Seconds = Annotated[float, *quantity_in("s")]
Metres = Annotated[float, *quantity_in("m")]
WrittenHours = Annotated[float, *quantity_in("h", bare=False)]
Number = Annotated[float, BeforeValidator(lambda v: float(v) if type(v) is int else v)]


@dataclass(slots=True)
class Document:
    """A YAML file as data, with the place of every key and value.

    Attributes:
        data: plain dicts, lists and scalars; times stay text.
        marks: key path -> (file, line, column) of the key and of the value.
        faults: what the text itself gets wrong (syntax, a key given twice).
    """

    file: str
    data: Any = None
    marks: dict[KeyPath, tuple[Fault, Fault]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: KeyPath, *, key: bool = False) -> Fault:
        """Place of a key path, or of the nearest parent that stands in the file."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.marks:
                return self.marks[path[:end]][0 if key or end < len(path) else 1]
        return Fault(self.file, 0, 0, "", "")


def read_yaml(path: Path, *, shown_as: str | None = None) -> Document:
    """A YAML 1.2 file as data and marks; its own faults are collected, not raised.

    Raises:
        OSError: the file cannot be read.
    """
    return parse_yaml(path.read_text(encoding="utf-8"), shown_as or str(path))


def parse_yaml(text: str, file: str) -> Document:
    """The same for a text; ``file`` is the name used in messages."""
    document = Document(file)
    loader = YAML(typ="rt", pure=True)
    try:
        node = loader.compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.faults.append(Fault(file, line, column, "", f"not YAML: {problem}"))
        return document
    if node is None:
        document.faults.append(Fault(file, 1, 1, "", "the file is empty"))
        return document
    document.marks[()] = (_at(file, node), _at(file, node))
    document.data = _value(node, (), document, SafeConstructor(loader=loader))
    return document


def _at(file: str, node: Node) -> Fault:
    return Fault(file, node.start_mark.line + 1, node.start_mark.column + 1, "", "")


def _value(node: Node, path: KeyPath, document: Document, scalars: SafeConstructor) -> Any:
    if isinstance(node, MappingNode):
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = (*path, key)
            mark = _at(document.file, key_node)
            if key in data:
                first = document.marks[below][0]
                message = f"given twice, first in line {first.line}; keep one"
                document.faults.append(
                    Fault(mark.file, mark.line, mark.column, dotted(below), message)
                )
                continue
            document.marks[below] = (mark, _at(document.file, value_node))
            data[key] = _value(value_node, below, document, scalars)
        return data
    if isinstance(node, SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            below = (*path, index)
            document.marks[below] = (_at(document.file, item), _at(document.file, item))
            items.append(_value(item, below, document, scalars))
        return items
    if not isinstance(node, ScalarNode):
        raise TypeError(f"unexpected YAML node {node!r}")
    tag = str(node.tag).rsplit(":", 1)[-1]
    if tag == "null":
        return None
    if tag == "bool":
        return scalars.construct_yaml_bool(node)
    if tag == "int":
        return int(scalars.construct_yaml_int(node))
    if tag == "float":
        return float(scalars.construct_yaml_float(node))
    # the reader marks the folds of a folded text with a bell
    return str(node.value).replace("\a", "")


def parse_scalar(text: str) -> Any:
    """A ``--set`` value: one YAML value, read as in a file."""
    document = parse_yaml(text, "--set")
    return text if document.faults else document.data


def yaml_text(data: Any) -> str:
    """Data as block-style YAML, in its own order."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    text = StringIO()
    writer.dump(data, text)
    return text.getvalue()


def merge(base: Any, over: Any, *, named: bool) -> Any:
    """``over`` laid on ``base``: maps merge by key, everything else replaces.

    A map of indices laid on a list changes those items; a map of another ``kind`` replaces.

    Args:
        base: what is below.
        over: what wins.
        named: texts are names of catalog rows, and a map laid on one keeps it as ``like``; below
            the key ``sites`` they always are.
    """
    if not isinstance(over, Mapping):
        return over
    if isinstance(base, list) and over and all(str(key).isdigit() for key in over):
        items = list(base)
        for key, value in over.items():
            if int(key) < len(items):
                items[int(key)] = merge(items[int(key)], value, named=named)
        return items
    if "kind" in over and not (isinstance(base, Mapping) and base.get("kind") == over["kind"]):
        return dict(over)
    if named and isinstance(base, str) and "like" not in over:
        base = {"like": base}
    merged = dict(base) if isinstance(base, Mapping) else {}
    for key, value in over.items():
        merged[key] = merge(merged.get(key), value, named=named or key == "sites")
    return merged


def dotted(path: Iterable[str | int]) -> str:
    """A key path as people write it: ``sites.lingang.pools[0].node_count``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def nearest(name: str, names: Iterable[str]) -> str:
    """`` - did you mean 'x'?`` or an empty string."""
    found = difflib.get_close_matches(
        name.lower(), {known.lower(): known for known in names}, 1, 0.6
    )
    by_lower = {known.lower(): known for known in names}
    return f" - did you mean '{by_lower[found[0]]}'?" if found else ""


def key_path(loc: Iterable[str | int], data: Any, *, all_known: bool = False) -> KeyPath:
    """A pydantic location without the parts that name a branch of a union instead of a key.

    Args:
        loc: from pydantic.
        data: what was validated.
        all_known: whether the last part, too, must stand in the data.
    """
    path: list[str | int] = []
    here = data
    parts = list(loc)
    for index, part in enumerate(parts):
        known = (isinstance(here, Mapping) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if known:
            here = here[part]
        elif all_known or index < len(parts) - 1 or isinstance(here, str | int | float | None):
            continue
        elif isinstance(here, list) and isinstance(part, str):
            continue  # an item has a number
        path.append(part)
    return tuple(path)


def faults_of(
    error: ValidationError, data: Any, model: type[BaseModel]
) -> list[tuple[KeyPath, str, bool]]:
    """Each pydantic error as (key path, message in plain words, whether the key itself is wrong).

    Args:
        error: what pydantic raised.
        data: what was validated.
        model: as what; an unknown key is told the nearest of those that may stand beside it.
    """
    found: list[tuple[KeyPath, str, bool]] = []
    items = error.errors(include_url=False)
    for item in items:
        path, depth = key_path(item["loc"], data), len(item["loc"])
        if item["type"] == "too_short" and any(
            len(other["loc"]) > depth and other["loc"][:depth] == item["loc"] for other in items
        ):
            continue  # the list is short only because an item of it is refused
        if item["type"] == "model_type" and path in [seen for seen, *_ in found]:
            continue  # the last branch of a union whose others have spoken
        if item["type"] == "extra_forbidden":
            key = str(item["loc"][-1])
            path = (*key_path(item["loc"][:-1], data, all_known=True), key)
            siblings = siblings_of(model, item["loc"])
            found.append((path, f"unknown key '{key}'{nearest(key, siblings)}", True))
        elif item["type"] == "missing":
            path = (*key_path(item["loc"][:-1], data, all_known=True), str(item["loc"][-1]))
            found.append((path, "required, but not given", True))
        elif "key" in (told := item.get("ctx", {})) and item["type"] == "together":
            found.append(((*path, *str(told["key"]).split(".")), str(told["text"]), False))
        else:
            found.append((path, _plain(item), False))
    return found


def _plain(item: Any) -> str:
    message, value = str(item["msg"]), item.get("input")
    if item["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if value is None:
        return "null is no value: give one, or leave the key out"
    if item["type"] in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        return f"a map of keys belongs here, not {value!r}"
    if item["type"] in ("tuple_type", "list_type"):
        return f"a list belongs here, not {value!r}"
    if item["type"] in ("int_type", "int_from_float") and isinstance(value, float):
        return f"{value:g} is not a whole number"
    if isinstance(value, str | int | float | list | dict) and item["type"] not in _TELLS_ITS_VALUE:
        return f"{message[0].lower()}{message[1:]}, not {value!r}"
    return message


def at_key(key: str, text: str) -> PydanticCustomError:
    """An error of a whole model that belongs to one of its keys, dotted; `faults_of` places it there."""
    return PydanticCustomError("together", "{key}: {text}", {"key": key, "text": text})


def siblings_of(model: type[BaseModel], loc: Iterable[str | int]) -> list[str]:
    """Keys that may stand where a pydantic location ends.

    Below a union without a branch in the location they are those of all its models.
    """
    here = [model]
    for part in tuple(loc)[:-1]:
        below = [
            inner
            for one in here
            for name, field in one.model_fields.items()
            if part in (name, field.alias)
            for inner in _models_in(field.annotation)
        ]
        branch = [one for one in here if part in (one.__name__, *_kinds(one))]
        here = below or branch or here  # else an index, or a key of a map
    return sorted({key for one in here for key in keys_of(one)})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Models that an annotation names, inside unions, lists and maps too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    """Values of ``kind`` that choose a model in a union."""
    field = model.model_fields.get("kind")
    return get_args(field.annotation) if field else ()


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys a file may give for a model, as they are written."""
    return [info.alias or name for name, info in model.model_fields.items()]
