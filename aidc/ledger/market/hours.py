"""Load and lots hour by hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from aidc.errors import InputError
from aidc.ledger.lots.granular import HOUR_S, hours_of
from aidc.ledger.market.claims import Use
from aidc.ledger.market.electricity import PvUse, SiteEnergy
from aidc.ledger.market.matching import Offer, Wh, spread


class CoarseReadingsError(InputError):
    """Readings that do not say in which hour they were."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a period.

    Attributes:
        since: start of the first.
        count: how many there are.
    """

    since: datetime
    count: int

    @classmethod
    def of(cls, period: tuple[datetime, datetime]) -> "Hours":
        """Hours of a period.

        Raises:
            InputError: it is no whole number of hours.
        """
        seconds = (period[1] - period[0]).total_seconds()
        if seconds <= 0 or seconds % HOUR_S:
            raise InputError(f"{period[0]} to {period[1]} is no whole number of hours")
        return cls(period[0], int(seconds // HOUR_S))

    def sums(self, meter: str, start_s: Wh, length_s: Wh, amount: Wh) -> Wh:
        """Intervals of a meter added up by hour, shape (count,).

        Args:
            meter: for the message.
            start_s: start of each interval [s since 1970, UTC], shape (n,).
            length_s: its length [s], shape (n,).
            amount: Wh, shape (n,).

        Raises:
            CoarseReadingsError: an interval is longer than an hour or lies across two.
        """
        place = (start_s - int(self.since.timestamp())) // HOUR_S
        last = (start_s + length_s - 1 - int(self.since.timestamp())) // HOUR_S
        if (place != last).any():
            row = int(np.flatnonzero(place != last)[0])
            when = datetime.fromtimestamp(int(start_s[row]), UTC)
            raise CoarseReadingsError(
                f"{meter}: the interval of {int(length_s[row])} s from {when:%Y-%m-%dT%H:%M:%SZ} is in more "
                "than one hour; hourly matching needs hourly readings or finer"
            )
        made = np.zeros(self.count, np.int64)
        np.add.at(made, place, amount)
        return made


def reach_of(spans: Sequence[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    """From the first start to the last end: sites of several zones count one year apart."""
    return min(start for start, _ in spans), max(end for _, end in spans)


def is_coarse(use: Use) -> bool:
    """Whether a lot does not say the hour of its generation."""
    start, end = use.claim.holding.generated
    return use.claim.lot.quantities is None and end - start > timedelta(seconds=HOUR_S)


def hourly_offers(uses: Sequence[Use], hours: Hours, zone: str) -> list[Offer]:
    """Each use hour by hour, named by its place in the list.

    A lot coarser than an hour is spread over the hours of its generation by its hour_weights, flat
    without them. Only hours of the consumption that it is retired for are kept.

    Args:
        uses: what the book applies.
        hours: of the period.
        zone: in which the hours of hour_weights are read.
    """
    made = []
    for number, use in enumerate(uses):
        lot, generated = use.claim.lot, use.claim.holding.generated
        if lot.quantities is not None and lot.interval_s is not None:
            wh = hours_of(
                lot.quantities, lot.interval_s, generated[0], use.spans, hours.since, hours.count
            )
        else:
            wh = _spread(use, hours, zone)
        first, last = (_hour(time, hours) for time in use.claim.period)
        first, last = max(0, first), min(hours.count, last)
        made.append(use.offer(str(number), wh[first:last].copy(), first))
    return made


def _hour(time: datetime, hours: Hours) -> int:
    return int((time - hours.since).total_seconds() // HOUR_S)


def _spread(use: Use, hours: Hours, zone: str) -> Wh:
    start, end = use.claim.holding.generated
    first, last = _hour(start, hours), _hour(end - timedelta(seconds=1), hours) + 1
    weights = use.claim.lot.hour_weights
    if weights is None:
        profile = np.ones(last - first, np.int64)
    else:
        local = ZoneInfo(zone)
        begin = hours.since + timedelta(hours=first)
        profile = np.asarray(
            [
                weights[(begin + timedelta(hours=hour)).astimezone(local).hour]
                for hour in range(last - first)
            ],
            np.int64,
        )
    parts = spread(use.wh, profile)
    made = np.zeros(hours.count, np.int64)
    low, high = max(0, first), min(hours.count, last)
    if low < high:
        made[low:high] = parts[low - first : high - first]
    return made


def grid_by_hour(energy: SiteEnergy, hours: Hours, period: tuple[datetime, datetime]) -> Wh:
    """Grid electricity of a site in each hour, own PV with sold certificates included."""
    made = np.zeros(hours.count, np.int64)
    for counts in energy.bought:
        part = counts.part(*period)
        made += hours.sums(counts.meter, part.start_s, part.length_s, part.amount)
    for pv in energy.own_pv:
        made += own_by_hour(pv, pv.sold, hours, period)
    return made


def own_by_hour(pv: PvUse, amount: Wh, hours: Hours, period: tuple[datetime, datetime]) -> Wh:
    """A part of own PV in each hour.

    Args:
        pv: whose intervals.
        amount: Wh of each of them, kept or sold.
        hours: of the period.
        period: a part of the statement's.
    """
    first, last = np.searchsorted(pv.counts.start_s, [period[0].timestamp(), period[1].timestamp()])
    rows = slice(int(first), int(last))
    counts = pv.counts
    return hours.sums(counts.meter, counts.start_s[rows], counts.length_s[rows], amount[rows])
