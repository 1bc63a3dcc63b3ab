"""Entries and their kinds. The journal holds facts; tonnes are derived, never posted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from aidc.config import Config, dotted, faults_of, nearest
from aidc.errors import Fault
from aidc.ledger.checks.assertion import Assertion
from aidc.ledger.factors.registry import Approval
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.fields import Digest, Text, Utc
from aidc.ledger.journal.payloads import (
    Activity,
    Adjustment,
    Anchor,
    Calc,
    EnergyTx,
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    PeriodClose,
    PeriodReopen,
    ReportedFigure,
)
from aidc.ledger.lots.lot import Lot, LotMove
from aidc.ledger.restatement.boundary import BoundaryEvent
from aidc.ledger.restatement.restate import Restatement
from aidc.ledger.scopes.scope3 import Asset

KINDS: Final[dict[str, type[Config]]] = {
    "ledger": LedgerHead,
    "site": LedgerSite,
    "meter": Meter,
    "activity": Activity,
    "energy_tx": EnergyTx,
    "adjustment": Adjustment,
    "factor_version": FactorVersion,
    "lot": Lot,
    "lot_move": LotMove,
    "approval": Approval,
    "asset": Asset,
    "boundary_event": BoundaryEvent,
    "restatement": Restatement,
    "assertion": Assertion,
    "reported_figure": ReportedFigure,
    "calc": Calc,
    "period_close": PeriodClose,
    "period_reopen": PeriodReopen,
    "anchor": Anchor,
}
COUNTED: Final = (
    "activity",
    "energy_tx",
    "adjustment",
)  # kinds that hold quantities of an interval
OPEN_ENDED: Final = (
    "site",
    "meter",
    "factor_version",
    "approval",
    "asset",
    "boundary_event",
    "lot_move",
    "anchor",
)  # kinds that hold from a time on: valid_to may be left out
NO_END: Final = "9999-12-31T00:00:00Z"
_STAMP: Final = ("seq", "prev", "recorded_at", "recorded_by", "role")


class Evidence(Config):
    """What an entry rests on: where it is, and the SHA-256 of its bytes."""

    locator: Text  # document, page, table and cell, or a file under evidence/
    sha256: Digest | None = None


class Header(Config):
    """What every entry has."""

    id: Text
    kind: Text
    schema_version: Literal[1] = 1
    valid_from: Utc
    valid_to: Utc
    payload: Mapping[str, Any]
    evidence: tuple[Evidence, ...] = Field(default=(), strict=False)
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
    evidence: tuple[Evidence, ...]
    supersedes: str | None
    reason: str | None

    def content(self) -> dict[str, Any]:
        """What the journal stores of it; equal content under one id is a safe retry."""
        made: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "schema_version": 1,
            "valid_from": utc_text(self.valid_from),
            "valid_to": utc_text(self.valid_to),
            "payload": self.payload.model_dump(exclude_none=True, by_alias=True),
            "evidence": [one.model_dump(exclude_none=True) for one in self.evidence],
        }
        if self.supersedes is not None:
            made["supersedes"] = self.supersedes
        if self.reason is not None:
            made["reason"] = self.reason
        return made


def read_entries(
    raw: Iterable[Mapping[str, Any]], *, first: int = 0
) -> tuple[list[Entry], list[Fault]]:
    """Entries that hold on their own, and every fault of those that do not.

    Args:
        raw: entries as given.
        first: number of the first of them, to name one that has no id.
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, given in enumerate(raw, first):
        if not isinstance(given, Mapping):
            faults.append(
                Fault("", 0, 0, f"entry {number}", "is no map of keys; see aidc ledger post")
            )
            continue
        entry = _read(given, str(given.get("id") or f"entry {number}"), faults)
        if entry is not None:
            entries.append(entry)
    return entries, faults


def content_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Content of a stored body, without its place and stamp."""
    return {key: value for key, value in body.items() if key not in _STAMP}


def stored_entry(body: Mapping[str, Any]) -> Entry:
    """An entry as it was stored.

    Raises:
        ValueError: it is none.
    """
    faults: list[Fault] = []
    entry = _read(content_of(body), str(body.get("id")), faults)
    if entry is None:
        raise ValueError("\n".join(map(str, faults)))
    return entry


def _read(given: Mapping[str, Any], place: str, faults: list[Fault]) -> Entry | None:
    data = dict(given)
    before = len(faults)
    header: Header | None = None
    payload: Config | None = None
    kind = data.get("kind")
    if kind in OPEN_ENDED:
        data.setdefault("valid_to", NO_END)
    try:
        header = Header.model_validate(data)
    except ValidationError as error:
        faults.extend(_faults(place, (), error, data, Header))
    model = KINDS.get(str(kind))
    if model is None:
        message = f"'{kind}' is no kind of entry{nearest(str(kind), KINDS)}"
        faults.append(Fault("", 0, 0, f"{place}: kind", message))
    elif isinstance(data.get("payload"), Mapping):
        try:
            payload = model.model_validate(dict(data["payload"]))
        except ValidationError as error:
            faults.extend(_faults(place, ("payload",), error, data["payload"], model))
    if header is not None and kind in COUNTED and header.valid_to <= header.valid_from:
        message = f"{header.valid_to} is not after {header.valid_from}"
        faults.append(Fault("", 0, 0, f"{place}: valid_to", message))
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
