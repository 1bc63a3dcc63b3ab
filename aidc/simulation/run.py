"""One run of a scenario: every site with its pools and its plant, under a policy, a schedule or a planner."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import simpy
from numpy.typing import NDArray

from aidc.errors import SeriesError
from aidc.forecast import Drivers, SiteDrivers
from aidc.job import JobTable, stacked
from aidc.moves import as_planned, guests, placed
from aidc.plant.faults import Faults
from aidc.scenario import Scenario
from aidc.schedule import Commitment, PlanningState, Schedule, SetPoints
from aidc.simulation import energy
from aidc.simulation.faults import faults_of
from aidc.simulation.outcome import outcome
from aidc.simulation.policies import Given, following_a_plan, queue_of
from aidc.simulation.pool import Pool
from aidc.simulation.repairs import repairs_of
from aidc.simulation.result import SiteResult, trace_of
from aidc.simulation.state import SiteState
from aidc.site import Pool as PoolOfSite
from aidc.site import Site
from aidc.trace import JobRun, Runs, Trace
from aidc.units import S_PER_H, S_PER_MIN
from aidc.workload.power import asleep_kw_per_gpu, idle_kw
from aidc.workload.sleep import Sleepers

Array = NDArray[np.float64]
Planner = Callable[[Mapping[str, PlanningState]], Mapping[str, Commitment]]
Progress = Callable[[str, float], None]
TRIM_K = 0.5  # a trim step, as in hewlettpackard.github.io/dc-rl


def baseline_setpoints(scenario: Scenario, steps: int) -> SetPoints:
    """Fixed supply air, cooling mode by policy, battery and tank at rest."""
    return SetPoints.at_rest(np.full(steps, scenario.baseline.supply_air_degc))


def trim_and_respond_setpoints(scenario: Scenario, name: str) -> SetPoints:
    """The set-points of a trim-and-respond sequence, a second baseline.

    From the baseline's set-point the supply is raised by a step in each step of the simulation while
    no server asks for cooler air, and held one step below where its inlet would pass the limit. In
    the quasi-steady hall the inlet follows from the supply alone, so the sequence is closed form.
    """
    hall, steps = scenario.sites[name].site.hall, scenario.horizon(name).steps
    warmest = min(
        hall.supply_max_degc, hall.inlet_max_degc - hall.recirculation_frac * hall.air_rise_k
    )
    start = scenario.baseline.supply_air_degc
    supply = np.minimum(start + TRIM_K * np.arange(steps), max(warmest, start))
    return replace(baseline_setpoints(scenario, steps), supply_degc=supply)


def simulate(
    scenario: Scenario,
    drivers: Drivers,
    *,
    variant: str,
    schedule: Schedule | None = None,
    planner: Planner | None = None,
    progress: Progress | None = None,
) -> Trace:
    """The trace of a run; see `simulate_piece`."""
    return simulate_piece(
        scenario, drivers, variant=variant, schedule=schedule, planner=planner, progress=progress
    )[0]


def simulate_piece(
    scenario: Scenario,
    drivers: Drivers,
    *,
    variant: str,
    schedule: Schedule | None = None,
    planner: Planner | None = None,
    progress: Progress | None = None,
    begin: Mapping[str, SiteState] | None = None,
) -> tuple[Trace, dict[str, SiteState]]:
    """The trace of a run, and the state in which it leaves each site.

    Without schedule and planner the baseline policy runs: jobs in queue order as soon as they fit.

    Args:
        scenario: what to run.
        drivers: its jobs and series.
        variant: name of the run.
        schedule: starts and set-points to follow; a job starts late where its boards are not free,
            and that is counted.
        planner: called at the start of every commitment with what the window inherits at each site.
        progress: called with the site and the share of the horizon done.
        begin: state of the sites at the start; None: as a horizon begins.

    Raises:
        SeriesError: a job names a site or pool that the scenario does not have.
        BalanceError: the energy balance is open (a bug).
    """
    strange = sorted(set(drivers.jobs.site) - set(scenario.sites))
    if strange:
        raise SeriesError(
            f"jobs name the sites {', '.join(strange)}; the scenario has {', '.join(scenario.sites)}"
        )
    if schedule is not None:
        drivers = as_planned(drivers, schedule)
    runs = [
        _SiteRun.of(
            scenario,
            drivers,
            name,
            schedule,
            planner,
            progress,
            None if begin is None else begin[name],
        )
        for name in scenario.sites
    ]
    _play(scenario, runs, planner)
    if planner is not None:
        drivers = _where_they_ran(drivers, runs)
    results = [run.result(drivers.jobs) for run in runs]
    return trace_of(scenario, drivers, variant, results, schedule), {r.name: r.left() for r in runs}


def _play(scenario: Scenario, runs: "list[_SiteRun]", planner: Planner | None) -> None:
    """Runs the calendars of all sites to the end of the horizon, with one planner for all of them."""
    env = simpy.Environment()
    times = _boundaries(scenario, runs[0].name) if planner is not None else ()
    planned = {at: env.event() for at in times}
    metered = {run.name: {at: env.event() for at in times} for run in runs}
    for run in runs:
        run.begin(env, metered[run.name], planned)
    if planner is not None:
        env.process(_planning(env, planner, runs, metered, planned))
    env.run()
    for run in runs:
        run.finish()


def _planning(
    env: simpy.Environment,
    planner: Planner,
    runs: "list[_SiteRun]",
    metered: Mapping[str, Mapping[float, simpy.Event]],
    planned: Mapping[float, simpy.Event],
) -> Generator[simpy.Event, None, None]:
    """At each planning time, once every site has been metered up to it, asks for what follows."""
    for at, spoken in planned.items():
        yield env.all_of([metered[run.name][at] for run in runs])
        said = planner({run.name: run.state(at) for run in runs})
        for run in runs:
            run.follow(said[run.name])
        spoken.succeed()


def _where_they_ran(drivers: Drivers, runs: "list[_SiteRun]") -> Drivers:
    """The drivers with each job at the site and pool in which it started, else at home."""
    site, pool = drivers.jobs.site.copy(), drivers.jobs.pool.copy()
    for run in runs:
        for made, rows, name in zip(run.pools, run.rows, run.site.pools, strict=True):
            here = run.owner[rows[np.isfinite(made.start_s)]]
            site[here], pool[here] = run.name, name.name
    return replace(drivers, jobs=drivers.jobs.with_columns(site=site, pool=pool))


def with_setpoints(
    trace: Trace, drivers: Drivers, setpoints: Mapping[str, SetPoints], variant: str
) -> Trace:
    """The same jobs at the same times under other set-points.

    Job starts do not hang on set-points, so only the plant is played again.
    """
    scenario = trace.scenario
    if trace.schedule is not None:
        drivers = as_planned(drivers, trace.schedule)
    results = []
    for name, choice in scenario.sites.items():
        run = trace.job_runs[name]
        made = energy.block(
            choice.site,
            drivers.sites[name],
            slice(0, len(run.queued)),
            run.reference_kw,
            setpoints[name],
            scenario.baseline.mode_policy,
            faults_of(scenario, name),
            energy.PlantState.of(choice.site),
            scenario.step_min / 60,
        )
        jobs = drivers.jobs.take(np.flatnonzero(drivers.jobs.site == name))
        results.append(
            SiteResult(
                name,
                jobs,
                run,
                setpoints[name],
                made.columns,
                made.limit_s,
                made.clipped_steps,
                made.store_cut_steps,
                made.law_steps,
            )
        )
    return trace_of(scenario, drivers, variant, results, None)


@dataclass(slots=True)
class _SiteRun:
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
    ) -> "_SiteRun":
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
        boundaries = _boundaries(scenario, name) if planner else ()
        rows = [np.flatnonzero(jobs.pool == pool.name) for pool in site.pools]
        rows = [mine[np.argsort(owner[mine], kind="stable")] for mine in rows]
        if sum(map(len, rows)) < len(jobs):
            known = [pool.name for pool in site.pools]
            strange = sorted(set(jobs.pool) - set(known))
            raise SeriesError(
                f"jobs of {name} name the pools {', '.join(strange)}; the site has {', '.join(known)}"
            )
        policy, frame = scenario.baseline.policy, drivers.sites[name].frame
        carbon = frame["grid_kgco2e_per_kwh"].to_numpy(np.float64)
        tariff, step_s = frame["tariff_cny_per_kwh"].to_numpy(np.float64), float(horizon.step_s)
        if schedule is not None or planner is not None:
            policy = following_a_plan(policy)
        pools = [
            Pool(
                pool.gpu_count,
                of_pool,
                eligible[mine_of],
                queue_of(
                    policy,
                    _with_boots(of_pool, pool),
                    Given(pool.gpu_count, scenario.baseline.queue, carbon, tariff, step_s),
                ),
                boundaries,
                _sleepers(pool),
                repairs_of(scenario, pool, () if begin is None else begin.repairs_s[pool.name]),
            )
            for pool, mine_of in zip(site.pools, rows, strict=True)
            for of_pool in (jobs.take(mine_of),)
        ]
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
        columns = {
            name: np.concatenate([block.columns[name] for block in self.blocks])
            for name in self.blocks[0].columns
        }
        limit_s = np.concatenate([block.limit_s for block in self.blocks])
        clipped = sum(block.clipped_steps for block in self.blocks)
        cut = sum(block.store_cut_steps for block in self.blocks)
        laws = {
            name: sum(block.law_steps[name] for block in self.blocks)
            for name in self.blocks[0].law_steps
        }
        return SiteResult(
            self.name,
            self.jobs.take(here),
            run,
            self.setpoints,
            columns,
            limit_s,
            clipped,
            cut,
            laws,
        )

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
        self.setpoints = _laid_on(self.setpoints, said)
        for index, (pool, rows) in enumerate(zip(self.pools, self.rows, strict=True)):
            of_pool = said.pool == index
            place = np.searchsorted(self.owner[rows], said.rows[of_pool])
            pool.assign(place, said.start_s[of_pool])


def _with_guests(
    scenario: Scenario, drivers: Drivers, name: str, owner: NDArray[np.int64]
) -> tuple[NDArray[np.int64], JobTable]:
    """Jobs at home at a site, then those that a planner may give to one of its pools; their rows."""
    rows, tables = [owner], [drivers.jobs.take(owner)]
    for pool in scenario.sites[name].site.pools:
        rows.append(guests(scenario, drivers, name, pool))
        tables.append(placed(drivers.jobs.take(rows[-1]), name, pool.name))
    return np.concatenate(rows), stacked(tables)


def _sleepers(pool: PoolOfSite) -> Sleepers | None:
    """Who switches idle servers of a pool off; None: nobody."""
    if pool.sleep_after_min is None:
        return None
    return Sleepers(pool.gpu_count, pool.sleep_after_min * S_PER_MIN, pool.server.boot_s)


def _with_boots(jobs: JobTable, pool: PoolOfSite) -> JobTable:
    """Jobs as their queue sees them: none holds its boards longer than its limit, servers' boots included."""
    if pool.sleep_after_min is None:
        return jobs
    return jobs.with_columns(limit_s=jobs.limit_s + pool.server.boot_s)


def _boundaries(scenario: Scenario, site: str) -> tuple[float, ...]:
    """Planning times [s]."""
    step = scenario.plan.commit_h * S_PER_H
    return tuple(np.arange(0.0, scenario.horizon(site).length_s, step).tolist())


def _laid_on(setpoints: SetPoints, said: Commitment) -> SetPoints:
    """Set-points with those of a commitment in their place."""
    until = said.first_step + len(said.setpoints.supply_degc)
    before, after = setpoints.at(slice(0, said.first_step)), setpoints.at(slice(until, None))
    return SetPoints.joined([before, said.setpoints, after])
