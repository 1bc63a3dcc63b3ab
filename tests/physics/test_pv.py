"""PV against NREL PVWatts, and the laws it keeps at night and at the inverter."""

import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aidc import catalog
from aidc.equipment import PvModule, PvMount
from aidc.horizon import Horizon
from aidc.site import Pv, Site
from aidc.supply import sun
from aidc.supply.pv import cell_degc, plane_of_array, pv_kw
from aidc.supply.typical import typical

# pvlib.temperature: faiman defaults; TEMPERATURE_MODEL_PARAMETERS close_mount_glass_glass
OPEN = PvMount(
    name="open", source="Faiman 2008", model="faiman", u0_w_per_m2_k=25.0, u1_w_s_per_m3_k=6.84
)
ROOF = PvMount(
    name="roof", source="King 2004", model="sapm", sapm_a=-2.98, sapm_b=-0.0471, sapm_delta_t_k=1.0
)
SHANGHAI = {"latitude_deg": 31.2, "longitude_deg": 121.34, "elevation_m": 3.0}


def module(**changes: float) -> PvModule:
    return catalog.row("pv_modules", PvModule, "mono-perc").model_copy(update=changes)


def site(
    mount: PvMount = OPEN,
    *,
    of: PvModule | None = None,
    place: dict[str, float] = SHANGHAI,
    pv_kwp: float = 1_000.0,
    **changes: float,
) -> Site:
    given = {
        "tilt_deg": 20.0,
        "azimuth_deg": 180.0,
        "soiling_frac": 0.0,
        "derate_frac": 1.0,
        "age_years": 0.0,
    }
    pv = Pv(module=of or module(), mount=mount, source="this test", **(given | changes))
    return Site.model_construct(name="test", pv_kwp=pv_kwp, pv=pv, **place)


@pytest.fixture(scope="module")
def year() -> Horizon:
    return Horizon(
        datetime.fromisoformat("2023-01-01T00:00+08:00"),
        datetime.fromisoformat("2024-01-01T00:00+08:00"),
        15,
        "Asia/Shanghai",
    )


@pytest.fixture(scope="module")
def weather(year: Horizon) -> pd.DataFrame:
    return typical("shanghai", year, 7, **SHANGHAI).frame


def yield_kwh_per_kwp(of: Site, weather: pd.DataFrame, year: Horizon) -> float:
    return float(pv_kw(of, weather, year).sum() * year.step_h / of.pv_kwp)


@pytest.mark.real_data
def test_pvwatts_of_golden_is_reproduced(reference: Path) -> None:
    with (reference / "pvwatts_8760_rackmount.csv").open() as opened:
        rows = [row for row in csv.reader(opened) if row[0].isdigit() and len(row) >= 11]
    beam, diffuse, air, wind, plane, _, _, ac_w = np.array(
        [row[3:11] for row in rows], np.float64
    ).T
    assert len(beam) == 8_760
    golden = {"latitude_deg": 39.73, "longitude_deg": -105.18, "elevation_m": 1_819.6}
    hours = Horizon(
        datetime.fromisoformat("2001-01-01T00:00-07:00"),
        datetime.fromisoformat("2002-01-01T00:00-07:00"),
        60,
        "Etc/GMT+7",
    )
    zenith = sun.position(hours, *golden.values())["zenith"].to_numpy()
    ghi = beam * np.maximum(np.cos(np.radians(zenith)), 0.0) + diffuse
    frame = pd.DataFrame(
        {
            "drybulb_degc": air,
            "ghi_w_per_m2": ghi,
            "dni_w_per_m2": beam,
            "dhi_w_per_m2": diffuse,
            "wind_m_per_s": wind,
        },
        index=hours.index,
    )
    # the older PVWatts: gamma -0.0047 per K, losses 14.08 %, DC/AC 1.2 (its file header)
    old = module(gamma_per_k=-0.0047, losses_frac=0.1408, dc_ac_ratio=1.2, diffuse_iam=0.96)
    rack = site(of=old, place=golden, pv_kwp=4.0)

    ours = plane_of_array(rack, frame, hours).global_w_per_m2
    assert ours.sum() == pytest.approx(plane.sum(), rel=0.002)
    assert np.sqrt(np.mean((ours - plane) ** 2)) < 3.0  # W/m2
    ours_w = pv_kw(rack, frame, hours) * 1e3
    assert ours_w.sum() == pytest.approx(ac_w.sum(), rel=0.015)
    assert np.sqrt(np.mean((ours_w - ac_w) ** 2)) / 4_000 < 0.008


