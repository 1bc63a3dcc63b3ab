"""What the optimiser decided: a decision for every job, set-points for every step, and its proof."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SETPOINT_COLUMNS: Final = (
    "supply_degc", "spray", "battery_charge_kw", "battery_discharge_kw", "store_charge_kw",
    "store_discharge_kw", "chillers_on",
)  # fmt: skip
AS_SOON_AS_FREE: Final = "as soon as boards are free"  # reason of a start that is no promise
CERTIFICATE: Final = "certificate.npz"  # of a folder of results
SAVING_SEEN_FRAC = 1e-3  # of the baseline; a share of less says nothing
ALL_SITES: Final = "all sites"  # site of the proof of a network's window
SPRAY_BY_POLICY, SPRAY_OFF, SPRAY_ON = -1, 0, 1
CHILLERS_BY_RULE = -1


@dataclass(frozen=True, slots=True)
class SetPoints:
    """Set-points of one site, one value a simulation step.

    Attributes:
        supply_degc: supply air [degC].
        spray: -1 the site's mode policy decides, 0 dry, 1 wet.
        battery_charge_kw: at the AC side.
        battery_discharge_kw: at the AC side.
        store_charge_kw: cold into the chilled-water tank, thermal.
        store_discharge_kw: cold out of it.
        chillers_on: machines of a chilled-water plant that run; -1 by the plant's own rule.
    """

    supply_degc: NDArray[np.float64]
    spray: NDArray[np.int8]
    battery_charge_kw: NDArray[np.float64]
    battery_discharge_kw: NDArray[np.float64]
    store_charge_kw: NDArray[np.float64]
    store_discharge_kw: NDArray[np.float64]
    chillers_on: NDArray[np.int8]

    @classmethod
    def at_rest(cls, supply_degc: NDArray[np.float64]) -> "SetPoints":
        """Supply air as given, cooling mode by policy, chillers by rule, battery and tank at rest."""
        nothing = np.zeros(len(supply_degc))
        by_policy = np.full(len(supply_degc), SPRAY_BY_POLICY, np.int8)
        by_rule = np.full(len(supply_degc), CHILLERS_BY_RULE, np.int8)
        return cls(supply_degc, by_policy, nothing, nothing, nothing, nothing, by_rule)

    @classmethod
    def joined(cls, pieces: Sequence["SetPoints"]) -> "SetPoints":
        """Pieces that follow one another as one."""
        return cls(
            *(
                np.concatenate([getattr(piece, name) for piece in pieces])
                for name in SETPOINT_COLUMNS
            )
        )

    def at(self, rows: slice) -> "SetPoints":
        """Some of the steps."""
        return SetPoints(*(getattr(self, name)[rows] for name in SETPOINT_COLUMNS))

    def frame(self, index: pd.DatetimeIndex) -> pd.DataFrame:
        """The same as a frame on the horizon's index."""
        return pd.DataFrame({name: getattr(self, name) for name in SETPOINT_COLUMNS}, index=index)


