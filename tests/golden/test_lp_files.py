"""Each family of constraints, as HiGHS is given it, against a file that a person has read.

Where the model is meant to change: ``python -m tests.golden.write``, then read the difference.
"""

import pyomo.environ as pyo
import pytest

from aidc.optimization.solve import solve
from tests.golden.models import FAMILIES, FILES, SLOTS, lp_text, window_model


@pytest.mark.parametrize("family", FILES)
def test_the_lp_text_is_that_of_the_golden_file(family: str) -> None:
    assert lp_text(family) == FILES[family].read_text(encoding="utf-8")


def test_every_family_of_the_model_has_a_golden_file() -> None:
    model = window_model()
    found = {item.local_name for item in model.component_objects(pyo.Constraint, active=True)}
    assert found == set(FAMILIES)
    assert {path.stem for path in FILES["objective"].parent.glob("*.lp")} == set(FILES)


def test_the_window_of_the_golden_files_has_the_optimum_found_by_hand() -> None:
    """The demand charge rules, so the three imports are made equal to some P.

    The warm set-point is always the cheaper one: the site uses 1.2 kW for a kW of IT, plus 0, 1 and 2 kW.
    With a share a of the first class in slot 0, a share b of the second in slot 1 (b <= 1/4 by the nine
    boards), d kW out of the battery in slot 0 and 1.25 d / 0.9 kW into it in slot 1::

        P = 126 + 60 a - d = 157 + 24 b + 1.25 d / 0.9 = 212 - 60 a - 24 b,  b = 1/4

    so that d = 27 / 17.
    """
    model = window_model()
    found = solve(model, gap_frac=0.0, limit_s=10.0, what="golden")
    assert [pyo.value(model.choose[t, 1]) for t in range(SLOTS)] == [1.0, 1.0, 1.0]
    discharge_kw = 27 / 17
    peak_kw = 166 - discharge_kw / 2
    late = 1 - (206 - peak_kw) / 60
    by_hand = 1.75 * peak_kw + 40 * (peak_kw - 150) + 0.125 * discharge_kw + 3 * late
    assert found.objective == pytest.approx(by_hand, rel=1e-6)
    assert pyo.value(model.peak_kw[7]) == pytest.approx(peak_kw, rel=1e-6)
