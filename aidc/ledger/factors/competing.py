"""Rows of the shipped tables: which a new row would stand against in a policy."""

import functools
from collections.abc import Mapping
from typing import Final

from aidc.config import Config
from aidc.ledger.factors.gases import Gwp, RefrigerantPart, gwps, refrigerants
from aidc.ledger.factors.policies import Policy, shipped
from aidc.ledger.factors.rows import (
    ActivityFactor,
    Factor,
    FuelFactor,
    GridFactor,
    activity_factors,
    fuel_factors,
    grid_factors,
)
from aidc.ledger.scopes.scope3 import Embodied, LossRate, embodied, loss_rates

_OPEN: Final = "assumed"  # a row that nobody published gives way to any that somebody did


@functools.cache
def _shipped_factors() -> tuple[Factor, ...]:
    tables: tuple[Mapping[str, Factor], ...] = (
        grid_factors(),
        fuel_factors(),
        activity_factors(),
    )
    return tuple(row for table in tables for row in table.values())


@functools.cache
def _shipped() -> dict[tuple[str, str], Config]:
    others: tuple[Mapping[str, Gwp | RefrigerantPart | LossRate | Embodied], ...] = (
        gwps(),
        refrigerants(),
        loss_rates(),
        embodied(),
    )
    made: dict[tuple[str, str], Config] = {
        (type(row).__name__, row.name): row for row in _shipped_factors()
    }
    return made | {
        (type(row).__name__, row.name): row for table in others for row in table.values()
    }


def is_shipped(name: str, row: Config) -> bool:
    """Whether a row of a name is one of the shipped tables, as it stands there."""
    return _shipped().get((type(row).__name__, name)) == row


def shipped_of(like: Config) -> tuple[Config, ...]:
    """The shipped rows of the table that a row belongs to."""
    return tuple(row for (model, _), row in _shipped().items() if model == type(like).__name__)


def competitor(row: Config) -> str | None:
    """Name of a shipped row that a policy could choose this one instead of.

    A grid factor competes where a policy takes both, at one place or at a finer one; a factor of a
    fuel or an activity where both speak of the same fuel or activity and gas.
    """
    return max(
        (one.name for one in _shipped_factors() if one.status != _OPEN and _in_place_of(row, one)),
        default=None,
    )


def _in_place_of(row: Config, one: Factor) -> bool:
    if isinstance(row, GridFactor) and isinstance(one, GridFactor):
        policies = shipped().policies.values()
        taken = [policy for policy in policies if _fits(policy, row) and _fits(policy, one)]
        return any(_at_one_place(policy, row, one) for policy in taken)
    if isinstance(row, FuelFactor) and isinstance(one, FuelFactor):
        return row.fuel == one.fuel
    if isinstance(row, ActivityFactor) and isinstance(one, ActivityFactor):
        same = (row.activity, row.basis) == (one.activity, one.basis)
        return same and row.gas.split("-")[0] == one.gas.split("-")[0]
    return False


def _at_one_place(policy: Policy, row: GridFactor, one: GridFactor) -> bool:
    if policy.geography == "site":
        return one.geography in shipped().levels(row.geography)
    return row.geography == one.geography == policy.geography


def _fits(policy: Policy, row: GridFactor) -> bool:
    values = {"basis": row.basis, "kind": row.kind, "gas": row.gas, "publisher": row.publisher}
    return all(values[field] == wanted for field, wanted in policy.where.items())
