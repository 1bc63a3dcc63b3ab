"""The emission trading of Shanghai: settled green trade of other provinces counts zero, nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from aidc.errors import InputError
from aidc.ledger.factors.policies import provinces
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.index import Index
from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.journal.periods import years_in
from aidc.ledger.journal.register import Register
from aidc.ledger.market.claims import Claim, NotApplied, Use, not_applied, other_beneficiary
from aidc.ledger.statements.question import Question

ETS: Final = "SH-ETS"
VERIFIED: Final = "sh_ets_verified"  # quantity of the reported figure that ends a year


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
    elif claim.lot.region not in provinces():
        yield f"{claim.lot.region} is no province of the mainland: inter-provincial trade counts"
    elif claim.lot.region in regions:
        yield f"trade within {claim.lot.region}: inter-provincial trade counts"
    if claim.period[0] < period[0] or claim.period[1] > period[1]:
        yield f"settled for {utc_text(claim.period[0])} to {utc_text(claim.period[1])}, more than is stated"
    yield from (reason for _, reason in other_beneficiary(claim))


def verified_before(
    register: Register, index: Index, asked: Question, zone: str
) -> tuple[int, str] | None:
    """Place and id of the entry that verified the year of a question; None: none has.

    A verified year is not reopened, nor by a correction of what verified it: it is stated from the
    entries before the first place.

    Raises:
        InputError: the period holds a verified year and another.
    """
    if asked.book.name != ETS:
        return None
    years = {year for year, _, _ in years_in(asked.period, zone)}
    found: list[tuple[int, str]] = []
    for key, entry in register.entries.items():  # superseded ones too
        figure = entry.payload
        if not isinstance(figure, ReportedFigure) or figure.year not in years:
            continue
        place = index.place(key)
        if (figure.quantity, figure.entity) != (VERIFIED, asked.entity) or place is None:
            continue
        if len(years) > 1:
            raise InputError(
                f"{ETS}: {figure.year} is verified by {key}: state each year by itself"
            )
        found.append((place[0], key))
    return min(found, default=None)
