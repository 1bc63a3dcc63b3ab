"""The command line over `aidc.api`: results to stdout, progress and warnings to stderr, exit status by kind."""

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aidc import __version__
from aidc.errors import AidcError, InputError

if TYPE_CHECKING:
    from aidc.api.progress import Stages
    from aidc.scenario import Scenario

app = typer.Typer(
    help="Plan and prove how an AI data centre uses less energy and emits less carbon.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

File = Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of results; reports/out/NAME by default.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="KEY=VALUE that wins over the file; site. is the only site."),
]
Variant = Annotated[str | None, typer.Option("--variant", help="A named variant of the file.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Replaces the file's seed.")]
Json = Annotated[
    bool, typer.Option("--json", help="The summary as JSON on stdout, and nothing else.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]

INTERNAL = 4
_DEBUG = False


def main() -> None:
    """Entry point of ``aidc``: maps every error to its exit status."""
    global _DEBUG  # noqa: PLW0603  (one flag for the whole process, read by the handler below)
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    _DEBUG = len(arguments) < len(sys.argv) - 1
    sys.exit(_guarded(lambda: app(args=arguments, prog_name="aidc", standalone_mode=True)))


def _guarded(command: Callable[[], object]) -> int:
    try:
        command()
    except AidcError as error:
        if _DEBUG:
            traceback.print_exc()
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001  (the last line of defence: one line for the user, all of it on --debug)
        if _DEBUG:
            traceback.print_exc()
        print(f"internal error: {type(error).__name__}: {error}", file=sys.stderr)
        print(
            "This is a fault of aidc: please report it with the output of the same command and --debug.",
            file=sys.stderr,
        )
        return INTERNAL
    return 0


def _load(file: Path, sets: list[str] | None, variant: str | None, seed: int | None) -> "Scenario":
    from aidc.scenario_file import load

    return load(file, sets=sets or (), variant=variant, seed=seed)


def _stages(quiet: bool) -> "Stages":
    from aidc.api.progress import Stages

    return Stages(quiet=quiet)


def _print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False))


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options of every command."""


@app.command()
def run(
    scenario: File,
    out: Out = None,
    set_: Set = None,
    variant: Variant = None,
    seed: Seed = None,
    ends: Annotated[
        bool, typer.Option(help="Judge the low and high ends of the assumptions too.")
    ] = True,
    json_: Json = False,
    quiet: Quiet = False,
) -> None:
    """Baseline, plan, replay, account, report: the main job."""
    from aidc.api import run as run_job

    made = _load(scenario, set_, variant, seed)
    result = run_job(
        made, out or Path("reports/out") / made.name, ends=ends, stages=_stages(quiet or json_)
    )
    if json_:
        _print_json(result.summary)
    else:
        print("\n".join(result.lines()))
    if result.fault is not None:
        raise result.fault


@app.command()
def check(
    scenario: Annotated[list[Path], typer.Argument(help="Scenario files.")], set_: Set = None
) -> None:
    """Files and data, no simulation; every fault of every file."""
    from aidc.api import drivers_of
    from aidc.errors import Fault

    faults: list[Fault] = []
    for file in scenario:
        try:
            drivers_of(_load(file, set_, None, None))
        except InputError as error:
            faults.extend(error.faults)
        else:
            print(f"{file}: good")
    if faults:
        raise InputError(faults)


@app.command()
def schema(
    to: Annotated[Path | None, typer.Option(help="Write it here instead of to stdout.")] = None,
) -> None:
    """JSON Schema of scenario files, for editors."""
    from aidc.scenario_file import schema as made

    text = json.dumps(made(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
