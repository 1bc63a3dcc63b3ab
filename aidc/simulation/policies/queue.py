"""What a queue policy is: it takes jobs in, hears of ends, and starts jobs."""

from typing import Final, Protocol

NEVER: Final = float("inf")


class Boards(Protocol):
    """What a queue may do with its pool.

    Attributes:
        free: boards that nobody holds.
    """

    free: int

    def start(self, row: int, now_s: float) -> None:
        """Starts a job that waits; all its boards must be free."""

    def stop(self, row: int, now_s: float) -> None:
        """Takes a running job off its boards; it waits again, and what it has done is kept."""


class Queue(Protocol):
    """The waiting jobs of one pool; a job is its row in the table.

    At one instant the pool tells all ends, then all arrivals, then asks once what starts.
    """

    def add(self, row: int, now_s: float) -> bool:
        """Takes a job in; False: it is refused."""

    def ended(self, row: int, now_s: float) -> None:
        """A running job has given its boards back."""

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts what starts now; returns when to be asked again though nothing happens till then."""
