"""A scenario: sites, time, workload, policy and plan, as one frozen, validated thing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from aidc import catalog
from aidc.config import Config, Day, Frac, Kelvin, Number, Time, WrittenHours, quantity_in
from aidc.data_file import DataFile
from aidc.errors import ScenarioError
from aidc.event import Event
from aidc.horizon import Horizon
from aidc.lot_inputs import PlannedLot
from aidc.pathway_inputs import PathwayInputs
from aidc.scenario_checks import Blocks, cross_faults
from aidc.site import ModePolicy, Site
from aidc.workload_inputs import (
    GeneratedWorkload,
    MixedWorkload,
    ServiceWorkload,
    TraceWorkload,
)

Book = Literal["S1", "NDRC", "S2-LB", "S2-MB-2015", "S2-MB-HOURLY", "SH-ETS"]
Objective = Literal["pue", "energy", "emissions", "cost", "water"]
Foresight = Literal["perfect", "persistence", "learned"]
Policy = Literal[
    "fifo", "sjf", "easy_backfill", "conservative_backfill", "priority", "fair_share", "deadline",
    "carbon", "price",
]  # fmt: skip


Minutes = Annotated[float, *quantity_in("min", bare=False)]
WrittenSeconds = Annotated[float, *quantity_in("s", bare=False)]
WrittenFrac = Annotated[float, *quantity_in("frac", bare=False)]
CapFrac = Annotated[Frac, Field(gt=0, le=1)]
WrittenDegc = Annotated[float, *quantity_in("degc", bare=False)]


class TypicalWeather(Config):
    """A synthetic typical year from monthly climate parameters."""

    kind: Literal["typical"]
    climate: str = Field(min_length=1)  # a city of models/climates.csv


class EpwWeather(Config):
    """An EPW file, coerced to the scenario's year."""

    kind: Literal["epw"]
    file: DataFile


class CsvWeather(Config):
    """A CSV file with an offset in every time."""

    kind: Literal["csv"]
    file: DataFile


class FlatIntensity(Config):
    """The annual factor in every hour."""

    kind: Literal["flat"]


class SyntheticIntensity(Config):
    """An hourly shape about the annual factor; labelled synthetic everywhere."""

    kind: Literal["synthetic"]
    amplitude: Frac = Field(ge=0, lt=1)
    shape: str = Field(min_length=1)


class SeriesIntensity(Config):
    """A measured or given series [kgCO2e/kWh] in a CSV file."""

    kind: Literal["series"]
    file: DataFile


def _intensity(value: object) -> object:
    return {"kind": "flat"} if value == "flat" else value


class Grid(Config):
    """The grid the plan decides on; the ledger books its own factors."""

    location: str = Field(min_length=2)  # ISO 3166-2
    intensity: Annotated[
        Annotated[
            FlatIntensity | SyntheticIntensity | SeriesIntensity, Field(discriminator="kind")
        ],
        BeforeValidator(_intensity),
    ]


class SiteChoice(Config):
    """One site of a scenario: a model of the catalog with its surroundings and changes."""

    model: str
    weather: Annotated[TypicalWeather | EpwWeather | CsvWeather, Field(discriminator="kind")]
    tariff: str
    grid: Grid
    overrides: Mapping[str, Any] = Field(default_factory=dict)
    site: Site  # filled in from the model and the overrides


class Flexibility(Config):
    """How much work may wait, and how long."""

    deferrable_frac: Frac = Field(ge=0, le=1)
    slack_h: tuple[Number, ...] = Field(min_length=1, strict=False)
    movable_frac: Frac = Field(default=0.0, ge=0, le=1)  # of the deferrable jobs: may run elsewhere
    moving_h: WrittenHours = Field(default=0.0, alias="moving", ge=0)  # to copy the data of a job
    interruptible_frac: Frac = Field(
        default=0.0, ge=0, le=1
    )  # of the deferrable jobs: write checkpoints, so that a plan may stop them and let them go on
    restart_s: WrittenSeconds | None = Field(
        default=None, alias="restart", ge=0
    )  # boards and power without work each time that such a job goes on


