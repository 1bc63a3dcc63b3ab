"""The base year of a series in a ledger: what was reported, what waits, and what a new trigger does to it."""

from collections.abc import Iterable, Iterator, Sequence
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
from aidc.ledger.restatement.boundary import BoundaryEvent
from aidc.ledger.restatement.restate import (
    Restated,
    Restatement,
    Trigger,
    TriggerKind,
    pending,
    restate,
    trigger_of,
)
from aidc.ledger.statements.books import BookMixError

FUEL_BOOK: Final = "S1"


@dataclass(frozen=True, slots=True)
class Series:
    """The base year of an entity in its books, as it stands.

    Attributes:
        book: the books that it holds, as ``S1+S2-LB``: with scope 1 and without it are two series.
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
    book = books_of(register, calcs)
    history = tuple(
        (name, one)
        for name, one in register.of(Restatement).items()
        if (one.entity, books_of(register, one.calcs), one.base_year)
        == (made[0].entity, book, year)
    )
    done = [one for _, one in history if one.verdict == "recalculated"]
    reported = done[-1].restated_t if done else total
    return Series(made[0].entity, book, year, reported, 1 + len(done), history)


def books_of(register: Register, calcs: Iterable[str]) -> str:
    """The books of a base year as its label says them: all of its calculations, never one for all."""
    held = register.of(Calc)
    return "+".join(sorted(held[name].book for name in calcs))


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
    kept = next((one.threshold_frac for _, one in series.history), None)
    if kept is not None and kept != threshold_frac:
        raise InputError(
            f"{series.entity}, {series.book} of {series.base_year} is held to {kept:f} since its first "
            f"trigger; {threshold_frac} is another policy: a threshold is set once for a base year"
        )
    event = trigger.id if trigger.id in register.of(BoundaryEvent) else None
    again = {name: one.verdict for name, one in series.history if _same(one, trigger, event)}
    if again and [*again.values()][-1] != "open":
        what = event or f"the {trigger.kind} '{trigger.cause}'"
        raise InputError(
            f"{what} was held against the threshold already: {[*again.values()][-1]}; it counts once"
        )
    waiting = [one for one in pending(series.history) if one.id not in {event, *again}]
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
    if trigger.to_calc is not None:
        payload |= {"from_calc": trigger.from_calc, "to_calc": trigger.to_calc}
    base = register.entries[calcs[0]]
    stem = f"restatement:{series.entity}:{series.book}:{series.base_year}:"
    count = sum(name.startswith(stem) for name in register.of(Restatement))
    return found, {
        "id": f"{stem}{count + 1}",
        "kind": "restatement",
        "valid_from": utc_text(base.valid_from),
        "valid_to": utc_text(base.valid_to),
        "payload": payload,
    }


def _same(one: Restatement, trigger: Trigger, event: str | None) -> bool:
    """Whether a restatement is of the same event, or of the same kind and cause."""
    if event is not None or one.boundary_event is not None:
        return one.boundary_event == event
    return (one.trigger, one.cause.casefold()) == (trigger.kind, trigger.cause.casefold())


def calc_trigger(
    register: Register, calcs: Sequence[str], to_calc: str, *, kind: TriggerKind, cause: str
) -> Trigger:
    """The trigger of a base year that was drawn up anew, as with a newer factor or corrected counts.

    Its size is the new calculation less the one that the series rests on in this book: that of the
    base year, or the last one that a trigger of the series brought in.

    Args:
        register: of the ledger.
        calcs: calculations of the base year, as reported.
        to_calc: the newer calculation.
        kind: what was improved, wrong or added.
        cause: in words.

    Raises:
        InputError: no such calculation, or not one of the same entity, year, book and gas.
        BookMixError: two books of electricity.
    """
    series, held = series_of(register, calcs), register.of(Calc)
    if to_calc not in held:
        raise InputError(f"no calc '{to_calc}'{nearest(to_calc, held)}; see aidc ledger calcs")
    new = held[to_calc]
    was = {held[name].book: name for name in calcs}
    for _, one in series.history:
        if one.to_calc is not None and one.verdict in ("pending", "recalculated"):
            was[held[one.to_calc].book] = one.to_calc
    if new.book not in was:
        raise InputError(f"{to_calc} is of {new.book}; the base year holds {', '.join(was)}")
    old = held[was[new.book]]
    spans = {
        (e.valid_from, e.valid_to) for e in (register.entries[to_calc], register.entries[calcs[0]])
    }
    if (old.entity, old.gas) != (new.entity, new.gas) or len(spans) > 1:
        raise InputError(f"{to_calc} and {was[new.book]} are not of one entity, period and gas")
    if was[new.book] == to_calc:
        raise InputError(f"{to_calc} is what the base year rests on already")
    change = units.EXACT.subtract(new.total_t, old.total_t)
    return Trigger(to_calc, kind, cause, change, from_calc=was[new.book], to_calc=to_calc)


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
    elif made.to_calc is not None:
        trigger = calc_trigger(
            register, made.calcs, made.to_calc, kind=made.trigger, cause=made.cause
        )
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


def boundary_faults(register: Register, event: BoundaryEvent, at: datetime) -> Iterator[str]:
    """What is wrong with a boundary event that is posted."""
    if event.site is not None and register.key(event.site) not in register.sites:
        yield f"unknown site '{event.site}'{nearest(event.site, register.sites)}"
    entities = {site.entity for site in register.sites.values()}
    if event.entity not in entities:
        yield f"unknown entity '{event.entity}'{nearest(event.entity, entities)}"
    if event.effective > at.date():
        yield f"{event.effective} is in the future of {utc_text(at)}"
