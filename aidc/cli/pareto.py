"""Plans between the ends of several objectives."""

from typing import Annotated

import typer

from aidc.cli.options import (
    RESULTS,
    File,
    Json,
    Out,
    Quiet,
    Seed,
    Set,
    Variant,
    print_rows,
    print_table,
    scenario_of,
    stages_of,
)


def pareto(
    scenario: File,
    axes: Annotated[
        str, typer.Option(help="Two or more of emissions, cost, water, delay.")
    ] = "emissions,cost",
    points: Annotated[int, typer.Option(help="Plans along an edge, both ends counted.")] = 7,
    out: Out = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """What one objective costs in another: plans between their ends; goes on where it stopped."""
    from aidc.api.front import pareto_of
    from aidc.reporting.pareto import AXES, pareto_caption

    made = scenario_of(scenario, set_, variant, seed)
    folder = out or RESULTS / f"{made.name}-pareto"
    chosen = [axis.strip() for axis in axes.split(",") if axis.strip()]
    table = pareto_of(made, chosen, points, folder, stages_of(quiet or json_))
    if json_:
        print_rows(table)
        return
    head = ["plan", *(axis.column for axis in AXES.values())]
    print_table(
        (*head, "gap %", "on front"),
        [
            (*(row[name] for name in head), 100 * row["gap_frac"], "yes" if row["on_front"] else "")
            for row in table.to_dict("records")
        ],
    )
    print(pareto_caption(table, chosen))
    print(f"table and chart: {folder}")
