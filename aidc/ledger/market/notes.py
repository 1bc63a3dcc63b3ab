"""What a market-based statement prints beside its cells, and the one rule for what is uncovered."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from aidc.errors import LedgerError
from aidc.ledger.journal import units
from aidc.ledger.market.claims import TIERS, Use
from aidc.ledger.market.electricity import SiteEnergy
from aidc.ledger.market.ets import ETS
from aidc.ledger.market.matching import Matched
from aidc.ledger.market.terms import MarketTerms
from aidc.ledger.statements.books import Book, in_mainland
from aidc.ledger.statements.statement import Cell


def covered_wh(matched: Matched, uses: Sequence[Use], which: Callable[[Use], bool]) -> int:
    """Wh that some of the lots cover."""
    return sum(
        int(covered.sum())
        for offer, covered in zip(matched.offers, matched.covered_wh, strict=True)
        if which(uses[int(offer.name)])
    )


def notes_of(
    book: Book,
    terms: MarketTerms,
    cells: Sequence[Cell],
    excess: Mapping[str, int],
    profile_wh: int,
) -> Iterator[str]:
    """Terms, share of each tier, what is left over, and how much of the hours is a profile."""
    if book.name != ETS:
        yield str(terms)
    whole = sum(cell.amount for cell in cells)
    tiers: dict[str, int] = {}
    for cell in cells:
        tiers[cell.tier] = tiers.get(cell.tier, 0) + cell.amount
    if whole:
        shares = (f"{tier} {_share(wh, whole):.1%}" for tier, wh in tiers.items())
        yield f"shares of {units.amount_text(whole, 'Wh')}: {', '.join(shares)}"
    for lot, wh in sorted(excess.items()):
        yield f"{lot}: {units.amount_text(wh, 'Wh')} in excess of the load, carried nowhere"
    if book.lots == "hour" and whole:
        yield f"lots spread over hours by a profile cover {_share(profile_wh, whole):.1%}"


def _share(part: int, whole: int) -> Decimal:
    return units.EXACT.divide(Decimal(part), Decimal(whole))


def one_rest(cells: Sequence[Cell], energies: Sequence[SiteEnergy]) -> None:
    """Uncovered Wh of one market and year have one kind of price.

    Raises:
        LedgerError: a residual mix here and an average there (D10).
    """
    mainland = {energy.site.name: in_mainland(energy.site.region) for energy in energies}
    country = {energy.site.name: energy.site.region.split("-")[0] for energy in energies}
    kinds: dict[tuple[str, int], set[str]] = {}
    for cell in cells:
        if cell.tier not in TIERS:
            market = "CN" if mainland[cell.site] else country[cell.site]
            kinds.setdefault((market, cell.year), set()).add(cell.tier)
    for (market, year), tiers in kinds.items():
        if len(tiers) > 1:
            raise LedgerError(
                f"D10: uncovered electricity of {market} in {year} is priced as "
                f"{' and '.join(sorted(tiers))}; post the residual mix of every site, or of none"
            )
