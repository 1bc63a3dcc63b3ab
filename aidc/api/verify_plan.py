"""The bounds of a written plan, checked again from its certificate alone."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd

from aidc.errors import InputError
from aidc.schedule import CERTIFICATE
from aidc.verifier import Window, digest, findings
from aidc.verifier_network import bound_of

SAME = 1e-9  # relative, of a figure written as text


@dataclass(frozen=True, slots=True)
class Verified:
    """What a certificate says of one window, and what the verifier finds.

    Attributes:
        site, start, unit: of the window.
        objective, bound: as claimed, in the unit.
        found: the bound as recomputed.
        faults: what does not hold, in sentences.
    """

    site: str
    start: str
    unit: str
    objective: float
    bound: float
    found: float
    faults: tuple[str, ...]


def verify_plan(place: Path) -> list[Verified]:
    """Every window of a plan, its bound recomputed; no optimiser takes part.

    Args:
        place: a certificate, or a folder of `run` or `plan`, whose ``windows.csv`` must then say the same.

    Raises:
        InputError: there is no certificate, or it cannot be read.
    """
    file = place / CERTIFICATE if place.is_dir() else place
    try:
        found = list(findings(file, bound_of))
    except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
        raise InputError(f"{file} is no certificate of a plan: {error}") from None
    if not found:
        raise InputError(f"{file} holds no window")
    table = pd.read_csv(place / "windows.csv") if place.is_dir() else None
    if table is not None:
        table = table[table["status"] != "fallback"]
    if table is not None and len(table) != len(found):
        raise InputError(
            f"{place}: windows.csv has {len(table)} windows, {CERTIFICATE} {len(found)}"
        )
    told = []
    for number, (window, bound, said) in enumerate(found):
        what = f"{window['site']}, window from {window['start']}"
        beside = [] if table is None else _beside(what, window, table.iloc[number].to_dict())
        told.append(
            Verified(
                site=str(window["site"]),
                start=str(window["start"]),
                unit=str(window["unit"]),
                objective=float(window["objective"]),
                bound=float(window["bound"]),
                found=bound,
                faults=(*said, *beside),
            )
        )
    return told


def _beside(what: str, window: Window, row: dict[Hashable, Any]) -> list[str]:
    """Where the table of a folder and its certificate differ."""
    differ = [
        name
        for name in ("objective", "bound")
        if not abs(float(row[name]) - float(window[name])) <= SAME * abs(float(window[name]))
    ]
    differ += ["sha256"] if row["sha256"] != str(digest(window)) else []
    return (
        [f"{what}: windows.csv and the certificate differ in {', '.join(differ)}"] if differ else []
    )
