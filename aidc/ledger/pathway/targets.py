"""The three tests of a pathway: peak, operational neutrality, net zero. Rules on plain series."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from aidc.errors import InputError

Status = Literal["confirmed", "on track", "projected"]
Exact: TypeAlias = int | float | Decimal | Fraction
_CONFIRMING_YEARS: Final = 5  # later actual years that settle a peak
_LARGEST_TOLERANCE: Final = Fraction(2, 100)


@dataclass(frozen=True, slots=True)
class Peak:
    """Whether a series stays below what it reached by a year.

    Attributes:
        verdict: ``PASS-strict``, ``PASS-plateau(tau)`` or ``FAIL``.
        maximum: largest value up to the year.
        maximum_year: when it occurs first.
        first_year: first later year that is not below the maximum; ``None`` if there is none.
        first_above: by how much it lies above the maximum; zero for a tie.
        fail_year: first later year above the tolerated plateau; ``None`` unless it fails.
        fail_above: by how much it lies above the plateau.
        margin: plateau limit, or maximum for a strict pass, less the largest later value.
    """

    verdict: str
    maximum: float
    maximum_year: int
    first_year: int | None
    first_above: float
    fail_year: int | None
    fail_above: float
    margin: float

    @property
    def passed(self) -> bool:
        """Whether it is a pass of either kind."""
        return self.verdict != "FAIL"


def peak(series: Mapping[int, Exact], by: int, tolerance_frac: Exact) -> Peak:
    """The peak test; exact, so that scaling the series never changes the verdict.

    Args:
        series: year -> value, consecutive years that include ``by``.
        by: year up to which the maximum counts.
        tolerance_frac: how far above it a plateau may lie, 0 to 0.02.

    Raises:
        InputError: a gap in the years, ``by`` outside the series or at its end, a larger tolerance.

    Examples:
        >>> peak({2023: 60, 2024: 80, 2025: 90, 2026: 91, 2027: 88}, 2025, 0.02).verdict
        'PASS-plateau(0.02)'
    """
    years = sorted(series)
    missing = sorted(set(range(years[0], years[-1] + 1)) - set(years)) if years else [by]
    if missing:
        raise InputError(
            f"the series has no {', '.join(map(str, missing))}; a peak needs every year"
        )
    if not years[0] <= by < years[-1]:
        raise InputError(f"{by} is not followed by a year of the series, {years[0]} to {years[-1]}")
    tau = Fraction(str(tolerance_frac))
    if not 0 <= tau <= _LARGEST_TOLERANCE:
        raise InputError(f"a plateau tolerance of {tolerance_frac} is outside 0 to 0.02")
    exact = {year: Fraction(series[year]) for year in years}
    maximum = max(value for year, value in exact.items() if year <= by)
    later = {year: value for year, value in exact.items() if year > by}
    limit = maximum * (1 + tau)
    first = next((year for year, value in later.items() if value >= maximum), None)
    over = next((year for year, value in later.items() if value > limit), None)
    verdict = (
        "PASS-strict" if first is None else "FAIL" if over else f"PASS-plateau({tolerance_frac})"
    )
    bar = maximum if first is None else limit
    return Peak(
        verdict,
        float(maximum),
        next(year for year, value in exact.items() if value == maximum),
        first,
        float(later[first] - maximum) if first else 0.0,
        over,
        float(later[over] - limit) if over else 0.0,
        float(bar - max(later.values())),
    )


def status_of(year: int, actual: Collection[int]) -> Status:
    """How settled a verdict is: by actual years at and after the target year."""
    if year not in actual:
        return "projected"
    later = sum(1 for known in actual if known > year)
    return "confirmed" if later >= _CONFIRMING_YEARS else "on track"


def first_above(series: Mapping[int, float], limit: Mapping[int, float], since: int) -> int | None:
    """First year from ``since`` on in which a series lies above its limit."""
    return next((y for y in sorted(series) if y >= since and series[y] > limit[y]), None)


def eligible_offsets_t(
    offsets_t: float, gross_location_t: float, share_limit_frac: float, has_plan: bool
) -> float:
    """Offsets that count: at most a share of gross LB, and only beside a reduction plan [t]."""
    return min(offsets_t, share_limit_frac * gross_location_t) if has_plan else 0.0


def neutrality_grade(
    neutral: bool, offsets_t: float, outside_zone_or_year: bool
) -> Literal["B", "C", "F"]:
    """Grade of operational neutrality. ``A`` needs hourly matching, which no statement has yet."""
    if not neutral:
        return "F"
    return "C" if offsets_t > 0 or outside_zone_or_year else "B"
