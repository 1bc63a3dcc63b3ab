"""The base year of a series in a ledger: what was reported, what waits, and what a new trigger does to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.journal.canonical import decimal_text, utc_text
from aidc.ledger.journal.entries import Entry
from aidc.ledger.journal.names import same_person
from aidc.ledger.journal.payloads import Calc
from aidc.ledger.journal.periods import period_of
from aidc.ledger.journal.register import Register
from aidc.ledger.reports.sheet import Amount, Row, Sheet
from aidc.ledger.restatement.boundary import BoundaryEvent
from aidc.ledger.restatement.restate import (
    Restated,
    Restatement,
    Trigger,
    pending,
    restate,
    trigger_of,
)
from aidc.ledger.statements.books import BookMixError

FUEL_BOOK: Final = "S1"


@dataclass(frozen=True, slots=True)
class Series:
    """The base year of an entity in one book, as it stands.

    Attributes:
        book: of electricity, or the one book that it holds.
        reported_t: after the last recalculation, else as the calculations say [t].
        version: 1, and one more with every recalculation.
        history: restatements in order.
    """

    entity: str
    book: str
    base_year: int
    reported_t: Decimal
    version: int
    history: tuple[tuple[str, Restatement], ...]


def series_of(register: Register, calcs: Sequence[str]) -> Series:
    """The series that calculations of a base year open: scope 1 and one book of electricity, or either.

    Raises:
        InputError: no such calculation, or they are not of one entity and calendar year.
        BookMixError: two books of electricity.
    """
    held = register.of(Calc)
    for name in calcs:
        if name not in held:
            raise InputError(f"no calc '{name}'{nearest(name, held)}; draw up the base year first")
    if not calcs or register.head is None:
        raise InputError("name the calcs of the base year")
    made = [held[name] for name in calcs]
    entries = [register.entries[name] for name in calcs]
    electric = sorted({calc.book for calc in made if calc.book != FUEL_BOOK})
    if len(electric) > 1 or len({calc.book for calc in made}) < len(made):
        raise BookMixError(
            f"a base year is of one book of electricity, not of {', '.join(calc.book for calc in made)}"
        )
    entities = {calc.entity for calc in made}
    year = _year(entries, register.head.zone)
    if len(entities) > 1 or year is None:
        raise InputError("the calcs are not of one entity and one calendar year")
    total = Decimal(0)
    for calc in made:
        total = units.EXACT.add(total, calc.total_t)
    book = electric[0] if electric else FUEL_BOOK
    history = tuple(
        (name, one)
        for name, one in register.of(Restatement).items()
        if (one.entity, one.book, one.base_year) == (made[0].entity, book, year)
    )
    done = [one for _, one in history if one.verdict == "recalculated"]
    reported = done[-1].restated_t if done else total
    return Series(made[0].entity, book, year, reported, 1 + len(done), history)


def _year(entries: Sequence[Entry], zone: str) -> int | None:
    spans = {(entry.valid_from, entry.valid_to) for entry in entries}
    if len(spans) > 1:
        return None
    middle = entries[0].valid_from + (entries[0].valid_to - entries[0].valid_from) / 2
    whole = period_of(str(middle.year), zone)
    return middle.year if {whole} == spans else None


def restatement(
    register: Register,
    calcs: Sequence[str],
    trigger: Trigger,
    *,
    threshold_frac: Decimal,
    one_target_for_all_scopes: bool,
    approver: str,
) -> tuple[Restated, dict[str, Any]]:
    """What a trigger does to a base year with all that wait, and the entry that records it.

    Args:
        register: of the ledger.
        calcs: calculations of the base year, as reported.
        trigger: the new one; of a boundary event see `event_trigger`.
        threshold_frac: share of the base year from which on it is recalculated.
        one_target_for_all_scopes: whether one target covers scopes 1, 2 and 3.
        approver: the second name.

    Raises:
        InputError: calculations or a trigger that do not hold.
        BookMixError: two books of electricity.
    """
    series = series_of(register, calcs)
    event = trigger.id if trigger.id in register.of(BoundaryEvent) else None
    before = [one.verdict for _, one in series.history if event and one.boundary_event == event]
    if before and before[-1] != "open":
        raise InputError(f"{event} was held against the threshold already: {before[-1]}")
    waiting = [one for one in pending(series.history) if one.id != event]
    found = restate(
        series.reported_t,
        [*waiting, trigger],
        threshold_frac=threshold_frac,
        one_target_for_all_scopes=one_target_for_all_scopes,
    )
    own = "refused" if trigger.id in found.refused else found.verdict
    if trigger.id in found.open_ids and own == "pending":
        own = "open"
    payload: dict[str, Any] = {
        "entity": series.entity,
        "book": series.book,
        "base_year": series.base_year,
        "series_version": series.version + (own == "recalculated"),
        "calcs": list(calcs),
        "trigger": trigger.kind,
        "cause": trigger.cause,
        "reported_t": decimal_text(series.reported_t),
        "restated_t": decimal_text(found.restated_t),
        "threshold_frac": decimal_text(threshold_frac),
        "one_target_for_all_scopes": one_target_for_all_scopes,
        "verdict": own,
        "approver": approver,
    }
    if event is not None:
        payload["boundary_event"] = event
    if trigger.change_t is not None:
        payload["change_t"] = decimal_text(trigger.change_t)
    base = register.entries[calcs[0]]
    return found, {
        "id": f"restatement:{series.entity}:{series.book}:{series.base_year}:{len(series.history) + 1}",
        "kind": "restatement",
        "valid_from": utc_text(base.valid_from),
        "valid_to": utc_text(base.valid_to),
        "payload": payload,
    }


def event_trigger(register: Register, event: str, base_year: int) -> Trigger:
    """The trigger of a boundary event in a ledger.

    Raises:
        InputError: no such event, or its emissions are of another base year.
    """
    held = register.of(BoundaryEvent)
    if event not in held:
        raise InputError(
            f"no boundary event '{event}'{nearest(event, held)}; there are {len(held)}"
        )
    if held[event].base_year not in (None, base_year):
        raise InputError(
            f"{event} gives its emissions of {held[event].base_year}, the base year is {base_year}"
        )
    return trigger_of(event, held[event])


def restatement_faults(register: Register, made: Restatement, recorded_by: str) -> Iterator[str]:
    """What is wrong with a restatement that is posted: it says what the ledger itself derives."""
    if same_person(made.approver, recorded_by):
        yield "restating needs a second name"
    trigger = Trigger(made.boundary_event or "the trigger", made.trigger, made.cause, made.change_t)
    if made.boundary_event is not None:
        trigger = event_trigger(register, made.boundary_event, made.base_year)
    _, derived = restatement(
        register,
        made.calcs,
        trigger,
        threshold_frac=made.threshold_frac,
        one_target_for_all_scopes=made.one_target_for_all_scopes,
        approver=made.approver,
    )
    given = made.model_dump(exclude_none=True)
    for key, value in (
        Restatement.model_validate(derived["payload"]).model_dump(exclude_none=True).items()
    ):
        if given.get(key) != value:
            yield f"{key} is {given.get(key)}, the ledger derives {value}"


def restated_words(register: Register, entity: str) -> str:
    """Recalculations of an entity with their causes, in a sentence each."""
    done = [
        f"{one.book}, base year {one.base_year}: {one.reported_t:f} t to {one.restated_t:f} t ({one.cause})"
        for one in register.of(Restatement).values()
        if one.entity == entity and one.verdict == "recalculated"
    ]
    return "; ".join(done) or "none recorded"


def base_year_sheet(register: Register, entity: str) -> Sheet | None:
    """Each trigger in order: as reported, by how much, as restated; ``None`` where there was none."""
    rows = []
    for name, one in register.of(Restatement).items():
        if one.entity != entity:
            continue
        change = Amount(one.change_t, "t", "not known", sources=_behind(one))
        net = units.EXACT.divide(
            units.EXACT.subtract(one.restated_t, one.reported_t).copy_abs(), one.reported_t
        )
        note = f"{net:.1%} with all that waited; threshold {one.threshold_frac:.1%}"
        cells = {
            "as reported": Amount(one.reported_t, "t", sources=one.calcs),
            "change": change,
            "as restated": Amount(one.restated_t, "t", "", "", (name,)),
            "verdict": Amount(None, "", one.verdict, note, (name,)),
        }
        heads = (f"{one.book}, base year {one.base_year}", one.cause)
        rows.append(Row(name, heads, cells, one.verdict == "recalculated"))
    if not rows:
        return None
    columns = ("as reported", "change", "as restated", "verdict")
    note = "below the threshold the base year stays as reported"
    return Sheet(
        "base_year", "Base year [t]", ("series", "cause"), columns, tuple(rows), 1, (note,)
    )


def _behind(one: Restatement) -> tuple[str, ...]:
    return () if one.boundary_event is None else (one.boundary_event,)


def boundary_faults(register: Register, event: BoundaryEvent, at: datetime) -> Iterator[str]:
    """What is wrong with a boundary event that is posted."""
    if event.site is not None and register.key(event.site) not in register.sites:
        yield f"unknown site '{event.site}'{nearest(event.site, register.sites)}"
    entities = {site.entity for site in register.sites.values()}
    if event.entity not in entities:
        yield f"unknown entity '{event.entity}'{nearest(event.entity, entities)}"
    if event.effective > at.date():
        yield f"{event.effective} is in the future of {utc_text(at)}"
