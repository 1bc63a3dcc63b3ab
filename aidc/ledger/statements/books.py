"""Books: views of one journal, each with its own rule. Totals of different books never add up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from aidc.config import nearest
from aidc.errors import InputError, LedgerError
from aidc.ledger.journal import units


class BookMixError(LedgerError):
    """Figures of two books were added or netted."""


@dataclass(frozen=True, slots=True)
class Total:
    """Tonnes in one book; scope 1 enters another book only when it is said: ``Total(t, book)``."""

    tonnes: Decimal
    book: str

    def __add__(self, other: "Total") -> "Total":
        self._same(other)
        return Total(units.EXACT.add(self.tonnes, other.tonnes), self.book)

    def __sub__(self, other: "Total") -> "Total":
        self._same(other)
        return Total(units.EXACT.subtract(self.tonnes, other.tonnes), self.book)

    def _same(self, other: "Total") -> None:
        if self.book != other.book:
            raise BookMixError(
                f"{self.book} and {other.book} are printed side by side, never added or netted (D11)"
            )


@dataclass(frozen=True, slots=True)
class Rule:
    """Which policy prices grid electricity, and the tier its Wh end in."""

    policy: str
    tier: str
    disclosure: str


RESIDUAL: Final = Rule("RESIDUAL", "residual_mix", "")


@dataclass(frozen=True, slots=True)
class Book:
    """One view: how grid electricity of the mainland and of other places is priced.

    Attributes:
        lots: whether retired lots cover electricity first, over the year or hour by hour.
        place: the only region it holds; None is every place.
        gwp_set: assessment report whose potentials count the gases; None: CO2 only, or as the factors say.
        category: of scope 3.
    """

    name: str
    title: str
    mainland: Rule | None
    elsewhere: Rule | None
    lots: Literal["year", "hour"] | None = None
    place: str | None = None

    def holds(self, region: str) -> bool:
        """Whether electricity of a place stands in it."""
        return self.place in (None, region)

    gwp_set: str | None = None
    category: int | None = None

    @property
    def scope(self) -> Literal[1, 2, 3]:
        """1: fuels and refrigerants; 2: electricity; 3: one category of scope 3."""
        if self.category is not None:
            return 3
        return 1 if self.mainland is None and self.elsewhere is None else 2

    def rules(self, region: str) -> tuple[Rule, ...]:
        """The rules for a place in order: the first that has a factor holds.

        The United Kingdom has a table of its own; a row of the user's comes before it.

        Raises:
            InputError: the book has no electricity.
        """
        found = self.mainland if in_mainland(region) else self.elsewhere
        if found is None:
            raise InputError(f"book {self.name} holds no electricity")
        if found.policy == "USER" and region.partition("-")[0] == "GB":
            return found, replace(found, policy="UK-YEAR", disclosure=_UK)
        return (found,)

    @property
    def terms(self) -> tuple[str, ...]:
        """What else it goes by: parts of models/policies.yaml."""
        if self.lots is not None:
            return ("market",)
        return ("s3_c3",) if self.category == 3 else ()

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the policies it selects by."""
        if self.category == 3:
            return ("MEE-NATIONAL", "PCF")
        residual = (RESIDUAL.policy,) if self.takes_residual else ()
        rules = [rule.policy for rule in (self.mainland, self.elsewhere) if rule]
        return (*rules, *residual, *(("UK-YEAR",) if "USER" in rules else ()))

    @property
    def takes_residual(self) -> bool:
        """Whether uncovered electricity is at a residual mix where there is one."""
        return self.lots is not None and self.place is None


OUTSIDE_MEE: Final = ("CN-HK", "CN-MO", "CN-TW")  # not printed by the ministry's tables
_UK: Final = "United Kingdom: the factor set of the year that holds most of the reporting year"
_USER: Final = Rule("USER", "grid_average", "overseas electricity at a factor of the user's table")
BOOKS: Final[Mapping[str, Book]] = {
    book.name: book
    for book in (
        Book("S1", "scope 1, fuels", None, None),
        Book("S2-LB", "scope 2, location-based", Rule("MEE-LB", "grid_average", ""), _USER),
        Book(
            "S2-MB-2015",
            "scope 2, market-based",
            Rule(
                "MEE-EXMARKET",
                "residual_proxy",
                "no residual mix is published for China: uncovered electricity is at the average "
                "without market-traded non-fossil electricity, a proxy",
            ),
            Rule(
                "USER", "grid_average", "no residual mix: uncovered electricity at the grid average"
            ),
            "year",
        ),
        Book("NDRC", "scope 2, one national factor", Rule("NDRC", "grid_average", ""), _USER),
        Book(
            "SH-ETS",
            "purchased electricity in the emission trading of Shanghai",
            Rule("SH-ETS", "ets_default", ""),
            None,
            "year",
            "CN-SH",
        ),
        Book(
            "S2-MB-HOURLY",
            "scope 2, market-based hour by hour; experimental: follows a draft that is not in force",
            Rule("MEE-FOSSIL", "fossil", "no residual mix: uncovered hours at the fossil average"),
            Rule(
                "USER",
                "grid_average",
                "neither residual mix nor fossil average: uncovered hours at the grid average",
            ),
            "hour",
        ),
        Book(
            "PCF",
            "electricity at its life-cycle factor, for a product footprint; no part of any scope",
            Rule("PCF", "lifecycle", ""),
            Rule("PCF", "lifecycle", ""),
        ),
        Book("S3-C2", "scope 3, category 2: equipment", None, None, category=2),
        Book(
            "S3-C3",
            "scope 3, category 3: fuel and losses behind electricity",
            None,
            None,
            category=3,
        ),
        *(
            Book(
                f"S1-{gwps}", f"scope 1, all gases, potentials of {gwps}", None, None, gwp_set=gwps
            )
            for gwps in ("AR4", "AR5", "AR6")
        ),
        *(
            Book(
                f"S3-C{number}-{gwps}",
                f"scope 3, category {number}: {what}, potentials of {gwps}",
                None,
                None,
                gwp_set=gwps,
                category=number,
            )
            for number, what in ((1, "goods"), (6, "business travel"), (7, "commuting"))
            for gwps in ("AR4", "AR5", "AR6")
        ),
    )
}


def book_named(name: str) -> Book:
    """A book.

    Raises:
        InputError: there is none of that name.
    """
    if name not in BOOKS:
        raise InputError(f"no book '{name}'{nearest(name, BOOKS)}; there are {', '.join(BOOKS)}")
    return BOOKS[name]


def in_mainland(region: str) -> bool:
    """Whether the ministry's tables can hold a place."""
    return region.split("-")[0].split("/")[0] == "CN" and region not in OUTSIDE_MEE
