"""From a plan, or the lack of one, to the advice of this moment."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aidc.bms.advice import Advice, JobStart, SetPoint, Status
from aidc.bms.look import Look, cycle, site_of
from aidc.bms.points import setpoints_of
from aidc.bms.state import PlanInForce, State

if TYPE_CHECKING:
    from aidc.scenario import Scenario

BY_RULE = -1.0  # the site's own sequence chooses
LEFT_OPEN = {"spray": "wet or dry", "chillers_on": "how many chillers run"}


def speak(
    scenario: "Scenario", seen: Look, made: PlanInForce | None, failed: str
) -> tuple[Advice, State]:
    """The advice, and the memory with it.

    Args:
        scenario: of the site.
        seen: the observation.
        made: a new plan; None: none was due, or none came.
        failed: why none came.
    """
    now, until, force = seen.time, seen.time + cycle(scenario), made or seen.state.plan
    row = None if force is None else force.row(now)
    troubles = (*((failed,) if failed else ()), *seen.lacking)
    status: Status
    if force is not None and row is not None:
        ends = min(until, force.valid_until)
        setpoints = _of_plan(scenario, force, row, now, ends)
        starts = _starts(scenario, seen, force, ends)
        status = "held" if troubles or now >= force.committed_until else "planned"
        source = f"step {row + 1} of the plan from {force.start.isoformat()}"
        if status == "held":
            source += f", which may go on until {force.valid_until.isoformat()}"
    elif seen.state.setpoints and all(p.valid_until > now for p in seen.state.setpoints):
        setpoints = tuple(_held(point, now, until) for point in seen.state.setpoints)
        starts, status = (), "held"
        source = "no plan is in force; the last set-points hold until they end"
        if all(point.value is None for point in setpoints):
            status, source = "fallback", "no plan is in force; the local sequence decides"
    else:
        why = "no plan is in force: the local sequence decides"
        site = scenario.sites[site_of(scenario)].site
        setpoints = tuple(
            SetPoint(point.name, None, point.unit, now, until, "release", why)
            for point in setpoints_of(site)
        )
        starts, status, source = (), "fallback", "no plan is in force; the local sequence decides"
    kept = force if row is not None else None
    advice = Advice(
        time=now,
        status=status,
        setpoints=setpoints,
        job_starts=starts,
        expected=None if kept is None else kept.expected,
        reason=(source, *troubles),
    )
    state = replace(seen.state, setpoints=setpoints, plan=force)
    if made is not None:  # what has ended is in the plan now
        begun = {job: state.started[job] for job in made.running if job in state.started}
        state = replace(state, started=begun, ended={})
    return advice, state


def _of_plan(
    scenario: "Scenario", plan: PlanInForce, row: int, now: datetime, until: datetime
) -> tuple[SetPoint, ...]:
    """Set-points of one step of a plan."""
    made = []
    for point in setpoints_of(scenario.sites[site_of(scenario)].site):
        value = plan.columns[point.name][row]
        if point.name in LEFT_OPEN and value == BY_RULE:
            why = f"the local sequence chooses {LEFT_OPEN[point.name]}"
            made.append(SetPoint(point.name, None, point.unit, now, until, "release", why))
            continue
        why = _why(plan.columns, point.name, row)
        made.append(SetPoint(point.name, value, point.unit, now, until, "write", why))
    return tuple(made)


def _why(columns: Mapping[str, tuple[float, ...]], name: str, row: int) -> str:
    """What the plan does with a set-point here."""
    column = columns[name]
    value, before = column[row], column[max(row - 1, 0)]
    later = next((step for step in range(row, len(column)) if column[step] != value), None)
    if value > before:
        does = "raised by the plan"
    elif value < before:
        does = "lowered by the plan"
    else:
        does = "as planned"
    if later is None:
        return f"{does}, to the end of the plan"
    return f"{does}, for {later - row} more steps"


def _held(point: SetPoint, now: datetime, until: datetime) -> SetPoint:
    """A set-point as it was given; its end is not put off."""
    return replace(
        point,
        valid_from=min(point.valid_from, now),
        valid_until=min(point.valid_until, until),
        action="release" if point.value is None else "hold",
    )


def _starts(
    scenario: "Scenario", seen: Look, plan: PlanInForce, until: datetime
) -> tuple[JobStart, ...]:
    """Jobs to start before the set-points end."""
    begin, done = scenario.start, seen.state
    until_s = (until - begin).total_seconds()
    due = [
        (at_s, job)
        for job, at_s in plan.starts.items()
        if at_s < until_s and job not in done.started and job not in done.ended
    ]
    return tuple(JobStart(job, begin + timedelta(seconds=at_s)) for at_s, job in sorted(due))
