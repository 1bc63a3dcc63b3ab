"""Tables of the page about jobs: figures, ends, waits by class, and who took what."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from aidc.reporting.job_figures import EVERY
from aidc.reporting.numbers import MISSING, number, percent
from aidc.reporting.page_tables import Table
from aidc.reporting.study import BASELINE, OPTIMIZED, VARIANTS
from aidc.reporting.tenants import SUMS, TENANT
from aidc.units import KG_PER_T, KWH_PER_MWH, L_PER_M3, S_PER_H, S_PER_MIN

TENANTS_SHOWN: Final = 10
NOBODYS: Final = ("unallocated", "demand charge", "site")
Run = Mapping[str, Any]


def _runs(summary: Run) -> list[tuple[str, Run]]:
    return [(name, summary[name]) for name in (BASELINE, OPTIMIZED) if summary[name]]


def _minutes(seconds: float | None) -> str:
    return MISSING if seconds is None else number(seconds / S_PER_MIN, 1, "min")


def _hours(seconds: float | None) -> str:
    return MISSING if seconds is None else number(seconds / S_PER_H, 2, "h")


def _between(low: float | None, high: float | None) -> str:
    return f"{percent(low)} to {percent(high)}"


def jobs(summary: Run) -> Table:
    """Jobs, waits and utilisation of baseline and plan."""
    runs = _runs(summary)
    shown: list[tuple[str, Any]] = [
        ("jobs", lambda r: number(r["jobs_submitted"])),
        ("already running at the start", lambda r: number(r["jobs_warm"])),
        ("late against their deadline", lambda r: _deadlines(r["deadlines"])),
        ("stopped for others, to go on later", lambda r: number(r["jobs_stopped"])),
        ("GPU hours delivered", lambda r: number(r["gpu_hours"], 1)),
        ("GPU utilisation", lambda r: percent(r["utilisation_frac"])),
        ("goodput (work kept of completed jobs)", lambda r: percent(r["goodput_frac"])),
        (
            "IT energy of work that was cancelled, failed or killed",
            lambda r: percent(r["unfinished_work_frac"]),
        ),
        (
            "occupancy of servers",
            lambda r: _between(r["occupancy_frac"], r["occupancy_most_frac"]),
        ),
        (
            "servers out of service",
            lambda r: _between(
                r["out_of_service_server_least_frac"], r["out_of_service_server_frac"]
            ),
        ),
        ("mean planned delay", lambda r: _minutes(r["mean_deferred_s"])),
        (
            "demand response cycle (debug and inference), mean",
            lambda r: _minutes(r["demand_response_cycle_s"]),
        ),
        ("the same, 95th percentile", lambda r: _minutes(r["demand_response_cycle_p95_s"])),
        ("slowdown, median and mean", lambda r: _slowdown(r["slowdown"])),
        ("bounded slowdown, median and mean", lambda r: _slowdown(r["bounded_slowdown"])),
    ]
    return Table(
        ("", *(VARIANTS[name] for name, _ in runs)),
        [(label, *(text(run) for _, run in runs)) for label, text in shown],
        "Boards are simulated, their place in servers is not: occupancy and servers out of service "
        "(powered, without a job) lie between jobs packed on as few servers as hold them and every "
        "job on servers of its own. Slowdown is of jobs that ended; the mean is ruled by the shortest.",
    )


def _deadlines(found: Mapping[str, int]) -> str:
    return f"{number(found['missed'])} of {number(found['jobs'])}"


def _slowdown(spread: Mapping[str, float | None]) -> str:
    return f"{number(spread['p50'], 2)}, {number(spread['mean'], 1)}"


def ends(summary: Run) -> Table:
    """How jobs ended, with their GPU hours and IT energy; the sum row is all jobs submitted."""
    runs = _runs(summary)
    states = dict.fromkeys(state for _, run in runs for state in run["job_ends"])
    parts = (("job_ends", 1.0, 0), ("job_ends_gpu_h", 1.0, 0), ("job_ends_it_kwh", KWH_PER_MWH, 2))
    cells = [
        (
            state,
            *(
                number(run[part].get(state, 0) / by, dec)
                for _, run in runs
                for part, by, dec in parts
            ),
        )
        for state in states
    ]
    total = [
        number(sum(run[part].values()) / by, dec) for _, run in runs for part, by, dec in parts
    ]
    heads = [
        f"{VARIANTS[name]}: {head}" for name, _ in runs for head in ("jobs", "GPU h", "IT [MWh]")
    ]
    return Table(("end", *heads), [*cells, ("sum", *total)], total=True)


def waits(summary: Run) -> Table:
    """Waits of the run shown, of all jobs and by class."""
    name, run = _runs(summary)[-1]
    rows = [
        (
            of,
            number(row["jobs"]),
            *(_hours(row[key]) for key in ("mean_s", "p50_s", "p95_s", "p99_s", "max_s")),
            number(row["censored"]),
        )
        for of, row in run["waits"].items()
        if row["jobs"] or of == EVERY
    ]
    return Table(
        (
            f"waits, {VARIANTS[name]}",
            "jobs",
            "mean",
            "median",
            "95th percentile",
            "99th",
            "longest",
            "cut off by the end",
        ),
        rows,
        "Submission to first start, without a planned delay. A job that has not started counts with "
        "its wait so far, so where any is cut off the figures are lower bounds.",
    )


def tenants(frame: pd.DataFrame, variant: str) -> Table:
    """The ten tenants that took most IT energy, the rest, and what is nobody's, down to the site.

    Args:
        frame: `aidc.reporting.tenants.tenants` of the run.
        variant: the run.
    """
    sums = ["jobs", "gpu_h", *SUMS]
    of = frame[frame["account"] == TENANT].groupby("vc", sort=True)[sums].sum()
    of = of.sort_values("it_kwh", ascending=False, kind="stable")
    shown = [(str(vc), of.loc[vc]) for vc in of.index[:TENANTS_SHOWN]]
    if len(of) > TENANTS_SHOWN:
        rest = of.iloc[TENANTS_SHOWN:]
        shown.append((f"{number(len(rest))} others", rest.sum()))
    shown += [(name, frame[frame["account"] == name][sums].sum()) for name in NOBODYS]
    rows = [
        (
            label,
            number(row["jobs"]),
            number(row["gpu_h"], 0),
            number(row["it_kwh"] / KWH_PER_MWH, 2),
            number(row["overhead_kwh"] / KWH_PER_MWH, 2),
            number(row["kgco2e"] / KG_PER_T, 2),
            number(row["water_l"] / L_PER_M3, 1),
            number(row["cost_cny"], 0),
        )
        for label, row in shown
    ]
    return Table(
        (
            f"tenant, {VARIANTS[variant]}",
            "jobs",
            "GPU h",
            "IT [MWh]",
            "overhead [MWh]",
            "CO₂e of import [t]",
            "water [m³]",
            "cost [CNY]",
        ),
        rows,
        "Unallocated: boards that nobody held. Overhead, carbon, water and money follow IT power "
        "within each step; carbon is at the hourly intensity of the run, not the ledger's factor. "
        "By how jobs ended: tenants.csv.",
        total=True,
    )
