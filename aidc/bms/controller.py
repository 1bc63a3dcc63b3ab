"""The controller that a BMS holds: its memory, and an answer within a limit."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final

from aidc.bms.advice import Advice
from aidc.bms.look import Look, look, site_of
from aidc.bms.observation import Observation
from aidc.bms.speak import speak
from aidc.bms.state import PlanInForce, State
from aidc.bms.worker import PROGRAM, Late, Worker
from aidc.errors import InputError

if TYPE_CHECKING:
    from aidc.scenario import Scenario

ANSWER_S: Final = 0.5  # of the limit, kept for the answer itself and to end a process,
ANSWER_FRAC: Final = 0.5  # but of a short limit no more than this
SOLVER_FRAC: Final = 0.5  # of the limit, at most for one solve


class Controller:
    """Advice, step by step.

    Between two plans a step only looks up the plan in force. A new plan is made by a process of its own, which
    is started when it is first needed; one that is not back in time is ended and the last plan goes on. Use it
    in a ``with`` block, or call `close`.

    Args:
        scenario: one site, with its plan: ``plan.commit`` is how often a new plan is made, ``step`` is the
            cycle in which `step` wants to be called.
        limit_s: wall time of a step.
        state: what `state` gave before a restart.

    Raises:
        InputError: several sites, power caps of the plan, or a limit that is not above 0.
        ObservationError: the state does not read as one.
    """

    def __init__(self, scenario: "Scenario", *, limit_s: float, state: str | None = None) -> None:
        site_of(scenario)
        if scenario.plan.caps_frac:
            raise InputError(
                "plan.power_caps: advice has no word for a cap of a job yet; leave it out"
            )
        if not limit_s > 0:
            raise InputError(f"limit_s: {limit_s:g} s leaves no time to plan; give some seconds")
        limit = min(scenario.plan.limit_s, SOLVER_FRAC * limit_s)
        self._scenario = scenario.model_copy(
            update={"plan": scenario.plan.model_copy(update={"limit_s": limit})}
        )
        self._limit_s = limit_s
        self._state = State() if state is None else State.from_json(state)
        self._worker: Worker | None = None
        self._program = PROGRAM

    @property
    def state(self) -> str:
        """The memory as JSON text: hand it back after a restart."""
        return self._state.to_json()

    def step(self, observation: Observation) -> Advice:
        """The advice for an observation, within the limit whatever the solver does.

        Raises:
            ObservationError: the wiring is wrong, every fault at once; the memory is as it was.
        """
        answer_s = min(ANSWER_S, ANSWER_FRAC * self._limit_s)
        until_s = time.monotonic() + self._limit_s - answer_s
        seen = look(self._scenario, observation, self._state)
        made, failed = self._planned(seen, until_s) if seen.due else (None, "")
        advice, self._state = speak(self._scenario, seen, made, failed)
        return advice

    def prepare(self, limit_s: float) -> bool:
        """Starts the planning process ahead of the first step, and whether it is ready within a time."""
        if self._worker is None:
            self._worker = Worker(self._scenario, self._program)
        return self._worker.prepare(time.monotonic() + limit_s)

    def close(self) -> None:
        """Ends the planning process; the next step that needs one starts another."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def __enter__(self) -> "Controller":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _planned(self, seen: Look, until_s: float) -> tuple[PlanInForce | None, str]:
        """A new plan, or a sentence why there is none."""
        try:
            if self._worker is None:
                self._worker = Worker(self._scenario, self._program)
            if not self._worker.prepare(until_s):
                return None, "no plan: the planning process is still getting ready"
            return self._worker.plan(seen, until_s)
        except Late:
            self.close()
            return None, f"no plan within {self._limit_s:g} s: the solve was given up"
        except (EOFError, OSError) as error:
            self.close()
            return None, f"no plan: the planning process ended ({error})"
