"""Cells of scope 1: fuels by gas, refrigerants that escape, biogenic CO2 as a memo."""

from collections.abc import Iterator
from decimal import Decimal

from aidc.errors import InputError
from aidc.ledger.factors.gases import GasMass, Gwp, RefrigerantPart, leaked
from aidc.ledger.factors.rows import ActivityFactor
from aidc.ledger.scopes.scope1 import burnt
from aidc.ledger.statements.place import Place
from aidc.ledger.statements.statement import FUEL, MEMO, Cell


def scope1_cells(place: Place) -> Iterator[Cell]:
    """Fuel and refrigerant of a site. A fuel's CH4 and N2O repeat its Wh in tiers of their own.

    The book ``S1`` counts CO2 only, as the guide and the company's report do; ``S1-AR4`` to ``S1-AR6``
    count every gas that has a factor, and name those that have none.

    Raises:
        InputError: no single factor of a fuel, or a gas without potential in the book's set.
    """
    try:
        yield from _fuels(place)
        yield from _refrigerants(place)
    except InputError as error:
        raise InputError(f"{place.book.name}, site {place.site.name}: {error}") from None


def _fuels(place: Place) -> Iterator[Cell]:
    register, gwp_set = place.register, place.book.gwp_set
    fuels = register.fuels
    others = register.rows(ActivityFactor).values()
    potentials = register.rows(Gwp).values()
    for name, meter in register.meters_of(place.key, "fuel").items():
        fuel = str(meter.fuel)
        counts = place.counts(name)
        for year, start, end in place.years:
            part = counts.part(start, end)
            made = burnt(fuel, part.total, fuels.values(), others, gwp_set, potentials)
            tier = f"{FUEL}:{fuel}"
            factor = next(row for row in fuels.values() if row.fuel == fuel)
            if factor.origin == "biogenic":
                t = made.biogenic_co2_t
                yield Cell(
                    place.site.name, year, f"{MEMO}biogenic:{fuel}", part.total, "Wh",
                    factor, 0, t, part.used, "CO2", t,
                )  # fmt: skip
            for mass in made.inside:
                yield _cell(place, year, tier, part.total, "Wh", part.used, mass)
            if factor.status != "source":
                place.warnings.append(f"{place.site.name}: {factor.name} is {factor.status}")
            if gwp_set is not None and made.missing:
                place.warnings.append(
                    f"{place.site.name}: {fuel}: not assessed: {' and '.join(made.missing)}"
                )


def _refrigerants(place: Place) -> Iterator[Cell]:
    register, gwp_set = place.register, place.book.gwp_set
    for name, meter in register.meters_of(place.key, "refrigerant").items():
        item = str(meter.item)
        if gwp_set is None:
            place.warnings.append(
                f"{place.site.name}: {item} of {name} is not assessed in {place.book.name}, which is CO2 only; S1-AR6 counts it"
            )
            continue
        counts = place.counts(name)
        for year, start, end in place.years:
            part = counts.part(start, end)
            masses = leaked(
                item, part.total, gwp_set,
                register.rows(RefrigerantPart).values(), register.rows(Gwp).values(),
            )  # fmt: skip
            for mass in masses:
                yield _cell(place, year, f"refrigerant:{item}", part.total, "g", part.used, mass)


def _cell(
    place: Place, year: int, tier: str, amount: int, unit: str, used: tuple[str, ...], mass: GasMass
) -> Cell:
    """One gas of a tier; CO2 alone keeps the tier's plain name."""
    rows = tuple(place.register.row_named(name) for name in mass.rows)
    named = tier if mass.gas == "CO2" else f"{tier}:{mass.gas}"
    return Cell(
        place.site.name, year, named, amount, unit, rows[0], 0, mass.tco2e, used,
        mass.gas, mass.tonnes, rows[1:],
    )  # fmt: skip


def biogenic_t(cells: tuple[Cell, ...]) -> Decimal:
    """Biogenic CO2 of a statement's cells [t]: beside the total, never in it."""
    total = Decimal(0)
    for cell in cells:
        if cell.tier.startswith(f"{MEMO}biogenic"):
            total += cell.tco2e
    return total
