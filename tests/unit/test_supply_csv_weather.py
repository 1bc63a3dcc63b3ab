"""Weather from a CSV file, and what is said of a bad one."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon
from aidc.supply.csv_weather import read_csv
from aidc.supply.weather import COLUMNS

HEADER = "time," + ",".join(COLUMNS)
PLACE = {"latitude_deg": 31.2, "longitude_deg": 121.3}


def horizon(step_min: int = 60, hours: int = 24) -> Horizon:
    start = pd.Timestamp("2023-07-03T00:00:00+08:00")
    end = start + pd.Timedelta(hours=hours)
    return Horizon(start.to_pydatetime(), end.to_pydatetime(), step_min, "Asia/Shanghai")


def rows(step_min: int = 60, offset: str = "+08:00") -> list[str]:
    times = pd.date_range("2023-07-03", "2023-07-04", freq=f"{step_min}min", inclusive="left")
    made = []
    for time in times:
        sun = max(0.0, np.sin((time.hour + time.minute / 60 - 5.5) / 13 * np.pi)) * 600
        made.append(
            f"{time.isoformat()}{offset},{25 + time.hour / 10},20,100500,{sun:.1f},{sun / 2:.1f},{sun / 2:.1f},3"
        )
    return made


def write(tmp_path: Path, lines: list[str]) -> Path:
    path = tmp_path / "weather.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_rows_as_long_as_the_steps_come_through_unchanged(tmp_path: Path) -> None:
    weather = read_csv(write(tmp_path, [HEADER, *rows()]), horizon(), **PLACE)
    assert weather.frame["drybulb_degc"].to_numpy() == pytest.approx(25 + np.arange(24) / 10)
    assert weather.frame.index.equals(horizon().index)
    assert not weather.synthetic


def test_finer_steps_keep_the_irradiation_of_each_hour(tmp_path: Path) -> None:
    path = write(tmp_path, [HEADER, *rows()])
    hourly, fine = (read_csv(path, horizon(step), **PLACE).frame for step in (60, 5))
    sums = fine["ghi_w_per_m2"].to_numpy().reshape(24, 12).mean(axis=1)
    assert sums == pytest.approx(hourly["ghi_w_per_m2"].to_numpy(), abs=1e-9)


def test_longer_steps_take_the_mean(tmp_path: Path) -> None:
    path = write(tmp_path, [HEADER, *rows(15)])
    hourly, fine = (read_csv(path, horizon(step), **PLACE).frame for step in (60, 15))
    for name in COLUMNS:
        mean = fine[name].to_numpy().reshape(24, 4).mean(axis=1)
        assert hourly[name].to_numpy() == pytest.approx(mean, abs=1e-6), name


def test_times_in_another_zone_are_turned(tmp_path: Path) -> None:
    lines = [line.replace("2023-07-03T", "2023-07-02T") for line in rows(offset="Z")]
    lines += rows(offset="Z")
    weather = read_csv(write(tmp_path, [HEADER, *lines]), horizon(), **PLACE)
    assert weather.frame["drybulb_degc"].iloc[0] == pytest.approx(25 + 16 / 10)  # 16:00 UTC


def test_naive_times_are_refused_with_line_and_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, [HEADER, *rows(offset="")])
    with pytest.raises(SeriesError, match=r"weather.csv:2:1: time: .* has no offset; write e.g."):
        read_csv(path, horizon(), **PLACE)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    lines = rows()
    lines[3] = lines[3].replace("100500", "1005")  # hPa
    lines[5] = lines[5].replace(",20,", ",,")  # a gap
    del lines[10]
    header = HEADER.replace("wind_m_per_s", "wind_m_s")
    with pytest.raises(SeriesError) as error:
        read_csv(write(tmp_path, [header, *lines]), horizon(), **PLACE)
    faults = {(fault.line, fault.key) for fault in error.value.faults}
    assert faults == {
        (1, "wind_m_per_s"),
        (5, "pressure_pa"),
        (7, "dewpoint_degc"),
        (12, "time"),
    }
    assert "120 min after the row before, not 60 min" in str(error.value)


def test_a_short_series_says_what_it_covers(tmp_path: Path) -> None:
    path = write(tmp_path, [HEADER, *rows()])
    with pytest.raises(SeriesError, match=r"covers 2023-07-03 .* to 2023-07-04 .* horizon"):
        read_csv(path, horizon(hours=48), **PLACE)


def test_swapped_humidity_columns_are_noticed(tmp_path: Path) -> None:
    header = HEADER.replace("drybulb_degc,dewpoint_degc", "dewpoint_degc,drybulb_degc")
    with pytest.raises(SeriesError, match="swapped"):
        read_csv(write(tmp_path, [header, *rows()]), horizon(), **PLACE)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SeriesError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", horizon(), **PLACE)


def test_a_horizon_may_start_between_the_rows(tmp_path: Path) -> None:
    start = datetime.fromisoformat("2023-07-03T06:20:00+08:00")
    end = datetime.fromisoformat("2023-07-03T18:20:00+08:00")
    odd = Horizon(start, end, 60, "Asia/Shanghai")
    frame = read_csv(write(tmp_path, [HEADER, *rows()]), odd, **PLACE).frame
    assert np.isfinite(frame.to_numpy()).all()
    assert frame["ghi_w_per_m2"].sum() > 2_000
