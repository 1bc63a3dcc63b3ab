"""Weather of a scenario, and weather files before they are used."""

from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import File, Json, Set, print_json, print_table, scenario_of

app = typer.Typer(
    help="Show the weather of a scenario; check a weather file.", no_args_is_help=True
)


@app.command()
def show(scenario: File, set_: Set = None, json_: Json = False) -> None:
    """Monthly means and extremes at each site of a scenario, as the simulation gets them."""
    from aidc.api.weather import monthly_weather

    made = scenario_of(scenario, set_, None, None)
    found = monthly_weather(made)
    if json_:
        print_json({name: one.rows for name, one in found.items()})
        return
    for name, one in found.items():
        print(f"{name}: {one.label}{' (synthetic)' if one.synthetic else ''}")
        for note in one.notes:
            print(f"note: {note}")
        print_table(list(one.rows[0]), [list(row.values()) for row in one.rows])


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="An .epw or .csv file.", show_default=False)],
    scenario: Annotated[Path, typer.Option("--for", help="The scenario that is to use it.")],
) -> None:
    """Reads a weather file for a scenario's horizon and place; every fault with its line."""
    from aidc.api.weather import weather_from

    made = scenario_of(scenario, None, None, None)
    for name, weather in weather_from(file, made).items():
        print(f"{name}: good; {weather.label}")
        for note in weather.notes:
            print(f"note: {note}")
