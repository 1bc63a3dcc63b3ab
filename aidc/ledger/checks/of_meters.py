"""Checks D12, D13 and D17: holes in what was counted, one document twice, bills and balances that do not meet."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from aidc.errors import LedgerError
from aidc.ledger.checks.double_counting import Trip
from aidc.ledger.checks.inspection import EvidenceUse, Inspection
from aidc.ledger.checks.reconciliation import comparisons, told
from aidc.ledger.journal.fields import Stream
from aidc.ledger.journal.payloads import Meter

_IN: Final = ("grid_import", "pv", "storage_out", "generator")
_USES: Final = ("it_in", "cooling", "loss", "other")
_OUT: Final = (*_USES, "storage_in", "grid_export")


def _meters(asked: Inspection) -> Iterator[tuple[str, Mapping[str, Meter]]]:
    register = asked.readings.register
    for site in register.sites_of(asked.entity):
        yield site, register.meters_of(site, *get_args(Stream))


def d12_holes(asked: Inspection) -> Iterator[Trip]:
    """Meter intervals overlap, are missing, or a register resets."""
    for _, meters in _meters(asked):
        for name, meter in meters.items():
            try:
                counts = asked.readings.as_billed(name, asked.period)
            except LedgerError as error:
                text = str(error).removeprefix("D12: ")
                yield Trip(
                    "D12", (name,), text, "supersede what is wrong, or estimate what is missing"
                )
                continue
            if meter.register_digits is None or not len(counts.amount):
                continue
            whole = int(meter.multiplier * 10**meter.register_digits)
            if int(counts.amount.max()) >= whole:
                source = counts.sources[int(counts.source[int(counts.amount.argmax())])]
                yield Trip(
                    "D12",
                    (name, source),
                    f"an interval of {int(counts.amount.max())} is more than the register of {name} "
                    f"can count ({whole})",
                    "its register was reset or replaced: post the interval as estimated",
                )


def d13_evidence_twice(asked: Inspection) -> Iterator[Trip]:
    """One evidence hash behind two entries of the same kind and period."""
    seen: dict[tuple[str, ...], list[EvidenceUse]] = {}
    for one in asked.evidence:
        key = (one.sha256, one.kind, one.valid_from, one.valid_to)
        seen.setdefault(key, []).append(one)
    for (digest, kind, since, until), uses in seen.items():
        if len(uses) > 1:
            entries = tuple(one.entry_id for one in uses)
            yield Trip(
                "D13",
                entries,
                f"document {digest[:12]} stands behind {len(uses)} entries of kind {kind} from {since} "
                f"to {until}",
                "a bill of several meters may be so; else take one back",
            )


def d17_bills_and_balance(asked: Inspection) -> Iterator[Trip]:
    """Bill differs from meter beyond tolerance, or the energy balance is open."""
    register = asked.readings.register
    for one in comparisons(asked.readings, asked.entity, asked.period):
        if not one.holds:
            entry = register.entries[one.entry_id]
            message = told(one, (entry.valid_from, entry.valid_to), register.zone)
            if one.ledger is None:
                message = f"{one.assertion.document}: {one.verdict}"
            yield Trip(
                "D17",
                (one.entry_id, *one.sources[:3]),
                message,
                f"within {one.assertion.tolerance_frac:.2%} is allowed: correct the counts by an adjustment; "
                f"where the document was wrong, supersede {one.entry_id} by an assertion of the corrected one",
            )
    for site, meters in _meters(asked):
        yield from _balance(asked, site, meters)


def _balance(asked: Inspection, site: str, meters: Mapping[str, Meter]) -> Iterator[Trip]:
    """The bus of a site where all its uses are metered; gaps are told by D12."""
    streams = {meter.stream for meter in meters.values()}
    if not streams.issuperset((*_USES, "grid_import")):
        return
    inflow = outflow = rounding = 0
    simulated = True
    for name, meter in meters.items():
        if meter.stream not in (*_IN, *_OUT):
            continue
        try:
            counts = asked.readings.counts(name, asked.period)
        except LedgerError:
            return
        inflow += counts.total if meter.stream in _IN else 0
        outflow += counts.total if meter.stream in _OUT else 0
        rounding += len(counts.amount)  # at most one Wh a stream and interval
        simulated = simulated and set(counts.by_quality()) <= {"simulated"}
    allowed = rounding if simulated else max(rounding, int(asked.balance_frac * inflow))
    if abs(inflow - outflow) > allowed:
        yield Trip(
            "D17",
            tuple(meters),
            f"the balance of {site} is open by {inflow - outflow} Wh of {inflow}; {allowed} Wh are allowed",
            "look for a meter that is missing, counted twice or in the wrong direction",
        )
