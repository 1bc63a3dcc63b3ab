"""How much of a year's claim its hours bear out: annual beside hourly match of the same lots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError
from aidc.ledger.journal import units
from aidc.ledger.market.claims import OWN_PV, TIERS
from aidc.ledger.market.matching import Matched, Offer, Wh, match

_HALF_PERCENT: Final = 50


@dataclass(frozen=True, slots=True)
class MatchReport:
    """How lots cover load over the whole period and hour by hour; shares are exact decimals.

    Attributes:
        sites: names of the rows.
        load_wh: gross consumption.
        annual_wh: covered where excess of one hour may serve another.
        tiers: Wh covered hour by hour, by tier; over the period where there are no hours.
        uncovered_wh: load that no hour's offer covers, or none over the period.
        excess_wh: offered in hours without enough load, carried nowhere.
        profile_wh: covered by lots whose hours are a declared profile.
        hours_under_half: hours with load of which less than half is covered, of each site.
        carbon_free_ppm: score of the hours [parts per million]; None without the grid's share.
        no_hours_because: why the hours are not assessed; empty where they are.
    """

    sites: tuple[str, ...]
    load_wh: int
    annual_wh: int
    tiers: dict[str, int]
    uncovered_wh: int
    excess_wh: int
    profile_wh: int
    hours_under_half: tuple[int, ...]
    carbon_free_ppm: int | None
    no_hours_because: str

    @property
    def annual_frac(self) -> Decimal:
        """Volumetric match."""
        return self._share(self.annual_wh)

    @property
    def hourly_frac(self) -> Decimal | None:
        """Match hour by hour; None where readings are coarser than an hour."""
        if self.no_hours_because:
            return None
        return self._share(self.load_wh - self.uncovered_wh)

    @property
    def claim_gap_frac(self) -> Decimal | None:
        """What the year claims and the hours do not bear out; None as for `hourly_frac`."""
        if self.no_hours_because:
            return None
        return self._share(self.annual_wh - (self.load_wh - self.uncovered_wh))

    @property
    def contracted_frac(self) -> Decimal:
        """Share of the load covered by what is not own generation."""
        return self._share(sum(wh for tier, wh in self.tiers.items() if tier != OWN_PV))

    @property
    def profile_frac(self) -> Decimal | None:
        """Share of the load covered by lots spread over hours by a profile; None as for `hourly_frac`."""
        if self.no_hours_because:
            return None
        return self._share(self.profile_wh)

    def _share(self, wh: int) -> Decimal:
        return units.EXACT.divide(Decimal(wh), Decimal(self.load_wh))

    def to_dict(self) -> dict[str, Any]:
        """Wh as whole numbers, shares as exact text."""
        shares = {
            name: None if share is None else format(share, "f")
            for name, share in (
                ("annual_frac", self.annual_frac),
                ("hourly_frac", self.hourly_frac),
                ("claim_gap_frac", self.claim_gap_frac),
                ("contracted_frac", self.contracted_frac),
                ("profile_frac", self.profile_frac),
            )
        }
        hours = dict(zip(self.sites, self.hours_under_half, strict=not self.no_hours_because))
        return {
            "load_wh": self.load_wh,
            "tiers": self.tiers,
            "uncovered_wh": self.uncovered_wh,
            "excess_wh": self.excess_wh,
            **shares,
            "hours_under_half": hours,
            "carbon_free_ppm": self.carbon_free_ppm,
            "no_hours_because": self.no_hours_because or None,
        }

    def _tier_lines(self) -> list[str]:
        return [f"  {tier}  {wh} Wh  {self._share(wh):.1%}" for tier, wh in self.tiers.items()]

    def text(self) -> str:
        """The report as a reader sees it."""
        if self.no_hours_because:
            return "\n".join(
                [
                    f"load {self.load_wh} Wh; covered over the period {self.annual_frac:.1%}",
                    *self._tier_lines(),
                    f"  uncovered  {self.uncovered_wh} Wh; excess {self.excess_wh} Wh",
                    f"contracted only {self.contracted_frac:.1%}",
                    f"hour by hour: not assessed: {self.no_hours_because}",
                ]
            )
        lines = [
            f"load {self.load_wh} Wh; covered over the period {self.annual_frac:.1%}, hour by hour "
            f"{self.hourly_frac:.1%}: claim gap {self.claim_gap_frac:.1%}",
            *self._tier_lines(),
            f"  uncovered  {self.uncovered_wh} Wh; excess {self.excess_wh} Wh, carried to no other hour",
            f"contracted only {self.contracted_frac:.1%}; spread by profile {self.profile_frac:.1%}",
            *(
                f"{name}: {hours} hours under {_HALF_PERCENT} %"
                for name, hours in zip(self.sites, self.hours_under_half, strict=True)
            ),
        ]
        if self.carbon_free_ppm is not None:
            lines.append(f"carbon-free score {Decimal(self.carbon_free_ppm).scaleb(-6):.1%}")
        return "\n".join(lines)


def match_report(
    sites: Sequence[str],
    load_wh: Wh,
    offers: Iterable[Offer],
    *,
    coarse: frozenset[str],
    grid_ppm: NDArray[np.int64] | None,
) -> MatchReport:
    """Annual beside hourly match of the same offers.

    Args:
        sites: names of the rows.
        load_wh: gross consumption, shape (sites, hours).
        offers: own generation and lots.
        coarse: names of offers whose hours are a profile.
        grid_ppm: carbon-free share of the grid, shape (hours,) or (sites, hours).

    Raises:
        InputError: there is no load.
    """
    load = int(load_wh.sum())
    if not load:
        raise InputError("no load in the period: nothing to match")
    given = list(offers)
    hourly = match(load_wh, given)
    whole = [
        Offer(one.name, one.tier, one.order, one.sites, np.asarray([one.wh.sum()], np.int64))
        for one in given
    ]
    annual = match(load_wh.sum(axis=1, keepdims=True), whole)
    tiers = by_tier(hourly)
    profile = sum(
        int(covered.sum())
        for one, covered in zip(hourly.offers, hourly.covered_wh, strict=True)
        if one.name in coarse
    )
    return MatchReport(
        tuple(sites),
        load,
        int(annual.covered_wh.sum()),
        tiers,
        int(hourly.uncovered_wh.sum()),
        int(hourly.excess_wh.sum()),
        profile,
        tuple(hourly.hours_under(_HALF_PERCENT).tolist()),
        None if grid_ppm is None else hourly.carbon_free_ppm(grid_ppm),
        "",
    )


def annual_report(
    sites: Sequence[str], load_wh: Wh, offers: Iterable[Offer], *, no_hours_because: str
) -> MatchReport:
    """Match over the period alone, where no reading says the hour.

    Args:
        sites: names of the rows.
        load_wh: gross consumption, shape (sites, 1).
        offers: own generation and lots, of one interval.
        no_hours_because: which reading is coarser than an hour.

    Raises:
        InputError: there is no load.
    """
    load = int(load_wh.sum())
    if not load:
        raise InputError("no load in the period: nothing to match")
    annual = match(load_wh, list(offers))
    return MatchReport(
        tuple(sites),
        load,
        int(annual.covered_wh.sum()),
        by_tier(annual),
        int(annual.uncovered_wh.sum()),
        int(annual.excess_wh.sum()),
        0,
        (),
        None,
        no_hours_because,
    )


def by_tier(matched: Matched) -> dict[str, int]:
    """Wh covered by each tier, in order, of all sites."""
    made: dict[str, int] = {}
    for offer, covered in zip(matched.offers, matched.covered_wh, strict=True):
        tier = TIERS[offer.tier]
        made[tier] = made.get(tier, 0) + int(covered.sum())
    return made
