"""One site while it is simulated: its pools, its plant, and what it tells and hears of a planner."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field

import numpy as np
import simpy
from numpy.typing import NDArray

from aidc.errors import SeriesError
from aidc.forecast import Drivers, SiteDrivers
from aidc.job import JobTable, stacked
from aidc.moves import guests, placed
from aidc.plant.faults import Faults
from aidc.scenario import Scenario
from aidc.schedule import Commitment, PlanningState, Schedule, SetPoints
from aidc.simulation import energy
from aidc.simulation.faults import faults_of
from aidc.simulation.outcome import outcome
from aidc.simulation.policies import Given, following_a_plan, queue_of
from aidc.simulation.pool import Pool
from aidc.simulation.repairs import repairs_of
from aidc.simulation.result import SiteResult
from aidc.simulation.setpoints import baseline_setpoints, laid_on
from aidc.simulation.state import SiteState
from aidc.site import Pool as PoolOfSite
from aidc.site import Site
from aidc.trace import JobRun, Runs
from aidc.units import S_PER_H, S_PER_MIN
from aidc.workload.planned_caps import NO_CAP_FRAC, with_caps
from aidc.workload.power import asleep_kw_per_gpu, idle_kw
from aidc.workload.sleep import Sleepers

Array = NDArray[np.float64]
Planner = Callable[[Mapping[str, PlanningState]], Mapping[str, Commitment]]
Progress = Callable[[str, float], None]


@dataclass(slots=True)
class SiteRun:
    """One site while it is simulated."""

    name: str
    site: Site
    scenario: Scenario
    drivers: SiteDrivers
    jobs: JobTable  # with a planner also those from elsewhere that may run here
    owner: NDArray[np.int64]  # row of each in the scenario's jobs
    everything: int  # number of those
    pools: list[Pool]
    rows: list[NDArray[np.int64]]  # of the site's jobs, by pool
    setpoints: SetPoints
    progress: Progress | None
    added_kw: Array  # (pools, steps)
    gpus: Array  # (pools, steps)
    queued: Array  # (steps,)
    idle_kw: Array  # (pools, steps)
    asleep: Array  # (pools, steps)
    out: Array  # (pools, steps)
    faults: Faults
    plant: energy.PlantState
    month_peak_kw: float = 0.0
    done_steps: int = 0
    blocks: list[energy.Block] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        drivers: Drivers,
        name: str,
        schedule: Schedule | None,
        planner: Planner | None,
        progress: Progress | None,
        begin: SiteState | None,
    ) -> "SiteRun":
        """The site at the start of the horizon.

        Args:
            scenario: whose site.
            drivers: its jobs and series.
            name: of the site.
            schedule: starts and set-points to follow.
            planner: who says during the run what starts.
            progress: called with the site and the share of the horizon done.
            begin: state of the site at the start; None: as a horizon begins.

        Raises:
            SeriesError: a job names a pool that the site does not have.
        """
        site, horizon = scenario.sites[name].site, scenario.horizon(name)
        owner = np.flatnonzero(drivers.jobs.site == name)
        jobs = drivers.jobs.take(owner)
        if planner is not None and drivers.movable.any():
            owner, jobs = _with_guests(scenario, drivers, name, owner)
        eligible = np.maximum(jobs.submit_s, 0.0)  # those from before the horizon wait already
        if schedule is not None:
            planned = schedule.decisions["start_s"].to_numpy(np.float64)[owner]
            eligible = np.where(np.isnan(planned), np.inf, np.maximum(planned, jobs.submit_s))
        elif planner is not None:
            eligible = np.full(len(jobs), np.inf)
        rows = [np.flatnonzero(jobs.pool == pool.name) for pool in site.pools]
        rows = [mine[np.argsort(owner[mine], kind="stable")] for mine in rows]
        if sum(map(len, rows)) < len(jobs):
            known = [pool.name for pool in site.pools]
            strange = sorted(set(jobs.pool) - set(known))
            raise SeriesError(
                f"jobs of {name} name the pools {', '.join(strange)}; the site has {', '.join(known)}"
            )
        policy, frame = scenario.baseline.policy, drivers.sites[name].frame
        if schedule is not None or planner is not None:
            policy = following_a_plan(policy)
        times_s = planning_times_s(scenario, name) if planner else ()
        pools = []
        for pool, mine in zip(site.pools, rows, strict=True):
            table = jobs.take(mine)
            given = Given(
                pool.gpu_count,
                scenario.baseline.queue,
                frame["grid_kgco2e_per_kwh"].to_numpy(np.float64),
                frame["tariff_cny_per_kwh"].to_numpy(np.float64),
                float(horizon.step_s),
            )
            seen = _with_longest(_with_boots(table, pool), scenario, site, planner)
            queue = queue_of(policy, seen, given)
            away_s = () if begin is None else begin.repairs_s[pool.name]
            repairs = repairs_of(scenario, pool, away_s)
            pools.append(
                Pool(
                    pool.gpu_count, table, eligible[mine], queue, times_s, _sleepers(pool), repairs
                )
            )
        if schedule is not None:
            stops = schedule.stops()
            for one, mine in zip(pools, rows, strict=True):
                _stop_at(scenario, one, owner[mine], stops)
        steps = horizon.steps
        return cls(
            name=name,
            site=site,
            scenario=scenario,
            drivers=drivers.sites[name],
            jobs=jobs,
            owner=owner,
            everything=len(drivers.jobs),
            pools=pools,
            rows=rows,
            setpoints=schedule.setpoints[name] if schedule else baseline_setpoints(scenario, steps),
            progress=progress,
            added_kw=np.zeros((len(pools), steps)),
            gpus=np.zeros((len(pools), steps)),
            queued=np.zeros(steps),
            idle_kw=np.repeat([[idle_kw(pool)] for pool in site.pools], steps, axis=1),
            asleep=np.zeros((len(pools), steps)),
            out=np.zeros((len(pools), steps)),
            faults=faults_of(scenario, name),
            plant=energy.PlantState.of(site) if begin is None else begin.plant,
        )

    def begin(
        self,
        env: simpy.Environment,
        metered: Mapping[float, simpy.Event],
        planned: Mapping[float, simpy.Event],
    ) -> None:
        """Puts the processes of the site into the calendar.

        Args:
            env: the calendar.
            metered: events by planning time, for the site to say that its plant has come to it.
            planned: events by planning time that say that the planner has spoken.
        """
        horizon = self.scenario.horizon(self.name)
        env.process(self._plant(env, horizon.steps, horizon.step_s, metered, planned))
        for pool in self.pools:
            pool.wait_for(dict(planned))
            env.process(pool.process(env, float(horizon.length_s)))

    def left(self) -> SiteState:
        """The site at the end of the horizon, with times from there."""
        length_s = float(self.scenario.horizon(self.name).length_s)
        back_s = {
            made.name: tuple(at_s - length_s for at_s in pool.back_s())
            for pool, made in zip(self.pools, self.site.pools, strict=True)
        }
        return SiteState(self.plant, back_s)

    def finish(self) -> None:
        """Physics up to the end of the horizon."""
        self._plant_block(self.scenario.horizon(self.name).steps)

    def result(self, placed: JobTable) -> SiteResult:
        """Everything the trace is made of.

        Args:
            placed: the scenario's jobs with the sites and pools in which they ran.
        """
        start, end, refused, runs = outcome(self.pools, self.rows, len(self.jobs))
        here = np.flatnonzero(
            (placed.site[self.owner] == self.name) & (placed.pool[self.owner] == self.jobs.pool)
        )
        here = here[np.argsort(self.owner[here], kind="stable")]
        new_row = np.full(len(self.jobs), -1)
        new_row[here] = np.arange(len(here))
        ran = new_row[runs.job] >= 0
        run = JobRun(
            start[here],
            end[here],
            Runs(new_row[runs.job[ran]], runs.start_s[ran], runs.end_s[ran]),
            refused[here],
            self.added_kw,
            self.idle_kw,
            self.gpus,
            self.asleep,
            self.out,
            self.queued,
            sum(pool.repaired for pool in self.pools),
            sum(pool.without_spare_gpu_s for pool in self.pools),
        )
        jobs = self.jobs.take(here)
        return SiteResult.of_blocks(self.name, jobs, run, self.setpoints, self.blocks)

    def _plant(
        self,
        env: simpy.Environment,
        steps: int,
        step_s: int,
        metered: Mapping[float, simpy.Event],
        planned: Mapping[float, simpy.Event],
    ) -> Generator[simpy.Event, None, None]:
        """The plant's process: meters every step, and at a planning time waits for what follows."""
        for step in range(steps):
            now = float(step * step_s)
            if now in planned:
                self._plant_block(step)
                metered[now].succeed()
                yield planned[now]
            yield env.timeout(step_s)
            for index, pool in enumerate(self.pools):
                kwh, gpu_s, job_s, out_s = pool.read(now + step_s)
                self.out[index, step] = out_s / step_s
                self.added_kw[index, step] = kwh * S_PER_H / step_s
                self.gpus[index, step] = gpu_s / step_s
                self.queued[step] += job_s / step_s
            if self.progress is not None and step % 96 == 0:
                self.progress(self.name, step / steps)

    def _plant_block(self, until: int) -> None:
        """Physics of the steps up to ``until``, on arrays."""
        rows = slice(self.done_steps, until)
        if rows.start == rows.stop:
            return
        self._switch_off(rows)
        made = energy.block(
            self.site,
            self.drivers,
            rows,
            self.added_kw[:, rows] + self.idle_kw[:, rows],
            self.setpoints,
            self.scenario.baseline.mode_policy,
            self.faults,
            self.plant,
            self.scenario.step_min / 60,
        )
        self.plant = made.left
        self.blocks.append(made)
        months = self.drivers.frame.index[rows].month.to_numpy()
        last = months == months[-1]
        peak = float(np.asarray(made.columns["grid_import_kw"], np.float64)[last].max())
        self.month_peak_kw = max(peak, self.month_peak_kw) if last.all() else peak
        self.done_steps = until

    def _switch_off(self, rows: slice) -> None:
        """Takes what sleeping servers save off the idle power of a block."""
        edges_s = np.arange(rows.start, rows.stop + 1) * (self.scenario.step_min * S_PER_MIN)
        for index, (pool, made) in enumerate(zip(self.pools, self.site.pools, strict=True)):
            if pool.sleepers is not None:
                asleep = pool.sleepers.asleep(edges_s)
                self.asleep[index, rows] = asleep
                self.idle_kw[index, rows] -= asleep * asleep_kw_per_gpu(made)

    def state(self, now: float) -> PlanningState:
        """What a window that starts now inherits."""
        start, end = np.full((2, self.everything), np.nan)
        for pool, rows in zip(self.pools, self.rows, strict=True):
            begun = np.isfinite(pool.start_s)
            start[self.owner[rows[begun]]] = pool.start_s[begun]
            end[self.owner[rows[begun]]] = pool.due_s[begun]
        index, step = self.drivers.frame.index, self.done_steps
        new_month = step > 0 and index[step].month != index[step - 1].month
        return PlanningState(
            now_s=now,
            start_s=start,
            end_s=end,
            supply_degc=float(self.setpoints.supply_degc[max(step - 1, 0)]),
            battery_kwh=self.plant.battery_kwh,
            store_kwh=self.plant.store_kwh,
            month_peak_kw=0.0 if new_month else self.month_peak_kw,
            chillers_on=self._chillers_on(),
        )

    def _chillers_on(self) -> Array:
        """Machines that ran in each step so far."""
        ran = [np.asarray(block.columns["chillers_on"], np.float64) for block in self.blocks]
        return np.concatenate([np.zeros(0), *ran])

    def follow(self, said: Commitment) -> None:
        """Puts a commitment in force."""
        self.setpoints = laid_on(self.setpoints, said)
        for index, (pool, rows) in enumerate(zip(self.pools, self.rows, strict=True)):
            of_pool = said.pool == index
            place = np.searchsorted(self.owner[rows], said.rows[of_pool])
            if said.power_cap_frac is not None:
                self._cap(pool, rows, place, said.power_cap_frac[of_pool])
            pool.assign(place, said.start_s[of_pool])
            _stop_at(self.scenario, pool, self.owner[rows], said.stops)

    def _cap(
        self, pool: Pool, rows: NDArray[np.int64], place: NDArray[np.int64], cap_frac: Array
    ) -> None:
        """Puts jobs of a pool under the caps that a planner gives them."""
        mine = rows[place]
        made = with_caps(self.jobs.take(mine), (self.site,), cap_frac)
        for name in ("run_s", "limit_s", "added_kw"):
            column = getattr(self.jobs, name).copy()
            column[mine] = getattr(made, name)
            self.jobs = self.jobs.with_columns(**{name: column})
        pool.change(place, np.minimum(made.run_s, made.limit_s), made.added_kw)


