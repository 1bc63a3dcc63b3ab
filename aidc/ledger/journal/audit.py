"""What an auditor asks of a ledger: heads kept elsewhere, proof of one entry, what damage left."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, LedgerError
from aidc.ledger.journal import canonical, merkle
from aidc.ledger.journal.chain import Head, Line, verify_lines, written
from aidc.ledger.journal.entries import content_of
from aidc.ledger.journal.file import MEMORY, Journal, lines_of, strangers_in
from aidc.ledger.journal.index import index_differs
from aidc.ledger.journal.payloads import PeriodClose
from aidc.ledger.journal.store import Store

_SHOWN: Final = 20  # faults of an inspection


@dataclass(frozen=True, slots=True)
class Proof:
    """That one entry stands under a period's root, without the other entries.

    Attributes:
        entry_id: the entry.
        body: its canonical bytes as text.
        leaf: its hash.
        place: from 0, among the entries of the close.
        size: entries of the close.
        path: hashes that lead from the leaf to the root, nearest first.
        root: root of the period.
        period: which period was closed.
    """

    entry_id: str
    body: str
    leaf: str
    place: int
    size: int
    path: tuple[str, ...]
    root: str
    period: str

    def holds(self, root: str) -> bool:
        """Whether it proves the entry under a root that was got elsewhere."""
        raw = self.body.encode("utf-8")
        leaf = canonical.entry_hash(raw)
        if canonical.read(raw).get("id") != self.entry_id:
            return False
        return leaf == self.leaf and merkle.proves(leaf, self.place, self.size, self.path, root)

    def write(self, path: Path) -> None:
        """Writes it as JSON.

        Raises:
            InputError: the file is there.
        """
        if path.exists():
            raise InputError(f"{path} exists; name another file")
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", "utf-8")


def read_proof(path: Path) -> Proof:
    """A proof from its file.

    Raises:
        InputError: it is none.
    """
    held = _json(path)
    try:
        texts = {name: str(held[name]) for name in ("entry_id", "body", "leaf", "root", "period")}
        hashes = tuple(str(one) for one in held["path"])
        return Proof(place=int(held["place"]), size=int(held["size"]), path=hashes, **texts)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no proof: {error}") from None


def prove(journal: Journal, place: int, closes: dict[int, PeriodClose]) -> Proof:
    """The proof of the entry at a place.

    Args:
        journal: where it stands.
        place: its place in the journal.
        closes: every close by its own place.

    Raises:
        InputError: no close covers it yet.
    """
    for close in closes.values():
        if not close.first_seq <= place < close.first_seq + close.entries:
            continue
        lines = list(journal.lines(close.first_seq, close.first_seq + close.entries))
        leaves = [line.hash for line in lines]
        number = place - close.first_seq
        body = canonical.read(lines[number].body)
        return Proof(
            str(body["id"]),
            lines[number].body.decode("utf-8"),
            leaves[number],
            number,
            close.entries,
            merkle.inclusion_proof(leaves, number),
            close.root,
            close.period,
        )
    raise InputError(f"entry {place} is in no closed period yet; close its period first")


def write_head(path: Path, head: Head) -> None:
    """Writes a head for its owner to sign, to time-stamp or to mail.

    Raises:
        InputError: the file is there.
    """
    if path.exists():
        raise InputError(f"{path} exists; a head that was given away is never changed")
    path.parent.mkdir(parents=True, exist_ok=True)
    made = asdict(head) | {"roots": {str(seq): root for seq, root in head.roots.items()}}
    path.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n", "utf-8")


def read_head(path: Path) -> Head:
    """A head from its file.

    Raises:
        InputError: it is none.
    """
    held = _json(path)
    try:
        roots = {int(seq): str(root) for seq, root in held["roots"].items()}
        return Head(str(held["ledger_id"]), int(held["entries"]), str(held["head"]), roots)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path} is no exported head: {error}") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is not a file") from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(held, dict):
        raise InputError(f"{path} holds no map")
    return held


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a journal gives when its entries are posted once more, one batch after the other.

    Attributes:
        index_agrees: whether the index in the file is what the entries give.
        faults: what today's rules would refuse, the first of many.
    """

    index_agrees: bool
    faults: tuple[str, ...]


def inspect(path: Path) -> Inspected:
    """Posts the entries of a database again in memory: index and rules, without changing the file.

    Raises:
        LedgerError: an entry cannot be read.
    """
    store = Store(Journal(MEMORY))
    refused: list[str] = []
    faults = [] if path.suffix == ".jsonl" else strangers_in(path)
    try:
        for (stamp, _), bodies in groupby(map(_body, lines_of(path)), key=_batch):
            batch = [content_of(body) for body in bodies]
            try:
                store.post(
                    batch,
                    recorded_at=datetime.fromisoformat(stamp[0]),
                    role=stamp[2],
                    recorded_by=stamp[1],
                )
            except InputError as error:
                refused = str(error).splitlines()
                break  # later entries may rest on these
        database = store.journal.db
        agrees = True
        last = max(lines_of(path), key=lambda line: line.seq, default=None)
        if not refused and last is not None and store.journal.head != (last.seq + 1, last.hash):
            faults.append("the entries are not written in canonical form")
        if path.suffix != ".jsonl":
            database.execute("ATTACH ? AS kept", (f"{path.resolve().as_uri()}?mode=ro",))
            agrees = bool(refused) or not index_differs(database, "main", "kept")
    finally:
        store.journal.close()
    return Inspected(agrees, tuple([*faults, *refused][:_SHOWN]))


def _body(line: Line) -> dict[str, Any]:
    try:
        return canonical.read(line.body)
    except ValueError as error:
        raise LedgerError(f"entry {line.seq} cannot be read, run verify: {error}") from None


def _batch(body: Mapping[str, Any]) -> tuple[tuple[str, str, str], int]:
    """What entries of one batch share; a close stands alone."""
    stamp = (str(body["recorded_at"]), str(body["recorded_by"]), str(body["role"]))
    return stamp, int(body["seq"]) if body["kind"] == "period_close" else -1


@dataclass(frozen=True, slots=True)
class Recovered:
    """What `recover` saved.

    Attributes:
        kept: entries that hold, in the new ledger.
        left: lines from the first bad one on, as they are, in ``rest``.
        problem: what is wrong with the first bad one; empty where none is.
        rest: where the lines went that do not hold.
    """

    kept: int
    left: int
    problem: str
    rest: Path


def recover(damaged: Path, to: Path) -> Recovered:
    """Copies the entries before the first bad one into a new ledger, and the rest beside it.

    The damaged file is not touched.

    Raises:
        InputError: the new ledger is there already.
        LedgerError: the damaged file is no ledger at all, or its first entry does not hold.
    """
    rest = to.with_suffix(".rest.jsonl")
    for path in (to, rest):
        if path.exists():
            raise InputError(f"{path} exists; recover into a new file")
    lines = list(lines_of(damaged))
    found = verify_lines(lines)
    if not found.entries:
        raise LedgerError(f"{damaged}: not one entry holds: {found.problem}")
    to.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(to)
    journal.import_lines(lines[: found.entries])
    journal.close()
    with rest.open("wb") as file:
        for line in lines[found.entries :]:
            file.write(written(line))
    return Recovered(found.entries, len(lines) - found.entries, found.problem, rest)
