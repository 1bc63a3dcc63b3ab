"""Scope 1: fuels gas by gas, refrigerants that escape; biogenic CO2 as a memo outside the scopes."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.factors.gases import GasMass, Gwp, weighed
from aidc.ledger.factors.rows import ActivityFactor, FuelFactor, fuel_factors


@dataclass(frozen=True, slots=True)
class Burnt:
    """What burning a fuel gave off.

    Attributes:
        inside: gases inside scope 1.
        biogenic_co2_t: CO2 of a biogenic fuel [t], for ``memo.biogenic``; never in a total.
        missing: gases without a factor: not assessed, which is no zero.
    """

    inside: tuple[GasMass, ...]
    biogenic_co2_t: Decimal
    missing: tuple[str, ...]

    @property
    def disclosure(self) -> str:
        """What the statement says about its gases; empty where CO2, CH4 and N2O are all there."""
        return f"without {' and '.join(self.missing)}" if self.missing else ""


def burnt(
    fuel: str,
    wh: int,
    fuels: Iterable[FuelFactor],
    others: Iterable[ActivityFactor],
    gwp_set: str | None,
    gwps: Iterable[Gwp],
) -> Burnt:
    """Emissions of burning an energy of a fuel, by gas.

    Args:
        fuel: as the meter names it.
        wh: energy burnt, net calorific value [Wh].
        fuels: CO2 factors to choose from.
        others: factors of CH4 and N2O; a gas without one is missing, not zero.
        gwp_set: assessment report for CH4 and N2O; ``None`` counts CO2 only.
        gwps: potentials to choose from.

    Raises:
        InputError: no single factor of the fuel and a gas.
    """
    carbon = [row for row in fuels if row.fuel == fuel]
    if len(carbon) != 1:
        raise InputError(_no_single(fuel, carbon))
    factor = carbon[0]
    co2 = factor.tonnes(wh)
    biogenic = factor.origin == "biogenic"
    inside = [] if biogenic else [GasMass("CO2", co2, co2, None, (factor.name,))]
    missing: list[str] = []
    potentials, rows = list(gwps), list(others)
    for gas in ("CH4", "N2O"):
        found = [
            row
            for row in rows
            if (row.activity, row.basis) == (fuel, "direct") and row.gas.split("-")[0] == gas
        ]
        if len(found) > 1:
            listed = ", ".join(sorted(row.name for row in found))
            raise InputError(f"{fuel}: two factors of {gas}: {listed}; withdraw one")
        if not found or gwp_set is None:
            missing.append(gas)
            continue
        row = found[0]
        inside.append(weighed(row.gas, row.tonnes(wh), gwp_set, potentials, (row.name,)))
    return Burnt(tuple(inside), co2 if biogenic else Decimal(0), tuple(missing))


def _no_single(fuel: str, rows: list[FuelFactor]) -> str:
    """Why a fuel has no price in CO2, and what to do."""
    if rows:
        listed = ", ".join(sorted(row.name for row in rows))
        return f"{fuel}: two CO2 factors: {listed}; withdraw one (superseded_by)"
    shipped = {row.fuel: row.name for row in fuel_factors().values()}
    if fuel in shipped:
        return (
            f"no CO2 factor for {fuel} in this ledger; {shipped[fuel]} is shipped: --adopt posts it"
        )
    return (
        f"no CO2 factor for {fuel}{nearest(fuel, shipped)}; none is shipped: post your own, a "
        "factor_version of fuel_factors"
    )
