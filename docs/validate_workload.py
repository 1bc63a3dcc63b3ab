"""Writes docs/workload-validation.md and .png: generated jobs against real traces, untuned.

Run from the project's root with AIDC_REAL_DATA set: ``python docs/validate_workload.py``
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, wasserstein_distance

from aidc import catalog
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.simulation.policies.easy_backfill import EasyBackfill
from aidc.simulation.pool import Pool
from aidc.site import Site
from aidc.workload.generator import generate
from aidc.workload.profile import Profile, load_profile

PAGE = Path(__file__).with_name("workload-validation.md")
CHART = PAGE.with_suffix(".png")
SITE = "reference-iec"  # its pool takes every job; power is not looked at
BURSTS = "research-cluster-bursts"
EARTH = "Helios Earth, 16 VCs"
OUTAGES = (("2020-05-09 20:00", "2020-05-12 00:00"), ("2020-05-12 13:00", "2020-05-12 18:00"))
DAY_S, H_S = 86_400, 3_600

# Stated before any distance was computed; none was changed afterwards.
TOLERANCES = {
    "run time, Kolmogorov-Smirnov": (0.10, "", "the greatest gap between the two distribution functions"),
    "run time at 50, 90, 99 %, greatest ratio": (2.0, "x", "queues and energy follow the long runs, which one month knows to a factor"),
    "GPUs a job, Wasserstein over mean": (0.25, "", "GPUs that would have to move, over the trace's mean"),
    "GPU time a job, ratio": (1.25, "x", "what the load of a site hangs on"),
    "time between jobs, Kolmogorov-Smirnov": (0.10, "", "as for run time"),
    "time between jobs, CV, ratio": (1.5, "x", "1 for Poisson at a constant rate"),
    "jobs a day, CV, ratio": (1.5, "x", "busy and quiet days"),
    "hour of day, mean difference": (0.25, "", "the arrival shape says of itself that it is good to a quarter"),
    "weekday, mean difference": (0.25, "", "the same"),
    "GPUs at work, mean, ratio": (1.25, "x", "as if every job began on arrival"),
    "GPUs at work by the hour, CV, ratio": (1.5, "x", "how restless the load is"),
}  # fmt: skip
EARTH_TOLERANCES = {
    "utilisation by hour of day, mean difference": (0.02, "", "the month's swing is -0.05 to +0.03 about its mean"),
    "utilisation by the hour, CV, ratio": (1.5, "x", "how restless the load is"),
}  # fmt: skip


@dataclass(frozen=True)
class Jobs:
    """Jobs of a trace or of one seed, in order: seconds from a local midnight, GPUs, run time."""

    submit_s: np.ndarray
    gpus: np.ndarray
    run_s: np.ndarray
    start: datetime
    days: int

    @property
    def gaps_s(self) -> np.ndarray:
        return np.diff(self.submit_s)

    @property
    def by_day(self) -> np.ndarray:
        return np.histogram(self.submit_s, np.arange(self.days + 1) * DAY_S)[0]

    @property
    def by_hour(self) -> np.ndarray:
        hour = (self.submit_s // H_S).astype(int) % 24
        return np.bincount(hour, minlength=24) * 24 / len(hour)

    @property
    def by_weekday(self) -> np.ndarray:
        """Jobs a day on each weekday over their mean."""
        weekday = (self.start.weekday() + np.arange(self.days)) % 7
        mean = np.array([self.by_day[weekday == day].mean() for day in range(7)])
        return mean / mean.mean()

    def busy_gpus(self) -> np.ndarray:
        """Mean GPUs at work in each hour, had every job begun on arrival."""
        return busy_by_hour(self.submit_s, self.submit_s + self.run_s, self.gpus, self.days)

    def part(self, first: int, days: int) -> "Jobs":
        inside = (self.submit_s >= first * DAY_S) & (self.submit_s < (first + days) * DAY_S)
        return Jobs(
            self.submit_s[inside] - first * DAY_S, self.gpus[inside], self.run_s[inside],
            self.start + timedelta(days=first), days,
        )  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """A real trace, and the profile that was published of its cluster."""

    name: str
    jobs: Jobs
    profile: str
    seeds: int


@dataclass(frozen=True)
class Check:
    """One distance between a trace and what is generated."""

    trace: str
    generator: str
    quantity: str
    tolerance: float
    ours: float
    halves: float | None
    unit: str

    @property
    def passed(self) -> bool:
        return bool(self.ours <= self.tolerance)


def busy_by_hour(begin_s: np.ndarray, end_s: np.ndarray, gpus: np.ndarray, days: int) -> np.ndarray:
    """Mean GPUs in each hour of ``days``: the integral of a staircase, exact."""
    at = np.concatenate([begin_s, end_s])
    step = np.concatenate([gpus, -gpus]).astype(float)
    order = np.argsort(at, kind="stable")
    at, level = at[order], np.cumsum(step[order])
    gpu_s = np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(at))])
    edges = np.arange(days * 24 + 1) * float(H_S)
    return np.diff(np.interp(edges, at, gpu_s)) / H_S


def helios(real_data: Path) -> Trace:
    rows = pd.read_csv(real_data / "jobs/helios_venus_2vc_2020-09.csv.gz")
    jobs = _jobs(rows["submit_time"], rows["gpu_num"], rows["duration"], datetime(2020, 9, 1), 26)  # noqa: DTZ001
    return Trace("Helios Venus, 2 of 25 VCs", jobs, "helios-venus", 40)


def philly(real_data: Path) -> Trace:
    rows = pd.read_csv(real_data / "jobs/philly_jobs_2017.csv.gz").drop_duplicates()
    jobs = _jobs(rows["timestamp"], rows["num_gpus"], rows["duration"], datetime(2017, 10, 1), 61)  # noqa: DTZ001
    return Trace("Philly, October and November", jobs, "philly", 3)


def _jobs(times: pd.Series, gpus: pd.Series, run_s: pd.Series, start: datetime, days: int) -> Jobs:
    at = (pd.to_datetime(times) - pd.Timestamp(start)).dt.total_seconds().to_numpy(float)
    inside = np.flatnonzero((at >= 0) & (at < days * DAY_S))
    inside = inside[np.argsort(at[inside], kind="stable")]
    return Jobs(at[inside], gpus.to_numpy()[inside], run_s.to_numpy(float)[inside], start, days)


def own_moments(profile: Profile, jobs: Jobs) -> Profile:
    """The profile with the trace's own moments: what is left is the form of the distributions."""
    return Profile(
        **(
            profile.model_dump()
            | {
                "gpu_count_min": 2 ** int(np.log2(np.median(jobs.gpus))),
                "gpu_count_max": 2 ** int(np.ceil(np.log2(jobs.gpus.max()))),
                "gpu_count_mean": float(jobs.gpus.mean()),
                "run_median_s": float(np.median(jobs.run_s)),
                "run_mean_s": float(jobs.run_s.mean()),
                "run_max_s": float(jobs.run_s.max()),
                "gpu_s_per_job": float((jobs.gpus * jobs.run_s).mean()),
            }
        )
    )


