"""Writes docs/forecasting.md and .png: forecasts scored on real traces and weather, untuned.

Run from the project's root with AIDC_REAL_DATA set: ``python docs/validate_forecasts.py``
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

import aidc
from aidc.api.foresight_value import foresight_value, percent
from aidc.api.progress import Stages
from aidc.horizon import Horizon
from aidc.job import JobTable, no_failures
from aidc.persistence import combined, held, repeated
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.supply.epw import read_epw
from aidc.supply.forecasts import clear_sky_pv_kw, intensity, pv
from aidc.supply.pv import pv_kw
from aidc.workload.load_forecast import mean_level, seasonal
from aidc.workload.run_times import RunTimes

PAGE = Path(__file__).with_name("forecasting.md")
CHART = PAGE.with_suffix(".png")
SCENARIO = PAGE.parents[1] / "scenarios" / "lingang-week.yaml"
LEADS_H = (1, 6, 24)
DAY_H, H_S, DAY_S = 24, 3_600, 86_400
PAST_H = 28 * DAY_H
MOST = 24  # hours to the farthest lead


@dataclass(frozen=True)
class Skill:
    """Mean absolute errors of one series at one lead."""

    series: str
    unit: str
    lead_h: int
    held: float
    day: float
    learned: float
    other: float | None = None  # clear-sky persistence

    @property
    def skill(self) -> float:
        """1 less the error over that of the better plain persistence."""
        return 1 - self.learned / min(self.held, self.day)


@dataclass(frozen=True)
class RunScore:
    """How well run times were predicted."""

    trace: str
    method: str
    jobs: int
    factor: float  # exp of the median absolute log error
    within_two: float
    below_middle: float
    below_high: float
    pinball_h: float


def walk(
    series: np.ndarray,
    learned: Callable[[np.ndarray, int], np.ndarray],
    other: Callable[[np.ndarray, int], np.ndarray] | None = None,
    *,
    every: int = 1,
    counts: np.ndarray | None = None,
) -> list[tuple[int, float, float, float, float | None]]:
    """Errors over the later half of an hourly series, a row a lead; nothing before it is scored.

    Args:
        series: the truth.
        learned, other: of the past and its end, the next hours.
        every: hours between forecasts.
        counts: hours that are scored; None: all.
    """
    at = range(max(len(series) // 2, 2 * DAY_H), len(series) - MOST, every)
    errors: dict[str, list[np.ndarray]] = {"held": [], "day": [], "learned": [], "other": []}
    for now in at:
        past, truth = series[max(0, now - PAST_H) : now], series[now : now + MOST]
        good = np.ones(MOST, bool) if counts is None else counts[now : now + MOST]
        made = {
            "held": held(past, MOST),
            "day": repeated(past, DAY_H, MOST),
            "learned": learned(past, now),
        }
        if other is not None:
            made["other"] = other(past, now)
        for name, forecast in made.items():
            errors[name].append(np.where(good, np.abs(forecast - truth), np.nan))
    mean = {name: np.nanmean(np.array(found), axis=0) for name, found in errors.items() if found}
    return [
        (lead, *(float(mean[name][lead - 1]) for name in ("held", "day", "learned")),
         float(mean["other"][lead - 1]) if "other" in mean else None)
        for lead in LEADS_H
    ]  # fmt: skip


def skills(real_data: Path) -> list[Skill]:
    """Every series at every lead."""
    found = []
    for name, unit, rows in _walks(real_data):
        found += [Skill(name, unit, lead, *errors) for lead, *errors in rows]
    return found


def _walks(real_data: Path) -> Iterator[tuple[str, str, list]]:
    air = shanghai(real_data)
    for name in ("drybulb", "wetbulb"):
        label = {"drybulb": "dry bulb, Shanghai", "wetbulb": "wet bulb, Shanghai"}[name]
        yield label, "K", walk(air[name], lambda past, _: combined(past, (DAY_H,), MOST), every=11)
    yield "PV, Shanghai", "kW a 100 kWp", pv_walk(real_data)
    for code in ("KR", "SG"):
        table = pd.read_csv(real_data / f"carbon/{code}_electricitymaps_hourly_2021_2024.csv.gz")
        series = table["ci_direct_g_per_kWh"].to_numpy(float)
        yield (
            f"grid intensity, {code}", "g/kWh",
            walk(series, lambda past, _: intensity(past, "learned", DAY_H, MOST), every=47),
        )  # fmt: skip

    def expected(past: np.ndarray, _: int) -> np.ndarray:
        return seasonal(past, "learned", DAY_H, MOST)

    for name, jobs, days in (
        ("Helios Venus", helios(real_data), 26), ("Philly", philly(real_data), 61)
    ):  # fmt: skip
        edges = np.arange(days * DAY_H + 1) * float(H_S)
        arrivals = np.histogram(jobs.submit_s, edges)[0].astype(float)
        yield f"arrivals, {name}", "jobs/h", walk(arrivals, expected)
        load = mean_level(
            jobs.submit_s, jobs.submit_s + jobs.run_s, jobs.gpu_count.astype(float), edges
        )
        yield f"load, {name}", "GPUs", walk(load, expected)
    minutes = pd.read_csv(real_data / "jobs/helios_earth_16vc_total_1min_2020-05.csv.gz")
    busy = minutes["running_gpu_num"].to_numpy(float).reshape(-1, 60).mean(axis=1)
    yield "load, Helios Earth", "GPUs", walk(busy, expected)


def shanghai(real_data: Path) -> dict[str, np.ndarray]:
    """Measured air of 2010 to 2013; the eleven missing hours are interpolated."""
    table = pd.read_csv(real_data / "weather/shanghai_hourly_2010_2013_uci.csv.gz")
    columns = {
        name: table[name].interpolate(limit_direction="both").to_numpy(float)
        for name in ("temp_air_C", "temp_dew_C", "pressure_hPa")
    }
    dry = columns["temp_air_C"]
    dew = np.minimum(columns["temp_dew_C"], dry)
    return {"drybulb": dry, "wetbulb": wetbulb_degc(dry, dew, columns["pressure_hPa"] * 100.0)}


def pv_walk(real_data: Path) -> list:
    """PV of a roof at Lingang under the irradiance of the Shanghai EPW, hours with sun alone."""
    zone = ZoneInfo("Asia/Shanghai")
    horizon = Horizon(
        datetime(2023, 1, 1, tzinfo=zone), datetime(2024, 1, 1, tzinfo=zone), 60, "Asia/Shanghai"
    )
    site = aidc.load(SCENARIO, sets=["site.pv_kwp=100", "pathway=null"]).sites["lingang"].site
    file = real_data / "weather/CHN_SH_Shanghai-Hongqiao_TMYx_1956_2023.epw"
    air = read_epw(
        file, horizon, latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg
    ).frame
    truth = pv_kw(site, air, horizon)
    before = slice(0, len(truth) // 2)
    clear = clear_sky_pv_kw(
        site, horizon, float(air["drybulb_degc"].to_numpy()[before].mean()),
        float(air["wind_m_per_s"].to_numpy()[before].mean()),
    )  # fmt: skip

    def made(method: str) -> Callable[[np.ndarray, int], np.ndarray]:
        def forecast(past: np.ndarray, now: int) -> np.ndarray:
            return pv(past, clear[now - len(past) : now + MOST], method, DAY_H, MOST)

        return forecast

    return walk(truth, made("learned"), made("persistence"), every=5, counts=clear > 0)


def helios(real_data: Path) -> JobTable:
    rows = pd.read_csv(real_data / "jobs/helios_venus_2vc_2020-09.csv.gz")
    return _jobs(rows, "submit_time", "gpu_num", "user", "vc", datetime(2020, 9, 1), 26)  # noqa: DTZ001


def philly(real_data: Path) -> JobTable:
    """Without users: the file has virtual clusters alone."""
    rows = pd.read_csv(real_data / "jobs/philly_jobs_2017.csv.gz").drop_duplicates()
    return _jobs(rows, "timestamp", "num_gpus", "cluster", "cluster", datetime(2017, 10, 1), 61)  # noqa: DTZ001


def _jobs(
    rows: pd.DataFrame, time: str, gpus: str, user: str, vc: str, start: datetime, days: int
) -> JobTable:
    at = (pd.to_datetime(rows[time]) - pd.Timestamp(start)).dt.total_seconds()
    rows = rows.assign(at=at)[(at >= 0) & (at < days * DAY_S)].sort_values("at", kind="stable")
    count, run = len(rows), rows["duration"].to_numpy(float)
    text = np.full(count, "x", object)
    return JobTable(
        job_id=np.arange(count).astype(str).astype(object), user=rows[user].to_numpy(object),
        vc=rows[vc].to_numpy(object), job_class=text, site=text, pool=text,
        gpu_count=rows[gpus].to_numpy(np.int64), submit_s=rows["at"].to_numpy(float), run_s=run,
        limit_s=np.full(count, np.inf), slack_s=np.zeros(count), deadline_s=np.full(count, np.inf),
        added_kw=np.zeros(count), end_state=text, warm=np.zeros(count, bool), useful_s=run,
        interruptions=np.zeros(count, np.int64), node_fails_s=no_failures(count),
        accepted=np.ones(count, bool), rows_of="trace",
    )  # fmt: skip


def run_scores(real_data: Path) -> list[RunScore]:
    """Run times of jobs of the later half, each predicted at the full hour before its submission."""
    found = []
    for name, jobs in (("Helios Venus", helios(real_data)), ("Philly", philly(real_data))):
        # no group ever has a second job, so everybody's last 2,000 are left
        everybody = jobs.with_columns(user=jobs.job_id, vc=jobs.job_id, job_class=jobs.job_id)
        for method, table, by in (
            ("median of everybody", everybody, "learned"),
            ("user's last two", jobs, "persistence"),
            ("learned", jobs, "learned"),
        ):
            middle, high = predictions(table, by)
            found.append(_score(name, method, jobs.run_s[-len(middle) :], middle, high))
    return found


def predictions(jobs: JobTable, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Predicted run time and its 90 % quantile, for the later half of the jobs."""
    times, end_s = RunTimes(method), jobs.submit_s + jobs.run_s
    first, by_end = len(jobs) // 2, np.argsort(end_s, kind="stable")
    told, middle, high = 0, [], []
    hour = jobs.submit_s // H_S
    for now in np.unique(hour[first:]):
        until = int(np.searchsorted(end_s[by_end], now * H_S, side="right"))
        rows = by_end[told:until]
        times.learn(jobs.take(rows), jobs.run_s[rows], end_s[rows])
        told = until
        asked = jobs.take(first + np.flatnonzero(hour[first:] == now))
        nothing = np.zeros(len(asked))
        middle.append(times.predict_s(asked, nothing))
        high.append(times.predict_s(asked, nothing, 0.9))
    return np.concatenate(middle), np.concatenate(high)


