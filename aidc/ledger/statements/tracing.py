"""From a figure down to what it rests on: entries, factor versions, documents."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aidc.ledger.journal import units
from aidc.ledger.journal.canonical import decimal_text
from aidc.ledger.journal.names import one_line
from aidc.ledger.journal.store import Store
from aidc.ledger.statements.statement import Cell, Statement


@dataclass(frozen=True, slots=True)
class Origin:
    """A node of the tree from a figure to its evidence.

    Attributes:
        what: the figure, the entry or the document.
        facts: what is said of it, in order.
        under: what it rests on.
    """

    what: str
    facts: Mapping[str, Any]
    under: tuple["Origin", ...] = ()

    def lines(self, depth: int = 0) -> list[str]:
        """The tree as indented text, a fact a line."""
        indent = "  " * depth
        made = [f"{indent}{one_line(self.what)}"]
        made.extend(
            f"{indent}    {key}: {one_line(str(value))}" for key, value in self.facts.items()
        )
        for one in self.under:
            made.extend(one.lines(depth + 1))
        return made

    def text(self) -> str:
        """The tree as indented text."""
        return "\n".join(self.lines())

    def to_json(self) -> str:
        """The tree as JSON."""
        return json.dumps(self._plain(), indent=2, ensure_ascii=False)

    def _plain(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "facts": {key: str(value) for key, value in self.facts.items()},
            "under": [one._plain() for one in self.under],
        }


def origin_of(store: Store, statement: Statement, cells: Iterable[Cell]) -> Origin:
    """What some cells of a statement rest on.

    Args:
        store: the ledger it was derived from.
        statement: where the cells stand.
        cells: from `Statement.cell`.
    """
    kept = tuple(cells)
    tonnes = sum((cell.tco2e for cell in kept), Decimal(0))
    facts = {
        "book": statement.book,
        "entity": statement.entity,
        "t": decimal_text(tonnes) if kept else "not assessed",
        "gases": statement.gases,
        "report date": statement.report_date,
        "policy": statement.policy_hash,
        "known": f"{statement.input_seq} entries, head {statement.head}",
    }
    under = tuple(_cell(store, cell) for cell in kept)
    return Origin(f"figure of {statement.book}", facts, under)


def _cell(store: Store, cell: Cell) -> Origin:
    facts: dict[str, Any] = {
        "amount": units.amount_text(cell.amount, cell.unit),
        "t": decimal_text(cell.tco2e),
    }
    if cell.lag_years:
        facts["lag"] = f"{cell.lag_years} years between activity and factor"
    rows = (() if cell.factor is None else (cell.factor,)) + cell.also
    under = [entry_origin(store, store.register.entry_of_row(row.name)) for row in rows]
    under.extend(entry_origin(store, source) for source in cell.sources)
    return Origin(f"{cell.site}, {cell.year}, {cell.tier}", facts, tuple(under))


def entry_origin(store: Store, entry_id: str) -> Origin:
    """An entry with its place, its hash, who recorded it, and its evidence."""
    place = store.index.place(entry_id)
    if place is None:
        return Origin(f"entry {entry_id}", {"missing": "it is not in this ledger; run verify"})
    body = store.journal.body(place[0])
    payload = body["payload"]
    facts: dict[str, Any] = {"place": place[0], "hash": store.journal.hash_of(place[0])}
    facts |= {"recorded": f"{body['recorded_at']} by {body['recorded_by']} as {body['role']}"}
    facts |= _said(place[1], payload)
    facts |= {name: body[name] for name in ("supersedes", "reason") if name in body}
    documents = [
        Origin(f"evidence {one['locator']}", {"sha256": one["sha256"]} if "sha256" in one else {})
        for one in body["evidence"]
    ]
    if place[1] in ("activity", "adjustment"):
        counted = payload if place[1] == "activity" else payload.get("replacement", {})
        if counted.get("meter"):
            documents.append(entry_origin(store, counted["meter"]))
    if place[1] == "adjustment":
        documents.append(entry_origin(store, body["supersedes"]))
    first, *later = [one.id for one in store.register.versions(entry_id)] or [entry_id]
    if first == entry_id:
        documents.extend(entry_origin(store, name) for name in later)
    return Origin(f"{place[1]} {entry_id}", facts, tuple(documents))


def _said(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "factor_version":
        row = payload["row"]
        named = ("value", "unit_num", "unit_den", "carbon_content", "oxidation", "gas", "data_year",
                 "publisher", "document_no", "locator", "published_on", "status", "source")  # fmt: skip
        return {name: row[name] for name in named if name in row}
    if kind in ("activity", "adjustment"):
        counted = payload if kind == "activity" else payload.get("replacement") or {}
        made = {"code": payload["code"]} if kind == "adjustment" else {}
        kept = ("quality", "method", "across_edges", "unit")
        made |= {name: counted[name] for name in kept if name in counted}
        if "quantities" in counted:
            made["intervals"] = len(counted["quantities"])
            made["sum"] = sum(counted["quantities"])
        return made
    said = {name: value for name, value in payload.items() if isinstance(value, str | int)}
    if "serials" in payload:
        said["serials"] = "{first} to {last}".format_map(payload["serials"])
    for name, given in payload.get("criteria", {}).items():
        said[name] = f"{given['answer']}, {given['evidence']}"
    return said


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded calculation done again.

    Attributes:
        statement: what it gives now.
        same: whether the bytes are those of then.
        differences: what is not, in words.
    """

    statement: Statement
    same: bool
    differences: tuple[str, ...]
