"""What the stages of a window share, and the limits that they hand on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.bus import Bus
from aidc.optimization.objective import Cap, Prices, pue_cap
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.problem import WindowProblem, bus_of, load_kw, prices_of, tables_of
from aidc.scenario import Goal, goal_name

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """What every stage of a window shares."""

    problem: WindowProblem
    per_slot: int
    edges: Array
    tables: PlantTables
    bus: Bus
    standing_kw: Array
    what: str

    @classmethod
    def of(cls, problem: WindowProblem) -> "View":
        """The view of a window."""
        plan = problem.scenario.plan
        per_slot = round(plan.step_min / problem.scenario.step_min)
        slots = len(problem.forecast.frame) // per_slot
        edges = problem.state.now_s + np.arange(slots + 1, dtype=np.float64) * plan.step_min * 60.0
        return cls(
            problem,
            per_slot,
            edges,
            tables_of(problem, per_slot, edges),
            bus_of(problem, per_slot),
            load_kw(problem.under(problem.stands.level), problem.at, edges),
            f"{problem.site.name}, window from {problem.forecast.frame.index[0].isoformat()}",
        )

    def under(self, level: NDArray[np.int64]) -> "View":
        """The same with the movable jobs under power caps."""
        return replace(self, problem=self.problem.under(level))

    def money(self, goal: Goal, tables: PlantTables | None = None) -> Prices:
        """Prices of an objective on the window's tables, or on others."""
        return prices_of(self.problem, tables or self.tables, self.per_slot, goal)


@dataclass(frozen=True, slots=True)
class Limit:
    """What an earlier stage won, or a promised PUE (no goal), with room above it."""

    goal: Goal | None
    room: float
    tail: classes.Tail

    def cap(self, view: View, tables: PlantTables, tail_cost: float = 0.0) -> Cap:
        """The limit on some tables; what jobs cost outside the window is taken off it."""
        if self.goal is None:
            cap = pue_cap(view.problem.scenario.plan.pue_max or np.inf, tables)
        else:
            cap = Cap(goal_name(self.goal), view.money(self.goal, tables), self.room)
        return replace(cap, limit=cap.limit - tail_cost)
