"""Key figures of one run: energy, effectiveness, water, money, carbon, jobs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.ledger.kpi import FULL_YEAR_MONTHS, pue_grade
from aidc.ledger.statement import Statement
from aidc.reporting.numbers import ratio
from aidc.reporting.study import LOCATION_BOOK, MARKET_BOOK, Prices, tonnes
from aidc.trace import Trace
from aidc.units import H_PER_DAY, KG_PER_T, L_PER_M3, S_PER_H
from aidc.workload.power import idle_kw

PUE_CATEGORY: Final = "category 3 (IT input), simulated"
ENDS: Final = ("completed", "failed", "cancelled", "killed", "refused", "running", "waiting")
WAIT_PERCENTILE: Final = 95


def key_figures(
    trace: Trace,
    prices: Mapping[str, Prices],
    statements: Mapping[str, Statement],
    full_years: bool,
) -> dict[str, Any]:
    """Figures of a run as ``summary.json`` holds them; None where a statement is missing.

    Args:
        trace: the run.
        prices: by site.
        statements: of the run, by book.
        full_years: whether the run covers twelve months; else PUE is interim.
    """
    it, facility = trace.kwh("it_kw"), float(trace.facility_kw.sum() * trace.step_h)
    water_l = float(trace.frame["water_l_per_h"].sum() * trace.step_h)
    books = [statements[book] for book in (LOCATION_BOOK, MARKET_BOOK) if book in statements]
    location, market = (tonnes(statements.get(book)) for book in (LOCATION_BOOK, MARKET_BOOK))
    found: dict[str, Any] = {
        "pue": ratio(facility, it),
        "pue_category": PUE_CATEGORY + ("" if full_years else ", interim"),
        "pue_grade": _grade(facility, it, full_years),
        "pue_reference_inlet": _pue_at_reference(trace, facility, it),
        "tue": ratio(facility, it - trace.kwh("server_fan_kw")),
        "wue_l_per_kwh": ratio(water_l, it),
        "it_kwh": it,
        "facility_kwh": facility,
        "overhead_kwh": facility - it,
        "water_m3": water_l / L_PER_M3,
        "scope2_location_tco2e": location,
        "scope2_market_tco2e": market,
        "cue_location_kgco2_per_kwh": _cue(location, it),
        "cue_market_kgco2_per_kwh": _cue(market, it),
        "gases": ", ".join(sorted({book.gases for book in books})),
        "balance_residual": trace.balance_residual,
    }
    return found | _electricity(trace, facility) | costs(trace, prices) | job_figures(trace)


def _grade(facility_kwh: float, it_kwh: float, full_years: bool) -> str | None:
    """Grade of GB 40879; None under twelve months."""
    if not full_years or it_kwh <= 0:
        return None
    found = pue_grade(Decimal(repr(facility_kwh / it_kwh)), FULL_YEAR_MONTHS)
    return f"GB 40879-2021: {found}"


def _pue_at_reference(trace: Trace, facility_kwh: float, it_kwh: float) -> float | None:
    """PUE with IT power at the servers' reference inlet and the overhead as simulated.

    Hotter supply air makes server fans draw more, which lowers PUE while energy rises.
    """
    reference = 0.0
    for name, choice in trace.scenario.sites.items():
        idle = sum(idle_kw(pool) for pool in choice.site.pools)
        reference += float((trace.job_runs[name].added_kw.sum(axis=0) + idle).sum() * trace.step_h)
    return ratio(facility_kwh - it_kwh + reference, reference)


def _cue(tco2e: float | None, it_kwh: float) -> float | None:
    return None if tco2e is None else ratio(tco2e * KG_PER_T, it_kwh)


def _electricity(trace: Trace, facility_kwh: float) -> dict[str, Any]:
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
        "ref": ratio(min(used, facility_kwh), facility_kwh),
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
    partial = False
    for name in trace.scenario.sites:
        rows = trace.site(name)
        paid = rows["grid_import_kw"] * rows["tariff_cny_per_kwh"]
        energy += float(paid.sum() * trace.step_h)
        litres = float(rows["water_l_per_h"].sum() * trace.step_h)
        water += litres / L_PER_M3 * prices[name].water_cny_per_m3
        for share, peak_kw in month_peaks(rows, trace.step_h):
            demand += share * peak_kw * prices[name].demand_cny_per_kw_month
            partial = partial or share < 1
    note = "demand charge: the month's charge on the peak of the run"
    return {
        "cost_cny": energy + demand + water,
        "cost_energy_cny": energy,
        "cost_demand_cny": demand,
        "cost_water_cny": water,
        "cost_label": "energy + demand charge + water"
        + (f"; {note}, in proportion to the days covered" if partial else ""),
    }


def month_peaks(rows: pd.DataFrame, step_h: float) -> list[tuple[float, float]]:
    """Share of each month that is covered, and its highest import [kW]."""
    months = []
    index = pd.DatetimeIndex(rows.index)
    for (_, _), imported in rows["grid_import_kw"].groupby([index.year, index.month]):
        hours = pd.DatetimeIndex(imported.index)[0].days_in_month * H_PER_DAY
        months.append((min(len(imported) * step_h / hours, 1.0), float(imported.max())))
    return months


def job_figures(trace: Trace) -> dict[str, Any]:
    """What happened to the jobs; ends add up to all jobs of the run."""
    jobs = trace.jobs
    state = jobs["state"].astype(str)
    new = jobs[~jobs["warm"].astype(bool) & (state != "refused")]
    wait, cycle = new["wait_s"], new["wait_s"] + new["deferred_s"]
    busy = float(trace.frame["gpus_busy"].sum())
    allocatable = float(trace.frame["gpus_allocatable"].sum())
    ends = {end: int((state == end).sum()) for end in ENDS}
    ends |= {end: int((state == end).sum()) for end in sorted(set(state) - set(ENDS))}
    return {
        "jobs_submitted": len(jobs),
        "jobs_warm": int(jobs["warm"].astype(bool).sum()),
        "jobs_completed": ends["completed"],
        "jobs_late": int(jobs["late"].astype(bool).sum()),
        "job_ends": ends,
        "waits_censored": int((new["state"] == "waiting").sum()),
        "gpu_hours": busy * trace.step_h,
        "mean_wait_s": float(wait.mean()) if len(new) else 0.0,
        "p95_wait_s": float(np.percentile(wait, WAIT_PERCENTILE)) if len(new) else 0.0,
        "mean_deferred_s": float(new["deferred_s"].mean()) if len(new) else 0.0,
        "demand_response_cycle_s": float(cycle.mean()) if len(new) else 0.0,
        "demand_response_cycle_p95_s": float(np.percentile(cycle, WAIT_PERCENTILE))
        if len(new)
        else 0.0,
        "utilisation_frac": ratio(busy, allocatable),
        "out_of_service_server_frac": out_of_service_frac(trace),
    }


def out_of_service_frac(trace: Trace) -> float | None:
    """Share of powered servers without a job, with jobs packed on as few servers as hold them.

    Boards are simulated, servers are not: this is the most that can be out of service.
    """
    idle = powered = 0.0
    for name, choice in trace.scenario.sites.items():
        gpus = trace.job_runs[name].gpus
        for pool, busy in zip(choice.site.pools, gpus, strict=True):
            used = np.minimum(np.ceil(busy / pool.server.gpu_count - 1e-9), pool.server_count)
            idle += float((pool.server_count - used).sum())
            powered += float(pool.server_count * len(busy))
    return ratio(idle, powered)


def gpu_seconds(trace: Trace) -> float:
    """GPU time delivered inside the horizon [GPU-s]."""
    return float(trace.frame["gpus_busy"].sum() * trace.step_h * S_PER_H)
