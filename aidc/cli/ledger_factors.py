"""Factors of a ledger: which stand, which wait for approval; how well a statement is known."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from aidc.cli.ledger_audit import By, Place
from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the ledger."""
    for name, command in (
        ("factors", factors),
        ("approve", approve),
        ("uncertainty", uncertainty),
    ):
        app.command(name)(command)


def factors(
    ledger: Place,
    drafts: Annotated[bool, typer.Option("--drafts", help="Only rows held as drafts.")] = False,
    json_: Json = False,
) -> None:
    """Rows of factor tables in a ledger, and why some are held as drafts."""
    from aidc.ledger import Ledger
    from aidc.ledger.factors.registry import magnitude, table_of

    with Ledger.open(ledger) as opened:
        held = {draft.posted.entry_id: draft for draft in opened.drafts}
        posted = [
            one for one in opened.store.register.factors if not drafts or one.entry_id in held
        ]
    head = ("row", "table", "value", "status", "posted by", "held because")
    rows = [
        (
            one.row.name, table_of(one.row), f"{magnitude(one.row):.6g}", one.row.status,
            one.recorded_by, held[one.entry_id].reason if one.entry_id in held else "",
        )
        for one in posted
    ]  # fmt: skip
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    elif rows:
        print_table(head, rows)
    else:
        print("no drafts" if drafts else "no factors yet; statement --adopt posts what it needs")


def approve(
    ledger: Place,
    entry: Annotated[str, typer.Argument(help="Id of the factor entry.", show_default=False)],
    by: By,
    comment: Annotated[str | None, typer.Option(help="What was looked at.")] = None,
) -> None:
    """Lets a draft stand; the approver has another name than who posted it."""
    from aidc.ledger import Ledger
    from aidc.ledger.journal.canonical import utc_text

    now = datetime.now(UTC).replace(microsecond=0)
    payload = {"of": entry} if comment is None else {"of": entry, "comment": comment}
    made = {
        "id": f"approval:{entry}:{by}",
        "kind": "approval",
        "valid_from": utc_text(now),
        "valid_to": "9999-12-31T00:00:00Z",
        "payload": payload,
    }
    with Ledger.open(ledger) as opened:
        opened.post(made, recorded_at=now, role="approver", recorded_by=by)
        print(f"{entry} stands; {len(opened.drafts)} drafts left")


def uncertainty(
    ledger: Place,
    book: Annotated[str, typer.Option(help="As for statement.")],
    report_date: ReportDate,
    period: Annotated[str, typer.Option(help="2022 or 2022-07.")],
    entity: Annotated[str, typer.Option(help="Reporting entity.")],
    draws: Annotated[int, typer.Option(help="Latin hypercube.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws; recorded.")] = 0,
    json_: Json = False,
) -> None:
    """How well a statement is known: 95 % of the draws, first order beside it, variance shares."""
    from dataclasses import asdict

    from aidc.ledger import Ledger

    day = date_of(report_date)
    if day is None:
        raise InputError("--report-date is needed: it limits which factors could be known")
    with Ledger.open(ledger) as opened:
        made = opened.statement(book, entity=entity, period=period, report_date=day)
        found = opened.uncertainty(made, draws=draws, seed=seed)
    if json_:
        print_json({name: asdict(one) for name, one in found.items()})
    else:
        for one in found.values():
            print(one.text(f"t {made.gases}"))
