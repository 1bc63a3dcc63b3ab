"""Lots of a plan as entries: issued, acquired and retired for the run that counts on them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np

from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.lots.criteria import BESIDE_THE_POINT_BUT_FOR, QUESTIONS
from aidc.ledger.lots.lot import lot_rules
from aidc.ledger.market.matching import spread
from aidc.lot_inputs import LotRow, PlannedLot


def planned_entries(
    planned: PlannedLot,
    *,
    number: int,
    entity: str,
    years: list[tuple[int, datetime, datetime]],
) -> Iterator[dict[str, Any]]:
    """The lot, its acquisition and its retirement, for each calendar year of a run.

    Serial numbers belong to a registry of the plan's own, one for each entity: two runs may count on
    the same instrument, for only one of them comes true.

    Args:
        planned: instrument and amount.
        number: place in the scenario's list.
        entity: the run.
        years: calendar years of the run with start and end, in which the amount is shared by length.
    """
    row = planned.row
    rule = lot_rules()[row.type]
    piece = rule.per_piece or 1
    seconds = [round((end - start).total_seconds()) for _, start, end in years]
    shares = spread(planned.quantity_wh // piece, np.asarray(seconds, np.int64)).tolist()
    first = 1
    for (year, start, end), pieces in zip(years, shares, strict=True):
        if not pieces:
            continue
        made: dict[str, Any] = {"quantity": pieces * piece}
        if rule.per_piece is not None:
            made["serials"] = {"first": first, "last": first + pieces - 1}
            first += pieces
        key = f"{entity}:{number}:{row.name}:{year}"
        lot = {
            "type": row.type,
            "registry": f"plan:{entity}:{number}",
            "project": f"plan:{entity}:{number}:{row.name}",
            "technology": row.technology,
            "commissioned_on": row.commissioned_on.isoformat(),
            "region": row.region,
            "zone": row.zone,
            "unit": rule.measure,
            "sole_claim": True,
            "criteria": _criteria(row),
            "planned": True,
            **made,
        }
        times = {"valid_from": utc_text(start), "valid_to": utc_text(end)}
        yield {"id": f"lot:{key}", "kind": "lot", **times, "payload": lot}
        moved = {"lot": f"lot:{key}", "entity": entity, **made}
        at = {"valid_from": utc_text(end), "valid_to": utc_text(end)}
        payload = {**moved, "act": "acquire"}
        yield {"id": f"lot:{key}:acquire", "kind": "lot_move", **at, "payload": payload}
        retired = {
            "act": "retire",
            "beneficiary": entity,
            "period_from": utc_text(start),
            "period_to": utc_text(end),
            "document": "planned",
        }
        payload = {
            **moved,
            **retired,
            **({} if planned.site is None else {"site": f"site:{entity}:{planned.site}"}),
        }
        yield {"id": f"lot:{key}:retire", "kind": "lot_move", **at, "payload": payload}


def _criteria(row: LotRow) -> dict[str, dict[str, str]]:
    unmet = (row.unmet or "").split()
    made = {}
    for qc in QUESTIONS:
        beside = BESIDE_THE_POINT_BUT_FOR.get(qc, row.type) != row.type
        answer = "no" if qc in unmet else "not_applicable" if beside else "yes"
        made[str(qc)] = {"answer": answer, "evidence": row.source}
    return made
