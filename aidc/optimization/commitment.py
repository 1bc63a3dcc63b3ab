"""How many chillers run: counts with starts and stops, and the times that these bind."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.optimization.plant_tables import Option
from aidc.schedule import CHILLERS_BY_RULE

Array = NDArray[np.float64]
ROUNDING_H = 1e-9


@dataclass(frozen=True, slots=True)
class Chillers:
    """Alike machines, told apart by nothing but how many run.

    Attributes:
        count: installed.
        before: on at the start of the window; None: not known, so that the first slot binds nothing.
        min_up_slots: that a started machine stays on.
        min_down_slots: that a stopped machine stays off.
        held_on: machines whose start before the window keeps them on, shape (slots,).
        held_off: machines whose stop before the window keeps them off, shape (slots,).
    """

    count: int
    before: int | None
    min_up_slots: int
    min_down_slots: int
    held_on: Array
    held_off: Array

    @classmethod
    def after(
        cls,
        ran: Array,
        step_h: float,
        count: int,
        min_up_h: float,
        min_down_h: float,
        slot_h: float,
        slots: int,
    ) -> "Chillers":
        """What machines bring into a window.

        The plant's own rule keeps no least times, so no more machines are held than are on or off.

        Args:
            ran: machines on in each step before the window, the last one last; may be empty.
            step_h: length of such a step [h].
            count: installed machines.
            min_up_h: that a plan leaves a started machine on.
            min_down_h: that it leaves a stopped one off.
            slot_h: length of a slot of the window [h].
            slots: of the window.
        """
        change = np.diff(ran)
        ago_h = step_h * np.arange(len(change), 0, -1)  # from the change to the window
        begin_h = slot_h * np.arange(slots)

        def still(changed: Array, least_h: float, most: float) -> Array:
            bound = ago_h + begin_h[:, None] < least_h - ROUNDING_H
            held = (bound * np.maximum(changed, 0.0)).sum(axis=1)
            return np.asarray(np.minimum(held, most), np.float64)

        before = round(float(ran[-1])) if len(ran) else None
        return cls(
            count=count,
            before=before,
            min_up_slots=math.ceil(min_up_h / slot_h - ROUNDING_H),
            min_down_slots=math.ceil(min_down_h / slot_h - ROUNDING_H),
            held_on=still(change, min_up_h, before or 0),
            held_off=still(-change, min_down_h, count - (before or 0)),
        )


def add_commitment(
    m: pyo.ConcreteModel,
    options: Sequence[Option],
    chillers: Chillers,
    of_slot: Mapping[int, list[int]],
) -> None:
    """Counts of running machines with their starts and stops.

    A window is planned in counts, or left to the plant's rule from end to end: the rule keeps no least
    times, so its machines are free of them, and a plan is never dearer than the rule.
    """
    most = chillers.count
    m.by_rule = pyo.Var(domain=pyo.Binary)
    m.chillers_on = pyo.Var(m.SLOT, bounds=(0, most))
    m.chiller_starts = pyo.Var(m.SLOT, bounds=(0, most))
    m.chiller_stops = pyo.Var(m.SLOT, bounds=(0, most))

    def asked(t: int) -> pyo.Expression:
        counted = [k for k in of_slot[t] if options[k].chillers_on != CHILLERS_BY_RULE]
        return pyo.quicksum(options[k].chillers_on * m.choose[t, k] for k in counted)

    def rule_or_counts(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        ruled = [k for k in of_slot[t] if options[k].chillers_on == CHILLERS_BY_RULE]
        return pyo.quicksum(m.choose[t, k] for k in ruled) == m.by_rule

    def not_fewer(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        return m.chillers_on[t] >= asked(t)

    def not_more(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        return m.chillers_on[t] <= asked(t) + most * m.by_rule

    def change(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        if t == 0 and chillers.before is None:
            return pyo.Constraint.Skip
        before = m.chillers_on[t - 1] if t > 0 else chillers.before
        return m.chillers_on[t] - before == m.chiller_starts[t] - m.chiller_stops[t]

    def least_time_on(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        recent = range(max(t - chillers.min_up_slots + 1, 0), t + 1)
        started = pyo.quicksum(m.chiller_starts[s] for s in recent)
        return started + float(chillers.held_on[t]) <= m.chillers_on[t]

    def least_time_off(m: pyo.ConcreteModel, t: int) -> pyo.Expression:
        recent = range(max(t - chillers.min_down_slots + 1, 0), t + 1)
        stopped = pyo.quicksum(m.chiller_stops[s] for s in recent)
        return stopped + float(chillers.held_off[t]) <= most - m.chillers_on[t]

    m.rule_or_counts = pyo.Constraint(m.SLOT, rule=rule_or_counts)  # one way for the whole window
    m.chillers_not_fewer = pyo.Constraint(m.SLOT, rule=not_fewer)  # those asked for run,
    m.chillers_not_more = pyo.Constraint(m.SLOT, rule=not_more)  # and no others, but by the rule
    m.chillers_change = pyo.Constraint(m.SLOT, rule=change)  # by what starts less what stops
    m.chillers_least_time_on = pyo.Constraint(  # machines started lately are all still on
        m.SLOT, rule=least_time_on
    )
    m.chillers_least_time_off = pyo.Constraint(  # machines stopped lately are all still off
        m.SLOT, rule=least_time_off
    )
