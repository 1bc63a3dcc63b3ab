"""What a journal says, in memory: sites, meters, factors, counts, figures; rebuilt from the entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aidc.config import nearest
from aidc.errors import Fault
from aidc.ledger import canonical
from aidc.ledger.activity import Block, Blocks, block_of
from aidc.ledger.entries import Entry, block_faults, stored_entry
from aidc.ledger.factors import FuelFactor, GridFactor
from aidc.ledger.fields import base_unit_of
from aidc.ledger.payloads import (
    Activity,
    Adjustment,
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    ReportedFigure,
)


@dataclass(slots=True)
class Register:
    """An index over the journal. Nothing is answered from it that a rebuild would not give."""

    seen: int = 0
    head: LedgerHead | None = None
    content: dict[str, str] = field(default_factory=dict)  # id -> hash of its content
    kinds: dict[str, str] = field(default_factory=dict)
    sites: dict[str, LedgerSite] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    grid: dict[str, tuple[GridFactor, datetime]] = field(default_factory=dict)
    fuels: dict[str, tuple[FuelFactor, datetime]] = field(default_factory=dict)
    figures: list[ReportedFigure] = field(default_factory=list)
    blocks: Blocks = field(default_factory=Blocks)

    def sites_of(self, entity: str) -> dict[str, LedgerSite]:
        """Sites of a reporting entity by entry id."""
        return {key: site for key, site in self.sites.items() if site.entity == entity}

    def meters_of(self, site: str, *streams: str) -> dict[str, Meter]:
        """Meters of a site, of the named streams."""
        return {
            key: meter
            for key, meter in self.meters.items()
            if meter.site == site and meter.stream in streams
        }

    def load(self, lines: Iterable[bytes]) -> None:
        """Takes in stored bodies."""
        for stored in lines:
            body = canonical.read(stored)
            entry = stored_entry(body)
            recorded_at = datetime.fromisoformat(str(body["recorded_at"]))
            self.apply(entry, recorded_at)
            self.seen += 1

    def new(
        self, entries: Iterable[Entry], recorded_at: datetime, role: str
    ) -> tuple[list[Entry], list[Fault]]:
        """Entries that are not yet there, each applied; and every fault of the others.

        After a fault the register holds half a batch and has to be rebuilt.
        """
        fresh: list[Entry] = []
        faults: list[Fault] = []
        for entry in entries:
            digest = canonical.plain_hash(entry.content())
            if entry.id in self.content:
                if self.content[entry.id] != digest:
                    message = "is recorded with other content; a correction is an adjustment with an id of its own"
                    faults.append(Fault("", 0, 0, entry.id, message))
                continue
            found = self._faults(entry, recorded_at, role)
            faults.extend(found)
            if not found:
                self.apply(entry, recorded_at, digest)
                fresh.append(entry)
        return fresh, faults

    def apply(self, entry: Entry, recorded_at: datetime, digest: str | None = None) -> None:
        """Takes in one entry that holds."""
        self.content[entry.id] = digest or canonical.plain_hash(entry.content())
        self.kinds[entry.id] = entry.kind
        payload = entry.payload
        if isinstance(payload, LedgerHead):
            self.head = payload
        elif isinstance(payload, LedgerSite):
            self.sites[entry.id] = payload
        elif isinstance(payload, Meter):
            self.meters[entry.id] = payload
        elif isinstance(payload, ReportedFigure):
            self.figures.append(payload)
        elif isinstance(payload, Activity):
            self.blocks.add(block_of(entry, payload, recorded_at))
        elif isinstance(payload, Adjustment):
            self.blocks.taken_back[str(entry.supersedes)] = recorded_at
            if payload.replacement is not None:
                self.blocks.add(block_of(entry, payload.replacement, recorded_at))
        elif isinstance(payload, FactorVersion):
            if payload.table == "grid_factors":
                grid = GridFactor.model_validate(dict(payload.row))
                self.grid[grid.name] = (grid, recorded_at)
            else:
                fuel = FuelFactor.model_validate(dict(payload.row))
                self.fuels[fuel.name] = (fuel, recorded_at)

    def _faults(self, entry: Entry, recorded_at: datetime, role: str) -> list[Fault]:
        payload = entry.payload
        faults: list[str] = []
        if role == "bms" and entry.kind != "activity":
            faults.append(f"the BMS posts activity and nothing else, not a {entry.kind}")
        if (self.head is None) != isinstance(payload, LedgerHead):
            faults.append(
                "entry 0, and no other, is the ledger entry; make a new one with Ledger.init"
            )
        if isinstance(payload, Meter):
            faults.extend(self._meter_faults(payload))
        if isinstance(payload, FactorVersion):
            faults.extend(_factor_faults(payload))
        found = [Fault("", 0, 0, entry.id, fault) for fault in faults]
        if isinstance(payload, Activity):
            found.extend(self._activity_faults(entry, payload, recorded_at, None))
        if isinstance(payload, Adjustment):
            found.extend(self._adjustment_faults(entry, payload, recorded_at))
        return found

    def _meter_faults(self, meter: Meter) -> list[str]:
        faults = []
        if meter.site not in self.sites:
            faults.append(_unknown("site", meter.site, self.sites))
        if meter.unit != base_unit_of(meter.stream):
            faults.append(
                f"{meter.stream} is counted in {base_unit_of(meter.stream)}, not {meter.unit}"
            )
        if (meter.stream == "fuel") != (meter.fuel is not None):
            faults.append("a fuel meter, and no other, names its fuel")
        if (meter.stream == "pv") != (meter.attribute_kept is not None):
            faults.append(
                "a pv meter, and no other, says attribute_kept: false once certificates are sold"
            )
        return faults

    def _activity_faults(
        self, entry: Entry, activity: Activity, recorded_at: datetime, without: str | None
    ) -> list[Fault]:
        found: list[Fault] = []
        if activity.meter not in self.meters:
            message = _unknown("meter", activity.meter, self.meters)
            found.append(Fault("", 0, 0, f"{entry.id}: payload.meter", message))
        elif activity.unit != self.meters[activity.meter].unit:
            message = f"the meter counts {self.meters[activity.meter].unit}, not {activity.unit}"
            found.append(Fault("", 0, 0, f"{entry.id}: payload.unit", message))
        if self.head is not None:
            found.extend(block_faults(entry, activity, self.head.zone))
        overlap = self.blocks.overlap(block_of(entry, activity, recorded_at), without)
        return [*found, overlap] if overlap else found

    def _adjustment_faults(
        self, entry: Entry, adjustment: Adjustment, recorded_at: datetime
    ) -> list[Fault]:
        faults = []
        if not entry.reason:
            faults.append("a correction gives its reason")
        target = entry.supersedes
        if target is None or self.kinds.get(target) not in ("activity", "adjustment"):
            faults.append(_unknown("activity to supersede", str(target), self.kinds))
        elif target in self.blocks.taken_back:
            faults.append(f"{target} is taken back already")
        found = [Fault("", 0, 0, entry.id, fault) for fault in faults]
        if adjustment.replacement is not None:
            found.extend(self._activity_faults(entry, adjustment.replacement, recorded_at, target))
        return found

    def live(self, meter: str, known_on: datetime | None) -> list[Block]:
        """Blocks of a meter that stood at a time, in order."""
        return self.blocks.live(meter, known_on)


def _factor_faults(version: FactorVersion) -> list[str]:
    model = GridFactor if version.table == "grid_factors" else FuelFactor
    try:
        model.model_validate(dict(version.row))
    except ValueError as error:
        return [f"the factor row does not hold: {error}"]
    return []


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    return f"unknown {what} '{name}'{nearest(name, known)}"
