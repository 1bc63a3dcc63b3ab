"""One window planned: tables, MILP, assignment to jobs, and the cost of that assignment beside its bound."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aidc.errors import InfeasibleError, SolverTimeoutError
from aidc.optimization import classes
from aidc.optimization.bound import (
    EVENED_SLOTS,
    Certificate,
    Window,
    evened,
    marginal_price,
    tail_cost,
)
from aidc.optimization.class_model import JoinedModel, joined_model, options_kept, work_of
from aidc.optimization.class_relaxation import LARGE_COLUMNS, relaxed_or_mean
from aidc.optimization.course import Course, best_course, likely_options
from aidc.optimization.model import full_quotas
from aidc.optimization.movable import Choice
from aidc.optimization.objective import Cap, Prices
from aidc.optimization.problem import WindowProblem, tables_of
from aidc.optimization.refine import FINE_POINTS, refined
from aidc.optimization.settled import settled
from aidc.optimization.solve import Duals, Solution, relaxed_duals, solve_or_by_rule
from aidc.optimization.stops import timing_of, with_stops
from aidc.optimization.tail import tail_of
from aidc.optimization.timing import Timing
from aidc.optimization.view import Limit, View
from aidc.scenario import Goal, goal_name
from aidc.schedule import SetPoints, StageProof, WindowProof

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """What one window decides.

    Attributes:
        rows: jobs it speaks for.
        choice: when they run, and their power caps.
        setpoints: on the simulation's steps of the window.
        promised: by slot: ``facility_kw, it_reference_kw, import_kw``.
        proof: status, objective, bound, gap and times.
        certificate: from which `aidc.verifier` finds the bound again.
        course: what was chosen; None where nothing was planned.
    """

    rows: Rows
    choice: Choice
    setpoints: SetPoints
    promised: pd.DataFrame
    proof: WindowProof
    certificate: Certificate
    course: "Chosen | None"

    @property
    def start_s(self) -> Array:
        """Starts of the jobs."""
        return self.choice.start_s


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a window chose, as its network prices it.

    Attributes:
        options: one of each slot, shape (slots, options).
        load_kw: IT power of each slot at the reference inlet, shape (slots,).
        tail: part of the objective that is of work after the window.
    """

    options: NDArray[np.bool_]
    load_kw: Array
    tail: float


@dataclass(frozen=True, slots=True)
class _Stage:
    """One objective of the window solved under the limits of those before it."""

    goal: Goal
    money: Prices
    tail: classes.Tail
    course: Course
    after: float  # part of the objective that is of delay and of work after the window
    status: str
    objective: float
    proven: Certificate
    baseline: float
    sizes: tuple[int, int, int]
    quotas: tuple[str, ...]
    full: bool
    build_s: float
    solve_s: float
    bound_s: float

    @property
    def bound(self) -> float:
        """No schedule that keeps the limits is below it."""
        return float(self.proven["bound"])

    @property
    def gap_frac(self) -> float:
        """Share of the objective that is not proved."""
        return (self.objective - self.bound) / max(abs(self.objective), 1e-9)


def plan_window(problem: WindowProblem) -> WindowPlan:
    """The plan of one window with its proof; objectives that follow one another are stages of it.

    Raises:
        InfeasibleError: the limits leave no plan.
        SolverTimeoutError: no plan within the time.
    """
    began = time.perf_counter()
    plan, view = problem.scenario.plan, View.of(problem)
    viewed_s = time.perf_counter() - began
    nothing = classes.Tail(np.zeros(1), 0.0)
    limits = [Limit(None, 0.0, nothing)] if plan.pue_max is not None else []
    stages: list[_Stage] = []
    for goal in plan.goals:
        before = stages[-1].course.choice if stages else problem.stands
        stage = _solved(view, goal, limits, before)
        stages.append(stage)
        room = stage.objective + plan.room_frac * abs(stage.objective)
        limits.append(Limit(goal, room, stage.tail))
    last, jobs = stages[-1], problem.movable
    setpoints, promised = last.course.read(view)
    facility_kwh, it_kwh = promised[["facility_kw", "it_reference_kw"]].sum() * view.bus.slot_h
    wasted_kwh = last.objective - last.bound
    if last.goal not in ("energy", "pue"):
        wasted_kwh *= facility_kwh / max(abs(last.objective), 1e-9)
    proof = WindowProof(
        site=problem.site.name,
        start=problem.forecast.frame.index[0].isoformat(),
        status="time_limit" if any(s.status == "time_limit" for s in stages) else "optimal",
        unit=last.money.unit,
        objective=last.objective,
        bound=last.bound,
        gap_frac=last.gap_frac,
        gap_pue=float(wasted_kwh / it_kwh),
        baseline=last.baseline,
        sha256=str(last.proven["sha256"]),
        earlier=tuple(
            StageProof(
                goal_name(stage.goal),
                stage.money.unit,
                stage.objective,
                stage.bound,
                stage.gap_frac,
                limit.room,
                worth,
            )
            for stage, limit, worth in zip(
                stages[:-1],
                limits[-len(stages) : -1],
                last.course.limited[-len(stages) + 1 :],
                strict=False,
            )
        ),
        columns=max(stage.sizes[0] for stage in stages),
        rows=max(stage.sizes[1] for stage in stages),
        binaries=max(stage.sizes[2] for stage in stages),
        jobs_movable=len(jobs.row),
        jobs_moved=last.course.choice.timing.moved(jobs.earliest_s),
        fault="",
        quotas="; ".join(last.quotas),
        full=last.full,
        build_s=viewed_s + sum(stage.build_s for stage in stages),
        solve_s=sum(stage.solve_s for stage in stages),
        bound_s=sum(stage.bound_s for stage in stages),
        jobs_stopped=len(last.course.choice.broken),
    )
    certificate = {**last.proven, "objective": np.asarray(last.objective)}
    chosen = Chosen(last.course.chosen, last.course.load_kw, last.after)
    return WindowPlan(jobs.row, last.course.choice, setpoints, promised, proof, certificate, chosen)


