"""What a plan over several sites costs, and the bound below it, as one certificate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.optimization.bound import Certificate, Window
from aidc.optimization.classes import cost_after
from aidc.optimization.network.problem import NetworkPlan, NetworkProblem
from aidc.optimization.window import WindowPlan
from aidc.schedule import ALL_SITES, WindowProof
from aidc.verifier import NOT_DATA, PRICES, digest
from aidc.verifier_network import network_bound

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the movable jobs of the window ended up, in the order of the network's jobs.

    Attributes:
        pool: of each, counted over all sites, shape (n,).
        start_s: of each, shape (n,).
    """

    pool: Rows
    start_s: Array


def prove(
    network: NetworkProblem,
    windows: Sequence[Window],
    found: NetworkPlan,
    plans: Sequence[WindowPlan],
    placed: Placed,
    baseline: float,
) -> tuple[WindowProof, Certificate]:
    """Proof of a window of all sites, in which jobs may move.

    Args:
        network: the window as it was before any job moved.
        windows: fixed work and plant of each site.
        found: prices that bound it.
        plans: what was then planned at each site.
        placed: where the jobs ended up.
        baseline: objective of the window with every job at home.
    """
    objective = cost(network, windows, plans, placed)
    made = certificate(network, windows, found)
    bound = float(made["bound"])
    facility_kwh, it_kwh = sum(
        plan.promised[["facility_kw", "it_reference_kw"]].sum().to_numpy(np.float64)
        for plan in plans
    )
    wasted = (objective - bound) / max(abs(objective), 1e-9)
    proof = WindowProof(
        site=ALL_SITES,
        start=str(made["start"]),
        status="optimal" if all(plan.proof.status == "optimal" for plan in plans) else "time_limit",
        unit=windows[0].money.unit,
        objective=objective,
        bound=bound,
        gap_frac=wasted,
        gap_pue=float(wasted * facility_kwh / it_kwh),
        baseline=baseline,
        sha256=str(made["sha256"]),
        columns=sum(plan.proof.columns for plan in plans),
        rows=sum(plan.proof.rows for plan in plans),
        binaries=sum(plan.proof.binaries for plan in plans),
        jobs_movable=len(network.jobs),
        jobs_moved=int((placed.pool != network.jobs.home).sum()),
        fault="",
        earlier=(),
        quotas="",
        full=False,
        build_s=0.0,
        solve_s=sum(found.seconds.values()),
        bound_s=0.0,
    )
    return proof, {**made, "objective": np.asarray(objective)}


def cost(
    network: NetworkProblem, windows: Sequence[Window], plans: Sequence[WindowPlan], placed: Placed
) -> float:
    """Objective of all sites: each in its plant or in the tables of the network, whichever is dearer.

    Work after the window costs the network's price of its site, told against each job at home at its
    earliest.
    """
    total = 0.0
    for window, plan in zip(windows, plans, strict=True):
        if plan.course is None:
            raise ValueError(f"{window.what} has no plan")
        in_tables = window.cost_of(plan.course.options, plan.course.load_kw)
        total += max(in_tables, plan.proof.objective - plan.course.tail)
    jobs = network.jobs
    later = _after(network, placed.pool, placed.start_s)
    return total + later - _after(network, jobs.home, jobs.earliest_s)


def _after(network: NetworkProblem, pool: Rows, start_s: Array) -> float:
    jobs, end, total = network.jobs, float(network.edges_s[-1]), 0.0
    site = network.site_of_pool[pool]
    for index, price in enumerate(network.tail_price):
        rows = np.flatnonzero(site == index)
        run, kw = jobs.run_s[rows, pool[rows]], jobs.kw[rows, pool[rows]]
        total += float(cost_after(start_s[rows], run, kw, end, network.slot_s, price).sum())
    return total


def certificate(
    network: NetworkProblem, windows: Sequence[Window], found: NetworkPlan
) -> Certificate:
    """Everything from which `aidc.verifier_network` finds the bound again, at the prices of a plan."""
    jobs, every = network.jobs, np.arange(len(network.jobs))
    first = windows[0]
    data: dict[str, Any] = {
        "site": ALL_SITES,
        "start": first.problem.forecast.frame.index[0].isoformat(),
        "unit": first.money.unit,
        "sites": len(windows),
        "start_s": float(network.edges_s[0]),
        "slot_h": network.slot_h,
        "site_of_pool": network.site_of_pool,
        "free_boards": network.gpus_free,
        "board_price": np.maximum(found.price_per_board_h, 0.0),
        "tail_price": network.tail_price,
        "earliest_s": jobs.earliest_s,
        "latest_s": jobs.latest_s,
        "home": jobs.home,
        "allowed": jobs.allowed,
        "moving_s": np.max(jobs.moving_s, axis=1, initial=0.0),
        "run_s": jobs.run_s[every, jobs.home],
        "job_kw": jobs.kw[every, jobs.home],
        "gpus": jobs.gpus[every, jobs.home],
    }
    for index, (window, price) in enumerate(zip(windows, found.price_per_kwh, strict=True)):
        part: Mapping[str, Any] = window.certificate(price)
        kept = [name for name in part if name in PRICES or name not in NOT_DATA]
        data |= {f"{index:03}/{name}": part[name] for name in kept}
    made = {name: np.asarray(value) for name, value in data.items()}
    return made | {
        "bound": np.asarray(float(network_bound(made))),
        "sha256": np.asarray(digest(made)),
    }
