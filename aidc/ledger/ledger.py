"""The ledger: post facts, draw up statements, verify."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from aidc.config import nearest
from aidc.errors import InputError, LedgerError
from aidc.ledger import canonical, merkle, policies
from aidc.ledger.adoption import factors_of
from aidc.ledger.audit import Proof, prove, read_head, write_head
from aidc.ledger.books import book_named
from aidc.ledger.chain import Head, Verification, read_export, verify_lines
from aidc.ledger.credits import Account, CreditAccount, credit_account
from aidc.ledger.derive import derive
from aidc.ledger.ets import verified_before
from aidc.ledger.fields import Role
from aidc.ledger.journal import MEMORY, Journal, lines_of
from aidc.ledger.market_book import held_at
from aidc.ledger.match_report import MatchReport
from aidc.ledger.matching_of import matching_of
from aidc.ledger.payloads import Calc, LedgerHead, PeriodClose, ReportedFigure
from aidc.ledger.periods import period_of
from aidc.ledger.policies import Policies
from aidc.ledger.question import Question
from aidc.ledger.reconcile import Reconciled, reconciled
from aidc.ledger.registry import Draft, factor_entry
from aidc.ledger.restate import Restated, Trigger
from aidc.ledger.restating import event_trigger, restatement, series_of
from aidc.ledger.statement import Cell, Statement
from aidc.ledger.statement_uncertainty import TOTAL, uncertainty_of
from aidc.ledger.store import Store
from aidc.ledger.tracing import Origin, Replay, origin_of
from aidc.ledger.uncertainty import Spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE_NAME: Final = "ledger.db"
_BOTH: Final = {"S2-LB", "S2-MB-2015"}


class Ledger:
    """A journal with its index. The ledger reads no clock: ``recorded_at`` comes from the caller.

    Use it as a context manager, or call `close`.
    """

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

    @classmethod
    def import_(cls, export: str | Path, path: str | Path) -> "Ledger":
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

    def __enter__(self) -> "Ledger":
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
        given = [entries] if isinstance(entries, Mapping) else entries
        return self.store.post(given, recorded_at=recorded_at, role=role, recorded_by=recorded_by)

    def adopt_factors(
        self, books: Iterable[str], *, entity: str, report_date: date, recorded_at: datetime
    ) -> int:
        """Posts the shipped factors that the books select for an entity; how many were new.

        Raises:
            InputError: a policy has no row for a site and year.
        """
        chosen = factors_of(
            self.store.register,
            self.store.index,
            self.policies,
            books,
            entity,
            report_date,
            self.zone,
        )
        entries = [factor_entry(chosen[name]) for name in sorted(chosen)]
        return self.post(entries, recorded_at=recorded_at, role="accountant")

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
        readings, remarks = self.store.readings(known_on), tuple[str, ...]()
        verified = verified_before(readings.register, self.store.index, asked, self.zone)
        if verified is not None:
            readings = self.store.readings_after(verified[0])
            remarks = (f"verified by {verified[1]}: later entries do not reopen the year",)
        head = self._head_after(readings.register.upto)
        return replace(derive(readings, self.policies, asked, head), remarks=remarks)

    def matching(
        self,
        *,
        entity: str,
        period: str | tuple[datetime, datetime],
        report_date: date,
        known_on: datetime | None = None,
        grid_carbon_free_ppm: "NDArray[np.int64] | None" = None,
    ) -> MatchReport:
        """How retired lots cover the load over a period, and hour by hour.

        Args:
            entity: reporting entity.
            period: whole hours of one calendar year.
            report_date: lots retired later do not count.
            known_on: as for `statement`.
            grid_carbon_free_ppm: carbon-free share of the grid [parts per million], shape (hours,)
                or (sites, hours); None gives no carbon-free score.

        Raises:
            InputError: no load, or readings coarser than an hour.
        """
        asked = Question(
            book_named("S2-MB-2015"), entity, period_of(period, self.zone), report_date, known_on
        )
        return matching_of(
            self.store.readings(known_on), self.policies, asked, grid_carbon_free_ppm
        )

    def credits(
        self,
        account: Account,
        *,
        entity: str,
        period: str | tuple[datetime, datetime],
        report_date: date,
    ) -> CreditAccount:
        """Retired credits of one account, which lower no figure of any book.

        Args:
            account: ``offset`` (CCER and removals) or ``inset`` (carbon-inclusion points).
            entity: reporting entity.
            period: consumption that they are retired for lies inside.
            report_date: credits retired later do not count.
        """
        asked = Question(
            book_named("S2-MB-2015"), entity, period_of(period, self.zone), report_date, None
        )
        held = held_at(self.store.register, asked, self.zone)
        return credit_account(account, held, entity=entity, period=asked.period)

    def _head_after(self, count: int) -> str:
        return (self.store.journal.hash_of(count - 1) if count else None) or canonical.NO_HASH

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
        draws: tuple[int, int] | None = None,
    ) -> tuple[Statement, ...]:
        """Adopts the factors, derives each book and records that it was done (``calc``).

        With ``draws``, a number and a seed, the 95 % interval of each total is recorded beside it.

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
        entries = [
            _calc(one, self.policies, code_version, self._spread(one, draws)) for one in made
        ]
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

    def uncertainty(self, statement: Statement, *, draws: int, seed: int) -> dict[str, Spread]:
        """What is known of a statement's total, and of its years: see `statement_uncertainty`.

        Raises:
            InputError: the statement is not assessed, or too few draws.
        """
        return uncertainty_of(self.store, statement, draws=draws, seed=seed)

    def _spread(self, made: Statement, draws: tuple[int, int] | None) -> Spread | None:
        if draws is None or not made.inside:
            return None
        return self.uncertainty(made, draws=draws[0], seed=draws[1])[TOTAL]

    def trace(self, statement: Statement, cells: Iterable[Cell] | None = None) -> Origin:
        """What cells of a statement rest on: entries, factor versions, documents; all by default."""
        return origin_of(self.store, statement, statement.cells if cells is None else cells)

    def replay(self, which: Statement | str, *, code_version: str) -> Replay:
        """A statement, or a recorded ``calc`` by its id, derived again from what it could read.

        Args:
            which: a statement of this ledger, or the id of a calc.
            code_version: of the program now; another one may change a digit, which is reported.

        Raises:
            InputError: no such calc.
        """
        asked, input_seq, then, rules, version = self._asked_then(which, code_version)
        readings = self.store.readings_after(input_seq)
        again = derive(readings, rules, asked, self._head_after(input_seq))
        differences = []
        if again.sha256 != then:
            differences.append(f"the bytes give {again.sha256}, then they gave {then}")
            if version != code_version:
                differences.append(f"the code is {code_version}, then it was {version}")
        return Replay(again, not differences, tuple(differences))

    def _asked_then(
        self, which: Statement | str, code_version: str
    ) -> tuple[Question, int, str, Policies, str]:
        """Question, entries known, result, policies and code of a statement or a recorded calc."""
        if isinstance(which, Statement):
            asked = Question(
                book_named(which.book),
                which.entity,
                which.period,
                which.report_date,
                which.known_on,
            )
            return asked, which.input_seq, which.sha256, self.policies, code_version
        entry = self.store.register.entries.get(which)
        if entry is None or not isinstance(entry.payload, Calc):
            known = [e.id for e in self.store.register.entries.values() if e.kind == "calc"]
            raise InputError(f"no calc '{which}'{nearest(which, known)}; there are {len(known)}")
        calc = entry.payload
        period = (entry.valid_from, entry.valid_to)
        asked = Question(
            book_named(calc.book), calc.entity, period, calc.report_date, calc.known_on
        )
        rules = self.policies.with_stated(calc.policies)
        return asked, calc.input_seq, calc.statement_sha256, rules, calc.code_version

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
    def calcs(self) -> tuple[str, ...]:
        """Ids of the statements that were recorded."""
        return tuple(self.store.register.of(Calc))

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

    def restate(
        self,
        trigger: Trigger | str,
        *,
        calcs: Sequence[str],
        threshold_frac: Decimal,
        one_target_for_all_scopes: bool,
        recorded_at: datetime,
        recorded_by: str,
        approved_by: str,
    ) -> Restated:
        """Holds a trigger, with all that wait, against the threshold, and records what came of it.

        Args:
            trigger: a trigger, or the id of a boundary event.
            calcs: ids of the calcs of the base year: scope 1, one book of electricity, or both.
            threshold_frac: share of the base year from which on it is recalculated.
            one_target_for_all_scopes: whether one target covers scopes 1, 2 and 3.
            recorded_at: when.
            recorded_by: by whom.
            approved_by: the second name.

        Raises:
            InputError: calcs or a trigger that do not hold, or no second name.
            BookMixError: two books of electricity.
        """
        register = self.store.register
        if isinstance(trigger, str):
            trigger = event_trigger(register, trigger, series_of(register, calcs).base_year)
        found, entry = restatement(
            register,
            calcs,
            trigger,
            threshold_frac=threshold_frac,
            one_target_for_all_scopes=one_target_for_all_scopes,
            approver=approved_by,
        )
        self.post(entry, recorded_at=recorded_at, role="approver", recorded_by=recorded_by)
        return found

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


def _calc(
    made: Statement, rules: Policies, code_version: str, spread: Spread | None
) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "book": made.book,
        "entity": made.entity,
        "policy_hash": made.policy_hash,
        "policies": rules.stated(book_named(made.book)),
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
    if spread is not None:
        payload |= {"draws": spread.draws, "seed": spread.seed, "low_t": f"{spread.low:.6f}"}
        payload |= {"high_t": f"{spread.high:.6f}", "assessed_frac": f"{spread.assessed_frac:.6f}"}
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