def _score(
    trace: str, method: str, run_s: np.ndarray, middle: np.ndarray, high: np.ndarray
) -> RunScore:
    off = np.abs(np.log(np.maximum(middle, 1.0) / np.maximum(run_s, 1.0)))
    over = run_s - high
    return RunScore(
        trace, method, len(run_s), float(np.exp(np.median(off))),
        float((off <= np.log(2.0)).mean()), float((run_s <= middle).mean()),
        float((run_s <= high).mean()), float(np.maximum(0.9 * over, -0.1 * over).mean() / H_S),
    )  # fmt: skip


def weeks() -> dict[str, pd.DataFrame]:
    """Two days of the example planned under each foresight."""
    sets = ["pathway=null", "end=2023-07-05T00:00:00+08:00"]
    hourly = "site.grid.intensity={kind: synthetic, amplitude: 20 %, shape: demand}"
    tries = {
        "as it is: flat intensity, a plan a day": sets,
        "intensity by the hour (synthetic)": [*sets, hourly],
        "intensity by the hour, a plan every six hours": [*sets, hourly, "plan.commit=6h"],
    }
    quiet = Stages(quiet=True)
    return {
        name: foresight_value(aidc.load(SCENARIO, sets=made), None, quiet)
        for name, made in tries.items()
    }


