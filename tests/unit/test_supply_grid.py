"""Grid intensity: flat, synthetic, given."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import CatalogError, SeriesError
from aidc.horizon import Horizon
from aidc.supply import grid


def horizon(start: str, end: str, step_min: int = 60) -> Horizon:
    return Horizon(
        datetime.fromisoformat(f"{start}T00:00:00+08:00"),
        datetime.fromisoformat(f"{end}T00:00:00+08:00"),
        step_min,
        "Asia/Shanghai",
    )


@pytest.mark.parametrize("shape", ["demand", "solar-duck"])
@pytest.mark.parametrize("year", [2023, 2024])
def test_the_mean_of_a_synthetic_year_is_the_factor(shape: str, year: int) -> None:
    steps = horizon(f"{year}-01-01", f"{year + 1}-01-01", 30)
    made = grid.synthetic(0.5849, 0.3, shape, steps)
    assert made.kgco2e_per_kwh.mean() == pytest.approx(0.5849, rel=1e-12)
    assert made.synthetic
    assert "synthetic" in made.label


def test_the_amplitude_is_the_largest_departure() -> None:
    steps = horizon("2023-01-01", "2024-01-01")
    for shape in ("demand", "solar-duck"):
        made = grid.synthetic(1.0, 0.3, shape, steps).kgco2e_per_kwh
        assert 0.27 < np.abs(made - 1).max() < 0.33


def test_a_week_of_a_synthetic_year_is_cut_from_that_year() -> None:
    year, week = horizon("2023-01-01", "2024-01-01"), horizon("2023-07-03", "2023-07-10")
    whole, part = (grid.synthetic(0.58, 0.2, "demand", h).kgco2e_per_kwh for h in (year, week))
    first = year.index.get_loc(week.index[0])
    assert part == pytest.approx(whole[first : first + week.steps])


def test_the_duck_is_low_at_noon_and_high_in_the_evening() -> None:
    made = grid.synthetic(0.58, 0.3, "solar-duck", horizon("2023-05-02", "2023-05-03"))
    assert made.kgco2e_per_kwh.argmin() in (12, 13)
    assert made.kgco2e_per_kwh.argmax() in (20, 21)


def test_a_flat_intensity_is_not_synthetic() -> None:
    made = grid.flat(0.42, horizon("2023-05-02", "2023-05-03"))
    assert (made.kgco2e_per_kwh == 0.42).all()
    assert not made.synthetic


def test_an_unknown_shape_names_the_nearest() -> None:
    with pytest.raises(CatalogError, match="did you mean 'solar-duck'"):
        grid.synthetic(0.5, 0.1, "solarduck", horizon("2023-05-02", "2023-05-03"))


def test_an_amplitude_of_one_is_refused() -> None:
    with pytest.raises(SeriesError, match="amplitude"):
        grid.synthetic(0.5, 1.0, "demand", horizon("2023-05-02", "2023-05-03"))


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_an_hourly_series_holds_within_its_hour(tmp_path: Path) -> None:
    hours = [f"2023-05-02T{h:02d}:00:00+08:00,{0.4 + h / 100}" for h in range(24)]
    path = write(tmp_path / "grid.csv", ["time,kgco2e_per_kwh", *hours])
    made = grid.series(path, horizon("2023-05-02", "2023-05-03", 15))
    assert made.kgco2e_per_kwh.reshape(24, 4) == pytest.approx(
        np.repeat(0.4 + np.arange(24)[:, None] / 100, 4, axis=1)
    )
    assert not made.synthetic


def test_grams_are_refused_with_the_line(tmp_path: Path) -> None:
    hours = [f"2023-05-02T{h:02d}:00:00+08:00,{580}" for h in range(24)]
    path = write(tmp_path / "grid.csv", ["time,kgco2e_per_kwh", *hours])
    with pytest.raises(SeriesError, match=r"grid.csv:2: kgco2e_per_kwh: 580 .* check the unit"):
        grid.series(path, horizon("2023-05-02", "2023-05-03"))
