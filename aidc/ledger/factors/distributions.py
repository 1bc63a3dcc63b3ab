"""Distributions of an input, written as multiples of its value: ``normal 0.05`` is 5 % around it."""

import math
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from aidc.config import nearest
from aidc.errors import InputError

Kind = Literal["normal", "lognormal", "triangular", "uniform"]
_PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "normal": ("standard deviation",),
    "lognormal": ("geometric standard deviation",),  # around the value as median
    "triangular": ("low", "mode", "high"),
    "uniform": ("low", "high"),
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """How an input is spread, as multiples of its value; made by `distribution`."""

    kind: Kind
    parameters: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean, as a multiple of the value."""
        first = self.parameters[0]
        if self.kind == "normal":
            return 1.0
        if self.kind == "lognormal":
            return math.exp(math.log(first) ** 2 / 2)
        return sum(self.parameters) / len(self.parameters)

    @property
    def sd(self) -> float:
        """Standard deviation, as a multiple of the value."""
        first, last = self.parameters[0], self.parameters[-1]
        if self.kind == "normal":
            return first
        if self.kind == "lognormal":
            return self.mean * math.sqrt(math.expm1(math.log(first) ** 2))
        if self.kind == "uniform":
            return (last - first) / math.sqrt(12)
        mode = self.parameters[1]
        square = first**2 + mode**2 + last**2 - first * mode - first * last - mode * last
        return math.sqrt(square / 18)

    def at(self, quantile: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multiples of the value at quantiles between 0 and 1, shape as given."""
        from scipy.special import ndtri

        first, last = self.parameters[0], self.parameters[-1]
        if self.kind == "normal":
            return np.asarray(1.0 + first * ndtri(quantile), np.float64)
        if self.kind == "lognormal":
            return np.asarray(np.exp(math.log(first) * ndtri(quantile)), np.float64)
        if self.kind == "uniform":
            return first + (last - first) * quantile
        mode, span = self.parameters[1], last - first
        rising = first + np.sqrt(quantile * span * (mode - first))
        falling = last - np.sqrt((1.0 - quantile) * span * (last - mode))
        return np.where(quantile * span < mode - first, rising, falling)


def distribution(text: str) -> Distribution:
    """A distribution from text such as ``normal 0.05`` or ``triangular 0.8 1 1.3``.

    The numbers are multiples of the value: the standard deviation of a normal, the geometric one of
    a lognormal whose median is the value, low, mode and high of a triangle, low and high of a uniform.

    Raises:
        InputError: no such distribution, or numbers that do not make one.

    Examples:
        >>> distribution("uniform 0.9 1.1").mean
        1.0
    """
    kind, *rest = text.split() or [""]
    if kind not in _PARAMETERS:
        listed = ", ".join(_PARAMETERS)
        raise InputError(
            f"'{text}' is no distribution{nearest(kind, _PARAMETERS)}; there are {listed}"
        )
    wanted = _PARAMETERS[kind]
    try:
        numbers = tuple(float(part) for part in rest)
    except ValueError:
        raise InputError(
            f"'{text}': {' and '.join(wanted)} are numbers, multiples of the value"
        ) from None
    if len(numbers) != len(wanted) or not all(map(math.isfinite, numbers)):
        raise InputError(f"'{text}': {kind} takes {', '.join(wanted)} as multiples of the value")
    held = {
        "normal": numbers[0] > 0,
        "lognormal": numbers[0] > 1,
        "triangular": numbers[0] < numbers[-1] and list(numbers) == sorted(numbers),
        "uniform": numbers[0] < numbers[-1],
    }
    if not held[kind] or (kind != "normal" and numbers[0] < 0):
        raise InputError(f"'{text}': {', '.join(wanted)} do not make a {kind} distribution")
    return Distribution(kind, numbers)  # type: ignore[arg-type]


def _known(text: str) -> str:
    distribution(text)
    return text


Spread = Annotated[str, AfterValidator(_known)]  # a field that holds one as text
