"""Scaling efficiency against the two figures that the company published."""

import numpy as np
import pytest

from aidc import catalog
from aidc.errors import SeriesError
from aidc.workload.scaling import GangScaling, scaling_efficiency

ROW = catalog.table("gang_scaling", GangScaling)["sensetime"]


def test_a_thousand_boards_keep_the_efficiency_of_the_prospectus() -> None:
    # SenseTime prospectus 2021, business chapter: 91.5 % parallel efficiency on 1,024 GPUs
    assert scaling_efficiency(1_024, ROW) == pytest.approx(0.915, abs=5e-4)


def test_ten_thousand_boards_miss_the_figure_of_2023_by_one_point() -> None:
    # SenseTime annual results announcement 2023: 90 % acceleration efficiency, up to 10,000 GPUs
    efficiency = float(scaling_efficiency(10_000, ROW))
    assert efficiency == pytest.approx(0.889, abs=5e-4)
    assert efficiency == pytest.approx(0.90, abs=0.012)


def test_one_board_loses_nothing_and_a_larger_gang_more_but_is_faster() -> None:
    boards = np.arange(1, ROW.gpu_count_max + 1)
    efficiency = scaling_efficiency(boards, ROW)
    assert efficiency[0] == 1
    assert (np.diff(efficiency) < 0).all()
    assert (np.diff(boards * efficiency) > 0).all()


@pytest.mark.parametrize("boards", [0, 10_001, float("nan")])
def test_sizes_that_nobody_measured_are_refused(boards: float) -> None:
    with pytest.raises(SeriesError, match="known from 1 to 10000 boards, not for"):
        scaling_efficiency([1, boards], ROW)
