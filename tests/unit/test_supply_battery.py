"""A battery by hand, and requests it refuses."""

import numpy as np
import pytest

from aidc import catalog
from aidc.equipment import Battery
from aidc.errors import SeriesError
from aidc.supply.battery import dispatch


@pytest.fixture
def lfp() -> Battery:
    changes = {
        "charge_efficiency_frac": 0.95,
        "discharge_efficiency_frac": 0.95,
        "c_rate_per_h": 0.5,
        "soc_min_frac": 0.1,
        "soc_max_frac": 0.9,
    }
    return catalog.row("batteries", Battery, "lfp-2h").model_copy(update=changes)


def test_an_hour_in_and_an_hour_out_lose_the_round_trip(lfp: Battery) -> None:
    flows = dispatch([100.0, 0.0], [0.0, 90.25], 1_000.0, lfp, 500.0, 1.0)
    assert flows.energy_kwh.tolist() == pytest.approx([595.0, 500.0])
    assert flows.loss_kw.tolist() == pytest.approx([5.0, 4.75])
    assert flows.clipped_steps == 0


def test_the_c_rate_and_the_window_clip_and_are_counted(lfp: Battery) -> None:
    flows = dispatch([900.0, 0.0, 0.0], [0.0, 900.0, 900.0], 1_000.0, lfp, 500.0, 1.0)
    # 500 kW by C-rate, 421.05 kW by the window; then 500 kW; then down to 100 kWh
    assert flows.charge_kw[0] == pytest.approx(400 / 0.95)
    assert flows.energy_kwh[0] == pytest.approx(900.0)
    assert flows.discharge_kw[1] == pytest.approx(500.0)
    assert flows.energy_kwh[2] == pytest.approx(100.0)
    assert flows.clipped_steps == 3


def test_it_never_charges_and_discharges_at_once(lfp: Battery) -> None:
    flows = dispatch([100.0], [30.0], 1_000.0, lfp, 500.0, 0.25)
    assert (flows.charge_kw[0], flows.discharge_kw[0]) == (70.0, 0.0)
    assert flows.clipped_steps == 1


def test_no_battery_follows_nothing(lfp: Battery) -> None:
    flows = dispatch(np.array([0.0, 10.0]), np.zeros(2), 0.0, lfp, 0.0, 0.25)
    assert not flows.charge_kw.any()
    assert flows.clipped_steps == 1


def test_bad_requests_are_refused_together(lfp: Battery) -> None:
    with pytest.raises(SeriesError) as error:
        dispatch([-1.0], [np.nan], 1_000.0, lfp, 1_200.0, 1.0)
    assert {fault.key for fault in error.value.faults} == {
        "charge_request_kw",
        "discharge_request_kw",
        "soc_start_kwh",
    }
