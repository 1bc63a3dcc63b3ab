"""How many chillers ran, remembered as changes: a started machine stays on for a while, a stopped one off."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aidc.site import Site

Change = tuple[datetime, float]  # machines on in the time up to this, and since


def least_time(site: "Site") -> timedelta:
    """How far back a start or stop still binds a plan."""
    plant = site.cooling
    if plant.kind != "chilled_water":
        return timedelta(0)
    return timedelta(hours=max(plant.chiller_min_up_h, plant.chiller_min_down_h))


def noted(
    changes: Sequence[Change], time: datetime, count: float, least: timedelta
) -> tuple[Change, ...]:
    """The changes with a reading, without those that bind nothing any more; a clock set back forgets its future."""
    known = [change for change in changes if change[0] <= time]
    if not known or known[-1][1] != count:
        known.append((time, count))
    binding = [k for k, change in enumerate(known) if change[0] > time - 2 * least]
    first = max(min(binding, default=len(known)) - 1, 0)
    return tuple(known[first:])


def ran(
    changes: Sequence[Change], until: datetime, step: timedelta, least: timedelta
) -> tuple[float, ...]:
    """Machines on in each step before a time, the last one last; from the first that is known."""
    made: list[float] = []
    for ago in range(least // step + 1):
        end = until - ago * step
        counts = [count for at, count in changes if at <= end]
        if not counts:
            break
        made.append(counts[-1])
    return tuple(reversed(made))
