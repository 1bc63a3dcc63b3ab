"""Selection policies: which factor a book takes, as data; one winner or an error."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import Field

from aidc import catalog, config
from aidc.config import Config, nearest
from aidc.errors import CatalogError, InputError
from aidc.ledger import canonical
from aidc.ledger.factors import GridFactor


class Policy(Config):
    """One way to choose a grid factor."""

    where: Mapping[Literal["basis", "kind", "gas", "publisher"], str]
    geography: str = Field(min_length=2)  # site: finest level with a row; else a fixed code
    dated: bool  # limited to rows published by the report date
    year: Literal["activity_or_earlier", "newest_published"]
    source: str = Field(min_length=3)


class Parents(Config):
    """Which larger place holds a smaller one."""

    source: str = Field(min_length=3)
    of: Mapping[str, str]


class Policies(Config):
    """models/policies.yaml."""

    policies: Mapping[str, Policy]
    parents: Parents

    def levels(self, region: str) -> tuple[str, ...]:
        """A place and all that hold it, finest first."""
        found = [region]
        while found[-1] in self.parents.of:
            found.append(self.parents.of[found[-1]])
        return tuple(found)

    def digest(self, names: Iterable[str]) -> str:
        """Hash of the named policies: what a statement prints and a calc stores."""
        return canonical.plain_hash(
            {name: self.policies[name].model_dump() for name in sorted(names)}
        )


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


def select(
    policies: Policies,
    name: str,
    rows: Iterable[GridFactor],
    *,
    region: str,
    activity_year: int,
    report_date: date,
) -> Selection:
    """The one factor that a policy chooses for a place and year.

    Args:
        policies: where the policy stands.
        name: the policy.
        rows: candidates.
        region: place of the consumption.
        activity_year: calendar year of the consumption.
        report_date: day by which a row must have been published, for a dated policy.

    Raises:
        InputError: no row fits, or two do; lists what exists and the policy that can serve.
    """
    if name not in policies.policies:
        raise InputError(f"no policy '{name}'{nearest(name, policies.policies)}")
    policy = policies.policies[name]
    kept = list(rows)
    fitting = [row for row in kept if _fits(policy, row)]
    usable = [row for row in fitting if not policy.dated or _published(row, report_date)]
    levels = policies.levels(region) if policy.geography == "site" else (policy.geography,)
    for level in levels:
        here = [row for row in usable if row.geography == level]
        if policy.year == "activity_or_earlier":
            here = [row for row in here if row.data_year <= activity_year]
        if here:
            chosen = _winner(policy, name, here)
            return Selection(name, chosen, activity_year - chosen.data_year, level)
    raise InputError(
        _nothing(policies, name, fitting, kept, levels, region, activity_year, report_date)
    )


def _fits(policy: Policy, row: GridFactor) -> bool:
    values = {"basis": row.basis, "kind": row.kind, "gas": row.gas, "publisher": row.publisher}
    return all(values[field] == wanted for field, wanted in policy.where.items())


def _published(row: GridFactor, report_date: date) -> bool:
    return row.published_on is not None and row.published_on <= report_date


def _winner(policy: Policy, name: str, rows: list[GridFactor]) -> GridFactor:
    def rank(row: GridFactor) -> tuple[object, ...]:
        if policy.year == "newest_published":
            return (row.published_on, row.data_year)
        return (row.data_year, row.published_on or date.min)

    best = max(rank(row) for row in rows)
    winners = [row for row in rows if rank(row) == best]
    if len(winners) > 1:
        listed = ", ".join(sorted(row.name for row in winners))
        raise InputError(f"{name}: two factors win: {listed}; withdraw one or narrow the policy")
    return winners[0]


def _nothing(
    policies: Policies,
    name: str,
    fitting: list[GridFactor],
    rows: list[GridFactor],
    levels: tuple[str, ...],
    region: str,
    activity_year: int,
    report_date: date,
) -> str:
    near = [row for row in fitting if row.geography in levels]
    if near:
        held = ", ".join(
            f"{row.name} (published {row.published_on or 'on a day that is not known'})"
            for row in near
        )
        return f"{name} has nothing for {region} in {activity_year} published by {report_date}; there is {held}"
    serving = sorted(
        other
        for other, policy in policies.policies.items()
        if policy.geography == "site"
        and any(_fits(policy, row) and row.geography in levels for row in rows)
    )
    places = sorted({row.geography for row in fitting})
    remedy = f"; {', '.join(serving)} can serve it" if serving else ""
    shown = ", ".join(places[:8]) + (f" and {len(places) - 8} more" if len(places) > 8 else "")
    return f"{name} holds nothing for '{region}'{nearest(region, places)}{remedy}; it has {shown or 'no row'}"
