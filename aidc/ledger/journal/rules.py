"""What an entry must keep to when it joins a journal: roles, references, units, time, balance."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from aidc.config import Config, dotted, faults_of, nearest
from aidc.errors import Fault, InputError, LedgerError
from aidc.ledger.checks.assertion import Assertion, assertion_faults
from aidc.ledger.factors.registry import TABLES, Approval, approval_faults, read_row, row_faults
from aidc.ledger.journal import merkle
from aidc.ledger.journal.authority import closed_faults, role_faults
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.context import Context
from aidc.ledger.journal.counts import read_counts
from aidc.ledger.journal.entries import COUNTED, Entry
from aidc.ledger.journal.fields import base_unit_of
from aidc.ledger.journal.heat import national_default
from aidc.ledger.journal.names import same_person
from aidc.ledger.journal.payloads import (
    ACCOUNTS,
    Activity,
    Adjustment,
    EnergyTx,
    FactorVersion,
    LedgerHead,
    LedgerSite,
    Meter,
    PeriodClose,
    PeriodReopen,
)
from aidc.ledger.lots.faults import lot_faults, move_faults
from aidc.ledger.lots.lot import Lot, LotMove
from aidc.ledger.lots.own_pv import beyond_meter
from aidc.ledger.restatement.boundary import BoundaryEvent
from aidc.ledger.restatement.restate import Restatement
from aidc.ledger.restatement.restating import boundary_faults, restatement_faults
from aidc.ledger.scopes.scope3 import ITEM_STREAMS, Asset

_FIXED_OF_METER: Final = ("site", "stream", "unit", "fuel", "item")  # what was counted stays that
_REPLACED_IN_PLACE: Final = (
    "site",
    "meter",
    "reported_figure",
    "asset",
    "boundary_event",
    "assertion",
)  # kinds that an entry may supersede


def faults_of_entry(entry: Entry, known: Context) -> list[Fault]:
    """Every fault of an entry that holds on its own, against what is recorded."""
    payload = entry.payload
    found = [Fault("", 0, 0, entry.id, text) for text in _common_faults(entry, known)]
    rule = _RULES.get(type(payload))
    if rule is not None:
        found.extend(
            Fault("", 0, 0, f"{entry.id}: {field}" if field else entry.id, text)
            for field, text in rule(entry, payload, known)
        )
    return found


def _common_faults(entry: Entry, known: Context) -> Iterator[str]:
    register = known.register
    yield from role_faults(entry, known)
    if (register.head is None) != isinstance(entry.payload, LedgerHead):
        yield "entry 0, and no other, is the ledger entry; make a new one with aidc ledger init"
    if entry.supersedes is not None:
        if not entry.reason:
            yield "a correction gives its reason"
        if entry.kind in _REPLACED_IN_PLACE:
            versions = register.versions(entry.supersedes)
            if not versions or versions[-1].kind != entry.kind:
                yield _unknown(f"{entry.kind} to supersede", entry.supersedes, register.entries)
        elif entry.kind != "adjustment":
            yield f"a {entry.kind} supersedes nothing; {', '.join(_REPLACED_IN_PLACE)} may, and an adjustment does"
    yield from closed_faults(entry, known)


Found = Iterator[tuple[str, str]]


def _site(entry: Entry, site: LedgerSite, known: Context) -> Found:
    register = known.register
    own = register.key(entry.supersedes or entry.id)
    for key, other in register.sites_of(site.entity).items():
        if other.name == site.name and key != own:
            yield (
                "payload.name",
                f"{key} is called '{site.name}' already: figures name sites, give this one another name",
            )
    if site.share != 1:
        yield (
            "payload.share",
            f"a share of {site.share} is not applied by the books: they count a site in full",
        )


def _unit_of(meter: Meter) -> Found:
    """Fuel is counted in Wh, or in ml or g with its heat content; every other stream in its base unit."""
    unit, content = base_unit_of(meter.stream), meter.heat_content
    by_heat = meter.stream == "fuel" and meter.unit in ("ml", "g")
    if content is not None and not by_heat:
        yield "payload.heat_content", "a fuel meter that counts ml or g, and no other, has one"
    elif content is not None and content.base_unit != meter.unit:
        yield (
            "payload.heat_content",
            f"{content.unit} is not of the {meter.unit} that the meter counts",
        )
    if by_heat and content is None:
        default = national_default(str(meter.fuel))
        yield "payload.heat_content", f"fuel in {meter.unit} names it: value, unit, source{default}"
    elif meter.unit != unit and not by_heat:
        yield "payload.unit", f"{meter.stream} is counted in {unit}, not {meter.unit}"


def _meter(entry: Entry, meter: Meter, known: Context) -> Found:
    if entry.supersedes is not None:
        before = known.register.meters.get(known.register.key(entry.supersedes))
        for name in _FIXED_OF_METER:
            if before is not None and getattr(meter, name) != getattr(before, name):
                yield (
                    f"payload.{name}",
                    f"a later version keeps its {name}, {getattr(before, name)}; post another meter",
                )
    if known.register.key(meter.site) not in known.register.sites:
        yield "payload.site", _unknown("site", meter.site, known.register.sites)
    yield from _unit_of(meter)
    if (meter.stream == "fuel") != (meter.fuel is not None):
        yield "payload.fuel", "a fuel meter, and no other, names its fuel"
    if (meter.stream in ITEM_STREAMS) != (meter.item is not None):
        named = ", ".join(ITEM_STREAMS)
        yield "payload.item", f"a meter of {named}, and no other, names its item, such as R-410A"
    if (meter.stream == "pv") != (meter.attribute_kept is not None):
        yield (
            "payload.attribute_kept",
            "a pv meter, and no other, says attribute_kept: false once certificates are sold",
        )


def _activity(entry: Entry, activity: Activity, known: Context) -> Found:
    yield from _counted(entry, activity, known, None)


def _counted(entry: Entry, activity: Activity, known: Context, without: int | None) -> Found:
    meter = known.register.meters.get(activity.meter)
    if meter is None:
        named = known.register.key(activity.meter)
        text = (
            f"'{activity.meter}' superseded '{named}': counts stay under that id"
            if named in known.register.meters
            else _unknown("meter", activity.meter, known.register.meters)
        )
        yield "payload.meter", text
    elif activity.unit != meter.unit:
        remedy = ""
        if meter.stream == "fuel" and meter.unit == "Wh":
            remedy = "; a fuel meter in ml or g with its heat_content takes the bill's own number"
        yield "payload.unit", f"the meter counts {meter.unit}, not {activity.unit}{remedy}"
    for text in _block_faults(entry, activity, known.calendar(activity), known.recorded_at):
        yield "payload", text
    yield from _overlap(entry, activity.meter, known, without)


def _overlap(entry: Entry, meter: str, known: Context, without: int | None) -> Found:
    start, stop = int(entry.valid_from.timestamp()), int(entry.valid_to.timestamp())
    other = known.index.overlap(meter, start, stop, without)
    if other is not None:
        since, until = (utc_text(datetime.fromtimestamp(t, UTC)) for t in (other.start, other.stop))
        name = known.index.id_of(other.seq)
        yield (
            "valid_from",
            f"overlaps {name}, which holds {since} to {until}; post an adjustment that supersedes it",
        )


def _block_faults(
    entry: Entry, activity: Activity, zone: str, recorded_at: datetime
) -> Iterator[str]:
    count = len(activity.quantities)
    seconds = activity.interval_s * count
    if entry.valid_from + timedelta(seconds=seconds) != entry.valid_to:
        yield (
            f"{count} intervals of {activity.interval_s} s do not reach from "
            f"{entry.valid_from} to {entry.valid_to}"
        )
    if count > 1:
        last = (entry.valid_to - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        first = entry.valid_from.astimezone(ZoneInfo(zone))
        if (first.year, first.month) != (last.year, last.month):
            yield f"a block stays within one calendar month of {zone}; split it at the month"
    if count > 1 and activity.across_edges is not None:
        yield "across_edges is of one interval, such as a bill: a block is split between its own"
    if activity.quality == "estimated" and activity.method is None:
        yield "an estimate names its method"
    if activity.quality in ("metered", "billed") and entry.valid_to > recorded_at:
        yield f"it was {activity.quality} until {entry.valid_to}, after it was recorded at {recorded_at}"


def _energy_tx(entry: Entry, moved: EnergyTx, known: Context) -> Found:
    site = known.register.key(moved.site)
    if site not in known.register.sites:
        yield "payload.site", _unknown("site", moved.site, known.register.sites)
    for number, move in enumerate(moved.moves):
        place = f"payload.moves[{number}]"
        for name in (move.source, move.target):
            if name.partition(":")[0] not in ACCOUNTS:
                yield place, _unknown("account", name, dict.fromkeys(ACCOUNTS))
        if move.rounding:
            if move.meter is not None:
                yield place, "what rounding leaves has no meter"
            continue
        meter = known.register.meters.get(str(move.meter))
        if meter is None:
            yield place, _unknown("meter", str(move.meter), known.register.meters)
        elif move.stream != meter.stream or known.register.key(meter.site) != site:
            yield (
                place,
                f"{move.meter} counts {meter.stream} of {meter.site}, not {move.source} to "
                f"{move.target} at {moved.site}; an export is never netted against an import",
            )
    yield from _whole_tx(moved)
    for name in moved.counted():
        yield from _overlap(entry, name, known, None)


def _whole_tx(moved: EnergyTx) -> Found:
    rounded, metered = moved.rounding_wh, len(moved.counted())
    if rounded > metered:
        yield "payload.moves", f"rounding leaves one Wh a stream at most, not {rounded} (D17)"
    if len(moved.buses) > 1:
        yield "payload.moves", f"one entry has one bus, not {' and '.join(moved.buses)}"
    if moved.quality == "estimated" and moved.method is None:
        yield "payload.method", "an estimate names its method"
    if moved.open_wh:
        yield (
            "payload.moves",
            f"the bus is open by {moved.open_wh} Wh: what comes in goes out (D17)",
        )


def _adjustment(entry: Entry, adjustment: Adjustment, known: Context) -> Found:
    if entry.supersedes is None:
        yield "supersedes", "an adjustment names what it takes back, and gives its reason"
        return
    target = known.index.place(entry.supersedes)
    if target is None or target[1] not in COUNTED:
        if target is not None and target[1] in _REPLACED_IN_PLACE:
            remedy = f"; {entry.supersedes} is superseded by a later {target[1]}"
        else:
            remedy = nearest(entry.supersedes, known.register.entries)
        yield "supersedes", f"no activity to supersede of id '{entry.supersedes}'{remedy}"
    elif known.index.taken_back(target[0]):
        yield "supersedes", f"{entry.supersedes} is taken back already"
    if adjustment.replacement is not None:
        yield from _counted(entry, adjustment.replacement, known, target[0] if target else None)


def _factor(_: Entry, version: FactorVersion, known: Context) -> Found:
    try:
        row = read_row(version.table, version.row)
    except ValidationError as error:
        for path, message, _key in faults_of(error, dict(version.row), TABLES[version.table]):
            yield dotted(("payload", "row", *path)), message
        return
    on = known.recorded_at.astimezone(ZoneInfo(known.zone)).date()
    for text in row_faults(row, known.register.factors, on):
        yield "payload.row", text


def _lot(entry: Entry, lot: Lot, known: Context) -> Found:
    register = known.register
    times = (entry.valid_from, entry.valid_to)
    for text in lot_faults(register.lots, lot, times, known.recorded_at):
        yield "payload", text
    if lot.factor is not None and lot.factor not in register.grid:
        yield "payload.factor", _unknown("factor version", lot.factor, register.grid)
    elif lot.factor is not None and register.grid[lot.factor].kind != "supplier":
        yield "payload.factor", f"{lot.factor} is no supplier's factor"
    if lot.meter is not None:
        meter = register.meters.get(register.key(lot.meter))
        if meter is None or meter.stream != "pv":
            yield "payload.meter", _unknown("PV meter", lot.meter, register.meters)
            return
    counts = partial(read_counts, known.index, upto=known.seq, zone=known.zone)
    over = beyond_meter(register.lots, register.key, counts, lot, times)
    if over is not None:
        yield (
            "payload.quantity",
            f"D2: {over[0]} Wh certified of {lot.meter}, which counted {over[1]}",
        )


def _lot_move(entry: Entry, move: LotMove, known: Context) -> Found:
    found = move_faults(
        known.register.lots,
        move,
        at=entry.valid_from,
        recorded_at=known.recorded_at,
        reason=entry.reason,
        sites={key: site.entity for key, site in known.register.sites.items()},
        zone=known.zone,
    )
    for text in found:
        yield "payload", text


def _approval(_: Entry, approval: Approval, known: Context) -> Found:
    posted_by = {one.entry_id: one.recorded_by for one in known.register.factors}
    for text in approval_faults(
        approval, role=known.role, by=known.recorded_by, posted_by=posted_by
    ):
        yield "payload.of", text


def _asset(_: Entry, asset: Asset, known: Context) -> Found:
    if known.register.key(asset.site) not in known.register.sites:
        yield "payload.site", _unknown("site", asset.site, known.register.sites)
    if (asset.embodied_kgco2e is None) != (asset.embodied_source is None):
        yield "payload.embodied_source", "embodied carbon comes with its source, or not at all"


def _close(_: Entry, close: PeriodClose, known: Context) -> Found:
    if same_person(close.approved_by, known.recorded_by):
        yield "payload.approved_by", "closing a period needs a second name"
    if close.period in known.register.closed:
        yield "payload.period", f"{close.period} is closed already"
    first = known.register.covered
    leaves = known.index.stored_hashes(first, known.seq)
    if len(leaves) != known.seq - first:
        yield "", "a close is posted alone, after what it covers"
    elif (close.first_seq, close.entries) != (first, len(leaves)):
        yield "payload.entries", "other entries were posted meanwhile; close the period again"
    elif (close.head, close.root) != (leaves[-1], merkle.root(leaves)):
        yield "payload.root", "the entries since the close before do not give this root and head"


def _reopen(entry: Entry, reopen: PeriodReopen, known: Context) -> Found:
    if same_person(reopen.approved_by, known.recorded_by):
        yield "payload.approved_by", "reopening a period needs a second name"
    if reopen.period not in known.register.closed:
        yield "payload.period", f"{reopen.period} is not closed"
    if not entry.reason:
        yield "reason", "reopening a period needs a reason"


def _boundary(_: Entry, event: BoundaryEvent, known: Context) -> Found:
    for text in boundary_faults(known.register, event, known.recorded_at):
        yield "payload", text


def _restatement(_: Entry, made: Restatement, known: Context) -> Found:
    if known.role != "approver":
        yield "", f"restating is an act of the approver, not of the {known.role}"
    try:
        for text in restatement_faults(known.register, made, known.recorded_by):
            yield "payload", text
    except (InputError, LedgerError) as error:
        yield "payload", str(error)


def _assertion(_: Entry, made: Assertion, known: Context) -> Found:
    yield from assertion_faults(made, known.register)


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    return f"unknown {what} '{name}'{nearest(name, known)}"


Rule = Callable[[Entry, Any, Context], Found]
_RULES: Final[Mapping[type[Config], Rule]] = {
    LedgerSite: _site,
    Meter: _meter,
    Activity: _activity,
    EnergyTx: _energy_tx,
    Adjustment: _adjustment,
    Lot: _lot,
    LotMove: _lot_move,
    FactorVersion: _factor,
    Approval: _approval,
    Asset: _asset,
    BoundaryEvent: _boundary,
    Restatement: _restatement,
    Assertion: _assertion,
    PeriodClose: _close,
    PeriodReopen: _reopen,
}
