"""A journal with its index and its facts, kept in step by every post."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from aidc.errors import Fault, InputError, LedgerError
from aidc.ledger.journal import canonical
from aidc.ledger.journal.context import Context
from aidc.ledger.journal.entries import Entry, content_of, read_entries, stored_entry
from aidc.ledger.journal.file import Journal
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.readings import Readings
from aidc.ledger.journal.register import Register
from aidc.ledger.journal.rules import faults_of_entry

_AT_ONCE: Final = 2_000  # entries of one transaction in memory
_LONGEST_REST: Final = timedelta(days=3_653)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)  # between writers of one ledger


class Store:
    """Entries, where they stand, and what they say. Several processes may hold one each."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._register = Register()
        self.index = Index(journal.db)
        if self.index.entries != journal.head[0]:
            self.reindex()

    @property
    def register(self) -> Register:
        """All facts that are recorded by now."""
        count = self.journal.head[0]
        if self._register.upto != count:
            self._register.load(self._facts(self._register.upto, count))
            self._register.upto = count
        return self._register

    def _facts(self, since: int, until: int) -> Iterable[dict[str, Any]]:
        return (self.journal.body(seq) for seq in self.index.facts(since, until))

    def post(
        self,
        entries: Iterable[Mapping[str, Any]],
        *,
        recorded_at: datetime,
        role: str,
        recorded_by: str,
        faults: Sequence[Fault] = (),
    ) -> int:
        """Appends entries, all or none; how many were new. See `Ledger.post`."""
        if not isinstance(recorded_by, str) or not plain(recorded_by):
            raise InputError("recorded_by is empty; name who posts")
        given = iter(entries)
        told = list(faults)
        try:
            with self.journal.batch():
                before = self.journal.head[0]
                known = Context(self.register, self.index, before, role, recorded_by, recorded_at)
                stamp = {
                    "recorded_at": self._stamp(recorded_at),
                    "recorded_by": recorded_by,
                    "role": role,
                }
                read = 0
                while part := list(islice(given, _AT_ONCE)):
                    made, found = read_entries(part, first=read)
                    told.extend(found)
                    fresh = self._new(made, known, told)
                    self.index.flush()
                    self.journal.append({**content, **stamp} for content in fresh)
                    read += len(part)
                _refuse(told)
                self._check_kept(known.seq)
        except BaseException:
            self.index.forget()
            self._register = Register()
            raise
        self.index.forget()
        self._register.upto = known.seq
        return known.seq - before

    def _check_kept(self, count: int) -> None:
        if self.journal.head[0] != count:
            raise LedgerError("the file took the entries and kept none; run verify")

    def _new(
        self, entries: list[Entry], known: Context, faults: list[Fault]
    ) -> list[dict[str, Any]]:
        """Contents of the entries that are not there yet, each taken in; faults of the others."""
        there = self.index.places([entry.id for entry in entries])
        named: dict[str, dict[str, Any]] = {}
        for entry in entries:
            content = entry.content()
            before = named.get(entry.id)
            if before is None and entry.id in there:
                before = content_of(self.journal.body(there[entry.id]))
            if before is not None:
                if canonical.canonical(before) != canonical.canonical(content):
                    message = "is recorded with other content; a correction is an entry with an id of its own"
                    faults.append(Fault("", 0, 0, entry.id, message))
                continue
            found = faults_of_entry(entry, known)
            faults.extend(found)
            if not found:
                self.index.add(known.seq, entry)
                if entry.kind != "activity":
                    known.register.apply(entry, known.recorded_by)
                named[entry.id] = content
                known.seq += 1
        return list(named.values())

    def _stamp(self, recorded_at: datetime) -> str:
        given = canonical.utc_text(recorded_at)
        count = self.journal.head[0]
        if not count:
            return given
        last = str(self.journal.body(count - 1)["recorded_at"])
        if given < canonical.utc_text(datetime.fromisoformat(last) - _CLOCKS_DIFFER):
            raise InputError(
                f"recorded_at {given} is before the last entry, recorded at {last}: "
                "the ledger's time runs forward"
            )
        if recorded_at > datetime.fromisoformat(last) + _LONGEST_REST:
            raise InputError(
                f"recorded_at {given} is more than ten years after the last entry, recorded at "
                f"{last}: set the clock right"
            )
        return max(given, last)

    def readings(self, known_on: datetime | None = None) -> Readings:
        """The journal as it was known at a time; None: all that is recorded."""
        return self.readings_after(self._known(known_on))

    def readings_after(self, count: int) -> Readings:
        """The journal as it stood after so many entries."""
        register = self.register
        if count != register.upto:
            register = Register()
            register.load(self._facts(0, count))
            register.upto = count
        return Readings(register, self.index)

    def _known(self, known_on: datetime | None) -> int:
        count = self.journal.head[0]
        if known_on is None:
            return count
        limit, low = canonical.utc_text(known_on), 0
        while low < count:  # recorded_at never falls along the journal
            middle = (low + count) // 2
            if str(self.journal.body(middle)["recorded_at"]) <= limit:
                low = middle + 1
            else:
                count = middle
        return low

    def reindex(self) -> bool:
        """Makes the index anew from the entries; whether it was other than it should be.

        Raises:
            LedgerError: an entry cannot be read.
        """
        with self.journal.batch():
            changed = self.index.rebuild(
                (line.seq, _readable(line.seq, line.body)) for line in self.journal.lines()
            )
        self._register = Register()
        return changed


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InputError(faults)


def _readable(seq: int, body: bytes) -> Entry:
    try:
        return stored_entry(canonical.read(body))
    except ValueError as error:
        raise LedgerError(f"entry {seq} cannot be read, run verify: {error}") from None
