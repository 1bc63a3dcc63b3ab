"""A ledger as it is kept: opened, posted to, closed, verified, exported."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from aidc.config import nearest
from aidc.errors import Fault, InputError, LedgerError
from aidc.ledger.factors import policies
from aidc.ledger.factors.policies import Policies
from aidc.ledger.factors.registry import Draft
from aidc.ledger.journal import canonical, merkle
from aidc.ledger.journal.audit import Proof, prove, read_head, write_head
from aidc.ledger.journal.chain import Head, Verification, read_export, verify_lines
from aidc.ledger.journal.fields import Role
from aidc.ledger.journal.file import MEMORY, Journal, lines_of
from aidc.ledger.journal.payloads import LedgerHead, PeriodClose, ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.journal.store import Store

if TYPE_CHECKING:
    pass

FILE_NAME: Final = "ledger.db"


class KeptLedger:
    """A journal with its index and its facts; `aidc.ledger.Ledger` draws statements up from it."""

    def __init__(self, journal: Journal, rules: Policies) -> None:
        self.policies = rules
        try:
            self.store = Store(journal)
            self._head()
        except LedgerError:
            journal.close()
            raise

    def _head(self) -> LedgerHead:
        head = self.store.register.head
        if head is None and self.store.journal.head[0]:
            raise LedgerError("the journal has no ledger entry; run verify")
        return head or LedgerHead(ledger_id="new", zone="UTC")

    @classmethod
    def init(cls, path: str | Path, *, ledger_id: str, zone: str, recorded_at: datetime) -> Self:
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
            raise InputError(
                f"{file} exists: post to that ledger, or name another place for a new one"
            )
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
    def open(cls, path: str | Path) -> Self:
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
            raise InputError(f"no ledger at {file}; make one with aidc ledger init")
        return cls(Journal(file), policies.shipped())

    @classmethod
    def import_(cls, export: str | Path, path: str | Path) -> Self:
        """A new ledger with the entries of an export, byte for byte.

        Raises:
            InputError: no such export, or there is a ledger already.
            LedgerError: the export's chain does not hold; nothing is left behind.
        """
        file = Path(_file(path))
        if file.exists():
            raise InputError(f"{file} exists; import into a new ledger")
        lines = list(lines_of(Path(export)))
        found = verify_lines(lines)
        if not found.ok:
            raise LedgerError(f"{export}: entry {found.bad_line}: {found.problem}")
        file.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(file)
        journal.import_lines(lines)
        return cls(journal, policies.shipped())

    def close(self) -> None:
        """Leaves one file behind."""
        self.store.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def head(self) -> tuple[int, str]:
        """Number of entries and hash of the last."""
        return self.store.journal.head

    @property
    def zone(self) -> str:
        """Zone of calendar periods."""
        return self._head().zone

    @property
    def name(self) -> str:
        """Id of the ledger, part of every copy."""
        return self._head().ledger_id

    @property
    def entities(self) -> tuple[str, ...]:
        """Reporting entities."""
        return tuple(dict.fromkeys(site.entity for site in self.store.register.sites.values()))

    @property
    def figures(self) -> tuple[ReportedFigure, ...]:
        """Published figures that were posted."""
        return self.store.register.figures

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """Rows of factor tables that wait for an approval; printed, they say why and of whom."""
        return self.store.register.drafts

    def post(
        self,
        entries: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        recorded_at: datetime,
        role: Role,
        recorded_by: str = "aidc",
        faults: Sequence[Fault] = (),
    ) -> int:
        """Appends entries, all or none; how many were new.

        ``faults`` are those that reading found already: they refuse the batch with all others.

        An id that is recorded with the same content is passed over, so that a retry is safe.
        Writers whose clocks differ a little are stamped in the order in which they came.

        Raises:
            InputError: every fault of the batch; nothing was posted.
            LedgerError: the last entry does not hold: the journal is read only until `recover`.
        """
        if role not in get_args(Role):
            raise InputError(f"no role '{role}'{nearest(role, get_args(Role))}")
        given = [entries] if isinstance(entries, Mapping) else entries
        return self.store.post(
            given, recorded_at=recorded_at, role=role, recorded_by=recorded_by, faults=faults
        )

    def verify(self, anchor: str | Path | None = None) -> Verification:
        """Recomputes chain and roots from the stored bytes.

        Args:
            anchor: a head that `export_head` wrote and that was kept elsewhere.
        """
        return self.store.journal.verify(None if anchor is None else read_head(Path(anchor)))

    def close_period(
        self,
        period: str,
        *,
        recorded_at: datetime,
        recorded_by: str,
        approved_by: str,
        signatories: Iterable[str] = (),
    ) -> str:
        """Closes a calendar period: the Merkle root over all entries since the close before.

        Activity of a closed period is refused until `reopen_period`.

        Raises:
            InputError: no such period, closed already, or no second name.
        """
        start, end = period_of(period, self.zone)
        journal = self.store.journal
        closes = self.closes
        first = max((close.first_seq + close.entries for close in closes.values()), default=0)
        count, head = journal.head
        leaves = [line.hash for line in journal.lines(first, count)]
        payload = {
            "period": period,
            "first_seq": first,
            "entries": len(leaves),
            "root": merkle.root(leaves),
            "head": head,
            "approved_by": approved_by,
            "signatories": list(signatories),
        }
        entry = {
            "id": f"close:{period}:{count}",
            "kind": "period_close",
            "valid_from": canonical.utc_text(start),
            "valid_to": canonical.utc_text(end),
            "payload": payload,
        }
        self.post(entry, recorded_at=recorded_at, role="approver", recorded_by=recorded_by)
        return str(payload["root"])

    def reopen_period(
        self,
        period: str,
        *,
        reason: str,
        recorded_at: datetime,
        recorded_by: str,
        approved_by: str,
    ) -> None:
        """Lets a closed period take entries again; its root stays.

        Raises:
            InputError: it is not closed, no reason, or no second name.
        """
        start, end = period_of(period, self.zone)
        entry = {
            "id": f"reopen:{period}:{self.head[0]}",
            "kind": "period_reopen",
            "valid_from": canonical.utc_text(start),
            "valid_to": canonical.utc_text(end),
            "payload": {"period": period, "approved_by": approved_by},
            "reason": reason,
        }
        self.post(entry, recorded_at=recorded_at, role="approver", recorded_by=recorded_by)

    @property
    def closes(self) -> dict[int, PeriodClose]:
        """Every close by its place, whether or not it was opened again."""
        made = {}
        for entry in self.store.register.entries.values():
            place = self.store.index.place(entry.id)
            if isinstance(entry.payload, PeriodClose) and place is not None:
                made[place[0]] = entry.payload
        return made

    def prove(self, entry_id: str) -> Proof:
        """Proof that an entry stands under the root of its period, without the others.

        Raises:
            InputError: no such entry, or no close covers it yet.
        """
        place = self.store.index.place(entry_id)
        if place is None:
            raise InputError(f"no entry '{entry_id}' in this ledger")
        return prove(self.store.journal, place[0], self.closes)

    def export_head(self, path: str | Path) -> Head:
        """Writes the head and all roots for an auditor; `verify` takes it as ``anchor``."""
        count, head = self.head
        roots = {seq: close.root for seq, close in self.closes.items()}
        made = Head(self.name, count, head, roots)
        write_head(Path(path), made)
        return made

    def reindex(self) -> bool:
        """Makes the index anew from the entries; whether it was other than it should be.

        Raises:
            LedgerError: an entry cannot be read.
        """
        return self.store.reindex()

    def export(self, path: str | Path) -> None:
        """Writes JSON Lines that `open` reads and that verify without SQLite."""
        self.store.journal.export(Path(path))

    def save_as(self, path: str | Path) -> None:
        """A copy as one SQLite file whose bytes depend on the entries alone."""
        self.store.journal.save_as(Path(path))

    def _head_after(self, count: int) -> str:
        return (self.store.journal.hash_of(count - 1) if count else None) or canonical.NO_HASH


def _file(path: str | Path) -> str:
    text = str(path)
    if text == MEMORY or text.endswith(".db"):
        return text
    return str(Path(path) / FILE_NAME)
