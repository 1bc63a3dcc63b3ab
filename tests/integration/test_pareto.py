"""Plans between the ends of several objectives, on one day of one room."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aidc
from aidc.api.front import _between, pareto
from aidc.errors import InputError
from aidc.reporting.pareto import not_dominated
from aidc.trace import Trace

WEEK = Path(__file__).parents[2] / "scenarios" / "lingang-week.yaml"


@pytest.fixture(scope="module")
def before() -> Trace:
    return aidc.simulate(
        aidc.load(
            WEEK,
            sets=["site.model=helios-hall", "end=2023-07-04T00:00:00+08:00", "step=60 min",
                  "workload.jobs_per_day=150", "pathway=null"],
        )
    )  # fmt: skip


def test_a_front_has_its_ends_keeps_the_jobs_undelayed_at_one_and_goes_on_where_it_stopped(
    before: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pareto(before, ("cost", "delay"), 3, folder=tmp_path)
    assert table["plan"].tolist() == [
        "baseline", "least cost", "least delay", "50% cost, 50% delay"
    ]  # fmt: skip
    by_plan = table.set_index("plan")
    room = 1 + by_plan["gap_frac"].max()
    assert by_plan.loc["least delay", "delay_gpu_h"] == 0.0
    assert by_plan.loc["least cost", "cost_cny"] <= by_plan["cost_cny"].min() * room
    assert by_plan.loc["least cost", "delay_gpu_h"] > 0.0
    assert (table["cost_cny"].iloc[1:] < table["cost_cny"].iloc[0]).all()
    assert (tmp_path / "pareto.png").read_bytes()[:4] == b"\x89PNG"
    monkeypatch.setattr("aidc.api.front.lived", None)  # nothing is planned a second time
    again = pareto(before, ("cost", "delay"), 3, folder=tmp_path)
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("axes", "points"), [(("cost",), 7), (("cost", "cost"), 7), (("cost", "pue"), 7), (("cost", "water"), 1)]
)  # fmt: skip
def test_axes_that_make_no_front_are_refused(
    before: Trace, axes: tuple[str, ...], points: int
) -> None:
    with pytest.raises(InputError):
        pareto(before, axes, points)


def test_shares_go_in_equal_steps_from_end_to_end() -> None:
    assert _between(2, 5) == [(0.25, 0.75), (0.5, 0.5), (0.75, 0.25)]
    shares = _between(3, 4)
    assert len(shares) == 7
    assert all(sum(share) == pytest.approx(1.0) and max(share) < 1.0 for share in shares)


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=12))
def test_a_plan_is_on_the_front_if_and_only_if_no_other_beats_it(
    rows: list[tuple[int, int, int]],
) -> None:
    kept = not_dominated(np.array(rows, float))
    for own, on_front in zip(rows, kept.tolist(), strict=True):
        beaten = any(
            other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in rows
        )
        assert on_front is not beaten
    assert kept.any()
