"""What a BMS gets back: set-points with an end, job starts, what is expected of them, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aidc.bms.json_form import from_json, to_json

Status = Literal["planned", "held", "fallback"]
Action = Literal["write", "hold", "release"]


@dataclass(frozen=True, slots=True)
class SetPoint:
    """A value to put in force, and until when it may stay there.

    Attributes:
        point: name, as `aidc.bms.setpoints_of` lists it.
        value: in the unit; None: give the point back to the local sequence.
        unit: of the value.
        valid_from, valid_until: never longer than two steps of the scenario after the observation.
        action: ``write`` a value, ``hold`` the one in force, ``release`` the point.
        why: a sentence.
    """

    point: str
    value: float | None
    unit: str
    valid_from: datetime
    valid_until: datetime
    action: Action
    why: str


@dataclass(frozen=True, slots=True)
class JobStart:
    """A job to start, at a time or, where that is past, at once."""

    job_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """Means and sums of the plant itself over a window, as simulated.

    Attributes:
        pue: facility energy by IT energy.
        facility_kw: mean power that enters the site, own PV used and battery losses included.
        kgco2e: of the grid import, at the intensity that the plan decides on.
    """

    pue: float
    facility_kw: float
    kgco2e: float


@dataclass(frozen=True, slots=True)
class Expected:
    """The window of the plan in force, with the same jobs under the plan and under the baseline policy."""

    start: datetime
    end: datetime
    plan: Outlook
    baseline: Outlook


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer to one observation.

    Attributes:
        time: of the observation.
        status: ``planned``: by a plan made for now; ``held``: the last plan or set-points go on;
            ``fallback``: everything is given back to the local sequence.
        setpoints: one for each point of the site.
        job_starts: due before the set-points end, earliest first.
        expected: of the plan in force; None without one.
        reason: sentences; the first says where the set-points come from.
    """

    time: datetime
    status: Status
    setpoints: tuple[SetPoint, ...]
    job_starts: tuple[JobStart, ...]
    expected: Expected | None
    reason: tuple[str, ...]

    def to_json(self) -> str:
        """The advice as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Advice":
        """An advice from JSON text.

        Raises:
            ObservationError: it does not read as one.
        """
        return from_json(cls, text)
