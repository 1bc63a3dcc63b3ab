"""Which retired lots a market-based book applies, to which sites, and what they cover.

References:
    GHG Protocol, Scope 2 Guidance: hierarchy of the market-based method, eight quality criteria.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field

from aidc import catalog, config
from aidc.config import Config
from aidc.errors import CatalogError
from aidc.ledger.books import in_mainland
from aidc.ledger.canonical import utc_text
from aidc.ledger.criteria import QUESTIONS, unmet
from aidc.ledger.fields import Text
from aidc.ledger.holdings import Holding, Holdings, Span
from aidc.ledger.lots import Lot
from aidc.ledger.matching import Offer

TIERS: Final = (
    "certificate",
    "contract",
    "supplier_rate",
)  # after own PV, before what is uncovered
_MONTHS_A_YEAR: Final = 12


class MarketTerms(Config):
    """models/market_terms.yaml: parameters of a market-based statement.

    Attributes:
        vintage_before_months: how long before the year of consumption generation may begin.
        vintage_after_months: how long after it generation may end.
        coarse_lots: whether the hourly book takes lots coarser than an hour, spread by their profile.
    """

    vintage_before_months: int = Field(ge=0)
    vintage_after_months: int = Field(ge=0)
    coarse_lots: bool = False
    source: str = Field(min_length=3)

    def __str__(self) -> str:
        coarse = "; lots coarser than an hour spread by profile" if self.coarse_lots else ""
        return (
            f"vintage window: from {self.vintage_before_months} months before the year of consumption to "
            f"{self.vintage_after_months} after it ({self.source}){coarse}"
        )


@functools.cache
def shipped_terms() -> MarketTerms:
    """The terms of the catalog.

    Raises:
        CatalogError: every fault of the file.
    """
    file = "models/market_terms.yaml"
    document = config.read_yaml(catalog.root() / "market_terms.yaml", shown_as=file)
    if document.faults:
        raise CatalogError(document.faults)
    return catalog.validated(MarketTerms, document)


@dataclass(frozen=True, slots=True)
class Claim:
    """A retirement that stands."""

    holding: Holding
    move_id: str
    spans: tuple[tuple[Span, str | None], ...]  # positions and the site they are for
    period: tuple[datetime, datetime]
    document: Text

    @property
    def lot(self) -> Lot:
        """What was retired."""
        return self.holding.lot

    @property
    def wh(self) -> int:
        """Wh, or kg of a credit."""
        return sum(end - start for (start, end), _ in self.spans)

    def by_site(self) -> dict[str | None, tuple[Span, ...]]:
        """Positions for each site; None: wherever the entity has load."""
        made: dict[str | None, tuple[Span, ...]] = {}
        for span, site in self.spans:
            made[site] = (*made.get(site, ()), span)
        return made

    def order(self, spans: tuple[Span, ...]) -> tuple[int | str, ...]:
        """Place within its tier: generation, then serial, then entry."""
        first = self.lot.serials.first if self.lot.serials else 0
        return (
            utc_text(self.holding.generated[0]),
            utc_text(self.holding.generated[1]),
            self.lot.registry,
            first,
            spans[0][0],
            self.move_id,
        )


@dataclass(frozen=True, slots=True)
class NotApplied:
    """A retired lot that a book passes over; its Wh fall to the next tier."""

    lot: str
    move: str
    criterion: str
    amount: int
    reason: str

    def __str__(self) -> str:
        return f"{self.lot} ({self.move}, {self.amount} Wh) is not applied, {self.criterion}: {self.reason}"


def claims(held: Holdings, entity: str) -> Iterator[Claim]:
    """Retirements of an entity, as held at the report date."""
    for holding, record, parts in held.retired(entity):
        move = record.move
        if move.period_from is None or move.period_to is None or move.document is None:
            continue  # refused when posted
        spans = tuple(((part.start, part.end), part.site) for part in parts)
        yield Claim(
            holding, record.entry_id, spans, (move.period_from, move.period_to), move.document
        )


def applied(
    given: Iterable[Claim],
    *,
    period: tuple[datetime, datetime],
    regions: Mapping[str, str],
    terms: MarketTerms,
    zone: str,
    reaches: Callable[[Lot, str], bool],
) -> tuple[list[tuple[Claim, str | None, tuple[Span, ...], tuple[int, ...]]], list[NotApplied]]:
    """Claims that a book applies, with the rows of the sites they reach, and those it does not.

    Args:
        given: retirements of the entity.
        period: matching year, or the part of it that the statement covers.
        regions: region of each site's id, in the order of the load's rows.
        terms: vintage window.
        zone: zone of calendar periods.
        reaches: whether a lot may serve a region.

    Returns:
        (claim, site it is for, its positions, rows) of each part that is applied; what is not.
    """
    taken: list[tuple[Claim, str | None, tuple[Span, ...], tuple[int, ...]]] = []
    refused: list[NotApplied] = []
    for claim in given:
        if claim.holding.rule.account != "scope2" or not _overlap(claim.period, period):
            continue
        reasons = list(_reasons(claim, period, terms, zone))
        for site, spans in claim.by_site().items():
            rows = tuple(
                row
                for row, (name, region) in enumerate(regions.items())
                if site in (None, name) and reaches(claim.lot, region)
            )
            if not rows and not reasons:
                reasons = [
                    ("QC5", f"{QUESTIONS['QC5']}: {claim.lot.region} reaches no site of the claim")
                ]
            if not reasons:
                taken.append((claim, site, spans, rows))
        refused.extend(
            NotApplied(claim.holding.entry_id, claim.move_id, criterion, claim.wh, reason)
            for criterion, reason in reasons
        )
    return taken, refused


def same_market(lot: Lot, region: str) -> bool:
    """Whether a lot comes from the market of a region: the mainland is one, elsewhere the country."""
    if in_mainland(lot.region) or in_mainland(region):
        return in_mainland(lot.region) and in_mainland(region)
    return lot.region.split("-")[0] == region.split("-")[0]


def yearly_offers(
    taken: Sequence[tuple[Claim, str | None, tuple[Span, ...], tuple[int, ...]]],
) -> list[Offer]:
    """One interval for all: each claim offers what was retired."""
    return [
        Offer(
            f"{number}",
            TIERS.index(claim.holding.rule.tier or TIERS[0]),
            claim.order(spans),
            rows,
            np.asarray([sum(end - start for start, end in spans)], np.int64),
        )
        for number, (claim, _, spans, rows) in enumerate(taken)
    ]


def _reasons(
    claim: Claim, period: tuple[datetime, datetime], terms: MarketTerms, zone: str
) -> Iterator[tuple[str, str]]:
    if claim.period[0] < period[0] or claim.period[1] > period[1]:
        yield (
            "period",
            f"it is retired for {utc_text(claim.period[0])} to {utc_text(claim.period[1])}, of which the "
            f"statement covers {utc_text(period[0])} to {utc_text(period[1])}",
        )
    if claim.lot.meter is not None:
        yield "QC2", f"it certifies {claim.lot.meter}, whose Wh count as own PV already"
    yield from unmet(claim.lot.criteria or {})
    if (
        not claim.lot.sole_claim
        and claim.lot.criteria
        and claim.lot.criteria["QC2"].answer == "yes"
    ):
        yield "QC2", f"{QUESTIONS['QC2']}: yes, but sole_claim is false"
    window = vintage_window(claim.period, terms, zone)
    generated = claim.holding.generated
    if generated[0] < window[0] or generated[1] > window[1]:
        yield (
            "QC4",
            f"D15: generated {utc_text(generated[0])} to {utc_text(generated[1])}, outside the declared "
            f"window {utc_text(window[0])} to {utc_text(window[1])}",
        )


def vintage_window(
    consumed: tuple[datetime, datetime], terms: MarketTerms, zone: str
) -> tuple[datetime, datetime]:
    """When a lot must have been generated to serve a consumption: around its calendar year."""
    local = ZoneInfo(zone)
    year = consumed[0].astimezone(local).year
    return (
        _month(year, -terms.vintage_before_months, local),
        _month(year + 1, terms.vintage_after_months, local),
    )


def _month(year: int, months: int, local: ZoneInfo) -> datetime:
    count = year * _MONTHS_A_YEAR + months
    return datetime(
        count // _MONTHS_A_YEAR, count % _MONTHS_A_YEAR + 1, 1, tzinfo=local
    ).astimezone(ZoneInfo("UTC"))


def _overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
