"""What the jobs of a cluster look like: published moments, and the distributions fitted to them.

GPU counts lie on powers of two with geometric weights; run times are lognormal and cut at a
longest run; a Gaussian copula ties the two, so that GPU time per job is as published (independent
draws make half the load). A second correlation ties the end state to the run time: of all
Helios jobs 22 % were cancelled, and with them 39 % of the GPU time. That leaves failed jobs with
6 % of it, where 9 % are published.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from aidc.catalog import row
from aidc.config import Frac, Number
from aidc.equipment import Row
from aidc.errors import CatalogError, Fault
from aidc.job import FloatColumn, IntColumn
from aidc.units import S_PER_DAY

_SHARES_SUM_WITHIN: Final = 0.005  # published shares are rounded to three digits
_Z: Final = np.linspace(-9.0, 9.0, 8001)  # standard normal of the run time
_DENSITY: Final = np.exp(-_Z * _Z / 2) / np.exp(-_Z * _Z / 2).sum()


class Profile(Row):
    """Moments of a cluster's GPU jobs: ``models/workload_profiles.csv``."""

    gpu_count_min: int = Field(ge=1)  # a power of two; also the median
    gpu_count_max: int = Field(ge=1)
    gpu_count_mean: Number = Field(gt=0)
    run_median_s: Number = Field(gt=0)
    run_mean_s: Number = Field(gt=0)
    run_max_s: Number = Field(gt=0)  # runs are cut here; the mean is of cut runs
    gpu_s_per_job: Number = Field(gt=0)
    completed_frac: Frac = Field(ge=0, le=1)
    cancelled_frac: Frac = Field(gt=0, lt=1)
    failed_frac: Frac = Field(gt=0, lt=1)
    cancelled_gpu_time_frac: Frac = Field(gt=0, lt=1)
    training_frac: Frac = Field(ge=0, le=1)
    fine_tune_frac: Frac = Field(ge=0, le=1)
    inference_frac: Frac = Field(ge=0, le=1)
    debug_frac: Frac = Field(ge=0, le=1)
    limit_factor: Number = Field(ge=1)  # limit that users ask for over the run time
    user_count: int = Field(ge=1)
    vc_count: int = Field(ge=1)
    arrival_shape: str = Field(min_length=1)
    burst_jobs_mean: Number | None = Field(
        default=None, gt=1
    )  # jobs that one user submits in a row
    burst_gap_mean_s: Number | None = Field(default=None, gt=0)  # between two of them

    @property
    def size_run_factor(self) -> float:
        """GPU time per job over mean GPUs times mean run time; 1 if size and run were independent."""
        return self.gpu_s_per_job / (self.gpu_count_mean * self.run_mean_s)

    @property
    def class_shares(self) -> dict[str, float]:
        """Share of jobs by power class."""
        return {
            "training": self.training_frac,
            "fine-tune": self.fine_tune_frac,
            "inference": self.inference_frac,
            "debug": self.debug_frac,
        }

    @model_validator(mode="after")
    def _makes_sense(self) -> "Profile":
        states = self.completed_frac + self.cancelled_frac + self.failed_frac
        for what, total in (("end states", states), ("classes", sum(self.class_shares.values()))):
            if abs(total - 1) > _SHARES_SUM_WITHIN:
                raise ValueError(f"the shares of {what} add up to {total:g}, not to 1")
        for count in (self.gpu_count_min, self.gpu_count_max):
            if count & (count - 1):
                raise ValueError(f"{count} GPUs is not a power of two")
        if not self.gpu_count_min < self.gpu_count_mean < self.gpu_count_max:
            raise ValueError("gpu_count_mean is not between gpu_count_min and gpu_count_max")
        if not self.run_median_s < self.run_mean_s < self.run_max_s:
            raise ValueError("run_mean_s is not between run_median_s and run_max_s")
        if (self.burst_jobs_mean is None) != (self.burst_gap_mean_s is None):
            raise ValueError("bursts need both burst_jobs_mean and burst_gap_mean_s, or neither")
        return self


@dataclass(frozen=True, slots=True)
class Fit:
    """Distributions that have a profile's moments, as functions of three standard normals.

    Attributes:
        gpu_counts: sizes, shape (k,).
        size_cuts: normal scores between the sizes, shape (k - 1,).
        run_median_s: median run time.
        run_max_s: where runs are cut.
        sigma: of the logarithm of the uncut run time.
        size_correlation: between the normal scores of size and run time.
        state_correlation: between the normal scores of end state and run time.
        failed_below: end-state scores below this failed.
        cancelled_above: end-state scores above this were cancelled.
    """

    gpu_counts: IntColumn
    size_cuts: FloatColumn
    run_median_s: float
    run_max_s: float
    sigma: float
    size_correlation: float
    state_correlation: float
    failed_below: float
    cancelled_above: float

    def run_s(self, z: FloatColumn) -> FloatColumn:
        """Run times at normal scores z [s]."""
        return np.minimum(self.run_median_s * np.exp(self.sigma * z), self.run_max_s)


