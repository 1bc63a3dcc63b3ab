"""Layouts and metered plants: what must be better, and what must be flagged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aidc
from aidc.api.drivers import drivers_of
from aidc.api.pv import layouts, metered_performance
from aidc.errors import InputError
from aidc.scenario import Scenario

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"


@pytest.fixture(scope="module")
def year() -> Scenario:
    return aidc.load(
        WEEK,
        sets=["start=2023-01-01T00:00:00+08:00", "end=2024-01-01T00:00:00+08:00", "step=60 min",
              "workload.jobs_per_day=10", "pathway=null", "site.pv_kwp=1000"],
    )  # fmt: skip


def test_south_beats_east_and_north_and_an_open_rack_beats_a_close_roof(
    year: Scenario,
) -> None:
    found = layouts(
        year, tilts_deg=[20.0], azimuths_deg=[180.0, 90.0, 0.0], mounts=["open-rack", "close-roof"]
    )["lingang"]
    energy = {(y.pv.azimuth_deg, y.pv.mount.name): y.energy_kwh for y in found}
    assert len(energy) == 6
    for mount in ("open-rack", "close-roof"):
        assert energy[180.0, mount] > energy[90.0, mount] > energy[0.0, mount]
    # a close roof mount costs a few percent of the open rack
    assert 0.92 < energy[180.0, "close-roof"] / energy[180.0, "open-rack"] < 0.99
    assert [y.energy_kwh for y in found] == sorted(energy.values(), reverse=True)


def test_the_best_tilt_of_shanghai_is_flat_but_not_level(year: Scenario) -> None:
    """Latitude 31, cloudy: published optimal tilts for Shanghai are 20 to 25 degrees."""
    found = layouts(
        year, tilts_deg=[0.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0], azimuths_deg=[180.0], mounts=[]
    )["lingang"]
    assert found[0].pv.tilt_deg in (10.0, 20.0, 30.0)
    assert found[-1].pv.tilt_deg == 90.0
    assert all(0.5 < one.performance_ratio < 0.95 for one in found)


def write(path: Path, scenario: Scenario, kw: np.ndarray) -> Path:
    times = [time.isoformat() for time in scenario.horizon("lingang").index]
    pd.DataFrame({"time": times, "pv_kw": kw}).to_csv(path, index=False)
    return path


def test_a_plant_that_loses_a_fifth_in_two_months_is_flagged_in_those(
    year: Scenario, tmp_path: Path
) -> None:
    frame = drivers_of(year).sites["lingang"].frame
    kw = frame["pv_kw"].to_numpy() * 0.97
    soiled = frame.index.month.isin([5, 6])
    kw = np.where(soiled, 0.8 * kw, kw)
    found = metered_performance(year, "lingang", write(tmp_path / "m.csv", year, kw), 0.10)
    assert found.loc[found["flagged"], "month"].tolist() == ["2023-05", "2023-06"]
    np.testing.assert_allclose(found["metered_kwh"].sum(), kw.sum(), rtol=1e-9)


def test_a_plant_as_expected_is_not_flagged(year: Scenario, tmp_path: Path) -> None:
    kw = drivers_of(year).sites["lingang"].frame["pv_kw"].to_numpy()
    found = metered_performance(year, "lingang", write(tmp_path / "m.csv", year, kw), 0.10)
    assert not found["flagged"].any()
    np.testing.assert_allclose(found["below_frac"], 0, atol=1e-9)


def test_a_meter_in_watts_is_refused(year: Scenario, tmp_path: Path) -> None:
    kw = drivers_of(year).sites["lingang"].frame["pv_kw"].to_numpy() * 1000
    with pytest.raises(InputError, match="pv_kw"):
        metered_performance(year, "lingang", write(tmp_path / "m.csv", year, kw), 0.10)
