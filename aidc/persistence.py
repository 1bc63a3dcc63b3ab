"""What tomorrow looks like if it is like what was: plain forecasts of a regular series from its own past.

Every function sees the past and nothing else; its value at lead 1 is the step after the last one seen.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_MOST_PERIODS = 28  # of the past that a mean shape is taken of: four weeks of days


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


def damped(past: Array, periods: Sequence[int], steps: int) -> Array:
    """The mean shape of a period, and on it today's departure from it, which fades with the lead.

    Damped persistence, also called the optimum mix of persistence and climatology [1]: the departure at
    a lead is the last one times the autocorrelation of the departures at that lead, which is estimated
    from the same past, held at or above nought and never rising. No parameter is chosen by hand.

    Args:
        past: shape (n,), n at least 1.
        periods: steps of a period, the most wanted first; the first that was seen twice is taken, and
            where none was the last value is held.
        steps: to forecast.

    References:
        [1] A. H. Murphy, "Climatology, persistence, and their linear combination as standards of
        reference in skill scores", Weather and Forecasting 7(4), 1992.
    """
    period = next((length for length in periods if len(past) >= 2 * length), None)
    if period is None:
        return held(past, steps)
    whole = min(len(past) // period, _MOST_PERIODS)
    recent = past[-whole * period :].reshape(whole, period)
    shape = recent.mean(axis=0)
    departure = (recent - shape).ravel()
    leads = np.arange(steps)
    return np.asarray(
        shape[leads % period] + departure[-1] * _autocorrelation(departure, steps), np.float64
    )


def _autocorrelation(departure: Array, steps: int) -> Array:
    """Autocorrelation at leads 1 to ``steps``, not below nought, never rising, shape (steps,)."""
    power = float(departure @ departure)
    if power <= len(departure) * np.finfo(np.float64).eps * float(np.abs(departure).max() + 1.0):
        return np.zeros(steps)
    size = 2 ** int(np.ceil(np.log2(2 * len(departure))))
    spectrum = np.abs(np.fft.rfft(departure, size)) ** 2
    at_lead = np.fft.irfft(spectrum, size)[1 : min(steps, len(departure) - 1) + 1] / power
    found = np.zeros(steps)
    found[: len(at_lead)] = np.clip(np.minimum.accumulate(at_lead), 0.0, 1.0)
    return found
