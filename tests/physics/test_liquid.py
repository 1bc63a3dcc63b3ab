"""Warm-water cooling: hours without a compressor, conservation, and what outdoor air may never do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc import catalog
from aidc.equipment import DryCooler
from aidc.plant import liquid, metrics
from aidc.plant.facility import Outdoor, facility
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.site import HeatReuse, LiquidLoop, Site


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


@given(st.floats(0, 1200), st.floats(1, 1500), st.floats(-10, 40), st.booleans())
def test_heat_that_a_user_takes_is_not_rejected_and_none_is_lost(
    heat: float, demand: float, drybulb: float, dry: bool
) -> None:
    alone = loop(40, dry=dry)
    user = HeatReuse(demand_kw=demand, needed_degc=42, approach_k=3, source="for this test")
    shared = alone.model_copy(update={"reuse": user})
    air = np.array([drybulb]), np.array([drybulb - 4])
    before, after = (run(made, np.array([heat]), *air) for made in (alone, shared))
    given = heat * (1 + alone.pump_frac)
    np.testing.assert_allclose(after.removed_kw + after.unmet_kw, given, rtol=1e-12)
    np.testing.assert_allclose(after.reused_kw, min(given, demand), rtol=1e-12)
    assert after.fan_kw <= before.fan_kw
    assert after.evaporated_l_per_h <= before.evaporated_l_per_h + 1e-12
    assert after.unmet_kw <= before.unmet_kw + 1e-9


def test_water_too_cold_for_its_user_is_refused() -> None:
    made = loop(32, dry=False).model_dump(by_alias=True)
    made["reuse"] = {
        "demand_kw": 500,
        "needed_degc": 60,
        "approach_k": 3,
        "source": "for this test",
    }
    with pytest.raises(ValueError, match="water returns at 40 degC"):
        LiquidLoop.model_validate(made, context=catalog.TABLES)


def test_a_site_that_gives_heat_away_has_an_energy_reuse_factor() -> None:
    made = site()
    user = HeatReuse(demand_kw=2000, needed_degc=35, approach_k=3, source="for this test")
    assert made.liquid is not None
    shared = made.model_copy(update={"liquid": made.liquid.model_copy(update={"reuse": user})})
    n = 3
    done = facility(
        shared, np.full((len(made.pools), n), 0.5 * made.rated_it_kw / len(made.pools)),
        Outdoor(np.full(n, 20.0), np.full(n, 15.0), np.full(n, 12.0), np.full(n, 101_325.0)),
        np.full(n, 24.0), spray=np.full(n, -1, np.int8), policy="lowest_power",
        tariff_cny_per_kwh=np.full(n, 0.7), water_cny_per_m3=5.0,
    )  # fmt: skip
    np.testing.assert_allclose(done.heat_reused_kw, 2000)
    assert metrics.erf(done.heat_reused_kw.sum(), done.facility_kw.sum()) == pytest.approx(
        2000 / done.facility_kw[0]
    )