def table(head: list[str], rows: list[list[object]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def page(found: list[Skill], runs: list[RunScore], planned: dict[str, pd.DataFrame]) -> str:
    lines = [TEXT]
    lines += table(
        ["trace", "predicted by", "jobs", "typical factor", "within a factor of 2",
         "runs below the median", "runs below the 90 %", "pinball loss at 90 %, h"],
        [[r.trace, r.method, f"{r.jobs:,}", f"{r.factor:.3g}", f"{r.within_two:.1%}",
          f"{r.below_middle:.1%}", f"{r.below_high:.1%}", f"{r.pinball_h:.3g}"] for r in runs],
    )  # fmt: skip
    lines += [SERIES_TEXT]
    lines += table(
        ["series", "unit", "lead, h", "last value", "last day", "clear-sky index held", "learned",
         "skill"],
        [[s.series, s.unit, s.lead_h, f"{s.held:.3g}", f"{s.day:.3g}",
          "" if s.other is None else f"{s.other:.3g}", f"{s.learned:.3g}", f"{s.skill:+.2f}"]
         for s in found],
    )  # fmt: skip
    lines += [PLAN_TEXT]
    for name, one in planned.items():
        shown = percent(one)
        for column in ("facility_mwh", "promised_mwh", "import_mwh", "tco2e"):
            shown[column] = [f"{value:.2f}" for value in shown[column]]
        lines += [f"### {name[0].upper()}{name[1:]}", ""]
        lines += table([str(c).replace("_", " ") for c in shown], shown.to_numpy().tolist())
    lines += [AFTER]
    return "\n".join(lines)


def chart(found: list[Skill], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    names = list(dict.fromkeys(s.series for s in found))
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for place, (lead, colour) in enumerate(
        zip(LEADS_H, ("#9ecae1", "#4292c6", "#084594"), strict=True)
    ):
        values = [s.skill for s in found if s.lead_h == lead]
        at = np.arange(len(names)) + 0.27 * (place - 1)
        axes.barh(at, values, 0.26, color=colour, label=f"{lead} h ahead")
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("skill: 1 - error / error of the better plain persistence")
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    plt.close(figure)


TEXT = """# Forecasts and foresight

Written by `docs/validate_forecasts.py`. The first half of every series and trace is history, the later half is scored, and a
forecast sees only what lies before it. No constant is tuned. The first learned method (mean shape, with today's departure
fading by its autocorrelation) lost to persistence on loads; the combination that replaced it was chosen on the first halves alone.

![Skill of the learned forecasts](forecasting.png)

## What a plan knows

`plan.foresight` says it, and every report names it.

| | `perfect` | `persistence` | `learned` |
|---|---|---|---|
| weather | as it comes | the last day again | last value, last day, mean day and mean day at today's level of four weeks, in the mix with the least error so far (Bates and Granger, at each lead) |
| PV | as it comes | clear-sky index of the last day, held | clear-sky index, forecast as the weather |
| grid intensity | as it comes | the last day again | as weather, with last and mean week beside them |
| tariff | published | published | published |
| jobs submitted | all, for ever | so far | so far |
| run times | as they come | mean of the user's last two runs | median of the last 20 runs of the nearest group that has five: user and GPUs, user, virtual cluster and GPUs, class and GPUs; else of everybody |
| jobs to come | as they come | load of the last day, less that of the jobs known | as intensity: recent level, hour, hour and weekday; less that of the jobs known |

* **Jobs.** Without perfect foresight the plan knows nothing of the baseline. It gives each known job the time from which it may start;
  the queue starts it when boards are free, and planned starts that are missed are counted. A job that arrives between two planning
  times is in the queue on arrival; only one with slack that arrives within a plan step of the next planning time waits for it. Run
  times that were named in `workload.runs` are known. Jobs stay at their home site.
* **End of the horizon.** A job is put off only if nine in ten of its like would still end inside the horizon. A few run over all the same;
  where that changes the GPU time delivered by more than 0.1 %, no saving is stated. Short commitments over short horizons do that.
* **The first day.** Weather and intensity reach four weeks back into the same source, without the scenario's events; a source that
  does not reach back leaves the reading at the start, held until a day is known. Run times come from a week before: rows of the
  same trace, or jobs drawn by another seed from the same generator. With none, a run is taken to go on, and nothing is put off. The load's
  past begins with the horizon: until two days are known its level is held. Of jobs under way at the start only that is known, and what is
  left of them is predicted as of a run met at a random time.
* Limits are no help to a forecast here: those of generated jobs are multiples of their true run time, and neither trace below has any.

## Run times

Predicted at the full hour before a job is submitted, from the jobs that had ended by then, as if all had started on
submission (the traces have no start). The typical factor is exp of the median absolute log error. Half of the runs should be below the
median, nine in ten below the 90 % quantile; the pinball loss scores that quantile (for the last two runs their mean stands for it).
The Philly file has no users: there the virtual cluster stands for them.
"""
SERIES_TEXT = """## Series

Mean absolute error at each lead, by the hour. Skill is against the better of the last value and the last day at that lead. Air is
measured (Shanghai 2010 to 2013, UCI); PV is a roof at Lingang under the irradiance of the Shanghai EPW, hours with sun (reanalysis, months of
different years); intensity is Electricity Maps', partly estimated; load is GPUs at work as if every job began on arrival, on Earth as
measured, outages included.
"""
PLAN_TEXT = """## What knowing more is worth

`aidc foresight SCENARIO` plans a scenario under each foresight and plays each plan on the truth. Two days of `scenarios/lingang-week.yaml`,
plans to 0.25 %: differences below that are none. `saved` is of the emissions at the intensity that the plan decides on, for the same work;
`setpoints saved` is what the set-points alone do on the baseline's own jobs. `-`: the work is not the same, so no saving is stated, and
`of perfect` compares the set-points.
"""
AFTER = """## What follows

* **Weather, PV, intensity.** Six hours ahead the combination beats both persistences; a day ahead in the weather hardly anything is left for
  statistics of one station. A numerical weather forecast would do better, and is not here.
* **Load and arrivals.** The recent level is hard to beat. Two outages in the first half of the Earth month count as days and spoil its
  forecast a day ahead; on Philly the busy October makes quiet November look busier than it is.
* **Run times.** On Philly the history of a group halves the typical error of one median for everybody. On two virtual clusters with
  twelve users it does not: there everybody's median is as good. The 90 % quantile is passed more often than it says.
* **Plans.** In these two days nearly all of the saving is the set-points', which need little foresight. Shifting jobs needs short commitments,
  as a job is put off only at a planning time; then some run over the end of the horizon, and two days are too short for a saving to be
  stated. What a plan promises rests on the load it expects, and is off by several per cent; what is reported is the replay.
"""


def main() -> None:
    real_data = Path(os.environ["AIDC_REAL_DATA"])
    found = skills(real_data)
    PAGE.write_text(page(found, run_scores(real_data), weeks()), encoding="utf-8", newline="\n")
    chart(found, CHART)


if __name__ == "__main__":
    main()
