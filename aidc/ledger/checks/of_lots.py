"""Checks D1 to D4, D14 and D15: lots and credits used twice, over, out of time, or against the PV they certify.

Posting refuses most of these already. The checks look at the entries themselves, so that a journal
that came from elsewhere is held to the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final
from zoneinfo import ZoneInfo

from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.checks.inspection import Inspection
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.entries import Entry
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.payloads import Meter
from aidc.ledger.lots.apart import declared_apart, same_mwh
from aidc.ledger.lots.lot import Lot, LotMove, lot_rules
from aidc.ledger.lots.own_pv import beyond_meter

_AFTER_APPLYING: Final = ("acquire", "transfer", "allocate", "retire")


@dataclass(frozen=True, slots=True)
class _Moved:
    """A move with its lot and when it was made."""

    id: str
    move: LotMove
    lot: Lot
    at: datetime


def _moves(asked: Inspection, *acts: str) -> Iterator[_Moved]:
    register = asked.readings.register
    lots = register.of(Lot)
    for name, move in register.of(LotMove).items():
        if move.act in acts and move.lot in lots:
            yield _Moved(name, move, lots[move.lot], register.entries[name].valid_from)


def _void(asked: Inspection) -> set[str]:
    return {one.move.lot for one in _moves(asked, "void", "expire")}


def d1_retired_twice(asked: Inspection) -> Iterator[Trip]:
    """Serial retired twice, in any book, period or company of the ledger."""
    yield from _twice("D1", (one for one in _moves(asked, "retire") if _account(one) == "scope2"))


def _account(one: _Moved) -> str:
    return lot_rules()[one.lot.type].account


def _twice(check: str, retired: Iterable[_Moved]) -> Iterator[Trip]:
    runs = sorted(
        (plain(one.lot.registry), one.move.serials.first, one.move.serials.last, one.id)
        for one in retired
        if one.move.serials is not None
    )
    reached: dict[str, tuple[int, str]] = {}  # of each registry: highest serial, and who retired it
    for registry, first, last, entry in runs:
        highest, other = reached.get(registry, (first - 1, entry))
        if first <= highest:
            yield Trip(
                check,
                (other, entry),
                f"serials {first} to {min(last, highest)} of {registry} are retired twice",
                "keep the retirement that the registry shows and void the other",
            )
        reached[registry] = max((last, entry), (highest, other))


def d2_more_than_held(asked: Inspection) -> Iterator[Trip]:
    """More retired than acquired or issued."""
    issued: dict[str, int] = {}
    held: dict[tuple[str, str | None], int] = {}
    ids: dict[tuple[str, str | None], list[str]] = {}
    for one in _moves(asked, "acquire", "transfer", "retire"):
        move = one.move
        ids.setdefault((move.lot, move.entity), []).append(one.id)
        if move.act == "retire":
            issued[move.lot] = issued.get(move.lot, 0) + move.quantity
        sign = 1 if move.act == "acquire" else -1
        held[move.lot, move.entity] = held.get((move.lot, move.entity), 0) + sign * move.quantity
        if move.act == "transfer":
            held[move.lot, move.to] = held.get((move.lot, move.to), 0) + move.quantity
    lots = asked.readings.register.of(Lot)
    remedy = "post the acquisition that is missing, or void what was retired too much"
    for lot, quantity in issued.items():
        if quantity > lots[lot].quantity:
            message = f"{quantity} {lots[lot].unit} of {lot} are retired, {lots[lot].quantity} were issued"
            yield Trip("D2", (lot,), message, remedy)
    for (lot, entity), left in held.items():
        if left < 0:
            message = (
                f"{entity} gave away or retired {-left} {lots[lot].unit} of {lot} more than it had"
            )
            yield Trip("D2", (lot, *ids[lot, entity]), message, remedy)
    yield from _more_than_counted(asked)


def _more_than_counted(asked: Inspection) -> Iterator[Trip]:
    """Certificates of own PV beyond what its meter counted."""
    register, gone = asked.readings.register, _void(asked)
    for name, one in register.lots.lots.items():
        if one.lot.meter is None or register.key(one.lot.meter) not in register.meters:
            continue
        over = beyond_meter(
            register.lots, register.key, asked.readings.counts, one.lot, one.generated
        )
        if over is not None and name not in gone:
            message = f"{over[0]} Wh are certified of {one.lot.meter}, which counted {over[1]}"
            yield Trip("D2", (name, one.lot.meter), message, "void what was certified too much")


def d3_same_mwh(asked: Inspection) -> Iterator[Trip]:
    """Same MWh as two certificates, contracts or credits, or a GEC frozen by a CCER application."""
    register, gone = asked.readings.register, _void(asked)
    of_project: dict[str, list[tuple[str, Lot]]] = {}
    for name, lot in register.of(Lot).items():
        if name not in gone and lot.ccer_status != "issued":
            of_project.setdefault(plain(lot.project), []).append((name, lot))
    for lots in of_project.values():
        for (name, lot), (other, second) in combinations(lots, 2):
            if same_mwh(
                lot, _generated(asked, name), second, _generated(asked, other)
            ) and not declared_apart(name, lot, other, second):
                yield Trip(
                    "D3",
                    (name, other),
                    f"the same MWh of {lot.project} are a {lot.type} and a {second.type}",
                    "the same MWh counts once: void the other, or show in apart_from that they differ",
                )
    yield from _frozen(asked)


def _generated(asked: Inspection, lot: str) -> tuple[datetime, datetime]:
    entry = asked.readings.register.entries[lot]
    return entry.valid_from, entry.valid_to


def _frozen(asked: Inspection) -> Iterator[Trip]:
    """Moves of a lot after an application for CCER, which freezes it until it is withdrawn."""
    register = asked.readings.register
    since: dict[str, str] = {
        name: name for name, lot in register.of(Lot).items() if lot.ccer_status != "none"
    }
    for one in _moves(asked, "ccer_apply", "ccer_withdraw", *_AFTER_APPLYING):
        lot = one.move.lot
        if one.move.act == "ccer_apply":
            since[lot] = one.id
        elif one.move.act == "ccer_withdraw":
            since.pop(lot, None)
        elif lot in since:
            yield Trip(
                "D3",
                (lot, since[lot], one.id),
                f"{one.move.act} of {lot}, which an application for CCER has frozen",
                "withdraw the application first, or void the move",
            )


def d4_sold_and_at_zero(asked: Inspection) -> Iterator[Trip]:
    """On-site PV at zero although its certificate was sold."""
    register = asked.readings.register
    for one in _moves(asked, "acquire", "transfer"):
        if _account(one) != "scope2" or one.lot.meter not in register.meters:
            continue
        certified = str(one.lot.meter)
        meter = register.meters[certified]
        owner = register.sites[register.key(meter.site)].entity
        buyer = one.move.to if one.move.act == "transfer" else one.move.entity
        generated = register.entries[one.move.lot]
        if buyer != owner and _kept(asked, certified, generated):
            yield Trip(
                "D4",
                (one.move.lot, one.id, certified),
                f"{one.move.quantity} Wh of {certified} went to {buyer} and still count zero at "
                f"{owner}",
                f"post the meter anew with attribute_kept false from {utc_text(generated.valid_from)} on",
            )


def _kept(asked: Inspection, meter: str, generated: Entry) -> bool:
    """Whether any version of a PV meter keeps the attribute while the lot was generated."""
    versions = asked.readings.register.versions(meter)
    for number, entry in enumerate(versions):
        later = versions[number + 1 :]
        until = later[0].valid_from if later else None
        since = None if number == 0 else entry.valid_from
        begins = since is None or since < generated.valid_to
        ends = until is None or until > generated.valid_from
        kept = isinstance(entry.payload, Meter) and bool(entry.payload.attribute_kept)
        if begins and ends and kept:
            return True
    return False


def d14_credit_used_twice(asked: Inspection) -> Iterator[Trip]:
    """Offset or removal used for two years or two claims."""
    credits = [one for one in _moves(asked, "retire") if _account(one) != "scope2"]
    yield from _twice("D14", credits)
    here = ZoneInfo(asked.zone)
    seen: dict[str, _Moved] = {}
    for one in credits:
        move = one.move
        first = seen.setdefault(f"{one.lot.registry}: {move.document}", one)
        if _use(first) != _use(one):
            yield Trip(
                "D14",
                (first.id, one.id),
                f"document {move.document} stands for two years or two claims",
                "a credit serves one: retire another for the second",
            )
        if move.period_from and move.period_to:
            years = (move.period_to.astimezone(here) - move.period_from.astimezone(here)).days / 365
            if years > 1.01:
                yield Trip(
                    "D14",
                    (one.id,),
                    f"{move.quantity} {one.lot.unit} of {move.lot} stand for {years:.0f} years",
                    "retire a part of the lot for each year",
                )


def _use(one: _Moved) -> tuple[object, ...]:
    return (one.move.entity, one.move.period_from, one.move.period_to, one.move.claim)


def d15_vintage(asked: Inspection) -> Iterator[Trip]:
    """Vintage outside the declared window."""
    register, here = asked.readings.register, ZoneInfo(asked.zone)
    for one in _moves(asked, "retire"):
        move = one.move
        if _account(one) != "scope2" or move.entity != asked.entity or move.period_from is None:
            continue
        year = move.period_from.astimezone(here).year
        start = _month(year, -asked.vintage_before_months, here)
        end = _month(year + 1, asked.vintage_after_months, here)
        generated = register.entries[move.lot]
        if generated.valid_from < start or generated.valid_to > end:
            yield Trip(
                "D15",
                (move.lot, one.id),
                f"{move.lot} was generated from {utc_text(generated.valid_from)} to "
                f"{utc_text(generated.valid_to)}, outside {utc_text(start)} to {utc_text(end)}",
                "the lot is not applied: retire one of the period",
            )


def _month(year: int, months: int, zone: ZoneInfo) -> datetime:
    number = year * 12 + months
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=zone)
