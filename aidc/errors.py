"""Errors that tell the reader what to do, and the exit status each one means.

::

    AidcError                  anything we raise on purpose        4
    ├── InputError             the user's data                     2   (also a ValueError)
    │   ├── ScenarioError      a scenario file
    │   ├── CatalogError       a file of models/
    │   ├── SeriesError        a time series or a job table
    │   └── ObservationError   a reading handed in by a BMS
    ├── PlanError              no plan                             3
    │   ├── InfeasibleError    the limits leave no plan
    │   └── SolverTimeoutError no plan within the time limit
    ├── LedgerError            books that would not add up         1
    └── BalanceError           our own bug: energy is not conserved  4
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong, at one place.

    ``str(fault)`` is ``file:line:col: key: message``; parts that are not known are left out.
    """

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return ": ".join(part for part in (place, self.key, self.message) if part)


class AidcError(Exception):
    """Base of every error that aidc raises on purpose."""

    exit_status: ClassVar[int] = 4


class InputError(AidcError, ValueError):
    """The user's data are wrong; carries every fault that was found, not only the first."""

    exit_status: ClassVar[int] = 2

    def __init__(self, faults: str | Fault | Sequence[Fault]) -> None:
        if isinstance(faults, str):
            faults = [Fault("", 0, 0, "", faults)]
        elif isinstance(faults, Fault):
            faults = [faults]
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class ScenarioError(InputError):
    """A scenario file does not say what a scenario must say."""


class CatalogError(InputError):
    """A file in ``models/`` is wrong, or has no row of the asked name."""


class SeriesError(InputError):
    """A time series or a job table is naive, gappy, too short or out of range."""


class ObservationError(InputError):
    """A reading from a BMS is missing a point, a zone or its unit: a wiring fault."""


class PlanError(AidcError):
    """There is no plan."""

    exit_status: ClassVar[int] = 3


class InfeasibleError(PlanError):
    """The limits leave no plan; the message says which of them."""


class SolverTimeoutError(PlanError):
    """The solver found no plan within the time limit."""


class LedgerError(AidcError):
    """The books would not add up, or the journal is damaged."""

    exit_status: ClassVar[int] = 1


class BalanceError(AidcError):
    """Energy or emissions are not conserved: a bug of aidc, please report it."""
