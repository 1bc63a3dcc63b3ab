"""Sites abroad count their own calendar; a bill across the year's edge is split by a declared estimate."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from aidc.errors import InputError, LedgerError
from aidc.ledger import Ledger, Statement
from aidc.ledger.factors.registry import factor_entry
from aidc.ledger.factors.rows import grid_factors
from aidc.ledger.journal.meter_csv import read_meter_csv
from aidc.ledger.reports.report import report
from tests.ledger_cases import ALWAYS, AT, ZONE

SHIPPED = ("mee-average-CN-SH-2022", "user-average-SG-2022")
MWH = 10**6


def place(name: str, region: str, zone: str, **more: Any) -> list[dict[str, Any]]:
    site = {"entity": "e", "name": name, "region": region, "zone": zone, "use": "AIDC",
            "approach": "operational_control", "share": "1", **more}  # fmt: skip
    meters = [
        {"id": f"{name}-{stream}", "kind": "meter", **ALWAYS,
         "payload": {"site": name, "stream": stream, "unit": "Wh"}}
        for stream in ("grid_import", "it_in")
    ]  # fmt: skip
    return [{"id": name, "kind": "site", **ALWAYS, "payload": site}, *meters]


def bill(meter: str, start: str, end: str, mwh: int, **more: Any) -> dict[str, Any]:
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    payload = {"meter": meter, "unit": "Wh", "interval_s": int(seconds), "quantities": [mwh * MWH],
               "quality": "billed", **more}  # fmt: skip
    return {"id": f"bill:{meter}:{start}", "kind": "activity", "valid_from": start, "valid_to": end,
            "payload": payload}  # fmt: skip


def months(meter: str, offset: str, mwh: int) -> list[dict[str, Any]]:
    edges = [f"2022-{month:02d}-01T00:00:00{offset}" for month in range(1, 13)]
    edges.append(f"2023-01-01T00:00:00{offset}")
    return [bill(meter, *edges[at : at + 2], mwh) for at in range(12)]


def ledger(*groups: list[dict[str, Any]]) -> Ledger:
    made = Ledger.init(":memory:", ledger_id="t", zone=ZONE, recorded_at=AT)
    rows = [grid_factors()[name] for name in SHIPPED]
    dated = [row.model_copy(update={"published_on": date(2023, 1, 1)}) for row in rows]
    made.post([factor_entry(row) for row in dated], recorded_at=AT, role="accountant")
    made.post([one for group in groups for one in group], recorded_at=AT, role="accountant")
    return made


def stated(book: Ledger, period: str | tuple[datetime, datetime] = "2022") -> Statement:
    return book.statement("S2-LB", entity="e", period=period, report_date=date(2024, 12, 31))


SHANGHAI = [*place("sh", "CN-SH", "Asia/Shanghai"), *months("sh-grid_import", "+08:00", 100),
            *months("sh-it_in", "+08:00", 80)]  # fmt: skip
ABROAD = [*place("tk", "SG", "Asia/Tokyo"), *months("tk-grid_import", "+09:00", 10),
          *months("tk-it_in", "+09:00", 8)]  # fmt: skip


def test_a_site_abroad_with_bills_by_its_own_months_does_not_block_the_year() -> None:
    with ledger(SHANGHAI, ABROAD) as book:
        made = stated(book)
        assert {cell.site: cell.amount for cell in made.cells} == {
            "sh": 1200 * MWH,
            "tk": 120 * MWH,
        }
        assert "tk counts its own days: 2022-01-01 to 2022-12-31 (Asia/Tokyo)" in made.notes
        assert stated(book, "2022-07").tiers == {"grid_average": 110 * MWH}
        sheets = report(book, [made], category=3, parameters={}, texts={}, added_back_t={})
        kpi = sheets.workbook.sheet("kpi")
        assert kpi.cell("tk/pue", "2022").value == kpi.cell("sh/pue", "2022").value == 1.25


def test_a_period_of_exact_times_is_the_same_for_all_sites() -> None:
    """Noon in Shanghai is no midnight of the ledger, so that it stays as it is."""
    noon = (datetime(2022, 7, 1, 4, tzinfo=UTC), datetime(2022, 8, 1, 4, tzinfo=UTC))
    with ledger(SHANGHAI, ABROAD) as book, pytest.raises(LedgerError, match="across"):
        stated(book, noon)


def test_a_site_may_count_the_ledgers_calendar_as_a_simulation_does() -> None:
    abroad = [*place("tk", "SG", "Asia/Tokyo", calendar="ledger")]
    with ledger(SHANGHAI, abroad, months("tk-grid_import", "+08:00", 10)) as book:
        assert stated(book).tiers == {"grid_average": 1320 * MWH}
        assert not [note for note in stated(book).notes if "own days" in note]


def test_a_closed_year_ends_where_the_site_ends_it() -> None:
    """Tokyo's 2023 begins an hour before the ledger's: its January is not in the closed 2022."""
    with ledger(SHANGHAI, ABROAD) as book:
        book.close_period("2022", recorded_at=AT, recorded_by="a", approved_by="b")
        first = bill("tk-grid_import", "2023-01-01T00:00:00+09:00", "2023-02-01T00:00:00+09:00", 9)
        assert book.post(first, recorded_at=AT, role="accountant") == 1
        late = bill("tk-grid_import", "2021-12-01T00:00:00+09:00", "2022-01-01T00:00:00+09:00", 9)
        assert book.post(late, recorded_at=AT, role="accountant") == 1


EDGE = ("2022-12-16T00:00:00+08:00", "2023-01-15T00:00:00+08:00")


def year_with_an_edge(**more: Any) -> list[dict[str, Any]]:
    rest = bill("sh-grid_import", "2022-01-01T00:00:00+08:00", EDGE[0], 1000)
    after = bill("sh-grid_import", EDGE[1], "2024-01-01T00:00:00+08:00", 900)
    return [*place("sh", "CN-SH", ZONE), rest, bill("sh-grid_import", *EDGE, 301, **more), after]


def test_a_bill_across_the_year_stops_the_statement_and_the_message_names_the_way_out() -> None:
    with ledger(year_with_an_edge()) as book, pytest.raises(LedgerError, match="by_time"):
        stated(book)


def test_a_declared_bill_is_split_by_time_and_its_parts_add_up() -> None:
    """16 of 30 days lie in 2022: 301 MWh x 16 / 30 is 160.533 MWh, an estimate that is named."""
    with ledger(year_with_an_edge(across_edges="by_time")) as book:
        first, second = stated(book, "2022"), stated(book, "2023")
        assert sum(first.tiers.values()) == 1000 * MWH + 160_533_333
        assert sum(first.tiers.values()) + sum(second.tiers.values()) == 2201 * MWH
        assert float(first.estimated_frac) == pytest.approx(160.533333 / 1160.533333)
        assert "split by time, 16 of 30 days" in first.text()
        whole = stated(book, (datetime(2021, 12, 31, 16, tzinfo=UTC),
                              datetime(2023, 12, 31, 16, tzinfo=UTC)))  # fmt: skip
        assert whole.estimated_frac == 0


def test_only_one_interval_can_be_split_and_a_csv_row_may_say_so(tmp_path: Path) -> None:
    entry = bill("sh-grid_import", *EDGE, 301, across_edges="by_time")
    halves = entry["payload"] | {"interval_s": 15 * 86_400, "quantities": [1, 2]}
    with ledger(place("sh", "CN-SH", ZONE)) as book, pytest.raises(InputError, match="a block"):
        book.post(entry | {"payload": halves}, recorded_at=AT, role="accountant")
    (tmp_path / "bills.csv").write_text(
        "meter,start,end,value,unit,quality,across_edges\n"
        f"sh-grid_import,{EDGE[0]},{EDGE[1]},301,MWh,billed,by_time\n"
    )
    (made,) = read_meter_csv(tmp_path / "bills.csv")
    assert made["payload"]["across_edges"] == "by_time"
