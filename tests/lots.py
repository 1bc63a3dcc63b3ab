"""Lots and their moves for tests: a desk that refuses as the ledger does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aidc.ledger import Ledger
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import GridFactor
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.lots.criteria import QUESTIONS
from aidc.ledger.lots.faults import lot_faults, move_faults
from aidc.ledger.lots.holdings import Holdings, MoveRecord
from aidc.ledger.lots.lot import Lot, LotMove

MWH = 10**6
AT = datetime(2025, 3, 1, tzinfo=UTC)
GENERATED = (datetime(2024, 5, 31, 16, tzinfo=UTC), datetime(2024, 6, 30, 16, tzinfo=UTC))
YEAR = {"period_from": "2023-12-31T16:00:00Z", "period_to": "2024-12-31T16:00:00Z"}
SITES = {"site:a": "us", "site:b": "us", "site:c": "them"}
ALWAYS = {"valid_from": "2020-01-01T00:00:00Z", "valid_to": "9999-12-31T00:00:00Z"}
DAY = datetime(2024, 6, 9, 16, tzinfo=UTC)  # 10 June 2024 in Shanghai
PERIOD = (DAY, DAY + timedelta(hours=24))
ACQUIRED, RETIRED = datetime(2025, 1, 10, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)
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
        words = {"entity": "us", "beneficiary": "us", "document": f"retirement {name}", **YEAR}
        return self.move(name, lot, "retire", serials, **{**words, **other})


def entry(
    name: str,
    kind: str,
    payload: dict[str, Any],
    start: datetime | None = None,
    end: datetime | None = None,
) -> dict[str, Any]:
    times = (
        {} if start is None else {"valid_from": utc_text(start), "valid_to": utc_text(end or start)}
    )
    return {"id": name, "kind": kind, **ALWAYS, **times, "payload": payload}


def retire(
    ledger: Ledger,
    name: str,
    mwh: int,
    lot_type: str = "gec_single",
    *,
    generated: tuple[datetime, datetime] = (DAY - timedelta(days=20), DAY),
    site: str | None = None,
    at: datetime = RETIRED,
    entity: str = "us",
    period: tuple[datetime, datetime] = PERIOD,
    acquired: datetime = ACQUIRED,
    recorded_at: datetime = AT,
    claim: str | None = None,
    beneficiary: str | None = None,
    **other: Any,
) -> None:
    """Issues, acquires and retires a lot for a period."""
    lot = lot_payload(lot_type, mwh, project=name, registry=name, **other)
    part = {"lot": name, "quantity": lot["quantity"], "entity": entity}
    if "serials" in lot:
        part["serials"] = lot["serials"]
    retired = {
        **part, "act": "retire", "beneficiary": beneficiary or entity, "document": f"document {name}",
        "period_from": utc_text(period[0]), "period_to": utc_text(period[1]),
        **({} if site is None else {"site": site}), **({} if claim is None else {"claim": claim}),
    }  # fmt: skip
    entries = [
        entry(name, "lot", lot, *generated),
        entry(f"{name}:acquire", "lot_move", {**part, "act": "acquire"}, acquired),
        entry(f"{name}:retire", "lot_move", retired, at),
    ]
    ledger.post(entries, recorded_at=recorded_at, role="accountant")


def supplier(
    ledger: Ledger,
    name: str,
    value: str,
    kind: str = "supplier",
    geography: str = "CN-SH",
    at: datetime = AT,
) -> None:
    row = {
        "name": name, "id": name, "version": "1", "value": value, "unit_num": "t", "unit_den": "MWh",
        "gas": "CO2", "basis": "direct", "kind": kind, "geography": geography, "data_year": 2024,
        "published_on": "2025-02-01", "publisher": "a retailer", "document_no": "rate sheet",
        "status": "source", "source": "test",
    }  # fmt: skip
    made = GridFactor.model_validate(row)
    ledger.post(factor_entry(made), recorded_at=at, role="accountant")
