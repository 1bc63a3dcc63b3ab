"""Price of electricity by hour and peak."""

from datetime import datetime

import numpy as np
import pytest

from aidc import catalog
from aidc.config import parse_yaml
from aidc.errors import CatalogError, SeriesError
from aidc.horizon import Horizon
from aidc.supply.tariff import (
    demand_charge_cny,
    energy_price_cny_per_kwh,
    parse_tariff,
    read_tariff,
    tariff_notes,
)


def day(text: str, step_min: int = 60) -> Horizon:
    start = datetime.fromisoformat(f"{text}T00:00:00+08:00")
    return Horizon(start, start.replace(hour=23) + (start.replace(hour=1) - start), step_min, "Asia/Shanghai")  # fmt: skip


def test_shanghai_june_prices_are_those_of_the_published_table() -> None:
    # State Grid Shanghai agency-purchase price table, June, two-part below 1 kV
    tariff = read_tariff("shanghai-two-part")
    price = energy_price_cny_per_kwh(tariff, day("2023-06-14"))
    assert tariff.flat_cny_per_kwh == pytest.approx(0.662376, abs=1e-9)
    assert price[12] == pytest.approx(0.662376, abs=1e-9)
    assert price[9] == pytest.approx(1.010784, abs=1e-9)
    assert price[3] == pytest.approx(0.372036, abs=1e-9)
    assert tariff.demand_cny_per_kw_month == 40.8


def test_only_purchase_and_transmission_float() -> None:
    tariff = read_tariff("shanghai-two-part")
    assert tariff.floating_cny_per_kwh == pytest.approx(0.43508 + 0.1456)


def test_the_sharp_peak_of_july_is_from_twelve_to_two() -> None:
    price = energy_price_cny_per_kwh(read_tariff("shanghai-two-part"), day("2023-07-12"))
    sharp = 0.662376 + 1.25 * 0.58068
    assert np.flatnonzero(np.isclose(price, sharp)).tolist() == [12, 13]


def test_finer_steps_have_the_price_of_their_hour() -> None:
    tariff = read_tariff("shanghai-two-part")
    fine = energy_price_cny_per_kwh(tariff, day("2023-07-12", 15))
    assert fine.reshape(24, 4) == pytest.approx(
        np.repeat(energy_price_cny_per_kwh(tariff, day("2023-07-12"))[:, None], 4, axis=1)
    )


def test_the_price_follows_local_time_not_utc() -> None:
    tariff = read_tariff("shanghai-two-part")
    utc = Horizon(
        datetime.fromisoformat("2023-06-13T16:00:00+00:00"),
        datetime.fromisoformat("2023-06-14T16:00:00+00:00"),
        60,
        "Asia/Shanghai",
    )
    assert energy_price_cny_per_kwh(tariff, utc).tolist() == (
        energy_price_cny_per_kwh(tariff, day("2023-06-14")).tolist()
    )


@pytest.mark.parametrize(
    ("date", "deep"),
    [
        ("2023-10-02", False),  # before the notice
        ("2024-10-02", True),  # National Day
        ("2024-05-25", True),  # Saturday in May
        ("2024-05-22", False),  # Wednesday
        ("2024-07-06", False),  # Saturday in July
    ],
)
def test_the_deep_valley_holds_on_the_stated_days_only(date: str, deep: bool) -> None:
    price = energy_price_cny_per_kwh(read_tariff("shanghai-two-part"), day(date))
    at_deep = np.isclose(price, 0.662376 - 0.8 * 0.58068)
    assert np.flatnonzero(at_deep).tolist() == ([0, 1, 2, 3, 4, 5, 22, 23] if deep else [])


def test_a_year_without_listed_holidays_is_said() -> None:
    tariff = read_tariff("shanghai-two-part")
    assert any("2027" in note for note in tariff_notes(tariff, day("2027-01-13")))
    assert tariff_notes(tariff, day("2023-01-13")) == ()


def test_every_tariff_of_the_catalog_is_complete_and_says_what_it_assumes() -> None:
    names = catalog.file_names("tariffs")
    assert "shanghai-two-part" in names
    for name in names:
        tariff = read_tariff(name)
        assert (energy_price_cny_per_kwh(tariff, day("2024-03-06")) > 0).all()
        assert "assumed" in tariff.source
        assert tariff.water_cny_per_m3 > 0


def test_the_multipliers_of_guangdong_have_the_critical_peak_in_summer_only() -> None:
    tariff = read_tariff("guangdong")
    summer, spring = (
        energy_price_cny_per_kwh(tariff, day(date)) for date in ("2024-08-07", "2024-04-10")
    )
    assert np.flatnonzero(summer > spring + 1e-9).tolist() == [11, 15, 16]


def test_a_bad_file_gets_every_fault_with_its_place() -> None:
    text = """label: x
source: made for this test
components:
  - {name: a, cny_per_kwh: -1, floats: true}
periods:
  - months: [1, 2, 13]
    multiplier: [1, 1]
demand_cny_per_kw_month: 40.8
water_cny_per_m3: 5
water_sourc: x
"""
    with pytest.raises(CatalogError) as error:
        parse_tariff(parse_yaml(text, "mine.yaml"))
    places = {(fault.line, fault.key) for fault in error.value.faults}
    assert {
        (4, "components[0].cny_per_kwh"),
        (6, "periods[0].months[2]"),
        (7, "periods[0].multiplier"),
        (10, "water_sourc"),
    } <= places
    assert "did you mean 'water_source'" in str(error.value)


def test_months_that_stand_twice_are_refused() -> None:
    twice = "  - {months: [1], multiplier: [" + ", ".join(["1"] * 24) + "]}\n"
    text = (
        "label: x\nsource: made for this test\ndemand_cny_per_kw_month: 0\nwater_cny_per_m3: 5\n"
        "water_source: made up\ncomponents: [{name: a, cny_per_kwh: 1, floats: true}]\nperiods:\n"
        + twice
        + twice
    )
    with pytest.raises(CatalogError, match="each of 1 to 12 once"):
        parse_tariff(parse_yaml(text, "mine.yaml"))


def test_an_unknown_tariff_names_the_nearest() -> None:
    with pytest.raises(CatalogError, match="did you mean 'shanghai-two-part'"):
        read_tariff("shanghai-twopart")


def test_a_week_bears_its_share_of_the_demand_charge() -> None:
    tariff = read_tariff("shanghai-two-part")
    assert demand_charge_cny(tariff, [1_000.0], [1.0]) == pytest.approx(40_800)
    assert demand_charge_cny(tariff, [1_000.0, 500.0], [0.5, 7 / 31]) == pytest.approx(
        40.8 * (500 + 500 * 7 / 31)
    )


def test_a_negative_peak_and_a_share_above_one_are_refused_together() -> None:
    with pytest.raises(SeriesError) as error:
        demand_charge_cny(read_tariff("shanghai-two-part"), [-1.0], [1.5])
    assert len(error.value.faults) == 2
