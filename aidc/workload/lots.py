"""Lots drawn by job id: the same job draws the same lot in every variant, table and trace.

The lot of an id is its 64-bit FNV-1a hash [1], salted by the purpose and mixed once more with
the finaliser of SplitMix64 [2], since FNV alone leaves the high bits of short ids alike.

References:
    [1] Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm", RFC 9923.
    [2] Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.job import FloatColumn, TextColumn

_FNV_OFFSET: Final = 0xCBF29CE484222325
_FNV_PRIME: Final = np.uint64(0x100000001B3)


def fnv1a(texts: TextColumn) -> NDArray[np.uint64]:
    """64-bit FNV-1a hash of the UTF-8 bytes of each text, shape (n,).

    Examples:
        >>> f"{fnv1a(np.array(['foobar'], object))[0]:x}"
        '85944171f73967e8'
    """
    try:
        encoded = texts.astype(np.bytes_)
    except UnicodeEncodeError:  # NumPy's own conversion is ASCII only, and ten times faster
        encoded = np.char.encode(texts.astype(str), "utf-8")
    codes = encoded.view(np.uint8).reshape(len(texts), -1)
    hashed = np.full(len(texts), _FNV_OFFSET, np.uint64)
    for column in np.ascontiguousarray(codes.T):
        longer = column != 0  # shorter texts are filled up with zero bytes
        np.bitwise_xor(hashed, column, out=hashed, where=longer)
        np.multiply(hashed, _FNV_PRIME, out=hashed, where=longer)
    return hashed


def lots(job_id: TextColumn, purpose: str) -> FloatColumn:
    """A number in [0, 1) for each id, shape (n,); purposes draw independently of each other."""
    if not len(job_id):
        return np.empty(0)
    mixed = fnv1a(job_id) ^ fnv1a(np.array([purpose], object))
    mixed += np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed >> np.uint64(11)) * 2.0**-53, np.float64)
