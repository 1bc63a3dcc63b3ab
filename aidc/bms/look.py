"""An observation taken in: faults of the wiring, what the memory becomes, what is lacking, whether a plan is due."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aidc.bms.chillers import Change, least_time, noted
from aidc.bms.history import History
from aidc.bms.observation import Job, Observation, Reading
from aidc.bms.points import Point, points_of
from aidc.bms.state import State
from aidc.errors import Fault, InputError, ObservationError

if TYPE_CHECKING:
    from aidc.scenario import Scenario

CYCLES = 2  # steps for which a set-point is good, and after which a reading is stale
CLOCK_S = 1e-3  # a start reported this near its planned time is that time, rounded by a clock


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at one step, before any planning.

    Attributes:
        time: of the observation.
        state: the memory, with the observation in it.
        plan_start: first step of a plan made now, on the grid of the plan's steps.
        foreseen: whether the scenario's own series and jobs are what is known.
        lacking: why no plan can be made now, a sentence each.
        due: whether a new plan should be made.
    """

    time: datetime
    state: State
    plan_start: datetime
    foreseen: bool
    lacking: tuple[str, ...]
    due: bool


def site_of(scenario: "Scenario") -> str:
    """Name of the only site.

    Raises:
        InputError: there are several.
    """
    if len(scenario.sites) > 1:
        raise InputError(
            f"a controller advises one site and the scenario has {', '.join(scenario.sites)}; "
            "give a scenario with one of them"
        )
    return next(iter(scenario.sites))


def look(scenario: "Scenario", observation: Observation, state: State) -> Look:
    """The observation beside what was known before it.

    Raises:
        ObservationError: a point is missing, a time has no zone or a unit is wrong; all at once.
    """
    name = site_of(scenario)
    site, plan, now = scenario.sites[name].site, scenario.plan, observation.time
    points = points_of(site)
    faults = [*_faults(observation, points), *_job_faults(observation, scenario, name)]
    if faults:
        raise ObservationError(faults)
    slot = timedelta(minutes=plan.step_min)
    plan_start = scenario.start + (now - scenario.start) // slot * slot
    foreseen = plan.foresight == "perfect" and scenario.start <= plan_start < scenario.end
    stale = cycle(scenario)
    found = {point.name: _judged(point, observation, state, stale) for point in points}
    readings = {key: reading for key, (reading, _) in found.items() if reading is not None}
    lacking = tuple(
        why
        for point in points
        if _needed(point, scenario, foreseen)
        for reading, why in (found[point.name],)
        if reading is None
    )
    month, peak_kw = _month_peak(observation, state, ZoneInfo(site.zone))
    if peak_kw is None:
        lacking = (*lacking, f"{found['month_peak_kw'][1]}, and no peak of {month} is remembered")
    known = _known(observation, state, foreseen)
    memory = replace(
        state,
        time=now,
        readings={**state.readings, **readings},
        month=month,
        month_peak_kw=peak_kw,
        chillers=_chillers(state, now, readings, least_time(site)),
        known=known,
        history=_history(state, scenario, now, readings),
        started=_started(observation, state, scenario.start),
        ended={**state.ended, **_seconds(observation.ended, scenario.start)},
    )
    force = state.plan
    fresh = force is not None and force.start <= now < force.committed_until
    waits = any(job.slack_s > 0 for job in observation.submitted) and not foreseen
    return Look(now, memory, plan_start, foreseen, lacking, not lacking and (not fresh or waits))


def cycle(scenario: "Scenario") -> timedelta:
    """How long a set-point is good, and a reading."""
    return timedelta(minutes=CYCLES * scenario.step_min)


def _faults(observation: Observation, points: tuple[Point, ...]) -> list[Fault]:
    """What is wired wrong."""
    faults = []

    def fault(key: str, message: str) -> None:
        faults.append(Fault("observation", 0, 0, key, message))

    zone = "has no zone; give it one, e.g. 2023-07-03T00:00:00+08:00"
    if observation.time.tzinfo is None:
        fault("time", f"{observation.time.isoformat()} {zone}")
    for point in points:
        if point.name not in observation.values:
            near = get_close_matches(point.name, observation.values, 1)
            hint = f" - is it '{near[0]}'?" if near else ""
            unit = f" in {point.unit}" if point.unit else ""
            fault(f"values.{point.name}", f"missing; wire {point.what}{unit}{hint}")
            continue
        reading = observation.values[point.name]
        if not isinstance(reading, Reading) or not isinstance(reading.value, int | float):
            fault(f"values.{point.name}", f"{reading!r} is not a Reading with a number")
            continue
        if reading.at.tzinfo is None:
            fault(f"values.{point.name}", f"{reading.at.isoformat()} {zone}")
        if reading.unit and _unit(reading.unit) != _unit(point.unit):
            told = f"{reading.value:g} {reading.unit} is not in {point.unit}; convert it"
            fault(f"values.{point.name}", told)
    return faults


