"""What a meter counted in a period, read from the entries themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import LedgerError
from aidc.ledger.journal.file import checked
from aidc.ledger.journal.index import Index, Span
from aidc.ledger.journal.periods import local_text

IntColumn = NDArray[np.int64]
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Counts:
    """Intervals of one meter in order, an element each; see `read_counts`.

    Attributes:
        meter: id of its entry.
        start_s: start of each interval [s since 1970, UTC], shape (n,).
        length_s: its length [s], shape (n,).
        amount: whole Wh, ml or g, shape (n,).
        source: which of ``sources`` each interval stands in, shape (n,).
        sources: ids of entries.
        qualities: quality of each source.
        methods: method of each source that is an estimate, by its id.
    """

    meter: str
    start_s: IntColumn
    length_s: IntColumn
    amount: IntColumn
    source: IntColumn
    sources: tuple[str, ...]
    qualities: tuple[str, ...]
    methods: Mapping[str, str]

    @property
    def total(self) -> int:
        """Sum of the intervals, exact."""
        return exact_sum(self.amount)

    @property
    def used(self) -> tuple[str, ...]:
        """Ids of the entries that the intervals stand in."""
        return tuple(self.sources[number] for number in np.unique(self.source))

    def by_quality(self) -> dict[str, int]:
        """Amount of each quality."""
        of_source = np.array(self.qualities, dtype=object)
        found = of_source[self.source] if len(self.source) else of_source[:0]
        return {
            quality: exact_sum(self.amount[found == quality])
            for quality in dict.fromkeys(found.tolist())
        }

    def part(self, start: datetime, end: datetime) -> "Counts":
        """The intervals that begin in a part of the period."""
        first, last = np.searchsorted(self.start_s, [start.timestamp(), end.timestamp()])
        rows = slice(int(first), int(last))
        return replace(
            self,
            start_s=self.start_s[rows],
            length_s=self.length_s[rows],
            amount=self.amount[rows],
            source=self.source[rows],
        )


def nothing(meter: str) -> Counts:
    """Counts of a meter without an interval."""
    none = np.empty(0, np.int64)
    return Counts(meter, none, none, none, none, (), (), {})


def exact_sum(amount: IntColumn) -> int:
    """Sum of whole numbers, also where it is beyond 64 bits."""
    if len(amount) and int(amount.max()) > 2**62 // len(amount):
        return sum(amount.tolist())
    return int(amount.sum())


def read_counts(
    index: Index,
    meter: str,
    period: tuple[datetime, datetime],
    upto: int,
    zone: str,
) -> Counts:
    """What a meter counted in a period, as it stood after ``upto`` entries; faults tell times of ``zone``.

    Raises:
        LedgerError: a gap, an overlap or an interval across an edge of the period (D12), an edited
            entry, or an index that does not agree with it.
    """
    start, end = (int(time.timestamp()) for time in period)
    starts: list[int] = []
    lengths: list[int] = []
    amounts: list[int] = []
    sizes: list[int] = []
    sources: list[str] = []
    qualities: list[str] = []
    methods: dict[str, str] = {}
    splittable: set[int] = set()
    for span, stored, raw in index.stored_spans(meter, start, end, upto):
        body = checked(span.seq, stored, raw)
        quantities, interval_s, quality, method = _counted(body, meter)
        if _held(body).get("across_edges") is not None:
            splittable.add(len(sources))
        _check_place(span, body, len(quantities) * interval_s)
        starts.extend(range(span.start, span.stop, interval_s))
        lengths.extend([interval_s] * len(quantities))
        amounts.extend(quantities)
        sizes.append(len(quantities))
        sources.append(str(body["id"]))
        qualities.append(quality)
        if method is not None:
            methods[sources[-1]] = method
    begin, length, amount = (np.array(column, np.int64) for column in (starts, lengths, amounts))
    source = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    if splittable:
        _split(
            sources, qualities, methods, splittable, (start, end), (begin, length, amount, source)
        )
    inside = (begin >= start) & (begin + length <= end)
    cut = np.flatnonzero((begin < end) & (begin + length > start) & ~inside)
    if len(cut):
        raise LedgerError(
            f"D12: {sources[source[cut[0]]]} has an interval across {_text(start, zone)} or {_text(end, zone)}; "
            "choose a period that intervals do not cross, post finer ones, or declare a bill "
            "across_edges: by_time (in CSV a column across_edges), which splits it as an estimate"
        )
    made = Counts(
        meter,
        begin[inside],
        length[inside],
        amount[inside],
        source[inside],
        tuple(sources),
        tuple(qualities),
        methods,
    )
    _check_cover(made, start, end, zone)
    return made


def _counted(body: Mapping[str, Any], meter: str) -> tuple[list[int], int, str, str | None]:
    payload = body["payload"]
    if body["kind"] == "energy_tx":
        amount = sum(move["wh"] for move in payload["moves"] if move.get("meter") == meter)
        return [amount], _length_s(body), str(payload["quality"]), None
    counted = _held(body)
    if counted["meter"] != meter:
        raise _stale(body["id"])
    return (
        counted["quantities"],
        int(counted["interval_s"]),
        str(counted["quality"]),
        counted.get("method"),
    )


def _held(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was counted: of an adjustment, its replacement."""
    held: Mapping[str, Any] = body["payload"]
    return held["replacement"] if body["kind"] == "adjustment" else held


