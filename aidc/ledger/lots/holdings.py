"""Who holds which part of a lot, and in which state: no part counts twice or outlives its move.

Parts are positions in the lot's unit, from 0 to its quantity; serial numbers are runs of them::

    issued -> acquired -> allocated -> retired
       |         |            |           |      expire: -> expired (not from retired)
       |         +- transfer -+           |      void:   -> void    (with a reason)
       +- ccer_apply -> frozen -> ccer_issue -> void, or ccer_withdraw -> issued
"""

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from aidc.ledger.journal.names import plain
from aidc.ledger.lots.lot import Act, Lot, LotMove, LotRule, Serials, lot_rules

State = Literal["issued", "acquired", "allocated", "retired", "expired", "void", "frozen"]
Span = tuple[int, int]  # positions, the end exclusive

AFTER: Final[Mapping[Act, State]] = {
    "acquire": "acquired", "transfer": "acquired", "allocate": "allocated", "retire": "retired",
    "expire": "expired", "void": "void", "ccer_apply": "frozen", "ccer_withdraw": "issued",
    "ccer_issue": "void",
}  # fmt: skip
BEFORE: Final[Mapping[Act, tuple[State, ...]]] = {
    "acquire": ("issued",),
    "transfer": ("acquired", "allocated"),
    "allocate": ("acquired",),
    "retire": ("allocated", "acquired"),
    "expire": ("issued", "acquired", "allocated"),
    "void": ("issued", "acquired", "allocated", "frozen", "retired"),
    "ccer_apply": ("issued",),
    "ccer_withdraw": ("frozen",),
    "ccer_issue": ("frozen",),
}
_AT_FIRST: Final[Mapping[str, State]] = {"none": "issued", "applied": "frozen", "issued": "void"}
BY_HOLDER: Final[tuple[Act, ...]] = ("transfer", "allocate", "retire")


@dataclass(frozen=True, slots=True)
class Part:
    """Positions of a lot in one state, and the entry that put them there."""

    start: int
    end: int
    state: State
    entity: str | None
    site: str | None
    since: datetime
    by: str

    @property
    def amount(self) -> int:
        """Wh or kg."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class MoveRecord:
    """A move that holds, with the positions that it took."""

    entry_id: str
    move: LotMove
    at: datetime
    spans: tuple[Span, ...]


@dataclass(slots=True)
class Holding:
    """A lot and where its parts are."""

    entry_id: str
    lot: Lot
    generated: tuple[datetime, datetime]
    parts: list[Part]

    @property
    def rule(self) -> LotRule:
        """What its type says."""
        return lot_rules()[self.lot.type]

    def span(self, serials: Serials) -> Span:
        """Positions of serial numbers of this lot."""
        first, per_piece = (self.lot.serials or serials).first, self.rule.per_piece or 1
        return (serials.first - first) * per_piece, (serials.last + 1 - first) * per_piece

    def shown(self, part: Part) -> str:
        """A part as a message names it."""
        holder = f" of {part.entity}" if part.entity else ""
        where = f" for {part.site}" if part.site else ""
        return f"{part.amount} {self.lot.unit} {part.state}{holder}{where} by {part.by}"

    def amounts(self) -> dict[State, int]:
        """Wh or kg in each state; they add up to the lot's quantity."""
        made: dict[State, int] = {}
        for part in self.parts:
            made[part.state] = made.get(part.state, 0) + part.amount
        return made

    def within(self, span: Span) -> Iterator[Part]:
        """Parts inside a span, cut to it."""
        for part in self.parts:
            start, end = max(part.start, span[0]), min(part.end, span[1])
            if start < end:
                yield replace(part, start=start, end=end)

    def take(self, record: MoveRecord) -> None:
        """Puts the positions of a move into their new state."""
        move, made = record.move, list[Part]()
        moved = [part for span in record.spans for part in self.within(span)]
        for part in self.parts:
            made.extend(_outside(part, record.spans))
        for part in moved:
            entity, site = part.entity, part.site
            if move.act in ("acquire", "transfer"):
                entity, site = (move.to if move.act == "transfer" else move.entity), None
            elif move.act in ("allocate", "retire"):
                site = move.site or part.site
            changed = replace(
                part,
                state=AFTER[move.act],
                entity=entity,
                site=site,
                since=record.at,
                by=record.entry_id,
            )
            made.append(changed)
        self.parts = sorted(made, key=lambda part: part.start)


