"""PV layouts and the check of a metered plant."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import File, Json, Set, print_json, print_table, scenario_of

app = typer.Typer(help="Compare PV layouts; check a metered PV plant.", no_args_is_help=True)


@app.command()
def layouts(
    scenario: File,
    tilt: Annotated[list[float] | None, typer.Option(help="Tilt in degrees; repeatable.")] = None,
    azimuth: Annotated[
        list[float] | None, typer.Option(help="Azimuth, 180 is south; repeatable.")
    ] = None,
    mount: Annotated[list[str] | None, typer.Option(help="Row of pv_mounts; repeatable.")] = None,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Yield of every combination of layouts over the scenario's horizon, best first."""
    from aidc.api.pv import layouts as compared

    made = scenario_of(scenario, set_, None, None)
    found = compared(made, tilts_deg=tilt or (), azimuths_deg=azimuth or (), mounts=mount or ())
    head = (
        "site",
        "tilt",
        "azimuth",
        "mount",
        "MWh",
        "kWh/kWp",
        "light kWh/m2",
        "ratio",
        "peak kW",
    )
    rows = [
        (name, y.pv.tilt_deg, y.pv.azimuth_deg, y.pv.mount.name, y.energy_kwh / 1000,
         y.yield_kwh_per_kwp, y.light_kwh_per_m2, y.performance_ratio, y.peak_kw)
        for name, yields in found.items()
        for y in yields
    ]  # fmt: skip
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)


@app.command()
def check(
    scenario: File,
    metered: Annotated[Path, typer.Argument(help="CSV with time and pv_kw.", show_default=False)],
    site: Annotated[str | None, typer.Option(help="Where the plant stands; the only site.")] = None,
    tolerance: Annotated[
        float, typer.Option(help="Percent below the expected ratio that is the model's own error.")
    ] = 10.0,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Performance ratio of a metered plant by month; exit status 1 where a month is below."""
    from aidc.api.pv import metered_performance

    made = scenario_of(scenario, set_, None, None)
    found = metered_performance(made, site or next(iter(made.sites)), metered, tolerance / 100)
    if json_:
        print_json(found.to_dict("records"))
    else:
        print_table(list(found.columns), found.itertuples(index=False))
    flagged = found.loc[found["flagged"], "month"].tolist()
    if flagged:
        print(f"below expectation: {', '.join(flagged)}", file=sys.stderr)
        raise typer.Exit(1)