def load_profile(name: str) -> Profile:
    """A profile of the catalog.

    Raises:
        CatalogError: no such row, or a fault in the file.
    """
    return row("workload_profiles", Profile, name)


def offered_gpus(profile: Profile, jobs_per_day: float) -> float:
    """GPUs that the jobs keep busy on average, were there no limit to them."""
    return profile.gpu_s_per_job * jobs_per_day / S_PER_DAY


@functools.cache
def fit(profile: Profile) -> Fit:
    """The distributions with the profile's means, medians, GPU time and end states.

    Each of the four parameters is found from one moment, in turn, by quadrature on a fixed grid.

    Raises:
        CatalogError: a moment that no parameter reaches; the message has the range.
    """
    from scipy.special import ndtr, ndtri

    sizes = profile.gpu_count_min * 2 ** np.arange(
        (profile.gpu_count_max // profile.gpu_count_min).bit_length()
    )
    ratio = _root(
        lambda r: float(_size_weights(r, len(sizes)) @ sizes), profile.gpu_count_mean,
        (1e-9, 2.0), profile, "gpu_count_mean",
    )  # fmt: skip
    cuts = ndtri(np.cumsum(_size_weights(ratio, len(sizes)))[:-1])
    sigma = _root(
        lambda s: float(_DENSITY @ _cut_run_s(profile, s)), profile.run_mean_s,
        (0.01, 8.0), profile, "run_mean_s",
    )  # fmt: skip
    run_s = _cut_run_s(profile, sigma)

    def gpu_s(correlation: float) -> FloatColumn:
        """GPU time at each run time, weighted by how often that run time is."""
        rest = np.sqrt(1 - correlation**2)
        below = ndtr((cuts[:, None] - correlation * _Z) / rest)
        shares = np.diff(below, axis=0, prepend=0.0, append=1.0)
        return np.asarray(_DENSITY * run_s * (sizes @ shares))

    size_correlation = _root(
        lambda c: float(gpu_s(c).sum()), profile.gpu_s_per_job, (-0.99, 0.99), profile, "gpu_s_per_job"
    )  # fmt: skip
    gpu_time = gpu_s(size_correlation) / gpu_s(size_correlation).sum()
    states = profile.completed_frac + profile.cancelled_frac + profile.failed_frac
    cancelled_above = float(ndtri(1 - profile.cancelled_frac / states))
    state_correlation = _root(
        lambda c: float(gpu_time @ ndtr((c * _Z - cancelled_above) / np.sqrt(1 - c**2))),
        profile.cancelled_gpu_time_frac, (-0.99, 0.99), profile, "cancelled_gpu_time_frac",
    )  # fmt: skip
    return Fit(
        gpu_counts=sizes.astype(np.int64),
        size_cuts=cuts,
        run_median_s=profile.run_median_s,
        run_max_s=profile.run_max_s,
        sigma=sigma,
        size_correlation=size_correlation,
        state_correlation=state_correlation,
        failed_below=float(ndtri(profile.failed_frac / states)),
        cancelled_above=cancelled_above,
    )


def _size_weights(ratio: float, count: int) -> NDArray[np.float64]:
    """Geometric weights; where they would lift the median, half of the jobs have the least size."""
    weights = np.power(ratio, np.arange(count), dtype=np.float64)
    weights /= weights.sum()
    if weights[0] < 0.5:
        weights[1:] *= 0.5 / weights[1:].sum()
        weights[0] = 0.5
    return weights


def _cut_run_s(profile: Profile, sigma: float) -> FloatColumn:
    """Run times on the grid of normal scores, cut at the longest."""
    return np.minimum(profile.run_median_s * np.exp(sigma * _Z), profile.run_max_s)


def _root(
    moment: Callable[[float], float],
    wanted: float,
    between: tuple[float, float],
    profile: Profile,
    column: str,
) -> float:
    """Where a moment that rises with its parameter has the wanted value."""
    from scipy.optimize import brentq

    low, high = moment(between[0]), moment(between[1])
    if not low < wanted < high:
        message = f"{wanted:g} cannot be reached: the other columns leave {low:.6g} to {high:.6g}"
        place = f"{profile.name}: {column}"
        raise CatalogError(Fault("models/workload_profiles.csv", 0, 0, place, message))
    return float(brentq(lambda x: moment(x) - wanted, *between, xtol=1e-12))
