"""One step of a controller as a pure function: the same input gives the same answer."""

from typing import TYPE_CHECKING

from aidc.bms.advice import Advice
from aidc.bms.look import Look, look
from aidc.bms.observation import Observation
from aidc.bms.speak import speak
from aidc.bms.state import PlanInForce, State
from aidc.errors import AidcError

if TYPE_CHECKING:
    from aidc.scenario import Scenario


def advise(scenario: "Scenario", observation: Observation, state: State) -> tuple[Advice, State]:
    """The advice for an observation, and what to remember; no clock, no processes, no time limit but the plan's.

    Args:
        scenario: one site, with its plan.
        observation: what is known now.
        state: `State()` at the beginning, else what the step before handed back.

    Raises:
        ObservationError: the wiring is wrong; every fault at once.
    """
    seen = look(scenario, observation, state)
    made, failed = tried(scenario, seen) if seen.due else (None, "")
    return speak(scenario, seen, made, failed)


def tried(scenario: "Scenario", seen: Look) -> tuple[PlanInForce | None, str]:
    """A new plan, or a sentence why there is none; a plan that fails is no error of a step."""
    from aidc.bms.planning import plan_from

    try:
        return plan_from(scenario, seen), ""
    except AidcError as error:
        return None, f"no plan: {error}"
    except Exception as error:  # noqa: BLE001  (whatever a solver does, the plant needs an answer)
        return None, f"no plan: internal error: {type(error).__name__}: {error}"
