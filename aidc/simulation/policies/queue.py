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

    def lost(self, row: int, gpus: int, now_s: float, until_s: float) -> None:
        """A node has left for repair, as if a job had taken its boards until then.

        Its row counts on from the last of the table, one for each node; `ended` tells of its return.
        Boards may be short by it: what is free is then negative, and boards that come back go to it first.
        """

    def dispatch(self, now_s: float, boards: Boards) -> float:
        """Starts what starts now; returns when to be asked again though nothing happens till then."""