def _outside(part: Part, spans: tuple[Span, ...]) -> Iterator[Part]:
    reached = part.start
    for start, end in sorted(spans):
        if start < part.end and end > reached:
            if start > reached:
                yield replace(part, start=reached, end=start)
            reached = end
    if reached < part.end:
        yield replace(part, start=reached)


@dataclass(slots=True)
class Holdings:
    """All lots of a ledger and their moves in the order of posting; see `aidc.ledger.lots.faults` for what is refused."""

    lots: dict[str, Holding] = field(default_factory=dict)
    moves: list[MoveRecord] = field(default_factory=list)
    of_project: dict[str, list[str]] = field(default_factory=dict)
    of_registry: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)  # sorted

    def add(self, entry_id: str, lot: Lot, generated: tuple[datetime, datetime]) -> None:
        """Takes in a lot that holds."""
        part = Part(0, lot.quantity, _AT_FIRST[lot.ccer_status], None, None, generated[1], entry_id)
        self.lots[entry_id] = Holding(entry_id, lot, generated, [part])
        self.of_project.setdefault(plain(lot.project), []).append(entry_id)
        if lot.serials is not None:
            run = (lot.serials.first, lot.serials.last, entry_id)
            bisect.insort(self.of_registry.setdefault(plain(lot.registry), []), run)

    def overlapping(self, registry: str, serials: Serials) -> Iterator[tuple[Serials, str]]:
        """Serial numbers that a registry has given already, and the entry that holds them."""
        runs = self.of_registry.get(plain(registry), [])
        place = bisect.bisect(runs, (serials.first, 0, ""))
        for first, last, entry_id in runs[max(0, place - 1) :]:
            if first > serials.last:
                break
            if last >= serials.first:
                common = (max(first, serials.first), min(last, serials.last))
                yield Serials(first=common[0], last=common[1]), entry_id

    def apply(self, record: MoveRecord) -> None:
        """Takes in a move that holds."""
        self.lots[record.move.lot].take(record)
        self.moves.append(record)

    def spans(self, move: LotMove, at: datetime) -> tuple[Span, ...]:
        """Positions that a move takes: its serial numbers, or the first that may make it.

        They fall short of its quantity where too little is held.
        """
        holding = self.lots[move.lot]
        if move.serials is not None:
            return (holding.span(move.serials),)
        left, taken = move.quantity, list[Span]()
        fitting = [part for part in holding.parts if may_move(part, move) and part.since <= at]
        for part in sorted(
            fitting, key=lambda part: (BEFORE[move.act].index(part.state), part.start)
        ):
            if left:
                taken.append((part.start, part.start + min(left, part.amount)))
                left -= min(left, part.amount)
        return tuple(taken)

    def until(self, time: datetime) -> "Holdings":
        """What was held at a time: moves from it on are left out."""
        made = Holdings()
        for holding in self.lots.values():
            made.add(holding.entry_id, holding.lot, holding.generated)
        for record in self.moves:
            if record.at < time:
                made.apply(record)
        return made

    def retired(self, entity: str) -> Iterator[tuple[Holding, MoveRecord, tuple[Part, ...]]]:
        """Each retirement of an entity with the parts that still stand."""
        for record in self.moves:
            if record.move.act == "retire" and record.move.entity == entity:
                holding = self.lots[record.move.lot]
                parts = tuple(part for part in holding.parts if part.by == record.entry_id)
                if parts:
                    yield holding, record, parts


def may_move(part: Part, move: LotMove) -> bool:
    """Whether a part is in a state, of a holder and for a site from which an act may go."""
    if part.state not in BEFORE[move.act]:
        return False
    if move.act in BY_HOLDER and part.entity != move.entity:
        return False
    return move.act != "retire" or move.site is None or part.site in (None, move.site)
