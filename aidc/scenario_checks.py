"""What the blocks of a scenario must be to each other, told as far as each is sound by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aidc.event import Event
from aidc.lot_inputs import PlannedLot
from aidc.power_cap_checks import cap_faults
from aidc.site import Site
from aidc.units import MIN_PER_H, S_PER_MIN
from aidc.workload_inputs import AnyWorkload, board_faults

if TYPE_CHECKING:
    from aidc.scenario import Baseline, Flexibility, Plan

PROMISING = ("deadline", "carbon", "price")  # queues that decide on arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Blocks of a scenario; None for one that is not sound by itself.

    Attributes:
        start: of the horizon.
        end: of the horizon.
        step_min: of the simulation.
        site_names: of all sites, sound or not.
        sites: the sound ones.
        workload: which jobs there are.
        baseline: how the site is run without a plan.
        flexibility: what may wait, and move.
        plan: what is minimised.
        events: what goes wrong.
        lots: instruments that the books count on.
    """

    start: datetime | None
    end: datetime | None
    step_min: float | None
    site_names: tuple[str, ...]
    sites: Mapping[str, Site]
    workload: AnyWorkload | None
    baseline: "Baseline | None"
    flexibility: "Flexibility | None"
    plan: "Plan | None"
    events: tuple[Event, ...]
    lots: tuple[PlannedLot, ...]


def cross_faults(s: Blocks) -> list[str]:
    """Each fault between blocks as ``key: message``."""
    faults = [*_horizon_faults(s), *_quota_faults(s), *_plan_faults(s), *_moving_faults(s)]
    faults += _stopping_faults(s)
    for name, site in s.sites.items():
        faults += _site_faults(s, name, site)
    faults += _event_faults(s)
    faults += cap_faults(s.plan, s.site_names, s.sites, s.workload)
    listed = ", ".join(s.site_names)
    faults += [
        f"ledger.lots.{number}.site: no site '{lot.site}'; there are {listed}"
        for number, lot in enumerate(s.lots)
        if lot.site is not None and lot.site not in s.site_names
    ]
    if s.workload is not None:
        faults += board_faults(s.workload, s.sites)
    return faults


def _horizon_faults(s: Blocks) -> list[str]:
    """Steps that do not fill the horizon, or do not make up a plan step."""
    if s.start is None or s.end is None:
        return []
    faults, length_s = [], (s.end - s.start).total_seconds()
    if s.step_min is not None and length_s % (s.step_min * S_PER_MIN):
        faults.append(f"end: the horizon is not a whole number of {s.step_min:g} min steps")
    elif s.step_min is not None and s.plan is not None and s.plan.step_min % s.step_min:
        faults.append(
            f"plan.step: {s.plan.step_min:g} min is not a multiple of step, {s.step_min:g} min"
        )
    if s.plan is not None and length_s % (s.plan.step_min * S_PER_MIN):
        faults.append(
            f"plan.step: the horizon is not a whole number of {s.plan.step_min:g} min plan steps"
        )
    return faults


def _quota_faults(s: Blocks) -> list[str]:
    """Quotas in front of a queue that would not see the jobs in time."""
    if s.baseline is None or not s.baseline.queue.vc_quota or s.baseline.policy not in PROMISING:
        return []
    return [
        f"baseline.queue.vc_quota: {s.baseline.policy} promises starts on arrival and cannot hold jobs "
        "back for a quota; take another policy, or leave the quotas out"
    ]


def _plan_faults(s: Blocks) -> list[str]:
    """Windows that are no whole steps, or shorter than what is fixed of them."""
    if s.plan is None:
        return []
    plan, faults = s.plan, []
    if plan.commit_h > plan.window_h:
        faults.append(
            f"plan.commit: {plan.commit_h:g} h is longer than the window of {plan.window_h:g} h"
        )
    if plan.room_frac < plan.gap_frac:
        faults.append(
            f"plan.tolerance: {plan.room_frac:.3%} is less than the gap of {plan.gap_frac:.3%}, to which "
            "alone an earlier objective is known"
        )
    for key, hours in (("window", plan.window_h), ("commit", plan.commit_h)):
        if (hours * MIN_PER_H) % plan.step_min:
            faults.append(
                f"plan.{key}: {hours:g} h is not a whole number of {plan.step_min:g} min steps"
            )
    return faults


