"""How well a statement is known: its cells as terms of factors and meters."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from aidc.errors import InputError
from aidc.ledger.factors.distributions import distribution
from aidc.ledger.factors.gases import Gwp
from aidc.ledger.factors.registry import Row
from aidc.ledger.factors.rows import GridFactor, Published
from aidc.ledger.journal.entries import COUNTED
from aidc.ledger.journal.payloads import Meter
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.register import Register
from aidc.ledger.journal.store import Store
from aidc.ledger.statements.statement import Cell, Statement
from aidc.ledger.statements.uncertainty import Input, Spread, Term, spread_of

TOTAL: Final = "total"


def uncertainty_of(
    store: Store, statement: Statement, *, draws: int, seed: int
) -> dict[str, Spread]:
    """What is known of a statement's total, and of each of its years where there are several.

    A factor row carries its distribution in ``uncertainty`` and a meter its own; rows of one
    ``correlation_group``, and one row in all its cells, are drawn once. Where there is none the value is
    held and its share is not assessed.

    Args:
        store: the ledger it was derived from.
        statement: whose cells.
        draws: Latin hypercube.
        seed: of the draws.

    Raises:
        InputError: the statement has no cell, or too few draws.
    """
    if not statement.inside:
        raise InputError(f"{statement.book} is not assessed: there is nothing to spread")
    inputs: dict[str, Input] = {}
    shares = _shares(store, statement)
    terms: list[Term] = []
    years = sorted({cell.year for cell in statement.inside})
    for cell in statement.inside:
        totals = (TOTAL,) if len(years) == 1 else (TOTAL, str(cell.year))
        for constant, names in _terms(cell, store, shares, inputs):
            terms.extend(Term(total, constant, names) for total in totals)
    return spread_of(tuple(inputs.values()), terms, draws=draws, seed=seed)


Shares = Callable[[Cell], Mapping[str, float]]


def _terms(
    cell: Cell, store: Store, shares: Shares, inputs: dict[str, Input]
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Constants with the inputs that multiply them; their sum is the cell."""
    for meter, share in shares(cell).items():
        counted = _meter_input(meter, store.register.meters.get(meter))
        inputs.setdefault(counted.name, counted)
        for constant, rows in _by_rows(cell):
            names = [counted.name]
            for row in rows:
                made = _row_input(row)
                inputs.setdefault(made.name, made)
                names.append(made.name)
            yield constant * share, tuple(names)


def _by_rows(cell: Cell) -> Iterator[tuple[float, tuple[Row, ...]]]:
    """A cell as a product of its rows; category 3, a difference, as two of them."""
    rows = tuple(row for row in (cell.factor, *cell.also) if isinstance(row, Gwp | Published))
    pair = [row for row in rows if isinstance(row, GridFactor)]
    if len(pair) < 2:
        yield float(cell.tco2e), rows
        return
    lifecycle, direct = pair  # any split of the difference is linear in both, the rate held
    whole = float(lifecycle.t_per_mwh - direct.t_per_mwh)
    scale = float(cell.tco2e) / whole if whole else 0.0
    yield scale * float(lifecycle.t_per_mwh), (lifecycle,)
    yield -scale * float(direct.t_per_mwh), (direct,)


def _row_input(row: Row) -> Input:
    """A factor as a multiple of its value, which the constant holds already."""
    spread = row.uncertainty if isinstance(row, Gwp | Published) else None
    group = row.correlation_group if isinstance(row, Gwp | Published) else None
    return Input(
        f"factor {row.name}",
        1.0,
        None if spread is None else distribution(spread),
        group,
        row.source,
    )


def _meter_input(name: str, meter: Meter | None) -> Input:
    spread = None if meter is None else meter.uncertainty
    return Input(
        f"meter {name}" if name else "what no meter counted",
        1.0,
        None if spread is None else distribution(spread),
        None,
        "as the meter's entry says",
    )


def _shares(store: Store, statement: Statement) -> Shares:
    """By cell: which part of it each meter counted, and ``""`` where none did."""
    readings = store.readings_after(statement.input_seq)
    register = readings.register
    years = {year: (start, end) for year, start, end in years_in(statement.period, register.zone)}

    def of(cell: Cell) -> Mapping[str, float]:
        left = dict.fromkeys(cell.sources)
        made: dict[str, float] = {}
        while left:
            source = next(iter(left))
            del left[source]
            for meter in _meters_of(store, source):
                if meter in made:
                    continue
                if not made and _alone(register, meter):
                    return {meter: 1.0}
                site = register.key(register.meters[meter].site)
                part = readings.counts(meter, statement.period).part(
                    *register.own_period(site, years[cell.year])
                )
                here = np.isin(part.source, [n for n, name in enumerate(part.sources)
                                             if name == source or name in left])  # fmt: skip
                made[meter] = float(part.amount[here].sum())
                for name in part.used:
                    left.pop(name, None)
        whole = sum(made.values())
        if not whole:
            return {next(iter(made), ""): 1.0}
        return {meter: amount / whole for meter, amount in made.items()}

    return of


def _alone(register: Register, meter: str) -> bool:
    """Whether no other meter of its site can share a cell with it."""
    held = register.meters[meter]
    streams = ("grid_import", "pv") if held.stream in ("grid_import", "pv") else (held.stream,)
    return len(register.meters_of(register.key(held.site), *streams)) == 1


def _meters_of(store: Store, source: str) -> tuple[str, ...]:
    """Meters that an entry counted and a cell can rest on; none of a lot or an asset."""
    place = store.index.place(source)
    if place is None or place[1] not in COUNTED:
        return ()
    payload = store.journal.body(place[0])["payload"]
    held = payload.get("replacement") or payload
    if "meter" in held:
        return (str(held["meter"]),)
    meters = store.register.meters
    named = [str(move["meter"]) for move in held.get("moves", ()) if "meter" in move]
    return tuple(m for m in named if meters[m].stream in ("grid_import", "pv"))
