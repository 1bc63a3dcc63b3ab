"""The journal: one SQLite file of entries, appended to and never changed, chained by hash."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, LedgerError
from aidc.ledger import canonical

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS entry("
    "seq INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS entry_is_final BEFORE UPDATE ON entry "
    "BEGIN SELECT RAISE(ABORT, 'an entry is never changed: post an adjustment'); END",
    "CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE DELETE ON entry "
    "BEGIN SELECT RAISE(ABORT, 'an entry is never deleted: post an adjustment'); END",
)
_BODY, _HASH, _END = b'{"body":', b',"hash":"', b'"}'
_TAIL: Final = len(_HASH) + 64 + len(_END)
_NOTE: Final = (
    "a chain alone cannot show that its tail was cut or that the whole file was rewritten"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A stored entry: place, hash and the bytes that were hashed."""

    seq: int
    hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        ok: whether every line holds.
        entries: lines that hold, from the first.
        head: hash of the last line that holds.
        bad_line: number of the first bad line, counted from 0; ``None`` if all hold.
        problem: what is wrong with it: edited, missing, out of order, duplicated or torn.
        note: what a chain cannot show.
    """

    ok: bool
    entries: int
    head: str
    bad_line: int | None
    problem: str
    note: str = _NOTE


class Journal:
    """Entries of one ledger in one SQLite file, or in memory (``":memory:"``)."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._db = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            if self.path != ":memory:":
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
            for statement in _SCHEMA:
                self._db.execute(statement)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise LedgerError(f"{self.path} is not a ledger: {error}") from None

    def close(self) -> None:
        """Lets the file go; the last one to do so writes the WAL into it."""
        self._db.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All appends inside are stored, or none; another writer waits."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def head(self) -> tuple[int, str]:
        """Number of entries and hash of the last; 64 zeros if there is none."""
        row = self._db.execute("SELECT seq, hash FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]) + 1, str(row[1])) if row else (0, canonical.NO_HASH)

    def append(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Stores entries with ``seq`` and ``prev``; call inside `batch`."""
        seq, prev = self.head
        for entry in entries:
            body = canonical.canonical({**entry, "seq": seq, "prev": prev})
            prev = canonical.entry_hash(body)
            self._insert(Line(seq, prev, body))
            seq += 1

    def _insert(self, line: Line) -> None:
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?)", (line.seq, line.hash, line.body))

    def lines(self, since: int = 0) -> Iterator[Line]:
        """Stored lines in order, from a place on."""
        query = "SELECT seq, hash, body FROM entry WHERE seq >= ? ORDER BY seq"
        for seq, stored, body in self._db.execute(query, (since,)):
            yield Line(int(seq), str(stored), bytes(body))

    def verify(self) -> Verification:
        """Recomputes the chain; see `verify_lines`."""
        return verify_lines(_stored(self._db))

    def export(self, path: Path) -> None:
        """Writes JSON Lines: the stored bodies byte for byte with their hashes."""
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
            for line in kept:
                self._insert(line)

    def save_as(self, path: Path) -> None:
        """A compact copy whose bytes depend on the entries alone (and the SQLite version)."""
        path.unlink(missing_ok=True)
        self._db.execute("VACUUM INTO ?", (str(path),))


def verify_file(path: Path) -> Verification:
    """The same for a file, ``.jsonl`` or SQLite, read only: works where the ledger cannot be opened.

    Raises:
        InputError: no such file.
        LedgerError: the file is no ledger at all.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file")
    if path.suffix == ".jsonl":
        return verify_lines(read_export(path))
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return verify_lines(_stored(database))
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger: {error}") from None
    finally:
        database.close()


def _stored(database: sqlite3.Connection) -> Iterator[Line]:
    """All lines of a database, strays below 0 too."""
    for seq, stored, body in database.execute("SELECT seq, hash, body FROM entry ORDER BY seq"):
        yield Line(int(seq), str(stored), body if isinstance(body, bytes) else str(body).encode())


def written(line: Line) -> bytes:
    """A line of the export."""
    return b"".join((_BODY, line.body, _HASH, line.hash.encode("ascii"), _END, b"\n"))


def read_export(path: Path) -> Iterator[Line]:
    """Lines of an export, unchecked; a torn one has an empty hash."""
    with path.open("rb") as file:
        for seq, raw in enumerate(file):
            text = raw.rstrip(b"\n")
            body, tail = text[len(_BODY) : -_TAIL], text[-_TAIL:]
            whole = raw.endswith(b"\n") and text.startswith(_BODY) and tail.startswith(_HASH)
            yield Line(
                seq, tail[len(_HASH) : -len(_END)].decode("ascii", "replace") if whole else "", body
            )


def verify_lines(lines: Iterable[Line]) -> Verification:
    """Recomputes every hash and link; stops at the first line that does not hold."""
    prev, count = canonical.NO_HASH, 0
    ids: set[str] = set()
    for line in lines:
        problem = _problem(line, count, prev, ids)
        if problem:
            return Verification(False, count, prev, count, problem)
        prev, count = line.hash, count + 1
    return Verification(True, count, prev, None, "")


def _problem(line: Line, expected: int, prev: str, ids: set[str]) -> str:
    if line.seq != expected:
        return f"missing: entry {expected}, the next one is {line.seq}"
    try:
        body = canonical.read(line.body)
    except (ValueError, UnicodeDecodeError) as error:
        return f"torn: the body is not an entry ({error})"
    if not line.hash:
        return "torn: the line has no whole hash"
    if canonical.entry_hash(line.body) != line.hash:
        return f"edited: the body of {body.get('id')!r} does not give the stored hash"
    if str(body.get("id")) in ids:
        return f"duplicated: {body.get('id')!r} stands twice"
    if body.get("seq") != expected:
        return f"out of order: the body says entry {body.get('seq')}, it stands at {expected}"
    if body.get("prev") != prev:
        return "missing or out of order: the entry does not name the hash before it"
    ids.add(str(body.get("id")))
    return ""
