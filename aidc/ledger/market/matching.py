"""Matching of load with generation: one engine for the year and the hour, in whole Wh.

Offers are taken in order. In each interval an offer covers the load that is left of the sites it can
reach, in proportion to that load and with largest remainders, so that parts sum to the whole. What
is left over stays where it is: excess is reported and never carried to another interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import BalanceError, InputError

Wh = NDArray[np.int64]
PPM: Final = 10**6
_LARGEST: Final = 2**62  # products above it are counted in whole numbers without a limit


@dataclass(frozen=True, slots=True)
class Offer:
    """Energy that may cover load.

    Attributes:
        name: who offers it; of own generation the site.
        tier: place in the hierarchy, the first one first.
        order: within the tier: start of generation, then serial, then name.
        sites: rows of the load that it reaches, ascending.
        wh: in each interval from ``first`` on, shape (k,).
        first: first interval.
    """

    name: str
    tier: int
    order: tuple[int | str, ...]
    sites: tuple[int, ...]
    wh: Wh
    first: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """What covers what.

    Attributes:
        load_wh: shape (sites, intervals).
        offers: in the order in which they were taken.
        covered_wh: by offer and site, shape (offers, sites).
        excess_wh: of each offer, shape (offers,).
        uncovered_wh: shape (sites, intervals).
    """

    load_wh: Wh
    offers: tuple[Offer, ...]
    covered_wh: Wh
    excess_wh: Wh
    uncovered_wh: Wh

    def hours_under(self, percent: int) -> Wh:
        """Intervals of each site with load of which less than a share is covered, shape (sites,)."""
        covered = self.load_wh - self.uncovered_wh
        return np.asarray((covered * 100 < self.load_wh * percent).sum(axis=1), np.int64)

    def carbon_free_ppm(self, grid_ppm: NDArray[np.int64]) -> int:
        """Carbon-free score of the sites together [parts per million, rounded down].

        Energy offered, at most the load of each interval, and the grid's carbon-free share on the
        load that remains, weighted by load.

        Args:
            grid_ppm: carbon-free share of the grid, shape (intervals,) or (sites, intervals).

        Raises:
            InputError: there is no load, or a share is not from 0 to a million.

        References:
            Google, Environmental Report 2026, CFE score (secondary).
        """
        load = int(self.load_wh.sum())
        if not load:
            raise InputError("no load: a carbon-free score needs some")
        if grid_ppm.min() < 0 or grid_ppm.max() > PPM:
            raise InputError("a carbon-free share of the grid is 0 to 1,000,000 ppm")
        whole, rest = np.divmod(self.uncovered_wh, PPM)
        of_grid = int((whole * grid_ppm).sum()) * PPM + int((rest * grid_ppm).sum())
        return ((load - int(self.uncovered_wh.sum())) * PPM + of_grid) // load


def match(load_wh: Wh, offers: Sequence[Offer]) -> Matched:
    """Covers load with offers.

    Args:
        load_wh: gross consumption, shape (sites, intervals).
        offers: in any order; `Offer.tier` and `Offer.order` decide.

    Raises:
        InputError: a negative amount, or an offer outside the period.
        BalanceError: the parts do not add up; our own bug.
    """
    ordered = sorted(offers, key=lambda offer: (offer.tier, offer.order, offer.name))
    _check(load_wh, ordered)
    left = load_wh.copy()
    covered = np.zeros((len(ordered), load_wh.shape[0]), np.int64)
    excess = np.zeros(len(ordered), np.int64)
    for number, offer in enumerate(ordered):
        span = slice(offer.first, offer.first + len(offer.wh))
        if len(offer.sites) == 1:
            row = left[offer.sites[0], span]
            taken = np.minimum(row, offer.wh)
            row -= taken
            covered[number, offer.sites[0]] = total = taken.sum()
        else:
            rows = list(offer.sites)
            wanted = left[rows, span]
            parts = shared(np.minimum(wanted.sum(axis=0), offer.wh), wanted)
            left[rows, span] = wanted - parts
            by_site = parts.sum(axis=1)
            covered[number, rows] = by_site
            total = by_site.sum()
        excess[number] = offer.wh.sum() - total
    if int(covered.sum()) + int(left.sum()) != int(load_wh.sum()):
        raise BalanceError("matching: tiers do not add up to the load")
    return Matched(load_wh, tuple(ordered), covered, excess, left)


def shared(total_wh: Wh, wanted_wh: Wh) -> Wh:
    """Splits amounts in proportion to what is wanted, with largest remainders; shape as wanted.

    Of equal remainders the first row wins. No part is more than what is wanted.

    Args:
        total_wh: at most what is wanted in all, shape (n,).
        wanted_wh: shape (rows, n).
    """
    whole = np.maximum(wanted_wh.sum(axis=0), 1)
    if int(total_wh.max(initial=0)) * int(wanted_wh.max(initial=0)) < _LARGEST:
        product = total_wh * wanted_wh
        parts: Wh = product // whole
        rest = product - parts * whole
    else:  # Python's whole numbers have no limit
        big = total_wh.astype(object) * wanted_wh.astype(object)
        parts = (big // whole).astype(np.int64)
        rest = (big - parts.astype(object) * whole).astype(np.int64)
    parts += _rank(rest) < total_wh - parts.sum(axis=0)
    return parts


def _rank(rest: Wh) -> NDArray[np.int16]:
    """Place of each row by falling remainder, the first 0; pairs are faster than a sort of few rows."""
    rows = len(rest)
    rank = np.repeat(np.arange(rows)[::-1, None].astype(np.int16), rest.shape[1], axis=1)
    for row in range(rows):
        for before in range(row):
            behind = (rest[before] >= rest[row]).view(np.int8)
            rank[row] += behind
            rank[before] -= behind
    return rank


def spread(amount_wh: int, weights: NDArray[np.int64]) -> Wh:
    """An amount over intervals in proportion to weights, with largest remainders; shape as weights.

    Raises:
        InputError: all weights are 0.
    """
    if not weights.any():
        raise InputError("a profile is 0 throughout: nothing to spread by")
    big = amount_wh * weights.astype(object)
    whole = int(weights.sum())
    parts = np.asarray([int(value // whole) for value in big], np.int64)
    rest = np.asarray([int(value % whole) for value in big], np.int64)
    order = np.argsort(-rest, kind="stable")
    parts[order[: amount_wh - int(parts.sum())]] += 1
    return parts


def _check(load_wh: Wh, offers: Sequence[Offer]) -> None:
    if load_wh.dtype != np.int64 or load_wh.ndim != 2 or (load_wh < 0).any():
        raise InputError("load is whole Wh of sites by intervals, never negative")
    for offer in offers:
        if offer.wh.dtype != np.int64 or (offer.wh < 0).any():
            raise InputError(f"{offer.name}: an offer is whole Wh, never negative")
        if offer.first < 0 or offer.first + len(offer.wh) > load_wh.shape[1]:
            raise InputError(
                f"{offer.name}: {len(offer.wh)} intervals from {offer.first} on leave the period"
            )
        if (
            not offer.sites
            or list(offer.sites) != sorted(set(offer.sites))
            or offer.sites[-1] >= len(load_wh)
        ):
            raise InputError(f"{offer.name}: reaches rows {offer.sites} of {len(load_wh)}")
