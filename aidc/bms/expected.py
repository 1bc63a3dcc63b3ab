"""What a plan comes to in the plant itself, beside the baseline policy with the same jobs."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aidc.bms.advice import Expected, Outlook
from aidc.bms.expected_load import it_kw
from aidc.bms.knowledge import Knowledge
from aidc.schedule import PlanningState, SetPoints
from aidc.simulation import PlantState, faults_of
from aidc.simulation.energy import block

Array = NDArray[np.float64]


def expected_of(
    known: Knowledge, state: PlanningState, name: str, setpoints: SetPoints, starts_s: Array
) -> Expected:
    """Plan and baseline policy over the window of the plan.

    Under the baseline policy what has started goes on, and every other job starts as in the baseline, or now
    where that is past; supply air is fixed, battery and tank rest.

    Args:
        known: jobs and series.
        state: what the window inherits.
        name: of the site.
        setpoints: of the plan, a value a step of the window.
        starts_s: of all jobs under the plan.
    """
    scenario, steps = known.scenario, len(setpoints.supply_degc)
    step_s = scenario.step_min * 60.0
    first = round(state.now_s / step_s)
    rows = slice(first, first + steps)
    waits = np.isnan(state.start_s) & np.isfinite(starts_s)
    usual_s = np.where(waits, np.fmax(known.baseline_s, state.now_s), starts_s)
    rest = SetPoints.at_rest(np.full(steps, scenario.baseline.supply_air_degc))
    index = known.drivers.sites[name].frame.index
    begin = index[first].to_pydatetime()

    def outlook(start_s: Array, setpoints: SetPoints) -> Outlook:
        return _outlook(known, state, name, rows, setpoints, start_s)

    return Expected(
        start=begin,
        end=begin + (index[1] - index[0]).to_pytimedelta() * steps,
        plan=outlook(starts_s, setpoints),
        baseline=outlook(usual_s, rest),
    )


def _outlook(
    known: Knowledge,
    state: PlanningState,
    name: str,
    rows: slice,
    setpoints: SetPoints,
    start_s: Array,
) -> Outlook:
    scenario, drivers = known.scenario, known.drivers.sites[name]
    site, step_h = scenario.sites[name].site, scenario.step_min / 60
    edges_s = np.arange(rows.start, rows.stop + 1) * (step_h * 3600.0)
    made = block(
        site,
        replace(drivers, frame=drivers.frame.iloc[rows]),
        slice(0, rows.stop - rows.start),
        it_kw(site, known.drivers.jobs, start_s, edges_s),
        setpoints,
        scenario.baseline.mode_policy,
        faults_of(scenario, name).at(rows),
        PlantState(state.battery_kwh, state.store_kwh),
        step_h,
    ).columns
    parts = ("it_kw", "cooling_kw", "electrical_loss_kw", "other_kw", "battery_loss_kw")
    facility = sum(np.asarray(made[part], np.float64).mean() for part in parts)
    carbon = np.asarray(made["grid_import_kw"], float) * np.asarray(
        made["grid_kgco2e_per_kwh"], float
    )
    return Outlook(
        pue=float(facility / np.asarray(made["it_kw"], np.float64).mean()),
        facility_kw=float(facility),
        kgco2e=float(carbon.sum() * step_h),
    )