def planning_times_s(scenario: Scenario, site: str) -> tuple[float, ...]:
    """Planning times [s]."""
    step = scenario.plan.commit_h * S_PER_H
    return tuple(np.arange(0.0, scenario.horizon(site).length_s, step).tolist())


def _with_guests(
    scenario: Scenario, drivers: Drivers, name: str, owner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], JobTable]:
    """Jobs at home at a site, then those that a planner may give to one of its pools; their rows."""
    rows, tables = [owner], [drivers.jobs.take(owner)]
    for pool in scenario.sites[name].site.pools:
        rows.append(guests(scenario, drivers, name, pool))
        tables.append(placed(drivers.jobs.take(rows[-1]), name, pool.name))
    return np.concatenate(rows), stacked(tables)


def _stop_at(
    scenario: Scenario, pool: Pool, owner: NDArray[np.int64], stops: Mapping[int, Array]
) -> None:
    """Tells a pool of the stops that a plan has for its jobs.

    Args:
        scenario: says how long a restart takes.
        pool: whose jobs.
        owner: row of each of them in the scenario's jobs, rising.
        stops: by that row; see `Pool.stop_at`.
    """
    restart_s = scenario.flexibility.restart_s
    if not stops or restart_s is None:
        return
    here = np.searchsorted(owner, list(stops))
    for place, (row, of_job) in zip(here.tolist(), stops.items(), strict=True):
        if place < len(owner) and owner[place] == row:
            pool.stop_at(place, of_job, restart_s)


def _sleepers(pool: PoolOfSite) -> Sleepers | None:
    """Who switches idle servers of a pool off; None: nobody."""
    if pool.sleep_after_min is None:
        return None
    return Sleepers(pool.gpu_count, pool.sleep_after_min * S_PER_MIN, pool.server.boot_s)


def _with_longest(
    jobs: JobTable, scenario: Scenario, site: Site, planner: Planner | None
) -> JobTable:
    """Jobs as their queue sees them where a planner may cap them later: limits under the lowest cap."""
    caps_frac = scenario.plan.caps_frac
    if planner is None or not caps_frac:
        return jobs
    lowest = np.where(jobs.slack_s > 0, min(caps_frac), NO_CAP_FRAC)
    return jobs.with_columns(limit_s=with_caps(jobs, (site,), lowest).limit_s)


def _with_boots(jobs: JobTable, pool: PoolOfSite) -> JobTable:
    """Jobs as their queue sees them: none holds its boards longer than its limit, servers' boots included."""
    if pool.sleep_after_min is None:
        return jobs
    return jobs.with_columns(limit_s=jobs.limit_s + pool.server.boot_s)