def _solved(view: View, goal: Goal, limits: list[Limit], before: Choice) -> _Stage:
    """One objective under limits; ``before`` is a choice that keeps them."""
    began = time.perf_counter()
    problem, plan = view.problem, view.problem.scenario.plan
    money = view.money(goal)
    tail = tail_of(view.tables, money, view.bus, view.standing_kw)
    caps = [limit.cap(view, view.tables) for limit in limits]
    built, solved = time.perf_counter() - began, 0.0
    choices, sizes, status = [before], (0, 0, 0), "optimal"
    offered = likely_options(view, goal, limits)
    try:
        planned = _planned(view, goal, money, tail, caps, limits, offered)
    except SolverTimeoutError:
        planned, status = None, "time_limit"
    if planned is not None:
        found, choices = planned.solution, [*planned.choices, before]
        built, solved = built + planned.build_s, found.solve_s
        sizes, status = (found.columns, found.rows, found.binaries), found.status
    course = best_course(view, goal, tail, limits, choices, offered)
    done, load = course.solution, course.load_kw
    bounded = time.perf_counter()
    window = Window(problem, view.tables, money, view.bus, view.edges, tail, goal, view.what)
    capped = problem.under(course.choice.level)
    after = tail_cost(capped, course.choice.timing, view.edges, tail)
    in_tables = window.cost_of(course.chosen, load) + after
    objective = max(in_tables, course.cost)  # the tables' error is never in the plan's favour
    relaxed = window
    if caps:
        model = JoinedModel(course.model, None)
        if planned is not None and planned.model is not None:
            model = planned.model
        relaxed = _relaxed(window, _worths(model, plan.limit_s), caps, limits)
    proven = _proved(view, relaxed, planned, load, objective)
    return _Stage(
        goal=goal,
        money=money,
        tail=tail,
        course=course,
        after=after,
        status="time_limit" if "time_limit" in (status, done.status) else "optimal",
        objective=objective,
        proven=proven,
        baseline=window.left_alone(),
        sizes=(max(sizes[0], done.columns), max(sizes[1], done.rows), max(sizes[2], done.binaries)),
        quotas=() if planned is None else planned.quotas,
        full=planned is None and len(problem.movable.row) > 0,
        build_s=built + done.transfer_s,
        solve_s=solved + done.solve_s,
        bound_s=time.perf_counter() - bounded,
    )


def _proved(
    view: View, relaxed: Window, planned: "_Planned | None", load: Array, objective: float
) -> Certificate:
    """The better of two certificates, or the first where it is near enough to the objective.

    One is at the site's marginal price about the plan, the other at the duals of the relaxed class model.
    A class model without integers has its duals at hand, and they are all that is tried.
    """
    plan, slot_h = view.problem.scenario.plan, view.bus.slot_h

    def at_duals(duals: Duals, of_site: Duals | None) -> Certificate:
        price = np.array([duals["it_load"][t] for t in range(len(load))]) / slot_h
        return relaxed.certificate(price, of_site)

    if planned is not None and planned.duals is not None:
        plain, duals = at_duals(planned.duals, planned.duals), planned.duals
        even = (evened(plain["it_price"], plain["bus_price"], slots) for slots in EVENED_SLOTS)
        every = (plain, *(relaxed.certificate(price, duals) for price in even))
        return max(every, key=lambda one: float(one["bound"]))
    proven = relaxed.certificate(marginal_price(view.tables, relaxed.money, view.bus, load))
    near = objective - proven["bound"] <= plan.gap_frac * abs(objective)
    if near or planned is None or planned.model is None:
        return proven
    other = at_duals(_relaxed_duals(planned.model, plan.limit_s), None)
    return max(proven, other, key=lambda one: float(one["bound"]))


