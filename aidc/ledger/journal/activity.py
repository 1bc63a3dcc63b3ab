"""From mean power and meter readings to whole counts of intervals."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aidc.ledger.journal.canonical import utc_text
from aidc.units import W_PER_KW


def wh_from_kw(power_kw: ArrayLike, step_h: float) -> NDArray[np.int64]:
    """Whole Wh of each step from mean power, shape as given.

    The cumulative energy is rounded, not each step, so that any run of steps agrees with the float
    total to 1 Wh.

    Args:
        power_kw: mean power of each step, shape (n,).
        step_h: length of a step [h].

    Examples:
        >>> wh_from_kw([0.0004, 0.0004, 0.0004], 1.0)
        array([0, 1, 0])
    """
    return whole(np.asarray(power_kw, np.float64) * (step_h * W_PER_KW))


def whole(amounts: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers whose running sums are the rounded running sums of the amounts, shape (n,)."""
    running = np.rint(np.cumsum(np.asarray(amounts, np.float64))).astype(np.int64)
    return np.diff(running, prepend=np.int64(0))


def block_entry(
    entry_id: str,
    meter: str,
    unit: str,
    start: datetime,
    interval: timedelta,
    quantities: Iterable[int],
    quality: str,
    method: str | None = None,
) -> dict[str, Any]:
    """An ``activity`` entry, ready to post."""
    counted = [int(quantity) for quantity in quantities]
    payload: dict[str, Any] = {
        "meter": meter,
        "unit": unit,
        "interval_s": int(interval.total_seconds()),
        "quantities": counted,
        "quality": quality,
    }
    if method is not None:
        payload["method"] = method
    return {
        "id": entry_id,
        "kind": "activity",
        "valid_from": utc_text(start),
        "valid_to": utc_text(start + interval * len(counted)),
        "payload": payload,
    }
