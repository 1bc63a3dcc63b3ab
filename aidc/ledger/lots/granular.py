"""Granular certificates: whole Wh of intervals of at most an hour.

References:
    EnergyTag, Granular Certificate Scheme Standard: unit Wh, rounded down, interval at most one hour.
"""

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError

HOUR_S: Final = 3600


def certificate_wh(produced_wh: Decimal, interval_s: int) -> int:
    """What a granular certificate of an interval holds [Wh], rounded down.

    Args:
        produced_wh: generation of the interval [Wh].
        interval_s: its length [s].

    Raises:
        InputError: the interval is longer than an hour, or the energy is negative.

    Examples:
        >>> certificate_wh(Decimal("1234.999"), 900)
        1234
    """
    if not 0 < interval_s <= HOUR_S:
        raise InputError(
            f"interval of {interval_s} s: a granular certificate covers at most one hour"
        )
    if produced_wh < 0:
        raise InputError(f"{produced_wh} Wh is negative; generation never is")
    return int(produced_wh.to_integral_value(ROUND_FLOOR))


def certified(produced_wh: list[Decimal], interval_s: int) -> tuple[int, ...]:
    """Wh of each interval of a granular lot; fractions are lost in each, as the scheme has it.

    Raises:
        InputError: as `certificate_wh`.
    """
    return tuple(certificate_wh(wh, interval_s) for wh in produced_wh)


def hours_of(
    quantities: tuple[int, ...],
    interval_s: int,
    start: datetime,
    spans: tuple[tuple[int, int], ...],
    since: datetime,
    hour_count: int,
) -> NDArray[np.int64]:
    """Wh of part of a granular lot in each hour of a period, shape (hour_count,).

    A serial number is one Wh, in the order of generation: a run of them is a piece of the running
    sum. What lies outside the period is left out.

    Args:
        quantities: Wh of each interval.
        interval_s: length of an interval [s], a divisor of an hour.
        start: of the first interval.
        spans: positions taken, each with its end exclusive.
        since: first hour of the period.
        hour_count: hours in the period.
    """
    ends = np.cumsum(np.asarray(quantities, np.int64))
    begins = ends - np.asarray(quantities, np.int64)
    taken = np.zeros(len(quantities), np.int64)
    for first, last in spans:
        taken += np.maximum(0, np.minimum(ends, last) - np.maximum(begins, first))
    offset_s = int((start - since).total_seconds())
    hours = (offset_s + interval_s * np.arange(len(quantities))) // HOUR_S
    inside = (hours >= 0) & (hours < hour_count)
    made = np.zeros(hour_count, np.int64)
    np.add.at(made, hours[inside], taken[inside])
    return made
