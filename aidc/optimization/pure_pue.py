"""The least PUE of a window as a meter reads it, beside the least overhead: what the ratio itself would buy.

Site energy over IT energy is a ratio of two sums that are linear in the plan. Dinkelbach [1]: minimise
site energy - q x IT energy, take the ratio found as the next q, until nothing is left to win.

References:
    [1] Dinkelbach, W., "On Nonlinear Fractional Programming", Management Science 13(7), 1967.
"""

from dataclasses import dataclass, replace

import numpy as np
import pyomo.environ as pyo

from aidc.optimization.bus import Bus
from aidc.optimization.class_model import class_model, options_kept, work_of
from aidc.optimization.classes import Tail
from aidc.optimization.course import likely_options
from aidc.optimization.model import settle_peaks, site_model
from aidc.optimization.objective import Cap, pue_cap
from aidc.optimization.problem import WindowProblem, kept_options
from aidc.optimization.solve import solve
from aidc.optimization.tail import tail_of
from aidc.optimization.view import View

SITE, IT = 0, 1  # sums of the model: energy of the site, and of the IT equipment with a minus
MOST_SOLVES = 12
SAME_FRAC = 1e-6  # of the IT energy


@dataclass(frozen=True, slots=True)
class Energies:
    """Energy of a window as meters find it; with jobs, of their work after the window too.

    Attributes:
        site_kwh: of the site, storage losses left out.
        it_kwh: of the IT equipment, its fans in it.
    """

    site_kwh: float
    it_kwh: float

    @property
    def pue(self) -> float:
        """Site over IT."""
        return self.site_kwh / self.it_kwh


@dataclass(frozen=True, slots=True)
class PurePue:
    """Two optima of one window in the table model.

    Attributes:
        overhead: of least overhead energy, server fans counted as overhead.
        ratio: of least PUE.
        solves: that the ratio took, after that of least overhead.
    """

    overhead: Energies
    ratio: Energies
    solves: int

    @property
    def penalty_frac(self) -> float:
        """Site energy that the least PUE takes beyond that of least overhead, as a share of it."""
        return self.ratio.site_kwh / self.overhead.site_kwh - 1.0

    @property
    def told(self) -> str:
        """The two in a sentence."""
        if abs(self.ratio.it_kwh - self.overhead.it_kwh) <= SAME_FRAC * self.overhead.it_kwh:
            return (
                f"IT energy is the same in both, so least overhead is least PUE: {self.ratio.pue:.4f} "
                f"(solves beside that of least overhead: {self.solves})"
            )
        return (
            f"least overhead: PUE {self.overhead.pue:.4f} with {self.overhead.site_kwh:,.0f} kWh; least PUE: "
            f"{self.ratio.pue:.4f} with {self.ratio.site_kwh:,.0f} kWh, {100 * self.penalty_frac:+.2f} % "
            f"energy ({self.solves} solves)"
        )


def pure_pue(problem: WindowProblem) -> PurePue:
    """Least overhead and least PUE of a window, jobs as shares of their classes.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no plan within the time.
    """
    view, plan = View.of(problem), problem.scenario.plan
    tables, money, energy = view.tables, view.money("pue"), view.money("energy")
    it = replace(pue_cap(1.0, tables).prices, facility_price=np.zeros_like(energy.facility_price))
    caps = [Cap("site energy", energy, np.inf), Cap("IT energy", it, np.inf)]
    offered = likely_options(view, "pue", [])
    if len(problem.movable.row):
        tails = [tail_of(tables, one, view.bus, view.standing_kw) for one in (money, energy)]
        tails.append(Tail(-np.ones(len(tails[0].price)), 0.0))
        kept = options_kept(view, money, caps, offered)
        model = class_model(view, money, work_of(view, tails), caps, kept)
    else:
        kept = kept_options(tables, money, view.bus, caps) & offered
        model = site_model(tables, money, view.bus, kept, caps)
        for slot in model.SLOT:
            model.it_kw[slot].fix(float(view.standing_kw[slot]))
    return least_ratio(model, view.bus, plan.gap_frac, plan.limit_s, view.what)


def least_ratio(
    model: pyo.ConcreteModel, bus: Bus, gap_frac: float, limit_s: float, what: str
) -> PurePue:
    """The optimum of a model's own objective and that of the ratio of its first sum to minus its second.

    Args:
        model: one with `SITE` and `IT` among its sums; its objective is changed.
        bus: of the model.
        gap_frac: of the site's energy, at which a solve may stop.
        limit_s: wall time of a solve.
        what: its name, for messages.
    """

    def solved(gap_kwh: float) -> Energies:
        solve(model, gap_frac=gap_frac, gap_abs=gap_kwh, limit_s=limit_s, what=what)
        settle_peaks(model, bus)
        site, it = (float(pyo.value(model.cap_sum[i] + model.cap_tail[i])) for i in (SITE, IT))
        return Energies(site, -it)

    overhead = solved(0.0)
    for objective in model.component_objects(pyo.Objective, active=True):
        objective.deactivate()
    site, minus_it = (model.cap_sum[i] + model.cap_tail[i] for i in (SITE, IT))
    model.pue = pyo.Param(mutable=True, initialize=overhead.pue)
    model.ratio_objective = pyo.Objective(expr=site + model.pue * minus_it)
    best = overhead
    solves, won = 0, True
    while won and solves < MOST_SOLVES:
        solves += 1
        room_kwh = gap_frac * best.site_kwh
        found = solved(room_kwh)
        won_kwh = best.pue * found.it_kwh - found.site_kwh
        if won_kwh > 0:
            best = found
        won = won_kwh > room_kwh
        model.pue.set_value(best.pue)
    return PurePue(overhead, best, solves)
