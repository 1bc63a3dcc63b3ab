"""Reports of a ledger: all sheets as a page or a file, the checks, the base year."""

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from aidc.cli.ledger_audit import Place
from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import InputError, LedgerError

if TYPE_CHECKING:
    from aidc.ledger import Ledger, Statement
    from aidc.ledger.journal.entries import Entry
    from aidc.ledger.reports.kpi import PueCategory
    from aidc.ledger.restatement.restate import Trigger, TriggerKind

Entity = Annotated[str, typer.Option(help="Reporting entity.")]
Period = Annotated[str, typer.Option(help="2022, 2022-07, or START/END with offsets.")]
Books = Annotated[
    str, typer.Option(help="Comma between them; location-based and market-based go together.")
]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="Post the shipped factors it needs, and that it was drawn up."),
]
OneSided = Annotated[
    str | None, typer.Option(help="Why one of S2-LB and S2-MB-2015 stands without the other.")
]
BOTH: Final = "S1,S2-LB,S2-MB-2015"
_KINDS: Final[tuple["TriggerKind", ...]] = (
    "method_improvement", "data_improvement", "error", "category_added", "grid_changed", "growth",
)  # fmt: skip
_FORMS: Final = {".html": "html", ".json": "json", ".xlsx": "xlsx", "": "csv"}


def add_to(app: typer.Typer) -> None:
    """Adds the commands to those of the ledger."""
    for name, command in (
        ("report", report),
        ("check", check),
        ("calcs", calcs),
        ("restate", restate),
    ):
        app.command(name)(command)


def report(
    ledger: Place,
    entity: Entity,
    period: Period,
    to: Annotated[Path, typer.Option(help="A .html, .json or .xlsx file, or a folder of CSV.")],
    report_date: ReportDate = None,
    books: Books = BOTH,
    category: Annotated[
        int, typer.Option(min=1, max=3, help="IT read at 1 UPS output, 2 PDU output, 3 IT input.")
    ] = 3,
    gwp_set: Annotated[
        str | None, typer.Option(help="AR4, AR5 or AR6: refused unless the books count by it.")
    ] = None,
    method_relief: Annotated[str, typer.Option(help="Printed with the report.")] = "none",
    one_sided_because: OneSided = None,
    adopt: Adopt = False,
) -> None:
    """Inventory, scope 2, energy, water, key figures and disclosures as a page, a workbook or tables.

    Exit status 1 where a check stops the statements; the file is then not written. Where a bill, a
    registry or a published figure disagrees (D17) it is written, flagged, and the status is 1 as well.
    """
    from aidc.ledger import Ledger
    from aidc.ledger.checks.run import counted, stop
    from aidc.ledger.reports.files import save
    from aidc.ledger.reports.report import report as made
    from aidc.ledger.reports.report_sheets import GWP_SET
    from aidc.reporting.statement_page import statement_page

    form = _FORMS.get(to.suffix)
    if form is None:
        raise InputError(f"{to}: write a .html, .json or .xlsx file, or a folder of CSV")
    read_at: PueCategory = 1 if category == 1 else 2 if category == 2 else 3
    with Ledger.open(ledger) as opened:
        found = made(
            opened,
            _drawn(opened, entity, period, report_date, books, one_sided_because, adopt),
            category=read_at,
            parameters={
                **({} if gwp_set is None else {GWP_SET: gwp_set}),
                "method relief": method_relief,
            },
            texts={},
            added_back_t={},
        )
    stop(found.trips, flagged=("D17",))
    if form == "html":
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(statement_page(found.workbook, [str(trip) for trip in found.trips]), "utf-8")
        written = [to]
    else:
        written = save(found.workbook, to, form)  # type: ignore[arg-type]
    for trip in found.trips:
        print(trip)
    print(f"wrote {', '.join(map(str, written))}")
    stopped = counted(found.trips)
    if stopped:
        raise LedgerError(f"written and flagged: {stopped}; see the reconciliation sheet")


