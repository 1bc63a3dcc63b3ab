"""Checks D1 to D4, D10, D14 and D15 on what a journal holds, whoever wrote it.

The ledger refuses D1 to D3 when lots are posted; a journal that was put together elsewhere is read
here again from its moves alone.
"""

from collections.abc import Iterable, Iterator, Mapping

from aidc.ledger.double_counting import Trip
from aidc.ledger.holdings import Holding, Holdings, MoveRecord
from aidc.ledger.lots import LotMove
from aidc.ledger.market import NotApplied

_GIVEN_OUT = "acquire"


def d1_retired_twice(held: Holdings) -> Iterator[Trip]:
    """A serial number retired twice, in any book, period or company of the ledger."""
    runs: dict[str, list[tuple[int, int, str]]] = {}
    for record in held.moves:
        serials = record.move.serials
        if record.move.act == "retire" and serials is not None:
            registry = held.lots[record.move.lot].lot.registry
            runs.setdefault(registry, []).append((serials.first, serials.last, record.entry_id))
    for registry, retired in sorted(runs.items()):
        for one, other in _overlaps(retired):
            yield Trip(
                "D1",
                (one[2], other[2]),
                f"serials {max(one[0], other[0])} to {min(one[1], other[1])} of {registry} are retired twice",
                "void the retirement that the registry does not have",
            )


def _overlaps(
    runs: Iterable[tuple[int, int, str]],
) -> Iterator[tuple[tuple[int, int, str], tuple[int, int, str]]]:
    """Neighbours that share numbers; each run against the one that reaches furthest before it."""
    furthest: tuple[int, int, str] | None = None
    for run in sorted(runs):
        if furthest is not None and run[0] <= furthest[1]:
            yield furthest, run
        if furthest is None or run[1] > furthest[1]:
            furthest = run


def d2_more_than_held(held: Holdings) -> Iterator[Trip]:
    """More acquired than was issued, or more retired than was acquired."""
    for holding in held.lots.values():
        sums: dict[str, list[MoveRecord]] = {}
        for record in held.moves:
            if record.move.lot == holding.entry_id:
                sums.setdefault(record.move.act, []).append(record)
        bought, used = sums.get(_GIVEN_OUT, []), sums.get("retire", [])
        limit = holding.lot.quantity
        for what, records, most in (
            ("acquired than issued", bought, limit),
            ("retired than acquired", used, sum(one.move.quantity for one in bought)),
        ):
            total = sum(one.move.quantity for one in records)
            if total > most:
                yield Trip(
                    "D2",
                    (holding.entry_id, *(one.entry_id for one in records)),
                    f"more {what}: {total} of {most} {holding.lot.unit}",
                    "post what the registry's statement shows",
                )


def d3_certificate_and_credit(held: Holdings) -> Iterator[Trip]:
    """The same MWh as green certificate and as CCER, or a certificate moved on while frozen."""
    for names in held.of_project.values():
        for credit in (held.lots[name] for name in names):
            if credit.lot.type != "ccer" or not _stands(credit):
                continue
            for name in names:
                other = held.lots[name]
                over = (
                    other.generated[0] < credit.generated[1]
                    and credit.generated[0] < other.generated[1]
                )
                if other.rule.tier == "certificate" and over and _stands(other):
                    yield Trip(
                        "D3",
                        (name, credit.entry_id),
                        f"{other.lot.project} has certificates and CCER of the same time",
                        "void the certificates, or withdraw the credit",
                    )


def _stands(holding: Holding) -> bool:
    return any(part.state not in ("void", "expired") for part in holding.parts)


def d4_sold_own_pv(held: Holdings, kept: Mapping[str, tuple[str, bool]]) -> Iterator[Trip]:
    """Own PV at zero although its certificates went to somebody else.

    Args:
        held: holdings at the report date.
        kept: entity of each PV meter's site, and whether its attribute counts as kept.
    """
    for holding in held.lots.values():
        meter = holding.lot.meter
        if meter is None or meter not in kept or not kept[meter][1]:
            continue
        gone = [part for part in holding.parts if part.entity not in (None, kept[meter][0])]
        for part in gone[:1]:
            yield Trip(
                "D4",
                (meter, holding.entry_id, part.by),
                f"{meter} counts as kept, but certificates of it are {part.entity}'s",
                "post the meter again with attribute_kept false",
            )


def d10_two_kinds_of_rest(tiers: Mapping[tuple[str, int], Iterable[str]]) -> Iterator[Trip]:
    """Residual mix and grid average for the same kind of uncovered Wh in one book.

    Args:
        tiers: kinds of rest by market and year.
    """
    for (market, year), kinds in sorted(tiers.items()):
        found = sorted(set(kinds))
        if len(found) > 1:
            yield Trip(
                "D10",
                (),
                f"uncovered electricity of {market} in {year} is priced as {' and '.join(found)}",
                "post the residual mix of every site, or of none",
            )


def d14_credit_for_two_claims(held: Holdings) -> Iterator[Trip]:
    """An offset or removal used for two years or two claims."""
    seen: dict[str, tuple[tuple[object, ...], str]] = {}
    for record in held.moves:
        move = record.move
        if move.act != "retire" or held.lots[move.lot].rule.account != "offset":
            continue
        first = seen.setdefault(str(move.document), (_use(move), record.entry_id))
        if first[0] != _use(move):
            yield Trip(
                "D14",
                (first[1], record.entry_id),
                f"document {move.document} stands for two years or claims",
                "a credit serves one claim of one year; retire others for the second",
            )


def _use(move: LotMove) -> tuple[object, ...]:
    return (move.entity, move.period_from, move.period_to, move.claim)


def d15_vintage(passed_over: Iterable[NotApplied]) -> Iterator[Trip]:
    """Lots whose vintage lies outside the declared window; the lot is not applied."""
    for one in passed_over:
        if one.criterion == "QC4" and one.reason.startswith("D15"):
            yield Trip(
                "D15",
                (one.lot, one.move),
                one.reason.removeprefix("D15: "),
                "retire a lot of the period, or declare another window",
            )
