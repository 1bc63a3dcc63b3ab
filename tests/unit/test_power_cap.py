"""Power caps against the runs on V100 that the table comes from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from aidc import catalog
from aidc.equipment import Gpu
from aidc.errors import SeriesError
from aidc.workload.power_cap import (
    PowerCap,
    capped_draw_frac,
    draw_frac,
    phi_of_draw_frac,
    throughput_frac,
)

CAPS = catalog.table("power_caps", PowerCap)
GPUS = catalog.table("gpus", Gpu)
V100 = CAPS["v100-pcie"]
LIMIT_W = 250  # of the board in the zeus runs


@pytest.fixture(scope="module")
def runs(real_data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Throughput over that without a cap, and mean draw over the limit: a row a configuration."""
    rows = pd.read_csv(real_data / "equipment" / "zeus_power_limit_throughput.csv.gz")
    key = ["dataset", "network", "batch_size", "optimizer"]
    seconds = rows.pivot_table(index=key, columns="power_limit", values="time_per_epoch")
    watts = rows.pivot_table(index=key, columns="power_limit", values="average_power")
    return seconds.rdiv(seconds[LIMIT_W], axis=0), watts / LIMIT_W


@pytest.mark.real_data
def test_the_v100_row_is_the_mean_of_the_heavy_runs(
    runs: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    speed, drawn = runs
    heavy = drawn[LIMIT_W] > 0.8
    energy = (drawn / speed).div(drawn[LIMIT_W], axis=0)
    assert heavy.sum() == 21
    assert speed.columns.to_numpy() / LIMIT_W == pytest.approx(V100.cap_frac)
    assert speed[heavy].mean().to_numpy() == pytest.approx(V100.throughput_frac, abs=0.01)
    assert energy[heavy].mean().to_numpy() == pytest.approx(V100.energy_ratio, abs=0.01)
    spread = speed[heavy].std()
    assert spread[spread.index >= 0.6 * LIMIT_W].max() <= 0.05
    assert spread.max() <= 0.09


@pytest.mark.real_data
def test_speed_of_all_runs_is_met_to_the_error_the_page_states(
    runs: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    speed, drawn = runs
    own = drawn[LIMIT_W].to_numpy()[:, None]
    error = throughput_frac(V100.cap_frac, own, V100) - speed.to_numpy()
    heavy = own[:, 0] > 0.8
    assert np.sqrt(np.mean(error[heavy] ** 2)) < 0.05
    assert np.sqrt(np.mean(error[~heavy] ** 2)) < 0.06
    assert np.abs(error[heavy].mean(axis=0)).max() < 0.03
    from_half = error[:, np.array(V100.cap_frac) >= 0.5]
    assert np.abs(from_half[~heavy].mean(axis=0)).max() < 0.04


@pytest.mark.real_data
def test_light_runs_lose_nothing_at_any_cap(runs: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    speed, drawn = runs
    light = speed.index.get_level_values("network") == "ncf"
    assert light.sum() == 13
    assert speed[light].to_numpy().mean() == pytest.approx(1.0, abs=0.02)
    own = drawn[LIMIT_W].to_numpy()[light][:, None]
    assert own.max() < 0.2
    assert (throughput_frac(V100.cap_frac, own, V100) == 1.0).all()


@pytest.mark.real_data
def test_power_under_a_cap_is_at_or_above_the_metered(
    runs: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    _, drawn = runs
    own = drawn[LIMIT_W].to_numpy()[:, None]
    over = capped_draw_frac(V100.cap_frac, own, V100) - drawn.to_numpy()
    assert over.min() > -0.025  # scatter of the lightest runs
    assert (over.mean(axis=0) < 0.06).all()


def test_the_lines_through_the_points_are_the_table_at_its_points() -> None:
    assert throughput_frac(V100.cap_frac, 1.0, V100) == pytest.approx(V100.throughput_frac)
    assert throughput_frac(0.55, 1.0, V100) == pytest.approx((0.723 + 0.845) / 2)


def test_least_energy_is_near_half_the_limit() -> None:
    assert V100.least_energy_frac == 0.5
    assert V100.energy_ratio[0] > V100.energy_ratio[1]  # below, time is lost for nothing


@pytest.mark.parametrize("name", sorted(GPUS))
def test_every_board_of_the_catalog_has_a_row_above_its_idle_power(name: str) -> None:
    gpu, board = GPUS[name], CAPS[name]
    assert gpu.idle_w / gpu.max_w < board.floor_frac
    assert board.source.startswith("assumed: ")
    assert board.floor_frac >= 0.5


def test_a_capped_job_s_phi_gives_back_its_power() -> None:
    gpu = GPUS["a100-sxm"]
    phi = np.array([0.1, 0.425, 0.85, 1.0])
    drawn = draw_frac(gpu, phi)
    assert drawn * gpu.max_w == pytest.approx([96.7, 206.225, 349.45, 400.0])
    capped = phi_of_draw_frac(gpu, capped_draw_frac(0.6, drawn, CAPS["a100-sxm"]))
    assert capped[:2] == pytest.approx(phi[:2])
    assert gpu.idle_w + capped[2:] * (gpu.max_w - gpu.idle_w) == pytest.approx([240.0, 240.0])


@pytest.mark.parametrize(
    ("cap", "drawn", "told"),
    [
        (0.39, 1.0, "cap_frac of 'v100-pcie': must be from 0.4 to 1 .* not 0.39"),
        (1.01, 1.0, "cap_frac"),
        (float("nan"), 1.0, "cap_frac"),
        (0.5, 1.2, "drawn_frac .* not 1.2"),
        (0.5, -0.1, "drawn_frac"),
    ],
)
def test_nothing_is_extrapolated(cap: float, drawn: float, told: str) -> None:
    for function in (throughput_frac, capped_draw_frac):
        with pytest.raises(SeriesError, match=told):
            function(cap, drawn, V100)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"throughput_frac": (0.5, 0.6, 1.0)}, "concave"),
        ({"throughput_frac": (0.5, 0.5, 1.0)}, "must rise"),
        ({"throughput_frac": (0.5, 1.0)}, "one length"),
        ({"energy_ratio": (0.8, 0.8, 0.9)}, "end at 1"),
        ({"cap_frac": (0.0, 0.7, 1.0)}, "above 0"),
    ],
)
def test_a_row_that_no_board_can_have_is_refused(
    change: dict[str, tuple[float, ...]], told: str
) -> None:
    row = {
        "name": "a board", "cap_frac": (0.4, 0.7, 1.0), "throughput_frac": (0.5, 0.9, 1.0),
        "energy_ratio": (0.8, 0.8, 1.0), "source": "a test",
    }  # fmt: skip
    PowerCap.model_validate(row)
    with pytest.raises(ValidationError, match=told):
        PowerCap.model_validate(row | change)
