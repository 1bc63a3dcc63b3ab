"""Offset and inset accounts: credits stand beside the inventory and never enter scope 2."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from aidc.ledger.journal.names import plain
from aidc.ledger.lots.holdings import Holdings

Account = Literal["offset", "inset"]
ACCOUNTS: Final[tuple[Account, ...]] = ("offset", "inset")


@dataclass(frozen=True, slots=True)
class CreditLine:
    """A retired credit."""

    lot: str
    move: str
    type: str
    project: str
    kg: int
    claim: str
    document: str


@dataclass(frozen=True, slots=True)
class CreditAccount:
    """Credits of one account retired for a period; no figure of a book is lowered by them."""

    account: Account
    entity: str
    period: tuple[datetime, datetime]
    lines: tuple[CreditLine, ...]

    @property
    def tco2e(self) -> Decimal:
        """Tonnes of the lines."""
        return Decimal(sum(line.kg for line in self.lines)).scaleb(-3)


def credit_account(
    account: Account,
    held: Holdings,
    *,
    entity: str,
    names: Collection[str],
    period: tuple[datetime, datetime],
) -> CreditAccount:
    """Credits that an entity retired for a period.

    Args:
        account: offset holds ccer and removal, inset the carbon-inclusion points.
        held: holdings at the report date.
        entity: whose.
        names: names that a beneficiary of it may have, as `plain` writes them.
        period: consumption that they are retired for lies inside.
    """
    lines = []
    for holding, record, parts in held.retired(entity):
        move = record.move
        if holding.rule.account != account or move.period_from is None or move.period_to is None:
            continue
        if plain(move.beneficiary or "") not in names:
            continue  # retired in another name: not this entity's
        if period[0] <= move.period_from and move.period_to <= period[1]:
            kg = sum(part.amount for part in parts)
            lines.append(
                CreditLine(
                    holding.entry_id,
                    record.entry_id,
                    holding.lot.type,
                    holding.lot.project,
                    kg,
                    move.claim or "",
                    move.document or "",
                )
            )
    return CreditAccount(account, entity, period, tuple(sorted(lines, key=lambda line: line.move)))
