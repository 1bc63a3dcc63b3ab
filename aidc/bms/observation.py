"""What a BMS hands in: readings with their time and quality, and what became of the jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from aidc.bms.json_form import Number, from_json, to_json

GOOD = "good"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value of one point.

    Attributes:
        value: in the point's unit; NaN (in JSON null) where there is none.
        at: when it was measured, with its zone.
        quality: ``good``, or any other word for a value that must not be used.
        unit: of the value, checked where it is given.
    """

    value: Number
    at: datetime
    quality: str = GOOD
    unit: str = ""

    @property
    def usable(self) -> bool:
        """Whether it is good and a number; its age is judged beside the time of the observation."""
        return self.quality == GOOD and isfinite(self.value)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that the site's scheduler has taken in; needed where jobs are not foreseen.

    Attributes:
        job_id: identity.
        pool: pool of boards that runs it.
        gpu_count: boards taken all at once.
        added_kw: IT power above idle while it runs.
        submitted: when it was submitted.
        run_s: predicted run time.
        slack_s: how long its start may be put off after submission; 0: not at all.
    """

    job_id: str
    pool: str
    gpu_count: int
    added_kw: float
    submitted: datetime
    run_s: float
    slack_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known at one time.

    Attributes:
        time: now, with its zone.
        values: readings by point; `aidc.bms.points_of` lists the points. Others are let pass.
        submitted: jobs taken in since the last observation.
        started: jobs started since then, and when.
        ended: jobs that ended since then, and when.
    """

    time: datetime
    values: Mapping[str, Reading]
    submitted: tuple[Job, ...] = ()
    started: Mapping[str, datetime] = field(default_factory=dict)
    ended: Mapping[str, datetime] = field(default_factory=dict)

    def to_json(self) -> str:
        """The observation as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Observation":
        """An observation from JSON text.

        Raises:
            ObservationError: it does not read as one.
        """
        return from_json(cls, text)
