"""The ledger: post facts, draw up statements, verify."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from aidc.config import nearest
from aidc.errors import Fault, InputError, LedgerError
from aidc.ledger import canonical, policies
from aidc.ledger.books import book_named
from aidc.ledger.derive import derive
from aidc.ledger.entries import read_entries
from aidc.ledger.factors import Factor, factor_entry, fuel_factors, grid_factors
from aidc.ledger.fields import Role
from aidc.ledger.journal import Journal, Verification, read_export
from aidc.ledger.payloads import ReportedFigure
from aidc.ledger.policies import Policies
from aidc.ledger.reconcile import Reconciled, reconciled
from aidc.ledger.register import Register
from aidc.ledger.statement import Statement, period_of, years_in
from aidc.ledger.trace_entries import trace_entries

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME: Final = "ledger.db"
_BOTH: Final = {"S2-LB", "S2-MB-2015"}
MEMORY: Final = ":memory:"


class Ledger:
    """A journal with its index. The ledger reads no clock: ``recorded_at`` comes from the caller.

    Use it as a context manager, or call `close`.
    """

    def __init__(self, journal: Journal, rules: Policies) -> None:
        self._journal = journal
        self._register = Register()
        self.policies = rules
        try:
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
            raise InputError(f"no ledger at {file}; make one with Ledger.init")
        return cls(Journal(file), policies.shipped())

    def close(self) -> None:
        """Leaves one file behind."""
        self._journal.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def head(self) -> tuple[int, str]:
        """Number of entries and hash of the last."""
        return self._journal.head

    @property
    def zone(self) -> str:
        """Zone of calendar periods."""
        if self._register.head is None:
            raise LedgerError("the journal has no ledger entry")
        return self._register.head.zone

    @property
    def entities(self) -> tuple[str, ...]:
        """Reporting entities."""
        return tuple(dict.fromkeys(site.entity for site in self._register.sites.values()))

    @property
    def figures(self) -> tuple[ReportedFigure, ...]:
        """Published figures that were posted."""
        return tuple(self._register.figures)

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

        Raises:
            InputError: every fault of the batch; nothing was posted.
        """
        if role not in get_args(Role):
            raise InputError(f"no role '{role}'{nearest(role, get_args(Role))}")
        made, faults = read_entries([entries] if isinstance(entries, Mapping) else entries)
        stamp = {
            "recorded_at": canonical.utc_text(recorded_at),
            "recorded_by": recorded_by,
            "role": role,
        }
        try:
            with self._journal.batch():
                self._refresh()
                fresh, found = self._register.new(made, recorded_at, role)
                faults.extend(found)
                _refuse(faults)
                self._journal.append({**entry.content(), **stamp} for entry in fresh)
        except BaseException:
            self._register = Register()
            self._refresh()
            raise
        self._register.seen += len(fresh)
        return len(fresh)

    def adopt_factors(
        self, books: Iterable[str], *, entity: str, report_date: date, recorded_at: datetime
    ) -> int:
        """Posts the shipped factors that the books select for an entity; how many were new.

        Raises:
            InputError: a policy has no row for a site and year.
        """
        chosen: dict[str, Factor] = {}
        for name in books:
            book = book_named(name)
            for key, site in self._register.sites_of(entity).items():
                if book.mainland is None:
                    meters = self._register.meters_of(key, "fuel").values()
                    fuels = {meter.fuel for meter in meters}
                    chosen.update({f.name: f for f in fuel_factors().values() if f.fuel in fuels})
                    continue
                for year in self._years(key):
                    picked = policies.select(
                        self.policies,
                        book.rule(site.region).policy,
                        grid_factors().values(),
                        region=site.region,
                        activity_year=year,
                        report_date=report_date,
                    )
                    chosen[picked.factor.name] = picked.factor
        entries = [factor_entry(chosen[name]) for name in sorted(chosen)]
        return self.post(entries, recorded_at=recorded_at, role="accountant")

    def _years(self, site: str) -> list[int]:
        years: set[int] = set()
        for meter in self._register.meters_of(site, "grid_import"):
            for block in self._register.live(meter, None):
                years.update(year for year, _, _ in years_in((block.start, block.end), self.zone))
        return sorted(years)

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
            book: ``S1``, ``S2-LB``, ``S2-MB-2015`` or ``NDRC``.
            entity: reporting entity.
            period: ``"2022"``, ``"2022-07"`` in the ledger's zone, or start and end.
            report_date: what the world could know: limits factors by their day of publication.
            known_on: what this ledger knew: limits entries by their recording; ``None`` is all.

        Raises:
            InputError: unknown book or entity, or a factor that was not posted.
            LedgerError: a gap in the period, or simulated data beside measured.
        """
        self._refresh()
        return derive(
            self._register,
            self.policies,
            book,
            entity=entity,
            period=period_of(period, self.zone),
            report_date=report_date,
            known_on=known_on,
            head=self.head[1],
        )

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
        return self._journal.verify()

    def export(self, path: str | Path) -> None:
        """Writes JSON Lines that `open` reads and that verify without SQLite."""
        self._journal.export(Path(path))

    def save_as(self, path: str | Path) -> None:
        """A copy as one SQLite file whose bytes depend on the entries alone."""
        self._journal.save_as(Path(path))

    def _refresh(self) -> None:
        try:
            self._register.load(line.body for line in self._journal.lines(self._register.seen))
        except ValueError as error:
            raise LedgerError(f"the journal is damaged, run verify: {error}") from None


def post_trace(
    ledger: Ledger,
    frame: "pd.DataFrame",
    *,
    entity: str,
    site: str,
    region: str,
    zone: str,
    step_h: float,
    attribute_kept: bool,
    fuel: str | None,
    recorded_at: datetime,
    role: Role = "planner",
) -> int:
    """Posts a simulated run of one site; how many entries were new.

    Args:
        ledger: where to post.
        frame: `Trace.frame` of one site; see `aidc.ledger.trace_entries`.
        entity: reporting entity, such as ``baseline`` or ``optimized``.
        site: name of the site.
        region: ISO 3166-2 code of its grid.
        zone: zone of the site.
        step_h: length of a step [h].
        attribute_kept: whether the certificates of own PV stay with the site.
        fuel: what its generators burn, of models/fuel_factors.csv; None: it has none.
        recorded_at: when it is posted.
        role: who posts.

    Raises:
        SeriesError: the frame does not hold.
        InputError: an overlap with what is recorded.
    """
    entries = trace_entries(
        frame,
        entity=entity,
        site=site,
        region=region,
        zone=zone,
        ledger_zone=ledger.zone,
        step_h=step_h,
        attribute_kept=attribute_kept,
        fuel=fuel,
    )
    return ledger.post(entries, recorded_at=recorded_at, role=role)


def _calc(made: Statement, code_version: str) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "book": made.book,
        "entity": made.entity,
        "policy_hash": made.policy_hash,
        "report_date": made.report_date.isoformat(),
        "input_head": made.head,
        "factors": [use.version for use in made.factors],
        "gas": made.gases,
        "total_t": format(made.total_tco2e, "f"),
        "code_version": code_version,
    }
    start, end = (canonical.utc_text(time) for time in made.period)
    digest = canonical.plain_hash({"period": [start, end], **payload})
    return {
        "id": f"calc:{made.entity}:{made.book}:{digest[:16]}",
        "kind": "calc",
        "valid_from": start,
        "valid_to": end,
        "payload": payload,
    }


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise InputError(faults)


def _file(path: str | Path) -> str:
    text = str(path)
    if text == MEMORY or text.endswith(".db"):
        return text
    return str(Path(path) / FILE_NAME)
