"""Moist air against psychrolib, CoolProp and Modelica Buildings."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc.plant.psychrometrics import (
    density_kg_per_m3,
    dewpoint_degc,
    enthalpy_kj_per_kg,
    humidity_ratio,
    saturation_pa,
    wetbulb_degc,
    wetbulb_from_humidity_degc,
)
from aidc.units import ZERO_DEGC_IN_K


@pytest.mark.parametrize(
    ("degc", "pa"),
    [
        (25.0, 3169.7),  # psychrolib:tests/test_psychrolib_si.py
        (-20.0, 103.26),  # computed with psychrolib 2.5
        (-5.0, 401.76),
        (5.0, 872.49),
        (50.0, 12349.9),
    ],
)
def test_saturation_pressure_is_that_of_psychrolib(degc: float, pa: float) -> None:
    assert saturation_pa(degc)[0] == pytest.approx(pa, rel=3e-4)


@pytest.mark.parametrize(
    ("drybulb", "humidity", "pressure", "wetbulb"),
    [
        (7.0, 0.61, 100_000.0, 3.92667),  # psychrolib:tests/test_psychrolib_si.py
        (35.0, 0.5, 101_325.0, 26.1414),  # computed with psychrolib 2.5
        (30.0, 0.8, 101_325.0, 27.0914),
        (-5.0, 0.7, 101_325.0, -6.3348),
    ],
)
def test_wet_bulb_is_that_of_psychrolib(
    drybulb: float, humidity: float, pressure: float, wetbulb: float
) -> None:
    got = wetbulb_from_humidity_degc(drybulb, humidity, pressure)
    assert got[0] == pytest.approx(wetbulb, abs=1e-3)


def test_humidity_ratio_and_dew_point_are_those_of_psychrolib() -> None:
    vapour = 0.5 * saturation_pa(25.0)
    assert humidity_ratio(vapour, 101_325.0)[0] == pytest.approx(0.00988104, rel=3e-4)
    assert dewpoint_degc(vapour)[0] == pytest.approx(13.8640, abs=2e-2)


def test_enthalpy_and_density_are_those_of_the_ashrae_handbook() -> None:
    # psychrolib:tests/test_psychrolib_si.py: 30 degC, W 0.02, 95,461 Pa
    assert enthalpy_kj_per_kg(30.0, 0.02)[0] == pytest.approx(81.316, rel=3e-4)
    assert density_kg_per_m3(30.0, 0.02, 95_461.0)[0] == pytest.approx(
        1.08411986348219 / 1.02, rel=3e-4
    )


def test_dew_point_inverts_saturation_over_water_and_over_ice() -> None:
    degc = np.concatenate([np.linspace(-40.0, 0.0, 81), np.linspace(0.02, 45.0, 90)])
    np.testing.assert_allclose(dewpoint_degc(saturation_pa(degc)), degc, atol=1e-8)


@pytest.mark.real_data
def test_moist_air_is_that_of_coolprop(reference: Path) -> None:
    rows = pd.read_csv(reference / "coolprop_humidair.csv")
    assert len(rows) == 45
    vapour = rows["RH"].to_numpy() * saturation_pa(rows["T_C"])
    ratio = humidity_ratio(vapour, rows["p_Pa"])
    np.testing.assert_allclose(ratio, rows["W"], rtol=6e-3)
    wetbulb = wetbulb_from_humidity_degc(rows["T_C"], rows["RH"], rows["p_Pa"])
    warm = rows["Twb_C"].to_numpy() > 0.5
    assert warm.sum() > 30
    np.testing.assert_allclose(wetbulb[warm], rows["Twb_C"][warm], atol=0.03)


@pytest.mark.real_data
def test_wet_bulb_is_that_of_modelica_buildings(reference: Path) -> None:
    name = "Buildings_Utilities_Psychrometrics_Examples_TWetBul_TDryBulPhi.txt"
    text = (reference / name).read_text(encoding="utf-8")
    found = re.search(r"^wetBulPhi\.TWetBul=\[([^\]]*)\]", text, re.MULTILINE)
    assert found is not None
    published = np.array([float(value) for value in found[1].split(",")]) - ZERO_DEGC_IN_K
    humidity = np.linspace(0.0, 1.0, len(published))
    got = wetbulb_from_humidity_degc(29.4, humidity, 101_325.0)
    some = humidity >= 0.01
    np.testing.assert_allclose(got[some], published[some], atol=0.02)


def test_wet_bulb_is_solved_to_a_millikelvin_anywhere_on_earth() -> None:
    drybulb, spread, pressure = (
        axis.ravel()
        for axis in np.meshgrid(
            np.linspace(-30.0, 50.0, 81), np.linspace(0.0, 40.0, 41), [60e3, 80e3, 101e3, 105e3]
        )
    )
    dewpoint = drybulb - spread
    wetbulb = wetbulb_degc(drybulb, dewpoint, pressure)
    # the energy balance of adiabatic saturation, solved for the humidity ratio
    at_wetbulb = humidity_ratio(saturation_pa(wetbulb), pressure)
    water = ((2501 - 2.326 * wetbulb) * at_wetbulb - 1.006 * (drybulb - wetbulb)) / (
        2501 + 1.86 * drybulb - 4.186 * wetbulb
    )
    ice = ((2830 - 0.24 * wetbulb) * at_wetbulb - 1.006 * (drybulb - wetbulb)) / (
        2830 + 1.86 * drybulb - 2.1 * wetbulb
    )
    ratio = humidity_ratio(saturation_pa(dewpoint), pressure)
    missed = np.where(wetbulb >= 0, water, ice) - ratio
    per_kelvin = 4e-4  # least slope of the balance: 1.006 / 2,501 kg/kg per kelvin
    away_from_freezing = np.abs(wetbulb) > 0.6
    assert np.abs(missed[away_from_freezing]).max() / per_kelvin < 1e-3
