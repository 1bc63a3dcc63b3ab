"""What a plan without perfect foresight may know: forecasts made of what was measured before now.

Before the horizon lie four weeks of the same source of weather and grid intensity, without the events of
the scenario, and a week of jobs of the same kind: rows of the same trace, or others drawn from the same
generator by another seed. What a source does not have is not made up: then the first reading stands for
all before it, and a run that nothing is known of goes on. The load's past begins with the horizon: jobs of
another seed have another level.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.api.drivers import sites_of
from aidc.api.jobs import RUN_USER, job_inputs
from aidc.errors import InputError
from aidc.forecast import DRIVER_COLUMNS, Drivers, ExpectedWork, Forecast
from aidc.horizon import Horizon
from aidc.job import JobTable
from aidc.persistence import Method, repeated
from aidc.plant.psychrometrics import wetbulb_degc
from aidc.scenario import Scenario
from aidc.site import Site
from aidc.supply import forecasts
from aidc.units import H_PER_DAY, MIN_PER_H, S_PER_H, S_PER_MIN
from aidc.workload.load_forecast import mean_level, seasonal, within
from aidc.workload.run_times import RunTimes
from aidc.workload_inputs import SyntheticWorkload

Array = NDArray[np.float64]
SERIES_DAYS: Final = 28
JOB_DAYS: Final = 7
MIDDLE: Final = 0.5  # quantile that a run time is planned with
FEW_PASS: Final = 0.9  # and the one that must end inside the horizon where its start is put off
OTHER_SEED: Final = 1  # added to the scenario's for jobs before the horizon


def forecaster_of(scenario: Scenario, drivers: Drivers) -> "PastForecaster | None":
    """Who says what a plan may know; None: it knows everything."""
    method = scenario.plan.foresight
    if method == "perfect":
        return None
    return PastForecaster(scenario, drivers, method)


@dataclass(slots=True)
class PastForecaster:
    """Forecasts of a scenario's sites from what lies before each planning time.

    It holds the truth, as the simulation does, and cuts it at ``now`` before it computes anything: what
    comes after changes no forecast. Called with times that do not fall.

    Args:
        scenario: whose sites.
        drivers: the truth.
        method: ``persistence`` or ``learned``.
    """

    scenario: Scenario
    drivers: Drivers
    method: Method
    _series: dict[str, "_Series"] = field(init=False, default_factory=dict)
    _work: dict[str, "_Work"] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        past, old = past_series(self.scenario), past_jobs(self.scenario)
        for name, choice in self.scenario.sites.items():
            frame = self.drivers.sites[name].frame
            before = past.get(name)
            self._series[name] = _Series.of(
                choice.site, self.scenario.horizon(name), frame, before, self.method
            )
            mine = self.drivers.jobs.take(np.flatnonzero(self.drivers.jobs.site == name))
            theirs = None if old is None else old.take(np.flatnonzero(old.site == name))
            self._work[name] = _Work.of(choice.site, self.scenario, mine, theirs, self.method)

    def series(self, site: str, now_s: float, first_step: int, steps: int) -> Forecast:
        """Weather, PV and grid intensity as forecast; the tariff as published."""
        return Forecast(site, now_s, first_step, self._series[site].window(first_step, steps))

    def work(
        self, site: str, now_s: float, first_step: int, steps: int, start_s: Array
    ) -> ExpectedWork:
        """Run times of the jobs submitted so far, and the load expected in all."""
        return self._work[site].expected(now_s, first_step, steps, start_s)


@dataclass(slots=True)
class _Series:
    """Series of one site, with what lies before the horizon."""

    frame: pd.DataFrame  # of the past and the horizon
    begin: int  # first row of the horizon
    clear_kw: Array  # of every row
    method: Method
    per_day: int

    @classmethod
    def of(
        cls,
        site: Site,
        horizon: Horizon,
        frame: pd.DataFrame,
        before: pd.DataFrame | None,
        method: Method,
    ) -> "_Series":
        begin = 0 if before is None else len(before)
        known = frame.iloc[:1] if before is None else before
        whole = frame if before is None else pd.concat([before, frame])
        start = horizon.start - begin * timedelta(minutes=horizon.step_min)
        clear_kw = forecasts.clear_sky_pv_kw(
            site,
            Horizon(start, horizon.end, horizon.step_min, horizon.zone),
            float(known["drybulb_degc"].mean()),
            float(known["wind_m_per_s"].mean()),
        )
        per_day = H_PER_DAY * MIN_PER_H // horizon.step_min
        return cls(whole, begin, clear_kw, method, per_day)

    def window(self, first_step: int, steps: int) -> pd.DataFrame:
        """The window as forecast at its start."""
        now = self.begin + first_step
        # without any past the reading at the start is all there is
        past = self.frame.iloc[max(0, now - SERIES_DAYS * self.per_day) : max(now, 1)]
        method, per_day = self.method, self.per_day
        air = forecasts.outdoor(past, method, per_day, steps)
        light = {
            name: repeated(past[name].to_numpy(np.float64), per_day, steps)
            for name in ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2")  # no plan reads them
        }
        ahead = slice(now, now + steps)
        clear_kw = np.concatenate(
            [self.clear_kw[max(now, 1) - len(past) : max(now, 1)], self.clear_kw[ahead]]
        )
        past_pv = past["pv_kw"].to_numpy(np.float64)
        found = pd.DataFrame(
            air
            | light
            | {
                "wetbulb_degc": wetbulb_degc(
                    air["drybulb_degc"], air["dewpoint_degc"], air["pressure_pa"]
                ),
                "pv_kw": forecasts.pv(past_pv, clear_kw, method, per_day, steps),
                "grid_kgco2e_per_kwh": forecasts.intensity(
                    past["grid_kgco2e_per_kwh"].to_numpy(np.float64), method, per_day, steps
                ),
                "tariff_cny_per_kwh": self.frame["tariff_cny_per_kwh"].to_numpy()[ahead],
            },
            index=self.frame.index[ahead],
        )
        return found[list(DRIVER_COLUMNS)]


@dataclass(slots=True)
class _Work:
    """Jobs of one site, with what lies before the horizon."""

    site: Site
    jobs: JobTable
    pool: NDArray[np.int64]
    held_s: Array  # the truth, read only of jobs that have ended
    times: RunTimes
    told: NDArray[np.bool_]  # jobs whose end the run times have learned of
    method: Method
    step_s: float

    @classmethod
    def of(
        cls, site: Site, scenario: Scenario, jobs: JobTable, old: JobTable | None, method: Method
    ) -> "_Work":
        times = RunTimes(method)
        if old is not None and len(old):
            length_s = JOB_DAYS * H_PER_DAY * S_PER_H
            run = np.minimum(old.run_s, old.limit_s)
            ended = ~old.warm & (old.submit_s + run <= length_s)
            times.learn(old.take(np.flatnonzero(ended)), run[ended], (old.submit_s + run)[ended])
        return cls(
            site=site,
            jobs=jobs,
            pool=_pools(site, jobs),
            held_s=np.minimum(jobs.run_s, jobs.limit_s),
            times=times,
            told=np.zeros(len(jobs), np.bool_),
            method=method,
            step_s=scenario.step_min * S_PER_MIN,
        )

    def expected(self, now_s: float, first_step: int, steps: int, start_s: Array) -> ExpectedWork:
        """As `aidc.forecast.Forecaster.work`."""
        jobs, held_s = self.jobs, self.held_s
        end_s = start_s + held_s
        ended = end_s <= now_s  # nan: not begun
        fresh = np.flatnonzero(ended & ~self.told & ~jobs.warm)
        self.times.learn(jobs.take(fresh), held_s[fresh], end_s[fresh])
        self.told[fresh] = True
        known = np.flatnonzero((jobs.submit_s <= now_s) & ~ended)
        ran_s = np.nan_to_num(now_s - start_s)
        run_s = np.where(ended, held_s, np.nan)
        long_s = run_s.copy()
        run_s[known] = self._predicted_s(known, ran_s[known], MIDDLE)
        long_s[known] = self._predicted_s(known, ran_s[known], FEW_PASS)
        gpus, kw = self._so_far(now_s, first_step, start_s)
        per_day = round(H_PER_DAY * S_PER_H / self.step_s)

        def ahead(past: Array) -> Array:
            return np.stack([seasonal(row, self.method, per_day, steps) for row in past])

        return ExpectedWork(run_s, long_s, ahead(kw), ahead(gpus))

    def _predicted_s(self, rows: NDArray[np.int64], ran_s: Array, quantile: float) -> Array:
        """Run times of jobs that have not ended."""
        jobs = self.jobs.take(rows)
        named = jobs.user == RUN_USER  # the scenario names them and how long they take
        found = np.where(named, self.held_s[rows], 0.0)
        warm, drawn = np.flatnonzero(jobs.warm & ~named), np.flatnonzero(~jobs.warm & ~named)
        found[warm] = self.times.remaining_s(ran_s[warm], quantile)
        found[drawn] = self.times.predict_s(jobs.take(drawn), ran_s[drawn], quantile)
        return found

    def _so_far(self, now_s: float, first_step: int, start_s: Array) -> tuple[Array, Array]:
        """Boards and power in every step before now; at the very start, of the jobs under way."""
        if first_step == 0:
            begin_s, edges = np.where(self.jobs.warm, 0.0, np.nan), np.array([0.0, self.step_s])
            return _loads(self.site, self.jobs, begin_s, begin_s + self.step_s, edges)
        end_s = np.minimum(start_s + self.held_s, now_s)
        edges = np.arange(first_step + 1, dtype=np.float64) * self.step_s
        return _loads(self.site, self.jobs, start_s, end_s, edges)


def _pools(site: Site, jobs: JobTable) -> NDArray[np.int64]:
    names = [pool.name for pool in site.pools]
    return np.array([names.index(which) for which in jobs.pool], np.int64)


def _loads(
    site: Site, jobs: JobTable, begin_s: Array, end_s: Array, edges_s: Array
) -> tuple[Array, Array]:
    """Boards and power above idle by pool and interval, no more than the boards there are.

    Jobs whose beginning is nan are left out.
    """
    pool_of, begun = _pools(site, jobs), np.isfinite(begin_s)
    gpus, kw = (np.zeros((len(site.pools), len(edges_s) - 1)) for _ in range(2))
    for index, pool in enumerate(site.pools):
        rows = np.flatnonzero(begun & (pool_of == index))
        gpus[index], kw[index] = within(
            mean_level(
                begin_s[rows], end_s[rows], jobs.gpu_count[rows].astype(np.float64), edges_s
            ),
            mean_level(begin_s[rows], end_s[rows], jobs.added_kw[rows], edges_s),
            float(pool.gpu_count),
        )
    return gpus, kw


def past_series(scenario: Scenario) -> dict[str, pd.DataFrame]:
    """Series of the four weeks before the horizon by site; empty where a source does not reach back."""
    before = scenario.model_copy(
        update={
            "start": scenario.start - timedelta(days=SERIES_DAYS),
            "end": scenario.start,
            "events": (),
        }
    )
    try:
        return {name: made.frame for name, made in sites_of(before).items()}
    except InputError:
        return {}


def past_jobs(scenario: Scenario) -> JobTable | None:
    """Jobs of the week before the horizon; None where a trace has none."""
    work = scenario.workload
    changes: dict[str, object] = {"runs": ()}
    if isinstance(work, SyntheticWorkload):
        changes["ramp"] = (work.ramp[0], work.ramp[0])
    before = scenario.model_copy(
        update={
            "start": scenario.start - timedelta(days=JOB_DAYS),
            "end": scenario.start,
            "events": (),
            "seed": scenario.seed + OTHER_SEED,
            "workload": work.model_copy(update=changes),
        }
    )
    try:
        return job_inputs(before, id_prefix="before-")[0]
    except InputError:
        return None
