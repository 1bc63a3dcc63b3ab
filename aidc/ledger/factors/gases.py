"""Gases: global warming potentials by assessment report, and what a refrigerant is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import Field

from aidc import catalog
from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger.factors.distributions import Spread
from aidc.ledger.factors.rows import Gas, GwpSet, Status
from aidc.ledger.journal import units
from aidc.ledger.journal.fields import Exact, Text

SETS: Final = ("AR4", "AR5", "AR6")
ONE: Final = Decimal(1)


class Gwp(Config):
    """A row of models/gwp.csv: grams CO2e a gram over 100 years."""

    name: Text
    gas: Gas
    gwp_set: GwpSet
    value: Exact = Field(ge=0)
    uncertainty: Spread | None = None  # multiples of the value
    correlation_group: Text | None = None
    status: Status
    source: str = Field(min_length=3)

    @property
    def key(self) -> str:
        """What its versions share."""
        return f"{self.gas} {self.gwp_set}"


class RefrigerantPart(Config):
    """A row of models/refrigerants.csv: one gas of a refrigerant and its share of the mass."""

    name: Text
    refrigerant: Text
    gas: Gas
    mass_frac: Exact = Field(gt=0, le=1)
    status: Status
    source: str = Field(min_length=3)

    @property
    def key(self) -> str:
        """What its versions share."""
        return f"{self.refrigerant} {self.gas}"


@dataclass(frozen=True, slots=True)
class GasMass:
    """A mass of one gas and what it counts for.

    Attributes:
        gas: such as ``CO2``, ``HFC-134a``, or ``CO2e`` where only the sum is known.
        tonnes: mass of the gas [t].
        tco2e: mass times its potential [t CO2e].
        gwp: row of the potential; ``None`` for CO2 and for what is CO2e already.
        rows: names of all rows it rests on.
    """

    gas: str
    tonnes: Decimal
    tco2e: Decimal
    gwp: Gwp | None
    rows: tuple[str, ...]


def gwps() -> dict[str, Gwp]:
    """The shipped potentials by name."""
    return catalog.table("gwp", Gwp)


def refrigerants() -> dict[str, RefrigerantPart]:
    """The shipped parts of refrigerants by name."""
    return catalog.table("refrigerants", RefrigerantPart)


def weighed(
    gas: str, tonnes: Decimal, gwp_set: str, rows: Iterable[Gwp], rests_on: tuple[str, ...] = ()
) -> GasMass:
    """A mass of a gas as CO2e of one assessment report.

    Args:
        gas: the gas; ``CO2e`` is passed through, of which set the factor says.
        tonnes: its mass [t].
        gwp_set: ``AR4``, ``AR5`` or ``AR6``: a choice of the report, never a default.
        rows: potentials to choose from.
        rests_on: names of rows behind the mass.

    Raises:
        InputError: the set has no potential of the gas, or two; says which sets have one.
    """
    if gwp_set not in SETS:
        raise InputError(f"no GWP set '{gwp_set}'{nearest(gwp_set, SETS)}; there are AR4, AR5, AR6")
    if gas in ("CO2", "CO2e"):
        return GasMass(gas, tonnes, tonnes, None, rests_on)
    of_gas = [row for row in rows if row.gas == gas]
    found = [row for row in of_gas if row.gwp_set == gwp_set]
    if len(found) != 1:
        listed = ", ".join(sorted(row.name for row in (found or of_gas))) or "no potential of it"
        shipped = [row.name for row in gwps().values() if (row.gas, row.gwp_set) == (gas, gwp_set)]
        remedy = f"; {shipped[0]} is shipped: --adopt posts it" if shipped and not found else ""
        raise InputError(f"{gas}: {gwp_set} has no single potential; there is {listed}{remedy}")
    counted = units.EXACT.multiply(tonnes, found[0].value)
    return GasMass(gas, tonnes, counted, found[0], (*rests_on, found[0].name))


def leaked(
    refrigerant: str,
    grams: int,
    gwp_set: str,
    parts: Iterable[RefrigerantPart],
    rows: Iterable[Gwp],
) -> tuple[GasMass, ...]:
    """A leak of refrigerant gas by gas: scope 1.

    Args:
        refrigerant: its number, such as ``R-410A``.
        grams: what escaped, from the ``refrigerant`` meter: refilled less recovered.
        gwp_set: assessment report of the potentials.
        parts: compositions to choose from.
        rows: potentials to choose from.

    Raises:
        InputError: an unknown refrigerant, shares that do not sum to one, or no potential.
    """
    known = list(parts)
    made = composition(refrigerant, known)
    held = list(rows)
    return tuple(
        weighed(part.gas, units.EXACT.multiply(Decimal(grams).scaleb(-6), part.mass_frac),
                gwp_set, held, (part.name,))
        for part in made
    )  # fmt: skip


def composition(refrigerant: str, parts: Iterable[RefrigerantPart]) -> tuple[RefrigerantPart, ...]:
    """The gases of a refrigerant.

    Raises:
        InputError: it is unknown, or its shares do not sum to one.
    """
    known: dict[str, list[RefrigerantPart]] = {}
    for part in parts:
        known.setdefault(part.refrigerant, []).append(part)
    if refrigerant not in known:
        shipped = {part.refrigerant for part in refrigerants().values()}
        if refrigerant in shipped:
            remedy = "; its parts are shipped: --adopt posts them"
        else:
            remedy = f"{nearest(refrigerant, {*known, *shipped})}; post its parts as rows of refrigerants"
        raise InputError(f"refrigerant '{refrigerant}' is unknown to this ledger{remedy}")
    found = known[refrigerant]
    if sum(part.mass_frac for part in found) != ONE:
        raise InputError(f"{refrigerant}: the mass shares of its gases do not sum to one")
    return tuple(found)


def by_gas(masses: Iterable[GasMass]) -> Mapping[str, Decimal]:
    """Mass of each gas [t], in order of appearance; gases are never summed with each other."""
    made: dict[str, Decimal] = {}
    for mass in masses:
        made[mass.gas] = units.EXACT.add(made.get(mass.gas, Decimal(0)), mass.tonnes)
    return made


def total_tco2e(masses: Iterable[GasMass]) -> Decimal:
    """Sum of what the masses count for [t CO2e]."""
    total = Decimal(0)
    for mass in masses:
        total = units.EXACT.add(total, mass.tco2e)
    return total
