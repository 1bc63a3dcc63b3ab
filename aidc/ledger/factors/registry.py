"""The factor registry: which tables a journal may hold, which rows stand, which wait for approval."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from aidc.config import Config, nearest
from aidc.errors import InputError
from aidc.ledger.factors.competing import competitor, is_shipped, shipped_of
from aidc.ledger.factors.gases import Gwp, RefrigerantPart
from aidc.ledger.factors.rows import ActivityFactor, FuelFactor, GridFactor, Published, row_of
from aidc.ledger.journal.fields import Text
from aidc.ledger.journal.names import same_person
from aidc.ledger.scopes.scope3 import Embodied, LossRate

Row = GridFactor | FuelFactor | ActivityFactor | Gwp | RefrigerantPart | LossRate | Embodied
TABLES: Final[Mapping[str, type[Row]]] = {
    "grid_factors": GridFactor,
    "fuel_factors": FuelFactor,
    "activity_factors": ActivityFactor,
    "gwp": Gwp,
    "refrigerants": RefrigerantPart,
    "td_losses": LossRate,
    "embodied": Embodied,
}
# Validators of the registry, not physics (ledger: section 5).
_LARGEST_GRID_AVERAGE_T_PER_MWH: Final = Decimal("1.5")
_LARGEST_CHANGE_FRAC: Final = Decimal("0.2")


class Approval(Config):
    """That somebody else looked at a draft and lets it stand."""

    of: Text  # id of the entry
    comment: Text | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A row as the journal holds it."""

    entry_id: str
    row: Row
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval as the journal holds it; posting one needs the role approver."""

    of: str
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that no policy may choose yet, and why."""

    posted: Posted
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.posted.row.name} is held as a draft: {self.reason}; an approver other than "
            f"{self.posted.recorded_by} lets it stand: aidc ledger approve LEDGER {self.posted.entry_id}"
        )


def read_row(table: str, row: Mapping[str, object]) -> Row:
    """A row as its table's model.

    Raises:
        InputError: no such table.
        ValueError: the row does not hold.
    """
    if table not in TABLES:
        raise InputError(
            f"no factor table '{table}'{nearest(table, TABLES)}; there are {', '.join(TABLES)}"
        )
    return TABLES[table].model_validate(dict(row))


def table_of(row: Row) -> str:
    """Name of the table that a row belongs to."""
    return next(name for name, model in TABLES.items() if type(row) is model)


def factor_entry(row: Row) -> dict[str, Any]:
    """The ``factor_version`` entry of a row; it holds from its data year on."""
    table = table_of(row)
    year = row.data_year if isinstance(row, GridFactor | ActivityFactor | LossRate) else 1970
    return {
        "id": f"factor:{row.name}",
        "kind": "factor_version",
        "valid_from": f"{year}-01-01T00:00:00Z",
        "valid_to": "9999-12-31T00:00:00Z",
        "payload": {"table": table, "row": row_of(row)},
    }


def standing(
    posted: Iterable[Posted], approvals: Iterable[Approved]
) -> tuple[list[Posted], list[Draft]]:
    """Rows that stand, and those held as drafts.

    A row is held that is 0 or out of range, more than 20 % from the row of its key that was shipped or
    approved last, nearer to ten times a neighbouring year of its series, or a tenth, than to it, or the
    first of a series that a policy could choose instead of a shipped row. Where nothing of a key is
    shipped or approved, the first row that stood is what the others are held to. An approval by another
    name lifts that. Both arguments hold what was recorded by the time asked for: that is how
    ``known_on`` limits them.

    Args:
        posted: rows in the order of the journal.
        approvals: approvals in the journal.
    """
    lifted: dict[str, set[str]] = {}
    for approval in approvals:
        lifted.setdefault(approval.of, set()).add(approval.recorded_by)
    stand: dict[str, list[Posted]] = {}  # by series
    sure: dict[str, list[Row]] = {}  # what the others of a series are held to
    drafts: list[Draft] = []
    for one in posted:
        series = series_name(one.row)
        held_to = sure.setdefault(series, [])
        given = is_shipped(one.row.name, one.row)
        reason = None if given else held_because(one.row, held_to)
        looked_at = reason is not None and any(
            not same_person(by, one.recorded_by) for by in lifted.get(one.entry_id, ())
        )
        if reason is not None and not looked_at:
            drafts.append(Draft(one, reason))
            continue
        stand.setdefault(series, []).append(one)
        known = (*held_to, *_shipped_like(one.row))
        if given or looked_at or all(other.key != one.row.key for other in known):
            held_to.append(one.row)
    return [one for of_series in stand.values() for one in of_series], drafts


