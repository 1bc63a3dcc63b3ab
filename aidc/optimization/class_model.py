"""The model of a window with its movable jobs: set-points, bus, and the starts of job classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.model import add_jobs, site_model
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.problem import kept_options
from aidc.optimization.quotas import quotas_left
from aidc.optimization.view import View

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassModel:
    """The model of a window with its biggest movable jobs as classes.

    Attributes:
        model: to be solved.
        side: the way from classes to jobs.
        big: which of the movable jobs are in it, shape (n,).
    """

    model: pyo.ConcreteModel
    side: classes.JobSide
    big: NDArray[np.bool_]


def class_model(
    view: View,
    money: Prices,
    tails: Sequence[classes.Tail],
    caps: Sequence[Cap],
    offered: NDArray[np.bool_],
) -> ClassModel:
    """The class model of a window; small jobs stay where they stand.

    Args:
        view: of the window, with at least one movable job.
        money: prices of the objective.
        tails: of the objective, then of each limit.
        caps: limits.
        offered: options to choose from, shape (options,).
    """
    problem, tables, bus, edges = view.problem, view.tables, view.bus, view.edges
    jobs, fixed = problem.movable, problem.fixed
    big = classes.worth_planning(jobs)
    small = jobs.take(~big)
    share = classes.profile(problem.at_s[~big], small.run_s, edges)
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
    )
    kept = kept_options(tables, money, bus, caps) & offered
    model = site_model(tables, money, bus, kept, caps)
    add_jobs(model, fixed_kw, side.columns)
    return ClassModel(model, side, big)
