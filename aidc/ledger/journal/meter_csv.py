"""Meter values and register readings from a CSV file, as a clerk keeps them, made into entries."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from aidc.errors import Fault, InputError, SeriesError
from aidc.ledger.journal import units
from aidc.ledger.journal.activity import block_entry
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.fields import digits

COLUMNS: Final = ("meter", "start", "end", "value", "unit", "quality")
_OPTIONAL: Final = ("method", "evidence", "sha256", "across_edges")


@dataclass(frozen=True, slots=True)
class MeterRows:
    """What a file of meter values holds.

    Attributes:
        entries: of the rows that can be read.
        lines: line of each by its id.
        faults: of the other rows, each with its line.
    """

    entries: tuple[dict[str, Any], ...]
    lines: Mapping[str, int]
    faults: tuple[Fault, ...]


def read_meter_csv(path: Path) -> list[dict[str, Any]]:
    """Entries of a file, all of which can be read; see `meter_rows`.

    Raises:
        SeriesError: every fault of the file, each with its line.
    """
    read = meter_rows(path)
    if read.faults:
        raise SeriesError(read.faults)
    return list(read.entries)


def meter_rows(path: Path) -> MeterRows:
    """Entries of a file: a row an interval, with `COLUMNS` and, if wanted, method, evidence and sha256.

    Times carry their offset. A value is in any unit of `aidc.ledger.journal.units` and becomes whole Wh, ml or g.

    Raises:
        SeriesError: a column is missing or strange.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SeriesError(
            [Fault(file, 1, 0, "", "it is not UTF-8; save it as CSV UTF-8")]
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    faults: list[Fault] = []
    entries: list[dict[str, Any]] = []
    lines: dict[str, int] = {}
    try:
        head = next(reader, [])
        faults.extend(Fault(file, 1, 0, name, why) for name, why in _head_faults(head))
        if faults:
            raise SeriesError(faults)
        for cells in reader:
            if not cells:
                continue  # an empty line
            place = Fault(file, reader.line_num, 0, "", "")
            if len(cells) != len(head):
                why = f"{len(cells)} fields, the header has {len(head)}"
                faults.append(Fault(file, place.line, 0, "", why))
                continue
            entry = _entry(dict(zip(head, cells, strict=True)), place, faults)
            if entry is not None:
                entries.append(entry)
                lines[entry["id"]] = place.line
    except csv.Error as error:
        faults.append(Fault(file, reader.line_num, 0, "", f"it is no CSV: {error}"))
    return MeterRows(tuple(entries), lines, tuple(faults))


def _head_faults(head: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in COLUMNS:
        if name not in head:
            yield name, "the column is missing"
    for name, count in Counter(head).items():
        if name not in (*COLUMNS, *_OPTIONAL):
            yield name, f"no such column; there are {', '.join((*COLUMNS, *_OPTIONAL))}"
        elif count > 1:
            yield name, f"the column stands {count} times"


def _entry(row: Mapping[str, str], place: Fault, faults: list[Fault]) -> dict[str, Any] | None:
    before = len(faults)

    def wrong(column: str, message: str) -> None:
        faults.append(Fault(place.file, place.line, 0, column, message))

    start, end = (_time(row[name]) for name in ("start", "end"))
    for name, time in (("start", start), ("end", end)):
        if time is None:
            wrong(name, f"'{row[name]}' is no time with an offset; write 2022-07-01T00:00:00+08:00")
    if start is not None and end is not None and end <= start:
        wrong("end", f"{row['end']} is not after {row['start']}")
    try:
        amount = units.to_base(digits(row["value"]), row["unit"])
        unit = units.base_unit(row["unit"])
    except InvalidOperation:
        wrong("value", f"'{row['value']}' is no number; write digits and a point")
    except InputError as error:
        wrong("unit" if "unit" in str(error) else "value", str(error))
    if len(faults) > before or start is None or end is None:
        return None
    entry = block_entry(
        f"activity:{row['meter']}:{utc_text(start)}",
        row["meter"],
        unit,
        start,
        end - start,
        [amount],
        row["quality"],
        row.get("method") or None,
    )
    if row.get("across_edges"):
        entry["payload"]["across_edges"] = row["across_edges"]
    if row.get("evidence"):
        sha256 = {"sha256": row["sha256"]} if row.get("sha256") else {}
        entry["evidence"] = [{"locator": row["evidence"], **sha256}]
    return entry


def _time(text: str) -> datetime | None:
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if made.tzinfo is None else made


def counts_of_register(
    readings: list[tuple[datetime, int]], *, multiplier: Decimal, register_digits: int | None
) -> Iterator[tuple[datetime, timedelta, int, bool]]:
    """Base units between the readings of a counter: start, length, amount, whether it rolled over.

    Args:
        readings: time and what the register showed, in order.
        multiplier: base units of one count.
        register_digits: digits of the register; None: it does not roll over.

    Raises:
        SeriesError: readings out of order, or a register that went back and cannot have rolled over:
            a reset (D12), which is filled by an estimate.
    """
    for (start, before), (end, after) in pairwise(readings):
        if end <= start:
            raise SeriesError(
                [Fault("", 0, 0, utc_text(end), f"the reading is not after {utc_text(start)}")]
            )
        counts, rolled = after - before, False
        if counts < 0:
            whole = 10**register_digits if register_digits is not None else 0
            if before < whole * 9 // 10 or after > whole // 10:
                text = f"the register went back from {before} to {after}: a reset (D12); fill the time with an estimate"
                raise SeriesError([Fault("", 0, 0, utc_text(end), text)])
            counts, rolled = counts + whole, True
        yield start, end - start, round(multiplier * counts), rolled
