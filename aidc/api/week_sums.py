"""What a week of a long run tells, and the sums over its weeks."""

import json
import resource
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.api.folder import accounts_of
from aidc.plant import metrics
from aidc.reporting.tenants import SUMS as SHARES_TOLD
from aidc.reporting.wait_bins import WaitBins, by_class, wait_figures
from aidc.scenario import Scenario
from aidc.trace import ACCOUNTS, SHARES, Trace, chiller_starts
from aidc.units import L_PER_M3, S_PER_H

UNALLOCATED: Final = "(unallocated)"  # rows of ``tenants.csv`` beside the tenants
SITE: Final = "(site)"


def week_sums(trace: Trace, ended: pd.DataFrame, is_new: NDArray[np.bool_]) -> dict[str, Any]:
    """Counts, ends, waits and tenants of a week, for JSON.

    Args:
        trace: of the week.
        ended: jobs that ended in it, with all that they had before; in the last week those still open too.
        is_new: which rows of the trace's jobs were submitted in it.
    """
    return {
        "counts": dict(trace.counts),
        "ends": _ends(ended),
        "submitted": int(is_new.sum()),
        "late": int(ended["late"].sum()),
        "waits": {name: asdict(bins) for name, bins in by_class(ended).items()},
        "tenants": _tenants(trace, is_new),
        "balance_residual": trace.balance_residual,
    }


def _tenants(trace: Trace, is_new: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """What each tenant took in the week, whenever its jobs end, what nobody held, and the meter."""
    jobs, frame = trace.jobs, trace.frame
    taken = pd.DataFrame(
        {
            "jobs": is_new,
            "gpu_h": jobs["ran_s"] * jobs["gpu_count"] / S_PER_H,
            **{name: jobs[share] for name, share in zip(SHARES_TOLD, SHARES, strict=True)},
        }
    )
    told = {
        str(vc): {str(name): float(value) for name, value in row.items()}
        for vc, row in taken.groupby(jobs["vc"], sort=True).sum().iterrows()
    }
    there_h = float(frame["gpus_allocatable"].sum()) * trace.step_h
    idle_h = there_h - float(frame["gpus_busy"].sum()) * trace.step_h
    for row, account, count, gpu_h in (
        (UNALLOCATED, "unallocated", 0.0, idle_h),
        (SITE, "meter", float(is_new.sum()), there_h),
    ):
        sums = (trace.accounts[f"{account}_{what}"] for what in ACCOUNTS)
        told[row] = {
            "jobs": count,
            "gpu_h": gpu_h,
            **dict(zip(SHARES_TOLD, sums, strict=True)),
        }
    return told


def _tenants_of(weeks: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row a tenant, then boards that nobody held, then the site, which is the sum of all above.

    Money is energy and water; the demand charge hangs on one step of a month and is nobody's.
    """
    every = pd.concat([pd.DataFrame(week["tenants"]).T for week in weeks])
    table = every.groupby(every.index, sort=True).sum()
    names = [name for name in table.index if name not in (UNALLOCATED, SITE)]
    table = table.loc[[*names, UNALLOCATED, SITE]].astype({"jobs": np.int64})
    table.index.name = "vc"
    return table


def _ends(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Jobs, GPU time and energy by how they ended."""
    told = pd.DataFrame(
        {
            "jobs": 1,
            "gpu_h": table["ran_s"] * table["gpu_count"] / S_PER_H,
            "energy_kwh": table["energy_kwh"],
        }
    )
    sums = told.groupby(table["state"]).sum()
    return {str(state): dict(zip(sums, row, strict=True)) for state, *row in sums.itertuples()}


def summary_of(scenario: Scenario, out: Path, count: int) -> dict[str, Any]:
    """Sums over the weeks, and the books of the whole."""
    folders = [out / "pieces" / f"{index:03d}" for index in range(count)]
    told = [json.loads((one / "piece.json").read_text(encoding="utf-8")) for one in folders]
    frame = pd.concat([pd.read_parquet(one / "trace.parquet") for one in folders])
    frame = pd.concat([frame[frame["site"] == name] for name in scenario.sites])
    frame.to_parquet(out / "trace-baseline.parquet")
    step_h = scenario.step_min / 60
    drawn = ["it_kw", "cooling_kw", "electrical_loss_kw", "other_kw", "battery_loss_kw"]
    facility = float(frame[drawn].sum().sum() * step_h)
    it = float(frame["it_kw"].sum() * step_h)
    ends: dict[str, dict[str, float]] = {}
    counts: dict[str, float] = {}
    for piece in told:
        for state, sums in piece["ends"].items():
            mine = ends.setdefault(state, dict.fromkeys(sums, 0.0))
            for name, value in sums.items():
                mine[name] += value
        for name, value in piece["counts"].items():
            counts[name] = counts.get(name, 0.0) + value
    for name in ("jobs_running_at_end", "jobs_waiting_at_end"):
        counts[name] = told[-1]["counts"][name]
    counts["chiller_starts"] = chiller_starts(frame)  # some lie between two weeks
    shares = _tenants_of(told)
    shares.to_csv(out / "tenants.csv", lineterminator="\n")
    books = accounts_of(out)
    drawn_up = books.statements["baseline"]
    summary = {
        "scenario": scenario.name,
        "weeks": count,
        "jobs": sum(int(one["jobs"]) for one in ends.values()),
        "gpu_h": float(frame["gpus_busy"].sum() * step_h),
        "utilisation": float(frame["gpus_busy"].sum() / frame["gpus_allocatable"].sum()),
        "ends": ends,
        "submitted": sum(piece["submitted"] for piece in told),
        "late": sum(piece["late"] for piece in told),
        "waits": wait_figures(
            {name: WaitBins.read(bins) for name, bins in piece["waits"].items()} for piece in told
        ),
        "it_kwh": it,
        "facility_kwh": facility,
        "pue": metrics.ratio(facility, it),
        "water_m3": float(frame["water_l_per_h"].sum() * step_h) / L_PER_M3,
        "jobs_kwh": sum(one["energy_kwh"] for one in ends.values()),
        "unallocated_kwh": float(shares.loc[UNALLOCATED, "it_kwh"]),
        "tco2e": {name: float(one.total_tco2e) for name, one in drawn_up.items()},
        "counts": counts,
        "balance_residual": max(piece["balance_residual"] for piece in told),
        "cpu_s": sum(piece["cpu_s"] for piece in told),
        "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
    return summary
