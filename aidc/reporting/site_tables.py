"""What each site of a network did, and which jobs left home."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import pandas as pd

from aidc.ledger.statements.statement import Statement
from aidc.reporting.figures import site_costs
from aidc.reporting.numbers import number, percent, ratio
from aidc.reporting.page_tables import Table
from aidc.reporting.study import BASELINE, LOCATION_BOOK, OPTIMIZED, VARIANTS, Study
from aidc.trace import Trace
from aidc.units import KWH_PER_MWH, L_PER_M3, S_PER_H

SITE_COLUMNS: Final = (
    "run", "site", "it_kwh", "facility_kwh", "pue", "grid_import_kwh", "peak_import_kw",
    "scope2_location_tco2e", "cost_cny", "water_m3", "gpu_hours", "utilisation_frac", "jobs_from_home",
    "jobs_from_elsewhere",
)  # fmt: skip


def by_site(study: Study) -> pd.DataFrame:
    """A row a run and site with `SITE_COLUMNS`; the sites of a run add up to its totals.

    Tonnes are the location-based statement's own of each site. GPU hours are those held inside the
    horizon. A job is from elsewhere where the baseline ran it at another site.
    """
    homes = study.baseline.jobs.set_index("job_id")["site"]
    rows = [
        _row(study, name, study.runs[name], site, homes)
        for name in (BASELINE, OPTIMIZED)
        if name in study.runs
        for site in study.baseline.scenario.sites
    ]
    return pd.DataFrame(rows, columns=list(SITE_COLUMNS))


def _row(
    study: Study, name: str, trace: Trace, site: str, homes: "pd.Series[str]"
) -> dict[str, object]:
    frame, step_h = trace.site(site), trace.step_h
    jobs = trace.jobs[trace.jobs["site"] == site]
    at_home = jobs["job_id"].map(homes) == site
    facility = float(trace.facility_kw[trace.frame["site"] == site].sum() * step_h)
    it_kwh = float(frame["it_kw"].sum() * step_h)
    statement: Statement | None = study.statements.get(name, {}).get(LOCATION_BOOK)
    gpu_s = float((jobs["gpu_count"] * jobs["ran_s"]).sum())
    boards_h = float(frame["gpus_allocatable"].sum() * step_h)
    return {
        "run": name,
        "site": site,
        "it_kwh": it_kwh,
        "facility_kwh": facility,
        "pue": ratio(facility, it_kwh),
        "grid_import_kwh": float(frame["grid_import_kw"].sum() * step_h),
        "peak_import_kw": float(frame["grid_import_kw"].max()),
        "scope2_location_tco2e": None
        if statement is None
        else float(statement.by_site.get(site, 0)),
        "cost_cny": sum(site_costs(frame, study.prices[site], step_h)),
        "water_m3": float(frame["water_l_per_h"].sum() * step_h) / L_PER_M3,
        "gpu_hours": gpu_s / S_PER_H,
        "utilisation_frac": ratio(gpu_s / S_PER_H, boards_h),
        "jobs_from_home": int(at_home.sum()),
        "jobs_from_elsewhere": int((~at_home).sum()),
    }


def sites(frame: pd.DataFrame) -> Table:
    """Baseline and plan of each site, and their sums."""
    rows = []
    for name in dict.fromkeys(frame["run"]):
        mine = frame[frame["run"] == name]
        total = mine.sum(numeric_only=True)
        boards_h = (mine["gpu_hours"] / mine["utilisation_frac"]).sum()
        total["pue"] = ratio(total["facility_kwh"], total["it_kwh"])
        total["utilisation_frac"] = ratio(total["gpu_hours"], boards_h)
        rows += [_cells(VARIANTS[str(name)], row) for row in mine.to_dict(orient="records")]
        rows.append(_cells(VARIANTS[str(name)], {"site": "all sites", **total.to_dict()}))
    return Table(
        (
            "run", "site", "IT [MWh]", "facility [MWh]", "PUE", "import [MWh]", "S2 location [t]",
            "cost [CNY]", "GPU-h", "busy", "jobs from elsewhere",
        ),
        rows,
        "Jobs from elsewhere: the baseline ran them at another site. Peaks of the sites do not add up.",
    )  # fmt: skip


def _cells(run: str, row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    return (
        run,
        str(row["site"]),
        number(row["it_kwh"] / KWH_PER_MWH, 2),
        number(row["facility_kwh"] / KWH_PER_MWH, 2),
        number(row["pue"], 4),
        number(row["grid_import_kwh"] / KWH_PER_MWH, 2),
        number(row["scope2_location_tco2e"], 2),
        number(row["cost_cny"], 0),
        number(row["gpu_hours"], 0),
        percent(row["utilisation_frac"], 1),
        number(row["jobs_from_elsewhere"], 0),
    )
