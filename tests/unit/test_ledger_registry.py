"""Factor registry: drafts and approval, two dates, policies, years; gases and refrigerants."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from aidc.errors import InputError
from aidc.ledger.factors.gases import by_gas, gwps, leaked, refrigerants, total_tco2e, weighed
from aidc.ledger.factors.policies import most_of_year, select, shipped
from aidc.ledger.factors.registry import (
    TABLES,
    Approval,
    Approved,
    Posted,
    approval_faults,
    factor_entry,
    read_row,
    row_faults,
    standing,
)
from aidc.ledger.factors.rows import (
    ActivityFactor,
    FuelFactor,
    GridFactor,
    activity_factors,
    fuel_factors,
    grid_factors,
    row_of,
)
from aidc.ledger.scopes.scope1 import burnt
from tests.ledger_cases import ledger_of, site_year

AT = datetime(2026, 1, 31, tzinfo=UTC)
NOW = date(2026, 1, 31)


def grid(**changes: object) -> GridFactor:
    row = grid_factors()["mee-average-CN-SH-2023"].model_dump(exclude_none=True)
    return GridFactor.model_validate(row | changes)


def posted(*rows: GridFactor, by: str = "lin") -> list[Posted]:
    return [Posted(f"factor:{row.name}", row, by) for row in rows]


FIRST = grid(name="first", version="1")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("0.6900", "+20% from 0.5737 of mee-average-CN-SH-2023, the last version"),
        ("0.4500", "-22% from 0.5737 of mee-average-CN-SH-2023, the last version"),
        ("5.737", "beyond any grid average"),
        (
            "0.05737",
            "-90% from 0.5737 of mee-average-CN-SH-2023, about 10^-1 times: look at its unit",
        ),
        (
            "0.13",
            "-77% from 0.5737 of mee-average-CN-SH-2023, the last version",
        ),  # 4.4 times less is no power of ten
        ("0.5737", None),
        ("0.6884", None),  # 19.99 %
    ],
)
def test_a_new_version_far_from_the_last_is_held_as_a_draft(value: str, says: str | None) -> None:
    second = grid(name="second", version="2", value=Decimal(value))
    stand, drafts = standing(posted(FIRST, second), ())
    if says is None:
        assert [one.row.name for one in stand] == ["first", "second"]
        assert not drafts
    else:
        assert [one.row.name for one in stand] == ["first"]
        assert says in str(drafts[0])
        assert "other than lin" in str(drafts[0])


def test_a_new_year_may_change_by_a_quarter_but_not_by_ten() -> None:
    """Yunnan went from 0.1073 to 0.1333 (+24 %), as published."""
    rows = [grid_factors()[f"mee-average-CN-YN-{year}"] for year in (2021, 2022, 2023)]
    assert not standing(posted(*rows), ())[1]
    ten = grid(name="yn", id="mee-average-CN-YN", data_year=2024, value=Decimal("1.333"))
    told = standing(posted(*rows, ten), ())[1][0].reason
    assert (
        told
        == "+900% from 0.1333 of mee-average-CN-YN-2023, about 10^1 times: look at its unit, the nearest year"
    )


def test_no_shipped_row_is_held() -> None:
    rows = [*grid_factors().values(), *fuel_factors().values(), *activity_factors().values()]
    held = [Posted(row.name, row, "lin") for row in [*rows, *gwps().values()]]
    assert not standing(held, ())[1]


def test_an_approval_by_another_name_lets_a_draft_stand() -> None:
    second = grid(name="second", version="2", value=Decimal("0.8"))
    rows = posted(FIRST, second)
    own, good = Approved("factor:second", "lin"), Approved("factor:second", "wu")
    assert len(standing(rows, (own,))[0]) == 1
    assert len(standing(rows, (own, good))[0]) == 2


def test_an_approval_needs_the_role_another_name_and_a_factor() -> None:
    names = {"factor:x": "lin"}
    made = Approval(of="factor:x")
    assert approval_faults(made, role="approver", by="wu", posted_by=names) == []
    assert "second name" in approval_faults(made, role="approver", by="lin", posted_by=names)[0]
    assert "role approver" in approval_faults(made, role="planner", by="wu", posted_by=names)[0]
    lost = Approval(of="factor:y")
    assert "factor:x" in approval_faults(lost, role="approver", by="wu", posted_by=names)[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"unit_num": "MWh"}, "not a mass per energy"),
        ({"unit_den": "kWhh"}, "did you mean 'kWh'"),
        ({"gas": "CO2e"}, "gwp_set"),
        ({"gas": "CO2", "gwp_set": "AR6"}, "gwp_set"),
        ({"gas": "carbon"}, "pattern"),
        ({"uncertainty": "normal"}, "standard deviation"),
        ({"applies_from": "2024-01-01", "applies_to": "2023-01-01"}, "is before"),
        ({"source_sha256": "abc"}, "pattern"),
    ],
)
def test_a_row_of_the_wrong_dimension_or_gas_is_refused(
    changes: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        grid(**changes)


def test_every_field_of_a_factor_survives_the_journal() -> None:
    row = grid(
        edition="b", applies_from="2023-01-01", applies_to="2023-12-31", source_sha256="0" * 64,
        licence="open", retrieved_on="2026-01-15", uncertainty="lognormal 1.05",
        correlation_group="mee-2023", superseded_by="later",
    )  # fmt: skip
    stored = factor_entry(row)["payload"]
    assert read_row(stored["table"], stored["row"]) == row
    for table, rows in (("gwp", gwps()), ("refrigerants", refrigerants())):
        for one in rows.values():
            assert read_row(table, row_of(one)) == one
    with pytest.raises(InputError, match="did you mean 'gwp'"):
        read_row("gwps", {})
    assert set(TABLES) >= {"grid_factors", "fuel_factors", "activity_factors"}


@pytest.mark.parametrize(
    ("first", "last", "sets", "expected"),
    [
        (date(2014, 4, 1), date(2015, 3, 31), range(2012, 2016), 2014),
        (date(2013, 4, 1), date(2014, 3, 31), range(2012, 2016), 2013),
        (date(2014, 7, 1), date(2015, 6, 30), range(2012, 2016), 2015),
        (date(2014, 7, 1), date(2015, 6, 30), range(2012, 2015), 2014),
    ],
)
def test_the_uk_set_is_of_the_year_that_holds_most_of_the_reporting_year(
    first: date, last: date, sets: range, expected: int
) -> None:
    """UK conversion factors, guidance (case L7)."""
    assert most_of_year(first, last, sets) == expected
    rows = [
        grid(name=f"uk-{year}", id="uk", geography="GB", gas="CO2e", gwp_set="AR5", publisher="DESNZ",
             data_year=year, value=Decimal("0.4"), published_on=date(year, 6, 1))
        for year in sets
    ]  # fmt: skip
    chosen = select(
        shipped(), "UK-YEAR", rows, region="GB", activity_year=last.year,
        report_date=NOW, reporting_year=(first, last),
    )  # fmt: skip
    assert chosen.factor.data_year == expected


def test_a_reporting_year_without_a_set_says_which_there_are() -> None:
    with pytest.raises(InputError, match=r"takes the set of 2016; there is 2012, 2013"):
        most_of_year(date(2016, 1, 1), date(2016, 12, 31), (2012, 2013))


def chosen(policy: str, region: str, year: int, on: date) -> tuple[str, int]:
    found = select(
        shipped(),
        policy,
        grid_factors().values(),
        region=region,
        activity_year=year,
        report_date=on,
    )
    return str(found.factor.value), found.lag_years


def test_shanghai_ets_is_one_default_since_its_notice() -> None:
    """沪环气〔2022〕34号 of 2022-02-11 and 沪环气候〔2023〕89号 of 2023-06-07: 4.2 t per 10,000 kWh."""
    assert chosen("SH-ETS", "CN-SH", 2022, date(2023, 4, 30)) == ("0.42", 0)
    assert chosen("SH-ETS", "CN-SH", 2024, NOW) == ("0.42", 1)
    with pytest.raises(InputError, match="SH-ETS has nothing"):
        chosen("SH-ETS", "CN-SH", 2021, date(2022, 2, 10))


def test_the_footprint_policy_takes_the_year_and_names_who_can_serve_another() -> None:
    assert chosen("PCF", "CN-SH", 2024, NOW) == ("0.5777", 0)
    assert chosen("MEE-FOSSIL", "CN-SH", 2023, NOW) == ("0.8273", 0)
    with pytest.raises(InputError, match="PCF has nothing for CN-SH in 2022"):
        chosen("PCF", "CN-SH", 2022, NOW)
    with pytest.raises(
        InputError, match=r"MEE-NATIONAL has nothing.*MEE-LB, NDRC, SH-ETS can serve it"
    ):
        chosen("MEE-NATIONAL", "CN-SH", 2024, NOW)


def test_a_row_says_what_takes_its_place_and_until_when_it_applies() -> None:
    twin = grid(name="twin", value=Decimal("0.58"), version="2")
    for rows in ([FIRST, twin],):
        with pytest.raises(InputError, match="two factors win: first, twin"):
            select(shipped(), "MEE-LB", rows, region="CN-SH", activity_year=2023, report_date=NOW)
    gone = grid(name="first", superseded_by="twin")
    picked = select(
        shipped(), "MEE-LB", [gone, twin], region="CN-SH", activity_year=2023, report_date=NOW
    )
    assert picked.factor.name == "twin"
    ended = grid(name="ended", applies_to="2023-12-31")
    with pytest.raises(InputError, match="nothing for CN-SH in 2025"):
        select(shipped(), "MEE-LB", [ended], region="CN-SH", activity_year=2025, report_date=NOW)


def test_a_city_abroad_takes_its_country_and_hong_kong_never_takes_the_mainland() -> None:
    assert shipped().levels("JP-13") == ("JP-13", "JP")
    assert shipped().levels("CN-HK") == ("CN-HK",)
    assert shipped().levels("CN-SH") == ("CN-SH", "CN/East", "CN")
    user = grid(name="iea-jp", geography="JP", publisher="user table", value=Decimal("0.45"))
    picked = select(shipped(), "USER", [user], region="JP-13", activity_year=2023, report_date=NOW)
    assert (picked.factor.name, picked.level) == ("iea-jp", "JP")


@pytest.mark.parametrize(
    ("refrigerant", "gwp_set", "per_gram"),
    [
        ("R-134a", "AR4", "1430"),
        ("R-134a", "AR5", "1300"),
        ("R-410A", "AR4", "2087.5"),  # 2,088 in EU 517/2014, annex I, note on mixtures
        ("R-407C", "AR4", "1773.85"),  # 1,774
        ("R-404A", "AR4", "3921.6"),  # 3,922
        ("R-410A", "AR5", "1923.5"),
        ("R-410A", "AR6", "2255.5"),
        ("R-32", "AR6", "771"),
    ],
)
def test_a_blend_counts_by_the_mass_of_its_gases(
    refrigerant: str, gwp_set: str, per_gram: str
) -> None:
    """GWP of blends as published with the AR4 values, e.g. 2,088 of R-410A."""
    parts = refrigerants().values()
    made = leaked(refrigerant, 1_000_000, gwp_set, parts, gwps().values())
    assert total_tco2e(made) == Decimal(per_gram)
    assert sum(by_gas(made).values()) == 1


def test_shares_of_every_refrigerant_sum_to_one() -> None:
    sums: dict[str, Decimal] = {}
    for part in refrigerants().values():
        sums[part.refrigerant] = sums.get(part.refrigerant, Decimal(0)) + part.mass_frac
    assert set(sums.values()) == {Decimal(1)}


def test_a_potential_that_no_table_prints_is_an_error_not_a_zero() -> None:
    with pytest.raises(InputError, match=r"HFO-1234ze\(E\): AR5 has no single potential"):
        leaked("R-1234ze(E)", 1, "AR5", refrigerants().values(), gwps().values())
    with pytest.raises(InputError, match="did you mean 'R-410A'"):
        leaked("R410A", 1, "AR5", refrigerants().values(), gwps().values())
    with pytest.raises(InputError, match="no GWP set 'AR7'"):
        weighed("CH4", Decimal(1), "AR7", gwps().values())


def test_scope_1_is_co2_only_until_a_set_is_named() -> None:
    """765.8 MWh of natural gas: 153.11435832 t (case L2)."""
    wh = 765_800_000
    rows = (fuel_factors().values(), activity_factors().values())
    bare = burnt("natural_gas", wh, *rows, None, gwps().values())
    assert total_tco2e(bare.inside) == Decimal("153.11435832")
    assert bare.disclosure == "without CH4 and N2O"
    full = burnt("natural_gas", wh, *rows, "AR5", gwps().values())
    tj = Decimal("2.75688")
    assert by_gas(full.inside)["CH4"] == tj * 5 / 1000
    assert by_gas(full.inside)["N2O"] == tj * Decimal("0.1") / 1000
    extra = tj * (5 * 28 + Decimal("0.1") * 265) / 1000
    assert total_tco2e(full.inside) == Decimal("153.11435832") + extra
    assert full.disclosure == ""


def test_biogenic_co2_is_a_memo_while_its_methane_stays_inside() -> None:
    fuel = fuel_factors()["ndrc-other-diesel"].model_dump(exclude_none=True)
    hvo = FuelFactor.model_validate(fuel | {"name": "hvo", "fuel": "hvo", "origin": "biogenic"})
    gas = activity_factors()["ipcc-diesel-CH4"].model_dump(exclude_none=True)
    methane = ActivityFactor.model_validate(
        gas | {"name": "hvo-CH4", "activity": "hvo", "gas": "CH4-non-fossil", "origin": "biogenic"}
    )
    made = burnt("hvo", 30_100_000, [hvo], [methane], "AR6", gwps().values())
    assert made.biogenic_co2_t == Decimal("7.86534672")
    assert [mass.gas for mass in made.inside] == ["CH4-non-fossil"]
    assert made.missing == ("N2O",)


def test_many_small_steps_are_held_to_what_was_shipped_or_approved() -> None:
    """Twenty steps of -19 % by one planner: the second is held, and so is every other."""
    value, rows = Decimal("0.5737"), [grid_factors()["mee-average-CN-SH-2023"]]
    for step in range(20):
        value *= Decimal("0.81")
        rows.append(grid(name=f"step {step}", version=str(step + 2), value=value))
    stand, drafts = standing(posted(*rows), ())
    assert [one.row.name for one in stand] == ["mee-average-CN-SH-2023", "step 0"]
    assert len(drafts) == 19
    looked = (Approved("factor:step 1", "wu"),)
    assert [one.row.name for one in standing(posted(*rows), looked)[0]] == [
        "mee-average-CN-SH-2023", "step 0", "step 1", "step 2",
    ]  # fmt: skip
    assert [one.row.name for one in standing(posted(*rows[1:]), ())[0]] == ["step 0"]


@pytest.mark.parametrize("years", [{}, {"data_year": 2024}, {"id": "new", "geography": "SG"}])
def test_a_factor_of_nothing_is_held(years: dict[str, object]) -> None:
    zero = grid(name="zero", version="2", value=Decimal(0), **years)
    stand, (draft,) = standing(posted(FIRST, zero), ())
    assert [one.row.name for one in stand] == ["first"]
    assert draft.reason == "a factor of 0 makes an emission vanish"


def test_a_new_id_beside_a_shipped_row_is_held_until_somebody_looked_at_it() -> None:
    backdated = {"id": "mine", "published_on": "2020-01-01"}
    rival = grid(name="mine", value=Decimal("0.1"), **backdated)
    any_publisher = grid(name="cn", geography="CN", publisher="me", **backdated)
    for row in (rival, any_publisher):
        (draft,) = standing(posted(row), ())[1]
        assert "a policy could choose it instead of mee-average-CN" in draft.reason
        assert standing(posted(row), (Approved(f"factor:{row.name}", "wu"),))[0]
    elsewhere = grid(name="sg", geography="SG", **backdated)
    own_table = grid(name="own", publisher="user table", id="own")
    assert not standing(posted(elsewhere, own_table), ())[1]
    diesel = fuel_factors()["ndrc-other-diesel"].model_dump(exclude_none=True)
    mine = FuelFactor.model_validate(
        diesel | {"name": "d", "publisher": "me", "carbon_content": Decimal("0.001")}
    )
    assert "instead of ndrc-other-diesel" in standing([Posted("d", mine, "lin")], ())[1][0].reason


@pytest.mark.parametrize("by", ["lin", "Lin", " lin ", "\uff2cin"])
def test_a_second_name_is_another_person(by: str) -> None:
    second = grid(name="second", version="2", value=Decimal("0.8"))
    assert len(standing(posted(FIRST, second), (Approved("factor:second", by),))[0]) == 1
    made = Approval(of="factor:x")
    (fault,) = approval_faults(made, role="approver", by=by, posted_by={"factor:x": "lin"})
    assert "second name" in fault


def test_a_name_stands_for_one_row() -> None:
    """Another value under a shipped name, a row that takes its own place, a day in the future."""
    day = date(2025, 3, 1)
    ours = posted(FIRST)
    assert row_faults(FIRST, ours, NOW) == []
    (same_name,) = row_faults(grid(name="first", value=Decimal("0.7")), ours, NOW)
    assert same_name.startswith("first was posted by factor:first with other content")
    (own,) = row_faults(grid(name="own", superseded_by="own"), ours, NOW)
    assert own == "own cannot supersede itself"
    (late,) = row_faults(grid(name="late", published_on="2025-05-30"), ours, day)
    assert late == "late is published after 2025-03-01, the day it is recorded"
    assert row_faults(grid_factors()["mee-average-CN-SH-2023"], ours, day) == []  # 2025-12-31


def test_a_statement_and_its_trace_speak_of_one_row() -> None:
    with ledger_of(site_year("a", 2023, {"grid_import": 1000})) as ledger:
        ledger.adopt_factors(["S2-LB"], entity="group", report_date=NOW, recorded_at=AT)
        (used,) = ledger.store.register.grid.values()
        forged = factor_entry(used.model_copy(update={"value": Decimal("0.7")})) | {"id": "other"}
        with pytest.raises(InputError, match="with other content; a new value is a new version"):
            ledger.post(forged, recorded_at=AT, role="accountant")
        again = factor_entry(used) | {"id": "again"}
        ledger.post(again, recorded_at=AT, role="accountant")
        assert ledger.store.register.entry_of_row(used.name) == "again"  # the last that stands
