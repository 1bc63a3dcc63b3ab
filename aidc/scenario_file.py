"""From a scenario file to a `Scenario`: extends, variants, ``--set``, and every fault with its place."""

import copy
import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aidc import catalog, config
from aidc.config import Document, KeyPath, dotted, merge
from aidc.errors import Fault, InputError, ScenarioError
from aidc.pathway_inputs import PathwayInputs
from aidc.scenario import Scenario
from aidc.scenario_checks import cross_faults
from aidc.scenario_faults import across, fault_at, located, sound_blocks, unknown_names
from aidc.site import Site

Marks = dict[KeyPath, tuple[Fault, Fault]]
_SITE_KEYS = ("model", "weather", "tariff", "grid", "overrides")


def load(
    path: str | Path,
    *,
    sets: Iterable[str] = (),
    variant: str | None = None,
    seed: int | None = None,
) -> Scenario:
    """The scenario in a YAML file.

    Args:
        path: the file.
        sets: ``key=value`` texts that win over the file; ``site.`` is the only site.
        variant: one of the file's named ``variants`` to lay on it first.
        seed: replaces the file's seed.

    Raises:
        ScenarioError: every fault of the file and of those it extends, with file, line and column.
    """
    path = Path(path)
    document = _read_chain(path, ())
    faults = list(document.faults)
    raw, marks = document.data, document.marks
    if not isinstance(raw, dict):
        raise ScenarioError(faults or [Fault(str(path), 1, 1, "", "a scenario is a map of keys")])
    variants = raw.pop("variants", None) or {}
    if variant is not None:
        if not isinstance(variants, dict) or variant not in variants:
            place = document.place(("variants",))
            listed = ", ".join(variants) or "none"
            faults.append(
                Fault(
                    place.file,
                    place.line,
                    place.column,
                    "variants",
                    f"no variant '{variant}'; the file has {listed}",
                )
            )
        else:
            for key, value in variants[variant].items():
                _set(raw, marks, key, value, document.place(("variants", variant, key)), faults)
    for text in sets:
        key, equals, value = text.partition("=")
        place = Fault(f"--set {key}", 0, 0, "", "")
        if not equals:
            faults.append(Fault("--set", 0, 0, text, "write it as key=value"))
            continue
        _set(raw, marks, key.strip(), config.parse_scalar(value), place, faults)
    if seed is not None:
        raw["seed"] = seed
        marks[("seed",)] = (Fault("--seed", 0, 0, "", ""),) * 2
    return _build(raw, marks, path.resolve().parent, faults, str(path))


def replaced(scenario: Scenario, changes: Mapping[str, object]) -> Scenario:
    """A copy of a scenario with some keys changed; see `Scenario.replace`."""
    raw = copy.deepcopy(scenario.raw)
    here = Fault("replace", 0, 0, "", "")
    marks: Marks = {(): (here, here)}
    faults: list[Fault] = []
    for key, value in changes.items():
        _set(raw, marks, key, value, here, faults)
    made = _build(raw, marks, scenario.folder, faults, "replace")
    made.origins.update(scenario.origins | dict.fromkeys(changes, "replace"))
    return made


def resolved_text(scenario: Scenario) -> str:
    """The scenario as one YAML file that stands alone: extends, variant and ``--set`` laid into it."""
    data = copy.deepcopy(scenario.raw)
    _fill_pathway(data, Document("", data, {}), scenario.folder, [])
    _moved(data, lambda file: str(scenario.folder / file))
    return config.yaml_text(data)


def load_pathway(path: str | Path) -> PathwayInputs:
    """The pathway in a file of its own, or the pathway block of a scenario file.

    Raises:
        ScenarioError: every fault of the file, or a scenario without a pathway.
    """
    document = _read_chain(Path(path), ())
    if isinstance(document.data, dict) and "sites" in document.data:
        inputs = load(path).pathway
        if inputs is None:
            raise ScenarioError(Fault(str(path), 0, 0, "pathway", "the scenario has no such block"))
        return inputs
    faults = list(document.faults)
    try:
        inputs = PathwayInputs.model_validate(document.data)
    except ValidationError as error:
        faults.extend(located(error, document.data, document, PathwayInputs))
        raise ScenarioError(faults) from None
    if faults:
        raise ScenarioError(faults)
    return inputs


def _read_chain(path: Path, seen: tuple[Path, ...]) -> Document:
    """A file laid on what it extends, with the marks of whichever file a value stands in."""
    try:
        document = config.read_yaml(path)
    except OSError as error:
        raise ScenarioError(
            Fault(str(path), 0, 0, "", f"cannot be read: {error.strerror}")
        ) from None
    if not isinstance(document.data, dict) or "extends" not in document.data:
        return document
    place = document.place(("extends",))
    base_path = path.parent / str(document.data.pop("extends"))
    if base_path in (*seen, path):
        message = "a file cannot extend itself"
        document.faults.append(Fault(place.file, place.line, place.column, "extends", message))
        return document
    if not base_path.is_file():
        message = f"{base_path} is not a file"
        document.faults.append(Fault(place.file, place.line, place.column, "extends", message))
        return document
    base = _read_chain(base_path, (*seen, path))
    if base_path.parent.resolve() != path.parent.resolve():
        _moved(base.data, lambda file: os.path.relpath(base_path.parent / file, path.parent))
    return Document(
        document.file,
        merge(base.data, document.data, named=False),
        base.marks | document.marks,
        [*base.faults, *document.faults],
    )


