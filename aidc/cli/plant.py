"""The plant of a scenario at one set-point after the other."""

from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import File, Json, Quiet, Set, print_json, print_table, scenario_of, stages_of

app = typer.Typer(help="Look at the plant of a scenario.", no_args_is_help=True)


@app.callback()
def plant() -> None:
    """Look at the plant of a scenario."""


@app.command()
def sweep(
    scenario: File,
    from_: Annotated[float, typer.Option("--from", help="Coldest supply air, degC.")] = 18.0,
    to: Annotated[float, typer.Option("--to", help="Warmest supply air, degC.")] = 34.0,
    step: Annotated[float, typer.Option("--step", help="Between set-points, K.")] = 1.0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for sweep.csv and the chart.")
    ] = None,
    set_: Set = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Supply set-points against PUE, TUE and total energy, with both optima."""
    from aidc.api import simulate
    from aidc.api.sweep import save_sweep, supplies, sweeps_of
    from aidc.reporting.charts.sweep_chart import sweep_caption

    wanted = supplies(from_, to, step)
    made = scenario_of(scenario, set_, None, None)
    with stages_of(quiet or json_).stage("baseline") as stage:
        before = simulate(made, progress=lambda _, share: stage.at(share))
    found = sweeps_of(before, wanted)
    if json_:
        print_json({name: table.to_dict("records") for name, table in found.items()})
    else:
        shown = ["supply_degc", "inlet_degc", "pue", "pue_reference_inlet", "tue", "facility_kwh",
                 "it_kwh", "cooling_kwh", "water_m3", "unmet_kwh", "within_inlet_limit"]  # fmt: skip
        for name, table in found.items():
            print(f"{name}:")
            print_table(shown, table[shown].itertuples(index=False))
            print(sweep_caption(table))
    if out is not None:
        for path in save_sweep(found, out):
            if not json_:
                print(path)
