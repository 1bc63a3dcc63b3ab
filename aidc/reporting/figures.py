"""Key figures of one run: energy, effectiveness, water, money, carbon, jobs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.ledger.reports.grade import FULL_YEAR_MONTHS, pue_grade
from aidc.ledger.statements.statement import Statement
from aidc.plant import metrics
from aidc.reporting.job_figures import job_figures
from aidc.reporting.study import LOCATION_BOOK, MARKET_BOOK, Prices, tonnes
from aidc.trace import Trace
from aidc.units import H_PER_DAY, KG_PER_T, L_PER_M3

PUE_CATEGORY: Final = 3  # IT energy is read at the servers' input


def key_figures(
    trace: Trace,
    prices: Mapping[str, Prices],
    statements: Mapping[str, Statement],
) -> dict[str, Any]:
    """Figures of a run as ``summary.json`` holds them; None where a statement is missing.

    Args:
        trace: the run.
        prices: by site.
        statements: of the run, by book.
    """
    it, facility = trace.kwh("it_kw"), float(trace.facility_kw.sum() * trace.step_h)
    books = [statements[book] for book in (LOCATION_BOOK, MARKET_BOOK) if book in statements]
    found: dict[str, Any] = {
        "it_kwh": it,
        "facility_kwh": facility,
        "overhead_kwh": facility - it,
        "scope2_location_tco2e": tonnes(statements.get(LOCATION_BOOK)),
        "scope2_market_tco2e": tonnes(statements.get(MARKET_BOOK)),
        "gases": ", ".join(sorted({book.gases for book in books})),
        "balance_residual": trace.balance_residual,
        **_electricity(trace),
        **costs(trace, prices),
        **job_figures(trace),
    }
    return found | _indicators(trace, found)


def _indicators(trace: Trace, found: Mapping[str, Any]) -> dict[str, Any]:
    """Ratios over IT or facility energy; all None where the run has no IT energy."""
    it, facility = found["it_kwh"], found["facility_kwh"]
    litres = {
        part: float(trace.frame[f"water_{part}_l_per_h"].sum() * trace.step_h)
        for part in ("evaporated", "blowdown", "humidifier")
    }
    made: dict[str, Any] = {"water_m3": sum(litres.values()) / L_PER_M3}
    if not it > 0:
        return made | dict.fromkeys(_RATIOS)
    months = months_of(trace)
    pue = metrics.pue(facility, it, PUE_CATEGORY, months)
    location, market = (
        None if found[key] is None else metrics.cue_kgco2e_per_kwh(found[key] * KG_PER_T, it)
        for key in ("scope2_location_tco2e", "scope2_market_tco2e")
    )
    reference = _reference_kwh(trace)
    return made | {
        "pue": pue.value,
        "pue_category": f"{pue.label}, simulated",
        "pue_grade": _grade(pue.value, months),
        "pue_reference_inlet": metrics.pue_at_reference_inlet(facility, reference),
        "tue": metrics.tue(facility, it, trace.kwh("server_fan_kw")),
        "wue_l_per_kwh": metrics.wue_withdrawal_l_per_kwh(
            litres["evaporated"], litres["blowdown"], litres["humidifier"], it
        ),
        "wue_consumption_l_per_kwh": metrics.wue_consumption_l_per_kwh(
            litres["evaporated"], litres["humidifier"], it
        ),
        "cue_location_kgco2_per_kwh": location,
        "cue_market_kgco2_per_kwh": market,
        "ref": metrics.ref(found["pv_used_kwh"], facility),
        "erf": metrics.erf(trace.kwh("heat_reused_kw"), facility),
    }


_RATIOS: Final = (
    "pue",
    "pue_category",
    "pue_grade",
    "pue_reference_inlet",
    "tue",
    "wue_l_per_kwh",
    "wue_consumption_l_per_kwh",
    "cue_location_kgco2_per_kwh",
    "cue_market_kgco2_per_kwh",
    "ref",
    "erf",
)


def months_of(trace: Trace) -> float:
    """Months that a run covers; a month covered in part counts by its share."""
    rows = trace.site(next(iter(trace.scenario.sites)))
    return round(sum(share for share, _ in month_peaks(rows, trace.step_h)), 6)


def _grade(pue: float, months: float) -> str | None:
    """Grade of GB 40879; None under twelve months."""
    if months < FULL_YEAR_MONTHS:
        return None
    return f"GB 40879-2021: {pue_grade(Decimal(repr(pue)), int(months))}"


def _reference_kwh(trace: Trace) -> float:
    """IT energy that the same servers would take at their reference inlet.

    Hotter supply air makes server fans draw more, which lowers PUE while energy rises.
    """
    return float(sum(run.reference_kw.sum() for run in trace.job_runs.values()) * trace.step_h)


def _electricity(trace: Trace) -> dict[str, Any]:
    """Import and PV; what PV could have made and nobody took is curtailed, not generated."""
    frame = trace.frame
    generated = frame["pv_kw"] - frame["pv_curtailed_kw"]
    exported = np.minimum(generated, frame["grid_export_kw"])
    step_h = trace.step_h
    used = float((generated - exported).sum() * step_h)
    return {
        "grid_import_kwh": trace.kwh("grid_import_kw"),
        "grid_export_kwh": trace.kwh("grid_export_kw"),
        "pv_kwh": float(generated.sum() * step_h),
        "pv_used_kwh": used,
        "pv_exported_kwh": float(exported.sum() * step_h),
        "pv_curtailed_kwh": trace.kwh("pv_curtailed_kw"),
        "battery_loss_kwh": trace.kwh("battery_loss_kw"),
        "peak_import_kw": float(by_time(trace, "grid_import_kw").max()) if len(frame) else 0.0,
    }


def by_time(trace: Trace, column: str) -> "pd.Series[float]":
    """A power column summed over the sites, on the zone of the first site."""
    if len(trace.scenario.sites) == 1:
        return trace.frame[column].astype(float)
    zone = trace.scenario.horizon(next(iter(trace.scenario.sites))).zone
    parts = [trace.site(name)[column].tz_convert(zone) for name in trace.scenario.sites]
    return pd.concat(parts).groupby(level=0).sum()


def costs(trace: Trace, prices: Mapping[str, Prices]) -> dict[str, Any]:
    """Energy, demand and water charges in CNY.

    The demand charge of a month that the run covers in part is the month's charge on the peak
    of the covered days, in proportion to their number.
    """
    energy = demand = water = 0.0
    for name in trace.scenario.sites:
        paid = site_costs(trace.site(name), prices[name], trace.step_h)
        energy, demand, water = (x + y for x, y in zip((energy, demand, water), paid, strict=True))
    partial = any(
        share < 1
        for name in trace.scenario.sites
        for share, _ in month_peaks(trace.site(name), trace.step_h)
    )
    note = "demand charge: the month's charge on the peak of the run"
    return {
        "cost_cny": energy + demand + water,
        "cost_energy_cny": energy,
        "cost_demand_cny": demand,
        "cost_water_cny": water,
        "cost_label": "energy + demand charge + water"
        + (f"; {note}, in proportion to the days covered" if partial else ""),
    }


def site_costs(rows: pd.DataFrame, prices: Prices, step_h: float) -> tuple[float, float, float]:
    """Energy, demand and water charges of one site in CNY; see `costs`.

    Args:
        rows: its rows of a trace.
        prices: what it pays beside energy.
        step_h: length of a step [h].
    """
    energy = float((rows["grid_import_kw"] * rows["tariff_cny_per_kwh"]).sum() * step_h)
    litres = float(rows["water_l_per_h"].sum() * step_h)
    demand = sum(
        share * peak_kw * prices.demand_cny_per_kw_month
        for share, peak_kw in month_peaks(rows, step_h)
    )
    return energy, demand, litres / L_PER_M3 * prices.water_cny_per_m3


def month_peaks(rows: pd.DataFrame, step_h: float) -> list[tuple[float, float]]:
    """Share of each month that is covered, and its highest import [kW]."""
    months = []
    index = pd.DatetimeIndex(rows.index)
    for (_, _), imported in rows["grid_import_kw"].groupby([index.year, index.month]):
        hours = pd.DatetimeIndex(imported.index)[0].days_in_month * H_PER_DAY
        months.append((min(len(imported) * step_h / hours, 1.0), float(imported.max())))
    return months
