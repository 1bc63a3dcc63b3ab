"""A workbook of the ledger as one self-contained page."""

from collections.abc import Sequence
from dataclasses import dataclass

from aidc import __version__
from aidc.ledger.sheet import Amount, Row, Sheet, Workbook


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
        workbook: from `aidc.ledger.report_sheets.workbook`.
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
    return environment.get_template("statement.html.j2").render(
        title=f"Energy, water and emissions: {workbook.entity}",
        subtitle=f"{start} to {last} ({(last - start).days + 1:,} days) · report date {workbook.report_date}",
        badges=_badges(workbook, findings),
        findings=findings,
        warnings=workbook.warnings,
        sheets=[_table(sheet) for sheet in workbook.sheets],
        provenance=workbook.provenance,
        footer=f"aidc {__version__}. Every tonne is derived from entries of the journal; decimals are "
        "exact and only the print is rounded, half to even.",
    )


def _badges(workbook: Workbook, findings: Sequence[str]) -> list[tuple[str, bool]]:
    made = [("simulated: no meter counted this", True)] if workbook.simulated else []
    if findings:
        made.append((f"{len(findings)} check{'s' if len(findings) > 1 else ''} tripped", True))
    head = dict(workbook.provenance).get("head", "")
    return [*made, (f"head {head[:12]}", False)] if head else made


def _table(sheet: Sheet) -> _Table:
    units = {
        cell.unit for row in sheet.rows for cell in row.cells.values() if cell.value is not None
    }
    mixed = len(units) > 1
    marks: dict[str, int] = {}
    lines: list[_Line] = []
    before: tuple[str, ...] = ()
    for row in sheet.rows:
        for column in sheet.columns:
            note = row.cells[column].note
            if note and note not in sheet.notes:
                marks.setdefault(note, len(marks) + 1)
        cells = tuple(_cell(row.cells[column], sheet.decimals, marks) for column in sheet.columns)
        first = row.heads[: len(sheet.heads) - 1]
        new = bool(before) and bool(first) and row.heads[0] != before[0]
        lines.append(_Line(_heads(row, before, mixed), cells, _style(row, new)))
        before = row.heads
    heads = (*sheet.heads, "unit") if mixed else sheet.heads
    return _Table(
        sheet.name, sheet.title, heads, sheet.columns, tuple(lines), tuple(marks), sheet.notes
    )


def _heads(row: Row, before: tuple[str, ...], mixed: bool) -> tuple[str, ...]:
    """Heads of a line; those that repeat the line above are left out, but the last."""
    shown = list(row.heads)
    for number, (head, last) in enumerate(zip(row.heads[:-1], before, strict=False)):
        if head != last:
            break
        shown[number] = ""
    return (*shown, next(iter(row.cells.values())).unit) if mixed else tuple(shown)


def _style(row: Row, new: bool) -> str:
    return " ".join(name for name, on in (("sum", row.is_sum), ("first", new)) if on)


def _cell(amount: Amount, decimals: int, marks: dict[str, int]) -> _Cell:
    text = amount.shown(decimals)
    style = "none" if amount.value is None else "n"
    return _Cell(text, style, marks.get(amount.note))
