"""The plant at one supply set-point after the other, with the jobs of a run as they are."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from aidc.forecast import SiteDrivers
from aidc.plant import metrics
from aidc.plant.facility import facility
from aidc.plant.faults import Faults
from aidc.schedule import SPRAY_BY_POLICY
from aidc.simulation.energy import outdoor
from aidc.simulation.faults import UNMET_KW
from aidc.site import ModePolicy, Site
from aidc.trace import JobRun
from aidc.units import L_PER_M3


def setpoint_sweep(
    site: Site,
    drivers: SiteDrivers,
    run: JobRun,
    supplies_degc: Iterable[float],
    policy: ModePolicy,
    faults: Faults,
    step_h: float,
) -> pd.DataFrame:
    """Energies and indicators of a site by supply set-point, each held over the whole run.

    Args:
        site: the site.
        drivers: its series.
        run: what its jobs did.
        supplies_degc: set-points.
        policy: how an evaporative cooler chooses its mode.
        faults: what of the plant does not work.
        step_h: length of a step [h].

    Returns:
        A row a set-point: ``supply_degc, inlet_degc, pue, pue_reference_inlet, tue, facility_kwh,
        it_kwh, server_fan_kwh, cooling_kwh, loss_kwh, water_m3, unmet_kwh, within_inlet_limit``.
    """
    reference_kw, frame = run.reference_kw, drivers.frame
    air, steps = outdoor(frame), reference_kw.shape[1]
    tariff = frame["tariff_cny_per_kwh"].to_numpy(np.float64)
    rows = []
    for supply in supplies_degc:
        done = facility(
            site,
            reference_kw,
            air,
            np.full(steps, float(supply)),
            spray=np.full(steps, SPRAY_BY_POLICY, np.int8),
            policy=policy,
            tariff_cny_per_kwh=tariff,
            water_cny_per_m3=drivers.water_cny_per_m3,
            faults=faults,
        )
        it, total = done.it_kw.sum() * step_h, done.facility_kw.sum() * step_h
        fans = done.server_fan_kw.sum() * step_h
        unmet = done.unmet_cooling_kw.sum() * step_h
        inlet = float(supply) + site.hall.recirculation_frac * site.hall.air_rise_k
        rows.append(
            {
                "supply_degc": float(supply),
                "inlet_degc": inlet,
                "pue": metrics.ratio(total, it),
                "pue_reference_inlet": metrics.ratio(total, reference_kw.sum() * step_h),
                "tue": metrics.ratio(total, it - fans),
                "facility_kwh": total,
                "it_kwh": it,
                "server_fan_kwh": fans,
                "cooling_kwh": done.cooling_kw.sum() * step_h,
                "loss_kwh": done.electrical_loss_kw.sum() * step_h,
                "water_m3": done.water_l_per_h.sum() * step_h / L_PER_M3,
                "unmet_kwh": unmet if unmet > UNMET_KW * steps else 0.0,
                "within_inlet_limit": inlet <= site.hall.inlet_max_degc,
            }
        )
    return pd.DataFrame(rows)
