"""Checks D5 to D9 and D16: the same emission counted twice, or a saving taken off a metered inventory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from aidc.ledger.factors.registry import Row
from aidc.ledger.factors.rows import GridFactor

Place = Literal["scope_1", "scope_2", "category_1", "category_2", "category_8"]
_SCOPE_2_BOOKS: Final = ("S2-LB", "S2-MB-2015", "S2-MB-HOURLY", "NDRC", "SH-ETS")


@dataclass(frozen=True, slots=True)
class Counted:
    """That something is counted in one place of an inventory.

    Attributes:
        what: the same words for the same thing: a fuel of a site, a leased site, a purchase.
        place: where it is counted.
        entry_id: the entry behind it.
    """

    what: str
    place: Place
    entry_id: str


@dataclass(frozen=True, slots=True)
class Deduction:
    """Something that is taken off a total.

    Attributes:
        entry_id: the entry behind it.
        kind: what it is.
        wh: energy that was not used, where the deduction is of energy.
        tco2e: tonnes, where it is of emissions.
        book: the book whose total it lowers; ``None`` stands in a line of its own.
    """

    entry_id: str
    kind: Literal["avoided", "measure", "offset", "inset"]
    wh: int
    tco2e: Decimal
    book: str | None


@dataclass(frozen=True, slots=True)
class Trip:
    """One check that tripped; every one of these stops a statement (severity E)."""

    check: str
    entries: tuple[str, ...]
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message} ({', '.join(self.entries)}); {self.remedy}"


def d5_savings_subtracted(deductions: Iterable[Deduction]) -> Iterator[Trip]:
    """Avoided emissions or a measure's saving subtracted from a metered inventory.

    A meter has counted less already: the saving is in the figure.
    """
    for one in deductions:
        if one.book is not None:
            size = f"{one.tco2e} t" if one.tco2e else f"{one.wh} Wh"
            yield Trip(
                "D5",
                (one.entry_id,),
                f"{size} of {one.kind} emissions lower {one.book}, which is metered",
                "print it in a line of its own beside the inventory",
            )


def d6_fuel_in_scope_1_and_2(counted: Iterable[Counted]) -> Iterator[Trip]:
    """The same fuel or heat in scope 1 and 2: own generators and combined heat and power."""
    return _twice(
        "D6", counted, "scope_1", "scope_2",
        "keep the fuel in scope 1; what the plant makes of it is no purchase",
    )  # fmt: skip


def d7_lease_in_scope_2_and_category_8(counted: Iterable[Counted]) -> Iterator[Trip]:
    """A leased or colocated site in scope 2 and in category 8."""
    return _twice(
        "D7", counted, "scope_2", "category_8",
        "the consolidation approach puts a site in one of them",
    )  # fmt: skip


def d8_equipment_in_category_1_and_2(counted: Iterable[Counted]) -> Iterator[Trip]:
    """A GPU as purchased goods and as capital goods."""
    return _twice(
        "D8", counted, "category_1", "category_2",
        "equipment on the balance sheet is category 2; take it out of the spend",
    )  # fmt: skip


def d9_losses_in_scope_2(book: str, used: Iterable[tuple[str, Row]]) -> Iterator[Trip]:
    """A factor that includes transmission and distribution in scope 2; category 3 adds it again.

    Args:
        book: the statement's.
        used: entry id and factor of each cell.
    """
    if book not in _SCOPE_2_BOOKS:
        return
    for entry_id, factor in used:
        if isinstance(factor, GridFactor) and factor.basis == "incl_td":
            yield Trip(
                "D9",
                (entry_id,),
                f"{factor.name} includes transmission and distribution and prices electricity in {book}",
                "take a direct factor; losses are scope 3, category 3",
            )


def d16_sold_credits(
    sold_t: Mapping[str, Decimal], added_back_t: Mapping[str, Decimal]
) -> Iterator[Trip]:
    """Credits of an own project that were sold and not added back: the buyer claims the reduction.

    Args:
        sold_t: tonnes by entry id of the move that sold them.
        added_back_t: tonnes added back by the same id.
    """
    for entry_id, tonnes in sorted(sold_t.items()):
        missing = tonnes - added_back_t.get(entry_id, Decimal(0))
        if missing > 0:
            yield Trip(
                "D16",
                (entry_id,),
                f"{missing} t of credits of an own project are sold and not added back",
                "add them to the inventory as a line of its own",
            )


def _twice(
    check: str, counted: Iterable[Counted], first: Place, second: Place, remedy: str
) -> Iterator[Trip]:
    held: dict[str, dict[Place, list[str]]] = {}
    for one in counted:
        held.setdefault(one.what, {}).setdefault(one.place, []).append(one.entry_id)
    for what, places in sorted(held.items()):
        if first in places and second in places:
            entries = tuple(dict.fromkeys([*places[first], *places[second]]))
            message = f"{what} is counted in {first} and in {second}"
            yield Trip(check, entries, message.replace("_", " "), remedy)
