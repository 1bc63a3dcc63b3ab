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

Message = dict[str, Any]  # status, primal, objective, bound, values
GRACE_FRAC, GRACE_S = 0.1, 1.0  # of the limit, and at least: HiGHS itself stops within
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


def _solved(parts: dict[str, Any], options: dict[str, Any], tell: Any) -> Message:
    lp = highspy.HighsLp()
    matrix, whole = parts.pop("matrix"), parts.pop("whole")
    for name, value in parts.items():
        setattr(lp, name, value)
    kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
    lp.integrality_ = [kinds[one] for one in whole]
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in options.items():
        solver.setOptionValue(option, value)
    solver.passModel(lp)

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
