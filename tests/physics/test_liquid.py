"""Warm-water cooling: hours without a compressor, conservation, and what outdoor air may never do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc import catalog
from aidc.equipment import DryCooler
from aidc.plant import liquid
from aidc.plant.facility import Outdoor, facility
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import LiquidLoop, Site


def site() -> Site:
    return Site.model_validate(
        catalog.document("sites", "reference-liquid").data, context=catalog.TABLES
    )


def loop(water_degc: float, *, dry: bool) -> LiquidLoop:
    made = site().liquid
    assert made is not None
    cooler = catalog.row("dry_coolers", DryCooler, "dry-cooler") if dry else None
    return made.model_copy(
        update={
            "facility_water_degc": water_degc,
            "dry_cooler": cooler,
            "tower": None if dry else made.tower,
        }
    )


def run(made: LiquidLoop, heat: np.ndarray, dry: np.ndarray, wet: np.ndarray) -> liquid.Liquid:
    return liquid.cool(made, heat, 1000.0, dry, wet, np.ones(len(heat), bool))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("water", "dry", "hours"),
    [(32, False, 7572), (40, False, 8760), (32, True, 5554), (40, True, 7998), (45, True, 8662)],
)
def test_hours_without_a_compressor_are_of_the_published_order(
    real_data: Path, water: float, dry: bool, hours: int
) -> None:
    """Water to the cold plates at 32 to 45 degC, a CDU approach below it, full load, Shanghai typical year."""
    rows = pd.read_csv(
        real_data / "weather" / "CHN_SH_Shanghai-Hongqiao_TMYx_1956_2023.epw",
        skiprows=8, header=None, usecols=[6, 7, 9],
    )  # fmt: skip
    air = wetbulb_degc(*(rows[c].to_numpy(float) for c in (6, 7, 9)))
    full = np.full(len(rows), 1000.0)
    done = run(loop(water - 3, dry=dry), full, rows[6].to_numpy(float), air)
    free = int((~done.compressor_runs).sum())
    assert abs(free - hours) < 90  # hours of the year


@given(
    st.floats(0, 1000), st.floats(-10, 45), st.floats(0, 20), st.sampled_from([20.0, 32.0, 45.0]),
    st.booleans(),
)  # fmt: skip
def test_heat_is_conserved_and_nothing_is_negative(
    heat: float, dry: float, depression: float, water: float, is_dry: bool
) -> None:
    done = run(loop(water, dry=is_dry), *(np.array([x]) for x in (heat, dry, dry - depression)))
    assert done.removed_kw + done.unmet_kw == pytest.approx(heat * 1.015, rel=1e-9, abs=1e-9)
    for name in ("removed_kw", "unmet_kw", "pump_kw", "fan_kw", "chiller_kw", "evaporated_l_per_h"):
        assert getattr(done, name)[0] >= 0


@given(st.floats(0, 1000), st.floats(0, 35), st.floats(0, 10))
def test_a_higher_wet_bulb_never_lowers_the_power(heat: float, wet: float, more: float) -> None:
    made, dry = loop(32, dry=False), np.array([46.0, 46.0])
    done = run(made, np.full(2, heat), dry, np.array([wet, wet + more]))
    total = done.fan_kw + done.chiller_kw
    assert total[1] >= total[0] - 1e-9


def test_without_water_a_tower_rejects_nothing_and_a_dry_cooler_all() -> None:
    heat, dry, wet = np.array([500.0]), np.array([20.0]), np.array([15.0])
    none = np.zeros(1, bool)
    tower = liquid.cool(loop(32, dry=False), heat, 1000.0, dry, wet, none)
    cooler = liquid.cool(loop(32, dry=True), heat, 1000.0, dry, wet, none)
    assert tower.unmet_kw[0] == pytest.approx(507.5)
    assert cooler.unmet_kw[0] == 0


def test_a_liquid_site_needs_far_less_cooling_than_the_same_servers_on_air() -> None:
    def cooling_kwh(made: Site) -> float:
        n = 200
        dry = np.linspace(-2, 36, n)
        dew, pressure = dry - 6, np.full(n, 101_325.0)
        outdoor = Outdoor(dry, wetbulb_degc(dry, dew, pressure), dew, pressure)
        done = facility(
            made, np.full((1, n), 5_000.0), outdoor, np.full(n, 24.0), spray=np.full(n, -1, np.int8),
            policy="lowest_power", tariff_cny_per_kwh=np.ones(n), water_cny_per_m3=5.0,
        )  # fmt: skip
        assert done.unmet_cooling_kw.max() == 0
        return float(done.cooling_kw.sum())

    pools = tuple(pool.model_copy(update={"liquid_cooled": False}) for pool in site().pools)
    on_air = site().model_copy(update={"pools": pools, "liquid": None})
    assert cooling_kwh(site()) < 0.8 * cooling_kwh(on_air)