def check(
    ledger: Place,
    entity: Entity,
    period: Period,
    report_date: ReportDate = None,
    books: Books = BOTH,
    one_sided_because: OneSided = None,
    adopt: Adopt = False,
    json_: Json = False,
) -> None:
    """The checks D1 to D17; exit status 1 where one stops a statement.

    A book that cannot be derived stops no other check: it is named with the reason.
    """
    from dataclasses import asdict

    from aidc.cli.ledger import span_of
    from aidc.ledger import Ledger
    from aidc.ledger.checks.run import CHECKS, counted
    from aidc.ledger.journal.periods import period_of
    from aidc.ledger.reports.report import inspect_period

    drawn: list[Statement] = []
    failed: dict[str, str] = {}
    with Ledger.open(ledger) as opened:
        span = period_of(span_of(period), opened.zone)
        try:
            drawn = _drawn(opened, entity, period, report_date, books, one_sided_because, adopt)
        except LedgerError:  # one book at a time, so that each says what it lacks
            for book in books.split(","):
                try:
                    drawn += _drawn(opened, entity, period, report_date, book, "a check", False)
                except (LedgerError, InputError) as error:
                    failed[book] = str(error)
        trips = inspect_period(opened, entity, span, drawn, None, added_back_t={})
    if json_:
        print_json([asdict(trip) for trip in trips])
    else:
        count = {one.id: sum(trip.check == one.id for trip in trips) for one in CHECKS}
        print_table(
            ("check", "severity", "asks that", "tripped"),
            [(one.id, one.severity, one.sentence, count[one.id] or "no") for one in CHECKS],
        )
        for trip in trips:
            print(trip)
    stopped, told = counted(trips), {str(trip.message) for trip in trips}
    said = [f"stopped by {stopped}"] if stopped else []
    said += [
        f"{book} is not derived and was not looked at"
        + ("" if any(text in why for text in told) else f": {why}")
        for book, why in failed.items()
    ]
    if said:
        raise LedgerError("\n".join(said))


def calcs(
    ledger: Place,
    entity: Annotated[str | None, typer.Option(help="Reporting entity; all by default.")] = None,
    json_: Json = False,
) -> None:
    """Statements that were drawn up: what restate, replay and assertions name."""
    from aidc.ledger import Ledger
    from aidc.ledger.journal.payloads import Calc

    head = ("calc", "entity", "book", "period", "report date", "t", "gas", "factors")
    with Ledger.open(ledger) as opened:
        register, zone = opened.store.register, ZoneInfo(opened.zone)
        rows = [
            (
                name, one.entity, one.book, _span(register.entries[name], zone),
                one.report_date.isoformat(), f"{one.total_t:f}", one.gas, " ".join(one.factors),
            )
            for name, one in register.of(Calc).items()
            if entity in (None, one.entity)
        ]  # fmt: skip
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    elif rows:
        print_table(head, rows)
    else:
        print(
            "no statement was drawn up; statement --adopt and report --adopt record what they draw"
        )


