"""Waits by class in bins, so that runs of any length are told in the memory of one week.

Counts, means and the longest wait are exact. A percentile is the lower edge of the bin of its job, so it
is low by at most 0.6 s and 1 %, and a wait of nothing is nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from aidc.reporting.job_figures import EVERY

FIRST_S: Final = (
    60.0  # bin k begins at 60 s (1.01^k - 1): 0.6 s wide at first, 1 % of the wait later
)
GROWTH: Final = 1.01
PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class WaitBins:
    """Waits of some jobs.

    Attributes:
        jobs: how many.
        censored: of those, jobs that have not started; they count with the wait so far.
        sum_s: of all waits.
        max_s: the longest.
        bins: jobs by number of the bin, without the empty ones.
    """

    jobs: int
    censored: int
    sum_s: float
    max_s: float
    bins: Mapping[int, int]

    @classmethod
    def of(cls, wait_s: np.ndarray, censored: int) -> "WaitBins":
        """Those of an array, at least one."""
        place = np.log1p(wait_s / FIRST_S) / np.log(GROWTH)
        number, count = np.unique(np.floor(place + 1e-9).astype(np.int64), return_counts=True)
        bins = dict(zip(number.tolist(), count.tolist(), strict=True))
        return cls(len(wait_s), censored, float(wait_s.sum()), float(wait_s.max()), bins)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "WaitBins":
        """From JSON, whose keys are text."""
        return cls(**{**told, "bins": {int(k): n for k, n in told["bins"].items()}})

    @classmethod
    def merged(cls, parts: Iterable["WaitBins"]) -> "WaitBins":
        """All of some, at least one."""
        every = list(parts)
        bins: dict[int, int] = {}
        for part in every:
            for number, count in part.bins.items():
                bins[number] = bins.get(number, 0) + count
        return cls(
            sum(part.jobs for part in every),
            sum(part.censored for part in every),
            sum(part.sum_s for part in every),
            max(part.max_s for part in every),
            dict(sorted(bins.items())),
        )

    def figures(self) -> dict[str, float]:
        """Names as in the report of a run in one piece."""
        upto = np.cumsum(list(self.bins.values()))
        edges_s = FIRST_S * (GROWTH ** np.array(list(self.bins), np.float64) - 1.0)
        rank = [(self.jobs - 1) * percent // 100 for percent in PERCENTILES]
        at_s = edges_s[np.searchsorted(upto, rank, "right")]
        return {
            "jobs": self.jobs,
            "censored": self.censored,
            "mean_s": self.sum_s / self.jobs,
            **{f"p{p}_s": float(value) for p, value in zip(PERCENTILES, at_s, strict=True)},
            "max_s": self.max_s,
        }


def by_class(jobs: pd.DataFrame) -> dict[str, WaitBins]:
    """Waits of new jobs that were not refused, by class; of rows of `aidc.trace.Trace.jobs`."""
    new = ~jobs["warm"].to_numpy(bool) & (jobs["state"].to_numpy(object) != "refused")
    told = {}
    for name, mine in jobs[new].groupby("class", sort=True):
        open_ = int(mine["start_s"].isna().sum())
        told[str(name)] = WaitBins.of(mine["wait_s"].to_numpy(np.float64), open_)
    return told


def wait_figures(weeks: Iterable[Mapping[str, WaitBins]]) -> dict[str, dict[str, float]]:
    """Figures of all jobs and of every class, over all weeks."""
    found: dict[str, list[WaitBins]] = {}
    for week in weeks:
        for name, bins in week.items():
            found.setdefault(name, []).append(bins)
    if not found:
        return {}
    whole = {name: WaitBins.merged(found[name]) for name in sorted(found)}
    every = WaitBins.merged(whole.values())
    return {EVERY: every.figures(), **{name: bins.figures() for name, bins in whole.items()}}
