"""What a controller remembers from one step to the next, and over a restart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aidc.bms.advice import Expected, SetPoint
from aidc.bms.chillers import Change
from aidc.bms.history import History
from aidc.bms.json_form import Number, from_json, to_json
from aidc.bms.observation import Job, Reading


@dataclass(frozen=True, slots=True)
class PlanInForce:
    """A plan of one window, its set-points step by step.

    Attributes:
        start: of its first step.
        committed_until: until then it is what was meant; a new plan is due then.
        valid_until: until then it may go on where no new plan came.
        step_s: length of a step [s].
        columns: set-points of every step that is valid, by point; as `aidc.schedule.SetPoints`.
        starts: planned start of the jobs that wait and start before ``valid_until``.
        standing: jobs that stand elsewhere than in the baseline; NaN: they will not run any more.
        running: jobs that have started and may still matter to a later plan; all others may be forgotten.
        expected: of the window.

    Times of jobs are seconds from the scenario's start.
    """

    start: datetime
    committed_until: datetime
    valid_until: datetime
    step_s: float
    columns: Mapping[str, tuple[float, ...]]
    starts: Mapping[str, float]
    standing: Mapping[str, Number]
    running: tuple[str, ...]
    expected: Expected

    def row(self, time: datetime) -> int | None:
        """The step of a time; None where the plan is not valid."""
        if not self.start <= time < self.valid_until:
            return None
        return int((time - self.start).total_seconds() // self.step_s)


@dataclass(frozen=True, slots=True)
class State:
    """Everything a step needs of those before it.

    Attributes:
        time: of the last observation.
        readings: the last usable reading of each point; the supply set-point in force is the ramp's
            position, the others are what the stores hold.
        month: of ``month_peak_kw``, as 2023-07 in the site's zone.
        month_peak_kw: highest mean import of a step in that month so far.
        chillers: when the number of running chillers changed, and to what.
        setpoints: as last given, with their times.
        known: jobs that wait or run, as they were reported; empty where jobs are foreseen.
        started, ended: of jobs that may still matter, seconds from the scenario's start.
        plan: in force.
        history: readings of the last weeks; empty where the plan makes no forecasts.
    """

    time: datetime | None = None
    readings: Mapping[str, Reading] = field(default_factory=dict)
    month: str = ""
    month_peak_kw: float | None = None
    chillers: tuple[Change, ...] = ()
    setpoints: tuple[SetPoint, ...] = ()
    known: Mapping[str, Job] = field(default_factory=dict)
    started: Mapping[str, float] = field(default_factory=dict)
    ended: Mapping[str, float] = field(default_factory=dict)
    plan: PlanInForce | None = None
    history: History = field(default_factory=History)

    def to_json(self) -> str:
        """The state as JSON text."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "State":
        """A state from JSON text.

        Raises:
            ObservationError: it does not read as one.
        """
        return from_json(cls, text)
