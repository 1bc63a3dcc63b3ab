"""Data files of a scenario: where they are looked for."""

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

REAL_DATA: Final = "AIDC_REAL_DATA"


def data_path(file: str, folder: Path) -> Path:
    """Path of a data file: absolute, beside the scenario, or under ``$AIDC_REAL_DATA``.

    Raises:
        KeyError: the text names AIDC_REAL_DATA and the environment does not have it.
    """
    prefix = f"${REAL_DATA}/"
    if file.startswith(prefix):
        return Path(os.environ[REAL_DATA]) / file.removeprefix(prefix)
    return folder / file


def _exists(file: str, info: ValidationInfo) -> str:
    folder = info.context["folder"] if info.context else Path()
    try:
        path = data_path(file, folder)
    except KeyError:
        message = "{file} cannot be found: the environment variable {name} is not set; point it at the folder of real data"
        raise PydanticCustomError("file", message, {"file": file, "name": REAL_DATA}) from None
    if not path.is_file():
        raise PydanticCustomError("file", "{path} is not a file", {"path": str(path)})
    return file


DataFile = Annotated[str, AfterValidator(_exists)]
