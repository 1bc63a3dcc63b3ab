"""What a reporting team asks of its lots: what is held, what they cover, what is offset."""

from datetime import date
from typing import Annotated

import typer

from aidc.cli.ledger_audit import Place
from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError

Entity = Annotated[str, typer.Option(help="Reporting entity.")]
Period = Annotated[str, typer.Option(help="2022, 2022-07, or START/END with offsets.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the ledger."""
    for name, command in (("lots", lots), ("match", match), ("credits", credits_)):
        app.command(name)(command)


def lots(ledger: Place, json_: Json = False) -> None:
    """Certificates, contracts and credits with what is issued, held, retired, frozen or void."""
    from aidc.ledger import Ledger

    head = ("lot", "type", "quantity", "unit", "state", "amount")
    with Ledger.open(ledger) as opened:
        rows = [
            (key, holding.lot.type, holding.lot.quantity, holding.lot.unit, state, amount)
            for key, holding in opened.store.register.lots.lots.items()
            for state, amount in sorted(holding.amounts().items())
        ]
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)


def match(
    ledger: Place, entity: Entity, period: Period, report_date: ReportDate, json_: Json = False
) -> None:
    """How far retired lots cover the load over the period, and hour by hour: the claim gap."""
    from aidc.cli.ledger import span_of
    from aidc.ledger import Ledger

    with Ledger.open(ledger) as opened:
        made = opened.matching(entity=entity, period=span_of(period), report_date=_day(report_date))
    if json_:
        print_json(made.to_dict())
    else:
        print(made.text())


def credits_(
    ledger: Place, entity: Entity, period: Period, report_date: ReportDate, json_: Json = False
) -> None:
    """Retired credits in their accounts, offset and inset: no figure of a book is lowered by them."""
    from aidc.cli.ledger import span_of
    from aidc.ledger import Ledger
    from aidc.ledger.lots.credits import ACCOUNTS

    head = ("account", "lot", "type", "project", "kg", "claim", "document")
    day, span = _day(report_date), span_of(period)
    with Ledger.open(ledger) as opened:
        rows = [
            (name, line.lot, line.type, line.project, line.kg, line.claim, line.document)
            for name in ACCOUNTS
            for line in opened.credits(name, entity=entity, period=span, report_date=day).lines
        ]
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)


def _day(report_date: str | None) -> date:
    day = date_of(report_date)
    if day is None:
        raise InputError("--report-date is needed: lots retired later do not count")
    return day
