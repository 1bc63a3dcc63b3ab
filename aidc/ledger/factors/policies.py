"""Selection policies: which factor a book takes, as data; one winner or an error."""

import functools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from pydantic import Field

from aidc import catalog, config
from aidc.config import Config, nearest
from aidc.errors import CatalogError, InputError
from aidc.ledger.factors.rows import GridFactor, grid_factors
from aidc.ledger.journal import canonical
from aidc.ledger.market.terms import MarketTerms
from aidc.ledger.scopes.scope3 import S3C3Options
from aidc.ledger.statements.books import OUTSIDE_MEE, Book


class Policy(Config):
    """One way to choose a grid factor."""

    where: Mapping[Literal["basis", "kind", "gas", "publisher"], str]
    geography: str = Field(min_length=2)  # site: finest level with a row; else a fixed code
    dated: bool  # limited to rows published by the report date
    year: Literal["activity_or_earlier", "newest_published", "same", "most_of"]
    source: str = Field(min_length=3)


class Parents(Config):
    """Which larger place holds a smaller one."""

    source: str = Field(min_length=3)
    of: Mapping[str, str]


_ISO_3166: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
# What stands beside the policies of a book: the terms of a market-based one, the options of S3-C3.
_TERMS: Final[Mapping[str, type[Config]]] = {"market": MarketTerms, "s3_c3": S3C3Options}


class Policies(Config):
    """models/policies.yaml."""

    policies: Mapping[str, Policy]
    s3_c3: S3C3Options
    market: MarketTerms
    parents: Parents

    def levels(self, region: str) -> tuple[str, ...]:
        """A place and all that hold it, finest first; abroad the country of an ISO 3166-2 code.

        Hong Kong, Macao and Taiwan stand for themselves: the ministry's tables do not hold them.
        """
        found = [region]
        while found[-1] in self.parents.of:
            found.append(self.parents.of[found[-1]])
        country = region.partition("-")[0]
        if len(found) == 1 and country not in (region, "CN"):
            found.append(country)
        return tuple(found)

    def digest(self, book: Book) -> str:
        """Hash of what a book selects by: what a statement prints."""
        return canonical.plain_hash(self.stated(book))

    def stated(self, book: Book) -> dict[str, dict[str, Any]]:
        """What a book selects by, in full: what a calc stores, so that it can be done again."""
        made = {
            name: self.policies[name].model_dump(exclude_none=True)
            for name in sorted(set(book.policies))
        }
        terms = {"market": self.market, "s3_c3": self.s3_c3}
        return {**made, **{name: terms[name].model_dump() for name in book.terms}}

    def with_stated(self, stated: Mapping[str, Mapping[str, Any]]) -> "Policies":
        """These policies with some as a calc stored them."""
        held = {
            name: Policy.model_validate(dict(policy))
            for name, policy in stated.items()
            if name not in _TERMS
        }
        changed: dict[str, Any] = {"policies": {**self.policies, **held}}
        for name, model in _TERMS.items():
            if name in stated:
                changed[name] = model.model_validate(dict(stated[name]))
        return self.model_copy(update=changed)


@dataclass(frozen=True, slots=True)
class Selection:
    """The factor that a policy chose, and how far it is from what was asked."""

    policy: str
    factor: GridFactor
    lag_years: int  # activity year minus data year
    level: str


@functools.cache
def shipped() -> Policies:
    """The policies of the catalog.

    Raises:
        CatalogError: every fault of the file.
    """
    file = "models/policies.yaml"
    document = config.read_yaml(catalog.root() / "policies.yaml", shown_as=file)
    if document.faults:
        raise CatalogError(document.faults)
    return catalog.validated(Policies, document)


@functools.cache
def provinces() -> tuple[str, ...]:
    """Provinces of the mainland, as ISO 3166-2 writes them."""
    return tuple(sorted(place for place in shipped().parents.of if place.startswith("CN-")))


def is_region(text: str) -> bool:
    """Whether a text is a country or an ISO 3166-2 code; of China only a province that there is."""
    if text.startswith("CN-"):
        return text in (*provinces(), *OUTSIDE_MEE)
    return _ISO_3166.fullmatch(text) is not None


def select(
    policies: Policies,
    name: str,
    rows: Iterable[GridFactor],
    *,
    region: str,
    activity_year: int,
    report_date: date,
    reporting_year: tuple[date, date] | None = None,
) -> Selection:
    """The one factor that a policy chooses for a place and year.

    Args:
        policies: where the policy stands.
        name: the policy.
        rows: candidates that stand: no drafts, and nothing recorded after ``known_on``.
        region: place of the consumption.
        activity_year: calendar year of the consumption.
        report_date: day by which a row must have been published, for a dated policy.
        reporting_year: first and last day, for a policy that goes by most of the reporting year;
            None is the calendar year.

    Raises:
        InputError: no row fits, or two do; lists what exists and the policy that can serve.
    """
    kept = list(rows)
    found, problem = None, ""

    def chosen(among: list[GridFactor]) -> Selection | None:
        return select_if_any(
            policies,
            name,
            among,
            region=region,
            activity_year=activity_year,
            report_date=report_date,
            reporting_year=reporting_year,
        )

    try:
        found = chosen(kept)
    except InputError as error:
        problem = str(error)
    if found is not None:
        return found
    problem = problem or _nothing(policies, name, kept, region, activity_year, report_date)
    try:
        shipped_one = chosen(with_shipped(kept))
    except InputError:
        shipped_one = None
    if shipped_one is not None:
        problem += f"; {shipped_one.factor.name} is shipped: --adopt posts it"
    elif name == "USER":
        problem += "; post your own: a factor_version of grid_factors with publisher 'user table'"
    raise InputError(problem)


