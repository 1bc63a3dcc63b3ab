"""A planning time of several sites: jobs that may move get a site, a pool and a start; later comes the proof."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aidc.moves import open_to
from aidc.optimization.bound import Certificate, Window
from aidc.optimization.network.plan import spread
from aidc.optimization.network.problem import NetworkPlan, NetworkProblem
from aidc.optimization.network.proof import Placed, prove
from aidc.optimization.network.window import Places, network_problem
from aidc.optimization.problem import WindowProblem
from aidc.optimization.standing import Standing
from aidc.optimization.window import WindowPlan
from aidc.scenario import Scenario
from aidc.schedule import WindowProof
from aidc.units import S_PER_H

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
SAME_S = 1e-6  # the network counts time in slots; nearer than this it means the same


@dataclass(frozen=True, slots=True)
class NetworkWindow:
    """A window of all sites on its way to a proof."""

    rows: Rows
    standing: Standing
    network: NetworkProblem
    windows: tuple[Window, ...]
    found: NetworkPlan
    baseline: float

    def can_be_proved(self, plans: Sequence[WindowPlan]) -> bool:
        """Every site has a plan, and there is one objective, which counts no delay."""
        plan = self.windows[0].problem.scenario.plan
        one_goal = len(plan.goals) == 1 and plan.pue_max is None
        plain = all(window.tail.delay_price == 0 for window in self.windows)
        return one_goal and plain and all(each.course is not None for each in plans)

    def proved(self, plans: Sequence[WindowPlan]) -> tuple[WindowProof, Certificate]:
        """The proof, once every site is planned."""
        placed = Placed(self.standing.pool[self.rows], self.standing.start_s[self.rows])
        return prove(self.network, self.windows, self.found, plans, placed, self.baseline)


def placed_jobs(
    scenario: Scenario,
    movable: NDArray[np.bool_],
    standing: Standing,
    problems: Sequence[WindowProblem],
) -> NetworkWindow:
    """Gives the movable jobs of a window a site, a pool and a start, in what stands.

    Args:
        scenario: what is planned.
        movable: jobs that may run at another site, shape (jobs of the scenario,).
        standing: all jobs; it is changed.
        problems: the window of each site, its jobs as they stand.
    """
    plan = scenario.plan
    rows = np.concatenate([one.movable.row for one in problems])
    here = standing.pool[rows]
    allowed = np.zeros((len(rows), len(standing.pools)), bool)
    allowed[np.arange(len(rows)), here] = True
    may_leave = movable[rows]
    allowed[may_leave] |= open_to(scenario)[standing.home[rows[may_leave]]]
    per_slot = round(plan.step_min / scenario.step_min)
    slots = np.arange(len(problems[0].forecast.frame) // per_slot + 1, dtype=np.float64)
    edges = problems[0].state.now_s + slots * plan.step_min * 60.0
    moving_s = scenario.flexibility.moving_h * S_PER_H
    network, windows = network_problem(problems, edges, per_slot, Places(allowed, moving_s))
    found = spread(network, gap_frac=plan.gap_frac, limit_s=plan.limit_s)
    at_home = sum(
        replace(window, problem=problem).left_alone()
        for window, problem in zip(windows, problems, strict=True)
    )
    left = found.pool != here
    earliest, start = network.jobs.earliest_s + moving_s * left, found.start_s
    for exact in (earliest, network.jobs.at_s):
        start = np.where(np.abs(start - exact) < SAME_S, exact, start)
    standing.start_s[rows], standing.pool[rows] = start, found.pool
    standing.earliest_s[rows[left]] = earliest[left]
    return NetworkWindow(rows, standing, network, windows, found, at_home)
