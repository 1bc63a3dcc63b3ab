"""HiGHS in a process of its own, which is killed where it runs over its time: it may, in presolve.

The process is started once and takes one model after another; this same file is its program, and imports
nothing of the package. What it has found so far comes back as it finds it, so that a kill loses no plan.
"""

import atexit
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Lock, Thread
from time import monotonic
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.int64]
Message = dict[str, Any]  # status, primal, objective, bound, values
GRACE_FRAC, GRACE_S = 0.1, 1.0  # of the limit, and at least: HiGHS itself stops within
EASY_FRAC = 0.3  # of the limit, at most, for each of two tries to do without a search
USELESS_FRAC = 0.5  # of the columns: where fewer are, leaving them out makes no smaller model
WHOLE = 1e-6  # HiGHS' own
STARTS_S = 60.0  # to the process' first word, on a machine that is busy


@dataclass(slots=True)
class _Worker:
    process: "subprocess.Popen[bytes]"
    said: "Queue[Message | None]"
    owner: int

    @classmethod
    def started(cls) -> "_Worker":
        process = subprocess.Popen(
            [sys.executable, "-I", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        worker = cls(process, Queue(), os.getpid())
        Thread(target=worker.listen, daemon=True).start()
        worker.said.get(timeout=STARTS_S)
        return worker

    def usable(self) -> bool:
        """Whether it runs, and is ours and not of the process that we were forked from."""
        return self.owner == os.getpid() and self.process.poll() is None

    def listen(self) -> None:
        """Puts what the process says into the queue; None when it is gone."""
        source = self.process.stdout
        try:
            while source is not None:
                self.said.put(pickle.load(source))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.said.put(None)

    def end(self) -> None:
        """Kills the process and takes its remains away."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


_workers: list[_Worker] = []  # one, or none yet
_lock = Lock()  # one model at a time


def run(parts: dict[str, Any], options: dict[str, Any], limit_s: float) -> Message:
    """What HiGHS says of a model in its time, or the best it had when it was killed for running over.

    Args:
        parts: attributes of `highspy.HighsLp`, but ``matrix`` (start, index, value by columns) and
            ``whole`` (1 where a column is an integer).
        options: of HiGHS.
        limit_s: its time; a tenth of it more, and at least a second, before it is killed.

    Returns:
        ``status`` (a name of `highspy.HighsModelStatus`), ``primal`` (a feasible point is known),
        ``objective``, ``bound``, ``values`` of the columns, ``duals`` of the rows of
        a linear model, ``killed``.
    """
    with _lock:
        _workers[:] = [one for one in _workers if one.usable()]
        if not _workers:
            _workers.append(_Worker.started())
        worker, best = _workers[0], None
        into = worker.process.stdin
        if into is None:
            raise OSError("the solver's process has no input")
        pickle.dump((parts, options), into, pickle.HIGHEST_PROTOCOL)
        into.flush()
        until = monotonic() + limit_s + max(GRACE_S, GRACE_FRAC * limit_s)
        while True:
            try:
                said = worker.said.get(timeout=max(until - monotonic(), 0.0))
            except Empty:
                said = None
            if said is None:  # over its time, or gone
                _workers.remove(worker)
                worker.end()
                none = {"primal": False, "objective": 0.0, "bound": 0.0, "values": [], "duals": []}
                return {**(best or none), "status": "kTimeLimit", "killed": True}
            if said["status"] is not None:
                return {**said, "killed": False}
            best = said


@atexit.register
def _close() -> None:
    for worker in _workers:
        if worker.usable():
            worker.end()


def _solver(parts: Message, options: dict[str, Any]) -> highspy.Highs:
    """HiGHS with a model whose columns are all continuous."""
    lp = highspy.HighsLp()
    for name, value in parts.items():
        if name not in ("matrix", "whole"):
            setattr(lp, name, value)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = parts["matrix"]
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in options.items():
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    return solver


def _make_whole(solver: highspy.Highs, whole: Columns) -> None:
    kinds = np.full(len(whole), highspy.HighsVarType.kInteger.value, np.uint8)
    solver.changeColsIntegrality(len(whole), whole.astype(np.int32), kinds)


def _said(solver: highspy.Highs) -> Message:
    info, solution = solver.getInfo(), solver.getSolution()
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return {
        "status": solver.getModelStatus().name,
        "primal": feasible,
        "objective": float(info.objective_function_value),
        "bound": float(info.mip_dual_bound),
        "values": list(solution.col_value) if feasible else [],
        "duals": list(solution.row_dual) if solution.dual_valid else [],
    }


def _solved(parts: dict[str, Any], options: dict[str, Any], tell: Any) -> Message:
    whole = np.flatnonzero(parts["whole"])
    if not len(whole):
        solver = _solver(parts, options)
        solver.run()
        return _said(solver)
    began, easy = monotonic(), _easily(parts, options, whole)
    if easy is not None and easy["status"] is not None:
        return easy
    solver = _solver(parts, options)
    _make_whole(solver, whole)
    if easy is not None:
        tell(easy)
        start = highspy.HighsSolution()
        start.col_value = easy["values"]
        solver.setSolution(start)
    if "time_limit" in options:
        left_s = options["time_limit"] - (monotonic() - began)
        solver.setOptionValue("time_limit", max(left_s, 0.0))

    def better(event: Any) -> None:
        out = event.data_out
        tell(
            {
                "status": None,
                "primal": True,
                "objective": float(out.objective_function_value),
                "bound": float(out.mip_dual_bound),
                "values": list(out.mip_solution),
            }
        )

    solver.cbMipImprovingSolution.subscribe(better)
    solver.run()
    return _said(solver)


def _easily(parts: dict[str, Any], options: dict[str, Any], whole: Columns) -> Message | None:
    """What the linear relaxation leads to: an optimum, a plan (without a status), or nothing.

    Its optimum is often whole. Where it is not, the model is solved once more with the columns that are of
    use to the relaxation, a tenth of them; what comes of that is held against the relaxation's bound.
    """
    limit_s = EASY_FRAC * options.get("time_limit", np.inf)
    solver = _solver(parts, {**options, "presolve": "off", "time_limit": limit_s})
    solver.run()
    relaxed, dual = _said(solver), np.array(solver.getSolution().col_dual)
    if (
        relaxed["status"] != "kOptimal" or not relaxed["primal"]
    ):  # optimal but for rounding: not sure
        return None
    bound, values = relaxed["objective"], np.array(relaxed["values"])
    if (np.abs(values[whole] - values[whole].round()) <= WHOLE).all():
        return {**relaxed, "bound": bound, "duals": []}
    lower = np.asarray(parts["col_lower_"])
    useless = (values <= lower) & (dual > WHOLE)
    useless[whole] = False
    if useless.sum() < USELESS_FRAC * len(useless):
        return None
    drop = np.flatnonzero(useless)
    solver = _solver(parts, {**options, "time_limit": limit_s})
    solver.changeColsBounds(len(drop), drop.astype(np.int32), lower[drop], lower[drop])
    _make_whole(solver, whole)
    solver.run()
    found = {**_said(solver), "bound": bound, "duals": []}
    if not found["primal"]:
        return None
    room = max(
        options.get("mip_rel_gap", 0.0) * abs(found["objective"]), options.get("mip_abs_gap", 0.0)
    )
    return {**found, "status": "kOptimal" if found["objective"] - bound <= room else None}


def _serve() -> None:
    """Solves what comes in until there is no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed must not come between the answers

    def tell(message: Message) -> None:
        pickle.dump(message, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()

    tell({})
    while True:
        try:
            parts, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        tell(_solved(parts, options, tell))


if __name__ == "__main__":
    _serve()
