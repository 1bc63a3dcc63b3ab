"""Energy, carbon, water and money by tenant and by how jobs ended, down to the sum of the site."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.reporting.figures import costs
from aidc.reporting.study import Prices
from aidc.trace import ACCOUNTS, SHARES, Trace
from aidc.units import S_PER_H

SUMS: Final = ("it_kwh", *ACCOUNTS[1:])
COLUMNS: Final = ("account", "vc", "state", "jobs", "gpu_h", *SUMS)
TENANT: Final = "tenant"


def tenants(trace: Trace, prices: Mapping[str, Prices]) -> pd.DataFrame:
    """A row a tenant and end of its jobs, then the accounts that are nobody's, then the site.

    The rows above the last add up to the last: IT energy, overhead, carbon, water and money of the
    run. ``account`` is ``tenant``, ``unallocated`` (boards that nobody held), ``demand charge`` (it hangs
    on one step of the month and is not shared) or ``site``.

    Args:
        trace: the run.
        prices: by site.
    """
    jobs = trace.jobs
    (vc, names), (state, ends) = (
        pd.factorize(jobs[column].to_numpy(object), sort=True) for column in ("vc", "state")
    )
    width = max(len(ends), 1)
    key, rows = vc * width + state, len(names) * width
    gpu_h = jobs["ran_s"].to_numpy() * jobs["gpu_count"].to_numpy() / S_PER_H
    sums = {"jobs": np.bincount(key, minlength=rows)} | {
        name: np.bincount(key, weights=values, minlength=rows)
        for name, values in (
            ("gpu_h", gpu_h),
            *((name, jobs[share].to_numpy()) for name, share in zip(SUMS, SHARES, strict=True)),
        )
    }
    table = pd.DataFrame(
        {
            "account": TENANT,
            "vc": np.repeat(names, width),
            "state": np.tile(ends, len(names)),
            **sums,
        }
    )
    demand_cny = costs(trace, prices)["cost_demand_cny"]
    idle_gpu_h = float((trace.frame["gpus_allocatable"] - trace.frame["gpus_busy"]).sum())
    rest = [
        _row("unallocated", idle_gpu_h * trace.step_h, _of(trace, "unallocated")),
        _row("demand charge", 0.0, {"cost_cny": demand_cny}),
    ]
    whole = _of(trace, "meter")
    whole["cost_cny"] += demand_cny
    gpus = float(trace.frame["gpus_allocatable"].sum()) * trace.step_h
    rest.append(_row("site", gpus, whole) | {"jobs": len(jobs)})
    table = pd.concat([table[table["jobs"] > 0], pd.DataFrame(rest)], ignore_index=True)
    return table[list(COLUMNS)]


def _of(trace: Trace, account: str) -> dict[str, float]:
    return {
        name: trace.accounts[f"{account}_{what}"] for name, what in zip(SUMS, ACCOUNTS, strict=True)
    }


def _row(account: str, gpu_h: float, sums: Mapping[str, float]) -> dict[str, Any]:
    whole = dict.fromkeys(SUMS, 0.0) | dict(sums)
    return {"account": account, "vc": "", "state": "", "jobs": 0, "gpu_h": gpu_h, **whole}
