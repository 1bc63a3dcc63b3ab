"""Restatements as a reader sees them: a sentence each, and the sheet of the base year."""

from collections.abc import Iterator, Mapping
from typing import Final

from aidc.ledger.journal import units
from aidc.ledger.journal.register import Register
from aidc.ledger.reports.sheet import Amount, Row, Sheet
from aidc.ledger.restatement.restate import Restatement, Trigger, pending
from aidc.ledger.restatement.restating import books_of

_COLUMNS: Final = ("as reported", "change", "as restated", "verdict")
_NOTES: Final = (
    "below the threshold the base year stays as reported",
    "a line as reported with its change, and the lines above it that waited for it, make as restated",
)


def restated_words(register: Register, entity: str) -> str:
    """Recalculations of an entity with their causes, in a sentence each."""
    done = [
        f"{books_of(register, one.calcs)}, base year {one.base_year}: {one.reported_t:f} t to "
        f"{one.restated_t:f} t ({'; '.join([*(w.cause for w in waited), one.cause])})"
        for _, one, waited in _in_order(register, entity)
        if one.verdict == "recalculated"
    ]
    return "; ".join(done) or "none recorded"


def base_year_sheet(register: Register, entity: str) -> Sheet | None:
    """Each trigger in order, with those that waited for it; ``None`` where there was none."""
    rows = []
    for name, one, waited in _in_order(register, entity):
        series = f"{books_of(register, one.calcs)}, base year {one.base_year}"
        blank = {column: Amount(None, "t") for column in _COLUMNS}
        for was in waited:
            cells = {
                "change": Amount(was.change_t, "t", "not known", "", (was.id,)),
                "verdict": Amount(None, "", "waited"),
            }
            rows.append(Row(f"{name}/{was.id}", (series, was.cause), blank | cells))
        rows.append(
            Row(name, (series, one.cause), _cells(name, one), one.verdict == "recalculated")
        )
    if not rows:
        return None
    return Sheet(
        "base_year", "Base year [t]", ("series", "cause"), _COLUMNS, tuple(rows), 1, _NOTES
    )


def _cells(name: str, one: Restatement) -> Mapping[str, Amount]:
    net = units.EXACT.divide(
        units.EXACT.subtract(one.restated_t, one.reported_t).copy_abs(), one.reported_t
    )
    note = f"{net:.1%} with all that waited; threshold {one.threshold_frac:.1%}"
    change = Amount(one.change_t, "t", "not known", _origin(one), _behind(one))
    if one.verdict == "refused" and one.change_t is not None:
        change = Amount(None, "t", "not counted", f"{one.change_t:+f} t", _behind(one))
    return {
        "as reported": Amount(one.reported_t, "t", sources=one.calcs),
        "change": change,
        "as restated": Amount(one.restated_t, "t", "", "", (name,)),
        "verdict": Amount(None, "", one.verdict, note, (name,)),
    }


def _in_order(
    register: Register, entity: str
) -> Iterator[tuple[str, Restatement, tuple[Trigger, ...]]]:
    """Restatements of an entity, each with the triggers that waited and counted with it."""
    series: dict[tuple[str, int], list[tuple[str, Restatement]]] = {}
    for name, one in register.of(Restatement).items():
        if one.entity != entity:
            continue
        before = series.setdefault((books_of(register, one.calcs), one.base_year), [])
        waited = tuple(
            was
            for was in pending(before)
            if was.change_t is not None and was.id != one.boundary_event
        )
        yield name, one, waited
        before.append((name, one))


def _origin(one: Restatement) -> str:
    if one.to_calc is not None:
        return f"{one.to_calc} less {one.from_calc}"
    if one.boundary_event is not None or one.change_t is None:
        return ""
    return "as stated: no calculation stands behind it"


def _behind(one: Restatement) -> tuple[str, ...]:
    held = (one.boundary_event, one.from_calc, one.to_calc)
    return tuple(name for name in held if name is not None)
