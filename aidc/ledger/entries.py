"""Entries and their kinds. The journal holds facts; tonnes are derived, never posted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from aidc.config import Config, dotted, faults_of, nearest
from aidc.errors import Fault
from aidc.ledger.fields import Text, Utc
from aidc.ledger.payloads import (
    Activity,
    Adjustment,
    Calc,
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    ReportedFigure,
)

KINDS: Final[dict[str, type[Config]]] = {
    "ledger": LedgerHead,
    "site": LedgerSite,
    "meter": Meter,
    "activity": Activity,
    "adjustment": Adjustment,
    "reported_figure": ReportedFigure,
    "calc": Calc,
    "factor_version": FactorVersion,
}


class _Header(Config):
    """What every entry has."""

    id: Text
    kind: Text
    schema_version: Literal[1] = 1
    valid_from: Utc
    valid_to: Utc
    payload: Mapping[str, Any]
    evidence: tuple[Text, ...] = Field(default=(), strict=False)
    supersedes: Text | None = None
    reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked entry, still without its place in the journal."""

    id: str
    kind: str
    valid_from: datetime
    valid_to: datetime
    payload: Config
    evidence: tuple[str, ...]
    supersedes: str | None
    reason: str | None

    def content(self) -> dict[str, Any]:
        """What the journal stores of it; equal content under one id is a safe retry."""
        made: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "schema_version": 1,
            "valid_from": self.valid_from,
            "valid_to": self.valid_to,
            "payload": self.payload.model_dump(exclude_none=True),
            "evidence": list(self.evidence),
        }
        if self.supersedes is not None:
            made["supersedes"] = self.supersedes
        if self.reason is not None:
            made["reason"] = self.reason
        return made


def read_entries(raw: Iterable[Mapping[str, Any]]) -> tuple[list[Entry], list[Fault]]:
    """Entries that hold on their own, and every fault of those that do not."""
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, given in enumerate(raw):
        place = str(given.get("id") or f"entry {number}")
        entry = _read(given, place, faults)
        if entry is not None:
            entries.append(entry)
    return entries, faults


def stored_entry(body: Mapping[str, Any]) -> Entry:
    """An entry as it was stored.

    Raises:
        ValueError: it is none.
    """
    faults: list[Fault] = []
    skip = ("seq", "prev", "recorded_at", "recorded_by", "role")
    entry = _read({k: v for k, v in body.items() if k not in skip}, str(body.get("id")), faults)
    if entry is None:
        raise ValueError("\n".join(map(str, faults)))
    return entry


def _read(given: Mapping[str, Any], place: str, faults: list[Fault]) -> Entry | None:
    data = dict(given)
    before = len(faults)
    header: _Header | None = None
    payload: Config | None = None
    try:
        header = _Header.model_validate(data)
    except ValidationError as error:
        faults.extend(_faults(place, (), error, data, _Header))
    kind = data.get("kind")
    model = KINDS.get(str(kind))
    if model is None:
        faults.append(
            Fault(
                "",
                0,
                0,
                f"{place}: kind",
                f"'{kind}' is no kind of entry{nearest(str(kind), KINDS)}",
            )
        )
    elif isinstance(data.get("payload"), Mapping):
        try:
            payload = model.model_validate(dict(data["payload"]))
        except ValidationError as error:
            faults.extend(_faults(place, ("payload",), error, data["payload"], model))
    if (
        header is not None
        and header.valid_to <= header.valid_from
        and kind in ("activity", "adjustment")
    ):
        faults.append(
            Fault(
                "",
                0,
                0,
                f"{place}: valid_to",
                f"{header.valid_to} is not after {header.valid_from}",
            )
        )
    if len(faults) > before or header is None or payload is None:
        return None
    return Entry(
        header.id,
        header.kind,
        header.valid_from,
        header.valid_to,
        payload,
        header.evidence,
        header.supersedes,
        header.reason,
    )


def _faults(
    place: str, under: tuple[str, ...], error: ValidationError, data: Any, model: type[Config]
) -> list[Fault]:
    return [
        Fault("", 0, 0, f"{place}: {dotted((*under, *path))}", message)
        for path, message, _ in faults_of(error, data, model)
    ]


def block_faults(entry: Entry, activity: Activity, zone: str) -> list[Fault]:
    """What is wrong between a block's times and its intervals."""
    faults = []
    seconds = activity.interval_s * len(activity.quantities)
    if entry.valid_from + timedelta(seconds=seconds) != entry.valid_to:
        faults.append(
            f"{len(activity.quantities)} intervals of {activity.interval_s} s do not reach from "
            f"{entry.valid_from} to {entry.valid_to}"
        )
    last = (entry.valid_to - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    first = entry.valid_from.astimezone(ZoneInfo(zone))
    if len(activity.quantities) > 1 and (first.year, first.month) != (last.year, last.month):
        faults.append(f"a block stays within one calendar month of {zone}; split it at the month")
    if activity.quality == "estimated" and activity.method is None:
        faults.append("an estimate names its method")
    return [Fault("", 0, 0, f"{entry.id}: payload", fault) for fault in faults]
