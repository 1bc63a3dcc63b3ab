"""Advice for a facilities BMS behind a pipe: an observation in, an advice out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import File, Set, scenario_of

app = typer.Typer(help="Advice for a facilities BMS.", no_args_is_help=True)


@app.callback()
def bms() -> None:
    """Advice for a facilities BMS."""


@app.command()
def step(
    scenario: File,
    state: Annotated[
        Path | None,
        typer.Option("--state", help="Memory between calls; made where it is not there."),
    ] = None,
    limit: Annotated[float, typer.Option("--limit", help="Seconds for a step.")] = 20.0,
    lines: Annotated[
        bool, typer.Option("--lines", help="One observation a line, until the input ends.")
    ] = False,
    set_: Set = None,
) -> None:
    """Advice as JSON on stdout for an observation as JSON on stdin."""
    from aidc.bms import Controller, Observation

    saved = state.read_text(encoding="utf-8") if state is not None and state.exists() else None
    made = scenario_of(scenario, set_, None, None)
    with Controller(made, limit_s=limit, state=saved) as controller:
        for text in _texts(lines):
            advice = controller.step(Observation.from_json(text))
            if state is not None:
                _replace(state, controller.state)
            print(advice.to_json(), flush=True)


def _texts(lines: bool) -> Iterator[str]:
    if not lines:
        yield sys.stdin.read()
        return
    yield from (line for line in sys.stdin if line.strip())


def _replace(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
