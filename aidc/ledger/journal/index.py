"""Where each entry stands: its id and kind, and which time a meter's entries cover.

Tables beside the entries, built from nothing but them: `Index.rebuild` makes them anew. Quantities
stay in the entries, whose hash is computed again when they are read.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aidc.errors import LedgerError
from aidc.ledger.journal.entries import Entry
from aidc.ledger.journal.payloads import Activity, Adjustment, EnergyTx

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS main.place(id TEXT PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL) "
    "WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS main.fact ON place(seq) WHERE kind <> 'activity'",
    "CREATE TABLE IF NOT EXISTS main.span(meter TEXT NOT NULL, start INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "stop INTEGER NOT NULL, gone INTEGER, PRIMARY KEY(meter, start, seq)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS main.span_of ON span(seq)",
)
_TABLES: Final = ("place", "span")
_AT_ONCE: Final = 500  # ids of one query


@dataclass(frozen=True, slots=True)
class Span:
    """The time that an entry covers of one meter [s since 1970, UTC]."""

    seq: int
    start: int
    stop: int


class Index:
    """Tables of one database; writes belong inside the transaction that stores the entries."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._places: list[tuple[str, int, str]] = []
        self._spans: list[tuple[str, int, int, int]] = []
        self._reached: dict[str, int] = {}  # latest stop of each meter written in this batch
        for statement in _SCHEMA:
            database.execute(statement)

    @property
    def entries(self) -> int:
        """Entries that it holds."""
        return int(self._db.execute("SELECT count(*) FROM main.place").fetchone()[0])

    def place(self, entry_id: str) -> tuple[int, str] | None:
        """Place and kind of an entry; None: there is none of that id."""
        query = "SELECT seq, kind FROM main.place WHERE id = ?"
        row = self._db.execute(query, (entry_id,)).fetchone()
        return None if row is None else (int(row[0]), str(row[1]))

    def places(self, entry_ids: Sequence[str]) -> dict[str, int]:
        """Places of those entries of a list that are there."""
        made: dict[str, int] = {}
        for first in range(0, len(entry_ids), _AT_ONCE):
            part = entry_ids[first : first + _AT_ONCE]
            marks = ",".join("?" * len(part))
            made.update(
                self._db.execute(f"SELECT id, seq FROM main.place WHERE id IN ({marks})", part)
            )
        return made

    def id_of(self, seq: int) -> str:
        """Id of the entry at a place.

        Raises:
            KeyError: there is none.
        """
        self.flush()
        row = self._db.execute("SELECT id FROM main.place WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise KeyError(seq)
        return str(row[0])

    def facts(self, since: int, until: int) -> list[int]:
        """Places of all entries that are no activity, in order."""
        query = "SELECT seq FROM main.place WHERE kind <> 'activity' AND seq >= ? AND seq < ? ORDER BY seq"
        return [int(seq) for (seq,) in self._db.execute(query, (since, until))]

    def add(self, seq: int, entry: Entry) -> None:
        """Takes in one entry that holds; `flush` writes it."""
        self._places.append((entry.id, seq, entry.kind))
        payload = entry.payload
        start, stop = int(entry.valid_from.timestamp()), int(entry.valid_to.timestamp())
        if isinstance(payload, Activity):
            self._cover(payload.meter, start, stop, seq)
        elif isinstance(payload, EnergyTx):
            for meter in payload.counted():
                self._cover(meter, start, stop, seq)
        elif isinstance(payload, Adjustment):
            self.flush()
            gone = self.place(str(entry.supersedes))
            if gone is not None:
                self._db.execute("UPDATE main.span SET gone = ? WHERE seq = ?", (seq, gone[0]))
            if payload.replacement is not None:
                self._cover(payload.replacement.meter, start, stop, seq)

    def _cover(self, meter: str, start: int, stop: int, seq: int) -> None:
        self._spans.append((meter, start, seq, stop))
        self._reached[meter] = max(stop, self._reached.get(meter, stop))

    def flush(self) -> None:
        """Writes what was added."""
        self._db.executemany("INSERT INTO main.place VALUES (?, ?, ?)", self._places)
        self._db.executemany("INSERT INTO main.span VALUES (?, ?, ?, ?, NULL)", self._spans)
        self._places.clear()
        self._spans.clear()

    def forget(self) -> None:
        """Drops what was added and not written, and what a batch has remembered."""
        self._places.clear()
        self._spans.clear()
        self._reached.clear()

    def overlap(self, meter: str, start: int, stop: int, without: int | None) -> Span | None:
        """A live span of the meter that shares time with the given one; live spans share none.

        Args:
            meter: id of the meter.
            start: of the new span [s].
            stop: of the new span [s].
            without: place of an entry that the new one takes back.
        """
        if meter in self._reached and start >= self._reached[meter]:
            return None  # the common case of a batch in order
        self.flush()
        query = (
            "SELECT seq, start, stop FROM main.span WHERE meter = ? AND start < ? AND gone IS NULL "
            "AND seq <> ? ORDER BY start DESC LIMIT 1"
        )
        row = self._db.execute(query, (meter, stop, -1 if without is None else without)).fetchone()
        if row is not None and row[2] > start:
            return Span(int(row[0]), int(row[1]), int(row[2]))
        self._remember(meter)
        return None

    def _remember(self, meter: str) -> None:
        query = "SELECT stop FROM main.span WHERE meter = ? AND gone IS NULL ORDER BY start DESC LIMIT 1"
        row = self._db.execute(query, (meter,)).fetchone()
        if row is not None:
            self._reached[meter] = max(int(row[0]), self._reached.get(meter, int(row[0])))

    def taken_back(self, seq: int) -> bool:
        """Whether a later entry has taken one back."""
        self.flush()
        query = "SELECT 1 FROM main.span WHERE seq = ? AND gone IS NOT NULL LIMIT 1"
        return self._db.execute(query, (seq,)).fetchone() is not None

    def span_of(self, seq: int) -> tuple[int, int] | None:
        """The time that an entry covers [s]; None: it counts nothing."""
        self.flush()
        query = "SELECT min(start), max(stop) FROM main.span WHERE seq = ?"
        first, last = self._db.execute(query, (seq,)).fetchone()
        return None if first is None else (int(first), int(last))

    def stored_hashes(self, since: int, until: int) -> list[str]:
        """Hashes of stored entries, from a place on and up to another."""
        query = "SELECT hash FROM main.entry WHERE seq >= ? AND seq < ? ORDER BY seq"
        return [str(found) for (found,) in self._db.execute(query, (since, until))]

    def any(self, meter: str, start: int, stop: int, upto: int) -> bool:
        """Whether anything was counted of a meter in a period, as it stood after ``upto`` entries."""
        query = (
            "SELECT 1 FROM main.span WHERE meter = ? AND start < ? AND stop > ? "
            "AND seq < ? AND (gone IS NULL OR gone >= ?) LIMIT 1"
        )
        return self._db.execute(query, (meter, stop, start, upto, upto)).fetchone() is not None

    def reach(self, meter: str) -> tuple[int, int] | None:
        """First start and last stop of a meter [s]; None: nothing was counted."""
        query = "SELECT min(start), max(stop) FROM main.span WHERE meter = ? AND gone IS NULL"
        first, last = self._db.execute(query, (meter,)).fetchone()
        return None if first is None else (int(first), int(last))

    def stored_spans(
        self, meter: str, start: int, stop: int, upto: int
    ) -> Iterator[tuple[Span, str, bytes]]:
        """Spans of a meter that share time with a period, as they stood after ``upto`` entries.

        In order of time, each with the stored hash and body of its entry.

        Raises:
            LedgerError: an entry is not there.
        """
        query = (
            "SELECT s.seq, s.start, s.stop, e.hash, e.body FROM main.span s LEFT JOIN entry e ON e.seq = s.seq "
            "WHERE s.meter = ? AND s.start < ? AND s.stop > ? "
            "AND s.seq < ? AND (s.gone IS NULL OR s.gone >= ?) ORDER BY s.start"
        )
        for seq, begin, end, stored, body in self._db.execute(
            query, (meter, stop, start, upto, upto)
        ):
            if body is None:
                raise LedgerError(f"entry {seq} is missing; run verify")
            yield Span(int(seq), int(begin), int(end)), str(stored), body

    def rebuild(self, entries: Iterable[tuple[int, Entry]]) -> bool:
        """Makes the tables anew from the entries; whether anything was other than it should be.

        Call it inside a transaction.
        """
        self.forget()
        for table in _TABLES:
            self._db.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS {table} AS SELECT * FROM main.{table}"
            )
            self._db.execute(f"DELETE FROM main.{table}")
        for seq, entry in entries:
            self.add(seq, entry)
        self.flush()
        self._reached.clear()
        changed = index_differs(self._db, "main", "temp")
        for table in _TABLES:
            self._db.execute(f"DROP TABLE temp.{table}")
        return changed


def index_differs(database: sqlite3.Connection, one: str, other: str) -> bool:
    """Whether the index tables of two schemas of a connection hold different rows."""
    return any(
        database.execute(
            f"SELECT * FROM {a}.{table} EXCEPT SELECT * FROM {b}.{table} LIMIT 1"
        ).fetchone()
        for table in _TABLES
        for a, b in ((one, other), (other, one))
    )
