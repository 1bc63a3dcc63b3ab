"""Lots that a scenario counts on: read, refused and booked."""

from dataclasses import replace
from datetime import datetime

import pytest

import aidc
from aidc import catalog
from aidc.errors import ScenarioError
from aidc.ledger.journal.periods import years_in
from aidc.ledger.lots.criteria import QUESTIONS
from aidc.ledger.lots.planned import planned_entries
from aidc.lot_inputs import LotRow, PlannedLot
from tests.windows import SCENARIOS

WEEK = SCENARIOS / "lingang-week.yaml"
SMALL = (
    "site.model=helios-hall", "pathway=null", "end=2023-07-03T06:00:00+08:00",
    "workload.jobs_per_day=1", "ledger.books=[S1, S2-LB, S2-MB-2015, SH-ETS]",
)  # fmt: skip


def test_a_run_books_the_lots_that_its_scenario_counts_on() -> None:
    lots = "ledger.lots=[{lot: ppa-shanghai-wind, quantity: 30 kWh, site: lingang}]"
    books = aidc.account(aidc.simulate(aidc.load(WEEK, sets=[*SMALL, lots])))
    (made,) = books.statements.values()
    market, location = made["S2-MB-2015"], made["S2-LB"]
    assert market.tiers["contract"] == 30_000
    assert market.tiers["residual_proxy"] == location.tiers["grid_average"] - 30_000
    assert location.tiers.keys() == {"grid_average", "own_pv"}
    assert made["SH-ETS"].not_applied[0].criterion == "SH-ETS"
    assert books.ledger.verify().ok


def test_several_runs_may_count_on_the_same_instrument() -> None:
    lots = "ledger.lots=[{lot: green-trade-inner-mongolia, quantity: 1 MWh}]"
    trace = aidc.simulate(aidc.load(WEEK, sets=[*SMALL, lots]))
    books = aidc.account(trace, replace(trace, variant="other"))
    assert len(books.statements) == 2
    for made in books.statements.values():
        assert made["S2-MB-2015"].total_tco2e == made["SH-ETS"].total_tco2e == 0


@pytest.mark.parametrize(
    ("lot", "said"),
    [
        ("{lot: ppa-shanghai, quantity: 1 MWh}", "did you mean 'ppa-shanghai-wind'?"),
        ("{lot: gec-jiangsu-offshore, quantity: 1500 kWh}", "certificates come in whole MWh"),
        ("{lot: ppa-shanghai-wind, quantity: 30}", "has no unit"),
        ("{lot: ppa-shanghai-wind, quantity: 3 kWh, site: x}", "no site 'x'; there are lingang"),
        ("{lot: ppa-shanghai-wind, amount: 3 kWh}", "unknown key 'amount'"),
    ],
)
def test_a_lot_that_cannot_be_booked_is_refused_when_the_scenario_is_read(
    lot: str, said: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        aidc.load(WEEK, sets=[f"ledger.lots=[{lot}]"])
    assert said in str(caught.value)
    assert "ledger.lots" in str(caught.value)


def test_a_run_over_new_year_retires_whole_certificates_for_each_year() -> None:
    planned = PlannedLot.model_validate({"lot": "gec-jiangsu-offshore", "quantity": "10 MWh"})
    period = (
        datetime.fromisoformat("2023-12-29T00:00:00+08:00"),
        datetime.fromisoformat("2024-01-05T00:00:00+08:00"),
    )
    years = list(years_in(period, "Asia/Shanghai"))
    entries = list(planned_entries(planned, number=0, entity="us", years=years))
    lots = [entry["payload"] for entry in entries if entry["kind"] == "lot"]
    assert [lot["quantity"] for lot in lots] == [4_000_000, 6_000_000]  # 3 and 4 of 7 days
    assert [lot["serials"] for lot in lots] == [{"first": 1, "last": 4}, {"first": 5, "last": 10}]
    assert all(lot["planned"] for lot in lots)


def test_the_shipped_instruments_say_which_criteria_they_do_not_meet() -> None:
    for row in catalog.table("lots", LotRow).values():
        assert set((row.unmet or "").split()) <= set(QUESTIONS)
