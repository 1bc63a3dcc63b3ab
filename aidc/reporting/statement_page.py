"""A workbook of the ledger as one self-contained page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aidc import __version__
from aidc.ledger.reports.sheet import NOT_ASSESSED, NOT_REPORTED, Amount, Row, Sheet, Workbook

_SHORT: Final = 18  # characters that stay on one line


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    style: str
    mark: int | None  # number of the note below the table


@dataclass(frozen=True, slots=True)
class _Line:
    heads: tuple[str, ...]
    cells: tuple[_Cell, ...]
    style: str


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    title: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[_Line, ...]
    marks: tuple[str, ...]
    notes: tuple[str, ...]


def statement_page(workbook: Workbook, findings: Sequence[str]) -> str:
    """The page as HTML: warnings first, the sheets, and what they were made from.

    Args:
        workbook: from `aidc.ledger.reports.report_sheets.workbook`.
        findings: checks that tripped, a sentence each.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("aidc.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    start, last = workbook.days
    days = (last - start).days + 1
    long = "1 day" if days == 1 else f"{days:,} days"
    return environment.get_template("statement.html.j2").render(
        title=f"Energy, water and emissions: {workbook.entity}",
        subtitle=f"{start} to {last} ({long}) · report date {workbook.report_date}",
        badges=_badges(workbook, findings),
        findings=findings,
        warnings=[w for w in workbook.warnings if not any(text in w for text in findings)],
        sheets=[_table(sheet) for sheet in workbook.sheets],
        entries=_entries(workbook),
        provenance=workbook.provenance,
        footer=f"aidc {__version__}. Every tonne is derived from entries of the journal; decimals are "
        "exact and only the print is rounded, half to even.",
    )


def _entries(workbook: Workbook) -> list[tuple[str, str, str, list[str]]]:
    """Sheet, row and column of each figure with the entries behind it."""
    made: dict[tuple[str, str, str], list[str]] = {}
    for sheet, row, column, entry in workbook.entries:
        made.setdefault((sheet, row, column), []).append(entry)
    return [(*place, entries) for place, entries in made.items()]


def _badges(workbook: Workbook, findings: Sequence[str]) -> list[tuple[str, bool]]:
    made = [("simulated: no meter counted this", True)] if workbook.simulated else []
    if findings:
        made.append((f"{len(findings)} check{'s' if len(findings) > 1 else ''} tripped", True))
    head = dict(workbook.provenance).get("head", "")
    return [*made, (f"head {head[:12]}", False)] if head else made


def _table(sheet: Sheet) -> _Table:
    units = [{cell.unit for cell in row.cells.values() if cell.unit} for row in sheet.rows]
    by_row = all(len(one) < 2 for one in units) and len(set[str]().union(*units)) > 1
    cells = [row.cells[column] for row in sheet.rows for column in sheet.columns]
    said = {cell.note for row in sheet.rows if not row.is_sum for cell in row.cells.values()}
    common = said if len(said) == 1 else set[str]()  # said once below, not at every figure
    numbered = [cell.note for cell in cells if cell.note and cell.note not in common]
    marks = {note: number for number, note in enumerate(dict.fromkeys(numbered), 1)}
    lines: list[_Line] = []
    before: tuple[str, ...] = ()
    for row in sheet.rows:
        shown = tuple(_cell(row.cells[column], sheet.decimals, marks) for column in sheet.columns)
        new = bool(before) and len(row.heads) > 1 and row.heads[0] != before[0]
        lines.append(_Line(_heads(row, before, by_row), shown, _style(row, new)))
        before = row.heads
    return _Table(
        sheet.name,
        sheet.title,
        (*sheet.heads, "unit") if by_row else sheet.heads,
        sheet.columns,
        tuple(lines),
        tuple(marks),
        (*(f"all figures: {note}" for note in common if note), *sheet.notes),
    )


def _heads(row: Row, before: tuple[str, ...], by_row: bool) -> tuple[str, ...]:
    """Heads of a line; those that repeat the line above are left out, but the last."""
    shown = list(row.heads)
    for number, (head, last) in enumerate(zip(row.heads[:-1], before, strict=False)):
        if head != last:
            break
        shown[number] = ""
    return (*shown, next(iter(row.cells.values())).unit) if by_row else tuple(shown)


def _style(row: Row, new: bool) -> str:
    return " ".join(name for name, on in (("sum", row.is_sum), ("first", new)) if on)


def _cell(amount: Amount, decimals: int, marks: dict[str, int]) -> _Cell:
    text = amount.shown(decimals)
    style = "n none" if amount.text in (NOT_REPORTED, NOT_ASSESSED) else ""
    if amount.value is not None or len(text) < _SHORT:
        style = style or "n"
    return _Cell(text, style, marks.get(amount.note))
