"""Generated and read weather against the tables and stations they come from."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc import catalog
from aidc.errors import CatalogError
from aidc.horizon import Horizon
from aidc.supply.epw import read_epw
from aidc.supply.sun import light_until
from aidc.supply.typical import ClimateMonth, typical

SHANGHAI = {"latitude_deg": 31.2, "longitude_deg": 121.34}


def horizon(start: str, end: str, step_min: int = 60, zone: str = "Asia/Shanghai") -> Horizon:
    first, last = (datetime.fromisoformat(f"{day}T00:00:00+08:00") for day in (start, end))
    return Horizon(first, last, step_min, zone)


YEAR = horizon("2023-01-01", "2024-01-01")


def shanghai(seed: int, on: Horizon = YEAR) -> pd.DataFrame:
    return typical("shanghai", on, seed, **SHANGHAI, elevation_m=3.0).frame


@pytest.mark.parametrize(
    "climate", ["shanghai", "shenzhen", "guangzhou", "fuzhou", "jinan", "chongqing"]
)
def test_every_month_has_the_means_of_the_table(climate: str) -> None:
    rows = [m for m in catalog.table("climates", ClimateMonth).values() if m.city == climate]
    city = rows[0]
    frame = typical(
        climate,
        YEAR,
        3,
        latitude_deg=city.latitude_deg,
        longitude_deg=city.longitude_deg,
        elevation_m=city.elevation_m,
    ).frame
    mean = frame.groupby(frame.index.month).mean()
    for row in rows:
        month = mean.loc[row.month]
        assert month["drybulb_degc"] == pytest.approx(row.drybulb_mean_degc, abs=0.02)
        # saturated hours are cut off at the dry bulb
        assert row.dewpoint_mean_degc - 0.45 < month["dewpoint_degc"]
        assert month["dewpoint_degc"] < row.dewpoint_mean_degc + 0.02
        ghi_kwh_per_m2_day = month["ghi_w_per_m2"] * 24 / 1e3
        assert ghi_kwh_per_m2_day == pytest.approx(row.ghi_kwh_per_m2_day, rel=0.005)
        assert month["pressure_pa"] == pytest.approx(row.pressure_hpa * 100, rel=1e-3)
        assert month["wind_m_per_s"] == pytest.approx(row.wind_mean_m_per_s, rel=0.02)


def test_generated_summers_are_as_hot_as_measured_ones() -> None:
    # Shanghai 2010-2013 (UCI): 0.4 % dry bulb 36-39 degC, hours above 20 degC dew point included
    # below; lag and spread of the daily means as in models/climates.csv
    hot = [np.quantile(shanghai(seed)["drybulb_degc"], 0.996) for seed in range(8)]
    assert 35.5 < np.mean(hot) < 38.0
    assert np.std(hot) < 1.5


def test_daily_departures_have_the_spread_and_the_memory_of_the_table() -> None:
    rows = [m for m in catalog.table("climates", ClimateMonth).values() if m.city == "shanghai"]
    daily = np.array(
        [
            shanghai(seed)["drybulb_degc"].to_numpy().reshape(365, 24).mean(axis=1)
            for seed in range(25)
        ]
    )
    departure = daily - daily.mean(axis=0)
    spread = float(np.sqrt((departure**2).mean()))
    assert spread == pytest.approx(
        np.sqrt(np.mean([m.drybulb_daily_sd_k**2 for m in rows])), rel=0.15
    )
    memory = (departure[:, 1:] * departure[:, :-1]).mean() / spread**2
    assert memory == pytest.approx(np.mean([m.drybulb_lag1 for m in rows]), abs=0.12)


def test_the_same_seed_is_the_same_weather_and_another_is_not() -> None:
    assert shanghai(7).equals(shanghai(7))
    assert not np.allclose(shanghai(7)["drybulb_degc"], shanghai(8)["drybulb_degc"])
    # guards against a change of the draws: every stored result would change with them
    dry = shanghai(7)["drybulb_degc"]
    assert dry.loc["2023-07-12"].mean() == pytest.approx(28.51588856, abs=1e-6)


def test_a_week_is_cut_from_its_year() -> None:
    week = horizon("2023-07-03", "2023-07-10")
    pd.testing.assert_frame_equal(
        shanghai(7, week), shanghai(7).loc["2023-07-03":"2023-07-09"], check_freq=False, rtol=1e-9
    )


def test_one_year_is_like_the_next_and_a_leap_day_is_noted() -> None:
    both = typical("shanghai", horizon("2023-01-01", "2025-01-01"), 7, **SHANGHAI, elevation_m=3.0)
    dry = both.frame["drybulb_degc"]
    assert len(dry) == 8_760 + 8_784
    assert dry.loc["2024-03-01":].to_numpy() == pytest.approx(
        dry.loc["2023-03-01":"2023-12-31"].to_numpy()
    )
    assert both.synthetic
    assert (
        len([note for note in both.notes if "2023 to 2024" in note or "29 February" in note]) == 2
    )


def test_pressure_falls_with_elevation_and_distance_is_noted() -> None:
    high = typical("shanghai", YEAR, 7, latitude_deg=30.1, longitude_deg=119.0, elevation_m=1_000.0)
    # International Standard Atmosphere: 898.75 hPa at 1,000 m, 1,013.25 hPa at sea level
    ratio = high.frame["pressure_pa"] / shanghai(7)["pressure_pa"]
    assert ratio.to_numpy() == pytest.approx(898.75 / 1013.25, rel=1e-3)
    assert any("km from the site" in note for note in high.notes)


def test_an_unknown_climate_names_the_nearest() -> None:
    with pytest.raises(CatalogError, match="did you mean 'shanghai'"):
        typical("shangai", YEAR, 1, **SHANGHAI, elevation_m=3.0)


def test_irradiance_closes_in_every_hour() -> None:
    frame = shanghai(5)
    edges = YEAR.start.timestamp() / 3600 + np.arange(8_761)
    cosine = np.diff(light_until(edges, **SHANGHAI)[0])
    beam = frame["dni_w_per_m2"] * cosine
    miss = frame["ghi_w_per_m2"] - frame["dhi_w_per_m2"] - beam
    assert np.sqrt((miss**2).mean()) < 4.0  # W/m2; the mean cosine of an hour is not its middle's
    assert frame["ghi_w_per_m2"].max() < 1_361


def test_light_of_a_day_is_that_of_the_solar_position_algorithm() -> None:
    from pvlib.solarposition import get_solarposition

    for latitude in (-33.0, 0.0, 31.2, 55.0):
        minutes = pd.date_range("2023-05-20", periods=1_440, freq="min", tz="UTC")
        zenith = get_solarposition(minutes + pd.Timedelta(seconds=30), latitude, 121.34)["zenith"]
        hourly = np.maximum(np.cos(np.radians(zenith.to_numpy())), 0).reshape(24, 60).mean(axis=1)
        start = minutes[0].timestamp() / 3600
        ours = np.diff(light_until(start + np.arange(25.0), latitude, 121.34)[0])
        # stated errors of Spencer (1971): 0.0006 rad in declination, 0.0025 rad in hour angle
        assert ours == pytest.approx(hourly, abs=0.0031)


def test_polar_night_has_no_light_and_polar_day_no_end() -> None:
    start = pd.Timestamp("2023-12-21", tz="UTC").timestamp() / 3600
    plane, beam = light_until(start + np.arange(25.0), 80.0, 15.0)
    assert np.ptp(plane) == 0
    assert np.ptp(beam) == 0
    summer = pd.Timestamp("2023-06-21", tz="UTC").timestamp() / 3600
    _, beam = light_until(summer + np.arange(25.0), 80.0, 15.0)
    assert beam[-1] - beam[0] == pytest.approx(24.0, abs=0.02)


@pytest.mark.real_data
def test_the_shanghai_typical_year_comes_through(real_data: Path) -> None:
    file = real_data / "weather" / "CHN_SH_Shanghai-Hongqiao_TMYx_1956_2023.epw"
    weather = read_epw(file, YEAR, **SHANGHAI)
    frame = weather.frame
    rows = [line.split(",") for line in file.read_text().splitlines()[8:]]
    given = np.array([[row[6], row[7], row[13]] for row in rows], np.float64)
    assert frame["drybulb_degc"].to_numpy() == pytest.approx(given[:, 0])
    assert frame["dewpoint_degc"].to_numpy() == pytest.approx(given[:, 1])
    assert frame["drybulb_degc"].mean() == pytest.approx(17.0, abs=0.05)
    assert frame["ghi_w_per_m2"].sum() / 1e3 == pytest.approx(1_471, rel=1e-3)
    notes = " ".join(weather.notes)
    assert "centred on its hours" in notes
    assert "fill value" in notes
    assert "relative humidity is not read" in notes


@pytest.mark.real_data
def test_shifting_the_irradiance_halves_the_closure_error(real_data: Path) -> None:
    file = real_data / "weather" / "CHN_SH_Shanghai-Hongqiao_TMYx_1956_2023.epw"
    note = next(n for n in read_epw(file, YEAR, **SHANGHAI).notes if "closure" in n)
    centred, later = (int(word) for word in note.split() if word.isdigit())
    assert centred <= 13
    assert later >= 2 * centred
