"""Optimal chiller loading: the benchmark cases of the literature, and the laws of an optimum."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InfeasibleError
from aidc.plant.loading import CubicMachine, Loading, optimal_loading
from tests.chiller_cases import CASES, KW_PER_RT


@pytest.mark.parametrize(
    ("case", "load_rt", "published_kw"),
    [
        (case, load_rt, power_kw)
        for case, (_, optima) in CASES.items()
        for load_rt, power_kw in optima.items()
    ],
)
def test_the_published_optimum_is_found(case: str, load_rt: float, published_kw: float) -> None:
    machines, _ = CASES[case]
    found = optimal_loading(machines, load_rt * KW_PER_RT)
    assert found.power_kw == pytest.approx(published_kw, abs=0.01)
    assert found.heat_kw.sum() == pytest.approx(load_rt * KW_PER_RT, rel=1e-8)
    check_runnable(machines, found)


def check_runnable(machines: tuple[CubicMachine, ...], found: Loading) -> None:
    size = np.array([machine.capacity_kw for machine in machines])
    least = np.array([machine.plr_min_frac for machine in machines])
    on = found.heat_kw > 0
    assert (found.heat_kw <= size * (1 + 1e-9)).all()
    assert (found.heat_kw[on] >= (size * least)[on] * (1 - 1e-9)).all()
    power = sum(
        float(machine.at(np.array([heat / machine.capacity_kw]))[0])
        for machine, heat in zip(machines, found.heat_kw, strict=True)
        if heat > 0
    )
    assert found.power_kw == pytest.approx(power, rel=1e-9)


def by_grid(machines: tuple[CubicMachine, ...], heat_kw: float, steps: int) -> float:
    """Least power over all loads that are multiples of a step of the heat; never below the optimum."""
    step = heat_kw / steps
    best = np.full(steps + 1, np.inf)
    best[0] = 0.0
    for machine in machines:
        low = int(np.ceil(machine.capacity_kw * machine.plr_min_frac / step - 1e-9))
        high = min(int(np.floor(machine.capacity_kw / step + 1e-9)), steps)
        taken = np.arange(low, high + 1)
        power = machine.at(taken * step / machine.capacity_kw)
        after = best.copy()
        for size, kw in zip(taken.tolist(), power.tolist(), strict=True):
            after[size:] = np.minimum(after[size:], best[: steps + 1 - size] + kw)
        best = after
    return float(best[steps])


COEFFICIENT = st.floats(-800, 800, allow_subnormal=False).map(lambda x: round(x, 1))
MACHINES = st.lists(
    st.builds(
        lambda size, least, a, b, c, d: CubicMachine(size, least, (a, b, c, d)),
        st.sampled_from([400.0, 900.0, 1_000.0]),
        st.sampled_from([0.2, 0.3]),
        st.floats(10, 200).map(lambda x: round(x, 1)),
        COEFFICIENT,
        COEFFICIENT,
        COEFFICIENT,
    ),
    min_size=1,
    max_size=3,
).map(tuple)


@settings(max_examples=40, deadline=None)
@given(MACHINES, st.floats(0.3, 0.98))
def test_no_grid_of_loads_is_better_and_a_fine_one_is_as_good(
    machines: tuple[CubicMachine, ...], share: float
) -> None:
    heat_kw = round(share * sum(machine.capacity_kw for machine in machines), -1)
    try:
        found = optimal_loading(machines, heat_kw)
    except InfeasibleError:
        assert by_grid(machines, heat_kw, 1_000) == np.inf
        return
    check_runnable(machines, found)
    assert found.power_kw <= by_grid(machines, heat_kw, 1_000) + 1e-6
    # limits and heat are on a grid of 1 kW, so what is off it is flat: half a step times the curvature
    assert found.power_kw >= by_grid(machines, heat_kw, round(heat_kw)) - 0.05


def test_machines_off_their_limits_have_one_marginal_power() -> None:
    machines, _ = CASES["450/450/1000/1000 RT"]
    found = optimal_loading(machines, 2_320 * KW_PER_RT)
    part = found.heat_kw / np.array([machine.capacity_kw for machine in machines])
    free = [
        float(machine.marginal(plr))
        for machine, plr in zip(machines, part, strict=True)
        if machine.plr_min_frac + 1e-6 < plr < 1 - 1e-6
    ]
    assert len(free) >= 2
    assert max(free) - min(free) < 1e-4


def test_alike_machines_with_a_convex_curve_share_equally() -> None:
    """So a plant of one model need only choose how many run."""
    machine = CubicMachine(1_000.0, 0.2, (40.0, 60.0, 80.0, 20.0))
    for heat_kw in (700.0, 1_500.0, 2_600.0):
        found = optimal_loading((machine,) * 4, heat_kw)
        equal = min(
            count * float(machine.at(np.array([heat_kw / count / 1_000.0]))[0])
            for count in range(1, 5)
            if 0.2 <= heat_kw / count / 1_000.0 <= 1.0
        )
        assert found.power_kw == pytest.approx(equal, rel=1e-9)


def test_a_heat_that_no_set_of_machines_carries_is_told() -> None:
    machine = CubicMachine(1_000.0, 0.5, (40.0, 60.0, 80.0, 20.0))
    for heat_kw in (300.0, 2_100.0):
        with pytest.raises(InfeasibleError, match=f"exactly {heat_kw:g} kW"):
            optimal_loading((machine,) * 2, heat_kw)
    assert optimal_loading((machine,) * 2, 0.0).power_kw == 0.0


def test_every_course_of_on_and_off_is_in_the_search() -> None:
    """Held on by force, no set of machines of the first case does better."""
    machines, optima = CASES["3 x 800 RT"]
    for load_rt, power_kw in optima.items():
        for count in (1, 2, 3):
            for chosen in itertools.combinations(machines, count):
                if sum(machine.capacity_kw for machine in chosen) < load_rt * KW_PER_RT:
                    continue
                assert by_grid(chosen, load_rt * KW_PER_RT, int(load_rt)) >= power_kw - 0.01