def _unit(text: str) -> str:
    return {"c": "degc"}.get(
        text.strip().lower().replace("°", "deg").removeprefix("deg"),
        text.lower().replace("°", "deg"),
    )


def _job_faults(observation: Observation, scenario: "Scenario", site: str) -> list[Fault]:
    """Jobs reported in a way that cannot be used."""
    pools = {pool.name for pool in scenario.sites[site].site.pools}
    times = [
        *((f"submitted.{job.job_id}", job.submitted) for job in observation.submitted),
        *((f"started.{job}", at) for job, at in observation.started.items()),
        *((f"ended.{job}", at) for job, at in observation.ended.items()),
    ]
    faults = [
        Fault("observation", 0, 0, key, f"{at.isoformat()} has no zone; give it one")
        for key, at in times
        if at.tzinfo is None
    ]
    for job in observation.submitted:
        key = f"submitted.{job.job_id}"
        if job.pool not in pools:
            told = f"the site has no pool '{job.pool}'; it has {', '.join(sorted(pools))}"
            faults.append(Fault("observation", 0, 0, key, told))
        if not (job.gpu_count >= 1 and job.added_kw >= 0 and job.run_s > 0 and job.slack_s >= 0):
            told = "needs a board, a run time above 0, and power and slack that are not negative"
            faults.append(Fault("observation", 0, 0, key, told))
    return faults


def _needed(point: Point, scenario: "Scenario", foreseen: bool) -> bool:
    """Whether a plan made now waits for a point; the month's peak has a memory of its own."""
    if point.name == "month_peak_kw":
        return False
    if point.name == "chillers_on":
        return scenario.plan.chillers != "by_rule"
    return point.needed == "always" or not foreseen


def _chillers(
    state: State, now: datetime, readings: Mapping[str, Reading], least: timedelta
) -> tuple[Change, ...]:
    reading = readings.get("chillers_on")
    return state.chillers if reading is None else noted(state.chillers, now, reading.value, least)


def _history(
    state: State, scenario: "Scenario", now: datetime, readings: Mapping[str, Reading]
) -> History:
    """What was read before with what is read now, where the plan makes forecasts of it."""
    if scenario.plan.foresight == "perfect":
        return state.history
    step = timedelta(minutes=scenario.step_min)
    at = scenario.start + (now - scenario.start) // step * step
    points = {point.name for point in points_of(scenario.sites[site_of(scenario)].site)}
    return state.history.noted(at, step, readings, points)


def _judged(
    point: Point, observation: Observation, state: State, stale: timedelta
) -> tuple[Reading | None, str]:
    """The reading to use: this one or, where it is no good, a last one that is not stale; else why not."""
    now, given = observation.time, observation.values[point.name]
    before = state.readings.get(point.name)
    if given.usable and abs(now - given.at) <= stale:
        return given, ""
    if before is not None and abs(now - before.at) <= stale:
        return before, ""
    if given.quality != "good":
        return None, f"{point.name} is of quality {given.quality}"
    if not given.usable:
        return None, f"{point.name} is not a number"
    if given.at > now:
        return None, f"{point.name} is from the future: {given.at.isoformat()}"
    return None, f"{point.name} is stale: last read at {given.at.isoformat()}"


def _month_peak(observation: Observation, state: State, zone: ZoneInfo) -> tuple[str, float | None]:
    """The month and its peak so far, which only rises; a reading of the month before says nothing."""
    month = observation.time.astimezone(zone).strftime("%Y-%m")
    given = observation.values["month_peak_kw"]
    peaks = [] if state.month != month or state.month_peak_kw is None else [state.month_peak_kw]
    if given.usable:
        of_month = given.at.astimezone(zone).strftime("%Y-%m") == month
        peaks.append(given.value if of_month else 0.0)
    return month, max(peaks, default=None)


def _known(observation: Observation, state: State, foreseen: bool) -> dict[str, Job]:
    """Reported jobs that have not ended."""
    if foreseen:
        return {}
    jobs = {**state.known, **{job.job_id: job for job in observation.submitted}}
    return {key: job for key, job in jobs.items() if key not in observation.ended}


def _seconds(times: Mapping[str, datetime], start: datetime) -> dict[str, float]:
    return {job: (at - start).total_seconds() for job, at in times.items()}


def _started(observation: Observation, state: State, start: datetime) -> dict[str, float]:
    """Actual starts; one that a clock has rounded is put back on its planned time."""
    planned = {} if state.plan is None else state.plan.starts
    started = dict(state.started)
    for job, at_s in _seconds(observation.started, start).items():
        meant = planned.get(job, at_s)
        started[job] = meant if abs(meant - at_s) <= CLOCK_S else at_s
    return started
