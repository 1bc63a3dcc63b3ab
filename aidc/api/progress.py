"""What a long run says of itself: bars on a terminal, one line a stage in a log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Stages:
    """Stages of a run, told on stderr.

    Args:
        quiet: say nothing.
        prefix: what each stage's name begins with.
    """

    def __init__(self, *, quiet: bool, prefix: str = "") -> None:
        self._quiet = quiet
        self._prefix = prefix
        self._console = Console(stderr=True)
        self.seconds: dict[str, float] = {}

    def of(self, run: str) -> "Stages":
        """The stages of one run among several."""
        return Stages(quiet=self._quiet, prefix=f"{run}: ")

    @contextmanager
    def stage(self, name: str) -> Iterator["Stage"]:
        """One stage; its wall time goes to ``seconds``."""
        began = time.perf_counter()
        if self._quiet:
            yield Stage(None, None)
        elif self._console.is_terminal:
            columns = (
                TextColumn("{task.description:<28}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
            )
            with Progress(*columns, console=self._console) as bars:
                task = bars.add_task(self._prefix + name, total=1.0)
                yield Stage(bars, task)
                bars.update(task, completed=1.0)
        else:
            yield Stage(None, None)
        self.seconds[name] = time.perf_counter() - began
        if not self._quiet and not self._console.is_terminal:
            sys.stderr.write(f"{self._prefix}{name}: {self.seconds[name]:.1f} s\n")


class Stage:
    """One stage under way."""

    def __init__(self, bars: Progress | None, task: "int | None") -> None:
        self._bars, self._task = bars, task

    def at(self, share: float) -> None:
        """Moves the bar to a share of the stage."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=min(share, 1.0))  # type: ignore[arg-type]
