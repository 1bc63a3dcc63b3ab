"""A curve of the catalog as a function that can be read both ways."""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Curve

Array = NDArray[np.float64]
_POINTS: Final = 2_001  # straight between them: 1e-6 off the cubic


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """A rising curve in fine steps; beyond its ends it stays at its end value."""

    x: Array
    y: Array

    def __call__(self, x: Array) -> Array:
        """The curve at x, shape (n,)."""
        return np.interp(x, self.x, self.y)

    def inverse(self, y: Array) -> Array:
        """Where the curve is y, shape (n,); an end of the curve where it never is."""
        return np.interp(y, self.y, self.x)


@functools.cache
def sampled(curve: Curve) -> Sampled:
    """The monotone cubic (PCHIP) through the points of a curve.

    References:
        Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984), as in scipy's PchipInterpolator.
    """
    from scipy.interpolate import PchipInterpolator

    x = np.linspace(curve.x[0], curve.x[-1], _POINTS)
    return Sampled(x, np.asarray(PchipInterpolator(curve.x, curve.y)(x), np.float64))