def with_shipped(rows: Iterable[GridFactor]) -> list[GridFactor]:
    """Rows of a journal, and the shipped ones of keys that it has no row for."""
    own = list(rows)
    keys = {row.key for row in own}
    return [*own, *(row for row in grid_factors().values() if row.key not in keys)]


def select_if_any(
    policies: Policies,
    name: str,
    rows: Iterable[GridFactor],
    *,
    region: str,
    activity_year: int,
    report_date: date,
    reporting_year: tuple[date, date] | None = None,
) -> Selection | None:
    """As `select`; None where no row fits.

    Raises:
        InputError: no such policy, or two rows win.
    """
    if name not in policies.policies:
        raise InputError(f"no policy '{name}'{nearest(name, policies.policies)}")
    policy = policies.policies[name]
    chosen = _choose(policies, policy, rows, region, activity_year, report_date, reporting_year)
    if len(chosen) > 1:
        listed = ", ".join(sorted(row.name for row in chosen))
        raise InputError(f"{name}: two factors win: {listed}; withdraw one or narrow the policy")
    if not chosen:
        return None
    return Selection(name, chosen[0], activity_year - chosen[0].data_year, chosen[0].geography)


def most_of_year(first: date, last: date, available: Collection[int]) -> int:
    """The factor set for a reporting year: of the calendar year that holds most of its months.

    With six months in each the newest set that is available by then is taken, or the earlier one.

    Args:
        first: first day of the reporting year.
        last: last day of it.
        available: years of the sets there are.

    Raises:
        InputError: no set of a year that holds a part of it, or more than two calendar years.
    """
    months: dict[int, int] = {}
    at = first
    while at <= last:
        months[at.year] = months.get(at.year, 0) + 1
        at = (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    if not 1 <= len(months) <= 2:
        raise InputError(f"{first} to {last} is no reporting year: it touches {len(months)} years")
    most = max(months.values())
    wanted = sorted(year for year, count in months.items() if count == most)
    usable = [year for year in wanted if year in available]
    if not usable:
        held = ", ".join(map(str, sorted(available))) or "none"
        raise InputError(f"{first} to {last} takes the set of {wanted[-1]}; there is {held}")
    return usable[-1]


def _choose(
    policies: Policies,
    policy: Policy,
    rows: Iterable[GridFactor],
    region: str,
    activity_year: int,
    report_date: date,
    reporting_year: tuple[date, date] | None,
) -> list[GridFactor]:
    """The rows that win, at the finest level that has any; more than one is the caller's error."""
    usable = [
        row
        for row in rows
        if _fits(policy, row)
        and _applies(row, activity_year)
        and (not policy.dated or _published(row, report_date))
    ]
    replaced = {row.name for row in usable if row.superseded_by in {one.name for one in usable}}
    for level in policies.levels(region) if policy.geography == "site" else (policy.geography,):
        here = [row for row in usable if row.geography == level and row.name not in replaced]
        if policy.year == "most_of":
            span = reporting_year or (date(activity_year, 1, 1), date(activity_year, 12, 31))
            years = {row.data_year for row in here}
            wanted = most_of_year(*span, years) if years else activity_year
            here = [row for row in here if row.data_year == wanted]
        elif policy.year == "same":
            here = [row for row in here if row.data_year == activity_year]
        elif policy.year == "activity_or_earlier":
            here = [row for row in here if row.data_year <= activity_year]
        if here:
            best = max(_rank(policy, row) for row in here)
            return [row for row in here if _rank(policy, row) == best]
    return []


def _fits(policy: Policy, row: GridFactor) -> bool:
    values = {"basis": row.basis, "kind": row.kind, "gas": row.gas, "publisher": row.publisher}
    return all(values[field] == wanted for field, wanted in policy.where.items())


def _applies(row: GridFactor, year: int) -> bool:
    since = row.applies_from is None or row.applies_from.year <= year
    return since and (row.applies_to is None or year <= row.applies_to.year)


def _published(row: GridFactor, report_date: date) -> bool:
    return row.published_on is not None and row.published_on <= report_date


def _rank(policy: Policy, row: GridFactor) -> tuple[date, int]:
    published = row.published_on or date.min
    if policy.year == "newest_published":
        return (published, row.data_year)
    return (date(row.data_year, 1, 1), published.toordinal())


def _nothing(
    policies: Policies,
    name: str,
    rows: list[GridFactor],
    region: str,
    activity_year: int,
    report_date: date,
) -> str:
    policy = policies.policies[name]
    fitting = [row for row in rows if _fits(policy, row)]
    levels = policies.levels(region) if policy.geography == "site" else (policy.geography,)
    serving = [
        other
        for other, one in policies.policies.items()
        if other != name
        and one.year != "most_of"
        and (one.geography == "site" or one.geography in policies.levels(region))
        and all(one.where.get(field) == policy.where.get(field) for field in ("basis", "kind"))
        and _choose(policies, one, rows, region, activity_year, report_date, None)
    ]
    remedy = f"; {', '.join(sorted(serving))} can serve it" if serving else ""
    near = [row for row in fitting if row.geography in levels]
    if near:
        held = ", ".join(
            f"{row.name} (published {row.published_on or 'on a day that is not known'})"
            for row in near
        )
        return (
            f"{name} has nothing for {region} in {activity_year} published by {report_date}"
            f"{remedy}; there is {held}"
        )
    places = sorted({row.geography for row in fitting})
    shown = ", ".join(places[:8]) + (f" and {len(places) - 8} more" if len(places) > 8 else "")
    return f"{name} holds nothing for '{region}'{nearest(region, places)}{remedy}; it has {shown or 'no row'}"
