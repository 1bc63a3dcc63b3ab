"""Published figures of a ledger: held against what it derives, and traced to their entries."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError, LedgerError

if TYPE_CHECKING:
    from aidc.ledger import Ledger
    from aidc.ledger.statements.tracing import Origin

_READ = (
    "input: an activity was entered from this very figure; solved for: an activity was estimated so that "
    "it comes out. Neither is evidence."
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the ledger."""
    app.command("reconcile")(reconcile)


def reconcile(
    ledger: Annotated[
        Path | None,
        typer.Argument(
            help="A ledger with reported_figure entries; the reference company without one.",
            show_default=False,
        ),
    ] = None,
    document: Annotated[str | None, typer.Option(help="One document; all by default.")] = None,
    books: Annotated[
        str | None, typer.Option(help="Comma between them; all that were drawn up by default.")
    ] = None,
    report_date: ReportDate = None,
    json_: Json = False,
) -> None:
    """Published figures against what a ledger derives, with the interval that rounding allows.

    Without a ledger: the reference company's inventory of 2021 and 2022 from its activity.
    Exit status 1 where a figure lies outside its interval or two documents contradict each other.
    """
    if ledger is None:
        if document or books or report_date:
            raise InputError("--document, --books and --report-date need a ledger")
        _company(json_)
    else:
        _ledger(ledger, document, books, report_date, json_)


def _company(json_: bool) -> None:
    from aidc.api.company import company_check

    found = company_check()
    rows = [
        (one.year, one.quantity, one.unit, str(one.published),
         "-" if one.derived is None else f"{one.derived:.4f}", one.said)
        for one in found.figures
    ]  # fmt: skip
    head = ("year", "quantity", "unit", "published", "derived", "verdict")
    if json_:
        figures = [dict(zip(head, row, strict=True)) for row in rows]
        print_json({"figures": figures, "findings": found.findings})
    else:
        print_table(head, rows)
        print(_READ)
        for text in found.findings:
            print(f"finding: {text}")
    _stop(
        [f"{o.quantity} {o.year}" for o in found.figures if o.verdict in ("outside", "broken")], []
    )


def _ledger(
    ledger: Path, document: str | None, books: str | None, report_date: str | None, json_: bool
) -> None:
    from aidc.ledger import Ledger
    from aidc.ledger.reports.figures import compared, contradictions

    with Ledger.open(ledger) as opened:
        found = compared(
            opened, document=document, quantity=None, year=None,
            books=None if books is None else books.split(","), report_date=date_of(report_date),
        )  # fmt: skip
    against = list(contradictions(found))
    rows = [
        (one.figure.year, one.figure.quantity, one.figure.unit, one.figure.relation, f"{one.figure.value:f}",
         "-" if one.found.derived is None else f"{one.found.derived:.4f}", one.by or "-", one.verdict)
        for one in found
    ]  # fmt: skip
    head = ("year", "quantity", "unit", "relation", "published", "derived", "by", "verdict")
    if json_:
        figures = [dict(zip(head, row, strict=True)) for row in rows]
        print_json({"figures": figures, "contradictions": against})
    else:
        print_table(head, rows)
        print(_READ)
    _stop([f"{one.figure.quantity} {one.figure.year}" for one in found if one.wrong], against)


def _stop(wrong: list[str], against: list[str]) -> None:
    said = [f"does not reconcile: {', '.join(wrong)}"] if wrong else []
    if said or against:
        raise LedgerError("\n".join([*said, *(f"contradicts: {text}" for text in against)]))


def figure_traced(
    ledger: "Ledger",
    figure: str,
    period: str,
    entity: str | None,
    book: str | None,
    report_date: date | None,
) -> "Origin":
    """A published figure of a year down to its entries; of several documents the first.

    Raises:
        InputError: the period is no year, or there is no such figure.
    """
    from aidc.ledger.reports.figures import compared, figure_origin

    if not period.isdecimal():
        raise InputError(f"--period: '{period}' is no year; a published figure is of a year")
    found = compared(
        ledger, document=None, quantity=figure, year=int(period),
        books=None if book is None else book.split(","), report_date=report_date,
    )  # fmt: skip
    mine = [one for one in found if entity in (None, one.figure.entity)]
    if not mine:
        raise InputError(f"{figure} {period} is not of {entity}, but of {found[0].figure.entity}")
    return figure_origin(ledger, mine[0])


def only_entity(ledger: "Ledger") -> str:
    """The one reporting entity of a ledger.

    Raises:
        InputError: there are several.
    """
    names = ledger.entities
    if len(names) != 1:
        raise InputError(f"--entity is needed; the ledger has {', '.join(names) or 'none'}")
    return names[0]
