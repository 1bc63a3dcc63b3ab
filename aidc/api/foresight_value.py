"""What knowing more is worth: one scenario planned under each foresight, each plan played on the truth."""

from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

import pandas as pd

from aidc.api.drivers import drivers_of
from aidc.api.progress import Stages
from aidc.api.verbs import plan, simulate
from aidc.reporting.comparison import SAME_WORK_FRAC, work_difference_frac
from aidc.scenario import Foresight, Scenario
from aidc.simulation import with_setpoints
from aidc.trace import Trace
from aidc.units import KG_PER_T, KWH_PER_MWH, MIN_PER_H

COLUMNS: Final = (
    "foresight", "facility_mwh", "promised_mwh", "import_mwh", "tco2e", "saved_frac",
    "of_perfect_frac", "setpoints_saved_frac", "work_difference_frac", "jobs_put_off",
    "starts_missed", "jobs_late",
)  # fmt: skip


def foresight_value(scenario: Scenario, out: Path | None, stages: Stages) -> pd.DataFrame:
    """A row a foresight: what its plan promised, and what it delivered and saved in the replay.

    ``saved_frac`` is of the baseline's emissions at the intensity that the plan decides on, and missing
    where the work delivered inside the horizon is not the same; ``setpoints_saved_frac`` is what the
    set-points alone save on the baseline's own jobs, so always for the same work. ``of_perfect_frac``
    is the share of the saving of perfect foresight, of the set-points where the other is missing.

    Args:
        scenario: its own foresight does not matter.
        out: folder for ``foresight.csv``; None: nothing is written.
        stages: who tells of progress.

    Raises:
        PlanError: no plan.
    """
    drivers = drivers_of(scenario)
    rows = []
    with stages.stage("baseline"):
        before = simulate(scenario)
    was = _tco2e(before)
    for foresight in get_args(Foresight):
        with stages.stage(f"plan with {foresight} foresight"):
            asked = scenario.replace("plan.foresight", foresight)
            schedule = plan(replace(before, scenario=asked))
            after = simulate(scenario, schedule=schedule)
            alone = with_setpoints(before, drivers, schedule.setpoints, "setpoints_only")
        work = work_difference_frac(before, after)
        slot_h = scenario.plan.step_min / MIN_PER_H
        promised = sum(part["facility_kw"].sum() for part in schedule.promised.values()) * slot_h
        same = abs(work) <= SAME_WORK_FRAC
        rows.append(
            {
                "foresight": foresight,
                "facility_mwh": float(after.facility_kw.sum()) * after.step_h / KWH_PER_MWH,
                "promised_mwh": promised / KWH_PER_MWH,
                "import_mwh": after.kwh("grid_import_kw") / KWH_PER_MWH,
                "tco2e": _tco2e(after),
                "saved_frac": 1 - _tco2e(after) / was if same and was else None,
                "setpoints_saved_frac": 1 - _tco2e(alone) / was if was else None,
                "work_difference_frac": work,
                "jobs_put_off": int((schedule.decisions["moved_s"] > 0).sum()),
                "starts_missed": int(after.counts["planned_starts_missed"]),
                "jobs_late": int(after.jobs["late"].sum()),
            }
        )
    table = pd.DataFrame(rows)
    by = "saved_frac" if table["saved_frac"].notna().all() else "setpoints_saved_frac"
    best = float(table[by].iloc[0])
    table["of_perfect_frac"] = table[by] / best if best > 0 else float("nan")
    table = table[list(COLUMNS)]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        table.to_csv(out / "foresight.csv", index=False, lineterminator="\n")
    return table


def percent(table: pd.DataFrame) -> pd.DataFrame:
    """The same for a reader: shares in per cent, as text."""
    shown = table.copy()
    for name in (name for name in table if str(name).endswith("_frac")):
        text = [("-" if pd.isna(value) else f"{value:.2%}") for value in table[name]]
        shown = shown.drop(columns=name).assign(**{str(name).removesuffix("_frac"): text})
    return shown[[str(name).removesuffix("_frac") for name in table]]


def _tco2e(trace: Trace) -> float:
    """Emissions of the import at the intensity that the plan decides on."""
    frame = trace.frame
    kg = (frame["grid_import_kw"] * frame["grid_kgco2e_per_kwh"]).sum() * trace.step_h
    return float(kg) / KG_PER_T
