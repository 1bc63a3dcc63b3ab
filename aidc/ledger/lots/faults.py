"""What a lot or a move is refused for: every fault at once, each with the entry and the remedy."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aidc.config import nearest
from aidc.ledger.factors.policies import is_region, provinces
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.names import plain
from aidc.ledger.lots.apart import same_mwh
from aidc.ledger.lots.criteria import criteria_faults
from aidc.ledger.lots.granular import HOUR_S
from aidc.ledger.lots.holdings import BEFORE, BY_HOLDER, Holding, Holdings, Part, may_move
from aidc.ledger.lots.lot import (
    Lot,
    LotMove,
    Serials,
    ccer_technologies,
    lot_rules,
    zero_technologies,
)

_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "acquire": ("entity",),
    "transfer": ("entity", "to"),
    "allocate": ("entity", "site"),
    "retire": ("entity", "beneficiary", "period_from", "period_to", "document"),
}
_HOURS_A_DAY: Final = 24


def lot_faults(
    held: Holdings, lot: Lot, generated: tuple[datetime, datetime], at: datetime
) -> list[str]:
    """What is wrong with a new lot.

    Args:
        held: the lots there are.
        lot: as issued.
        generated: its generation interval.
        at: when it is recorded.
    """
    faults = [*_shape_faults(lot, generated), *_place_faults(lot)]
    if generated[1] > at:
        faults.append(
            f"generated until {utc_text(generated[1])}, after it is recorded: not issued yet"
        )
    if lot.ccer_status != "none":
        faults.extend(_ccer_faults(lot))
    if lot.serials is not None:
        faults.extend(
            f"D1: serials {common} of {lot.registry} are in {other}; a serial stands once"
            for common, other in held.overlapping(lot.registry, lot.serials)
        )
    apart = {one.lot for one in lot.apart_from}
    faults.extend(
        f"apart_from: unknown lot '{name}'{nearest(name, held.lots)}"
        for name in sorted(apart - set(held.lots))
    )
    faults.extend(
        f"D3: {name} ({held.lots[name].lot.type}) is the same project and time; the same MWh counts "
        "once, as one certificate, contract or credit: void one of them first, or name it in "
        "apart_from with the document that shows other MWh"
        for name in held.of_project.get(plain(lot.project), ())
        if name not in apart and _counted_already(lot, generated, held.lots[name])
    )
    return faults


def _shape_faults(lot: Lot, generated: tuple[datetime, datetime]) -> Iterator[str]:
    rule = lot_rules()[lot.type]
    if generated[1] <= generated[0]:
        yield f"generated until {utc_text(generated[1])}, which is not after {utc_text(generated[0])}"
    if lot.unit != rule.measure:
        yield f"a {lot.type} is counted in {rule.measure}, not {lot.unit}"
    if (lot.serials is not None) != (rule.per_piece is not None):
        yield f"a {lot.type} has {'no ' if rule.per_piece is None else ''}serial numbers"
    if lot.serials is not None and rule.per_piece is not None:
        yield from _count_faults(lot.serials, lot.quantity, rule.per_piece, rule.measure)
    if rule.account == "scope2":
        if lot.criteria is None:
            yield "the eight quality criteria have no answers: give each yes, no or not_applicable"
        else:
            yield from criteria_faults(lot.criteria, lot.type)
    if rule.account == "scope2" and lot.factor is None and lot.type != "supplier_rate":
        known = zero_technologies()
        if lot.technology not in known:
            yield (
                f"lot_technologies.csv does not list '{lot.technology}'{nearest(lot.technology, known)} "
                "as without direct emissions: a contract of it conveys a factor"
            )
    if lot.type == "supplier_rate" and lot.factor is None:
        yield "a supplier rate names the factor version it conveys"
    if lot.factor is not None and lot.type not in ("supplier_rate", "ppa"):
        yield "only a contract or a supplier rate conveys a factor; others are without direct emissions"
    yield from _granular_faults(lot, generated)
    if lot.hour_weights is not None and (
        len(lot.hour_weights) != _HOURS_A_DAY or not any(lot.hour_weights)
    ):
        yield f"hour_weights are {_HOURS_A_DAY} whole numbers, not all 0"


def _place_faults(lot: Lot) -> Iterator[str]:
    if not is_region(lot.region):
        yield (
            f"'{lot.region}' is no ISO 3166-2 code of a place of generation{nearest(lot.region, provinces())}; "
            "write e.g. CN-JS, US-CA or DE"
        )


def _granular_faults(lot: Lot, generated: tuple[datetime, datetime]) -> Iterator[str]:
    if lot.type != "granular":
        if lot.interval_s is not None or lot.quantities is not None:
            yield f"interval_s and quantities belong to a granular lot, not to a {lot.type}"
        return
    if lot.interval_s is None or not lot.quantities:
        yield "a granular lot gives interval_s and the Wh of each interval"
        return
    if lot.interval_s > HOUR_S or HOUR_S % lot.interval_s:
        yield f"interval of {lot.interval_s} s: a granular interval divides an hour and is at most one"
    if sum(lot.quantities) != lot.quantity:
        yield f"its intervals hold {sum(lot.quantities)} Wh, not {lot.quantity}"
    if generated[0] + timedelta(seconds=lot.interval_s * len(lot.quantities)) != generated[1]:
        yield f"{len(lot.quantities)} intervals of {lot.interval_s} s do not fill its time"


def _count_faults(serials: Serials, quantity: int, per_piece: int, unit: str) -> Iterator[str]:
    if serials.last < serials.first:
        yield f"serials {serials} run backwards"
    elif serials.count * per_piece != quantity:
        yield f"serials {serials} are {serials.count * per_piece} {unit}, not {quantity}"


def _counted_already(lot: Lot, generated: tuple[datetime, datetime], other: Holding) -> bool:
    stands = any(part.state not in ("void", "expired") for part in other.parts)
    return (
        stands
        and lot.ccer_status != "issued"
        and same_mwh(lot, generated, other.lot, other.generated)
    )


def _ccer_faults(lot: Lot) -> Iterator[str]:
    known = ccer_technologies()
    row = known.get(lot.technology)
    if lot_rules()[lot.type].tier != "certificate":
        yield f"a {lot.type} is no certificate: a CCER application concerns certificates"
    elif row is None:
        listed = ", ".join(known)
        yield f"ccer_technologies.csv does not say whether {lot.technology} is admitted; it has {listed}"
    elif row.admitted == "no":
        yield f"application for CCER refused: {lot.technology} is {row.treatment} ({row.source})"


def move_faults(
    held: Holdings,
    move: LotMove,
    *,
    at: datetime,
    recorded_at: datetime,
    reason: str | None,
    sites: Mapping[str, str],
    zone: str,
) -> list[str]:
    """What is wrong with a move.

    Args:
        held: lots and their parts.
        move: what is to happen.
        at: when it happens.
        recorded_at: when it is recorded.
        reason: of the entry; voiding gives one.
        sites: entity of each site's id.
        zone: zone of calendar periods.
    """
    faults = [f"a {move.act} names its {name}" for name in _missing(move)]
    if at > recorded_at:
        faults.append(f"{utc_text(at)} is in the future of {utc_text(recorded_at)}")
    if move.act == "void" and not reason:
        faults.append("voiding gives its reason")
    faults.extend(_name_faults(move, sites))
    holding = held.lots.get(move.lot)
    if holding is None:
        return [*faults, f"unknown lot '{move.lot}'{nearest(move.lot, held.lots)}"]
    if move.act == "ccer_apply":
        faults.extend(_ccer_faults(holding.lot))
    if move.act == "retire":
        faults.extend(_retire_faults(holding, move, at, zone))
    shape = list(_serial_faults(holding, move))
    return [*faults, *(shape or _state_faults(held, holding, move, at))]


def _missing(move: LotMove) -> list[str]:
    given = move.model_dump()
    return [name for name in _NEEDS.get(move.act, ()) if given[name] is None]


def _name_faults(move: LotMove, sites: Mapping[str, str]) -> Iterator[str]:
    if move.site is not None:
        if move.site not in sites:
            yield f"unknown site '{move.site}'{nearest(move.site, sites)}"
        elif move.entity is not None and sites[move.site] != move.entity:
            yield f"{move.site} belongs to {sites[move.site]}, not to {move.entity}"
    if move.act == "acquire" and move.entity is not None and move.entity not in sites.values():
        yield f"unknown entity '{move.entity}'{nearest(move.entity, sites.values())}"


def _serial_faults(holding: Holding, move: LotMove) -> Iterator[str]:
    whole = holding.lot.serials
    if whole is None or holding.rule.per_piece is None:
        if move.serials is not None:
            yield f"{holding.entry_id} has no serial numbers"
    elif move.serials is None:
        yield f"{holding.entry_id} has serial numbers {whole}: say which"
    else:
        yield from _count_faults(
            move.serials, move.quantity, holding.rule.per_piece, holding.lot.unit
        )
        if move.serials.first < whole.first or move.serials.last > whole.last:
            yield f"D2: serials {move.serials} are not all in {holding.entry_id}, which has {whole}"


def _state_faults(held: Holdings, holding: Holding, move: LotMove, at: datetime) -> Iterator[str]:
    if move.serials is None:
        found = sum(end - start for start, end in held.spans(move, at))
        if found < move.quantity:
            parts = "; ".join(holding.shown(part) for part in holding.parts)
            yield (
                f"D2: {move.act} {move.quantity} {holding.lot.unit}, but {found} can be: {parts}"
            )
        return
    for part in holding.within(holding.span(move.serials)):
        if not may_move(part, move):
            yield _not_from(holding, part, move)
        elif part.since > at:
            yield f"{move.act} at {utc_text(at)}, before {part.by} of {utc_text(part.since)}"


def _not_from(holding: Holding, part: Part, move: LotMove) -> str:
    what = holding.shown(part)
    if part.state == "retired" and move.act == "retire":
        check = "D14" if holding.rule.account == "offset" else "D1"
        return f"{check}: {what}: what is retired counts once"
    if part.state == "frozen":
        return f"D3: {what}, a CCER application: {move.act} is refused until it is decided"
    if part.state in ("void", "expired"):
        return f"{what}: it can never count again"
    if move.act in BY_HOLDER and part.entity != move.entity:
        return f"D2: {what}: {move.entity} does not hold it"
    if part.state in BEFORE[move.act]:
        return f"{what}: allocated to another site than {move.site}"
    return f"{what}: {move.act} goes from {' or '.join(BEFORE[move.act])}"


def _retire_faults(holding: Holding, move: LotMove, at: datetime, zone: str) -> Iterator[str]:
    local = ZoneInfo(zone)
    rule = holding.rule
    produced = (holding.generated[1] - timedelta(seconds=1)).astimezone(local).date()
    until = rule.usable_until(holding.lot, produced)
    if until is not None and at.astimezone(local).date() > until:
        kind = "as its lot says" if holding.lot.expires_on else f"validity {rule.validity_status}"
        yield f"{holding.entry_id} could be retired until {until} ({kind}), not on {utc_text(at)}"
    if rule.account == "offset" and move.claim is None:
        yield "D14: a retired credit names the one claim it serves"
    if move.period_from is None or move.period_to is None:
        return
    if move.period_to <= move.period_from:
        yield f"consumption until {utc_text(move.period_to)} is not after {utc_text(move.period_from)}"
        return
    last = move.period_to - timedelta(seconds=1)
    if last.astimezone(local).year != move.period_from.astimezone(local).year:
        yield (
            f"consumption from {utc_text(move.period_from)} to {utc_text(move.period_to)} is more than one "
            f"calendar year of {zone}; retire serials for each year"
        )
