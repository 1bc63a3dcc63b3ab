"""A valid entry of every kind: those that people post from a file, the others as commands write them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from aidc import catalog
from aidc.config import nearest
from aidc.errors import InputError
from aidc.ledger.journal.entries import KINDS, content_of
from aidc.ledger.journal.periods import period_of
from aidc.ledger.ledger import Ledger
from aidc.ledger.restatement.restate import Trigger

WRITTEN_BY: Final = {
    "ledger": "init",
    "approval": "approve",
    "restatement": "restate",
    "calc": "statement --adopt",
    "period_close": "close",
    "period_reopen": "reopen",
}  # kinds that a command writes
ZONE: Final = "Asia/Shanghai"
_NOW: Final = datetime.fromisoformat("2025-04-30T00:00:00+08:00")


def posted_examples() -> list[dict[str, Any]]:
    """models/ledger_examples.json: entries of one small book, in the order in which they hold."""
    text = (catalog.root() / "ledger_examples.json").read_text("utf-8")
    made: list[dict[str, Any]] = json.loads(text)
    return made


def examples(kind: str) -> list[dict[str, Any]]:
    """Valid entries of a kind, from one small book; as they are stored where a command writes them.

    Raises:
        InputError: no such kind.
    """
    if kind not in KINDS:
        raise InputError(
            f"'{kind}' is no kind of entry{nearest(kind, KINDS)}; there are {', '.join(KINDS)}"
        )
    given = [one for one in posted_examples() if one["kind"] == kind]
    return given or [content_of(body) for body in _book() if body["kind"] == kind]


def _book() -> Iterator[dict[str, Any]]:
    """The small book, with all that commands write, as it is stored."""
    with Ledger.init(":memory:", ledger_id="example", zone=ZONE, recorded_at=_NOW) as book:
        given = posted_examples()
        book.post(given, recorded_at=_NOW, role="accountant", recorded_by="lin")
        book.post(list(_other_months(given)), recorded_at=_NOW, role="accountant")
        _revise_a_factor(book, given)
        book.draw_up(
            ["S2-LB"], entity="acme", period="2024", report_date=_NOW.date(), recorded_at=_NOW,
            code_version="example", one_sided_because="an example",
        )  # fmt: skip
        trigger = Trigger("meter-b2", "error", "a meter of hall B2 was left out", Decimal(420))
        book.restate(
            trigger, calcs=book.calcs, threshold_frac=Decimal("0.05"), one_target_for_all_scopes=False,
            recorded_at=_NOW, recorded_by="lin", approved_by="wu",
        )  # fmt: skip
        book.close_period(
            "2024", recorded_at=_NOW, recorded_by="lin", approved_by="wu",
            signatories=["Acme Compute Ltd"],
        )  # fmt: skip
        book.reopen_period(
            "2024", reason="the bill of December came late", recorded_at=_NOW, recorded_by="lin",
            approved_by="wu",
        )  # fmt: skip
        count, head = book.head
        anchor = {
            "id": f"anchor:{count}",
            "kind": "anchor",
            "valid_from": _NOW,
            "payload": {
                "seq": count - 1,
                "head": head,
                "receipt": "mail to the auditor, 2025-04-30",
            },
        }
        book.post(anchor, recorded_at=_NOW, role="accountant")
        for seq in range(book.head[0]):
            yield book.store.journal.body(seq)


def _other_months(given: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The bills of February to December, as large as the corrected one of January."""
    bill = next(one for one in given if one["kind"] == "activity")
    corrected = next(one for one in given if one["kind"] == "adjustment")["payload"]["replacement"]
    for month in range(2, 13):
        start, end = period_of(f"2024-{month:02d}", ZONE)
        counted = corrected | {"interval_s": (end - start) // timedelta(seconds=1)}
        times = {"valid_from": start, "valid_to": end}
        yield bill | times | {"id": f"bill:shanghai:2024-{month:02d}", "payload": counted}


def _revise_a_factor(book: Ledger, given: list[dict[str, Any]]) -> None:
    """A second version far from the first is a draft, and a second name lets it stand."""
    first = next(one for one in given if one["kind"] == "factor_version")
    row = first["payload"]["row"]
    far = row | {
        "name": f"{row['name']}-b",
        "version": "2",
        "value": str(2 * Decimal(row["value"])),
    }
    entry = first | {"id": f"factor:{far['name']}", "payload": first["payload"] | {"row": far}}
    book.post(entry, recorded_at=_NOW, role="accountant", recorded_by="lin")
    approval = {
        "id": f"approval:{entry['id']}:wu",
        "kind": "approval",
        "valid_from": _NOW,
        "payload": {"of": entry["id"], "comment": "held against the publisher's table"},
    }
    book.post(approval, recorded_at=_NOW, role="approver", recorded_by="wu")
