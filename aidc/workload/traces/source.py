"""A trace file as rows of text, each with its line; what is wrong with a row is kept, not raised."""

import csv
import gzip
import math
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from aidc.errors import Fault, SeriesError

FAULTS_SHOWN: Final = 100
ABSENT: Final = ("", "None", "nan")  # how the published traces write a value they do not have
_UNREADABLE: Final = (OSError, EOFError, UnicodeDecodeError, zlib.error)


@dataclass(slots=True)
class Source:
    """One file while it is read.

    Attributes:
        path: a text file, plain or ``.gz``.
        title: what such a file is called in messages.
        rows_read: records met so far, good or bad.
        faults: what is wrong with them.
        line_of: identity -> line of the record that bears it.
    """

    path: Path
    title: str
    rows_read: int = 0
    faults: list[Fault] = field(default_factory=list)
    line_of: dict[str, int] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Lines of the file, with their ends.

        Raises:
            SeriesError: a file that cannot be opened, decompressed or decoded.
        """
        if ".tar" in self.path.suffixes or self.path.suffix == ".tgz":
            raise self.unreadable("it is an archive; unpack it and name the file inside")
        try:
            with self._open() as text:
                yield from text
        except _UNREADABLE as error:
            raise self.unreadable(error) from None

    def csv_rows(self, columns: Collection[str], headless: Collection[str] = ()) -> "Iterator[Row]":
        """Rows of a CSV file; one whose width is not the header's is a fault.

        Args:
            columns: names that the file must have; it may have others.
            headless: names of all columns, if the format is published without a header; a header
                that is there all the same is read as one.

        Raises:
            SeriesError: a column that is missing, or a file that cannot be read.
        """
        reader = csv.reader(self.lines())
        try:
            first = next(reader, [])
            header, waiting = first, []
            if headless and not set(columns) & set(first):
                header, waiting = list(headless), [first]
            if absent := [name for name in columns if name not in header]:
                message = f"the column is missing; a {self.title} has " + ", ".join(columns)
                raise SeriesError([Fault(self.path.name, 1, 0, name, message) for name in absent])
            for cells in chain(waiting, reader):
                if not cells:
                    continue
                self.rows_read += 1
                row = Row(self, reader.line_num, dict(zip(header, cells, strict=False)))
                if len(cells) == len(header):
                    yield row
                else:
                    row.fault("", f"{len(cells)} cells where the header has {len(header)}")
        except csv.Error as error:
            raise self.unreadable(error) from None

    def unreadable(self, why: object) -> SeriesError:
        """The error for a file that is no file of its format."""
        return SeriesError(Fault(str(self.path), 0, 0, "", f"cannot be read: {why}"))

    def check(self) -> None:
        """Nothing, where every row was good.

        Raises:
            SeriesError: every fault, as file and line (the first hundred, and their number).
        """
        if not self.faults:
            return
        many = f"{len(self.faults)} faults, of which the first {FAULTS_SHOWN} follow"
        head = [Fault(self.path.name, 0, 0, "", many)] if len(self.faults) > FAULTS_SHOWN else []
        raise SeriesError(head + self.faults[:FAULTS_SHOWN])

    def _open(self) -> TextIO:
        if self.path.suffix == ".gz":
            return gzip.open(self.path, "rt", encoding="utf-8-sig", newline="")
        return self.path.open(encoding="utf-8-sig", newline="")


@dataclass(slots=True)
class Row:
    """One record: text by column.

    A reading method gives nan or an empty text where the cell is wrong, and notes the fault; a row
    counts only while it is ``sound``.

    Attributes:
        source: the file it stands in.
        line: where.
        cells: column -> text.
        sound: nothing is wrong with it so far.
        clock_ran_twice: a time was read that the wall clock showed twice that night.
    """

    source: Source
    line: int
    cells: Mapping[str, str]
    sound: bool = True
    clock_ran_twice: bool = False

    def __getitem__(self, key: str) -> str:
        return self.cells[key]

    def given(self, key: str) -> bool:
        """Whether the cell holds a value at all."""
        return self.cells[key] not in ABSENT

    def fault(self, key: str, message: str) -> None:
        """Notes what is wrong with a cell."""
        self.sound = False
        self.source.faults.append(Fault(self.source.path.name, self.line, 0, key, message))

    def identity(self, key: str) -> str:
        """An id that no other record of the file has."""
        name = self.cells[key]
        if not name:
            self.fault(key, "the job has no id")
        elif (first := self.source.line_of.setdefault(name, self.line)) != self.line:
            self.fault(key, f"{name} stands in line {first} already")
        return name

    def number(self, key: str, what: str) -> float:
        """A finite number, zero or more."""
        with suppress(ValueError):
            number = float(self.cells[key])
            if math.isfinite(number) and number >= 0:
                return number
        self.fault(key, f"'{self.cells[key]}' is not {what}")
        return math.nan

    def whole(self, key: str, what: str) -> float:
        """A whole number, zero or more."""
        with suppress(ValueError):
            number = float(self.cells[key])
            if number.is_integer() and number >= 0:
                return number
        self.fault(key, f"'{self.cells[key]}' is not a whole number of {what}")
        return math.nan

    def one_of(self, key: str, meanings: Mapping[str, str]) -> str:
        """What the word in the cell means."""
        word = self.cells[key]
        if word not in meanings:
            self.fault(key, f"'{word}' is none of " + ", ".join(meanings))
        return meanings.get(word, "")

    def instant(self, key: str) -> float:
        """Unix time of a cell with a date, a time of day and an offset [s]."""
        read = _datetime(self.cells[key])
        if read is None or read.tzinfo is None:
            asked = "a time with its offset such as 2023-03-01 00:18:22+08:00"
            self.fault(key, f"'{self.cells[key]}' is not {asked}")
            return math.nan
        return read.timestamp()

    def local_time(self, key: str, zone: ZoneInfo, not_before: float = -math.inf) -> float:
        """Unix time of a cell with a wall-clock time [s].

        Of an hour that the clock showed twice it is the first pass, or the second where the first
        is before ``not_before`` (the start of a run that ends in that hour).
        """
        read = _datetime(self.cells[key])
        if read is None or read.tzinfo is not None:
            asked = "a local time such as 2020-09-01 01:37:15"
            self.fault(key, f"'{self.cells[key]}' is not {asked}")
            return math.nan
        first = read.replace(tzinfo=zone)
        first_s, second_s = first.timestamp(), first.replace(fold=1).timestamp()
        if first_s == second_s:
            return first_s
        if datetime.fromtimestamp(first_s, UTC).astimezone(zone).replace(tzinfo=None) != read:
            self.fault(key, f"'{self.cells[key]}' is in the hour that clocks of {zone} leave out")
            return math.nan
        self.clock_ran_twice = True
        return first_s if first_s >= not_before else second_s


def _datetime(text: str) -> datetime | None:
    """A date with a time of day; none where it is not one."""
    if len(text) > len("2020-09-01"):
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    return None