def _job_classes(order: tuple[str, ...]) -> tuple[str, ...]:
    known = dict.fromkeys(catalog.names("job_classes"))
    for name in order:
        if name not in known:
            message = catalog.missing("job_classes.csv", name, known)
            raise PydanticCustomError("together", "{text}", {"text": message})
    return order


class QueueRules(Config):
    """What some queue policies go by; the others take no notice."""

    ageing: Number = Field(default=1.0, ge=0)  # sjf: seconds of run forgiven a second of waiting
    class_order: Annotated[tuple[str, ...], AfterValidator(_job_classes)] = Field(
        default=("inference", "debug", "fine-tune", "training"), strict=False
    )  # priority: first to last; classes without a place come after them
    preempts: Annotated[tuple[str, ...], AfterValidator(_job_classes)] = Field(
        default=(), strict=False
    )  # priority: classes that write checkpoints, and are stopped for a higher one to go on later
    vc_shares: Mapping[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict
    )  # fair_share: weights of virtual clusters; 1 for the others
    half_life_h: WrittenHours = Field(
        default=168.0, alias="half_life", gt=0
    )  # fair_share: after which use counts half
    vc_quota: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict
    )  # all policies and plans: most boards of a pool that a virtual cluster holds; none for the others


class Baseline(Config):
    """How a competent operator runs the site without a plan."""

    policy: Policy
    queue: QueueRules = Field(default_factory=QueueRules)
    supply_air_degc: WrittenDegc = Field(alias="supply_air")
    mode_policy: ModePolicy


class Weights(Config):
    """A weighted objective, in CNY."""

    cost: Number = Field(ge=0)
    emissions_cny_per_kg: Number = Field(default=0.0, ge=0)  # an internal carbon price
    water_cny_per_m3: Number = Field(default=0.0, ge=0)  # beside what the tariff asks
    delay_cny_per_gpu_h: Number = Field(default=0.0, ge=0)  # later than the baseline


Goal = Objective | Weights


def goal_name(goal: Goal) -> str:
    """An objective in a word; a weighted one by what it weighs."""
    if isinstance(goal, str):
        return goal
    weights = goal.model_dump(exclude_defaults=True)
    return " + ".join(f"{weight:g} {name}" for name, weight in weights.items())


def _distinct(stages: tuple[Goal, ...]) -> tuple[Goal, ...]:
    if len(set(stages)) < len(stages):
        text = "a stage is named twice; the second would have nothing left to decide"
        raise PydanticCustomError("together", "{text}", {"text": text})
    return stages


Stages = Annotated[
    tuple[Goal, ...], Field(min_length=2, max_length=4, strict=False), AfterValidator(_distinct)
]


class Plan(Config):
    """What the MILP minimises, over which windows, and when it may stop."""

    objective: Annotated[
        Annotated[Goal, Tag("one")] | Annotated[Stages, Tag("several")],
        Discriminator(lambda value: "several" if isinstance(value, list | tuple) else "one"),
    ]
    tolerance_frac: WrittenFrac | None = Field(
        default=None, alias="tolerance", gt=0, lt=1
    )  # of an earlier stage's result that a later one may give up; the gap, unless given
    pue_max: float | None = Field(default=None, gt=1)  # of each window, as a meter would find it
    step_min: Minutes = Field(alias="step", gt=0)
    window_h: WrittenHours = Field(alias="window", gt=0)
    commit_h: WrittenHours = Field(alias="commit", gt=0)
    gap_frac: WrittenFrac = Field(alias="gap", gt=0, lt=1)
    limit_s: WrittenSeconds = Field(alias="limit", gt=0)  # wall time of one window
    foresight: Foresight
    levels_degc: tuple[Number, ...] = Field(
        default=(), strict=False
    )  # supply air; empty: five over the hall's range
    ramp_k_per_h: Kelvin = Field(default=2.0, gt=0)  # of the supply set-point
    chillers: Literal["counted", "by_rule"] = "counted"  # who says how many of them run
    power_caps_frac: tuple[CapFrac, ...] = Field(
        default=(), alias="power_caps", strict=False
    )  # of the boards' maximum power: what a deferrable job may start under; empty: no caps

    @property
    def caps_frac(self) -> tuple[float, ...]:
        """The caps below the boards' maximum power, from the highest; running without one is always open."""
        return tuple(sorted({cap for cap in self.power_caps_frac if cap < 1}, reverse=True))

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The objectives, the first one first."""
        return self.objective if isinstance(self.objective, tuple) else (self.objective,)

    @property
    def room_frac(self) -> float:
        """Share of an earlier stage's result that a later one may give up."""
        return self.gap_frac if self.tolerance_frac is None else self.tolerance_frac

    @property
    def objective_name(self) -> str:
        """What is minimised, in words."""
        return ", then ".join(goal_name(goal) for goal in self.goals)