def with_bursts(profile: Profile) -> Profile:
    bursts = load_profile(BURSTS).model_dump(include={"burst_jobs_mean", "burst_gap_mean_s"})
    return profile.model_copy(update=bursts)


def drawn(profile: Profile, like: Jobs, seeds: int) -> list[Jobs]:
    """Generated jobs at the trace's rate over its dates, a table a seed."""
    zone = ZoneInfo("Asia/Shanghai")
    start = like.start.replace(tzinfo=zone)
    horizon = Horizon(start, start + timedelta(days=like.days), 60, "Asia/Shanghai")
    site = Site.model_validate(catalog.document("sites", SITE).data, context=catalog.TABLES)
    tables = (
        generate(
            profile, len(like.submit_s) / like.days, horizon, (site,), seed,
            ramp=(1.0, 1.0), warm_start="empty",
        )
        for seed in range(1, seeds + 1)
    )  # fmt: skip
    return [Jobs(t.submit_s, t.gpu_count, t.run_s, like.start, like.days) for t in tables]


def cv(values: np.ndarray) -> float:
    return float(values.std() / values.mean())


def ratio(one: float, two: float) -> float:
    """The greater over the smaller."""
    return max(one, two) / min(one, two)


def distances(trace: Jobs, made: list[Jobs]) -> dict[str, float]:
    """Every distance of ``TOLERANCES``; seeds are pooled, or their mean is taken."""

    def pooled(of: Callable[[Jobs], np.ndarray]) -> np.ndarray:
        return np.concatenate([of(jobs) for jobs in made])

    def mean(of: Callable[[Jobs], float | np.ndarray]) -> np.ndarray:
        return np.mean([of(jobs) for jobs in made], axis=0)

    run_s, gpus, gaps_s = (
        pooled(lambda j: j.run_s),
        pooled(lambda j: j.gpus),
        pooled(lambda j: j.gaps_s),
    )
    run_ratios = np.quantile(trace.run_s, (0.5, 0.9, 0.99)) / np.quantile(run_s, (0.5, 0.9, 0.99))
    gpu_s = pooled(lambda j: j.gpus * j.run_s)
    found = (
        ks_2samp(trace.run_s, run_s).statistic,
        np.exp(np.abs(np.log(run_ratios)).max()),
        wasserstein_distance(trace.gpus, gpus) / trace.gpus.mean(),
        ratio((trace.gpus * trace.run_s).mean(), gpu_s.mean()),
        ks_2samp(trace.gaps_s, gaps_s).statistic,
        ratio(cv(trace.gaps_s), mean(lambda j: cv(j.gaps_s))),
        ratio(cv(trace.by_day), mean(lambda j: cv(j.by_day))),
        np.abs(trace.by_hour - mean(lambda j: j.by_hour)).mean(),
        np.abs(trace.by_weekday - mean(lambda j: j.by_weekday)).mean(),
        ratio(trace.busy_gpus().mean(), mean(lambda j: j.busy_gpus().mean())),
        ratio(cv(trace.busy_gpus()), mean(lambda j: cv(j.busy_gpus()))),
    )  # fmt: skip
    return dict(zip(TOLERANCES, map(float, found), strict=True))


