"""The facts of a journal in memory: all entries but the counts of meters, by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from aidc.config import Config
from aidc.ledger.factors.registry import Approval, Approved, Draft, Posted, Row, read_row, standing
from aidc.ledger.factors.rows import FuelFactor, GridFactor
from aidc.ledger.journal.entries import Entry, stored_entry
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.payloads import (
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    PeriodClose,
    PeriodReopen,
    ReportedFigure,
)
from aidc.ledger.journal.periods import in_zone
from aidc.ledger.lots.holdings import Holdings, MoveRecord
from aidc.ledger.lots.lot import Lot, LotMove
from aidc.ledger.restatement.boundary import BoundaryEvent, inside

P = TypeVar("P", bound=Config)


@dataclass(slots=True)
class Register:
    """Facts in order of posting, as they stand after ``upto`` entries of the journal.

    An entry that supersedes another takes its place: it is found under the first id, and so is
    whatever names the later one.

    Attributes:
        upto: entries that it knows: those before this place.
        head: entry 0; None before it.
        entries: every fact by id, superseded ones too.
        first: id of an entry that supersedes another -> id under which it is found.
        closed: periods that take no entries, closed and not opened again.
        covered: how many entries the closes cover, from the first.
        lots: lots with their parts and moves.
        factors: rows of factor tables as posted, drafts too.
        approvals: of drafts.
    """

    upto: int = 0
    head: LedgerHead | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    closed: dict[str, PeriodClose] = field(default_factory=dict)
    covered: int = 0
    lots: Holdings = field(default_factory=Holdings)
    factors: list[Posted] = field(default_factory=list)
    approvals: list[Approved] = field(default_factory=list)
    _of_model: dict[type[Config], dict[str, Any]] = field(default_factory=dict)
    _versions: dict[str, list[Entry]] = field(default_factory=dict)
    _standing: tuple[dict[str, Posted], list[Draft]] | None = None

    def of(self, model: type[P]) -> Mapping[str, P]:
        """Facts in force of a kind, by id, in order of posting; superseded ones are left out."""
        return self._of_model.get(model, {})

    def key(self, entry_id: str) -> str:
        """The id under which an entry is found."""
        return self.first.get(entry_id, entry_id)

    def versions(self, entry_id: str) -> tuple[Entry, ...]:
        """An entry and all that superseded it, in order of posting."""
        return tuple(self._versions.get(self.key(entry_id), ()))

    @property
    def sites(self) -> Mapping[str, LedgerSite]:
        """Sites in force."""
        return self.of(LedgerSite)

    @property
    def meters(self) -> Mapping[str, Meter]:
        """Meters in force."""
        return self.of(Meter)

    @property
    def figures(self) -> tuple[ReportedFigure, ...]:
        """Published figures."""
        return tuple(self.of(ReportedFigure).values())

    def sites_of(self, entity: str) -> dict[str, LedgerSite]:
        """Sites of a reporting entity by entry id, sorted: no statement hangs on the order of posting."""
        return {key: site for key, site in sorted(self.sites.items()) if site.entity == entity}

    def names_of(self, entity: str) -> frozenset[str]:
        """Names that a registry may know a reporting entity by, as `plain` writes them."""
        legal = (site.legal_name for site in self.sites_of(entity).values())
        return frozenset(plain(name) for name in (entity, *legal) if name is not None)

    def events_of(self, entity: str) -> dict[str, BoundaryEvent]:
        """Boundary events of a reporting entity by entry id."""
        events = self.of(BoundaryEvent).items()
        return {key: event for key, event in events if event.entity == entity}

    @property
    def registries(self) -> dict[str, str]:
        """Registries of certificates and credits: plain name -> name as a lot gives it."""
        return {plain(lot.registry): lot.registry for lot in self.of(Lot).values()}

    @property
    def zone(self) -> str:
        """Zone of the ledger."""
        return "UTC" if self.head is None else self.head.zone

    def calendar_of(self, site: str) -> str:
        """Zone in which the calendar periods of a site are read."""
        held = self.sites[site]
        return self.zone if held.calendar == "ledger" else held.zone

    def own_period(self, site: str, period: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
        """A period as a site counts it: the ledger's midnights are midnights of the site's zone."""
        return in_zone(period, self.zone, self.calendar_of(site))

    def inside(
        self, site: str, period: tuple[datetime, datetime]
    ) -> tuple[datetime, datetime] | None:
        """The part of a period in which a site is inside the boundary; None: not at all.

        Raises:
            LedgerError: it left and came back.
        """
        events = self.of(BoundaryEvent).values()
        own = [one for one in events if one.site is not None and self.key(one.site) == site]
        return inside(own, period, self.calendar_of(site)) if own else period

    def meters_of(self, site: str, *streams: str) -> dict[str, Meter]:
        """Meters of a site, of the named streams, sorted by id."""
        return {
            key: meter
            for key, meter in sorted(self.meters.items())
            if self.key(meter.site) == site and meter.stream in streams
        }

    def rows(self, model: type[P]) -> dict[str, P]:
        """Rows of a factor table by name that a policy may choose: drafts are left out."""
        stand, _ = self._factors()
        return {name: one.row for name, one in stand.items() if isinstance(one.row, model)}

    @property
    def grid(self) -> Mapping[str, GridFactor]:
        """Factors of grids by version."""
        return self.rows(GridFactor)

    @property
    def fuels(self) -> Mapping[str, FuelFactor]:
        """Factors of fuels by name."""
        return self.rows(FuelFactor)

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """Rows that wait for an approval."""
        return tuple(self._factors()[1])

    def row_named(self, name: str) -> Row:
        """A row of any factor table that stands, by its name."""
        return self._factors()[0][name].row

    def entry_of_row(self, name: str) -> str:
        """Id of the entry whose row stands under a name, else of the first that posted one."""
        stands = self._factors()[0].get(name)
        if stands is not None:
            return stands.entry_id
        return next((one.entry_id for one in self.factors if one.row.name == name), name)

    def _factors(self) -> tuple[dict[str, Posted], list[Draft]]:
        if self._standing is None:
            stand, drafts = standing(self.factors, self.approvals)
            self._standing = ({one.row.name: one for one in stand}, drafts)
        return self._standing

    def load(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Takes in stored facts.

        Raises:
            ValueError: one is no entry.
        """
        for body in bodies:
            self.apply(stored_entry(body), str(body["recorded_by"]))

    def apply(self, entry: Entry, recorded_by: str) -> None:
        """Takes in one fact that holds, and who recorded it."""
        self.entries[entry.id] = entry
        payload = entry.payload
        key = entry.id
        if entry.supersedes is not None and self.key(entry.supersedes) in self._versions:
            key = self.first[entry.id] = self.key(entry.supersedes)
        self._versions.setdefault(key, []).append(entry)
        self._of_model.setdefault(type(payload), {})[key] = payload
        if isinstance(payload, LedgerHead):
            self.head = payload
        elif isinstance(payload, PeriodClose):
            self.closed[payload.period] = payload
            self.covered = payload.first_seq + payload.entries
        elif isinstance(payload, PeriodReopen):
            self.closed.pop(payload.period, None)
        elif isinstance(payload, Lot):
            self.lots.add(entry.id, payload, (entry.valid_from, entry.valid_to))
        elif isinstance(payload, LotMove):
            spans = self.lots.spans(payload, entry.valid_from)
            self.lots.apply(MoveRecord(entry.id, payload, entry.valid_from, spans))
        elif isinstance(payload, FactorVersion):
            row = read_row(payload.table, payload.row)
            self.factors.append(Posted(entry.id, row, recorded_by))
            self._standing = None
        elif isinstance(payload, Approval):
            self.approvals.append(Approved(payload.of, recorded_by))
            self._standing = None
