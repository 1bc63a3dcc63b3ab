"""Whether two lots are the same MWh: of one project and time, and not shown to be apart (D3)."""

from datetime import datetime
from typing import Final

from aidc.ledger.journal.names import plain
from aidc.ledger.lots.lot import Lot, lot_rules

_ACCOUNTS: Final = ("scope2", "offset")  # of one MWh one attribute: certificate, contract or credit


def same_mwh(
    one: Lot,
    generated: tuple[datetime, datetime],
    other: Lot,
    other_generated: tuple[datetime, datetime],
) -> bool:
    """Whether two lots of one project and time may be the same MWh.

    Pieces with serial numbers of one registry and account are apart by their numbers. What else is
    apart says so (``apart_from``), which is for the caller.
    """
    rules = (lot_rules()[one.type], lot_rules()[other.type])
    if any(rule.account not in _ACCOUNTS for rule in rules):
        return False
    if plain(one.project) != plain(other.project):
        return False
    if generated[0] >= other_generated[1] or other_generated[0] >= generated[1]:
        return False
    numbered = one.serials is not None and other.serials is not None
    one_book = plain(one.registry) == plain(other.registry)
    return not (numbered and one_book and rules[0].account == rules[1].account)


def declared_apart(one_id: str, one: Lot, other_id: str, other: Lot) -> bool:
    """Whether one of two lots names the other as other MWh, with the document that shows it."""
    return other_id in {apart.lot for apart in one.apart_from} or one_id in {
        apart.lot for apart in other.apart_from
    }
