"""ElectricEIR: a tested chiller by its published curves, and what they say outside their limits.

A curve knows nothing outside the range it was fitted in. ``clamp`` reads it at its edge, as
EnergyPlus does; ``extrapolate`` follows the polynomial, as the Modelica Buildings library does;
``error`` refuses. The first two tell of every point where they did so.

References:
    EnergyPlus Engineering Reference, "Electric Chiller Model Based on Condenser Entering
    Temperature" (Chiller:Electric:EIR).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import ChillerCurves, OutOfRange
from aidc.errors import Fault, InputError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves at given temperatures, every array of shape (n,).

    Attributes:
        capacity_ratio: available over reference capacity.
        eir_ratio: full-load power over heat, relative to the reference.
        outside: where a temperature was outside the limits.
    """

    capacity_ratio: Array
    eir_ratio: Array
    outside: Mask


def outside(curves: ChillerCurves, leaving_degc: Array, condenser_degc: Array) -> Mask:
    """Where a temperature is outside the limits of the curves, shape (n,)."""
    return _beyond(leaving_degc, curves.leaving_degc) | _beyond(
        condenser_degc, curves.condenser_degc
    )


def at(
    curves: ChillerCurves, leaving_degc: Array, condenser_degc: Array, out_of_range: OutOfRange
) -> Curves:
    """The curves at leaving chilled water and entering condenser water, shape (n,).

    Raises:
        InputError: ``out_of_range`` is ``error`` and a temperature is outside the limits.
    """
    beyond = outside(curves, leaving_degc, condenser_degc)
    if out_of_range == "error":
        refuse(curves, leaving_degc[beyond], condenser_degc[beyond])
    t, u = leaving_degc, condenser_degc
    if out_of_range == "clamp":
        t = np.clip(t, *curves.leaving_degc)
        u = np.clip(u, *curves.condenser_degc)
    return Curves(
        _biquadratic(curves.capacity_curve, t, u), _biquadratic(curves.eir_curve, t, u), beyond
    )


def electricity_per_heat(
    curves: ChillerCurves,
    plr_min_frac: float,
    part_load_frac: Array,
    eir_ratio: Array,
) -> Array:
    """Electricity per heat removed, 1/COP, shape (n,).

    Below its least part load the machine cycles, with the efficiency of that load.

    Args:
        curves: of the machine.
        plr_min_frac: least part load without cycling.
        part_load_frac: heat over the capacity available at these temperatures; what is above the
            largest of the curves is read there.
        eir_ratio: from `at`.
    """
    plr = np.clip(part_load_frac, plr_min_frac, curves.plr[1])
    a, b, c = curves.part_load
    return eir_ratio * (a + b * plr + c * plr * plr) / (plr * curves.reference_cop)


def refuse(curves: ChillerCurves, leaving_degc: Array, condenser_degc: Array) -> None:
    """Stops where there is a point outside the limits.

    Args:
        curves: of the machine.
        leaving_degc: chilled water of the points outside, shape (n,); none is fine.
        condenser_degc: their condenser water.

    Raises:
        InputError: a fault for each temperature that leaves its limits.
    """
    faults = []
    for what, water, span in (
        ("leaving chilled water", leaving_degc, curves.leaving_degc),
        ("entering condenser water", condenser_degc, curves.condenser_degc),
    ):
        if (beyond := _beyond(water, span)).any():
            text = (
                f"{what} of {water.min():.2f} to {water.max():.2f} degC leaves the "
                f"{span[0]:g} to {span[1]:g} degC of the curves in {beyond.sum()} steps; choose "
                "another chiller, or out_of_range: clamp or extrapolate, which count such steps"
            )
            faults.append(Fault("", 0, 0, f"chiller_curves {curves.name}", text))
    if faults:
        raise InputError(faults)


def _beyond(water_degc: Array, span: tuple[float, float]) -> Mask:
    return (water_degc < span[0]) | (water_degc > span[1])


def _biquadratic(c: tuple[float, ...], t: Array, u: Array) -> Array:
    return c[0] + (c[1] + c[2] * t) * t + (c[3] + c[4] * u) * u + c[5] * t * u
