"""Waiting jobs by board count, so that a search never looks at jobs that cannot fit."""

from typing import Final

NONE: Final = float("inf")
SMALLEST: Final = 16


class Peers:
    """Waiting jobs of one board count in order of arrival; finds the first that is short enough.

    A binary tree over the limits holds in each node the least limit below it. Places of jobs that
    left stay empty until the tree is full and made anew.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[int, int] | None] = []  # (ticket, row) in order of arrival
        self._place: dict[int, int] = {}  # of each row that waits
        self._front = 0  # nobody waits before this place
        self._size = SMALLEST
        self._least = [NONE] * (2 * SMALLEST)

    def append(self, ticket: int, row: int, limit_s: float) -> None:
        """Takes in a job; tickets rise."""
        if len(self._entries) == self._size:
            self._renew()
        place = len(self._entries)
        self._entries.append((ticket, row))
        self._place[row] = place
        least, node = self._least, place + self._size
        while node and limit_s < least[node]:
            least[node] = limit_s
            node >>= 1

    def remove(self, row: int) -> int:
        """Lets a job go; returns how many still wait."""
        place = self._place.pop(row)
        self._entries[place] = None
        least, node = self._least, place + self._size
        least[node] = NONE
        while node > 1:
            node >>= 1
            left, right = least[2 * node], least[2 * node + 1]
            value = left if left < right else right
            if least[node] == value:
                break
            least[node] = value
        return len(self._place)

    def first(self) -> tuple[int, int]:
        """Ticket and row of the job that came first; there must be one."""
        while (entry := self._entries[self._front]) is None:
            self._front += 1
        return entry

    def first_within(self, limit_s: float) -> tuple[int, int] | None:
        """The same of those with at most this limit; None: there is none."""
        if limit_s == NONE:
            return self.first() if self._place else None
        least, node, size = self._least, 1, self._size
        if least[1] > limit_s:
            return None
        while node < size:
            node *= 2
            if least[node] > limit_s:
                node += 1
        return self._entries[node - size]

    def _renew(self) -> None:
        """Makes the tree anew of those that still wait, with room for as many more."""
        old, leaf = self._least, self._size
        limits = [old[leaf + place] for place in self._place.values()]
        self._entries = [self._entries[place] for place in self._place.values()]
        self._place = {row: place for place, row in enumerate(self._place)}
        self._front = 0
        self._size = max(SMALLEST, 1 << (2 * len(limits)).bit_length())
        least = [NONE] * self._size + limits + [NONE] * (self._size - len(limits))
        for node in range(self._size - 1, 0, -1):
            least[node] = min(least[2 * node], least[2 * node + 1])
        self._least = least


class BySize:
    """Waiting jobs in order of arrival, indexed by board count and by a time such as their limit."""

    def __init__(self, gpus: list[int], limit_s: list[float]) -> None:
        self._gpus, self._limit = gpus, limit_s
        self._peers: dict[int, Peers] = {}
        self._tickets = 0

    def append(self, row: int) -> None:
        """Takes in a job behind all others."""
        gpus = self._gpus[row]
        if gpus not in self._peers:
            self._peers[gpus] = Peers()
        self._tickets += 1
        self._peers[gpus].append(self._tickets, row, self._limit[row])

    def remove(self, row: int) -> None:
        """Lets a job go."""
        gpus = self._gpus[row]
        if not self._peers[gpus].remove(row):
            del self._peers[gpus]

    def of_size(self, gpus: int) -> Peers:
        """The jobs that wait for so many boards; there must be one."""
        return self._peers[gpus]

    def up_to(self, gpus: int) -> list[tuple[int, Peers]]:
        """Each board count of at most ``gpus`` with the jobs that wait for it, at least one."""
        return [item for item in self._peers.items() if item[0] <= gpus]

    def pop_first(self) -> int | None:
        """Takes out the job that came first; None: nobody waits."""
        if not self._peers:
            return None
        row = min(peers.first() for peers in self._peers.values())[1]
        self.remove(row)
        return row
