"""Which boards each job accepts: a few sets of boards, and for each job the number of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aidc.job import TextColumn

Boards: TypeAlias = frozenset[str] | None  # None: any
ByClass: TypeAlias = Collection[str] | Mapping[str, Collection[str]] | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Boards that each job accepts; twenty million jobs share a handful of sets.

    Attributes:
        sets: names of boards; None: any.
        code: which of the sets is the job's, shape (n,).
    """

    sets: tuple[Boards, ...]
    code: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.code)

    def and_also(self, other: "Accepted") -> "Accepted":
        """Boards that both accept, job by job."""
        pair = self.code.astype(np.int64) * len(other.sets) + other.code
        used, code = np.unique(pair, return_inverse=True)
        both = (divmod(int(one), len(other.sets)) for one in used)
        sets = tuple(_common(self.sets[mine], other.sets[theirs]) for mine, theirs in both)
        return Accepted(sets, code.astype(np.int16))


def accepted_by_class(accepts: ByClass, job_class: TextColumn) -> Accepted:
    """Boards of each job by its class.

    Args:
        accepts: boards of all jobs, or boards by class; None, and classes that are not named: any.
        job_class: power class of each job, shape (n,).

    Examples:
        >>> accepted_by_class({"training": ["h100-sxm"]}, np.array(["debug", "training"], object))
        Accepted(sets=(None, frozenset({'h100-sxm'})), code=array([0, 1], dtype=int16))
    """
    if not isinstance(accepts, Mapping):
        every = None if accepts is None else frozenset(accepts)
        return Accepted((every,), np.zeros(len(job_class), np.int16))
    number = {name: place for place, name in enumerate(accepts, 1)}
    codes = (number.get(name, 0) for name in job_class)
    sets: tuple[Boards, ...] = (None, *(frozenset(boards) for boards in accepts.values()))
    return Accepted(sets, np.fromiter(codes, np.int16, len(job_class)))


def _common(one: Boards, other: Boards) -> Boards:
    if one is None or other is None:
        return other if one is None else one
    return one & other