def _moving_faults(s: Blocks) -> list[str]:
    """Jobs that may move where there is nowhere to go, or by a plan that cannot move them."""
    if s.flexibility is None or s.flexibility.movable_frac == 0:
        return []
    faults, key = [], "flexibility.movable_frac"
    if len(s.site_names) == 1:
        faults.append(f"{key}: there is one site alone, so no job can move; leave it out")
    if s.plan is not None and s.plan.foresight != "perfect":
        faults.append(
            f"{key}: jobs move between sites under plan.foresight: perfect alone, "
            f"not {s.plan.foresight}; set 0"
        )
    return faults


def _stopping_faults(s: Blocks) -> list[str]:
    """Jobs that a plan may stop where it cannot, or at no stated price."""
    if s.flexibility is None or s.flexibility.interruptible_frac == 0:
        return []
    key, cannot, restart_s = "flexibility.interruptible_frac", [], s.flexibility.restart_s
    if len(s.site_names) > 1:
        cannot.append("several sites")
    if s.plan is not None and s.plan.foresight != "perfect":
        cannot.append(f"plan.foresight: {s.plan.foresight}")
    if any(pool.sleep_after_min is not None for site in s.sites.values() for pool in site.pools):
        cannot.append("sleep_after_min")
    if s.plan is not None and s.plan.caps_frac:
        cannot.append("plan.power_caps")
    faults = []
    if cannot:
        faults.append(
            f"{key}: a plan stops jobs at one site, under perfect foresight, without power caps of its own "
            f"and beside servers that stay on alone, not with {', '.join(cannot)}; set 0"
        )
    if restart_s is None:
        faults.append(
            f"{key}: flexibility.restart must say how long a job that was stopped takes to go on, as 10 min"
        )
    elif s.plan is not None and restart_s >= s.plan.step_min * S_PER_MIN:
        faults.append(
            f"flexibility.restart: {restart_s:g} s is no less than plan.step, {s.plan.step_min:g} min; a job "
            "would go on only to restart"
        )
    return faults


def _event_faults(s: Blocks) -> list[str]:
    """Events that lie beside the horizon, off its steps, or at a site that is not there."""
    faults = []
    for index, event in enumerate(s.events):
        key = f"events.{index}"
        if event.site is not None and event.site not in s.site_names:
            listed = ", ".join(s.site_names)
            faults.append(f"{key}: no site '{event.site}'; the scenario has {listed}")
        if s.start is not None and s.step_min is not None:
            faults.extend(
                f"{key}: {name} is not on a step of {s.step_min:g} min"
                for name, time in (("start", event.start), ("end", event.end))
                if (time - s.start).total_seconds() % (s.step_min * S_PER_MIN)
            )
        late = s.end is not None and event.start >= s.end
        if late or (s.start is not None and event.end <= s.start):
            faults.append(f"{key}: {event.kind} lies outside the horizon and would do nothing")
    return faults


def _site_faults(s: Blocks, name: str, site: Site) -> list[str]:
    """Supply air that a hall does not allow."""
    hall, faults = site.hall, []
    allowed = f"{hall.supply_min_degc:g} to {hall.supply_max_degc:g} degC of {name}"
    if hall.supply_min_degc >= hall.supply_max_degc:
        faults.append(
            f"sites.{name}.overrides.hall: supply_min_degc {hall.supply_min_degc:g} is not below "
            f"supply_max_degc {hall.supply_max_degc:g}"
        )
    if s.baseline is not None:
        supply_degc = s.baseline.supply_air_degc
        if not hall.supply_min_degc <= supply_degc <= hall.supply_max_degc:
            faults.append(f"baseline.supply_air: {supply_degc:g} degC is outside {allowed}")
        inlet_degc = supply_degc + hall.recirculation_frac * hall.air_rise_k
        if inlet_degc > hall.inlet_max_degc:
            faults.append(
                f"baseline.supply_air: {supply_degc:g} degC gives inlets of {inlet_degc:.1f} degC, "
                f"above the {hall.inlet_max_degc:g} degC that {name} allows"
            )
    if s.plan is not None:
        faults.extend(
            f"plan.levels_degc: {level:g} degC is outside {allowed}"
            for level in s.plan.levels_degc
            if not hall.supply_min_degc <= level <= hall.supply_max_degc
        )
    return faults
