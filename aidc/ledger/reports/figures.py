"""Published figures of a ledger against what the same ledger derives, each with what it rests on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from aidc.config import nearest
from aidc.errors import InputError, LedgerError
from aidc.ledger.checks.published import Reconciled, printed, reconciled
from aidc.ledger.checks.rests_on import QUOTIENTS, bases
from aidc.ledger.journal import units
from aidc.ledger.journal.payloads import Calc, ReportedFigure
from aidc.ledger.journal.periods import period_of
from aidc.ledger.ledger import Ledger
from aidc.ledger.reports.emission_sheets import inventory_sheet
from aidc.ledger.reports.material import SCOPE2, Material
from aidc.ledger.reports.meter_sheets import metered
from aidc.ledger.reports.report_sheets import material_of, measures
from aidc.ledger.reports.sheet import Amount
from aidc.ledger.statements.books import book_named
from aidc.ledger.statements.statement import FUEL, Statement
from aidc.ledger.statements.tracing import Origin, entry_origin, origin_of

_ALSO_CALLED: Final[Mapping[str, str]] = {
    "water": "water_in",
    "waste_water": "water_out",
    "pv_generation": "own_pv",
}
_EITHER_BOOK: Final = ("scope2", "scope1_and_2")  # of the one book of electricity that was drawn up
_MASS_OF_WATER: Final = {"ml", "g"}  # 1 kg a litre, as everywhere in the ledger


@dataclass(frozen=True, slots=True)
class Compared:
    """A published figure beside what its ledger derives.

    Attributes:
        entry_id: of the figure.
        found: derived value in the figure's unit, interval, verdict and basis.
        by: what derives it: books with their report date, or meters.
        reason: why nothing does.
        sources: entries behind the derived value.
        statements: those that it is a figure of; none where meters alone say it.
    """

    entry_id: str
    figure: ReportedFigure
    found: Reconciled
    by: str
    reason: str
    sources: tuple[str, ...]
    statements: tuple[Statement, ...]

    @property
    def wrong(self) -> bool:
        """Whether the derived value contradicts what was published."""
        return self.found.verdict in ("outside", "broken")

    @property
    def verdict(self) -> str:
        """In words."""
        return f"not compared: {self.reason}" if self.reason else self.found.said


@dataclass(frozen=True, slots=True)
class _Year:
    """What a ledger derives of an entity and year."""

    material: Material
    amounts: Mapping[str, Amount]  # by measure
    why_not: tuple[str, ...]  # books that could not be taken


def compared(
    ledger: Ledger,
    *,
    document: str | None,
    quantity: str | None,
    year: int | None,
    books: Sequence[str] | None,
    report_date: date | None,
) -> tuple[Compared, ...]:
    """Published figures of a ledger against what it derives; nothing is adjusted.

    Energy and water come from the meters, emissions from statements: those that were drawn up for the
    year, or books at a report date where both are named.

    Args:
        ledger: with `reported_figure` entries.
        document: of one alone; None takes all.
        quantity: one alone; None takes all.
        year: one alone; None takes all.
        books: these alone; None takes all that were drawn up.
        report_date: of the statements; None takes the one date at which they were drawn up.

    Raises:
        InputError: no such figure; names the nearest.
    """
    register = ledger.store.register
    figures = dict(register.of(ReportedFigure))
    if not figures:
        raise InputError(
            "this ledger holds no reported figure; post them as reported_figure entries"
        )
    for what, wanted, of in (
        ("document", document, lambda figure: figure.document),
        ("quantity", quantity, lambda figure: figure.quantity),
        ("year", None if year is None else str(year), lambda figure: str(figure.year)),
    ):
        if wanted is None:
            continue
        held = dict.fromkeys(of(figure) for figure in figures.values())
        figures = {name: figure for name, figure in figures.items() if of(figure) == wanted}
        if not figures:
            raise InputError(
                f"no reported figure of the {what} '{wanted}'{nearest(wanted, held)}; "
                f"there are {', '.join(held) or 'none'}"
            )
    rests_on = bases(register, ledger.store.journal.lines(0, ledger.head[0]))
    years: dict[tuple[str, int], _Year] = {}
    made = []
    for name, figure in figures.items():
        entry_id = register.versions(name)[-1].id  # what superseded it, where anything did
        key = (figure.entity, figure.year)
        if key not in years:
            years[key] = _year(ledger, *key, books, report_date)
        got = _derived(years[key], figure, register.of(ReportedFigure))
        found = reconciled(figure, got.value, rests_on[name])
        statements = _statements_of(years[key].material, figure.quantity)
        by = _by(statements) if got.value is not None else ""
        made.append(
            Compared(entry_id, figure, found, by, got.note, tuple(got.sources), tuple(statements))
        )
    return tuple(made)


def contradictions(figures: Iterable[Compared]) -> Iterator[str]:
    """Figures of one quantity and year that cannot both be right, a sentence each."""
    seen: dict[tuple[str, str, int, str], Compared] = {}
    for one in figures:
        figure = one.figure
        if figure.relation != "=":
            continue
        key = (figure.entity, figure.quantity, figure.year, figure.unit)
        other = seen.setdefault(key, one)
        a, b = (printed(each.figure.value, each.figure.decimals) for each in (other, one))
        if a.high < b.low or b.high < a.low:
            yield (
                f"{figure.quantity} {figure.year} is {other.figure.value:f} {figure.unit} in "
                f"{other.figure.document} ({other.entry_id}) and {figure.value:f} in "
                f"{figure.document} ({one.entry_id})"
            )


def figure_origin(ledger: Ledger, one: Compared) -> Origin:
    """A published figure with its document, what is derived, and the entries under that."""
    figure, found, store = one.figure, one.found, ledger.store
    derived = "none" if found.derived is None else f"{found.derived:f} {figure.unit}"
    facts = {
        "published": f"{figure.value:f} {figure.unit}",
        "document": f"{figure.document}, {figure.table}",
        "allowed by its decimals": f"{found.interval.low:f} to {found.interval.high:f}",
        "derived": derived,
        "by": one.by or "-",
        "verdict": one.verdict,
    }
    under = [entry_origin(store, one.entry_id)]
    for made in one.statements:
        cells = [cell for cell in made.cells if cell.year == figure.year and not cell.is_memo]
        under.append(origin_of(store, made, cells))
    of_cells = {name for made in one.statements for cell in made.cells for name in cell.sources}
    under.extend(entry_origin(store, name) for name in one.sources if name not in of_cells)
    return Origin(f"{figure.quantity} {figure.year} of {figure.entity}", facts, tuple(under))


def _year(
    ledger: Ledger, entity: str, year: int, books: Sequence[str] | None, report_date: date | None
) -> _Year:
    period = period_of(str(year), ledger.zone)
    made: dict[str, Statement] = {}
    why_not = []
    known = _recorded(ledger, entity, year)
    for book in books if books is not None else sorted(known):
        try:
            made[book] = _statement(ledger, entity, year, book, known.get(book, {}), report_date)
        except (InputError, LedgerError) as error:
            why_not.append(f"{book}: {error}")
    material = material_of(ledger.store.readings(), entity, period, made.values(), ledger.zone)
    amounts = {
        name: amount
        for (name, _), amount in measures(material, inventory_sheet(material)).items()
        if amount.value is not None or amount.note
    }
    for fuel in material.fuels:
        amounts[fuel.removeprefix(f"{FUEL}:")] = metered(material, year, (fuel,), "MWh")
    return _Year(material, amounts, tuple(why_not))


def _recorded(ledger: Ledger, entity: str, year: int) -> dict[str, dict[date, str]]:
    """Calcs of a calendar year by book and report date; of two alike the later."""
    register, span = ledger.store.register, period_of(str(year), ledger.zone)
    made: dict[str, dict[date, str]] = {}
    for name, calc in register.of(Calc).items():
        entry = register.entries[name]
        if calc.entity == entity and (entry.valid_from, entry.valid_to) == span:
            made.setdefault(calc.book, {})[calc.report_date] = name
    return made


def _statement(
    ledger: Ledger,
    entity: str,
    year: int,
    book: str,
    recorded: Mapping[date, str],
    report_date: date | None,
) -> Statement:
    if report_date is None and len(recorded) == 1:
        report_date = next(iter(recorded))
    if report_date is None:
        days = ", ".join(f"{day}" for day in sorted(recorded))
        raise InputError(
            f"drawn up at {days}; name one with --report-date"
            if recorded
            else "not drawn up for this year; name a --report-date, or draw it up with "
            "aidc ledger statement --adopt"
        )
    if report_date in recorded:
        return ledger.replay(recorded[report_date], code_version="").statement
    return ledger.statement(book, entity=entity, period=str(year), report_date=report_date)


def _derived(
    held: _Year, figure: ReportedFigure, all_figures: Mapping[str, ReportedFigure]
) -> Amount:
    """What the ledger says of a figure, in its unit; without a value the note says why."""
    if figure.quantity not in QUOTIENTS:
        return _in_unit(_measure(held, figure.quantity), figure.unit)
    over, under = QUOTIENTS[figure.quantity]
    below = [
        (name, other)
        for name, other in all_figures.items()
        if (other.entity, other.quantity, other.year) == (figure.entity, under, figure.year)
    ]
    if not below or not below[0][1].value:
        return Amount(None, figure.unit, note=f"{under} of {figure.year} is not in the ledger")
    part = _in_unit(_measure(held, over), figure.unit.partition("/")[0])
    if part.value is None:
        return part
    name, heads = below[0]
    value = units.EXACT.divide(part.value, heads.value)
    return replace(part, value=value, sources=(*part.sources, name))


def _measure(held: _Year, quantity: str) -> Amount:
    name = _ALSO_CALLED.get(quantity, quantity)
    if name in _EITHER_BOOK:
        drawn = sorted(key for key in held.amounts if key.startswith(f"{name}_"))
        if len(drawn) > 1:
            books = " and ".join(_book_of(key) for key in drawn)
            return Amount(None, "", note=f"{books} both hold it; name one with --books")
        name = drawn[0] if drawn else name
    if name in held.amounts and held.amounts[name].value is not None:
        return replace(held.amounts[name], note="")
    if name in held.amounts:
        return Amount(None, "", note=held.amounts[name].note or "a meter has a gap")
    if name.startswith("scope"):
        why = "; ".join(held.why_not) or (
            "no statement of this scope was drawn up for the year; aidc ledger statement --adopt does it"
        )
        return Amount(None, "", note=why)
    return Amount(None, "", note=f"the ledger derives no '{quantity}'{nearest(name, held.amounts)}")


def _in_unit(amount: Amount, unit: str) -> Amount:
    if amount.value is None:
        return amount
    try:
        bases_ = {units.base_unit(amount.unit), units.base_unit(unit)}
    except InputError as error:
        return Amount(None, unit, note=str(error))
    if len(bases_) > 1 and bases_ != _MASS_OF_WATER:
        return Amount(None, unit, note=f"published in {unit}, derived in {amount.unit}")
    factor = units.ratio(amount.unit) / units.ratio(unit)
    value = units.EXACT.divide(
        units.EXACT.multiply(amount.value, Decimal(factor.numerator)), Decimal(factor.denominator)
    )
    return replace(amount, value=value, unit=unit)


def _book_of(measure: str) -> str:
    ending = measure.removeprefix("scope1_and_2_").removeprefix("scope2_")
    return {"location": "S2-LB", "market": "S2-MB-2015"}.get(ending, ending)


def _statements_of(material: Material, quantity: str) -> list[Statement]:
    """Statements that a figure is of, scope 1 first."""
    name = QUOTIENTS[quantity][0] if quantity in QUOTIENTS else quantity
    if not name.startswith("scope"):
        return []
    both = name.startswith("scope1_and_2")
    made = [one for book, one in material.statements.items() if book_named(book).scope == 1]
    wanted = made if both or name == "scope1" else []
    if name.startswith("scope3_"):
        return [one for book, one in material.statements.items() if name == f"scope3_{book}"]
    if both or name.startswith("scope2"):
        book = None if name in _EITHER_BOOK else _book_of(name)
        wanted = wanted + [
            one
            for key, one in material.statements.items()
            if book_named(key).scope == 2
            and book in (None, key)
            and (key in SCOPE2 or key == "NDRC" or key.startswith("S2-"))
        ]
    return wanted


def _by(statements: Sequence[Statement]) -> str:
    return ", ".join(f"{one.book} as of {one.report_date}" for one in statements) or "meters"
