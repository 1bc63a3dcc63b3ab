"""The hash chain of a journal's lines, and their form as JSON Lines."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from aidc.ledger.journal import canonical, merkle

_BODY, _HASH, _END = b'{"body":', b',"hash":"', b'"}'
_TAIL: Final = len(_HASH) + 64 + len(_END)
_NOTE: Final = (
    "a chain alone cannot show that its tail was cut or that the whole file was rewritten: "
    "verify against a head kept elsewhere (--anchor)"
)


class Line(NamedTuple):
    """A stored entry: place, hash and the bytes that were hashed."""

    seq: int
    hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Attributes:
        ok: whether every line holds, every period's root, and the anchor where one is given.
        entries: lines that hold, from the first.
        head: hash of the last line that holds.
        bad_line: number of the first bad line, counted from 0; ``None`` if all hold.
        problem: what is wrong with it: edited, missing, out of order, duplicated, torn, cut or
            rewritten.
        periods: closes whose Merkle root was computed again.
        note: what was not shown.
    """

    ok: bool
    entries: int
    head: str
    bad_line: int | None
    problem: str
    periods: int = 0
    note: str = _NOTE


@dataclass(frozen=True, slots=True)
class Head:
    """A head as it was exported: how many entries there were, the last one's hash, the roots.

    Attributes:
        ledger_id: which ledger.
        entries: how many entries it had.
        head: hash of the last of them.
        roots: root of each closed period by the place of its close.
    """

    ledger_id: str
    entries: int
    head: str
    roots: Mapping[int, str]


class _Walk:
    """One pass over a journal's lines."""

    def __init__(self, anchor: Head | None) -> None:
        self.anchor = anchor
        self.prev = canonical.NO_HASH
        self.count = 0
        self.periods = 0
        self.recorded = ""
        self._ids: set[str] = set()
        self._leaves: list[str] = []  # since the last close
        self._roots: dict[int, str] = {}

    def problem(self, line: Line) -> str:
        """What is wrong with the next line; empty where it holds, and is then taken in."""
        expected = self.count
        if line.seq != expected:
            return f"missing: entry {expected}, the next one is {line.seq}"
        try:
            body = canonical.read(line.body)
        except (ValueError, UnicodeDecodeError) as error:
            return f"torn: the body is not an entry ({error})"
        if not line.hash:
            return "torn: the line has no whole hash"
        if hashlib.sha256(canonical.LEAF + line.body).hexdigest() != line.hash:
            return f"edited: the body of {body.get('id')!r} does not give the stored hash"
        name = str(body.get("id"))
        if name in self._ids:
            return f"duplicated: {name!r} stands twice"
        found = self._link(body)
        if found:
            return found
        if body.get("kind") == "period_close":
            found = self._close(body["payload"])
            if found:
                return found
        if self.anchor is not None:
            found = self._against(self.anchor, line, body)
            if found:
                return found
        self._ids.add(name)
        self._leaves.append(line.hash)
        self.prev, self.count = line.hash, expected + 1
        return ""

    def _link(self, body: Mapping[str, Any]) -> str:
        if body.get("seq") != self.count:
            return f"out of order: the body says entry {body.get('seq')}, it stands at {self.count}"
        if body.get("prev") != self.prev:
            return "missing or out of order: the entry does not name the hash before it"
        recorded = str(body.get("recorded_at"))
        if recorded < self.recorded:
            return f"out of order: recorded at {recorded}, the entry before it at {self.recorded}"
        self.recorded = recorded
        return ""

    def _against(self, anchor: Head, line: Line, body: Mapping[str, Any]) -> str:
        if self.count == 0 and body["payload"]["ledger_id"] != anchor.ledger_id:
            return (
                f"rewritten: this is ledger {body['payload']['ledger_id']}, "
                f"the anchor is of {anchor.ledger_id}"
            )
        if self.count == anchor.entries - 1 and line.hash != anchor.head:
            return "rewritten: up to here the chain is another than the anchored one"
        return ""

    def _close(self, payload: Mapping[str, Any]) -> str:
        period = payload["period"]
        first = self.count - len(self._leaves)
        stated = (payload["first_seq"], payload["entries"], payload["head"])
        if stated != (first, len(self._leaves), self.prev):
            return (
                f"edited: the close of {period} does not cover the entries since the close before"
            )
        if merkle.root(self._leaves) != payload["root"]:
            return f"edited: the entries of {period} do not give its root"
        self._roots[self.count] = payload["root"]
        self._leaves.clear()
        self.periods += 1
        return ""

    def end(self) -> str:
        """What is wrong at the end of the lines."""
        if self.anchor is None:
            return ""
        if self.anchor.entries < 1:
            return "the anchor is of no entry"
        if self.count < self.anchor.entries:
            return f"cut: {self.anchor.entries - self.count} entries after this one are gone"
        if any(self._roots.get(seq) != root for seq, root in self.anchor.roots.items()):
            return "rewritten: a root of the anchor is not in this ledger"
        return ""


def verify_lines(lines: Iterable[Line], anchor: Head | None = None) -> Verification:
    """Recomputes every hash, link and root; stops at the first line that does not hold.

    Args:
        lines: all lines of a journal.
        anchor: a head that was kept elsewhere.
    """
    walk = _Walk(anchor)
    note = _NOTE if anchor is None else f"anchored at {anchor.entries} entries"
    for line in lines:
        problem = walk.problem(line)
        if problem:
            break
    else:
        problem = walk.end()
    bad = walk.count if problem else None
    return Verification(not problem, walk.count, walk.prev, bad, problem, walk.periods, note)


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
