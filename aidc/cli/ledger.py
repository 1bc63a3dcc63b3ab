"""Ledgers: open one, post facts, draw up and trace statements, export."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aidc.cli import ledger_audit, ledger_factors, ledger_figures, ledger_lots, ledger_report
from aidc.cli.options import Json, ReportDate, date_of, print_json, print_table
from aidc.errors import Fault, InputError

if TYPE_CHECKING:
    from aidc.ledger import Statement

app = typer.Typer(help="The carbon ledger: post, draw up, trace, prove.", no_args_is_help=True)
ledger_audit.add_to(app)
ledger_factors.add_to(app)
ledger_report.add_to(app)
ledger_lots.add_to(app)
ledger_figures.add_to(app)

Place = ledger_audit.Place
By = ledger_audit.By
Book = Annotated[str, typer.Option(help="S1, S2-LB, S2-MB-2015, NDRC ...: aidc ledger books.")]
Period = Annotated[str, typer.Option(help="2022, 2022-07, or START/END with offsets.")]
KnownOn = Annotated[
    str | None, typer.Option(help="What this ledger knew by then, as 2024-04-30T00:00:00Z.")
]


def now() -> datetime:
    """The time to stamp entries with: the ledger itself reads no clock."""
    return datetime.now(UTC).replace(microsecond=0)


@app.command()
def init(
    ledger: Place,
    id_: Annotated[str, typer.Option("--id", help="Name of the ledger, part of every copy.")],
    by: By,
    zone: Annotated[str, typer.Option(help="Calendar periods are read in it.")] = "Asia/Shanghai",
    company: Annotated[
        bool, typer.Option("--company", help="Post the reference company's published tables.")
    ] = False,
) -> None:
    """Opens a new ledger in a folder or a .db file."""
    from aidc.ledger import Ledger
    from aidc.ledger.inventory import company_entries

    with Ledger.init(ledger, ledger_id=id_, zone=zone, recorded_at=now()) as made:
        posted = 0
        if company:
            posted = made.post(
                company_entries(zone), recorded_at=now(), role="accountant", recorded_by=by
            )
        print(f"{ledger_audit.file_of(ledger)}: ledger {id_}, {posted + 1} entries")


@app.command()
def post(
    ledger: Place,
    entries: Annotated[
        Path,
        typer.Argument(
            help="Entries as .jsonl or .json; meter values as .csv.", show_default=False
        ),
    ],
    by: By,
    role: Annotated[str, typer.Option(help="planner, accountant, approver or bms.")],
) -> None:
    """Appends the entries of a file, all or none; every fault is told at once."""
    from aidc.ledger import Ledger

    given, lines, faults = _entries(entries)
    with Ledger.open(ledger) as opened:
        try:
            new = opened.post(
                given, recorded_at=now(), role=_role(role), recorded_by=by, faults=faults
            )
        except InputError as error:
            raise InputError([_placed(fault, entries, lines) for fault in error.faults]) from None
        print(f"{new} of {len(given)} entries are new; {opened.head[0]} entries in all")


@app.command()
def example(
    kind: Annotated[
        str | None,
        typer.Argument(help="Kind of entry; all that are posted from a file by default."),
    ] = None,
) -> None:
    """Valid entries of a kind, or a small book of them, as JSON that post takes."""
    from aidc.ledger.examples import WRITTEN_BY, examples, posted_examples

    given = posted_examples() if kind is None else examples(kind)
    print(json.dumps(given if len(given) > 1 else given[0], indent=2, ensure_ascii=False))
    if kind in WRITTEN_BY:
        print(f"written by aidc ledger {WRITTEN_BY[kind]}", file=sys.stderr)


def _placed(fault: Fault, file: Path, lines: Mapping[str, int]) -> Fault:
    """A fault of an entry at the line of the file that it was read from."""
    found = [name for name in lines if fault.key == name or fault.key.startswith(f"{name}: ")]
    if fault.file or not found:
        return fault
    return Fault(str(file), lines[max(found, key=len)], 0, fault.key, fault.message)


def _role(text: str) -> Any:
    return text  # Ledger.post names the roles


def _entries(path: Path) -> tuple[list[dict[str, Any]], dict[str, int], tuple[Fault, ...]]:
    """Entries of a file, the line of each by its id where it has one, and what could not be read."""
    from aidc.ledger.journal.meter_csv import meter_rows

    if not path.is_file():
        raise InputError(f"{path} is not a file")
    suffix, lines = path.suffix.lower(), dict[str, int]()
    if suffix == ".csv":
        read = meter_rows(path)
        return list(read.entries), dict(read.lines), read.faults
    try:
        text = path.read_text("utf-8-sig")
        if suffix == ".jsonl":
            rows = [(at, row) for at, row in enumerate(text.split("\n"), 1) if row.strip()]
            held: Any = [_json(row) for _, row in rows]
            numbers = [at for at, _ in rows]
        else:
            held = _json(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not read as JSON in UTF-8: {error}") from None
    made = [held] if isinstance(held, dict) else held
    if not isinstance(made, list) or not all(isinstance(one, dict) for one in made):
        raise InputError(f"{path}: give entries as maps: id, kind, valid_from, payload")
    if suffix == ".jsonl":
        lines = {str(one.get("id")): at for one, at in zip(made, numbers, strict=True)}
    return made, lines, ()


def _json(text: str) -> Any:
    import json

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a key is given twice in one map")
        return made

    return json.loads(text, object_pairs_hook=unique)


@app.command()
def statement(
    ledger: Place,
    book: Book,
    report_date: ReportDate,
    period: Period,
    entity: Annotated[str | None, typer.Option(help="Reporting entity; all by default.")] = None,
    known_on: KnownOn = None,
    adopt: Annotated[
        bool, typer.Option(help="Post the shipped factors it needs, and that it was drawn up.")
    ] = False,
    json_: Json = False,
) -> None:
    """What a book says of a period, from the journal alone."""
    from aidc.ledger import Ledger

    day = date_of(report_date)
    if day is None:
        raise InputError("--report-date is needed: it limits which factors could be known")
    span, known = span_of(period), _time(known_on)
    drawn: list[Statement] = []
    with Ledger.open(ledger) as opened:
        for name in (entity,) if entity else opened.entities:
            if adopt:
                from aidc import __version__

                drawn += opened.draw_up(
                    [book], entity=name, period=span, report_date=day, recorded_at=now(),
                    code_version=__version__, one_sided_because="one book was asked for",
                )  # fmt: skip
            else:
                drawn.append(
                    opened.statement(
                        book, entity=name, period=span, report_date=day, known_on=known
                    )
                )
    if json_:
        print_json([one.to_dict() for one in drawn])
    else:
        print("\n\n".join(one.text() for one in drawn))


@app.command()
def trace(
    ledger: Place,
    period: Period,
    book: Annotated[str | None, typer.Option(help="As for statement; not with --figure.")] = None,
    report_date: ReportDate = None,
    entity: Annotated[
        str | None, typer.Option(help="Reporting entity; the only one by default.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="One site, by id or name; all by default.")
    ] = None,
    tier: Annotated[str | None, typer.Option(help="One tier, as the statement names it.")] = None,
    figure: Annotated[
        str | None,
        typer.Option(help="A published figure of the year instead of a book, such as scope2."),
    ] = None,
    json_: Json = False,
) -> None:
    """What a figure rests on: entries with hash and place, factor versions, documents."""
    from aidc.ledger import Ledger

    day = date_of(report_date)
    with Ledger.open(ledger) as opened:
        if figure is not None:
            found = ledger_figures.figure_traced(opened, figure, period, entity, book, day)
            print(found.to_json() if json_ else found.text())
            return
        if book is None or day is None:
            raise InputError(
                "give a --book with its --report-date, which limits the factors, or a published --figure"
            )
        whose = entity or ledger_figures.only_entity(opened)
        drawn = opened.statement(book, entity=whose, period=span_of(period), report_date=day)
        sites = opened.store.register.sites_of(whose)
        name = sites[site].name if site in sites else site
        cells = [
            cell for cell in drawn.cells
            if name in (None, cell.site) and tier in (None, cell.tier)
        ]  # fmt: skip
        if not cells:
            ids = {one.name: key for key, one in sites.items()}
            listed = sorted(
                {f"{ids.get(cell.site, '')} '{cell.site}' {cell.tier}" for cell in drawn.cells}
            )
            raise InputError(f"no such cell in {book}; there are {', '.join(listed)}")
        found = opened.trace(drawn, cells)
    print(found.to_json() if json_ else found.text())


def span_of(period: str) -> Any:
    """A period as `Ledger.statement` takes it."""
    start, slash, end = period.partition("/")
    if not slash:
        return period
    try:
        return datetime.fromisoformat(start), datetime.fromisoformat(end)
    except ValueError:
        raise InputError(f"--period: '{period}' is neither a year, a month nor START/END") from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"'{text}' is no time; write it as 2024-04-30T00:00:00Z") from None
    if made.tzinfo is None:
        raise InputError(f"'{text}' has no offset; write it as 2024-04-30T00:00:00Z")
    return made


@app.command()
def books(json_: Json = False) -> None:
    """The books, and which rule each takes for electricity."""
    from aidc.ledger.statements.books import BOOKS

    rows = [(book.name, book.title, " / ".join(book.policies)) for book in BOOKS.values()]
    head = ("book", "what", "policies, mainland / elsewhere")
    if json_:
        print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        print_table(head, rows)


@app.command()
def export(
    ledger: Place,
    to: Annotated[Path, typer.Argument(help="The .jsonl file to write.", show_default=False)],
) -> None:
    """Writes the journal as JSON Lines, which verify without SQLite and which import reads."""
    from aidc.ledger import Ledger

    if to.exists():
        raise InputError(f"{to} exists; name another file")
    with Ledger.open(ledger) as opened:
        opened.export(to)
        print(f"{opened.head[0]} entries in {to}")


@app.command("import")
def import_(
    export: Annotated[Path, typer.Argument(help="A .jsonl export.", show_default=False)],
    ledger: Place,
) -> None:
    """Makes a ledger of an export; every hash is computed again first."""
    from aidc.ledger import Ledger

    with Ledger.import_(export, ledger) as made:
        print(f"{made.head[0]} entries in {ledger_audit.file_of(ledger)}; head {made.head[1]}")
