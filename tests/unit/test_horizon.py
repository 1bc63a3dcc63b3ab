"""The time axis."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from aidc.errors import SeriesError
from aidc.horizon import Horizon

CHINA = timezone(timedelta(hours=8))
DAY = Horizon(
    datetime(2023, 7, 3, tzinfo=CHINA), datetime(2023, 7, 4, tzinfo=CHINA), 15, "Asia/Shanghai"
)


def frame(index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({"drybulb_degc": np.zeros(len(index))}, index=index)


def test_the_index_is_regular_and_in_the_zone_of_the_site() -> None:
    assert len(DAY.index) == 96
    assert str(DAY.index.tz) == "Asia/Shanghai"
    assert DAY.index[0] == pd.Timestamp("2023-07-03T00:00", tz="Asia/Shanghai")


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(SeriesError, match="need an offset"):
        Horizon(datetime(2023, 7, 3), datetime(2023, 7, 4), 15, "Asia/Shanghai")  # noqa: DTZ001


def test_a_horizon_that_is_no_whole_number_of_steps_is_refused() -> None:
    with pytest.raises(SeriesError, match="whole number"):
        Horizon(
            datetime(2023, 7, 3, tzinfo=UTC), datetime(2023, 7, 3, 0, 50, tzinfo=UTC), 15, "UTC"
        )


def test_a_naive_frame_is_refused() -> None:
    with pytest.raises(SeriesError, match="naive"):
        DAY.check(frame(DAY.index.tz_localize(None)), ["drybulb_degc"])


def test_a_shifted_frame_is_refused() -> None:
    with pytest.raises(SeriesError, match="first missing"):
        DAY.check(frame(DAY.index + pd.Timedelta(minutes=15)), ["drybulb_degc"])


def test_a_gap_and_a_missing_column_are_both_told() -> None:
    gappy = frame(DAY.index)
    gappy.iloc[3] = np.nan
    with pytest.raises(SeriesError) as caught:
        DAY.check(gappy, ["drybulb_degc", "wetbulb_degc"])
    assert len(caught.value.faults) == 2


def test_twelve_months_are_told_from_eleven() -> None:
    year = Horizon(
        datetime(2022, 1, 1, tzinfo=CHINA), datetime(2023, 1, 1, tzinfo=CHINA), 60, "Asia/Shanghai"
    )
    short = Horizon(
        datetime(2022, 1, 1, tzinfo=CHINA),
        datetime(2022, 12, 31, tzinfo=CHINA),
        60,
        "Asia/Shanghai",
    )
    assert year.full_years
    assert not short.full_years