def _moved(data: Any, place: Callable[[str], str]) -> None:
    """Names the files of a scenario as seen from another folder; those under ``$...`` stay."""
    blocks = [(data, None)]
    while blocks:
        block, under = blocks.pop()
        if not isinstance(block, dict):
            continue
        blocks.extend((value, key) for key, value in block.items())
        for key in ("file", "extends"):
            file = block.get(key)
            if (
                isinstance(file, str)
                and not file.startswith("$")
                and (key, under) != ("extends", None)
            ):
                block[key] = place(file)


def _set(
    raw: dict[str, Any], marks: Marks, key: str, value: object, place: Fault, faults: list[Fault]
) -> None:
    """Lays one dotted key on the merged file."""
    parts = key.replace("[", ".").replace("]", "").split(".")
    sites = raw.get("sites") if isinstance(raw.get("sites"), dict) else {}
    if parts[0] == "site":
        if len(sites or {}) != 1:
            faults.append(
                Fault(
                    place.file,
                    place.line,
                    place.column,
                    key,
                    f"'site.' needs exactly one site; write sites.NAME. with one of {', '.join(sites or {})}",
                )
            )
            return
        parts = ["sites", next(iter(sites or {})), *parts[1:]]
    remedy = ""
    if len(parts) == 1 and key in Site.model_fields and key not in Scenario.model_fields:
        remedy = (
            f"is a key of a site; write site.{key}, or sites.NAME.{key} where there are several"
        )
    elif parts[0] == "sites" and len(parts) > 2 and parts[1] not in (sites or {}):
        remedy = f"no site '{parts[1]}'; the scenario has {', '.join(sites or {})}"
    if remedy:
        faults.append(Fault(place.file, place.line, place.column, key, remedy))
        return
    if parts[0] == "sites" and len(parts) > 2 and parts[2] not in _SITE_KEYS:
        parts.insert(2, "overrides")
    here: Any = raw
    for part in parts[:-1]:
        if not isinstance(here.get(part), dict):
            here[part] = (
                {}
                if here.get(part) is None
                else {"like": here[part]}
                if isinstance(here[part], str)
                else {}
            )
        here = here[part]
    here[parts[-1]] = merge(here.get(parts[-1]), value, named=parts[0] == "sites")
    marks[tuple(parts)] = (place, place)
    for end in range(1, len(parts)):  # maps that this key made stand where it stands
        marks.setdefault(tuple(parts[:end]), (place, place))


def _build(
    raw: dict[str, Any], marks: Marks, folder: Path, faults: list[Fault], file: str
) -> Scenario:
    document = Document(file, raw, marks)
    data = copy.deepcopy(raw)
    site_documents = _fill_sites(data, document, faults)
    _fill_pathway(data, document, folder, faults)
    faults.extend(unknown_names(data, document))
    context = ChainMap[str, Any]({"folder": folder}, catalog.TABLES)  # type: ignore[arg-type]
    try:
        scenario = Scenario.model_validate(data, context=context)
    except ValidationError as error:
        faults.extend(located(error, data, document, Scenario, site_documents))
        faults.extend(across(cross_faults(sound_blocks(error, data, context)), document))
        raise ScenarioError(faults) from None
    except InputError as error:
        raise ScenarioError([*faults, *error.faults]) from None
    if faults:
        raise ScenarioError(faults)
    scenario._raw.update(raw)
    scenario._folder = folder
    scenario._rebuild = replaced
    scenario._origins.update({dotted(p): _origin(m[1]) for p, m in marks.items() if p})
    return scenario


def _origin(mark: Fault) -> str:
    return f"{Path(mark.file).name}:{mark.line}" if mark.line else mark.file


def _fill_sites(
    data: dict[str, Any], document: Document, faults: list[Fault]
) -> dict[str, Document]:
    """Puts ``site``, the model of the catalog with the overrides on it, into each choice of a site."""
    site_documents: dict[str, Document] = {}
    sites = data.get("sites")
    if not isinstance(sites, dict):
        return site_documents
    for name, choice in sites.items():
        if not isinstance(choice, dict):
            continue
        if "site" in choice:
            faults.append(
                fault_at(
                    document,
                    ("sites", name, "site"),
                    "unknown key 'site'; changes to a site go under overrides",
                    key=True,
                )
            )
        model = choice.get("model")
        if not isinstance(model, str) or model not in catalog.file_names("sites"):
            if isinstance(model, str):
                listed = dict.fromkeys(catalog.file_names("sites"))
                faults.append(
                    fault_at(
                        document,
                        ("sites", name, "model"),
                        catalog.missing("models/sites", model, listed),
                    )
                )
            choice["site"] = None
            continue
        site_document = catalog.document("sites", model)
        site_documents[name] = site_document
        filled = merge(copy.deepcopy(site_document.data), choice.get("overrides") or {}, named=True)
        choice["site"] = filled | {
            "name": name
        }  # in a run a site goes by the scenario's name for it
    return site_documents


def _fill_pathway(
    data: dict[str, Any], document: Document, folder: Path, faults: list[Fault]
) -> None:
    """Lays the pathway block on the file it extends."""
    block = data.get("pathway")
    if not isinstance(block, dict) or "extends" not in block:
        return
    path = folder / str(block.pop("extends"))
    if not path.is_file():
        faults.append(fault_at(document, ("pathway", "extends"), f"{path} is not a file"))
        data["pathway"] = None
        return
    base = _read_chain(path, ())
    faults.extend(base.faults)
    data["pathway"] = merge(base.data, block, named=False)
    for below, mark in base.marks.items():
        document.marks.setdefault(("pathway", *below), mark)
