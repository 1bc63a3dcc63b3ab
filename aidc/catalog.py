"""The catalog: what ``models/`` holds, read once, every row validated and sourced."""

import csv
import functools
import math
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError

from aidc import config, equipment
from aidc.config import Config
from aidc.errors import CatalogError, Fault

Row = TypeVar("Row", bound=Config)
Model = TypeVar("Model", bound=Config)


class _Tables(Mapping[str, Mapping[str, Config]]):
    """The equipment tables as a validation context; a table is read when it is first asked for."""

    def __getitem__(self, name: str) -> Mapping[str, Config]:
        return table(name, equipment.TABLES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(equipment.TABLES)

    def __len__(self) -> int:
        return len(equipment.TABLES)


TABLES: Final = _Tables()


@functools.cache
def root() -> Path:
    """Folder of the catalog: inside an installed package, beside it in a checkout.

    Raises:
        CatalogError: neither place has it.
    """
    package = Path(str(files("aidc")))
    for folder in (package / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise CatalogError(f"models/ is neither in {package} nor beside it; install aidc again")


def table(name: str, row: type[Row], *, key: str = "name") -> dict[str, Row]:
    """Rows of ``models/NAME.csv`` by their key column.

    Cells are numbers where the field is one; an empty cell is an absent optional value.

    Raises:
        CatalogError: every fault of the file, each with line and column.
    """
    return dict(_table(name, row, key))


@functools.cache
def _table(name: str, row: type[Row], key: str) -> dict[str, Row]:
    path = root() / f"{name}.csv"
    return read_table(path, row, key=key, shown_as=f"models/{path.name}")


def read_table(
    path: Path, row: type[Row], *, key: str = "name", shown_as: str | None = None
) -> dict[str, Row]:
    """The same for a file elsewhere; lines that begin with ``#`` are comments."""
    shown = shown_as or str(path)
    faults: list[Fault] = []
    rows: dict[str, Row] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CatalogError(Fault(shown, 0, 0, "", f"cannot be read: {error.strerror}")) from None
    numbered = [
        (n, line)
        for n, line in enumerate(text.splitlines(), 1)
        if line and not line.startswith("#")
    ]
    reader = csv.DictReader(line for _, line in numbered)
    columns = list(reader.fieldnames or ())
    if unknown := [c for c in columns if c not in row.model_fields]:
        raise CatalogError(
            [
                Fault(
                    shown,
                    1,
                    columns.index(c) + 1,
                    c,
                    f"unknown column{config.nearest(c, row.model_fields)}",
                )
                for c in unknown
            ]
        )
    texts = {c for c in columns if not _numeric(row.model_fields[c].annotation)}
    for (line, _), cells in zip(numbered[1:], reader, strict=True):
        data = {
            c: _cell(v, c in texts)
            for c, v in cells.items()
            if c is not None and v not in ("", None)
        }
        try:
            made = row.model_validate(data, context=TABLES)
        except ValidationError as error:
            for path_, message, _ in config.faults_of(error, data, row):
                column = columns.index(str(path_[0])) + 1 if path_ and path_[0] in columns else 1
                faults.append(Fault(shown, line, column, config.dotted(path_), message))
            continue
        name = str(getattr(made, key))
        if name in rows:
            faults.append(Fault(shown, line, 1, key, f"'{name}' stands twice; names are unique"))
        rows[name] = made
    if faults:
        raise CatalogError(faults)
    return rows


def _numeric(annotation: Any) -> bool:
    """Whether a field can hold a number (or true and false); text fields keep their digits."""
    return annotation in (int, float, bool) or any(_numeric(part) for part in get_args(annotation))


def _cell(text: str, is_text: bool) -> Any:
    text = text.strip()
    if is_text:
        return text
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(text) if text.lstrip("+-").isdigit() else number


def row(name: str, model: type[Row], which: str, *, key: str = "name") -> Row:
    """One row of a table, or an error that names the nearest.

    Raises:
        CatalogError: no such row.
    """
    rows = table(name, model, key=key)
    if which not in rows:
        raise CatalogError(Fault("", 0, 0, "", missing(f"{name}.csv", which, rows)))
    return rows[which]


def missing(file: str, which: str, names: Mapping[str, object]) -> str:
    """What to say when a name is not in a file of the catalog."""
    return f"{file} has no '{which}'{config.nearest(which, names) or '; it has ' + ', '.join(sorted(names))}"


@functools.cache
def names(table_name: str, column: str = "name") -> tuple[str, ...]:
    """Distinct values of one column, in order, without validating the rows."""
    return tuple(dict.fromkeys(cells[column] for cells in records(table_name)))


def record_names() -> tuple[str, ...]:
    """Tables and folders of the catalog."""
    tables = [path.stem for path in root().glob("*.csv")]
    folders = [path.name for path in root().iterdir() if path.is_dir() and file_names(path.name)]
    return tuple(sorted([*tables, *folders]))


def is_folder(name: str) -> bool:
    """Whether it is kept as a folder of YAML files."""
    return (root() / name).is_dir()


def records(name: str) -> list[dict[str, str]]:
    """Rows of a table as text, not validated; for a folder its file names.

    Raises:
        CatalogError: there is no such table.
    """
    if name not in record_names():
        raise CatalogError(missing("models/", name, dict.fromkeys(record_names())))
    if is_folder(name):
        return [{"name": file} for file in file_names(name)]
    text = (root() / f"{name}.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines))


@functools.cache
def file_names(folder: str) -> tuple[str, ...]:
    """Names of the YAML files in a folder of the catalog."""
    return tuple(sorted(path.stem for path in (root() / folder).glob("*.yaml")))


@functools.cache
def document(folder: str, name: str) -> config.Document:
    """A YAML file of the catalog with its marks.

    Raises:
        CatalogError: no such file, or its text is not YAML.
    """
    if name not in file_names(folder):
        listed = dict.fromkeys(file_names(folder))
        raise CatalogError(Fault("", 0, 0, "", missing(f"models/{folder}", name, listed)))
    read = config.read_yaml(
        root() / folder / f"{name}.yaml", shown_as=f"models/{folder}/{name}.yaml"
    )
    if read.faults:
        raise CatalogError(read.faults)
    return read


def validated(model: type[Model], document: config.Document) -> Model:
    """What a YAML document of the catalog says, as a model.

    Args:
        model: of the whole.
        document: as read, with its marks.

    Raises:
        CatalogError: every fault with line and column.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        faults = list(document.faults)
        for path, message, is_key in config.faults_of(error, document.data, model):
            place = document.place(path, key=is_key)
            faults.append(Fault(place.file, place.line, place.column, config.dotted(path), message))
        raise CatalogError(faults) from None
