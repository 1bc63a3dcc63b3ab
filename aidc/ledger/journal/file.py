"""The journal: one SQLite file of entries, appended to and never changed, chained by hash."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, LedgerError
from aidc.ledger.journal import canonical
from aidc.ledger.journal.chain import Head, Line, Verification, read_export, verify_lines, written

MEMORY: Final = ":memory:"
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS entry("
    "seq INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS entry_is_final BEFORE UPDATE ON entry "
    "BEGIN SELECT RAISE(ABORT, 'an entry is never changed: post an adjustment'); END",
    "CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE DELETE ON entry "
    "BEGIN SELECT RAISE(ABORT, 'an entry is never deleted: post an adjustment'); END",
)


_WRITE: Final = {"activity": canonical.canonical_counts}


class Journal:
    """Entries of one ledger in one SQLite file, or in memory (``":memory:"``)."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self.db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            if self.path != MEMORY:
                self.db.execute("PRAGMA journal_mode=WAL")
                self.db.execute("PRAGMA synchronous=FULL")
            for statement in _SCHEMA:
                self.db.execute(statement)
            strange = strangers(self.db)
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise LedgerError(f"{self.path} is not a ledger: {error}") from None
        if strange:
            self.db.close()
            raise LedgerError(f"{self.path} is not as a ledger makes it: {', '.join(strange)}")

    def close(self) -> None:
        """Lets the file go; the last one to do so writes the WAL into it."""
        self.db.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All appends inside are stored, or none; another writer waits."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @property
    def head(self) -> tuple[int, str]:
        """Number of entries and hash of the last; 64 zeros if there is none."""
        row = self.db.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]) + 1, str(row[1])) if row else (0, canonical.NO_HASH)

    def hash_of(self, seq: int) -> str | None:
        """Stored hash of an entry; None: there is no such entry."""
        row = self.db.execute("SELECT hash FROM entry WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else str(row[0])

    def body(self, seq: int) -> dict[str, Any]:
        """An entry as stored, after its hash was computed again.

        Raises:
            LedgerError: it is not there or does not give its hash.
        """
        row = self.db.execute("SELECT hash, body FROM entry WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise LedgerError(f"{self.path}: entry {seq} is missing; run verify")
        return checked(seq, str(row[0]), row[1])

    def append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Stores entries with ``seq`` and ``prev``; call inside `batch`."""
        seq, prev = self.head
        rows: list[tuple[int, str, bytes]] = []
        for entry in entries:
            write = _WRITE.get(entry["kind"], canonical.canonical)
            body = write({**entry, "seq": seq, "prev": prev})
            prev = canonical.entry_hash(body)
            rows.append((seq, prev, body))
            seq += 1
        self.db.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)

    def lines(self, since: int = 0, until: int | None = None) -> Iterator[Line]:
        """Stored lines in order, from a place on, up to another."""
        query = "SELECT seq, hash, body FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
        for seq, stored, body in self.db.execute(query, (since, 2**62 if until is None else until)):
            yield Line(int(seq), str(stored), bytes(body))

    def verify(self, anchor: Head | None = None) -> Verification:
        """Recomputes the chain; see `verify_lines`."""
        return verify_lines(_stored(self.db), anchor)

    def export(self, path: Path) -> None:
        """Writes JSON Lines: the stored bodies byte for byte with their hashes.

        Raises:
            InputError: the path is the journal's own.
        """
        self._refuse_own(path)
        with path.open("wb") as file:
            for line in self.lines():
                file.write(written(line))

    def import_lines(self, lines: Iterable[Line]) -> None:
        """Fills an empty journal with exported lines.

        Raises:
            LedgerError: a line does not hold; nothing is stored.
            InputError: the journal is not empty.
        """
        kept = list(lines)
        found = verify_lines(kept)
        if not found.ok:
            raise LedgerError(f"line {found.bad_line}: {found.problem}")
        with self.batch():
            if self.head[0]:
                raise InputError(
                    f"{self.path} already has {self.head[0]} entries; import into a new file"
                )
            rows = ((line.seq, line.hash, line.body) for line in kept)
            self.db.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows)

    def _refuse_own(self, path: Path) -> None:
        if self.path != MEMORY and path.resolve() == Path(self.path).resolve():
            raise InputError(f"{path} is the ledger itself; name another file")

    def save_as(self, path: Path) -> None:
        """A compact copy whose bytes depend on the entries alone (and the SQLite version).

        Raises:
            InputError: the path is the journal's own.
        """
        self._refuse_own(path)
        path.unlink(missing_ok=True)
        self.db.execute("VACUUM INTO ?", (str(path),))


def strangers_in(path: Path) -> list[str]:
    """The same for a file, read only."""
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return strangers(database)
    finally:
        database.close()


def strangers(database: sqlite3.Connection) -> list[str]:
    """What a ledger's file holds that no ledger puts there: triggers, views, another table of entries."""
    wanted = {statement.replace("IF NOT EXISTS ", "", 1) for statement in _SCHEMA}
    query = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'view') OR name = 'entry'"
    found = {sql: f"{kind} {name}" for kind, name, sql in database.execute(query)}
    missing = [statement[:40] for statement in sorted(wanted - set(found))]
    return [*(found[sql] for sql in found if sql not in wanted), *(f"no {one}" for one in missing)]


def checked(seq: int, stored: str, body: bytes) -> dict[str, Any]:
    """A stored body, after its hash was computed again.

    Raises:
        LedgerError: it does not give the stored hash, or is no entry.
    """
    if canonical.entry_hash(body) != stored:
        raise LedgerError(f"entry {seq} was edited: it does not give its hash; run verify")
    try:
        return canonical.read(body)
    except ValueError as error:
        raise LedgerError(f"entry {seq} is torn, run verify: {error}") from None


def verify_file(path: Path, anchor: Head | None = None) -> Verification:
    """The chain of a file, ``.jsonl`` or SQLite, read only: works where the ledger cannot be opened.

    Args:
        path: the file.
        anchor: a head that was kept elsewhere; see `aidc.ledger.journal.audit.read_head`.

    Raises:
        InputError: no such file.
        LedgerError: the file is no ledger at all.
    """
    return verify_lines(lines_of(path), anchor)


def lines_of(path: Path) -> Iterator[Line]:
    """Stored lines of a file, ``.jsonl`` or SQLite, unchecked and read only.

    Raises:
        InputError: no such file.
        LedgerError: the file is no ledger at all.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file")
    if path.suffix == ".jsonl":
        yield from read_export(path)
        return
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield from _stored(database)
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger: {error}") from None
    finally:
        database.close()


def _stored(database: sqlite3.Connection) -> Iterator[Line]:
    """All lines of a database, strays below 0 too."""
    for seq, stored, body in database.execute("SELECT seq, hash, body FROM entry ORDER BY seq"):
        yield Line(int(seq), str(stored), body if isinstance(body, bytes) else str(body).encode())
