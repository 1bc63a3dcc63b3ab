"""A process that plans, so that a solve which does not return can be left behind.

It is started as a program of its own, because a fork or a spawn would run the caller's main module again, and
spoken to over a socket pair, on which both directions have a deadline.
"""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aidc.bms.look import Look
from aidc.bms.state import PlanInForce

if TYPE_CHECKING:
    from aidc.scenario import Scenario

HEAD: Final = 8  # bytes that say how long a message is
END_S: Final = 0.2  # for a killed process to be gone
PROGRAM: Final = (
    sys.executable,
    "-c",
    "import sys; from aidc.bms.worker import main; main(int(sys.argv[1]))",
)


class Late(Exception):  # noqa: N818  (said in a sentence of the advice, not raised to a user)
    """There is no answer within the time."""


class Worker:
    """The planning process of one scenario.

    Args:
        scenario: what it plans.
        program: how it is started; it gets the number of its socket as last argument.
    """

    def __init__(self, scenario: "Scenario", program: tuple[str, ...] = PROGRAM) -> None:
        ours, theirs = socket.socketpair()
        folders = os.pathsep.join(path for path in sys.path if path)
        with theirs:
            self._process = subprocess.Popen(
                [*program, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": folders},
                start_new_session=True,  # so that the solver's process is ended with it
            )
        self._link, self._ready, self._scenario = ours, False, scenario
        self._told = False
        self._close = weakref.finalize(self, _end, self._process, ours)

    def prepare(self, until_s: float) -> bool:
        """Whether it is ready by a time of the monotonic clock; one that is not goes on preparing."""
        try:
            if not self._told:
                _send(self._link, self._scenario, until_s)
                self._told = True
            if not self._ready:
                _receive(self._link, until_s)
                self._ready = True
        except TimeoutError:
            return False
        return True

    def plan(self, seen: Look, until_s: float) -> tuple[PlanInForce | None, str]:
        """A new plan, or why there is none.

        Raises:
            Late: no answer by a time of the monotonic clock; the worker is of no more use.
        """
        try:
            _send(self._link, seen, until_s)
            answer: tuple[PlanInForce | None, str] = _receive(self._link, until_s)
        except TimeoutError:
            raise Late from None
        return answer

    def close(self) -> None:
        """Ends the process at once, whatever it does."""
        self._close()


def _end(process: "subprocess.Popen[bytes]", link: socket.socket) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    link.close()


def _send(link: socket.socket, thing: object, until_s: float | None) -> None:
    data = pickle.dumps(thing)
    link.settimeout(_left_s(until_s))
    link.sendall(len(data).to_bytes(HEAD, "big") + data)


def _receive(link: socket.socket, until_s: float | None) -> Any:
    length = int.from_bytes(_bytes(link, HEAD, until_s), "big")
    return pickle.loads(_bytes(link, length, until_s))


def _bytes(link: socket.socket, count: int, until_s: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        link.settimeout(_left_s(until_s))
        got = link.recv(count - len(parts))
        if not got:
            raise EOFError("the other end is gone")
        parts += got
    return bytes(parts)


def _left_s(until_s: float | None) -> float | None:
    return None if until_s is None else max(until_s - time.monotonic(), 1e-3)


def main(number: int) -> None:
    """Plans for the process at the other end, until that is gone."""
    from aidc.bms.knowledge import (
        foreseen,
        ready_to_forecast,
    )  # most of the time to get ready is in such imports
    from aidc.bms.pure_step import tried
    from aidc.errors import AidcError

    with socket.socket(fileno=number) as link:
        try:
            scenario: Scenario = _receive(link, None)
            if scenario.plan.foresight == "perfect":
                with suppress(AidcError):  # said in words when a plan is asked for
                    foreseen(scenario)
            else:
                ready_to_forecast(scenario)
            _send(link, "ready", None)
            while True:
                _send(link, tried(scenario, _receive(link, None)), None)
        except (EOFError, ConnectionError):
            return
