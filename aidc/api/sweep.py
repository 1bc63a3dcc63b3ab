"""Set-points against PUE, TUE and total energy."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from aidc.api.drivers import drivers_of
from aidc.errors import InputError
from aidc.reporting.charts.sweep_chart import sweep_chart
from aidc.simulation import faults_of, setpoint_sweep
from aidc.trace import Trace

COLDEST_DEGC, WARMEST_DEGC, STEP_K = 18.0, 34.0, 1.0
_MOST_POINTS = 200


def supplies(from_degc: float, to_degc: float, step_k: float) -> list[float]:
    """Set-points of a sweep, both ends in it.

    Raises:
        InputError: an empty or an endless range.
    """
    if not (step_k > 0 and to_degc > from_degc):
        raise InputError(
            f"--from {from_degc:g} --to {to_degc:g} --step {step_k:g}: nothing to sweep"
        )
    count = int((to_degc - from_degc) / step_k + 1e-9) + 1
    if count > _MOST_POINTS:
        raise InputError(f"{count} set-points are more than {_MOST_POINTS}; take a longer --step")
    return [float(x) for x in from_degc + step_k * np.arange(count)]


def sweeps_of(
    before: Trace, supplies_degc: Sequence[float] | None = None
) -> Mapping[str, pd.DataFrame]:
    """The sweep of every site with the jobs of a run; see `aidc.simulation.setpoint_sweep`.

    Args:
        before: a run; its job starts stay.
        supplies_degc: set-points; 18 to 34 degC by default.
    """
    scenario = before.scenario
    wanted = supplies_degc or supplies(COLDEST_DEGC, WARMEST_DEGC, STEP_K)
    drivers = drivers_of(scenario)
    return {
        name: setpoint_sweep(
            choice.site,
            drivers.sites[name],
            before.job_runs[name],
            wanted,
            scenario.baseline.mode_policy,
            faults_of(scenario, name),
            before.step_h,
        )
        for name, choice in scenario.sites.items()
    }


def save_sweep(sweeps: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Writes the table and the chart of every site; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for site, table in sweeps.items():
        chart = sweep_chart(table, site, f"-{site}" if len(sweeps) > 1 else "")
        written += [folder / f"{chart.name}.{kind}" for kind in ("csv", "png", "svg")]
        table.to_csv(written[-3], index=False, lineterminator="\n")
        written[-2].write_bytes(chart.png())
        written[-1].write_bytes(chart.svg_file())
    return written