ARRIVALS = tuple(TOLERANCES)[4:9]
SIZES = tuple(TOLERANCES)[:4]


@dataclass(frozen=True)
class Study:
    """A trace with what is generated for it."""

    trace: Trace
    made: dict[str, list[Jobs]]  # by name of the generator


def studies(real_data: Path) -> list[Study]:
    found = []
    for trace in (helios(real_data), philly(real_data)):
        published = load_profile(trace.profile)
        variants = {
            "as published": published,
            "own moments": own_moments(published, trace.jobs),
            "with bursts": with_bursts(published),
        }
        found.append(
            Study(trace, {name: drawn(p, trace.jobs, trace.seeds) for name, p in variants.items()})
        )
    return found


def checks(found: list[Study], earth: "Earth") -> Iterator[Check]:
    """Every distance with its tolerance, and the same distance between the trace's two halves."""
    for study in found:
        jobs, name = study.trace.jobs, study.trace.name
        weeks = jobs.days // 14 * 7  # whole weeks, so that both halves have the same weekdays
        halves = distances(jobs.part(0, weeks), [jobs.part(weeks, weeks)])
        for generator, asked in (
            ("as published", tuple(TOLERANCES)),
            ("own moments", (*SIZES, *tuple(TOLERANCES)[9:])),
            ("with bursts", ARRIVALS),
        ):
            ours = distances(jobs, study.made[generator])
            for quantity in asked:
                tolerance, unit, _ = TOLERANCES[quantity]
                yield Check(
                    name, generator, quantity, tolerance, ours[quantity], halves[quantity], unit
                )
    yield from earth.checks()


