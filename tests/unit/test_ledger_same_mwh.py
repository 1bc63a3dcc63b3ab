"""The same MWh counts once: one project and time, one name, one beneficiary, listed technologies."""

from datetime import timedelta
from decimal import Decimal

import pytest

from aidc.errors import InputError
from aidc.ledger.lots.credits import credit_account
from tests.lots import AT, GENERATED, MWH, PERIOD, Desk, entry, lot_payload, retire
from tests.unit.test_ledger_market_books import EX_MARKET, ledger_of, stated

SCOPE_2 = ("gec_single", "gec_green_trade", "irec_go", "ppa")


@pytest.mark.parametrize("second", [*SCOPE_2, "ccer", "removal"])
@pytest.mark.parametrize("first", SCOPE_2)
def test_one_project_and_time_is_one_certificate_contract_or_credit(
    first: str, second: str
) -> None:
    desk = Desk()
    assert desk.lot("lot:1", lot_type=first, mwh=10) == []
    (fault,) = desk.lot("lot:2", lot_type=second, mwh=10, registry="another")
    assert fault.startswith(f"D3: lot:1 ({first}) is the same project and time")
    later = (GENERATED[1], GENERATED[1] + timedelta(days=30))
    assert desk.lot("lot:3", later, lot_type=second, mwh=10, registry="another") == []


@pytest.mark.parametrize("name", ["Farm ", "FARM", "\uff26arm", "\u3000farm"])
def test_a_project_and_a_registry_are_one_however_they_are_written(name: str) -> None:
    desk = Desk()
    desk.lot("lot:1", mwh=10)
    (credit,) = desk.lot("lot:2", lot_type="ccer", mwh=10, project=name)
    assert credit.startswith("D3: lot:1")
    (serial,) = desk.lot("lot:3", mwh=5, project="other", registry="gec\u2002")
    assert serial.startswith("D1: serials 1 to 5")


def test_serials_of_one_registry_and_declared_parts_of_a_project_are_apart() -> None:
    desk = Desk()
    assert desk.lot("lot:1", mwh=10) == []
    assert desk.lot("lot:2", lot_type="gec_green_trade", mwh=10, first=11) == []
    shown = [{"lot": name, "document": "meter split of June"} for name in ("lot:1", "lot:2")]
    assert desk.lot("lot:3", lot_type="ppa", mwh=5, apart_from=shown) == []
    (missing,) = desk.lot("lot:4", lot_type="ppa", mwh=5, apart_from=shown)
    assert missing.startswith("D3: lot:3 (ppa)")
    unknown, *_ = desk.lot("lot:5", lot_type="ppa", apart_from=[{"lot": "lot:9", "document": "d"}])
    assert unknown.startswith("apart_from: unknown lot 'lot:9'")


def test_a_lot_that_is_void_leaves_room_for_what_was_right() -> None:
    desk = Desk()
    desk.lot("lot:1", mwh=10)
    assert desk.move("m", "lot:1", "void", (1, 10), reason="wrong type") == []
    assert desk.lot("lot:2", lot_type="ppa", mwh=10) == []


@pytest.mark.parametrize("lot_type", ["ppa", "gec_single"])
def test_only_listed_generation_counts_at_zero(lot_type: str) -> None:
    (fault,) = Desk().lot("lot:1", lot_type=lot_type, mwh=10, technology="coal")
    assert fault == (
        "lot_technologies.csv does not list 'coal' as without direct emissions: a contract of it "
        "conveys a factor"
    )
    assert Desk().lot("lot:1", lot_type="ppa", mwh=10, technology="coal", factor="its own") == []


def test_a_lot_retired_in_another_name_covers_nothing() -> None:
    """QC3: tracked, and retired by or for the reporter."""
    ledger = ledger_of({"a": "CN-SH"})
    retire(ledger, "mine", 4, beneficiary="US ")
    retire(ledger, "theirs", 5, beneficiary="rival")
    made = stated(ledger, "S2-MB-2015")
    assert made.tiers["certificate"] == 4 * MWH
    assert made.total_tco2e == 20 * EX_MARKET
    (passed,) = made.not_applied
    assert (passed.lot, passed.criterion) == ("theirs", "QC3")
    assert "it is retired for 'rival'" in passed.reason
    retire(ledger, "trade", 6, "gec_green_trade", beneficiary="rival", region="CN-NM")
    assert stated(ledger, "SH-ETS").total_tco2e == 24 * Decimal("0.42")


def test_a_credit_retired_in_another_name_is_in_nobodys_account() -> None:
    ledger = ledger_of({"a": "CN-SH"})
    for name, whose in (("mine", "us"), ("theirs", "rival")):
        retire(ledger, name, 3, "ccer", beneficiary=whose, claim="day")
    held = ledger.store.register.lots
    account = credit_account("offset", held, entity="us", names={"us"}, period=PERIOD)
    assert [line.lot for line in account.lines] == ["mine"]


def test_no_more_of_own_pv_is_certified_than_its_meter_counted() -> None:
    """Two lots of 2 MWh on 3 MWh that the meter gave."""
    ledger = ledger_of({"a": "CN-SH"}, pv_mwh=3)
    own = {"technology": "solar_pv", "meter": "meter:a:pv", "project": "roof"}
    first = entry("own:1", "lot", lot_payload(mwh=2, **own), *PERIOD)
    second = entry("own:2", "lot", lot_payload(mwh=2, first=3, **own), *PERIOD)
    ledger.post(first, recorded_at=AT, role="accountant")
    with pytest.raises(InputError, match="D2: 4000000 Wh certified of meter:a:pv, which counted 3"):
        ledger.post(second, recorded_at=AT, role="accountant")
    ledger.post(
        entry("own:3", "lot", lot_payload(mwh=1, first=5, **own), *PERIOD),
        recorded_at=AT, role="accountant",
    )  # fmt: skip
