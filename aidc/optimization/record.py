"""What a planner has decided for a site, window after window, and the schedule that comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from pyomo.common.gc_manager import PauseGC

from aidc.errors import PlanError
from aidc.optimization.bound import Certificate
from aidc.optimization.fallback import hold_baseline
from aidc.optimization.problem import WindowProblem
from aidc.optimization.window import WindowPlan, plan_window
from aidc.scenario import Scenario
from aidc.schedule import Schedule, SetPoints, WindowProof
from aidc.units import S_PER_H, S_PER_MIN


@dataclass(slots=True)
class Record:
    """The windows of one site.

    Attributes:
        scenario: what is planned.
        window: set-points of the last one, beyond what is committed too; a fault: it has no plan.
        pieces: committed set-points.
        proofs, certificates: of each; one without a plan has no certificate.
        promised: the committed part of what each promises.
        faults: of the windows without a plan.
    """

    scenario: Scenario
    window: SetPoints | PlanError = field(
        default_factory=lambda: PlanError("nothing is planned yet")
    )
    pieces: list[SetPoints] = field(default_factory=list)
    proofs: list[WindowProof] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    promised: list[pd.DataFrame] = field(default_factory=list)
    faults: list[PlanError] = field(default_factory=list)

    def commit(self, problem: WindowProblem) -> tuple[WindowPlan, SetPoints, float]:
        """Plans a window, or holds the baseline where it has no plan, and commits its first part.

        Returns:
            The plan, the committed set-points, and the end of the commitment [s].
        """
        try:
            with PauseGC():  # a Pyomo model is very many objects, and none of them is garbage
                found = plan_window(problem)
            self.window = found.setpoints
        except PlanError as fault:
            self.faults.append(fault)
            self.window = fault
            found = hold_baseline(problem, str(fault))
        plan, step_s = self.scenario.plan, self.scenario.step_min * S_PER_MIN
        steps = min(round(plan.commit_h * S_PER_H / step_s), len(found.setpoints.supply_degc))
        piece = found.setpoints.at(slice(0, steps))
        self.pieces.append(piece)
        self.proofs.append(found.proof)
        if found.certificate:
            self.certificates.append(found.certificate)
        slots = round(steps * step_s / (plan.step_min * S_PER_MIN))
        self.promised.append(found.promised.iloc[:slots])
        return found, piece, problem.state.now_s + steps * step_s


def schedule_of(
    scenario: Scenario,
    decisions: pd.DataFrame,
    records: Mapping[str, Record],
    networks: Sequence[tuple[WindowProof, Certificate]] = (),
) -> Schedule:
    """The schedule of all sites.

    Args:
        scenario: what was planned.
        decisions: a row a job; see `Schedule`.
        records: by site.
        networks: proofs of windows in which jobs moved between sites.

    Raises:
        PlanError: no window has a plan; the fault of the first.
    """
    every = records.values()
    faults = [fault for one in every for fault in one.faults]
    if faults and len(faults) == sum(len(one.proofs) for one in every):
        raise faults[0]
    return Schedule(
        decisions=decisions,
        setpoints={name: SetPoints.joined(one.pieces) for name, one in records.items()},
        windows=(
            *(proof for one in every for proof in one.proofs),
            *(proof for proof, _ in networks),
        ),
        promised={name: pd.concat(one.promised) for name, one in records.items()},
        objective=scenario.plan.objective_name,
        foresight=scenario.plan.foresight,
        certificates=(
            *(found for one in every for found in one.certificates),
            *(found for _, found in networks),
        ),
    )
