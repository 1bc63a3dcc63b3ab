"""The verdict at the low and the high end of every assumption that a result hangs on."""

import gc
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context

from pydantic import Field

from aidc import catalog, config
from aidc.config import Config
from aidc.errors import AidcError
from aidc.scenario import Scenario
from aidc.trace import Trace
from aidc.workload_inputs import SyntheticWorkload

GC_THRESHOLD = 200_000  # objects between two rounds of the youngest generation
LONGEST_DAYS = 14  # a longer horizon is judged on a week cut from its middle
CUT_DAYS = 7
OF_STOPS = ("flexibility.interruptible_frac", "flexibility.restart")


class Assumption(Config):
    """A row of ``models/assumed.csv``; value, low and high are YAML."""

    name: str
    site_model: str | None = None  # where it applies; nothing: everywhere
    key: str
    unit: str
    value: str | None = None
    low: str
    high: str
    relative: bool
    why: str = Field(min_length=3)
    source: str = Field(min_length=3)


@dataclass(frozen=True, slots=True)
class End:
    """What one end of an assumption gave.

    Attributes:
        saving_frac: of imported energy, and so of location-based scope 2, which has one factor.
        pue: of the optimised run.
        facility_kwh: of the optimised run.
        fault: why there is no result.
    """

    saving_frac: float | None
    pue: float | None
    facility_kwh: float | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """An assumption with its verdicts.

    Attributes:
        row: the assumption.
        value: what the scenario has.
        period: the days the verdicts are for.
        at_value, at_low, at_high: verdicts; none where an end is the value itself.
    """

    row: Assumption
    value: str
    period: str
    at_value: End
    at_low: End
    at_high: End


def assumptions_of(scenario: Scenario) -> list[Assumption]:
    """Rows that apply to a scenario."""
    models = {choice.model for choice in scenario.sites.values()}
    rows = catalog.table("assumed", Assumption)
    keys = {f"workload.{key}" for key in config.keys_of(type(scenario.workload))}
    return [
        row
        for row in rows.values()
        if (row.site_model is None or row.site_model in models)
        and (len(scenario.sites) == 1 or not row.key.startswith("site."))
        and (row.key in keys or not row.key.startswith("workload."))
        and (row.key not in OF_STOPS or scenario.flexibility.interruptible_frac > 0)
    ]


def cut(scenario: Scenario) -> Scenario:
    """The scenario itself, or for a long horizon the week in its middle."""
    if scenario.end - scenario.start <= timedelta(days=LONGEST_DAYS):
        return scenario
    days = (scenario.end - scenario.start).days // 2
    first = scenario.start + timedelta(days=days)
    changes: dict[str, object] = {
        "start": first.isoformat(),
        "end": (first + timedelta(days=CUT_DAYS)).isoformat(),
    }
    if isinstance(scenario.workload, SyntheticWorkload):
        changes["workload.ramp"] = [1.0, 1.0]  # its middle
    return scenario.replace_all(changes)


def verdict(scenario: Scenario) -> End:
    """Baseline and plan of a scenario, in short.

    Only imported energy is compared: with one annual factor that is the saving of scope 2.
    """
    from aidc.api.verbs import lived, simulate

    try:
        before = simulate(scenario)
        after = lived(scenario, before)[1]
    except AidcError as error:
        return End(None, None, None, str(error).splitlines()[0])
    return compared(before, after)


def compared(before: Trace, after: Trace) -> End:
    """The figures of two runs of one scenario."""
    kwh, bought = float(after.facility_kw.sum() * after.step_h), before.kwh("grid_import_kw")
    saving = bought - after.kwh("grid_import_kw")
    return End(saving / bought if bought else 0.0, kwh / after.kwh("it_kw"), kwh)


def _value(scenario: Scenario, row: Assumption) -> str:
    """What the scenario has for a relative assumption, else the row's own value."""
    if not row.relative:
        return row.value or ""
    here: object = scenario.raw
    for part in row.key.split("."):
        here = here[part] if isinstance(here, dict) else None
    return str(here)


def _at(scenario: Scenario, row: Assumption, text: str) -> Scenario:
    value = config.parse_scalar(text)
    if row.relative:
        value = float(value) * float(_value(scenario, row))
    return scenario.replace(row.key, value)


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Processes that judge ends beside the main run, one a core."""
    with ProcessPoolExecutor(
        max_workers=os.cpu_count() or 1, mp_context=get_context("spawn"), initializer=_settle
    ) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _settle() -> None:
    """Spares the garbage collector the modules and most of its rounds: a fifth of a verdict's time."""
    from aidc.api import verbs  # noqa: F401  (all that a verdict needs)

    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


class Ends:
    """Verdicts at both ends of every assumption, computed while the main run goes on.

    Args:
        scenario: the main run's scenario.
        pool: where to compute.
    """

    def __init__(self, scenario: Scenario, pool: ProcessPoolExecutor) -> None:
        base = cut(scenario)
        self._is_cut = base is not scenario
        self._period = f"{base.start.date().isoformat()} to {(base.end - timedelta(days=1)).date().isoformat()}"
        self._scenario = base
        self._rows = assumptions_of(scenario)
        self._central: Future[End] | None = pool.submit(verdict, base) if self._is_cut else None
        self._ends: dict[tuple[str, str], Future[End] | End] = {}
        for row in self._rows:
            for which, text in (("low", row.low), ("high", row.high)):
                if text == row.value:
                    continue
                try:
                    self._ends[row.name, which] = pool.submit(verdict, _at(base, row, text))
                except AidcError as error:
                    self._ends[row.name, which] = End(None, None, None, str(error).splitlines()[0])

    def __len__(self) -> int:
        return len(self._ends) + (self._central is not None)

    @property
    def done(self) -> int:
        """Verdicts that are there already."""
        futures = [end for end in (*self._ends.values(), self._central) if isinstance(end, Future)]
        return len(self) - sum(not future.done() for future in futures)

    def cases(self, main: End) -> list[Case]:
        """All verdicts; waits for those still running.

        Args:
            main: the main run's own figures.
        """
        central = self._central.result() if self._central else main
        return [
            Case(
                row=row,
                value=_value(self._scenario, row),
                period=self._period,
                at_value=central,
                at_low=self._end(row, "low", central),
                at_high=self._end(row, "high", central),
            )
            for row in self._rows
        ]

    def _end(self, row: Assumption, which: str, central: End) -> End:
        end = self._ends.get((row.name, which), central)
        return end.result() if isinstance(end, Future) else end
