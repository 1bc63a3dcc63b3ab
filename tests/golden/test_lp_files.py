"""Each family of constraints, as HiGHS is given it, against a file that a person has read.

Where the model is meant to change: ``python -m tests.golden.write``, then read the difference.
"""

import pyomo.environ as pyo
import pytest

from aidc.optimization.solve import solve
from tests.golden.models import (
    CHILLER_FAMILIES,
    FAMILIES,
    FILES,
    SLOTS,
    TANK_FAMILIES,
    chiller_model,
    lp_text,
    tank_model,
    window_model,
)


@pytest.mark.parametrize("family", FILES)
def test_the_lp_text_is_that_of_the_golden_file(family: str) -> None:
    assert lp_text(family) == FILES[family].read_text(encoding="utf-8")


def test_every_family_of_the_model_has_a_golden_file() -> None:
    model = window_model()
    found = {item.local_name for item in model.component_objects(pyo.Constraint, active=True)}
    assert found == set(FAMILIES)
    with_tank = tank_model().component_objects(pyo.Constraint, active=True)
    assert {item.local_name for item in with_tank} - found == set(TANK_FAMILIES)
    counted = chiller_model().component_objects(pyo.Constraint, active=True)
    assert {item.local_name for item in counted} - found == set(CHILLER_FAMILIES)
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


def test_the_tank_of_the_golden_files_has_the_optimum_found_by_hand() -> None:
    """IT at 100 kW, warm: 120, 121 and 122 kW at 0.5, 1.0 and 0.25 CNY/kWh, 30 kW of PV in hour 1.

    A kWh of cold is 0.2 kWh.
    A kWh charged in either cheap hour costs 0.1 or 0.05 CNY and saves 0.14 CNY in the dear one, so both
    charge the most, 25 kW. The walls keep k = 0.9^(1/24) an hour, and the end may not lie below the 30 kWh
    of the start: ((30 k + 22.5) k - d / 0.8) k + 22.5 = 30, that is d = 24 k^2 + 18 k - 6 / k.
    """
    keeps = 0.9 ** (1 / 24)
    model = tank_model()
    for t in model.SLOT:
        model.it_kw[t].fix(100.0)
    found = solve(model, gap_frac=0.0, limit_s=10.0, what="golden")
    discharge_kw = 24 * keeps**2 + 18 * keeps - 6 / keeps
    by_hand = 0.5 * (120 + 5) + (121 - 30 - 0.2 * discharge_kw) + 0.25 * (122 + 5)
    assert found.objective == pytest.approx(by_hand, rel=1e-6)


def test_the_chillers_of_the_golden_files_have_the_optimum_found_by_hand() -> None:
    """IT at 100 kW: by the rule 130, 131 and 132 kW, with one machine 10 kW less, with two 124, 125, 152.

    Two that started an hour ago have an hour to go, so hour 0 has two of them; one is cheapest after it.
    """
    model = chiller_model()
    for t in model.SLOT:
        model.it_kw[t].fix(100.0)
    found = solve(model, gap_frac=0.0, limit_s=10.0, what="golden")
    running = [pyo.value(model.chillers_on[t]) for t in model.SLOT]
    assert running == pytest.approx([2.0, 1.0, 1.0])
    assert found.objective == pytest.approx(0.5 * 124 + (121 - 30) + 0.25 * 122, rel=1e-6)
