"""The model of a window with its movable jobs: set-points, bus, and the starts of job classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.model import ClassColumns, add_jobs, fix_it_power, site_model
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.problem import kept_options
from aidc.optimization.quotas import quotas_left
from aidc.optimization.view import View

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Work:
    """The biggest movable jobs of a window as classes; small jobs stay where they stand.

    Attributes:
        fixed_kw: IT power of all else, shape (slots,).
        side: the way from classes to jobs.
        big: which of the movable jobs are in classes, shape (n,).
        tail: what starts cost beside the slots, in the objective.
    """

    fixed_kw: Array
    side: classes.JobSide
    big: NDArray[np.bool_]
    tail: classes.Tail


def work_of(view: View, tails: Sequence[classes.Tail]) -> Work:
    """The work of a window with at least one movable job; ``tails`` are of the objective, then of each limit."""
    problem, edges = view.problem, view.edges
    jobs, fixed = problem.movable, problem.fixed
    big = classes.worth_planning(jobs)
    small = jobs.under(problem.stands.level).take(~big)
    job, start_s, run_s = problem.at.take(np.flatnonzero(~big)).runs(small.run_s)
    share = np.zeros((len(small.row), len(edges) - 1))
    np.add.at(share, job, classes.profile(start_s, run_s, edges))
    used = fixed.gpus.copy()
    np.add.at(used, small.pool, share * small.gpus[:, None])
    fixed_kw = fixed.kw.sum(axis=0) + fixed.idle_kw.sum() + (share * small.kw[:, None]).sum(axis=0)
    if problem.held is not None:  # boots and boards still awake, as many as if nothing moved
        at_rest = classes.profile(problem.at_s[big], jobs.run_s[big], edges)
        moving_kw = (at_rest * jobs.kw[big, None]).sum(axis=0)
        fixed_kw += np.maximum(view.standing_kw - fixed_kw - moving_kw, 0.0)
    boards = np.array([pool.gpu_count for pool in problem.site.pools], np.float64)
    side = classes.job_side(
        jobs.take(big),
        problem.state.now_s,
        edges,
        tails,
        np.maximum(boards[:, None] - used, 0.0),
        *quotas_left(problem.groups, big, jobs.gpus, share),
        None if problem.restart_s is None else np.isfinite(problem.restart_s[big]),
    )
    return Work(fixed_kw, side, big, tails[0])


def options_kept(
    view: View, money: Prices, caps: Sequence[Cap], offered: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Options of each slot that an optimal plan may need, of those offered, shape (slots, options)."""
    return kept_options(view.tables, money, view.bus, caps) & offered


def class_model(
    view: View, money: Prices, work: Work, caps: Sequence[Cap], kept: NDArray[np.bool_]
) -> pyo.ConcreteModel:
    """Set-points and bus of a window with the starts of its job classes, all in Pyomo."""
    model = site_model(view.tables, money, view.bus, kept, caps)
    add_jobs(model, work.fixed_kw, work.side.columns)
    return model


@dataclass(frozen=True, slots=True)
class JoinedModel:
    """The same with the job columns beside Pyomo.

    Attributes:
        site: set-points and bus, with the IT power of fixed work in ``it_load``.
        jobs: columns that join it as arrays.
    """

    site: pyo.ConcreteModel
    jobs: ClassColumns | None


def joined_model(
    view: View, money: Prices, work: Work, caps: Sequence[Cap], kept: NDArray[np.bool_]
) -> JoinedModel:
    """Set-points and bus of a window, and the starts of its job classes beside them."""
    model = site_model(view.tables, money, view.bus, kept, caps)
    fix_it_power(model, work.fixed_kw)
    return JoinedModel(model, work.side.columns)
