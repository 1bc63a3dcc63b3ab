"""Ledgers: verify, read, export."""

from pathlib import Path
from typing import Annotated

import typer

from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError, LedgerError

app = typer.Typer(help="Verify, read and export a ledger.", no_args_is_help=True)

Place = Annotated[
    Path, typer.Argument(help="A folder of results, a .db or a .jsonl file.", show_default=False)
]


def _file(place: Path) -> Path:
    return place / "ledger.db" if place.is_dir() else place


@app.command()
def verify(ledger: Place, json_: Json = False) -> None:
    """Recomputes the hash chain from the stored bytes; exit status 1 where it does not hold."""
    from dataclasses import asdict

    from aidc.ledger import verify_file

    found = verify_file(_file(ledger))
    if json_:
        print_json(asdict(found))
    elif found.ok:
        print(f"{found.entries} entries hold; head {found.head}")
        print(f"note: {found.note}")
    if not found.ok:
        raise LedgerError(
            f"{_file(ledger)}: entry {found.bad_line}: {found.problem}; "
            f"{found.entries} entries before it hold"
        )


@app.command()
def statement(
    ledger: Place,
    book: Annotated[str, typer.Option(help="S1, S2-LB, S2-MB-2015 or NDRC.")],
    report_date: ReportDate,
    period: Annotated[str, typer.Option(help="2022, 2022-07, or START/END with offsets.")],
    entity: Annotated[str | None, typer.Option(help="Reporting entity; all by default.")] = None,
    json_: Json = False,
) -> None:
    """What a book says of a period, from the journal alone."""
    from datetime import datetime

    from aidc.ledger import Ledger

    start, slash, end = period.partition("/")
    try:
        span = (datetime.fromisoformat(start), datetime.fromisoformat(end)) if slash else period
    except ValueError:
        raise InputError(f"--period: '{period}' is neither a year, a month nor START/END") from None
    day = date_of(report_date)
    if day is None:
        raise InputError("--report-date is needed: it limits which factors could be known")
    rows: list[tuple[object, ...]] = []
    with Ledger.open(_file(ledger)) as opened:
        for name in (entity,) if entity else opened.entities:
            drawn = opened.statement(book, entity=name, period=span, report_date=day)
            rows += [
                (name, cell.site, cell.year, cell.tier, cell.amount / 1e6,
                 cell.factor.name if cell.factor else "none", float(cell.tco2e))
                for cell in drawn.cells
            ]  # fmt: skip
            total = float(drawn.total_tco2e) if drawn.assessed else "not assessed"
            rows.append((name, "total", "", "", "", drawn.gases, total))
    head = ("entity", "site", "year", "tier", "MWh", "factor", "t")
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)
        print(
            "note: factors are those in the journal; aidc account draws up the books with newer ones"
        )


@app.command()
def export(
    ledger: Place,
    to: Annotated[Path, typer.Argument(help="The .jsonl file to write.", show_default=False)],
) -> None:
    """Writes the journal as JSON Lines, which verify without SQLite."""
    from aidc.ledger import Ledger

    if to.exists():
        raise InputError(f"{to} exists; name another file")
    with Ledger.open(_file(ledger)) as opened:
        opened.export(to)
        print(f"{opened.head[0]} entries in {to}")


@app.command()
def reconcile(json_: Json = False) -> None:
    """The reference company's published inventory of 2021 and 2022 against what its activity gives.

    Exit status 1 where a published figure lies outside the interval that rounding allows.
    """
    from aidc.api.company import company_check

    found = company_check()
    rows = [
        (one.year, one.quantity, one.unit, str(one.published),
         "-" if one.derived is None else f"{one.derived:.4f}", one.verdict)
        for one in found.figures
    ]  # fmt: skip
    head = ("year", "quantity", "unit", "published", "derived", "verdict")
    if json_:
        figures = [dict(zip(head, row, strict=True)) for row in rows]
        print_json({"figures": figures, "findings": found.findings})
    else:
        print_table(head, rows)
        for text in found.findings:
            print(f"finding: {text}")
    wrong = [
        f"{one.quantity} {one.year}"
        for one in found.figures
        if one.verdict in ("outside", "broken")
    ]
    if wrong:
        raise LedgerError(f"does not reconcile: {', '.join(wrong)}")
