"""Which retired lots a market-based book applies, to which sites, and what they cover.

References:
    GHG Protocol, Scope 2 Guidance: hierarchy of the market-based method, eight quality criteria.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.fields import Text
from aidc.ledger.journal.names import plain
from aidc.ledger.journal.periods import span_text
from aidc.ledger.journal.units import amount_text
from aidc.ledger.lots.criteria import QUESTIONS, unmet
from aidc.ledger.lots.holdings import Holding, Holdings, Span
from aidc.ledger.lots.lot import Lot
from aidc.ledger.market.matching import Offer, Wh
from aidc.ledger.market.terms import MarketTerms
from aidc.ledger.statements.books import in_mainland

OWN_PV: Final = "own_pv"
TIERS: Final = (OWN_PV, "certificate", "contract", "supplier_rate")  # then uncovered
_MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Claim:
    """A retirement that stands."""

    holding: Holding
    move_id: str
    spans: tuple[tuple[Span, str | None], ...]  # positions and the site they are for
    period: tuple[datetime, datetime]
    document: Text
    for_whom: str | None  # None: the entity itself; else the other name it is retired in

    @property
    def lot(self) -> Lot:
        """What was retired."""
        return self.holding.lot

    @property
    def wh(self) -> int:
        """Wh, or kg of a credit."""
        return sum(end - start for (start, end), _ in self.spans)

    def concerns(self, period: tuple[datetime, datetime]) -> bool:
        """Whether any of the consumption that it is retired for is in a period."""
        return self.period[0] < period[1] and period[0] < self.period[1]

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
class Use:
    """Part of a claim that a book applies.

    Attributes:
        claim: the retirement.
        spans: positions of the lot.
        rows: sites that it reaches, as rows of the load.
    """

    claim: Claim
    spans: tuple[Span, ...]
    rows: tuple[int, ...]

    @property
    def wh(self) -> int:
        """Wh of the part."""
        return sum(end - start for start, end in self.spans)

    @property
    def tier(self) -> str:
        """Where it stands in the hierarchy."""
        return self.claim.holding.rule.tier or TIERS[1]

    def offer(self, name: str, wh: Wh, first: int) -> Offer:
        """The part as the engine takes it."""
        tier = TIERS.index(self.tier)
        return Offer(name, tier, self.claim.order(self.spans), self.rows, wh, first)


@dataclass(frozen=True, slots=True, order=True)
class NotApplied:
    """A retired lot that a book passes over; its Wh fall to the next tier."""

    lot: str
    move: str
    criterion: str
    amount: int
    reason: str

    def __str__(self) -> str:
        return f"{self.lot} ({self.move}, {amount_text(self.amount, 'Wh')}) is not applied, {self.criterion}: {self.reason}"


def not_applied(claim: Claim, criterion: str, reason: str) -> NotApplied:
    """A claim that is passed over, for one reason."""
    return NotApplied(claim.holding.entry_id, claim.move_id, criterion, claim.wh, reason)


def claims(held: Holdings, entity: str, names: Collection[str]) -> Iterator[Claim]:
    """Retirements of an entity, as held at the report date.

    Args:
        held: lots and their moves.
        entity: who retired.
        names: names of the entity that a beneficiary may have, as `plain` writes them.
    """
    for holding, record, parts in held.retired(entity):
        move = record.move
        if move.period_from is None or move.period_to is None or move.document is None:
            continue  # refused when posted
        named = move.beneficiary or ""
        other = None if plain(named) in names else named
        spans = tuple(((part.start, part.end), part.site) for part in parts)
        consumed = (move.period_from, move.period_to)
        yield Claim(holding, record.entry_id, spans, consumed, move.document, other)


def applied(
    given: Iterable[Claim],
    *,
    period: tuple[datetime, datetime],
    regions: Mapping[str, str],
    terms: MarketTerms,
    zone: str,
    reaches: Callable[[Lot, str], bool],
) -> tuple[list[Use], list[NotApplied]]:
    """Parts of claims that a book applies, and the claims that it does not.

    Args:
        given: retirements of the entity.
        period: matching year, or the part of it that the statement covers.
        regions: region of each site's id, in the order of the load's rows.
        terms: vintage window.
        zone: zone of calendar periods.
        reaches: whether a lot may serve a region.

    """
    taken: list[Use] = []
    refused: list[NotApplied] = []
    for claim in given:
        if claim.holding.rule.account != "scope2" or not claim.concerns(period):
            continue
        reasons = list(_reasons(claim, period, terms, zone))
        refused.extend(not_applied(claim, criterion, reason) for criterion, reason in reasons)
        if reasons:
            continue
        for site, spans in claim.by_site().items():
            rows = tuple(
                row
                for row, (name, region) in enumerate(regions.items())
                if site in (None, name) and reaches(claim.lot, region)
            )
            use = Use(claim, spans, rows)
            if rows:
                taken.append(use)
            else:
                text = f"{QUESTIONS['QC5']}: {claim.lot.region} reaches no site of the claim"
                refused.append(replace(not_applied(claim, "QC5", text), amount=use.wh))
    return taken, refused


def same_market(lot: Lot, region: str) -> bool:
    """Whether a lot comes from the market of a region: the mainland is one, elsewhere the country."""
    if in_mainland(lot.region) or in_mainland(region):
        return in_mainland(lot.region) and in_mainland(region)
    return lot.region.split("-")[0] == region.split("-")[0]


def yearly_offers(uses: Sequence[Use]) -> list[Offer]:
    """Each use over one interval, named by its place in the list."""
    return [
        use.offer(str(number), np.asarray([use.wh], np.int64), 0) for number, use in enumerate(uses)
    ]


def _reasons(
    claim: Claim, period: tuple[datetime, datetime], terms: MarketTerms, zone: str
) -> Iterator[tuple[str, str]]:
    if claim.period[0] < period[0] or claim.period[1] > period[1]:
        yield (
            "period",
            f"it is retired for {span_text(claim.period, zone)}, of which the statement covers "
            f"{span_text(period, zone)}",
        )
    yield from other_beneficiary(claim)
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
            f"D15: generated {span_text(generated, zone)}, outside the declared window "
            f"{span_text(window, zone)}",
        )


def other_beneficiary(claim: Claim) -> Iterator[tuple[str, str]]:
    """The reason against a lot that is retired in another name than its holder's (QC3)."""
    if claim.for_whom is not None:
        yield "QC3", f"{QUESTIONS['QC3']}: it is retired for '{claim.for_whom}'"


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