@dataclass(frozen=True, slots=True)
class PlanningState:
    """What a window inherits from the one before.

    Attributes:
        now_s: start of the window, seconds from the start of the horizon.
        start_s: actual start of every job of the scenario at this site so far [s]; nan where it
            has not started here.
        end_s: end of each of those, of a running one when it will come, boots of its servers included.
        supply_degc: set-point in force.
        battery_kwh: stored energy.
        store_kwh: cold in the chilled-water tank, thermal.
        month_peak_kw: highest mean import of a step in the running month so far.
        chillers_on: machines that ran in each step before the window, the last one last; how far back
            it goes is the caller's, and empty where nothing ran before.
    """

    now_s: float
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    supply_degc: float
    battery_kwh: float
    store_kwh: float
    month_peak_kw: float
    chillers_on: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a planner hands back to a site: starts of jobs and set-points of the steps it commits.

    Attributes:
        rows: jobs that start at this site inside the commitment, as rows of the scenario's jobs.
        pool: of each, by its place among the site's pools.
        start_s: planned start of each [s].
        first_step: first simulation step that ``setpoints`` cover.
        setpoints: one value a simulation step of the commitment.
        power_cap_frac: cap of each over its boards' maximum power, 1: none; None: nothing is capped.
        stops: when each of some of those jobs is stopped and when it goes on, by row, shape (stops, 2); it may
            lie after the commitment.
    """

    rows: NDArray[np.int64]
    pool: NDArray[np.int64]
    start_s: NDArray[np.float64]
    first_step: int
    setpoints: SetPoints
    power_cap_frac: NDArray[np.float64] | None = None
    stops: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageProof:
    """How an earlier objective of a window was solved, and what later ones left of it.

    Attributes:
        objective_name: what was minimised.
        unit: of all that follows.
        objective, bound, gap_frac: as in `WindowProof`, under the limits of the stages before.
        limit: what later stages had to keep.
        delivered: under the window's schedule, in the plant.
    """

    objective_name: str
    unit: str
    objective: float
    bound: float
    gap_frac: float
    limit: float
    delivered: float


@dataclass(frozen=True, slots=True)
class WindowProof:
    """How one window was solved.

    Attributes:
        site: site of the window; `ALL_SITES` for the plan of the network, in which jobs may move.
        start: ISO time of the window's first step.
        status: ``optimal`` (within the gap), ``time_limit`` (a plan, with its gap) or ``fallback`` (no
            plan: the baseline's set-points and starts are held, and nothing is proven).
        unit: unit of objective and bound.
        objective: of the schedule as assigned to jobs: in the plant itself or in the table model,
            whichever is dearer.
        bound: no schedule of this window (starts on the plan's grid) is below it.
        gap_frac: (objective - bound) / objective.
        earlier: proofs of the objectives that come before; the figures above are of the last one.
        gap_pue: the same in points of PUE: as site energy over IT energy at the reference inlet. Where
            the objective is no energy, its share counts as that share of the site's energy.
        baseline: objective of the window run like the baseline: movable jobs at their earliest, supply
            air fixed, stores at rest.
        sha256: of the data that the bound rests on; see `aidc.verifier`.
        columns, rows, binaries: size of the class model.
        jobs_movable, jobs_moved: deferrable jobs in the window, and those not left where they were.
        fault: why the window has no plan and the baseline is held (status ``fallback``); else empty.
        quotas: virtual clusters whose quota is full in some slot of the class model, ``; `` between them.
        full: boards were too full to move any job, so all stay where they stand.
        build_s, solve_s, bound_s: wall times; not part of any reproducible output.
        jobs_stopped: deferrable jobs that are stopped and go on later.
    """

    site: str
    start: str
    status: str
    unit: str
    objective: float
    bound: float
    gap_frac: float
    earlier: tuple[StageProof, ...]
    gap_pue: float
    baseline: float
    sha256: str
    columns: int
    rows: int
    binaries: int
    jobs_movable: int
    jobs_moved: int
    fault: str
    quotas: str
    full: bool
    build_s: float
    solve_s: float
    bound_s: float
    jobs_stopped: int = 0

    @property
    def captured_frac(self) -> float | None:
        """Share of the provably attainable saving that the plan has; None: there is none to have."""
        return captured_frac(self.baseline, self.objective, self.bound)


def captured_frac(baseline: float, objective: float, bound: float) -> float | None:
    """(baseline - objective) / (baseline - bound); None where a plan may save no thousandth."""
    attainable = baseline - bound
    if attainable <= SAVING_SEEN_FRAC * abs(baseline):
        return None
    return (baseline - objective) / attainable


def stop_columns(
    stops: Mapping[int, NDArray[np.float64]], count: int
) -> dict[str, list[list[float]]]:
    """The columns ``stopped_s`` and ``resumed_s`` of so many decisions.

    Args:
        stops: when each of some jobs is stopped and when it goes on, by row, shape (stops, 2).
        count: jobs.
    """
    never = np.zeros((0, 2))
    times = [stops.get(row, never) for row in range(count)]
    return {
        name: [one[:, column].tolist() for one in times]
        for column, name in enumerate(("stopped_s", "resumed_s"))
    }


@dataclass(frozen=True, slots=True)
class Schedule:
    """A plan for a whole horizon.

    Attributes:
        decisions: a row a job: ``job_id, status, start_s, moved_s, power_cap_frac, pool, site, reason, stopped_s,
            resumed_s``; status is started, deferred (not started inside the horizon) or refused; pool and
            site are those that the plan gives it, and so is the cap over its boards' maximum power (1: none);
            the last two are when it is stopped and when it goes on, lists as long as it is stopped times,
            empty for a run without a break.
        setpoints: site -> set-points of every step.
        windows: proof of each window; bounds of consecutive windows are not a bound of the whole.
        promised: site -> what the plan expected of every plan step (``facility_kw, it_kw,
            import_kw, objective``), on the index of plan steps.
        objective: what was minimised.
        foresight: what the planner knew.
        certificates: of each window, name -> array; see `aidc.verifier`.
    """

    decisions: pd.DataFrame
    setpoints: dict[str, SetPoints]
    windows: tuple[WindowProof, ...]
    promised: dict[str, pd.DataFrame]
    objective: str
    foresight: str
    certificates: tuple[Mapping[str, Any], ...] = ()

    def stops(self) -> dict[int, NDArray[np.float64]]:
        """When each job that the plan stops is stopped and when it goes on, by row, shape (stops, 2)."""
        pairs = zip(self.decisions["stopped_s"], self.decisions["resumed_s"], strict=True)
        return {
            row: np.column_stack([stopped, resumed])
            for row, (stopped, resumed) in enumerate(pairs)
            if len(stopped)
        }

    @property
    def planned(self) -> tuple[WindowProof, ...]:
        """Windows that have a plan."""
        return tuple(window for window in self.windows if window.status != "fallback")

    @property
    def proofs(self) -> tuple[WindowProof, ...]:
        """The proofs that count: of the network where there is one, as those of its sites take the places of
        all jobs as given; else of each site's windows.
        """
        return tuple(w for w in self.windows if w.site == ALL_SITES) or self.planned

    @property
    def gap_frac(self) -> float:
        """Gap of the worst window that has a plan, the worst of its stages."""
        gaps = [window.gap_frac for window in self.proofs]
        gaps += [stage.gap_frac for window in self.proofs for stage in window.earlier]
        return max(gaps, default=0.0)

    @property
    def status(self) -> str:
        """``optimal`` if every window met its gap; ``fallback`` if one has no plan, else ``time_limit``."""
        found = {window.status for window in self.windows}
        return next((one for one in ("fallback", "time_limit") if one in found), "optimal")

    def save_certificate(self, file: Path) -> None:
        """Writes what proves the bounds, for `aidc.verifier`: NumPy arrays named window/name."""
        arrays = {
            f"{number:04}/{name}": np.asarray(one[name])
            for number, one in enumerate(self.certificates)
            for name in sorted(one)
        }
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    def totals(self) -> dict[str, Any]:
        """Sums and extremes over the windows, for summaries; windows overlap, so their sums do too."""
        baseline = sum(w.baseline for w in self.proofs)
        stops = self.decisions["stopped_s"].map(len)
        objective, bound = (
            sum(w.objective for w in self.proofs),
            sum(w.bound for w in self.proofs),
        )
        return {
            "status": self.status,
            "windows": len(self.windows),
            "objective_unit": self.windows[0].unit if self.windows else "",
            "objective": objective,
            "bound": bound,
            "gap_frac": self.gap_frac,
            "gap_pue": max((w.gap_pue for w in self.proofs), default=0.0),
            "captured_frac": captured_frac(baseline, objective, bound),
            "columns": max((w.columns for w in self.windows), default=0),
            "rows": max((w.rows for w in self.windows), default=0),
            "binaries": max((w.binaries for w in self.windows), default=0),
            "windows_fallback": len(self.windows) - len(self.planned),
            "windows_full": sum(w.full for w in self.windows),
            "jobs_moved": int((self.decisions["moved_s"] > 0).sum()),
            "jobs_capped": int((self.decisions["power_cap_frac"] < 1).sum()),
            "jobs_stopped": int((stops > 0).sum()),
            "stops": int(stops.sum()),
        }
