"""Lots and their moves for tests: a desk that refuses as the ledger does."""

from datetime import UTC, datetime
from typing import Any

from aidc.ledger.criteria import QUESTIONS
from aidc.ledger.holdings import Holdings, MoveRecord
from aidc.ledger.lot_faults import lot_faults, move_faults
from aidc.ledger.lots import Lot, LotMove

MWH = 10**6
AT = datetime(2025, 3, 1, tzinfo=UTC)
GENERATED = (datetime(2024, 5, 31, 16, tzinfo=UTC), datetime(2024, 6, 30, 16, tzinfo=UTC))
YEAR = {"period_from": "2023-12-31T16:00:00Z", "period_to": "2024-12-31T16:00:00Z"}
SITES = {"site:a": "us", "site:b": "us", "site:c": "them"}
_BESIDE = {"answer": "not_applicable", "evidence": "no rate and no contract"}
_OF_TYPE = {"supplier_rate": "QC6", "ppa": "QC7"}


def criteria(lot_type: str = "gec_single", **answers: str) -> dict[str, dict[str, str]]:
    """All eight answered with yes, or as said."""
    made = {qc: {"answer": "yes", "evidence": "registry record"} for qc in QUESTIONS}
    for qc in {"QC6", "QC7"} - {_OF_TYPE.get(lot_type)}:
        made[str(qc)] = _BESIDE
    return made | {qc: {"answer": answer, "evidence": "see file"} for qc, answer in answers.items()}


def lot_payload(
    lot_type: str = "gec_single", mwh: int = 1000, first: int = 1, **other: Any
) -> dict[str, Any]:
    """A lot of offshore wind of June 2024, in pieces of one MWh."""
    credit = lot_type in ("ccer", "removal", "inset")
    made: dict[str, Any] = {
        "type": lot_type,
        "registry": "GEC" if not credit else "CCER",
        "project": "farm",
        "technology": "offshore_wind",
        "commissioned_on": "2022-01-01",
        "region": "CN-JS",
        "zone": "CN/East",
        "quantity": mwh * (1000 if credit else MWH),
        "unit": "kg" if credit else "Wh",
        "sole_claim": True,
    }
    if lot_type not in ("ppa", "supplier_rate", "inset"):
        made["serials"] = {"first": first, "last": first + mwh - 1}
    if not credit:
        made["criteria"] = criteria(lot_type)
    return made | other


class Desk:
    """Posts lots and moves; what is refused changes nothing."""

    def __init__(self) -> None:
        self.held = Holdings()

    def lot(
        self, name: str, generated: tuple[datetime, datetime] = GENERATED, **other: Any
    ) -> list[str]:
        lot = Lot.model_validate(lot_payload(**other))
        faults = lot_faults(self.held, lot, generated, AT)
        if not faults:
            self.held.add(name, lot, generated)
        return faults

    def move(
        self,
        name: str,
        lot: str,
        act: str,
        serials: tuple[int, int] | None = None,
        *,
        at: datetime = datetime(2025, 2, 1, tzinfo=UTC),
        reason: str | None = None,
        **other: Any,
    ) -> list[str]:
        if serials is not None:
            other["serials"] = {"first": serials[0], "last": serials[1]}
            other.setdefault("quantity", (serials[1] - serials[0] + 1) * MWH)
        move = LotMove.model_validate({"lot": lot, "act": act, **other})
        faults = move_faults(
            self.held, move, at=at, recorded_at=AT, reason=reason, sites=SITES, zone="Asia/Shanghai"
        )
        if not faults:
            self.held.apply(MoveRecord(name, move, at, self.held.spans(move, at)))
        return faults

    def acquire(self, name: str, lot: str, serials: tuple[int, int], **other: Any) -> list[str]:
        return self.move(name, lot, "acquire", serials, **{"entity": "us", **other})

    def retire(self, name: str, lot: str, serials: tuple[int, int], **other: Any) -> list[str]:
        words = {"entity": "us", "beneficiary": "Us Ltd", "document": f"retirement {name}", **YEAR}
        return self.move(name, lot, "retire", serials, **{**words, **other})
