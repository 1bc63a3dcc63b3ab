"""How a hall warms without cooling, against the differential equation and published slopes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from aidc.plant.hall import ThermalMass

# a rack: 9 m3 of air, 500 kg of steel at 0.5 kJ/kgK, 0.3 kW/K between them
RACK = ThermalMass(air_kj_per_k=9 * 1.19 * 1.006, mass_kj_per_k=250.0, ua_kw_per_k=0.3)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


@pytest.mark.parametrize(
    ("rack_kw", "k_per_min", "seconds_to_10_k"),
    [(5, 1.2, 33), (10, 2.3, 13), (20, 4.6, 6), (40, 9.2, 3)],
)
def test_slopes_and_times_are_those_of_the_published_form(
    rack_kw: float, k_per_min: float, seconds_to_10_k: float
) -> None:
    """Khankari, ASHRAE Trans. 117-1 (2011), with the racks above."""
    late = [RACK.warmed(one(0), one(0), one(rack_kw), one(t))[0][0] for t in (1800.0, 1860.0)]
    assert late[1] - late[0] == pytest.approx(k_per_min, abs=0.06)
    took = RACK.seconds_to(one(10.0), one(0), one(0), one(rack_kw))[0]
    assert took == pytest.approx(seconds_to_10_k, abs=0.6)


@given(st.floats(0, 40), st.floats(0, 10), st.floats(0, 10), st.floats(1, 3600))
def test_the_closed_form_is_the_equation(
    heat: float, air: float, mass: float, seconds: float
) -> None:
    def rates(_: float, k: list[float]) -> list[float]:
        flow = RACK.ua_kw_per_k * (k[0] - k[1])
        return [(heat - flow) / RACK.air_kj_per_k, flow / RACK.mass_kj_per_k]

    ode = solve_ivp(rates, (0, seconds), [air, mass], rtol=1e-9, atol=1e-9).y[:, -1]
    ours = RACK.warmed(one(air), one(mass), one(heat), one(seconds))
    assert np.concatenate(ours) == pytest.approx(ode, abs=1e-5)


@given(st.floats(0.1, 40), st.floats(0.1, 30))
def test_at_the_time_told_the_air_has_risen_by_that(heat: float, rise: float) -> None:
    took = RACK.seconds_to(one(rise), one(0), one(0), one(heat))
    assert RACK.warmed(one(0), one(0), one(heat), took)[0][0] == pytest.approx(rise, rel=1e-6)


@given(st.floats(0.1, 40), st.floats(0, 5), st.floats(0, 5), st.floats(1, 600), st.floats(1, 600))
def test_two_steps_are_one(
    heat: float, air: float, mass: float, first: float, second: float
) -> None:
    half = RACK.warmed(one(air), one(mass), one(heat), one(first))
    two = RACK.warmed(*half, one(heat), one(second))
    whole = RACK.warmed(one(air), one(mass), one(heat), one(first + second))
    assert np.concatenate(two) == pytest.approx(np.concatenate(whole), rel=1e-9, abs=1e-9)


def test_no_heat_never_warms() -> None:
    assert RACK.seconds_to(one(1.0), one(0), one(0), one(0.0))[0] == np.inf
