"""The command line over `aidc.api`: results to stdout, progress and warnings to stderr, exit status by kind."""

import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer

from aidc import __version__
from aidc.cli import bms, catalog, ledger, look, pareto, plant, pv, steps, weather
from aidc.errors import AidcError

INTERNAL = 4
INTERRUPTED = 130

app = typer.Typer(
    help="Plan and prove how an AI data centre uses less energy and emits less carbon.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    steps.run,
    steps.simulate,
    steps.plan,
    steps.account,
    steps.report,
    steps.compare,
    steps.foresight,
    pareto.pareto,
    steps.pathway,
    look.check,
    look.schema,
    look.init,
    look.doctor,
):
    app.command()(command)
app.add_typer(ledger.app, name="ledger")
app.add_typer(catalog.app, name="catalog")
app.add_typer(weather.app, name="weather")
app.add_typer(plant.app, name="plant")
app.add_typer(pv.app, name="pv")
app.add_typer(bms.app, name="bms")


def main() -> None:
    """Entry point of ``aidc``: maps every error to its exit status."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    sys.exit(_guarded(lambda: app(args=arguments, prog_name="aidc"), debug=debug))


def _guarded(command: Callable[[], object], *, debug: bool) -> int:
    try:
        command()
    except AidcError as error:
        if debug:
            traceback.print_exc()
        print(error, file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has seen enough
        return 0
    except OSError as error:
        if debug:
            traceback.print_exc()
        print(f"{error.filename or 'input or output'}: {error.strerror}", file=sys.stderr)
        return 2
    except Exception as error:  # noqa: BLE001  (the last line of defence: one line for the user, all of it on --debug)
        if debug:
            traceback.print_exc()
        print(f"internal error: {type(error).__name__}: {error}", file=sys.stderr)
        print(
            "This is a fault of aidc: please report it with the output of the same command and --debug.",
            file=sys.stderr,
        )
        return INTERNAL
    return 0


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
