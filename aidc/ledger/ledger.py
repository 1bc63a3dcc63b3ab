"""The ledger: what the kept facts come to, drawn up, traced, replayed, restated."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.checks.published import Reconciled, reconciled
from aidc.ledger.checks.rests_on import bases
from aidc.ledger.factors.adoption import factors_of, later_shipped
from aidc.ledger.factors.policies import Policies
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.journal import canonical
from aidc.ledger.journal.payloads import Calc, ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.kept import KeptLedger
from aidc.ledger.lots.credits import Account, CreditAccount, credit_account
from aidc.ledger.market.book import held_at
from aidc.ledger.market.ets import verified_before
from aidc.ledger.market.match_report import MatchReport
from aidc.ledger.market.matching_of import matching_of
from aidc.ledger.restatement.restate import Restated, Trigger, TriggerKind
from aidc.ledger.restatement.restating import (
    calc_trigger,
    event_trigger,
    restatement,
    series_of,
)
from aidc.ledger.statements.books import book_named
from aidc.ledger.statements.derive import derive
from aidc.ledger.statements.question import Question
from aidc.ledger.statements.statement import Cell, Statement
from aidc.ledger.statements.tracing import Origin, Replay, origin_of
from aidc.ledger.statements.uncertainty import Spread
from aidc.ledger.statements.uncertainty_of import TOTAL, uncertainty_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BOTH: Final = {"S2-LB", "S2-MB-2015"}


class Ledger(KeptLedger):
    """A journal with its index. The ledger reads no clock: ``recorded_at`` comes from the caller.

    Use it as a context manager, or call `close`.
    """

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
            book: one of `aidc.ledger.statements.books.BOOKS`.
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
        made = derive(readings, self.policies, asked, self._head_after(readings.register.upto))
        advice = tuple[str, ...]()
        if known_on is None and verified is None:
            advice = tuple(later_shipped(readings.register, self.policies, made, asked, self.zone))
        return replace(made, remarks=remarks, advice=advice)

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
        names = self.store.register.names_of(entity)
        return credit_account(account, held, entity=entity, names=names, period=asked.period)

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
        figures = {
            name: figure
            for name, figure in self.store.register.of(ReportedFigure).items()
            if figure.document == document
        }
        if not figures:
            known = sorted({figure.document for figure in self.figures})
            raise InputError(
                f"no figures of '{document}'{nearest(document, known)}; there are {known}"
            )
        rests_on = bases(self.store.register, self.store.journal.lines(0, self.head[0]))
        return tuple(
            reconciled(figure, derived.get((figure.quantity, figure.year)), rests_on[name])
            for name, figure in figures.items()
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

    @property
    def calcs(self) -> tuple[str, ...]:
        """Ids of the statements that were recorded."""
        return tuple(self.store.register.of(Calc))

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
        dry_run: bool = False,
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
            dry_run: records nothing.

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
        if not dry_run:
            self.post(entry, recorded_at=recorded_at, role="approver", recorded_by=recorded_by)
        return found

    def change_to(
        self, to_calc: str, *, calcs: Sequence[str], kind: TriggerKind, cause: str
    ) -> Trigger:
        """The trigger of a base year drawn up anew: its size is the difference of two calcs.

        Args:
            to_calc: id of the newer calc, of a book that the base year holds.
            calcs: ids of the calcs of the base year.
            kind: such as ``data_improvement``.
            cause: in words.

        Raises:
            InputError: a calc of another entity, period, book or gas.
        """
        return calc_trigger(self.store.register, calcs, to_calc, kind=kind, cause=cause)


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
        payload |= {"draws": spread.draws, "seed": spread.seed}
        payload["assessed_frac"] = f"{spread.assessed_frac:.6f}"
        if spread.assessed_frac:
            payload |= {"low_t": f"{spread.low:.6f}", "high_t": f"{spread.high:.6f}"}
    start, end = (canonical.utc_text(time) for time in made.period)
    digest = canonical.plain_hash({"period": [start, end], **payload})
    return {
        "id": f"calc:{made.entity}:{made.book}:{digest[:16]}",
        "kind": "calc",
        "valid_from": start,
        "valid_to": end,
        "payload": payload,
    }
