"""Who may post what, and what a closed period no longer takes."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aidc.config import Config
from aidc.ledger.journal.context import Context
from aidc.ledger.journal.entries import COUNTED, Entry
from aidc.ledger.journal.payloads import Activity, EnergyTx
from aidc.ledger.journal.periods import period_of
from aidc.ledger.journal.register import Register
from aidc.ledger.lots.lot import Lot, LotMove
from aidc.ledger.restatement.boundary import JOINS, BoundaryEvent
from aidc.ledger.scopes.scope3 import Asset

_PLANNER: Final = ("site", "meter", "activity", "energy_tx", "lot", "lot_move")
_APPROVER: Final = ("approval", "period_close", "period_reopen", "restatement")
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def role_faults(entry: Entry, known: Context) -> Iterator[str]:
    """What the role of who posts does not allow."""
    role, kind = known.role, entry.kind
    if role == "bms" and kind != "activity":
        yield f"the BMS posts activity and nothing else, not a {kind}"
    if role == "planner":
        if kind not in _PLANNER or entry.supersedes is not None:
            yield (
                f"a planner posts {', '.join(_PLANNER)} of a simulation and supersedes nothing; "
                f"a {kind} is posted by an accountant"
            )
        elif _measured(entry.payload):
            yield "a planner posts simulated activity alone; an accountant or the BMS posts measured data"
        elif not _planned(entry.payload, known.register):
            yield "a planner posts lots of a plan alone (planned: true); an accountant posts issued ones"
    if kind in _APPROVER and role != "approver":
        yield f"a {kind} is an act of the approver, not of the {role}"


def _measured(payload: Config) -> bool:
    return isinstance(payload, Activity | EnergyTx) and payload.quality != "simulated"


def _planned(payload: Config, register: Register) -> bool:
    if isinstance(payload, LotMove):
        lot = register.of(Lot).get(payload.lot)
        return lot is None or lot.planned
    return not isinstance(payload, Lot) or payload.planned


def closed_faults(entry: Entry, known: Context) -> Iterator[str]:
    """Closed periods that an entry would change."""
    closed = known.register.closed
    if not closed:
        return
    zone = known.calendar(entry.payload)
    touched = [span for span in _touched(entry, known) if span is not None]
    for period in closed:
        start, end = period_of(period, zone)
        if any(since < end and until > start for since, until in touched):
            yield f"{period} is closed; reopen it with a reason and an approver, or post to a later period"


def _touched(entry: Entry, known: Context) -> Iterator[tuple[datetime, datetime] | None]:
    """Times in which figures change when an entry joins."""
    payload = entry.payload
    if entry.kind in COUNTED:
        yield entry.valid_from, entry.valid_to
        place = known.index.place(entry.supersedes) if entry.supersedes else None
        span = known.index.span_of(place[0]) if place else None
        if span is not None:
            yield datetime.fromtimestamp(span[0], UTC), datetime.fromtimestamp(span[1], UTC)
    elif entry.kind == "meter" and entry.supersedes is not None:
        yield entry.valid_from, _LAST
    elif entry.kind in ("site", "boundary_event") and entry.supersedes is not None:
        yield _FIRST, _LAST
    elif isinstance(payload, BoundaryEvent) and payload.site is not None:
        at = datetime.combine(payload.effective, time(), ZoneInfo(known.zone))
        yield (_FIRST, at) if payload.event in JOINS else (at, _LAST)
    elif isinstance(payload, LotMove) and payload.period_from and payload.period_to:
        yield payload.period_from, payload.period_to
    elif isinstance(payload, Asset):
        at = datetime.combine(payload.purchased_on, time(), ZoneInfo(known.zone))
        yield at, at + timedelta(days=1)