@dataclass(frozen=True)
class Earth:
    """Utilisation of Helios Earth in May 2020 beside that of generated jobs at the same load."""

    real: np.ndarray  # by the hour, nan where masked
    made: dict[str, list[np.ndarray]]  # without a limit of GPUs, and through a queue

    @staticmethod
    def swing(hours: np.ndarray) -> np.ndarray:
        """Mean by hour of day less the mean of all."""
        by_day = hours.reshape(-1, 24)
        return np.nanmean(by_day, axis=0) - np.nanmean(by_day)

    @staticmethod
    def cv(hours: np.ndarray) -> float:
        return float(np.nanstd(hours) / np.nanmean(hours))

    def made_cv(self, name: str) -> float:
        return float(np.mean([self.cv(hours) for hours in self.made[name]]))

    def checks(self) -> Iterator[Check]:
        for name, made in self.made.items():
            swing = np.mean([self.swing(hours) for hours in made], axis=0)
            found = (
                np.abs(self.swing(self.real) - swing).mean(),
                ratio(self.cv(self.real), self.made_cv(name)),
            )
            for (quantity, (tolerance, unit, _)), ours in zip(
                EARTH_TOLERANCES.items(), found, strict=True
            ):
                yield Check(EARTH, name, quantity, tolerance, float(ours), None, unit)