def held_because(row: Row, sure: Iterable[Row]) -> str | None:
    """Why a new row waits for approval, or nothing.

    Args:
        row: not a shipped one.
        sure: rows that it is held to, in order: shipped, approved, or the first of their key.
    """
    size = magnitude(row)
    if not size and isinstance(row, GridFactor | ActivityFactor):
        return "a factor of 0 makes an emission vanish"
    if (
        isinstance(row, GridFactor)
        and row.kind == "average"
        and size > _LARGEST_GRID_AVERAGE_T_PER_MWH
    ):
        return f"{size} t/MWh is above {_LARGEST_GRID_AVERAGE_T_PER_MWH}, beyond any grid average"
    series = [
        *_shipped_like(row),
        *(other for other in sure if series_name(other) == series_name(row)),
    ]
    same = [other for other in series if other.key == row.key]
    if same:
        last = same[-1]
        reached = magnitude(last)
        if abs(size - reached) > _LARGEST_CHANGE_FRAC * reached:
            return f"{_changed(size, reached, last.name)}, the last version"
        return None
    if series and isinstance(row, GridFactor | ActivityFactor):
        year = row.data_year
        near = min(series, key=lambda other: (abs(_year(other) - year), other.name))
        if off_by_ten(size, magnitude(near)):
            return f"{_changed(size, magnitude(near), near.name)}, the nearest year"
    rival = None if series else competitor(row)
    if rival is not None:
        return f"a policy could choose it instead of {rival}, which is shipped, and its id is new"
    return None


def _shipped_like(row: Row) -> tuple[Row, ...]:
    """The shipped rows of a row's series."""
    name = series_name(row)
    return tuple(
        other
        for other in shipped_of(row)
        if isinstance(other, type(row)) and series_name(other) == name
    )


def off_by_ten(size: Decimal, reached: Decimal) -> bool:
    """Whether two values lie nearer to a power of ten apart than to each other: beyond 3.16 times.

    Examples:
        >>> off_by_ten(Decimal("5.366"), Decimal("0.5366")), off_by_ten(Decimal("0.1"), Decimal("0.13"))
        (True, False)
    """
    if not size or not reached:
        return False
    return round(math.log10(size / reached)) != 0


def magnitude(row: Row) -> Decimal:
    """The number of a row that is compared with its versions, in base units."""
    if isinstance(row, GridFactor):
        return row.t_per_mwh
    if isinstance(row, FuelFactor):
        return row.carbon_content * row.oxidation * row.ratio_num / row.ratio_den
    if isinstance(row, ActivityFactor):
        return row.g_per_base
    if isinstance(row, LossRate):
        return row.loss_frac
    if isinstance(row, Embodied):
        return row.embodied_kgco2e
    return row.value if isinstance(row, Gwp) else row.mass_frac


def magnitude_text(row: Row) -> str:
    """The number of a row with what it counts."""
    unit = (
        "g CO2e/g"
        if isinstance(row, Gwp)
        else "kg CO2e"
        if isinstance(row, Embodied)
        else "of the mass"
    )
    return f"{format(magnitude(row), 'f')} {unit}"


def row_faults(row: Row, posted: Iterable[Posted], on: date) -> list[str]:
    """What a row is refused for.

    Args:
        row: about to be posted.
        posted: the rows there are, drafts too.
        on: day on which it is recorded.
    """
    faults = [
        f"{row.name} was posted by {other.entry_id} with other content; a new value is a new version "
        "with a name of its own"
        for other in posted
        if type(other.row) is type(row) and other.row.name == row.name and other.row != row
    ][:1]
    if isinstance(row, Published) and row.superseded_by == row.name:
        faults.append(f"{row.name} cannot supersede itself")
    late = isinstance(row, Published) and row.published_on is not None and row.published_on > on
    if late and not is_shipped(row.name, row):
        faults.append(f"{row.name} is published after {on}, the day it is recorded")
    return faults


def approval_faults(
    approval: Approval, *, role: str, by: str, posted_by: Mapping[str, str]
) -> list[str]:
    """What is wrong with an approval.

    Args:
        approval: as posted.
        role: of who posts it.
        by: name of who posts it.
        posted_by: names of who posted the factor entries, by entry id.
    """
    faults = []
    if role != "approver":
        faults.append(f"an approval needs the role approver, not {role}")
    if approval.of not in posted_by:
        faults.append(f"there is no factor entry '{approval.of}'{nearest(approval.of, posted_by)}")
    elif same_person(posted_by[approval.of], by):
        faults.append(f"{by} posted {approval.of}; approval needs a second name")
    return faults


def series_name(row: Row) -> str:
    """What the rows of all years and versions of one factor share."""
    named = row.id if isinstance(row, GridFactor | ActivityFactor) else row.key
    return f"{type(row).__name__} {named}"


def dated(row: Row) -> tuple[int, date]:
    """Data year and day of publication, least where a row has none: the later row is the larger."""
    return _year(row), (row.published_on if isinstance(row, Published) else None) or date.min


def superseded_by(row: Row, rows: Iterable[Row]) -> str | None:
    """Name of what takes the place of a row: as it says, or the version of its key published last."""
    if isinstance(row, Published) and row.superseded_by is not None:
        return row.superseded_by
    later = [one for one in rows if type(one) is type(row) and one.key == row.key]
    newest = max(later, key=dated, default=row)
    return newest.name if dated(newest) > dated(row) else None


def _year(row: Row) -> int:
    return row.data_year if isinstance(row, GridFactor | ActivityFactor | LossRate) else 0


def _changed(size: Decimal, reached: Decimal, name: str) -> str:
    """How far a value is from another, and whether a unit may be behind it."""
    if not reached:
        return f"{size} instead of 0 of {name}"
    ratio = size / reached
    text = f"{ratio - 1:+.0%} from {reached} of {name}"
    power = round(math.log10(ratio)) if ratio else 0
    if power and abs(ratio.scaleb(-power) - 1) <= _LARGEST_CHANGE_FRAC:
        text += f", about 10^{power} times: look at its unit"
    return text