class LedgerChoice(Config):
    """Which books the run is closed in."""

    report_date: Day
    books: tuple[Book, ...] = Field(min_length=1, strict=False)
    lots: tuple[PlannedLot, ...] = Field(default=(), strict=False)


class Scenario(Config):
    """Everything a run hangs on. Made by `aidc.load`; `replace` gives a changed copy."""

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    label: str = ""
    start: Time
    end: Time
    step_min: Minutes = Field(alias="step")
    seed: int = Field(ge=0)
    sites: Mapping[str, SiteChoice] = Field(min_length=1)
    workload: Annotated[
        GeneratedWorkload | ServiceWorkload | MixedWorkload | TraceWorkload,
        Field(discriminator="kind"),
    ]
    flexibility: Flexibility
    baseline: Baseline
    plan: Plan
    events: tuple[Event, ...] = Field(default=(), strict=False)
    ledger: LedgerChoice
    industry_baseline: str | None = (
        None  # a row of models/published_pue.csv: an avoided-emission claim
    )
    pathway: PathwayInputs | None = None

    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)
    _folder: Path = PrivateAttr(default_factory=Path)
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _rebuild: "Callable[[Scenario, Mapping[str, object]], Scenario] | None" = PrivateAttr(
        default=None
    )

    @property
    def folder(self) -> Path:
        """Folder that relative data files are looked up in."""
        return self._folder

    @property
    def raw(self) -> dict[str, Any]:
        """The merged file as read, before defaults; what `replace` changes."""
        return self._raw

    @property
    def origins(self) -> dict[str, str]:
        """Where each given value stands: file and line, ``--set`` or ``replace``."""
        return self._origins

    def horizon(self, site: str) -> Horizon:
        """The time axis in a site's zone."""
        return Horizon(self.start, self.end, round(self.step_min), self.sites[site].site.zone)

    def replace(self, key: str, value: object) -> "Scenario":
        """A copy with one value changed and everything validated again.

        Args:
            key: dotted key of the schema; ``site.`` is the only site.
            value: a number in the key's unit, or text with a unit.

        Raises:
            ScenarioError: no such key, or a value that does not fit.
        """
        return self.replace_all({key: value})

    def replace_all(self, changes: Mapping[str, object]) -> "Scenario":
        """A copy with several values changed at once."""
        if self._rebuild is None:
            raise ScenarioError("this scenario was not loaded from a file; use aidc.load")
        return self._rebuild(self, changes)

    @field_validator("end")
    @classmethod
    def _end_after_start(cls, end: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("start")  # absent where it is itself at fault
        if start is not None and end <= start:
            text = f"{end.isoformat()} is not after start {start.isoformat()}"
            raise PydanticCustomError("together", "{text}", {"text": text})
        return end

    @field_validator("step_min")
    @classmethod
    def _step_divides_an_hour(cls, step_min: float) -> float:
        if step_min not in (5, 10, 15, 20, 30, 60):
            text = f"{step_min:g} min is not 5, 10, 15, 20, 30 or 60 min"
            raise PydanticCustomError("together", "{text}", {"text": text})
        return step_min

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        blocks = Blocks(
            start=self.start,
            end=self.end,
            step_min=self.step_min,
            site_names=tuple(self.sites),
            sites={name: choice.site for name, choice in self.sites.items()},
            workload=self.workload,
            baseline=self.baseline,
            flexibility=self.flexibility,
            plan=self.plan,
            events=self.events,
            lots=self.ledger.lots,
        )
        if faults := cross_faults(blocks):
            raise PydanticCustomError("together", "{text}", {"text": "\n".join(faults)})
        return self
