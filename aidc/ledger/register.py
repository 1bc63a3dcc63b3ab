"""The facts of a journal in memory: all entries but the counts of meters, by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aidc.config import Config
from aidc.ledger.entries import Entry, stored_entry
from aidc.ledger.factors import FuelFactor, GridFactor
from aidc.ledger.payloads import (
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    PeriodClose,
    PeriodReopen,
    ReportedFigure,
)

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
        grid: factors of grids by version.
        fuels: factors of fuels by name.
    """

    upto: int = 0
    head: LedgerHead | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    closed: dict[str, PeriodClose] = field(default_factory=dict)
    grid: dict[str, GridFactor] = field(default_factory=dict)
    fuels: dict[str, FuelFactor] = field(default_factory=dict)
    _of_model: dict[type[Config], dict[str, Any]] = field(default_factory=dict)
    _versions: dict[str, list[Entry]] = field(default_factory=dict)

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
        """Sites of a reporting entity by entry id."""
        return {key: site for key, site in self.sites.items() if site.entity == entity}

    def meters_of(self, site: str, *streams: str) -> dict[str, Meter]:
        """Meters of a site, of the named streams."""
        return {
            key: meter
            for key, meter in self.meters.items()
            if self.key(meter.site) == site and meter.stream in streams
        }

    def load(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Takes in stored facts.

        Raises:
            ValueError: one is no entry.
        """
        for body in bodies:
            self.apply(stored_entry(body))

    def apply(self, entry: Entry) -> None:
        """Takes in one fact that holds."""
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
        elif isinstance(payload, PeriodReopen):
            self.closed.pop(payload.period, None)
        elif isinstance(payload, FactorVersion):
            if payload.table == "grid_factors":
                grid = GridFactor.model_validate(dict(payload.row))
                self.grid[grid.name] = grid
            else:
                fuel = FuelFactor.model_validate(dict(payload.row))
                self.fuels[fuel.name] = fuel
