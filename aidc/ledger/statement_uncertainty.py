"""How well a statement is known: its cells as terms of factors and meters."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from aidc.errors import InputError
from aidc.ledger.distributions import distribution
from aidc.ledger.factors import GridFactor, Published
from aidc.ledger.gases import Gwp
from aidc.ledger.payloads import Meter
from aidc.ledger.registry import Row
from aidc.ledger.statement import Cell, Statement
from aidc.ledger.store import Store
from aidc.ledger.uncertainty import Input, Spread, Term, spread_of

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
    shares = _shares(store)
    terms: list[Term] = []
    years = sorted({cell.year for cell in statement.inside})
    for cell in statement.inside:
        totals = (TOTAL,) if len(years) == 1 else (TOTAL, str(cell.year))
        for constant, names in _terms(cell, store, shares, inputs):
            terms.extend(Term(total, constant, names) for total in totals)
    return spread_of(tuple(inputs.values()), terms, draws=draws, seed=seed)


Shares = Callable[[tuple[str, ...]], Mapping[str, float]]


def _terms(
    cell: Cell, store: Store, shares: Shares, inputs: dict[str, Input]
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Constants with the inputs that multiply them; their sum is the cell."""
    for meter, share in shares(cell.sources).items():
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


def _shares(store: Store) -> Shares:
    """By the entries of a cell: which part of it each meter counted, and ``""`` what none did."""

    def of(sources: Iterable[str]) -> Mapping[str, float]:
        made: dict[str, float] = {}
        for source in sources:
            place = store.index.place(source)
            body: Mapping[str, Any] = {} if place is None else store.journal.body(place[0])
            for meter, amount in _counted(body.get("payload", {})):
                made[meter] = made.get(meter, 0.0) + amount
        whole = sum(made.values())
        if not whole:
            return {next(iter(made), ""): 1.0}
        return {meter: amount / whole for meter, amount in made.items()}

    return of


def _counted(payload: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Meters of a stored entry, each with all that it holds of them."""
    held = payload.get("replacement") or payload
    if "quantities" in held:
        yield str(held["meter"]), float(sum(held["quantities"]))
    for move in held.get("moves", ()):
        if "meter" in move:
            yield str(move["meter"]), float(move["wh"])