def _span(entry: "Entry", zone: ZoneInfo) -> str:
    """The year, or first and last moment as days of the ledger's zone."""
    start, end = (time.astimezone(zone) for time in (entry.valid_from, entry.valid_to))
    if (start.month, start.day, end.month, end.day, end.year - start.year) == (1, 1, 1, 1, 1):
        return str(start.year)
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def restate(
    ledger: Place,
    calc: Annotated[list[str], typer.Option(help="A calc of the base year; give it once a book.")],
    threshold: Annotated[str, typer.Option(help="Share from which on it is restated: 0.05.")],
    by: Annotated[
        str | None, typer.Option("--by", help="Who does it: recorded with every entry.")
    ] = None,
    approved_by: Annotated[str | None, typer.Option(help="A second name, other than --by.")] = None,
    event: Annotated[
        str | None,
        typer.Option(help="Id of a boundary event: acquired, divested, merged, in- or outsourced."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"Or a kind: {', '.join(_KINDS)}; the last two are refused.")
    ] = None,
    cause: Annotated[str | None, typer.Option(help="In words, with --kind.")] = None,
    to_calc: Annotated[
        str | None,
        typer.Option(
            help="The base year drawn up anew: the change is the difference of the calcs."
        ),
    ] = None,
    change: Annotated[
        str | None,
        typer.Option(help="Tonnes of the base year, signed: only where no calc can give them."),
    ] = None,
    one_target: Annotated[
        bool, typer.Option("--one-target", help="One target covers scopes 1, 2 and 3.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Says what would come of it and records nothing.")
    ] = False,
) -> None:
    """Holds a trigger against the threshold of a base year, and records what came of it.

    Exit status 1 where the trigger is none: the refusal is recorded too, unless --dry-run.
    """
    from aidc.cli.ledger import now
    from aidc.ledger import Ledger

    if not dry_run and (by is None or approved_by is None):
        raise InputError("restating is recorded: give --by and --approved-by, or --dry-run")
    with Ledger.open(ledger) as opened:
        trigger = event or _trigger(opened, calc, kind, cause, to_calc, change)
        found = opened.restate(
            trigger,
            calcs=calc,
            threshold_frac=_decimal("--threshold", threshold),
            one_target_for_all_scopes=one_target,
            recorded_at=now(),
            recorded_by=by or "",
            approved_by=approved_by or "",
            dry_run=dry_run,
        )
    print("\n".join(found.lines()))
    print("nothing is recorded: a dry run" if dry_run else "recorded")
    refused = found.refused.get(trigger if isinstance(trigger, str) else trigger.id)
    if refused is not None:
        raise LedgerError(f"refused: {refused}")


def _trigger(
    ledger: "Ledger",
    calcs: list[str],
    kind: str | None,
    cause: str | None,
    to_calc: str | None,
    change: str | None,
) -> "Trigger":
    from aidc.config import nearest
    from aidc.ledger.restatement.restate import Trigger

    if kind is None or cause is None or (to_calc is None) == (change is None):
        raise InputError(
            "name a boundary --event, or give --kind, --cause and one of --to-calc and --change"
        )
    if kind not in _KINDS:
        raise InputError(
            f"no kind of trigger '{kind}'{nearest(kind, _KINDS)}; there are {', '.join(_KINDS)}; "
            "what joined or left the boundary is a boundary_event, named by --event"
        )
    if to_calc is not None:
        return ledger.change_to(to_calc, calcs=calcs, kind=kind, cause=cause)
    size = _decimal("--change", str(change))
    return Trigger(f"trigger {ledger.head[0]}", kind, cause, size)


def _decimal(option: str, text: str) -> Decimal:
    try:
        made = Decimal(text)
    except InvalidOperation:
        made = Decimal("NaN")
    if not made.is_finite():
        raise InputError(f"{option}: '{text}' is no number")
    return made


def _drawn(
    ledger: "Ledger",
    entity: str,
    period: str,
    report_date: str | None,
    books: str,
    one_sided_because: str | None,
    adopt: bool,
) -> "list[Statement]":
    from aidc import __version__
    from aidc.cli.ledger import now, span_of

    day, names, span = date_of(report_date), books.split(","), span_of(period)
    if day is None:
        raise InputError("--report-date is needed: it limits which factors could be known")
    if len({"S2-LB", "S2-MB-2015"} & set(names)) == 1 and one_sided_because is None:
        raise InputError(
            f"--books {books}: S2-LB and S2-MB-2015 are reported together, or say --one-sided-because"
        )
    if adopt:
        drawn = ledger.draw_up(
            names, entity=entity, period=span, report_date=day, recorded_at=now(),
            code_version=__version__, one_sided_because=one_sided_because,
        )  # fmt: skip
        return list(drawn)
    return [ledger.statement(name, entity=entity, period=span, report_date=day) for name in names]
