"""What tomorrow looks like if it is like what was: plain forecasts of a regular series from its own past.

Every function sees the past and nothing else; its value at lead 1 is the step after the last one seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Method = Literal["persistence", "learned"]
_ORIGINS = 700  # past forecasts that weights are fitted on, at most; an hour apart in four weeks
_RIDGE = 1e-6  # of the mean squared error, so that members that always agree share their weight


def held(past: Array, steps: int) -> Array:
    """The last value, held; shape (steps,)."""
    return np.full(steps, past[-1])


def repeated(past: Array, period: int, steps: int) -> Array:
    """The last period again and again; where less than one has been seen the last value, held.

    Args:
        past: shape (n,), n at least 1.
        period: steps of a period.
        steps: to forecast.
    """
    if len(past) < period:
        return held(past, steps)
    return np.asarray(past[-period:][np.arange(steps) % period], np.float64)


def combined(past: Array, periods: Sequence[int], steps: int) -> Array:
    """A weighted mean of simple forecasts, with the weights that would have been best so far.

    The members are the last value; and for each period its last one again, the mean of the earlier ones
    at the same phase, and that mean shifted to today's level. At each lead the weights are those,
    none negative and one in sum, with the least squared error of the mixture in the forecasts that could
    have been made before now: the minimum-variance combination of Bates and Granger [1], which for
    a mean shape and the last value is the mix of climatology and persistence that skill scores are
    measured by [2].

    Args:
        past: shape (n,), n at least 1.
        periods: steps of a period, the longest first; each is left out until it has been seen often enough
            to be judged, and where none has the shortest is repeated (`repeated`).
        steps: to forecast.

    References:
        [1] J. M. Bates, C. W. J. Granger, "The combination of forecasts", Operational Research
        Quarterly 20(4), 1969.
        [2] A. H. Murphy, "Climatology, persistence, and their linear combination as standards of
        reference in skill scores", Weather and Forecasting 7(4), 1992.
    """
    past = np.asarray(past, np.float64)
    if past.min() == past.max():
        return held(past, steps)
    cycles = [_Cycle.of(past, period) for period in periods]
    origin = np.unique(np.append(np.arange(len(past) - 1, -1, -_stride(past)), len(past) - 1))
    return np.array([_at_lead(past, cycles, origin, lead) for lead in range(1, steps + 1)])


def _stride(past: Array) -> int:
    return max(1, len(past) // _ORIGINS)


@dataclass(frozen=True, slots=True)
class _Cycle:
    """A period of a past.

    Attributes:
        period: its steps.
        mean: at each step the mean of it and all earlier steps of its phase.
    """

    period: int
    mean: Array

    @classmethod
    def of(cls, past: Array, period: int) -> "_Cycle":
        rows = -(-len(past) // period)
        padded = np.zeros(rows * period)
        padded[: len(past)] = past
        total = np.cumsum(padded.reshape(rows, period), axis=0).ravel()[: len(past)]
        return cls(period, total / (1 + np.arange(len(past)) // period))

    def members(self, past: Array, origin: NDArray[np.int64], lead: int) -> Array:
        """Three forecasts made at each origin for a lead, nan where too little was seen; (3, origins)."""
        same_phase = (
            origin + lead - -(-lead // self.period) * self.period
        )  # at or before the origin
        before = origin - self.period
        seen = (same_phase >= 0) & (before >= 0)
        at = np.maximum(same_phase, 0)
        shifted = self.mean[at] + past[origin] - self.mean[np.maximum(before, 0)]
        return np.where(seen, np.stack([past[at], self.mean[at], shifted]), np.nan)


def _at_lead(past: Array, cycles: Sequence[_Cycle], origin: NDArray[np.int64], lead: int) -> float:
    """The combined forecast at one lead from the last origin."""
    judged = origin + lead < len(past)
    for first in range(len(cycles)):
        used = cycles[first:]
        made = np.vstack(
            [past[origin][None, :], *(cycle.members(past, origin, lead) for cycle in used)]
        )
        good = judged & np.isfinite(made).all(axis=0)
        if np.isfinite(made[:, -1]).all() and good.sum() * _stride(past) >= used[-1].period:
            error = made[:, good] - past[origin[good] + lead]
            return float(made[:, -1] @ _least_variance(error @ error.T / good.sum()))
    return float(repeated(past, cycles[-1].period, lead)[-1])


def _least_variance(covariance: Array) -> Array:
    """Weights, none negative and one in sum, that make the squared error of the mixture least."""
    from scipy.optimize import nnls

    size = len(covariance)
    scale = float(np.trace(covariance)) / size
    if scale == 0.0:
        return np.full(size, 1.0 / size)
    root = np.linalg.cholesky(covariance / scale + _RIDGE * np.eye(size)).T
    # the sum of one as a heavy row: what it is off is made good by the division
    heavy = 1e3 * np.ones((1, size))
    weight, _ = nnls(np.vstack([root, heavy]), np.append(np.zeros(size), heavy[0, 0]))
    return np.asarray(weight / weight.sum(), np.float64)
