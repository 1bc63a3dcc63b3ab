"""Whether this installation can do its work: versions, catalog, solver, real data."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aidc import __version__, catalog
from aidc.api.manifest import PACKAGES
from aidc.data_file import REAL_DATA
from aidc.errors import AidcError
from aidc.optimization.solve import self_test


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; ``ok`` is None where it may be absent."""

    name: str
    ok: bool | None
    found: str


def checks() -> list[Check]:
    """All checks, none of which raises."""
    found = [Check("aidc", True, __version__), Check("python", True, platform.python_version())]
    for package in PACKAGES:
        try:
            found.append(Check(package, True, version(package)))
        except PackageNotFoundError:
            found.append(Check(package, False, "not installed; install aidc again"))
    found.append(_extra("openpyxl", "aidc ledger report --to NAME.xlsx", "aidc[xlsx]"))
    try:
        tables = len(catalog.record_names())
        found.append(Check("catalog", True, f"{tables} tables in {catalog.root()}"))
    except AidcError as error:
        found.append(Check("catalog", False, str(error)))
    optimum = self_test()
    found.append(Check("solver", optimum == 7.0, f"HiGHS finds {optimum:g} where 7 is the optimum"))
    folder = os.environ.get(REAL_DATA)
    if folder is None:
        found.append(Check(REAL_DATA, None, "not set; only scenarios on real data need it"))
    else:
        there = Path(folder).is_dir()
        found.append(Check(REAL_DATA, there, folder if there else f"{folder} is no folder"))
    return found


def _extra(package: str, need: str, extra: str) -> Check:
    try:
        return Check(package, True, version(package))
    except PackageNotFoundError:
        return Check(package, None, f"not installed; only {need} needs it: pip install '{extra}'")
