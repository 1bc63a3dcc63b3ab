"""The ledger: post facts, draw up statements, verify."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, get_args

from aidc.config import nearest
from aidc.errors import Fault, InputError, LedgerError
from aidc.ledger import canonical, policies
from aidc.ledger.adoption import factors_of
from aidc.ledger.books import book_named
from aidc.ledger.chain import Verification, read_export
from aidc.ledger.derive import Question, derive
from aidc.ledger.entries import Entry, content_of, read_entries, stored_entry
from aidc.ledger.factors import factor_entry
from aidc.ledger.fields import Role
from aidc.ledger.index import Index
from aidc.ledger.journal import MEMORY, Journal
from aidc.ledger.payloads import ReportedFigure
from aidc.ledger.periods import period_of
from aidc.ledger.policies import Policies
from aidc.ledger.readings import Readings
from aidc.ledger.reconcile import Reconciled, reconciled
from aidc.ledger.register import Register
from aidc.ledger.rules import Context, faults_of_entry
from aidc.ledger.statement import Statement

FILE_NAME: Final = "ledger.db"
_BOTH: Final = {"S2-LB", "S2-MB-2015"}
_CLOCKS_DIFFER: Final = timedelta(minutes=5)  # between writers of one ledger


class Ledger:
    """A journal with its index. The ledger reads no clock: ``recorded_at`` comes from the caller.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, journal: Journal, rules: Policies) -> None:
        self.journal = journal
        self.policies = rules
        self._register = Register()
        try:
            self.index = Index(journal.db)
            if self.index.entries != journal.head[0]:
                self.reindex()
            self._refresh()
        except LedgerError:
            journal.close()
            raise

    @classmethod
    def init(
        cls, path: str | Path, *, ledger_id: str, zone: str, recorded_at: datetime
    ) -> "Ledger":
        """A new ledger: a folder, a ``.db`` file or ``":memory:"``.

        Args:
            path: where it is kept.
            ledger_id: its name, part of every copy.
            zone: calendar periods are read in it.
            recorded_at: when it is opened.

        Raises:
            InputError: there is a ledger already, or the zone is unknown.
        """
        file = _file(path)
        if file != MEMORY and Path(file).exists():
            raise InputError(f"{file} exists; open it with Ledger.open")
        if file != MEMORY:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        made = cls(Journal(file), policies.shipped())
        head = {
            "id": f"ledger:{ledger_id}",
            "kind": "ledger",
            "valid_from": canonical.utc_text(recorded_at),
            "valid_to": "9999-12-31T00:00:00Z",
            "payload": {"ledger_id": ledger_id, "zone": zone},
        }
        try:
            made.post(head, recorded_at=recorded_at, role="accountant")
        except InputError:
            made.close()
            if file != MEMORY:
                Path(file).unlink()
            raise
        return made

    @classmethod
    def open(cls, path: str | Path) -> "Ledger":
        """An existing ledger: a folder, a ``.db`` file, or a ``.jsonl`` export (read into memory).

        Raises:
            InputError: there is none.
            LedgerError: an export whose chain does not hold, or a journal that cannot be read.
        """
        given = Path(path)
        if given.suffix == ".jsonl":
            if not given.is_file():
                raise InputError(f"{given} is not a file")
            journal = Journal(MEMORY)
            journal.import_lines(read_export(given))
            return cls(journal, policies.shipped())
        file = _file(path)
        if not Path(file).is_file():
            raise InputError(f"no ledger at {file}; make one with aidc ledger init or Ledger.init")
        return cls(Journal(file), policies.shipped())

    def close(self) -> None:
        """Leaves one file behind."""
        self.journal.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def head(self) -> tuple[int, str]:
        """Number of entries and hash of the last."""
        return self.journal.head

    @property
    def zone(self) -> str:
        """Zone of calendar periods."""
        if self._register.head is None:
            raise LedgerError("the journal has no ledger entry")
        return self._register.head.zone

    @property
    def name(self) -> str:
        """Id of the ledger, part of every copy."""
        if self._register.head is None:
            raise LedgerError("the journal has no ledger entry")
        return self._register.head.ledger_id

    @property
    def entities(self) -> tuple[str, ...]:
        """Reporting entities."""
        return tuple(dict.fromkeys(site.entity for site in self._register.sites.values()))

    @property
    def figures(self) -> tuple[ReportedFigure, ...]:
        """Published figures that were posted."""
        return self._register.figures

    def post(
        self,
        entries: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        recorded_at: datetime,
        role: Role,
        recorded_by: str = "aidc",
    ) -> int:
        """Appends entries, all or none; how many were new.

        An id that is recorded with the same content is passed over, so that a retry is safe.
        Writers whose clocks differ a little are stamped in the order in which they came.

        Raises:
            InputError: every fault of the batch; nothing was posted.
            LedgerError: the last entry does not hold: the journal is read only until `recover`.
        """
        if role not in get_args(Role):
            raise InputError(f"no role '{role}'{nearest(role, get_args(Role))}")
        made, faults = read_entries([entries] if isinstance(entries, Mapping) else entries)
        try:
            with self.journal.batch():
                self._refresh()
                stamp = {
                    "recorded_at": self._stamp(recorded_at),
                    "recorded_by": recorded_by,
                    "role": role,
                }
                known = Context(self._register, self.index, role, recorded_by)
                fresh = self._new(made, known, faults)
                _refuse(faults)
                self.index.flush()
                self.journal.append({**content, **stamp} for content in fresh)
        except BaseException:
            self.index.forget()
            self._register = Register()
            self._refresh()
            raise
        self.index.forget()
        self._register.upto += len(fresh)
        return len(fresh)

    def _new(
        self, entries: Iterable[Entry], known: Context, faults: list[Fault]
    ) -> list[dict[str, Any]]:
        """Contents of the entries that are not there yet, each taken in; faults of the others."""
        fresh: list[dict[str, Any]] = []
        seq, stored = self.journal.head[0], self.journal.head[0]
        for entry in entries:
            content = entry.content()
            place = self.index.place(entry.id)
            if place is not None:
                same = (
                    fresh[place[0] - stored]
                    if place[0] >= stored
                    else content_of(self.journal.body(place[0]))
                )
                if canonical.canonical(same) != canonical.canonical(content):
                    message = "is recorded with other content; a correction is an entry with an id of its own"
                    faults.append(Fault("", 0, 0, entry.id, message))
                continue
            found = faults_of_entry(entry, known)
            faults.extend(found)
            if not found:
                self.index.add(seq, entry)
                if entry.kind != "activity":
                    self._register.apply(entry)
                fresh.append(content)
                seq += 1
        return fresh

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
        return max(given, last)

    def adopt_factors(
        self, books: Iterable[str], *, entity: str, report_date: date, recorded_at: datetime
    ) -> int:
        """Posts the shipped factors that the books select for an entity; how many were new.

        Raises:
            InputError: a policy has no row for a site and year.
        """
        self._refresh()
        chosen = factors_of(
            self._register, self.index, self.policies, books, entity, report_date, self.zone
        )
        entries = [factor_entry(chosen[name]) for name in sorted(chosen)]
        return self.post(entries, recorded_at=recorded_at, role="accountant")

    def readings(self, known_on: datetime | None = None) -> Readings:
        """The journal as it was known at a time; None: all that is recorded."""
        self._refresh()
        return self.readings_after(self._known(known_on))

    def readings_after(self, count: int) -> Readings:
        """The journal as it stood after so many entries."""
        self._refresh()
        register = self._register
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

    def statement(
        self,
        book: str,
        *,
        entity: str,
        period: str | tuple[datetime, datetime],
        report_date: date,
        known_on: datetime | None = None,
    ) -> Statement:
        """What a book says, from the entries and factors in the journal alone.

        Args:
            book: one of `aidc.ledger.books.BOOKS`.
            entity: reporting entity.
            period: ``"2022"``, ``"2022-07"`` in the ledger's zone, or start and end.
            report_date: what the world could know: limits factors by their day of publication.
            known_on: what this ledger knew: limits entries by their recording; ``None`` is all.

        Raises:
            InputError: unknown book or entity, or a factor that was not posted.
            LedgerError: a gap in the period, or simulated data beside measured.
        """
        asked = Question(
            book_named(book), entity, period_of(period, self.zone), report_date, known_on
        )
        readings = self.readings(known_on)
        return derive(readings, self.policies, asked, self._head_after(readings.register.upto))

    def _head_after(self, count: int) -> str:
        return (self.journal.hash_of(count - 1) if count else None) or canonical.NO_HASH

    def draw_up(
        self,
        books: Iterable[str],
        *,
        entity: str,
        period: str | tuple[datetime, datetime],
        report_date: date,
        recorded_at: datetime,
        code_version: str,
        one_sided_because: str | None = None,
    ) -> tuple[Statement, ...]:
        """Adopts the factors, derives each book and records that it was done (``calc``).

        Raises:
            InputError: one of LB and MB without the other and without a reason, or as `statement`.
        """
        names = list(books)
        if len(_BOTH & set(names)) == 1 and one_sided_because is None:
            raise InputError(
                f"books {', '.join(names)}: S2-LB and S2-MB-2015 are reported together, or a reason is given"
            )
        self.adopt_factors(names, entity=entity, report_date=report_date, recorded_at=recorded_at)
        made = tuple(
            self.statement(name, entity=entity, period=period, report_date=report_date)
            for name in names
        )
        entries = [_calc(one, code_version) for one in made]
        self.post(entries, recorded_at=recorded_at, role="accountant")
        return made

    def reconcile(
        self, derived: Mapping[tuple[str, int], Any], document: str
    ) -> tuple[Reconciled, ...]:
        """Published figures of a document against derived values, with the rounding interval.

        Args:
            derived: (quantity, year) -> exact value.
            document: as named by the reported figures.

        Raises:
            InputError: no figure of that document is posted.
        """
        figures = [figure for figure in self.figures if figure.document == document]
        if not figures:
            known = sorted({figure.document for figure in self.figures})
            raise InputError(
                f"no figures of '{document}'{nearest(document, known)}; there are {known}"
            )
        return tuple(
            reconciled(figure, derived.get((figure.quantity, figure.year))) for figure in figures
        )

    def verify(self) -> Verification:
        """Recomputes the chain from the stored bytes."""
        return self.journal.verify()

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
        self._refresh()
        return changed

    def export(self, path: str | Path) -> None:
        """Writes JSON Lines that `open` reads and that verify without SQLite."""
        self.journal.export(Path(path))

    def save_as(self, path: str | Path) -> None:
        """A copy as one SQLite file whose bytes depend on the entries alone."""
        self.journal.save_as(Path(path))

    def _refresh(self) -> None:
        count = self.journal.head[0]
        self._register.load(self._facts(self._register.upto, count))
        self._register.upto = count

    def _facts(self, since: int, until: int) -> Iterable[dict[str, Any]]:
        return (self.journal.body(seq) for seq in self.index.facts(since, until))


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InputError(faults)


def _readable(seq: int, body: bytes) -> Entry:
    try:
        return stored_entry(canonical.read(body))
    except ValueError as error:
        raise LedgerError(f"entry {seq} cannot be read, run verify: {error}") from None


def _calc(made: Statement, code_version: str) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "book": made.book,
        "entity": made.entity,
        "policy_hash": made.policy_hash,
        "report_date": made.report_date.isoformat(),
        "input_seq": made.input_seq,
        "input_head": made.head,
        "factors": [use.version for use in made.factors],
        "gas": made.gases,
        "total_t": format(made.total_tco2e, "f"),
        "statement_sha256": made.sha256,
        "code_version": code_version,
    }
    if made.known_on is not None:
        payload["known_on"] = canonical.utc_text(made.known_on)
    start, end = (canonical.utc_text(time) for time in made.period)
    digest = canonical.plain_hash({"period": [start, end], **payload})
    return {
        "id": f"calc:{made.entity}:{made.book}:{digest[:16]}",
        "kind": "calc",
        "valid_from": start,
        "valid_to": end,
        "payload": payload,
    }


def _file(path: str | Path) -> str:
    text = str(path)
    if text == MEMORY or text.endswith(".db"):
        return text
    return str(Path(path) / FILE_NAME)
