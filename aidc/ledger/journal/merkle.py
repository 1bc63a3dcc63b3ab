"""Merkle tree of RFC 6962: one root for many entries, and a short proof that one of them is in it.

The hash of an entry (`aidc.ledger.journal.canonical.entry_hash`) is the tree's leaf hash already.

References:
    RFC 6962, section 2.1 (tree and audit path); RFC 9162, section 2.1.3.2 (verification).
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from aidc.errors import InputError

NODE: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").hexdigest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of two subtrees, 32 bytes."""
    return hashlib.sha256(NODE + left + right).digest()


def root(leaves: Sequence[str]) -> str:
    """Root over leaf hashes, in hex; `EMPTY_ROOT` where there is none.

    Args:
        leaves: leaf hashes in hex, in order.

    Raises:
        InputError: a leaf is no SHA-256 in hex.

    Examples:
        >>> root([])[:8], root(["00" * 32]) == "00" * 32
        ('e3b0c442', True)
    """
    level = _read(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = _above(level)
    return level[0].hex()


def inclusion_proof(leaves: Sequence[str], index: int) -> tuple[str, ...]:
    """Hashes that lead from a leaf to the root, nearest first, in hex.

    Args:
        leaves: leaf hashes in hex, in order.
        index: place of the leaf, from 0.

    Raises:
        InputError: no such leaf, or a leaf is no SHA-256 in hex.
    """
    if not 0 <= index < len(leaves):
        raise InputError(f"there is no leaf {index} in a tree of {len(leaves)}")
    level, path = _read(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):  # a promoted odd node has none
            path.append(level[beside].hex())
        level, index = _above(level), index // 2
    return tuple(path)


def proves(leaf: str, index: int, size: int, proof: Sequence[str], expected_root: str) -> bool:
    """Whether a proof leads from a leaf to a root; needs no other leaf.

    Args:
        leaf: leaf hash in hex.
        index: place of the leaf, from 0.
        size: number of leaves under the root.
        proof: from `inclusion_proof`.
        expected_root: root in hex.

    Raises:
        InputError: a hash is no SHA-256 in hex.
    """
    if not 0 <= index < size:
        return False
    (here,), rest = _read([leaf]), _read(proof)
    last = size - 1
    for beside in rest:
        if last == 0:
            return False  # longer than the tree is high
        if index % 2 or index == last:
            here = node_hash(beside, here)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            here = node_hash(here, beside)
        index, last = index // 2, last // 2
    return last == 0 and here == _read([expected_root])[0]


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + level[len(pairs) * 2 :]


def _read(hashes: Sequence[str]) -> list[bytes]:
    made = []
    for text in hashes:
        try:
            value = bytes.fromhex(text)
        except ValueError:
            value = b""
        if len(value) != hashlib.sha256().digest_size:
            raise InputError(f"{text!r} is no SHA-256; write 64 hexadecimal digits")
        made.append(value)
    return made
