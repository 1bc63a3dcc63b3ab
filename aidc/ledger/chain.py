"""The hash chain of a journal's lines, and their form as JSON Lines."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aidc.ledger import canonical

_BODY, _HASH, _END = b'{"body":', b',"hash":"', b'"}'
_TAIL: Final = len(_HASH) + 64 + len(_END)
_NOTE: Final = (
    "a chain alone cannot show that its tail was cut or that the whole file was rewritten: "
    "verify against a head kept elsewhere (--anchor)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A stored entry: place, hash and the bytes that were hashed."""

    seq: int
    hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        ok: whether every line holds.
        entries: lines that hold, from the first.
        head: hash of the last line that holds.
        bad_line: number of the first bad line, counted from 0; ``None`` if all hold.
        problem: what is wrong with it: edited, missing, out of order, duplicated or torn.
        note: what was not shown.
    """

    ok: bool
    entries: int
    head: str
    bad_line: int | None
    problem: str
    note: str = _NOTE


def verify_lines(lines: Iterable[Line]) -> Verification:
    """Recomputes every hash and link; stops at the first line that does not hold."""
    prev, count = canonical.NO_HASH, 0
    ids: set[str] = set()
    for line in lines:
        problem = _problem(line, count, prev, ids)
        if problem:
            return Verification(False, count, prev, count, problem)
        prev, count = line.hash, count + 1
    return Verification(True, count, prev, None, "")


def _problem(line: Line, expected: int, prev: str, ids: set[str]) -> str:
    if line.seq != expected:
        return f"missing: entry {expected}, the next one is {line.seq}"
    try:
        body = canonical.read(line.body)
    except (ValueError, UnicodeDecodeError) as error:
        return f"torn: the body is not an entry ({error})"
    if hashlib.sha256(canonical.LEAF + line.body).hexdigest() != line.hash:
        if not line.hash:
            return "torn: the line has no whole hash"
        return f"edited: the body of {body.get('id')!r} does not give the stored hash"
    name = str(body.get("id"))
    if name in ids:
        return f"duplicated: {name!r} stands twice"
    if body.get("seq") != expected:
        return f"out of order: the body says entry {body.get('seq')}, it stands at {expected}"
    if body.get("prev") != prev:
        return "missing or out of order: the entry does not name the hash before it"
    ids.add(name)
    return ""


def written(line: Line) -> bytes:
    """A line of the export."""
    return b"".join((_BODY, line.body, _HASH, line.hash.encode("ascii"), _END, b"\n"))


def read_export(path: Path) -> Iterator[Line]:
    """Lines of an export, unchecked; a torn one has an empty hash."""
    with path.open("rb") as file:
        for seq, raw in enumerate(file):
            text = raw.rstrip(b"\n")
            body, tail = text[len(_BODY) : -_TAIL], text[-_TAIL:]
            whole = raw.endswith(b"\n") and text.startswith(_BODY) and tail.startswith(_HASH)
            yield Line(
                seq, tail[len(_HASH) : -len(_END)].decode("ascii", "replace") if whole else "", body
            )