def _split(
    sources: list[str],
    qualities: list[str],
    methods: dict[str, str],
    splittable: set[int],
    period: tuple[int, int],
    columns: tuple[IntColumn, IntColumn, IntColumn, IntColumn],
) -> None:
    """Leaves of a bill across an edge its part inside, in proportion to time, as an estimate.

    Parts of one bill add up to it: each is the difference of two rounded running amounts.
    """
    begin, length, amount, source = columns
    for row in np.flatnonzero(np.isin(source, list(splittable))).tolist():
        first, stop = int(begin[row]), int(begin[row] + length[row])
        low, high = max(first, period[0]), min(stop, period[1])
        if (low, high) == (first, stop) or high <= low:
            continue
        whole, seconds = int(amount[row]), stop - first
        until, since = (round(Fraction(whole * (t - first), seconds)) for t in (high, low))
        amount[row], begin[row], length[row] = until - since, low, high - low
        number = int(source[row])
        qualities[number] = "estimated"
        shown = f"{(high - low) / _DAY_S:.6g} of {seconds / _DAY_S:.6g} days"
        methods[sources[number]] = f"{sources[number]} split by time, {shown}"


def _check_place(span: Span, body: Mapping[str, Any], length_s: int) -> None:
    start = int(datetime.fromisoformat(body["valid_from"]).timestamp())
    if (start, start + length_s) != (span.start, span.stop):
        raise _stale(body["id"])


def _stale(entry_id: str) -> LedgerError:
    return LedgerError(f"the index does not agree with {entry_id}; run reindex")


def _length_s(body: Mapping[str, Any]) -> int:
    start, end = (datetime.fromisoformat(body[key]) for key in ("valid_from", "valid_to"))
    return int((end - start).total_seconds())


def _check_cover(counts: Counts, start: int, end: int, zone: str) -> None:
    stops = np.concatenate([[start], counts.start_s + counts.length_s])
    starts = np.concatenate([counts.start_s, [end]])
    for number in np.flatnonzero(stops != starts)[:1]:
        if stops[number] > starts[number]:
            raise LedgerError(
                f"D12: {counts.meter} is counted twice from {_text(starts[number], zone)} to "
                f"{_text(stops[number], zone)}; run reindex, then verify"
            )
        raise LedgerError(
            f"D12: {counts.meter} has nothing from {_text(stops[number], zone)} to "
            f"{_text(starts[number], zone)}; "
            "fill it with an estimate and its method"
        )


def _text(seconds: int, zone: str) -> str:
    return local_text(datetime.fromtimestamp(int(seconds), UTC), zone)
