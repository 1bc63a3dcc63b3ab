"""Sheets as files: CSV a sheet, one JSON, one XLSX (extra ``xlsx``). The same sheets give the same bytes."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.journal.canonical import decimal_text
from aidc.ledger.journal.periods import span_text
from aidc.ledger.reports.sheet import ENTRY_HEADS, Amount, Row, Sheet, Workbook

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

Format = Literal["csv", "json", "xlsx"]
_NO_OPENPYXL: Final = (
    "XLSX needs openpyxl, which is not installed: pip install 'aidc[xlsx]', or write csv or json"
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold
_WIDEST: Final = 60  # characters of a column


def save(workbook: Workbook, place: Path, form: Format) -> list[Path]:
    """Writes a workbook; the files written, in order.

    Args:
        workbook: from `aidc.ledger.reports.report_sheets.workbook`.
        place: a folder for ``csv``, else the file.
        form: ``csv`` (a file a sheet, ``entries.csv`` and ``provenance.csv``), ``json`` or ``xlsx``.

    Raises:
        InputError: no such form, or openpyxl is not installed.
    """
    if form == "csv":
        place.mkdir(parents=True, exist_ok=True)
        texts = {sheet.name: csv_text(workbook, sheet) for sheet in workbook.sheets}
        texts["entries"] = _csv(ENTRY_HEADS, workbook.entries)
        texts["provenance"] = _csv(("label", "text"), _about(workbook))
        for name, text in texts.items():
            (place / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        return [place / f"{name}.csv" for name in texts]
    if form not in get_args(Format):
        raise InputError(f"no form '{form}'{nearest(form, get_args(Format))}; csv, json or xlsx")
    content = json_text(workbook).encode() if form == "json" else xlsx_bytes(workbook)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return [place]


def csv_text(workbook: Workbook, sheet: Sheet) -> str:
    """A sheet as CSV: decimals as printed, words where there is no number; comments in front say what it is.

    A text that a spreadsheet would take for a formula has an apostrophe in front.
    """
    lines = [
        f"# {sheet.title}; {workbook.entity}, {_period(workbook)}{_simulated(workbook)}",
        *(f"# {note}" for note in sheet.notes),
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*map(_inert, ("row", *sheet.heads, "unit", *sheet.columns, "note"))])
    for row in sheet.rows:
        written = [_written(row.cells[column], sheet.decimals) for column in sheet.columns]
        words = map(_inert, (row.key, *row.heads, _unit(row)))
        writer.writerow([*words, *written, _inert(_note(row))])
    return "\n".join([*lines, out.getvalue()])


def _csv(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_inert(text) for text in line] for line in lines)
    return out.getvalue()


def _about(workbook: Workbook) -> list[tuple[str, str]]:
    return [
        ("entity", workbook.entity),
        ("period", _period(workbook)),
        ("data", "simulated" if workbook.simulated else "as the meters and bills say"),
        *workbook.provenance,
        *(("warning", warning) for warning in workbook.warnings),
    ]


def json_text(workbook: Workbook) -> str:
    """Everything as JSON: exact decimals as text, and the entries behind every cell."""
    return json.dumps(workbook.to_dict(), ensure_ascii=False, indent=1) + "\n"


def xlsx_bytes(workbook: Workbook) -> bytes:
    """A tab a sheet and one of entries and of provenance; numbers are rounded as on the page.

    Raises:
        InputError: openpyxl is not installed.
    """
    try:
        import openpyxl
    except ImportError:
        raise InputError(_NO_OPENPYXL) from None
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for sheet in workbook.sheets:
        _tab(book.create_sheet(sheet.name), workbook, sheet)
    behind = book.create_sheet("entries")
    for entry in (ENTRY_HEADS, *workbook.entries):
        _line(behind, entry)
    _widen(behind)
    about = book.create_sheet("provenance")
    for line in _about(workbook):
        _line(about, line)
    _line(about, ("numbers", "rounded half to even, as on the page; JSON holds them exactly"))
    _widen(about)
    book.properties.creator = "aidc"
    book.properties.created = datetime.combine(workbook.report_date, time(), UTC).replace(
        tzinfo=None
    )
    out = io.BytesIO()
    book.save(out)
    return _without_clock(out.getvalue(), workbook)


def _tab(tab: "Worksheet", workbook: Workbook, sheet: Sheet) -> None:
    from openpyxl.styles import Alignment, Font

    bold = Font(bold=True)
    _line(tab, [f"{sheet.title}; {workbook.entity}, {_period(workbook)}{_simulated(workbook)}"])
    tab["A1"].font = Font(bold=True, size=13)
    _line(tab, [*sheet.heads, "unit", *sheet.columns, "note"])
    for cell in tab[2]:
        cell.font = bold
    first = len(sheet.heads) + 2  # column of the first figure
    for row in sheet.rows:
        shown = [row.cells[column] for column in sheet.columns]
        numbers = [_number(amount, sheet.decimals) for amount in shown]
        _line(tab, [*row.heads, _unit(row), *numbers, _note(row)])
        for place, amount in enumerate(shown, first):
            cell = tab.cell(tab.max_row, place)
            cell.number_format = "#,##0" + ("." + "0" * sheet.decimals if sheet.decimals else "")
            if amount.value is None:
                cell.alignment = Alignment(horizontal="right")
        if row.is_sum:
            for cell in tab[tab.max_row]:
                cell.font = bold
    tab.freeze_panes = tab.cell(3, first)
    _widen(tab)
    for note in sheet.notes:
        _line(tab, [note])


def _line(tab: "Worksheet", values: Sequence[float | str]) -> None:
    """Appends a line; a text that begins with an equals sign stays a text."""
    tab.append(values)
    for cell in tab[tab.max_row]:
        if isinstance(cell.value, str):
            cell.data_type = "s"


def _widen(tab: "Worksheet") -> None:
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(tab.iter_cols(min_row=2), 1):
        widest = max((len(str(cell.value)) for cell in column if cell.value is not None), default=8)
        tab.column_dimensions[get_column_letter(number)].width = min(widest + 2, _WIDEST)


def _without_clock(content: bytes, workbook: Workbook) -> bytes:
    """The file without the time at which it was written, which openpyxl puts into it."""
    out = io.BytesIO()
    stamp = f"{workbook.report_date.isoformat()}T00:00:00Z"
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            held = old.read(name)
            if name == "docProps/core.xml":
                pattern = rb"(<dcterms:modified[^>]*>)[^<]*"
                held = re.sub(pattern, rb"\g<1>" + stamp.encode(), held)
            new.writestr(zipfile.ZipInfo(name, _ZIP_TIME), held, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _number(amount: Amount, decimals: int) -> float | str:
    return amount.text if amount.value is None else float(amount.rounded(decimals))


def _written(amount: Amount, decimals: int) -> str:
    if amount.value is None:
        return _inert(amount.text)
    return decimal_text(amount.rounded(decimals))


def _inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe in front where it begins as one.

    References:
        OWASP, CSV injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) and text != "-" else text


def _unit(row: Row) -> str:
    """Units of a line; one in all but rare cases."""
    return ", ".join(dict.fromkeys(cell.unit for cell in row.cells.values() if cell.unit))


def _note(row: Row) -> str:
    return "; ".join(dict.fromkeys(cell.note for cell in row.cells.values() if cell.note))


def _period(workbook: Workbook) -> str:
    return span_text(workbook.period, workbook.zone)


def _simulated(workbook: Workbook) -> str:
    return "; SIMULATED" if workbook.simulated else ""
