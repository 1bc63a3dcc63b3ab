"""The matching rule again, one interval and one site at a time: slow and easy to read."""

from collections.abc import Sequence

from aidc.ledger.market.matching import Offer


def matched_by_loops(
    load_wh: Sequence[Sequence[int]], offers: Sequence[Offer]
) -> tuple[list[list[int]], list[int], list[list[int]]]:
    """Wh by offer and site, excess by offer, and uncovered Wh by site and interval."""
    ordered = sorted(offers, key=lambda offer: (offer.tier, offer.order, offer.name))
    left = [[int(wh) for wh in row] for row in load_wh]
    covered = [[0] * len(left) for _ in ordered]
    excess = [0] * len(ordered)
    for number, offer in enumerate(ordered):
        for place, offered in enumerate(offer.wh.tolist(), offer.first):
            wanted = {site: left[site][place] for site in offer.sites}
            total = min(offered, sum(wanted.values()))
            excess[number] += offered - total
            for site, part in split(total, wanted).items():
                covered[number][site] += part
                left[site][place] -= part
    return covered, excess, left


def split(total: int, wanted: dict[int, int]) -> dict[int, int]:
    """Largest remainders: floors first, then one more for the largest fractions."""
    whole = sum(wanted.values())
    if not whole:
        return dict.fromkeys(wanted, 0)
    parts = {site: total * wh // whole for site, wh in wanted.items()}
    by_fraction = sorted(wanted, key=lambda site: -(total * wanted[site] % whole))
    for site in by_fraction[: total - sum(parts.values())]:
        parts[site] += 1
    return parts
