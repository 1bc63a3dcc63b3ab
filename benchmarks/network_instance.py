"""Windows of a synthetic network: W1's run times over six cities that differ in grid and weather.

Site costs are a documented convex curve: IT power, losses and cooling by ``a + b P + c P^2 / P_rated`` with b and c
from outdoor temperature, times the city's emission factor, less PV. The plants are synthetic: they give
the solver a realistic structure and prove nothing about any site.
"""

from dataclasses import dataclass

import numpy as np

from aidc.optimization.network import HeldBoards, NetworkJobs, NetworkProblem, SiteSide

CITIES = ("Shanghai", "Beijing", "Shenzhen", "Guizhou", "Gansu", "Inner Mongolia")
KGCO2_PER_KWH = (
    0.585,
    0.558,
    0.440,
    0.490,
    0.460,
    0.693,
)  # assumed: of the size of provincial factors
SUMMER_DEGC = (29.0, 27.0, 30.0, 23.0, 22.0, 20.0)
BOARD_KW = (0.40, 0.55, 0.30)  # of a board at full use, three models
SPEED = (1.0, 1.6, 0.7)  # of the models
POINTS = 12
BUSY_FRAC = 0.7
BOARDS_FRAC = (0.2, 0.1, 0.15, 0.35, 0.1, 0.06, 0.04)  # of jobs with 1, 2, 4 ... 64 boards


@dataclass(frozen=True)
class Size:
    jobs: int
    sites: int
    slots: int
    slot_s: float
    any_model_frac: float = 0.3  # of jobs that accept every model
    whole_slots: bool = (
        False  # submission and run time in whole slots, so that boards can be filled
    )


def network(size: Size, seed: int, *, hourly: bool, busy_frac: float = BUSY_FRAC) -> NetworkProblem:
    """A window.

    Args:
        size: of it.
        seed: of the draw.
        hourly: emission factors differ by the hour (solar noon), else flat, as annual factors are.
        busy_frac: most that the boards are busy on the mean; as many as jobs at home need at once are there.
    """
    rng = np.random.default_rng(seed)
    n, models = size.jobs, len(BOARD_KW)
    pools = size.sites * models
    site_of_pool, model = (
        np.repeat(np.arange(size.sites), models),
        np.tile(np.arange(models), size.sites),
    )
    window_s = size.slots * size.slot_s
    home = rng.integers(0, pools, n)
    run_home = np.clip(rng.exponential(2_434.0, n), 60, 43_200)
    gpus = rng.choice([1, 2, 4, 8, 16, 32, 64], n, p=BOARDS_FRAC).astype(float)
    use = rng.uniform(0.3, 1.0, n)
    hour_of_day = np.clip(rng.normal(13.0, 5.0, n), 0.0, 23.99) * 3600
    days = max(round(window_s / 86_400), 1)
    submit = (hour_of_day + 86_400 * rng.integers(0, days, n)) * window_s / (86_400 * days)
    if size.whole_slots:
        submit = np.floor(submit / size.slot_s) * size.slot_s
        run_home = np.ceil(run_home / size.slot_s) * size.slot_s
    slack = np.where(rng.random(n) < 0.3, 0.0, rng.choice([6.0, 12.0, 24.0], n) * 3600)
    any_model = rng.random(n) < size.any_model_frac
    allowed = any_model[:, None] | (model[None, :] == model[home][:, None])
    speed = np.array(SPEED)
    run = run_home[:, None] * speed[model[home]][:, None] / speed[model][None, :]
    kw = gpus[:, None] * use[:, None] * np.array(BOARD_KW)[model][None, :]
    away = site_of_pool[None, :] != site_of_pool[home][:, None]
    moving = away * (size.slot_s if size.whole_slots else rng.uniform(60, 900, n)[:, None])
    latest = np.maximum(submit, np.minimum(submit + slack, window_s - run_home))  # work ends inside
    boards, at_s = _boards(submit, run_home, gpus, home, pools, busy_frac, window_s)
    latest = np.maximum(latest, at_s)
    wide = np.repeat(gpus[:, None], pools, axis=1)
    jobs = NetworkJobs(submit, latest, home, at_s, run, kw, wide, allowed, moving)
    edges = np.arange(size.slots + 1) * size.slot_s
    sites, tail = _sites(size, hourly, boards, model, site_of_pool, edges)
    none = np.zeros(0)
    held = HeldBoards(none, none, none, np.zeros(0, np.int64))
    return NetworkProblem(edges, sites, site_of_pool, boards, held, jobs, tail)


def _boards(submit, run, gpus, home, pools, busy_frac, window_s):  # type: ignore[no-untyped-def]
    """Boards of each pool for a mean use, and starts at home at which all fit: first come, first served."""
    boards, at_s = np.zeros(pools), submit.copy()
    for pool in range(pools):
        mine = np.flatnonzero(home == pool)
        peak = _peak(submit[mine], run[mine], gpus[mine])
        mean = float(gpus[mine] @ run[mine]) / window_s
        boards[pool] = np.ceil(max(mean / busy_frac, peak))
    return boards, at_s


def _peak(start, run, gpus):  # type: ignore[no-untyped-def]
    time = np.concatenate([start + run, start])
    change = np.concatenate([-gpus, gpus])
    return float(np.cumsum(change[np.argsort(time, kind="stable")]).max(initial=0.0))


def _sites(size, hourly, boards, model, site_of_pool, edges):  # type: ignore[no-untyped-def]
    hour = (edges[:-1] / 3600 + size.slot_s / 7200) % 24
    sites, tail = [], []
    for s in range(size.sites):
        here = site_of_pool == s
        rated = float(boards[here] @ np.array(BOARD_KW)[model[here]]) * 1.3
        idle = 0.15 * rated
        it = np.linspace(idle * 0.9, rated, POINTS)
        warm = SUMMER_DEGC[s % 6] + 5.0 * np.cos((hour - 15) / 12 * np.pi)
        factor = np.full(size.slots, KGCO2_PER_KWH[s % 6])
        if hourly:
            factor = factor * (
                1.0
                - 0.25 * np.exp(-(((hour - 12.5) / 3.0) ** 2))
                + 0.1 * np.sin(hour / 24 * 2 * np.pi + s)
            )
        pv = 0.05 * rated * np.clip(np.cos((hour - 12.5) / 12 * np.pi * 1.6), 0, None)
        load = it[None, :] * (1.06 + 0.004 * np.clip(warm - 15, 0, None)[:, None])
        load = (
            load
            + 0.02 * rated
            + 0.12 * np.clip(warm - 10, 0, None)[:, None] / 20 * it[None, :] ** 2 / rated
        )
        cost = factor[:, None] * np.maximum(load - pv[:, None], 0.0)
        grid = np.repeat(it[None, :], size.slots, axis=0)
        sites.append(SiteSide(CITIES[s % 6], grid, cost, np.full(size.slots, idle)))
        slope = (cost[:, -1] - cost[:, 0]) / (it[-1] - it[0])
        tail.append(slope[-round(min(86_400, edges[-1]) / size.slot_s) :])
    return tuple(sites), np.stack(tail)
