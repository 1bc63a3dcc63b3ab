"""Lots and their moves: what is refused, and with which words. Cases L8 and L9."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from pydantic import ValidationError

from aidc.errors import InputError
from aidc.ledger.lots.credits import credit_account
from aidc.ledger.lots.granular import certificate_wh, certified, hours_of
from aidc.ledger.lots.lot import Lot, ccer_technologies, lot_rules
from tests.lots import GENERATED, MWH, YEAR, Desk, criteria, lot_payload


def desk_with(**other: object) -> Desk:
    desk = Desk()
    assert desk.lot("lot:1", **other) == []
    return desk


def test_a_certificate_is_acquired_allocated_and_retired() -> None:
    desk = desk_with()
    assert desk.acquire("m1", "lot:1", (1, 600)) == []
    assert desk.move("m2", "lot:1", "allocate", (1, 100), entity="us", site="site:a") == []
    assert desk.retire("m3", "lot:1", (1, 50)) == []
    amounts = desk.held.lots["lot:1"].amounts()
    assert amounts == {
        "retired": 50 * MWH, "allocated": 50 * MWH, "acquired": 500 * MWH, "issued": 400 * MWH,
    }  # fmt: skip
    ((_, record, parts),) = desk.held.retired("us")
    assert (record.entry_id, [part.site for part in parts]) == ("m3", ["site:a"])


def test_a_serial_is_retired_once() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100))
    assert desk.retire("m2", "lot:1", (1, 60)) == []
    (fault,) = desk.retire("m3", "lot:1", (60, 80))
    assert fault.startswith("D1: 1000000 Wh retired of us by m2")


def test_a_serial_stands_once_in_a_registry() -> None:
    desk = desk_with()
    (fault,) = desk.lot("lot:2", first=500, mwh=1000, project="other")
    assert fault == "D1: serials 500 to 1000 of GEC are in lot:1; a serial stands once"
    assert desk.lot("lot:3", first=1001, project="other") == []
    assert desk.lot("lot:4", first=1, project="abroad", registry="I-REC") == []


def test_no_more_is_moved_than_is_held() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100))
    (fault,) = desk.retire("m2", "lot:1", (50, 150))
    assert fault == "D2: 50000000 Wh issued by lot:1: us does not hold it"
    (other,) = desk.retire("m3", "lot:1", (1, 10), entity="them")
    assert "D2: 10000000 Wh acquired of us by m1: them does not hold it" in other
    (outside,) = desk.acquire("m4", "lot:1", (900, 1100))
    assert outside == "D2: serials 900 to 1100 are not all in lot:1, which has 1 to 1000"


def test_a_contract_has_no_serials_and_no_more_is_settled_than_acquired() -> None:
    desk = desk_with(lot_type="ppa", mwh=10)
    assert desk.move("m1", "lot:1", "acquire", quantity=6 * MWH, entity="us") == []
    words = {"entity": "us", "beneficiary": "us", "document": "settlement", **YEAR}
    (fault,) = desk.move("m2", "lot:1", "retire", quantity=7 * MWH, **words)
    assert fault.startswith("D2: retire 7000000 Wh, but 6000000 can be: 6000000 Wh acquired of us")
    assert desk.move("m3", "lot:1", "retire", quantity=6 * MWH, **words) == []


def test_after_void_or_expiry_nothing_counts_again() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100))
    assert desk.move("m2", "lot:1", "void", (1, 10)) == ["voiding gives its reason"]
    assert desk.move("m2", "lot:1", "void", (1, 10), reason="registry decision") == []
    assert desk.move("m3", "lot:1", "expire", (11, 20)) == []
    faults = desk.retire("m4", "lot:1", (1, 30))
    assert [fault.split(":")[0] for fault in faults] == [
        "10000000 Wh void of us by m2", "10000000 Wh expired of us by m3",
    ]  # fmt: skip


def test_a_retired_lot_that_the_registry_takes_back_counts_no_more() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100))
    desk.retire("m2", "lot:1", (1, 100))
    assert desk.move("m3", "lot:1", "void", (1, 40), reason="issued in error") == []
    ((_, _, parts),) = desk.held.retired("us")
    assert sum(part.amount for part in parts) == 60 * MWH


def test_a_retirement_says_whose_for_when_and_shows_its_document() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100))
    faults = desk.move("m2", "lot:1", "retire", (1, 10))
    assert faults[:5] == [
        f"a retire names its {name}"
        for name in ("entity", "beneficiary", "period_from", "period_to", "document")
    ]
    late = datetime(2025, 3, 2, tzinfo=UTC)
    (future,) = desk.retire("m3", "lot:1", (1, 10), at=late)
    assert future == "2025-03-02T00:00:00Z is in the future of 2025-03-01T00:00:00Z"
    early = datetime(2025, 1, 2, tzinfo=UTC)
    (before,) = desk.retire("m4", "lot:1", (1, 10), at=early)
    assert before == "retire at 2025-01-02T00:00:00Z, before m1 of 2025-02-01T00:00:00Z"
    (years,) = desk.retire("m5", "lot:1", (1, 10), period_from="2022-12-31T16:00:00Z")
    assert "more than one calendar year of Asia/Shanghai" in years


def test_names_that_are_not_known_are_refused_with_the_nearest() -> None:
    desk = desk_with()
    assert desk.acquire("m1", "lot:2", (1, 1)) == ["unknown lot 'lot:2' - did you mean 'lot:1'?"]
    (entity,) = desk.acquire("m2", "lot:1", (1, 1), entity="uss")
    assert entity == "unknown entity 'uss' - did you mean 'us'?"
    desk.acquire("m3", "lot:1", (1, 9))
    (site,) = desk.move("m4", "lot:1", "allocate", (1, 9), entity="us", site="site:c")
    assert site == "site:c belongs to them, not to us"


def test_a_certificate_is_retired_within_two_years_of_its_production_month() -> None:
    """Notice 1044 of 2023; the validity is to be confirmed, which the refusal says."""
    produced = (datetime(2023, 1, 10, tzinfo=UTC), datetime(2023, 1, 20, tzinfo=UTC))
    desk = Desk()
    desk.lot("lot:1", produced)
    desk.acquire("m1", "lot:1", (1, 10), at=datetime(2024, 1, 1, tzinfo=UTC))
    last = datetime(2025, 1, 31, 15, 59, 59, tzinfo=UTC)  # the last second of January in Shanghai
    assert desk.retire("m2", "lot:1", (1, 5), at=last) == []
    (fault,) = desk.retire("m3", "lot:1", (6, 10), at=datetime(2025, 1, 31, 16, tzinfo=UTC))
    assert fault.startswith("lot:1 could be retired until 2025-01-31 (validity to be confirmed)")


def test_a_lot_tells_every_fault_of_its_form_at_once() -> None:
    bad = criteria(QC3="not_applicable")
    del bad["QC8"]
    faults = Desk().lot(
        "lot:1", unit="kg", serials={"first": 1, "last": 5}, criteria=bad, interval_s=60
    )
    assert faults == [
        "a gec_single is counted in Wh, not kg",
        "serials 1 to 5 are 5000000 Wh, not 1000000000",
        "criterion QC8 (a residual mix is available, or its absence is disclosed) has no answer",
        "criterion QC3 (is tracked, and retired by or for the reporter) applies to a gec_single: yes or no",
        "interval_s and quantities belong to a granular lot, not to a gec_single",
    ]
    with pytest.raises(ValidationError, match="float"):
        Lot.model_validate(lot_payload(price_cny=0.5))


@pytest.mark.parametrize("technology", ["offshore_wind", "solar_thermal"])
def test_an_application_for_ccer_freezes_the_certificates_and_issue_voids_them(
    technology: str,
) -> None:
    """Notice 国能综通新能〔2024〕124号 (cases L8 a to c)."""
    desk = desk_with(technology=technology)
    assert desk.move("application", "lot:1", "ccer_apply", (1, 1000)) == []
    assert desk.held.lots["lot:1"].amounts() == {"frozen": 1000 * MWH}
    refusals = (
        desk.acquire("m1", "lot:1", (1, 1000)),
        desk.move("m2", "lot:1", "transfer", (1, 1000), entity="us", to="them"),
        desk.retire("m3", "lot:1", (1, 1000)),
    )
    for (fault,) in refusals:
        assert "frozen by application, a CCER application" in fault
    assert desk.move("issue", "lot:1", "ccer_issue", (1, 1000)) == []
    assert desk.held.lots["lot:1"].amounts() == {"void": 1000 * MWH}
    (again,) = desk.acquire("m4", "lot:1", (1, 1000))
    assert again.endswith("it can never count again")


@pytest.mark.parametrize("status", ["applied", "issued"])
def test_a_lot_that_comes_with_its_ccer_status_is_frozen_or_void(status: str) -> None:
    desk = desk_with(ccer_status=status)
    assert list(desk.held.lots["lot:1"].amounts()) == [
        {"applied": "frozen", "issued": "void"}[status]
    ]


@pytest.mark.parametrize("technology", ["solar_pv", "onshore_wind"])
def test_pv_and_onshore_wind_are_not_admitted_to_ccer(technology: str) -> None:
    """Cases L8 d and e."""
    desk = desk_with(technology=technology)
    (fault,) = desk.move("application", "lot:1", "ccer_apply", (1, 1000))
    assert fault.startswith(f"application for CCER refused: {technology} is not newly admitted")
    (status,) = Desk().lot("lot:2", technology=technology, ccer_status="applied")
    assert status == fault


def test_without_an_application_offshore_wind_is_acquired_and_retired() -> None:
    """Case L8 f."""
    desk = desk_with()
    assert desk.acquire("m1", "lot:1", (1, 1000)) == []
    assert desk.retire("m2", "lot:1", (1, 1000)) == []


def test_traded_certificates_are_not_frozen_by_an_application() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 10))
    (fault,) = desk.move("application", "lot:1", "ccer_apply", (1, 1000))
    assert fault == "10000000 Wh acquired of us by m1: ccer_apply goes from issued"


def test_a_withdrawn_application_frees_the_certificates() -> None:
    desk = desk_with()
    desk.move("application", "lot:1", "ccer_apply", (1, 1000))
    assert desk.move("back", "lot:1", "ccer_withdraw", (1, 1000)) == []
    assert desk.acquire("m1", "lot:1", (1, 1000)) == []


def test_the_same_mwh_is_no_certificate_and_credit() -> None:
    desk = desk_with()
    (fault,) = desk.lot("credit", lot_type="ccer", mwh=500)
    assert fault.startswith("D3: lot:1 (gec_single) is the same project and time")
    desk.move("void", "lot:1", "void", (1, 1000), reason="the project chose CCER")
    assert desk.lot("credit", lot_type="ccer", mwh=500) == []
    (back,) = desk.lot("lot:2", first=2001)
    assert back.startswith("D3: credit (ccer)")


def test_the_tables_name_each_type_and_its_account() -> None:
    accounts = {name: rule.account for name, rule in lot_rules().items()}
    assert [name for name, account in accounts.items() if account != "scope2"] == [
        "ccer", "removal", "inset",
    ]  # fmt: skip
    assert all((rule.tier is None) == (rule.account != "scope2") for rule in lot_rules().values())
    assert {row.admitted for row in ccer_technologies().values()} == {"yes", "no"}


def test_a_retired_credit_stands_in_the_offset_account_and_serves_one_claim() -> None:
    desk = desk_with(lot_type="removal", mwh=20)
    words = {"beneficiary": "us", "entity": "us", "document": "receipt", **YEAR}
    desk.move("m1", "lot:1", "acquire", (1, 20), quantity=20_000, entity="us")
    (fault,) = desk.move("m2", "lot:1", "retire", (1, 5), quantity=5_000, **words)
    assert fault == "D14: a retired credit names the one claim it serves"
    assert (
        desk.move("m2", "lot:1", "retire", (1, 5), quantity=5_000, claim="neutral 2024", **words)
        == []
    )
    (twice,) = desk.move("m3", "lot:1", "retire", (5, 6), quantity=2_000, claim="other", **words)
    assert twice.startswith("D14: 1000 kg retired of us by m2")
    desk.move("m4", "lot:1", "retire", (6, 7), quantity=2_000, claim="other", **words)
    year = (datetime(2023, 12, 31, 16, tzinfo=UTC), datetime(2024, 12, 31, 16, tzinfo=UTC))
    account = credit_account("offset", desk.held, entity="us", names={"us"}, period=year)
    assert account.tco2e == 7
    assert credit_account("inset", desk.held, entity="us", names={"us"}, period=year).lines == ()


def test_what_was_held_is_told_as_of_a_day() -> None:
    desk = desk_with()
    desk.acquire("m1", "lot:1", (1, 100), at=datetime(2025, 1, 1, tzinfo=UTC))
    desk.retire("m2", "lot:1", (1, 50), at=datetime(2025, 2, 1, tzinfo=UTC))
    january = desk.held.until(datetime(2025, 2, 1, tzinfo=UTC))
    assert list(january.retired("us")) == []
    assert january.lots["lot:1"].amounts()["acquired"] == 100 * MWH


@pytest.mark.parametrize("minutes", [60, 15])
def test_a_granular_certificate_is_rounded_down(minutes: int) -> None:
    """EnergyTag: unit Wh, rounded down (case L9)."""
    assert certificate_wh(Decimal("1234.999"), minutes * 60) == 1234


def test_a_granular_interval_is_at_most_an_hour() -> None:
    """Case L9."""
    with pytest.raises(InputError, match="covers at most one hour"):
        certificate_wh(Decimal("1234.999"), 61 * 60)
    with pytest.raises(InputError, match="negative"):
        certificate_wh(Decimal(-1), 60)
    assert certified([Decimal("1.9"), Decimal("0.9")], 900) == (1, 0)


def test_serials_of_a_granular_lot_are_its_watt_hours_in_order_of_generation() -> None:
    start = datetime(2024, 6, 1, tzinfo=UTC)
    halves = (5, 0, 7, 3)
    made = hours_of(halves, 1800, start, ((4, 12),), start, 3)
    assert made.tolist() == [1, 7, 0]
    later = hours_of(halves, 1800, start, ((0, 15),), start.replace(hour=1), 1)
    assert later.tolist() == [10]
    assert made.dtype == np.int64


def test_a_granular_lot_gives_its_intervals() -> None:
    start = datetime(2024, 6, 1, tzinfo=UTC)
    words = {"serials": {"first": 1, "last": 15}, "quantity": 15, "interval_s": 1800}
    span = (start, start.replace(hour=2))
    assert Desk().lot("lot:1", span, lot_type="granular", quantities=[5, 0, 7, 3], **words) == []
    long = {**words, "interval_s": 3660}
    faults = Desk().lot("lot:1", span, lot_type="granular", quantities=[5, 0, 7], **long)
    assert [fault.split(":")[0] for fault in faults] == [
        "interval of 3660 s", "its intervals hold 12 Wh, not 15",
        "3 intervals of 3660 s do not fill its time",
    ]  # fmt: skip


def test_a_lot_is_posted_after_its_generation() -> None:
    late = (GENERATED[0], datetime(2025, 4, 1, tzinfo=UTC))
    (fault,) = Desk().lot("lot:1", late)
    assert fault == "generated until 2025-04-01T00:00:00Z, after it is recorded: not issued yet"


@pytest.mark.parametrize("region", ["CN-sh", "Shanghai", "CN-SH-310", "CN-XX", "us", "CN/East"])
def test_a_lot_comes_from_a_place_that_there_is(region: str) -> None:
    (fault,) = Desk().lot("lot:1", region=region)
    assert fault.startswith(f"'{region}' is no ISO 3166-2 code of a place of generation")


@pytest.mark.parametrize("region", ["CN-SH", "CN-HK", "CN", "US-CA", "DE", "GB-ENG"])
def test_a_place_is_a_country_or_a_part_of_one(region: str) -> None:
    assert Desk().lot("lot:1", region=region) == []
