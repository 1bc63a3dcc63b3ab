"""What a sweep of set-points says: where PUE is least, where energy is, and what following PUE costs."""

from typing import Any

import pandas as pd

from aidc.reporting.numbers import ratio


def sweep_figures(sweep: pd.DataFrame) -> dict[str, Any]:
    """Both optima of a sweep, over all set-points that leave no heat in the hall.

    Returns:
        ``least_pue_supply_degc, least_energy_supply_degc, penalty_kwh, penalty_frac`` (of following
        PUE), ``least_energy_within_limit_degc`` and ``points_with_unmet_heat``; None where there is
        no such point.
    """
    cooled = sweep[sweep["unmet_kwh"] == 0]
    allowed = cooled[cooled["within_inlet_limit"]]
    found: dict[str, Any] = {
        "least_pue_supply_degc": None,
        "least_energy_supply_degc": None,
        "penalty_kwh": None,
        "penalty_frac": None,
        "least_energy_within_limit_degc": None,
        "points_with_unmet_heat": int((sweep["unmet_kwh"] > 0).sum()),
    }
    if len(cooled):
        by_pue = cooled.loc[cooled["pue"].idxmin()]
        by_energy = cooled.loc[cooled["facility_kwh"].idxmin()]
        penalty = float(by_pue["facility_kwh"] - by_energy["facility_kwh"])
        found |= {
            "least_pue_supply_degc": float(by_pue["supply_degc"]),
            "least_energy_supply_degc": float(by_energy["supply_degc"]),
            "penalty_kwh": penalty,
            "penalty_frac": ratio(penalty, float(by_energy["facility_kwh"])),
        }
    if len(allowed):
        best = allowed.loc[allowed["facility_kwh"].idxmin()]
        found["least_energy_within_limit_degc"] = float(best["supply_degc"])
    return found