def earth_of(real_data: Path) -> Earth:
    """May 2020 without its outages; generated jobs start warm, at the load of the trace."""
    rows = pd.read_csv(real_data / "jobs/helios_earth_16vc_total_1min_2020-05.csv.gz")
    time = pd.to_datetime(rows["time"])
    used = (rows["running_gpu_num"] / rows["total_gpu_num"]).where(
        ~np.logical_or.reduce([time.between(*outage) for outage in OUTAGES])
    )
    real = used.groupby(np.arange(len(used)) // 60).mean().to_numpy()
    total = int(rows["total_gpu_num"].iloc[0])
    start = datetime(2020, 5, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    horizon = Horizon(start, start + timedelta(days=31), 60, "Asia/Shanghai")
    profile = load_profile("helios-earth")
    per_day = float(np.nanmean(real)) * total * DAY_S / profile.gpu_s_per_job
    site = Site.model_validate(catalog.document("sites", SITE).data, context=catalog.TABLES)
    servers = total // site.pools[0].server.gpu_count
    pool = site.pools[0].model_copy(update={"server_count": servers})
    site = site.model_copy(update={"pools": (pool,)})
    made: dict[str, list[np.ndarray]] = {"no limit": [], "queued": []}
    for seed in range(1, 9):
        jobs = generate(
            profile, per_day, horizon, (site,), seed, ramp=(1.0, 1.0), warm_start="stationary"
        )
        for name, start_s in (("no limit", jobs.submit_s), ("queued", queued_s(jobs, total))):
            runs = np.isfinite(start_s)
            begin_s, run_s = start_s[runs], jobs.run_s[runs]
            busy = busy_by_hour(begin_s, begin_s + run_s, jobs.gpu_count[runs], 31)
            made[name].append(np.where(np.isnan(real), np.nan, busy / total))
    return Earth(real, made)


def queued_s(jobs: JobTable, capacity: int) -> np.ndarray:
    """Start of each job in one pool under EASY backfill, nan where it has not begun by the last arrival."""
    pool = Pool(capacity, jobs, jobs.submit_s, EasyBackfill(jobs))
    pool.play(float(jobs.submit_s[-1]))
    return pool.start_s


STYLE = {  # colour and line of each generator
    "as published": ("#1f77b4", "-"),
    "own moments": ("#d95f02", "--"),
    "with bursts": ("#1b9e77", "-."),
    "no limit": ("#1f77b4", "-"),
    "queued": ("#7b3294", "-"),
}
TRACE_COLOUR = "#222222"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def chart(found: list[Study], earth: Earth, path: Path) -> None:
    """Small multiples: a column a trace, a row a quantity, and Earth's utilisation below."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(6, 2, figsize=(10, 17), layout="constrained")
        for column, study in enumerate(found):
            rows = axes[:, column]
            _lines(rows[0], study, lambda j: j.run_s, ("as published", "own moments"))
            rows[0].set(xscale="log", xlim=(1, 5e6), xlabel="run time [s]", title=study.trace.name)
            _lines(rows[1], study, lambda j: j.gpus, ("as published", "own moments"))
            rows[1].set_xscale("log", base=2)
            rows[1].set(xlim=(0.8, 300), xlabel="GPUs of a job", xticks=2 ** np.arange(9))
            rows[1].set_xticklabels([str(2**k) for k in range(9)])
            _lines(rows[2], study, lambda j: j.gaps_s + 1, ("as published", "with bursts"))
            rows[2].set(xscale="log", xlim=(1, 2e5), xlabel="time to the next job + 1 s [s]")
            for axis in rows[:3]:
                axis.set(ylabel="share of jobs below", ylim=(0, 1.01))
            _steps(rows[3], study, lambda j: j.by_hour)
            rows[3].set(xlabel="local hour of day", xticks=range(0, 25, 3), xlim=(-0.5, 23.5))
            _steps(rows[4], study, lambda j: j.by_weekday)
            rows[4].set(xticks=range(7), xticklabels=WEEKDAYS)
            for axis in rows[3:5]:
                axis.set(ylabel="jobs over their mean", ylim=(0, None))
            for axis in rows[:5]:
                axis.legend(frameon=False, fontsize=8)
        _earth(axes[5], earth)
        for axis in axes.flat:
            axis.grid(visible=True, alpha=0.25)
        figure.savefig(path, dpi=100, metadata={"Software": None})
        plt.close(figure)


def _lines(axis, study: Study, of: Callable[[Jobs], np.ndarray], names: tuple[str, ...]) -> None:
    """Distribution functions of the trace and of the generators, seeds pooled."""
    samples = {name: np.concatenate([of(jobs) for jobs in study.made[name]]) for name in names}
    for name, values in {"trace": of(study.trace.jobs), **samples}.items():
        colour, line = STYLE.get(name, (TRACE_COLOUR, "-"))
        points = np.unique(np.quantile(values, np.linspace(0, 1, 400)))
        share = np.searchsorted(np.sort(values), points, side="right") / len(values)
        axis.step(
            points, share, where="post", color=colour, linestyle=line, label=name,
            linewidth=2.2 if name == "trace" else 1.5,
        )  # fmt: skip


def _steps(axis, study: Study, of: Callable[[Jobs], np.ndarray]) -> None:
    """A cyclic shape: bars for the trace, a line for the generator."""
    real = of(study.trace.jobs)
    made = np.mean([of(jobs) for jobs in study.made["as published"]], axis=0)
    axis.bar(range(len(real)), real, color="#bbbbbb", label="trace")
    axis.step(
        range(len(real)), made, where="mid", color=STYLE["as published"][0], label="as published"
    )


def _earth(axes: np.ndarray, earth: Earth) -> None:
    """Utilisation by hour of day, and how often each level occurs."""
    bins = np.linspace(0.2, 1.2, 51)
    axes[0].plot(earth.swing(earth.real), color=TRACE_COLOUR, linewidth=2.2, label="trace")
    axes[1].hist(
        earth.real[~np.isnan(earth.real)], bins, density=True, color="#bbbbbb", label="trace"
    )
    for name, made in earth.made.items():
        colour, _ = STYLE[name]
        swing = np.array([earth.swing(hours) for hours in made])
        axes[0].plot(swing.mean(axis=0), color=colour, label=f"helios-earth, {name}")
        axes[0].fill_between(
            range(24), swing.min(axis=0), swing.max(axis=0), color=colour, alpha=0.15
        )
        hours = np.concatenate(made)
        axes[1].hist(
            hours[~np.isnan(hours)], bins, density=True, histtype="step", linewidth=1.5,
            color=colour, label=f"helios-earth, {name}",
        )  # fmt: skip
    axes[0].set(
        title=f"{EARTH}, May 2020 (bands: seeds)", xlabel="local hour of day",
        xticks=range(0, 25, 3), ylabel="GPU utilisation less its mean",
    )  # fmt: skip
    axes[1].set(
        title=f"{EARTH}, May 2020", xlabel="GPU utilisation of an hour", ylabel="hours, density"
    )
    for axis in axes:
        axis.legend(frameon=False, fontsize=8)


def written(value: float) -> str:
    """Three significant digits, thousands apart."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def figures(jobs: Jobs) -> list[float]:
    """What a reader wants to see of a table of jobs."""
    busy = jobs.busy_gpus()
    return [
        len(jobs.submit_s) / jobs.days,
        *np.quantile(jobs.run_s, (0.5, 0.9, 0.99)),
        jobs.run_s.mean(),
        jobs.gpus.mean(),
        (jobs.gpus * jobs.run_s).mean() / H_S,
        cv(jobs.gaps_s),
        cv(jobs.by_day),
        busy.mean(),
        cv(busy),
    ]


def figure_table(found: list[Study]) -> list[str]:
    """Figures of traces, their halves and generated jobs; means over seeds."""
    heads = (
        "jobs a day", "run p50 s", "p90 s", "p99 s", "mean s", "GPUs", "GPU-h a job", "gap CV",
        "jobs-a-day CV", "GPUs at work", "their CV",
    )  # fmt: skip
    lines = [f"| jobs | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for study in found:
        jobs = study.trace.jobs
        weeks = jobs.days // 14 * 7
        rows = {
            "trace": [jobs],
            "trace, first half": [jobs.part(0, weeks)],
            "trace, second half": [jobs.part(weeks, weeks)],
            **study.made,
        }
        for name, tables in rows.items():
            mean = np.mean([figures(table) for table in tables], axis=0)
            lines.append(f"| {study.trace.name}: {name} | {' | '.join(map(written, mean))} |")
    return lines


def check_table(all_checks: list[Check]) -> list[str]:
    """The checks as lines of the page."""
    lines = [
        "| trace | generated | distance | tolerance | ours | the trace's halves | |",
        "|---|---|---|---|---|---|---|",
    ]
    for c in all_checks:
        halves = "-" if c.halves is None else f"{written(c.halves)} {c.unit}".strip()
        tolerance, ours = (f"{written(v)} {c.unit}".strip() for v in (c.tolerance, c.ours))
        result = "pass" if c.passed else "**FAIL**"
        lines.append(
            f"| {c.trace} | {c.generator} | {c.quantity} | {tolerance} | {ours} | {halves} | {result} |"
        )
    return lines


def page(found: list[Study], earth: Earth) -> str:
    """The whole page."""
    all_checks = list(checks(found, earth))
    passed = sum(c.passed for c in all_checks)
    why = [
        f"| {quantity} | {written(tolerance)} {unit} | {reason} |"
        for quantity, (tolerance, unit, reason) in {**TOLERANCES, **EARTH_TOLERANCES}.items()
    ]
    closer = sum(c.halves is not None and c.ours < c.halves for c in all_checks)
    halved = sum(c.halves is not None for c in all_checks)
    flat = float(np.abs(Earth.swing(earth.real)).mean())
    no_limit, queued = (written(earth.made_cv(name)) for name in ("no limit", "queued"))
    return "\n".join(
        [
            "# Validation of the generated workload",
            "",
            "Written by `docs/validate_workload.py` from real traces. Tolerances were stated before any distance was computed, and no",
            f"parameter is tuned to them: **{passed} of {len(all_checks)} pass, {len(all_checks) - passed} fail.**",
            "",
            "![Distributions of traces and generated jobs](workload-validation.png)",
            "",
            "## What is compared",
            "",
            "* **Traces.** Helios Venus, two of its 25 virtual clusters, 1 to 26 September 2020 (HeliosData, CC-BY-4.0): one user of twelve",
            "  submitted 58 % of the jobs. Philly, October and November 2017 (msr-fiddle/philly-traces, CC-BY-4.0, a conversion of it; the",
            "  file is thin at both ends and holds some rows twice, which count once); its hours may be in another zone. Helios Earth, 16 virtual",
            "  clusters, May 2020, by the minute (HeliosArtifact); the two outages are masked.",
            "* **As published**: `helios-venus` and `philly`, profiles from published summaries of the whole clusters, at the trace's rate.",
            "* **Own moments**: the same with the trace's own mean, median and maximum of run time and GPUs and its GPU time a job. What is left",
            "  is the form: lognormal runs, powers of two, one correlation.",
            f"* **With bursts**: as published, with the bursts of `{BURSTS}` (measured on the Helios trace, so foreign to Philly).",
            "* **The trace's halves**: the same distance between the first and the second half of the trace, in whole weeks. A distance below it",
            "  means that the generator tells more of the trace than the trace's own past does.",
            "* **Earth**: `helios-earth` at the trace's mean load, each job at work from its arrival (*no limit*), and the same jobs through one pool",
            "  of the trace's GPUs under EASY backfill (*queued*). The queue was added after the first run of this page: no utilisation passes 1.",
            "* *GPUs at work* counts every job from its arrival, in traces and generated jobs alike: queues would hide the load.",
            "* Not independent: the weekdays of the arrival shape come from Philly, its hours from Helios Earth, the bursts from Helios Venus.",
            "",
            "## Tolerances",
            "",
            "| distance | tolerance | why |",
            "|---|---|---|",
            *why,
            "",
            "## Results",
            "",
            *check_table(all_checks),
            "",
            f"Of {halved} distances that have halves beside them, {closer} are smaller than between the halves. On Earth a flat day would be off by",
            f"{written(flat)}; the CV of hourly utilisation is {written(Earth.cv(earth.real))} in the trace, {no_limit} without a",
            f"limit of GPUs and {queued} through the queue.",
            "",
            "## Figures",
            "",
            *figure_table(found),
            "",
            *WORDS,
            "",
        ]
    )


WORDS = (
    "## What follows",
    "",
    "* **Sizes and run times.** With a trace's own moments the form holds to a factor of two in run time, and in GPU time a job, which the fit",
    "  matches, to a few per cent; the distribution functions still part by more than the tolerance. Real requests cluster where ours spread:",
    "  three in ten of the Helios jobs take 112 to 144 GPUs, and nine in ten on Philly take one. Published moments of a whole cluster describe",
    "  neither two of its virtual clusters nor two of its months well. Use the moments of the site.",
    "* **Arrivals.** Poisson is far too smooth. Bursts of one user bring the CV of the gaps inside the tolerance, also on Philly, where they",
    "  were not measured; the distribution of short gaps stays off. They are off by default, and change no mean.",
    "* **Days.** Jobs a day vary two to four times as much in the traces as in generated months, with or without bursts: a generated month has",
    "  no busy weeks. Take peaks of queues and of daily load from a trace.",
    "* **Hours and weekdays.** The weekdays fit Philly, from which they were taken, and not two virtual clusters with few users. The hours fit",
    "  neither; the morning peak on Philly speaks for another time zone in the file.",
    "* **Load.** On Earth the generated day is right within the tolerance, which is little better than no day at all, and the hourly load is twice",
    "  as restless, with a queue too: a few large jobs carry it, which quotas of virtual clusters would hold back. Use several seeds.",
    "* The two halves of a trace often differ more from each other than the generator from the whole: one month predicts the next badly,",
    "  and a study should hold under several.",
)


def main(real_data: Path) -> None:
    """Writes the page and its chart."""
    found, earth = studies(real_data), earth_of(real_data)
    PAGE.write_text(page(found, earth), encoding="utf-8", newline="\n")
    chart(found, earth, CHART)
    print(PAGE)


if __name__ == "__main__":
    main(Path(os.environ["AIDC_REAL_DATA"]))
