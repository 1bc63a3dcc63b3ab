"""Laws of the supply for any input."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc import catalog
from aidc.equipment import Battery, PvModule, PvMount
from aidc.horizon import Horizon
from aidc.site import Pv, Site
from aidc.supply import grid
from aidc.supply.battery import dispatch
from aidc.supply.pv import pv_kw
from aidc.supply.sun import light_until
from aidc.supply.weather import states_on_steps

START = datetime.fromisoformat("2023-06-30T00:00:00+08:00")
DAY = Horizon(START, START.replace(month=7, day=1), 60, "Asia/Shanghai")


def watts(top: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(0.0, top), min_size=24, max_size=24)


@settings(max_examples=40, deadline=None)
@given(
    ghi=watts(1_400.0),
    dni=watts(1_300.0),
    dhi=watts(900.0),
    air=st.lists(st.floats(-40.0, 50.0), min_size=24, max_size=24),
    wind=st.lists(st.floats(0.0, 40.0), min_size=24, max_size=24),
    latitude=st.floats(-89.0, 89.0),
    tilt=st.floats(0.0, 90.0),
    azimuth=st.floats(0.0, 359.0),
    ratio=st.floats(0.8, 2.5),
    roof=st.booleans(),
)
def test_pv_is_never_negative_never_a_gap_and_never_above_the_inverter(
    ghi: list[float],
    dni: list[float],
    dhi: list[float],
    air: list[float],
    wind: list[float],
    latitude: float,
    tilt: float,
    azimuth: float,
    ratio: float,
    roof: bool,
) -> None:
    frame = pd.DataFrame(
        {
            "ghi_w_per_m2": ghi,
            "dni_w_per_m2": dni,
            "dhi_w_per_m2": dhi,
            "drybulb_degc": air,
            "wind_m_per_s": wind,
        },
        index=DAY.index,
    )
    mount = (
        PvMount(name="r", source="x y z", model="sapm", sapm_a=-2.98, sapm_b=-0.0471, sapm_delta_t_k=1.0)
        if roof
        else PvMount(name="o", source="x y z", model="faiman", u0_w_per_m2_k=25.0, u1_w_s_per_m3_k=6.84)
    )  # fmt: skip
    module = catalog.row("pv_modules", PvModule, "mono-perc").model_copy(
        update={"dc_ac_ratio": ratio}
    )
    pv = Pv(
        module=module, mount=mount, tilt_deg=tilt, azimuth_deg=azimuth, soiling_frac=0.0,
        derate_frac=1.0, age_years=0.0, source="this test",
    )  # fmt: skip
    site = Site.model_construct(
        name="test",
        latitude_deg=latitude,
        longitude_deg=121.0,
        elevation_m=5.0,
        pv_kwp=400.0,
        pv=pv,
    )
    power = pv_kw(site, frame, DAY)
    assert np.isfinite(power).all()
    assert (power >= 0).all()
    assert (power <= 400.0 / ratio).all()


fractions = st.floats(0.5, 1.0)


@given(
    charge=st.lists(st.floats(0.0, 2_000.0), min_size=1, max_size=40),
    swap=st.lists(st.booleans(), min_size=40, max_size=40),
    capacity=st.floats(0.0, 4_000.0),
    into=fractions,
    out_of=fractions,
    start=st.floats(0.0, 1.0),
    step_h=st.sampled_from([1 / 12, 0.25, 0.5, 1.0]),
)
def test_the_battery_conserves_energy_and_keeps_its_limits(
    charge: list[float],
    swap: list[bool],
    capacity: float,
    into: float,
    out_of: float,
    start: float,
    step_h: float,
) -> None:
    row = catalog.row("batteries", Battery, "lfp-2h").model_copy(
        update={"charge_efficiency_frac": into, "discharge_efficiency_frac": out_of}
    )
    asked = np.array(charge)
    out = np.array(swap[: len(asked)])
    begin = capacity * (row.soc_min_frac + start * (row.soc_max_frac - row.soc_min_frac))
    flows = dispatch(asked * ~out, asked * out, capacity, row, begin, step_h)

    change = np.diff(flows.energy_kwh, prepend=begin)
    balance = (flows.charge_kw - flows.discharge_kw - flows.loss_kw) * step_h
    assert balance == pytest.approx(change, abs=1e-8 * max(capacity, 1.0))
    assert (flows.loss_kw >= 0).all()
    tolerance = 1e-9 * max(capacity, 1.0)
    for flow, request in ((flows.charge_kw, asked * ~out), (flows.discharge_kw, asked * out)):
        assert (flow >= 0).all()
        assert (flow <= request + tolerance).all()
        assert (flow <= row.c_rate_per_h * capacity + tolerance).all()
    assert (flows.energy_kwh >= row.soc_min_frac * capacity - tolerance).all()
    assert (flows.energy_kwh <= row.soc_max_frac * capacity + tolerance).all()
    short = (flows.charge_kw + flows.discharge_kw) < asked - 1e-6 * np.maximum(asked, 1)
    assert flows.clipped_steps >= short.sum()


@given(
    latitude=st.floats(-66.0, 66.0),  # beyond, days without a night begin and end at a stroke
    longitude=st.floats(-180.0, 180.0),
    first=st.floats(200_000.0, 700_000.0),
    cuts=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8),
)
def test_light_only_grows_and_never_faster_than_time(
    latitude: float, longitude: float, first: float, cuts: list[float]
) -> None:
    times = first + 48 * np.sort(np.array([0.0, *cuts, 1.0]))
    plane, beam = light_until(times, latitude, longitude)
    sun_h = np.diff(beam)
    assert (np.diff(plane) >= -1e-9).all()
    assert (np.diff(plane) <= sun_h + 1e-6).all()
    # the equation of time moves solar midnight by half a minute a day at the most
    assert (sun_h <= np.diff(times) + 0.03).all()


@given(
    values=st.lists(st.floats(-20.0, 40.0), min_size=6, max_size=60),
    parts=st.sampled_from([1, 2, 3, 4, 6, 12]),
)
def test_interpolated_states_stay_within_the_source(values: list[float], parts: int) -> None:
    edges = 100.0 + np.arange(len(values) * parts + 1) / parts
    on = states_on_steps(edges, 100.0, 1.0, np.array(values))
    assert on.min() >= min(values) - 1e-9
    assert on.max() <= max(values) + 1e-9
    if parts == 1:
        assert on == pytest.approx(np.array(values), abs=1e-9)


@given(
    factor=st.floats(0.01, 1.5),
    amplitude=st.floats(0.0, 0.95),
    shape=st.sampled_from(["demand", "solar-duck"]),
)
@settings(max_examples=20, deadline=None)
def test_a_synthetic_intensity_is_never_negative_and_keeps_its_annual_mean(
    factor: float, amplitude: float, shape: str
) -> None:
    year = Horizon(
        START.replace(month=1, day=1), START.replace(year=2024, month=1, day=1), 60, "Asia/Shanghai"
    )
    made = grid.synthetic(factor, amplitude, shape, year).kgco2e_per_kwh
    assert (made >= 0).all()
    assert made.mean() == pytest.approx(factor, rel=1e-10)
