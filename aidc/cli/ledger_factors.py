"""Factors of a ledger: which stand, which wait for approval; how well a statement is known."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aidc.cli.ledger_audit import By, Place
from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aidc.ledger.factors.registry import Row
    from aidc.ledger.journal.register import Register

_HELD: Final = (
    "entry", "row", "table", "value", "data year", "published", "status", "posted by", "superseded by",
    "held because",
)  # fmt: skip
_NEWER: Final = ("shipped row", "value", "data year", "published", "follows")


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
    newer: Annotated[
        bool, typer.Option("--newer", help="Shipped rows later than those of the ledger.")
    ] = False,
    json_: Json = False,
) -> None:
    """Rows of factor tables in a ledger, what took their place, and why some are held as drafts."""
    from aidc.ledger import Ledger
    from aidc.ledger.factors.adoption import newer_shipped
    from aidc.ledger.factors.registry import magnitude

    with Ledger.open(ledger) as opened:
        register = opened.store.register
        head: tuple[str, ...] = _NEWER
        rows: list[tuple[str, ...]] = [
            (after.name, f"{magnitude(after):.6g}", _year(after), _published(after), before.name)
            for before, after in newer_shipped(register)
        ]
        if not newer:
            head = _HELD
            rows = [row for row in _held(register) if row[-1] or not drafts]
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    elif rows:
        print_table(head, rows)
        if newer:
            print("statement, report and check --adopt post those that a book then takes")
    elif newer:
        print("no shipped row is later than those of this ledger")
    else:
        print("no drafts" if drafts else "no factors yet; statement --adopt posts what it needs")


def _held(register: "Register") -> "Iterator[tuple[str, ...]]":
    """A line a row in the order of posting, as `_HELD` heads it."""
    from aidc.ledger.factors.registry import magnitude, superseded_by, table_of

    reasons = {draft.posted.entry_id: draft.reason for draft in register.drafts}
    stand = [one.row for one in register.factors if one.entry_id not in reasons]
    for one in register.factors:
        yield (
            one.entry_id, one.row.name, table_of(one.row), f"{magnitude(one.row):.6g}",
            _year(one.row), _published(one.row), one.row.status, one.recorded_by,
            superseded_by(one.row, stand) or "", reasons.get(one.entry_id, ""),
        )  # fmt: skip


def _year(row: "Row") -> str:
    from aidc.ledger.factors.registry import dated

    return str(dated(row)[0] or "")


def _published(row: "Row") -> str:
    from aidc.ledger.factors.registry import dated

    day = dated(row)[1]
    return "" if day == date.min else day.isoformat()


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