def _relaxed_duals(model: JoinedModel, limit_s: float) -> Duals:
    return relaxed_duals(model.site, limit_s, model.jobs)


def _worths(model: JoinedModel, limit_s: float) -> list[float]:
    """What a unit more room in each limit saves in the relaxed model."""
    found = _relaxed_duals(model, limit_s).get("capped", {})
    return [abs(found.get(i, 0.0)) for i in model.site.CAP]


def _relaxed(window: Window, worths: list[float], caps: list[Cap], limits: list[Limit]) -> Window:
    """The window with its limits paid for instead of kept; any worth not below 0 gives a valid bound."""
    money, tail, credit = window.money, window.tail, 0.0
    for worth, cap, limit in zip(worths, caps, limits, strict=True):
        money, tail = money.plus(worth, cap.prices), tail.plus(worth, limit.tail)
        credit += worth * cap.limit
    return replace(window, money=money, tail=tail, limit_credit=credit)


@dataclass(frozen=True, slots=True)
class _Planned:
    """Starts and caps of the movable jobs, with the model that proposed them."""

    choices: tuple[Choice, ...]  # of which the cheapest in the plant goes
    model: JoinedModel | None  # None: it has no integers
    duals: Duals | None  # of such a model
    solution: Solution
    quotas: tuple[str, ...]
    build_s: float


def _planned(
    view: View,
    goal: Goal,
    money: Prices,
    tail: classes.Tail,
    caps: list[Cap],
    limits: list[Limit],
    offered: NDArray[np.bool_],
) -> _Planned | None:
    """Starts of the movable jobs; None: there are none, or the boards are too full to move any.

    The class model counts mean boards of a slot. Where a pool is full, jobs that start late have no
    place in it, although they stand somewhere; then all stay there.
    """
    if not len(view.problem.movable.row):
        return None
    try:
        return _plan_jobs(view, goal, money, tail, caps, limits, offered)
    except InfeasibleError:
        return None


def _plan_jobs(
    view: View,
    goal: Goal,
    money: Prices,
    tail: classes.Tail,
    caps: list[Cap],
    limits: list[Limit],
    offered: NDArray[np.bool_],
) -> _Planned:
    """Solves the class model and gives its shares back to single jobs, checked against free boards."""
    began = time.perf_counter()
    problem, plan = view.problem, view.problem.scenario.plan
    tails = [tail, *(limit.tail for limit in limits)]
    work, kept = work_of(view, tails), options_kept(view, money, caps, offered)
    side, big = work.side, work.big
    if problem.restart_s is not None:
        aims = [(money, 0)] + [
            (view.money(limit.goal), place)
            for place, limit in enumerate(limits, 1)
            if limit.goal is not None
        ]
        side = with_stops(view, aims, work.fixed_kw, side, problem.restart_s[big], tails)
    columns = len(side.columns.class_of) + int(kept.sum()) * view.tables.it_kw.shape[1]
    model, found, duals = None, None, None
    if columns >= LARGE_COLUMNS and not caps:
        built = time.perf_counter() - began
        found = relaxed_or_mean(view, money, work.fixed_kw, side)
        solution, duals = found.solution, found.duals
    else:
        model = joined_model(view, money, replace(work, side=side), caps, kept)
        built = time.perf_counter() - began
        solution = solve_or_by_rule(
            model.site,
            jobs=model.jobs,
            gap_frac=plan.gap_frac,
            limit_s=plan.limit_s,
            what=view.what,
            explain=False,
        )
    began, start_share = time.perf_counter(), solution.start_share
    chosen = classes.assign(side, start_share)
    rows = [chosen]
    if (
        found is not None
        and problem.held is None
        and problem.restart_s is None
        and side.jobs.caps is None
    ):
        fine = tables_of(problem, view.per_slot, view.edges, FINE_POINTS)
        rows.append(refined(view, fine, view.money(goal, fine), work, found, chosen))
    wanted = [(Timing.whole(side.starts.start_s[one]), side.level[one]) for one in rows]
    if problem.restart_s is not None:
        timing = timing_of(side, chosen, problem.restart_s[big], view.edges)
        wanted = [(timing, side.level[chosen])]
    choices = tuple(settled(problem, big, side, timing, level) for timing, level in wanted)
    full = full_quotas(side.columns, start_share)
    quotas = () if problem.groups is None else tuple(problem.groups.names[g] for g in full)
    built += time.perf_counter() - began + solution.transfer_s
    return _Planned(choices, model, duals, solution, quotas, built)
