"""The emission trading of Shanghai: settled green trade of other provinces counts zero, nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from aidc.ledger.canonical import utc_text
from aidc.ledger.market import Claim, NotApplied, Use, not_applied

ETS: Final = "SH-ETS"


def ets_uses(
    given: Iterable[Claim], period: tuple[datetime, datetime], regions: Mapping[str, str]
) -> tuple[list[Use], list[NotApplied]]:
    """Claims that count zero, and the others.

    The document of the retirement is the settlement's; quality criteria and vintage play no part.

    Args:
        given: retirements of the entity.
        period: year, or the part of it that the statement covers.
        regions: region of each site's id, in the order of the load's rows.

    References:
        沪环气候〔2023〕89号, section 3.
    """
    taken: list[Use] = []
    refused: list[NotApplied] = []
    for claim in given:
        if claim.holding.rule.account != "scope2" or not claim.concerns(period):
            continue
        reasons = list(_reasons(claim, period, set(regions.values())))
        if reasons:
            refused.extend(not_applied(claim, ETS, reason) for reason in reasons)
            continue
        for site, spans in claim.by_site().items():
            rows = tuple(row for row, name in enumerate(regions) if site in (None, name))
            if rows:
                taken.append(Use(claim, spans, rows))
    return taken, refused


def _reasons(claim: Claim, period: tuple[datetime, datetime], regions: set[str]) -> Iterator[str]:
    if claim.lot.type != "gec_green_trade":
        yield f"a {claim.lot.type} does not count: green trade with its electricity does"
    elif claim.lot.region in regions:
        yield f"trade within {claim.lot.region}: inter-provincial trade counts"
    if claim.period[0] < period[0] or claim.period[1] > period[1]:
        yield f"settled for {utc_text(claim.period[0])} to {utc_text(claim.period[1])}, more than is stated"
