"""Certificates of own PV: no more of them than its meter counted."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aidc.errors import LedgerError
from aidc.ledger.journal.counts import Counts
from aidc.ledger.lots.holdings import Holding, Holdings
from aidc.ledger.lots.lot import Lot

Period = tuple[datetime, datetime]


def beyond_meter(
    held: Holdings,
    key: Callable[[str], str],
    counts: Callable[[str, Period], Counts],
    lot: Lot,
    generated: Period,
) -> tuple[int, int] | None:
    """Wh certified of a PV meter and Wh that it counted, where the first is more.

    None also where the meter's counts do not cover the time: then there is nothing to compare with yet.

    Args:
        held: the lots there are; the lot itself may be among them.
        key: id under which an entry is found.
        counts: what a meter counted in a period.
        lot: a lot that may certify own PV.
        generated: its generation interval.
    """
    if lot.meter is None or generated[1] <= generated[0]:
        return None
    meter = key(lot.meter)
    beside = _beside(held.lots, key, meter, lot, generated)
    span = (
        min([generated[0], *(one.generated[0] for one in beside)]),
        max([generated[1], *(one.generated[1] for one in beside)]),
    )
    certified = lot.quantity + sum(_standing_wh(one) for one in beside)
    try:
        counted = counts(meter, span).total
    except LedgerError:
        return None
    return (certified, counted) if certified > counted else None


def _beside(
    lots: Mapping[str, Holding], key: Callable[[str], str], meter: str, lot: Lot, generated: Period
) -> list[Holding]:
    return [
        one
        for one in lots.values()
        if one.lot is not lot
        and one.lot.meter is not None
        and key(one.lot.meter) == meter
        and one.rule.account == "scope2"
        and one.generated[0] < generated[1]
        and generated[0] < one.generated[1]
    ]


def _standing_wh(one: Holding) -> int:
    return sum(part.amount for part in one.parts if part.state != "void")
