"""EPW files: what is read, coerced, noted and refused."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.supply.epw import read_epw

PLACE = {"latitude_deg": 31.2, "longitude_deg": 121.3}


def horizon(start: str, end: str, step_min: int = 60, zone: str = "Asia/Shanghai") -> Horizon:
    first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    return Horizon(first, last, step_min, zone)


def year(start: int = 2023) -> Horizon:
    return horizon(f"{start}-01-01T00:00+08:00", f"{start + 1}-01-01T00:00+08:00")


def lines(*, latitude: float = 31.2, centred: bool = False, days: int = 365) -> list[str]:
    """An EPW file with dry bulb = number of the hour / 1000 and a sun that closes."""
    from pvlib.solarposition import get_solarposition

    start = "2001-01-01" if days == 365 else "2000-01-01"
    times = pd.date_range(start, periods=24 * days, freq="h", tz="Etc/GMT-8")
    seen = times if centred else times + pd.Timedelta(minutes=30)
    cosine = np.cos(np.radians(get_solarposition(seen, latitude, 121.3)["zenith"].to_numpy()))
    dni, dhi = np.where(cosine > 0, 400.0, 0.0), np.maximum(cosine, 0) * 200
    ghi = dni * np.maximum(cosine, 0) + dhi
    text = [
        f"LOCATION,Testville,SH,CHN,TEST,583670,{latitude},121.3,8.0,3.0",
        *["DESIGN CONDITIONS,0"] * 6,
        "DATA PERIODS,1,1,Data,Sunday,1/ 1,12/31",
    ]
    for n, time in enumerate(times):
        pressure = 101_000 + 500 * np.sin(n / 40)
        text.append(
            f"{time.year},{time.month},{time.day},{time.hour + 1},0,?9,{n / 1000:.3f},-5.0,50,{pressure:.0f},0,0,200,"
            f"{ghi[n]:.1f},{dni[n]:.1f},{dhi[n]:.1f},0,0,0,200,180,3.0,5,5,9900,77777,9,999999999,6,0.08,2,88,0.28,0,0"
        )
    return text


def write(tmp_path: Path, text: list[str]) -> Path:
    path = tmp_path / "test.epw"
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def test_hour_one_of_the_file_is_the_hour_from_midnight(tmp_path: Path) -> None:
    frame = read_epw(write(tmp_path, lines()), year(), **PLACE).frame
    assert frame["drybulb_degc"].to_numpy() == pytest.approx(np.arange(8760) / 1000, abs=1e-9)
    assert str(frame.index[0]) == "2023-01-01 00:00:00+08:00"


def test_finer_steps_lie_on_a_line_between_hours(tmp_path: Path) -> None:
    path = write(tmp_path, lines())
    quarter = read_epw(
        path, horizon("2023-03-01T00:00+08:00", "2023-03-02T00:00+08:00", 15), **PLACE
    ).frame["drybulb_degc"]
    assert np.diff(quarter.to_numpy()) == pytest.approx(np.full(95, 0.00025), abs=1e-9)


def test_a_horizon_over_new_year_wraps(tmp_path: Path) -> None:
    weather = read_epw(
        write(tmp_path, lines()),
        horizon("2022-12-31T00:00+08:00", "2023-01-02T00:00+08:00"),
        **PLACE,
    )
    dry = weather.frame["drybulb_degc"].to_numpy()
    assert dry[:24] == pytest.approx((8736 + np.arange(24)) / 1000)
    assert dry[24:] == pytest.approx(np.arange(24) / 1000)
    assert any("2022 to 2023" in note for note in weather.notes)


def test_a_leap_day_repeats_the_day_before_and_is_noted(tmp_path: Path) -> None:
    weather = read_epw(write(tmp_path, lines()), year(2024), **PLACE)
    dry = weather.frame["drybulb_degc"]
    assert len(dry) == 8784
    assert dry.loc["2024-02-29"].to_numpy() == pytest.approx(dry.loc["2024-02-28"].to_numpy())
    assert dry.loc["2024-12-31"].iloc[-1] == pytest.approx(8.759)
    assert any("29 February" in note for note in weather.notes)


def test_a_leap_year_file_leaves_its_leap_day_out(tmp_path: Path) -> None:
    weather = read_epw(write(tmp_path, lines(days=366)), year(), **PLACE)
    assert weather.frame["drybulb_degc"].loc["2023-03-01"].iloc[0] == pytest.approx(60 * 24 / 1000)
    assert any("left out" in note for note in weather.notes)


@pytest.mark.parametrize("centred", [False, True])
def test_the_irradiance_lies_where_its_closure_says(tmp_path: Path, centred: bool) -> None:
    weather = read_epw(write(tmp_path, lines(centred=centred)), year(), **PLACE)
    assert any("half an hour" in note for note in weather.notes) is centred
    noon = weather.frame["ghi_w_per_m2"].loc["2023-06-21"].to_numpy()
    # solar noon is at 11:56: its hour begins at 11 or, by the label, is the hour around 12
    middle = (noon * (np.arange(24) + 0.5)).sum() / noon.sum()
    assert middle == pytest.approx(11.95, abs=0.03)


def test_the_year_keeps_its_irradiation(tmp_path: Path) -> None:
    path = write(tmp_path, lines())
    given = np.array([float(line.split(",")[13]) for line in path.read_text().splitlines()[8:]])
    frame = read_epw(path, year(), **PLACE).frame
    assert frame["ghi_w_per_m2"].sum() == pytest.approx(given.sum(), rel=1e-9)


def test_a_file_in_another_zone_than_the_site_is_turned(tmp_path: Path) -> None:
    tokyo = horizon("2023-03-01T01:00+09:00", "2023-03-02T01:00+09:00", 60, "Asia/Tokyo")
    frame = read_epw(write(tmp_path, lines()), tokyo, **PLACE).frame
    assert frame["drybulb_degc"].to_numpy() == pytest.approx(1.416 + np.arange(24) / 1000)


def test_too_few_hours_are_refused_with_the_number(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match=r"test.epw:8007: has 7999 hours, not 8760 or 8784"):
        read_epw(write(tmp_path, lines()[:8007]), year(), **PLACE)


def test_the_other_hemisphere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="other hemisphere") as error:
        read_epw(write(tmp_path, lines(latitude=-31.2)), year(), **PLACE)
    assert "test.epw:1: LOCATION" in str(error.value)


def test_a_station_far_away_is_refused_with_the_distance(tmp_path: Path) -> None:
    # Shanghai to Shenzhen is about 1,200 km
    with pytest.raises(SeriesError, match=r"is 1[12]\d\d km from the site"):
        read_epw(write(tmp_path, lines()), year(), latitude_deg=22.55, longitude_deg=114.10)


def test_hours_out_of_order_and_missing_values_are_told_with_their_lines(tmp_path: Path) -> None:
    text = lines()
    text[100], text[101] = text[101], text[100]
    text[200] = text[200].replace(",-5.0,", ",99.9,")
    with pytest.raises(SeriesError) as error:
        read_epw(write(tmp_path, text), year(), **PLACE)
    assert {(fault.line, fault.key) for fault in error.value.faults} == {
        (101, ""),
        (201, "temp_dew"),
    }


def test_a_table_that_is_no_epw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="is no EPW file"):
        read_epw(write(tmp_path, ["time,temp", "1,2"]), year(), **PLACE)
