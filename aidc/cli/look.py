"""Looking before running: check, schema, init, doctor."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import Json, Set, print_json, print_table, scenario_of
from aidc.errors import Fault, InputError


def check(
    scenario: Annotated[list[Path], typer.Argument(help="Scenario files.", show_default=False)],
    set_: Set = None,
) -> None:
    """Files and data, no simulation; every fault of every file."""
    from aidc.api import drivers_of

    faults: list[Fault] = []
    for file in scenario:
        try:
            drivers_of(scenario_of(file, set_, None, None))
        except InputError as error:
            faults.extend(error.faults)
        else:
            print(f"{file}: good")
    if faults:
        raise InputError(faults)


def schema(
    to: Annotated[Path | None, typer.Option(help="Write it here instead of to stdout.")] = None,
    of: Annotated[str, typer.Option(help="scenario, or ledger-entry.")] = "scenario",
) -> None:
    """JSON Schema of scenario files, or of the entries of a ledger, for editors."""
    from aidc.ledger.entry_schema import entry_schema
    from aidc.scenario_schema import schema as of_scenario

    made = {"scenario": of_scenario, "ledger-entry": entry_schema}.get(of)
    if made is None:
        raise InputError(f"--of: '{of}' has no schema; there are scenario and ledger-entry")
    text = json.dumps(made(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, encoding="utf-8")


def init(
    folder: Annotated[Path, typer.Argument(help="The new folder.", show_default=False)],
) -> None:
    """A new study: a scenario, a script that varies it, and the schema for your editor."""
    from aidc.api.init import new_study

    for path in new_study(folder):
        print(path)
    print(f"next: aidc run {folder / 'scenario.yaml'} --out {folder / 'out'}")


def doctor(json_: Json = False) -> None:
    """Versions, catalog, solver and real data; exit status 1 where something is amiss."""
    from aidc.api.doctor import checks

    found = checks()
    if json_:
        print_json([{"name": one.name, "ok": one.ok, "found": one.found} for one in found])
    else:
        words = {True: "good", False: "BAD", None: "absent"}
        print_table(("", "", "found"), [(one.name, words[one.ok], one.found) for one in found])
    bad = [one.name for one in found if one.ok is False]
    if bad:
        print(f"amiss: {', '.join(bad)}", file=sys.stderr)
        raise typer.Exit(1)
