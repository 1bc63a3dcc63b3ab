"""True whatever lots are bought, retired, voided or left to expire."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.ledger import Ledger
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.statements.statement import Statement
from tests.lots import MWH, criteria, entry, lot_payload, retire, supplier
from tests.property.test_ledger_properties import AT, NOW, START, intervals, posted

BOOKS = ("S2-LB", "NDRC", "S2-MB-2015", "SH-ETS", "S2-MB-HOURLY")
RATE = Decimal("0.95")  # above every factor of the tables
LARGEST = {"S2-MB-2015": RATE, "SH-ETS": Decimal("0.42"), "S2-MB-HOURLY": RATE}
ACQUIRED = datetime.fromisoformat("2024-01-10T00:00:00Z")
TYPES = ("gec_single", "gec_green_trade", "ppa", "supplier_rate")

lots = st.lists(
    st.fixed_dictionaries(
        {
            "lot_type": st.sampled_from(TYPES),
            "mwh": st.integers(1, 2_000_000),
            "end": st.sampled_from(["retire", "void", "expire", "hold"]),
            "region": st.sampled_from(["CN-JS", "CN-SH", "SG"]),
            "met": st.booleans(),
            "hour": st.integers(0, 4),
            "site": st.sampled_from([None, "site:a", "site:b"]),
        }
    ),
    max_size=5,
)


def with_lots(ledger: Ledger, chosen: list[dict[str, Any]], hours: int, *, order: int = 1) -> None:
    supplier(ledger, "rate", str(RATE), at=AT)
    period = (START, START + timedelta(hours=hours))
    for number, lot in list(enumerate(chosen))[::order]:
        start = START + timedelta(hours=lot["hour"])
        words = {
            "region": lot["region"],
            "criteria": criteria(lot["lot_type"], **({} if lot["met"] else {"QC3": "no"})),
            **({"factor": "rate"} if lot["lot_type"] == "supplier_rate" else {}),
        }
        generated = (start, start + timedelta(hours=1))
        name = f"lot {number}"
        if lot["end"] == "retire":
            retire(
                ledger, name, lot["mwh"], lot["lot_type"], generated=generated, site=lot["site"],
                entity="e", period=period, recorded_at=AT, acquired=ACQUIRED, **words,
            )  # fmt: skip
            continue
        payload = lot_payload(lot["lot_type"], lot["mwh"], project=name, registry=name, **words)
        part = {"lot": name, "quantity": payload["quantity"], "entity": "e"}
        if "serials" in payload:
            part["serials"] = payload["serials"]
        entries = [
            entry(name, "lot", payload, *generated),
            entry(f"{name}:acquire", "lot_move", {**part, "act": "acquire"}, ACQUIRED),
        ]
        if lot["end"] != "hold":
            made = entry(f"{name}:end", "lot_move", {**part, "act": lot["end"]}, ACQUIRED)
            entries.append({**made, "reason": "registry"} if lot["end"] == "void" else made)
        ledger.post(entries, recorded_at=AT, role="accountant")


def stated(ledger: Ledger, book: str, hours: int) -> Statement:
    period = (START, START + timedelta(hours=hours))
    return ledger.statement(book, entity="e", period=period, report_date=NOW)


@settings(max_examples=25, deadline=None)
@given(rows=intervals, chosen=lots, kept=st.booleans())
def test_whatever_lots_there_are_tiers_add_up_and_tonnes_stay_within_the_largest_factor(
    rows: list[tuple[int, int, int]], chosen: list[dict[str, Any]], kept: bool
) -> None:
    """P1 and P7, for each site and book."""
    gross = sum(bought + max(0, pv - out) for bought, pv, out in rows)
    with posted({"a": rows, "b": rows}, kept=kept) as ledger:
        ledger.adopt_factors(BOOKS, entity="e", report_date=NOW, recorded_at=AT)
        with_lots(ledger, chosen, len(rows))
        for book in BOOKS:
            made = stated(ledger, book, len(rows))
            for site in ("a", "b") if book != "SH-ETS" else ("a",):
                cells = [cell for cell in made.cells if cell.site == site]
                assert sum(cell.amount for cell in cells) == gross
                tonnes = sum(cell.tco2e for cell in cells)
                most = LARGEST.get(book, RATE)
                assert 0 <= tonnes <= Decimal(gross).scaleb(-6) * most


@settings(max_examples=15, deadline=None)
@given(rows=intervals, chosen=lots)
def test_the_location_based_book_is_the_same_bytes_with_and_without_lots(
    rows: list[tuple[int, int, int]], chosen: list[dict[str, Any]]
) -> None:
    """P6."""
    with posted({"a": rows, "b": rows}, kept=True) as ledger:
        before = stated(ledger, "S2-LB", len(rows)).canonical()
        with_lots(ledger, chosen, len(rows))
        assert stated(ledger, "S2-LB", len(rows)).canonical() == before


@settings(max_examples=15, deadline=None)
@given(rows=intervals, chosen=lots)
def test_lots_posted_later_change_no_statement_of_the_past(
    rows: list[tuple[int, int, int]], chosen: list[dict[str, Any]]
) -> None:
    """P3 for lots."""
    later = AT + timedelta(days=1)
    with posted({"a": rows, "b": rows}, kept=True) as ledger:
        ledger.adopt_factors(BOOKS, entity="e", report_date=NOW, recorded_at=AT)
        with_lots(ledger, chosen, len(rows))
        period = (START, START + timedelta(hours=len(rows)))
        words: dict[str, Any] = {"entity": "e", "period": period, "report_date": NOW}
        then = [ledger.statement(book, known_on=AT, **words).canonical() for book in BOOKS]
        late = lot_payload("ppa", 5, project="late", registry="late")
        part = {"lot": "late", "quantity": 5 * MWH, "entity": "e"}
        moved = {
            **part, "act": "retire", "beneficiary": "us", "document": "d",
            "period_from": utc_text(period[0]), "period_to": utc_text(period[1]),
        }  # fmt: skip
        entries = [
            entry("late", "lot", late, START, START + timedelta(hours=1)),
            entry("late:a", "lot_move", {**part, "act": "acquire"}, ACQUIRED),
            entry("late:r", "lot_move", moved, ACQUIRED),
        ]
        ledger.post(entries, recorded_at=later, role="accountant")
        again = [ledger.statement(book, known_on=AT, **words).canonical() for book in BOOKS]
        assert again == then


@settings(max_examples=15, deadline=None)
@given(rows=intervals, chosen=lots)
def test_the_order_in_which_lots_are_posted_changes_no_statement(
    rows: list[tuple[int, int, int]], chosen: list[dict[str, Any]]
) -> None:
    """P2 for lots."""
    said = []
    for order in (1, -1):
        with posted({"a": rows, "b": rows}, kept=True) as ledger:
            ledger.adopt_factors(BOOKS, entity="e", report_date=NOW, recorded_at=AT)
            with_lots(ledger, chosen, len(rows), order=order)
            said.append([stated(ledger, book, len(rows)).canonical() for book in BOOKS])
    assert said[0] == said[1]
