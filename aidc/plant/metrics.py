"""Indicators of a run from energies and water: sums over sums, never means of ratios.

References:
    ISO/IEC 30134-2 (PUE), -3 (REF), -8 (CUE), -9 (WUE); The Green Grid, "TUE".
"""

from dataclasses import dataclass
from typing import Final, Literal

from aidc.errors import InputError

PueCategory = Literal[1, 2, 3]
MONTHS_OF_A_PUE: Final = 12
_MEASURED_AT: Final[dict[PueCategory, str]] = {1: "UPS output", 2: "PDU output", 3: "server input"}


@dataclass(frozen=True, slots=True)
class Pue:
    """A power usage effectiveness and what it is worth.

    Attributes:
        value: energy of the facility over energy of the IT.
        category: where the IT energy is read: 1 UPS output, 2 PDU output, 3 server input.
        months: that the energies cover.
    """

    value: float
    category: PueCategory
    months: float

    @property
    def label(self) -> str:
        """Such as ``PUE3 (server input)``, or with ``interim`` where no whole year is covered."""
        interim = "" if self.months >= MONTHS_OF_A_PUE else f"interim, {self.months:.2g} months, "
        return f"PUE{self.category} ({interim}{_MEASURED_AT[self.category]})"


def pue(facility_kwh: float, it_kwh: float, category: PueCategory, months: float) -> Pue:
    """Facility energy over IT energy read at the point of the category.

    Raises:
        InputError: no IT energy, or more of it than the facility took.
    """
    value = ratio(facility_kwh, it_kwh)
    if value < 1.0:
        raise InputError(f"PUE {value:.4f} is below 1: {facility_kwh:g} kWh over {it_kwh:g} kWh")
    return Pue(value, category, months)


def pue_at_reference_inlet(facility_kwh: float, it_reference_kwh: float) -> float:
    """Facility energy over what the same servers would take at their reference inlet.

    Warmer supply makes server fans draw more, which counts as IT and flatters the PUE; here it
    does not, so the set-point of least value is that of least energy.
    """
    return ratio(facility_kwh, it_reference_kwh)


def tue(facility_kwh: float, it_kwh: float, server_fan_kwh: float) -> float:
    """Total usage effectiveness: facility energy over IT energy less server fans."""
    return ratio(facility_kwh, it_kwh - server_fan_kwh)


def wue_withdrawal_l_per_kwh(
    evaporated_l: float, blowdown_l: float, humidifier_l: float, it_kwh: float
) -> float:
    """Water taken in per IT energy."""
    return ratio(evaporated_l + blowdown_l + humidifier_l, it_kwh)


def wue_consumption_l_per_kwh(evaporated_l: float, humidifier_l: float, it_kwh: float) -> float:
    """Water that does not come back as waste water, per IT energy."""
    return ratio(evaporated_l + humidifier_l, it_kwh)


def cue_kgco2e_per_kwh(emissions_kgco2e: float, it_kwh: float) -> float:
    """Carbon usage effectiveness: emissions per IT energy."""
    return ratio(emissions_kgco2e, it_kwh)


def ref(renewable_kwh: float, facility_kwh: float) -> float:
    """Renewable energy factor, at most 1.

    Args:
        renewable_kwh: owned or contracted and used; energy whose attributes were sold is not in it.
        facility_kwh: all that the site takes.
    """
    return min(ratio(renewable_kwh, facility_kwh), 1.0)


def erf(reused_kwh: float, facility_kwh: float) -> float:
    """Energy reuse factor of ISO/IEC 30134-6: heat used outside the site over all that the site takes.

    Args:
        reused_kwh: heat that left for use.
        facility_kwh: all that the site takes.
    """
    return ratio(reused_kwh, facility_kwh)


def ratio(numerator: float, denominator: float) -> float:
    """A ratio of energies.

    Raises:
        InputError: the denominator is not above zero.
    """
    if not denominator > 0.0:
        raise InputError(
            f"{denominator:g} kWh of IT or site energy: there is no ratio over nothing"
        )
    return numerator / denominator
