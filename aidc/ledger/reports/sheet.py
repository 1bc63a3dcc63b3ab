"""A statement as a table whose every cell has an address, a unit, and the entries behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.journal.canonical import decimal_text, utc_text
from aidc.ledger.statements.statement import ROUNDING, Statement

NOT_REPORTED: Final = "not reported"
NOT_ASSESSED: Final = "not assessed"
ENTRY_HEADS: Final = ("sheet", "row", "column", "entry")


@dataclass(frozen=True, slots=True)
class Amount:
    """What stands in a cell.

    Attributes:
        value: exact; ``None`` where there is no number, which is no zero.
        unit: of the value.
        text: what is printed in place of a number.
        note: what the reader has to know beside it.
        sources: ids of the entries behind it.
    """

    value: Decimal | None
    unit: str
    text: str = ""
    note: str = ""
    sources: tuple[str, ...] = ()

    def rounded(self, decimals: int) -> Decimal:
        """Half to even, as printed: the only rounding there is; zero where there is no value."""
        value = Decimal(0) if self.value is None else self.value
        return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)

    def shown(self, decimals: int) -> str:
        """As printed, thousands apart."""
        return self.text if self.value is None else f"{self.rounded(decimals):,f}"


def sum_of(parts: Sequence[Amount], unit: str) -> Amount:
    """Exact sum; where a part has no value it is what that part says, and of nothing "not reported"."""
    total = Decimal(0)
    for part in parts:
        if part.value is None:
            return part
        total = units.EXACT.add(total, part.value)
    if not parts:
        return Amount(None, unit, NOT_REPORTED)
    return Amount(total, unit, sources=tuple(dict.fromkeys(s for p in parts for s in p.sources)))


def less(over: Amount, under: Amount) -> Amount:
    """Exact difference; without both there is none."""
    if over.value is None or under.value is None:
        return Amount(None, over.unit, NOT_REPORTED)
    value = units.EXACT.subtract(over.value, under.value)
    return Amount(value, over.unit, sources=(*over.sources, *under.sources))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a sheet.

    Attributes:
        key: its address; unique in the sheet.
        heads: what stands in front of the figures, one text a head column of the sheet.
        cells: by column.
        is_sum: whether it sums what stands above it.
    """

    key: str
    heads: tuple[str, ...]
    cells: Mapping[str, Amount]
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One statement.

    Attributes:
        name: short, as of a file or a tab.
        heads: titles of the head columns.
        columns: titles of the figures, often years.
        decimals: as printed.
        notes: printed below.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimals: int
    notes: tuple[str, ...] = ()

    def cell(self, row: str, column: str) -> Amount:
        """A cell by its address, such as ``cell("scope1", "2022")``.

        Raises:
            InputError: no such row or column; names the nearest.
        """
        rows = {one.key: one for one in self.rows}
        if row not in rows:
            raise InputError(
                f"{self.name} has no row '{row}'{nearest(row, rows)}; it has {_some(rows)}"
            )
        if column not in rows[row].cells:
            held = rows[row].cells
            raise InputError(
                f"{self.name}, {row}: no column '{column}'{nearest(column, held)}; it has {_some(held)}"
            )
        return rows[row].cells[column]


@dataclass(frozen=True, slots=True)
class Workbook:
    """Sheets of one entity and period, with what they were made from.

    Attributes:
        zone: calendar days of the period are read in it.
        simulated: whether the activity is simulated.
        provenance: label and text, in order: books, policies, factors, dates, head, rounding.
        warnings: of the statements, each once.
    """

    entity: str
    period: tuple[datetime, datetime]
    report_date: date
    zone: str
    simulated: bool
    sheets: tuple[Sheet, ...]
    provenance: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of the period in its zone."""
        start, end = (time.astimezone(ZoneInfo(self.zone)) for time in self.period)
        return start.date(), (end - timedelta(seconds=1)).date()

    @property
    def entries(self) -> tuple[tuple[str, ...], ...]:
        """Which entries stand behind which figure: `ENTRY_HEADS`, a line each."""
        return tuple(
            (sheet.name, row.key, column, source)
            for sheet in self.sheets
            for row in sheet.rows
            for column, cell in row.cells.items()
            for source in dict.fromkeys(cell.sources)
        )

    def sheet(self, name: str) -> Sheet:
        """A sheet by name.

        Raises:
            InputError: there is none of that name.
        """
        held = {sheet.name: sheet for sheet in self.sheets}
        if name not in held:
            raise InputError(f"no sheet '{name}'{nearest(name, held)}; there are {_some(held)}")
        return held[name]

    def with_sheets(self, sheets: tuple[Sheet, ...], warnings: tuple[str, ...]) -> "Workbook":
        """The same with other sheets and more warnings."""
        return replace(self, sheets=sheets, warnings=(*self.warnings, *warnings))

    def to_dict(self) -> dict[str, Any]:
        """As plain data: decimals as exact text, times in UTC."""
        return {
            "entity": self.entity,
            "period": [utc_text(time) for time in self.period],
            "zone": self.zone,
            "report_date": self.report_date.isoformat(),
            "simulated": self.simulated,
            "provenance": [{"label": label, "text": text} for label, text in self.provenance],
            "warnings": list(self.warnings),
            "sheets": [_sheet_dict(sheet) for sheet in self.sheets],
        }


def _sheet_dict(sheet: Sheet) -> dict[str, Any]:
    return {
        "name": sheet.name,
        "title": sheet.title,
        "columns": list(sheet.columns),
        "rows": [
            {
                "key": row.key,
                "heads": dict(zip(sheet.heads, row.heads, strict=True)),
                "cells": {column: _amount_dict(cell) for column, cell in row.cells.items()},
            }
            for row in sheet.rows
        ],
        "notes": list(sheet.notes),
    }


def _amount_dict(amount: Amount) -> dict[str, Any]:
    return {
        "value": None if amount.value is None else decimal_text(amount.value),
        "unit": amount.unit,
        "text": amount.text,
        "note": amount.note,
        "sources": list(amount.sources),
    }


def provenance(
    statements: Sequence[Statement], parameters: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """What every statement prints about itself.

    Args:
        statements: of one entity and period.
        parameters: of the report, label to text, such as the GWP set.
    """
    lines: list[tuple[str, str]] = []
    for one in statements:
        lines += [
            (f"book {one.heading}", f"gases: {one.gases}; estimated {one.estimated_frac:.1%}"),
            (f"policy of {one.book}", one.policy_hash),
            *((f"terms of {one.book}", note) for note in one.notes),
            *(("method", method) for method in one.methods),
            *((f"not applied in {one.book}", str(lot)) for lot in one.not_applied),
        ]
    for one in statements:
        known = one.known_text
        lines += [
            ("boundary version", one.boundary),
            ("report date", one.report_date.isoformat()),
            ("known time", known),
            ("head", one.head),
        ]
        lines += [
            (
                f"factor {use.version}",
                f"{use.value}; {use.publisher}, data year {use.data_year or 'none'}; {use.status}",
            )
            for use in one.factors
        ]
    lines += [*parameters.items(), ("rounding", ROUNDING)]
    return tuple(dict.fromkeys(lines))


def _some(names: Mapping[str, object]) -> str:
    listed = list(names)
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