def test_there_is_no_power_at_night_and_no_gap_ever(weather: pd.DataFrame, year: Horizon) -> None:
    night = sun.position(year, *SHANGHAI.values())["apparent_zenith"].to_numpy() >= 90
    for mount in (OPEN, ROOF):
        power = pv_kw(site(mount), weather, year)
        assert np.isfinite(power).all()
        assert (power >= 0).all()
        assert (power[night] == 0).all()
        assert night.mean() == pytest.approx(0.5, abs=0.02)


def test_a_close_roof_mount_costs_about_five_per_cent(weather: pd.DataFrame, year: Horizon) -> None:
    rack, roof = (yield_kwh_per_kwp(site(mount), weather, year) for mount in (OPEN, ROOF))
    assert 0.03 < 1 - roof / rack < 0.07


def test_the_inverter_clips_at_its_rating(weather: pd.DataFrame, year: Horizon) -> None:
    small = site(of=module(dc_ac_ratio=2.0))
    power = pv_kw(small, weather, year)
    assert power.max() == pytest.approx(500.0, rel=1e-12)
    assert (power > 499.999).mean() > 0.02


def test_age_soiling_and_derate_take_their_share(weather: pd.DataFrame, year: Horizon) -> None:
    new = yield_kwh_per_kwp(site(), weather, year)
    derated = yield_kwh_per_kwp(site(derate_frac=0.9), weather, year)
    assert derated == pytest.approx(0.9 * new, rel=1e-12)
    # 10 years at 0.5 % a year are 4.9 %; the inverter's curve and clipping take a little back
    aged = yield_kwh_per_kwp(site(age_years=10.0), weather, year)
    assert aged == pytest.approx((1 - 0.005) ** 10 * new, rel=0.004)
    dirty = yield_kwh_per_kwp(site(soiling_frac=0.03), weather, year)
    assert dirty == pytest.approx(0.97 * new, rel=0.003)


def test_yield_is_the_same_for_every_step(weather: pd.DataFrame, year: Horizon) -> None:
    hours = Horizon(year.start, year.end, 60, year.zone)
    hourly = typical("shanghai", hours, 7, **SHANGHAI).frame
    fine = yield_kwh_per_kwp(site(), weather, year)
    assert yield_kwh_per_kwp(site(), hourly, hours) == pytest.approx(fine, rel=0.005)


def test_no_pv_is_no_power(weather: pd.DataFrame, year: Horizon) -> None:
    assert not pv_kw(site(pv_kwp=0.0), weather, year).any()


def test_cell_temperatures_are_those_of_the_published_formulas() -> None:
    light, air, wind = np.array([800.0]), np.array([20.0]), np.array([1.0])
    assert cell_degc(site(OPEN).pv, light, air, wind)[0] == pytest.approx(
        20 + 800 / (25 + 6.84), abs=1e-9
    )
    back = 20 + 800 * np.exp(-2.98 - 0.0471 * 1.0)
    assert cell_degc(site(ROOF).pv, light, air, wind)[0] == pytest.approx(back + 0.8, abs=1e-9)


def test_the_sun_is_computed_once_for_a_site_and_horizon(year: Horizon) -> None:
    assert sun.position(year, *SHANGHAI.values()) is sun.position(year, *SHANGHAI.values())
