"""What is wrong with a scenario file, each thing at its place; as much of it at once as can be told."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from aidc import catalog, config
from aidc.config import Config, Document, KeyPath, dotted
from aidc.errors import Fault
from aidc.scenario import Scenario
from aidc.scenario_checks import Blocks
from aidc.site import Site


def fault_at(document: Document, path: KeyPath, message: str, *, key: bool = False) -> Fault:
    """A fault at the place of a key path, or of the nearest parent that stands in the file."""
    place = document.place(path, key=key)
    return Fault(place.file, place.line, place.column, dotted(path), message)


def across(told: Iterable[str], document: Document) -> list[Fault]:
    """Faults between blocks, ``key: message`` each, at their keys."""
    parted = (line.partition(": ") for line in told)
    return [fault_at(document, tuple(key.split(".")), text) for key, _, text in parted]


def unknown_names(data: dict[str, Any], document: Document) -> list[Fault]:
    """Names that no row or file of the catalog has."""
    asked: list[tuple[KeyPath, Iterable[str], str]] = []
    sites = data.get("sites")
    for name, choice in (sites if isinstance(sites, dict) else {}).items():
        if not isinstance(choice, dict):
            continue
        at: KeyPath = ("sites", name)
        asked.append(((*at, "tariff"), catalog.file_names("tariffs"), "models/tariffs"))
        asked.append(
            ((*at, "weather", "climate"), catalog.names("climates", "city"), "climates.csv")
        )
        asked.append(
            (
                (*at, "grid", "location"),
                catalog.names("grid_factors", "geography"),
                "grid_factors.csv",
            )
        )
        asked.append(
            (
                (*at, "grid", "intensity", "shape"),
                catalog.names("intensity_shapes"),
                "intensity_shapes.csv",
            )
        )
    profiles = catalog.names("workload_profiles")
    for key, names, file in (
        ("profile", profiles, "workload_profiles.csv"),
        ("class_shares", profiles, "workload_profiles.csv"),
        ("service", catalog.file_names("services"), "models/services"),
        ("mix", catalog.file_names("mixes"), "models/mixes"),
        ("faults", catalog.names("fault_rules"), "fault_rules.csv"),
    ):
        asked.append((("workload", key), names, file))
    asked.append((("industry_baseline",), catalog.names("published_pue"), "published_pue.csv"))
    faults = []
    for path, known, file in asked:
        value: Any = data
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value not in known:
            faults.append(
                fault_at(document, path, catalog.missing(file, value, dict.fromkeys(known)))
            )
    return faults


def located(
    error: ValidationError,
    data: Any,
    document: Document,
    model: type[Config],
    site_documents: Mapping[str, Document] | None = None,
) -> list[Fault]:
    """What pydantic found, at its places.

    Args:
        error: what it raised.
        data: what it was given.
        document: the marks of the file.
        model: what the file was read as.
        site_documents: files of the catalog that the sites are filled in from.
    """
    faults = []
    for path, message, is_key in config.faults_of(error, data, model):
        if not path:
            faults.extend(across(message.splitlines(), document))
        elif len(path) > 2 and path[0] == "sites" and path[2] == "site":
            site = (site_documents or {}).get(str(path[1]))
            faults.extend(_site_fault(document, site, path, message, is_key))
        else:
            faults.append(fault_at(document, path, message, key=is_key))
    return faults


def _site_fault(
    document: Document, site: Document | None, path: KeyPath, message: str, is_key: bool
) -> list[Fault]:
    """A fault of a filled-in site, at the override that causes it, else in the site's own file."""
    if site is None:
        return []  # the model is unknown or missing, and that is said already
    of_its_own = (path[3:], message) in _faults_alone(site)
    for end in range(len(path), 3 if of_its_own else 2, -1):
        override = ("sites", path[1], "overrides", *(str(part) for part in path[3:end]))
        if override in document.marks:
            return [fault_at(document, (*override, *path[end:]), message, key=is_key)]
    return [fault_at(site, path[3:], message, key=is_key)]


def _faults_alone(site: Document) -> list[tuple[KeyPath, str]]:
    """What is wrong with a site of the catalog without anybody's overrides."""
    try:
        Site.model_validate(site.data, context=catalog.TABLES)
    except ValidationError as error:
        return [(path, text) for path, text, _ in config.faults_of(error, site.data, Site)]
    return []


def sound_blocks(error: ValidationError, data: Mapping[str, Any], context: Any) -> Blocks:
    """The blocks of a faulty scenario that are sound by themselves.

    What they must be to each other can be told beside the faults of the others, so that none of
    it hides until those are mended.

    Args:
        error: what is wrong with the scenario.
        data: the scenario as it was validated.
        context: of the validation.
    """
    broken = {item["loc"][:end] for item in error.errors() for end in (1, 2)}

    def sound(key: str) -> Any:
        field = Scenario.model_fields[key]
        written = field.alias or key
        if (written,) in broken or written not in data:
            return None
        rules = (Field(discriminator=field.discriminator), *field.metadata)
        asked: Any = Annotated[field.annotation, *rules]
        return TypeAdapter[Any](asked).validate_python(data[written], context=context)

    choices = data.get("sites")
    choices = choices if isinstance(choices, Mapping) else {}
    good = {n: c for n, c in choices.items() if ("sites", n) not in broken}
    return Blocks(
        start=sound("start"),
        end=sound("end"),
        step_min=sound("step_min"),
        site_names=tuple(choices),
        sites={n: Site.model_validate(c["site"], context=context) for n, c in good.items()},
        workload=sound("workload"),
        baseline=sound("baseline"),
        flexibility=sound("flexibility"),
        plan=sound("plan"),
        events=sound("events") or (),
        lots=() if (choice := sound("ledger")) is None else choice.lots,
    )
