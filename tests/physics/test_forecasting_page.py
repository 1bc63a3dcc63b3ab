"""docs/forecasting.md says what its script says today, losses to persistence included."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]\d+)?")


@pytest.fixture(scope="module")
def validate() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "validate_forecasts", DOCS / "validate_forecasts.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["validate_forecasts"] = module
    spec.loader.exec_module(module)
    return module


def figures(lines: list[str]) -> list[list[float]]:
    return [[float(n.replace(",", "")) for n in NUMBER.findall(line)] for line in lines]


@pytest.mark.real_data
def test_the_scores_of_the_page_are_those_of_the_script(
    validate: ModuleType, real_data: Path
) -> None:
    """Word for word, and figure for figure to their last digit but one, which hangs on the machine."""
    made = validate.page(
        validate.skills(real_data), validate.run_scores(real_data), {}
    ).splitlines()
    page = (DOCS / "forecasting.md").read_text(encoding="utf-8").splitlines()
    cut = next(row for row, line in enumerate(page) if line.startswith("### "))
    written, made = page[:cut], made[:cut]
    assert [NUMBER.sub("#", line) for line in written] == [NUMBER.sub("#", line) for line in made]
    for old, new in zip(figures(written), figures(made), strict=True):
        assert new == pytest.approx(old, rel=0.02, abs=0.02)


def test_a_walk_scores_the_later_half_against_both_persistences(validate: ModuleType) -> None:
    series = np.tile(np.arange(24.0), 20)
    rows = validate.walk(series, lambda *_: np.zeros(24))
    assert [row[0] for row in rows] == [1, 6, 24]
    for lead, held, day, learned, other in rows:
        assert day == 0.0
        assert learned == pytest.approx(series.mean(), rel=0.1)
        assert (held == 0.0) == (lead == 24)
        assert other is None


def test_the_page_shows_its_chart_and_tells_where_persistence_wins() -> None:
    png = (DOCS / "forecasting.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) < 500_000
    page = (DOCS / "forecasting.md").read_text(encoding="utf-8")
    assert "(forecasting.png)" in page
    assert "| -0." in page
