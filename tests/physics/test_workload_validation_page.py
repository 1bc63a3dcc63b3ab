"""docs/workload-validation.md says what its generator says today, failures included."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e[-+]\d+)?")


@pytest.fixture(scope="module")
def validate() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "validate_workload", DOCS / "validate_workload.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["validate_workload"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.real_data
def test_the_page_is_what_the_generator_writes(validate: ModuleType, real_data: Path) -> None:
    """Word for word, and figure for figure to their last digit but one, which hangs on the machine."""
    made = validate.page(validate.studies(real_data), validate.earth_of(real_data)).splitlines()
    written = (DOCS / "workload-validation.md").read_text(encoding="utf-8").splitlines()
    assert [NUMBER.sub("#", line) for line in written] == [NUMBER.sub("#", line) for line in made]
    for old, new in zip(written, made, strict=True):
        figures = [[float(n.replace(",", "")) for n in NUMBER.findall(line)] for line in (old, new)]
        assert figures[1] == pytest.approx(figures[0], rel=0.02, abs=1e-3), old


def test_the_chart_of_the_page_is_there_and_the_page_shows_it() -> None:
    png = (DOCS / "workload-validation.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 500_000
    assert "(workload-validation.png)" in (DOCS / "workload-validation.md").read_text()


def test_the_page_tells_of_every_failure() -> None:
    page = (DOCS / "workload-validation.md").read_text(encoding="utf-8")
    told = re.search(r"\*\*(\d+) of (\d+) pass, (\d+) fail\.\*\*", page)
    assert told is not None
    passed, total, failed = map(int, told.groups())
    assert page.count("| pass |") == passed
    assert page.count("| **FAIL** |") == failed
    assert passed + failed == total


def test_gpus_by_the_hour_of_three_jobs(validate: ModuleType) -> None:
    begin, end = np.array([0.0, 1_800.0, 90_000.0]), np.array([7_200.0, 3_600.0, 1e9])
    busy = validate.busy_by_hour(begin, end, np.array([2, 4, 8]), 2)
    assert busy[:3].tolist() == [4.0, 2.0, 0.0]  # 2 + 4 x half an hour
    assert busy[24:27].tolist() == [0.0, 8.0, 8.0]
    assert busy[-1] == 8.0


@given(
    st.lists(
        st.tuples(st.floats(0, 86_399), st.floats(0, 86_400), st.integers(1, 64)),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_gpu_time_by_the_hour_adds_up(
    validate: ModuleType, jobs: list[tuple[float, float, int]]
) -> None:
    begin, run, gpus = (np.array(column, float) for column in zip(*jobs, strict=True))
    busy = validate.busy_by_hour(begin, begin + run, gpus, 2)
    assert busy.sum() * 3_600 == pytest.approx((gpus * run).sum(), rel=1e-9, abs=1e-6)
    assert (busy > -1e-9).all()


def test_the_weekday_shape_counts_days_and_not_only_jobs(validate: ModuleType) -> None:
    # nine days from a Tuesday: two Tuesdays and two Wednesdays with a job a day are no peak
    at = np.arange(9) * 86_400.0
    jobs = validate.Jobs(at, np.ones(9), np.ones(9), validate.datetime(2020, 9, 1), 9)
    assert jobs.by_weekday.tolist() == [1.0] * 7
