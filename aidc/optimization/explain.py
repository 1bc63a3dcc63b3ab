"""Why there is no plan, and what held a plan back, in the words of the plant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyomo.environ as pyo

from aidc.verifier import lower_bound


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a family of constraints asks for.

    Attributes:
        sentence: what must hold.
        unit: of its rows; empty: it is arithmetic, which nothing can relax.
        remedy: what the planner can do.
        weight: of a unit of it where several could give way; it only decides which is named.
    """

    sentence: str
    unit: str = ""
    remedy: str = ""
    weight: float = 1.0


REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    "one_setpoint": Requirement("the hall has one set-point in a slot"),
    "points_of_setpoint": Requirement("the table of the set-point alone applies"),
    "it_power": Requirement("the point on the table is the IT power"),
    "bus_balance": Requirement("what comes in at the bus is what is used"),
    "storage": Requirement(
        "the battery's energy follows its flows within its limits",
        "kWh",
        "start it within soc_min_frac and soc_max_frac, or give it a larger c_rate_per_h",
        0.1,
    ),
    "storage_end": Requirement(
        "the battery ends the window as full as it must",
        "kWh",
        "lower its soc_start_frac or lengthen plan.window",
        0.1,
    ),
    "tank_content": Requirement(
        "the tank's cold follows its flows within its size",
        "kWh",
        "start it less full or enlarge its capacity_kwh",
        0.1,
    ),
    "tank_end": Requirement(
        "the tank ends the window as full as it must",
        "kWh",
        "lower its soc_start_frac or lengthen plan.window",
        0.1,
    ),
    "setpoint_rises": Requirement(
        "the set-point rises no faster than its ramp",
        "K",
        "raise plan.ramp_k_per_h or name plan.levels_degc nearer to each other",
    ),
    "setpoint_falls": Requirement(
        "the set-point falls no faster than its ramp",
        "K",
        "raise plan.ramp_k_per_h or name plan.levels_degc nearer to each other",
    ),
    "import_limit": Requirement("import stays below what the grid asks for, or pays for it"),
    "month_peak": Requirement("the demand charge counts the month's highest import"),
    "every_class_starts": Requirement(
        "every job starts",
        "share of a class of jobs",
        "give the jobs more slack or the pool more boards",
        100.0,
    ),
    "it_load": Requirement(
        "IT power within what the tables reach",
        "kW",
        "tell us: the tables should reach it",
        0.1,
    ),
    "capped": Requirement(
        "a limit is kept",
        "units",
        "raise plan.pue_max or plan.tolerance",
    ),
    "gpu_capacity": Requirement(
        "boards in use are no more than there are",
        "boards",
        "give the pool more servers or the jobs more slack",
        0.5,
    ),
    "vc_quota": Requirement(
        "no virtual cluster holds more than its quota",
        "boards",
        "raise the quota or give its jobs more slack",
        0.5,
    ),
}


@dataclass(frozen=True, slots=True)
class Elastic:
    """A model in which every requirement may give way, and by how much it does.

    Attributes:
        model: the model itself, changed in place; its objective is now what gives way.
        slack: name of the constraint, its slot (of a limit its number) and the two variables of each row.
    """

    model: pyo.ConcreteModel
    slack: tuple[tuple[str, int | None, pyo.Var, pyo.Var], ...]

    @classmethod
    def of(cls, model: pyo.ConcreteModel) -> "Elastic":
        """Puts slack on every requirement with a unit."""
        rows = [
            (family, index, row)
            for family, need in REQUIREMENTS.items()
            if need.unit and (found := model.component(family)) is not None
            for index, row in list(found.items())
        ]
        model.over = pyo.Var(range(len(rows)), domain=pyo.NonNegativeReals)
        model.under = pyo.Var(range(len(rows)), domain=pyo.NonNegativeReals)
        model.elastic = pyo.ConstraintList()
        for number, (_, _, row) in enumerate(rows):
            given = row.body + model.under[number] - model.over[number]
            model.elastic.add((row.lower, given, row.upper))
            row.deactivate()
        for objective in model.component_objects(pyo.Objective, active=True):
            objective.deactivate()
        model.least_slack = pyo.Objective(
            expr=pyo.quicksum(
                REQUIREMENTS[family].weight * (model.over[number] + model.under[number])
                for number, (family, _, _) in enumerate(rows)
            )
        )
        slack = tuple(
            (
                family,
                _slot(index),
                model.over[number],
                model.under[number],
            )
            for number, (family, index, _) in enumerate(rows)
        )
        return cls(model, slack)

    def told(self) -> str:
        """Which requirement gives way, by how much, and when; once the model is solved."""
        amounts: dict[str, list[tuple[float, int | None]]] = {}
        for family, slot, over, under in self.slack:
            amount = float(pyo.value(over) + pyo.value(under))
            if amount > 1e-6:
                amounts.setdefault(family, []).append((amount, slot))
        return "; ".join(self._of_family(family, rows) for family, rows in amounts.items())

    def _of_family(self, family: str, rows: list[tuple[float, int | None]]) -> str:
        need, (most, slot) = REQUIREMENTS[family], max(rows, key=lambda row: row[0])
        if family == "capped":  # its rows are limits, not slots
            return "; ".join(
                f"it cannot be that the limit on {self.model.cap_names[which]} is kept: {amount:.3g} "
                f"{self.model.cap_units[which]} are missing ({need.remedy})"
                for amount, which in rows
                if which is not None
            )
        slots = [at for _, at in rows if at is not None]
        at = f", most {slot * self.model.slot_h:g} h into the window" if slot is not None else ""
        several = f" in {len(slots)} slots" if len(slots) > 1 else ""
        return (
            f"it cannot be that {need.sentence}: {most:.3g} {need.unit} are missing{several}{at} "
            f"({need.remedy})"
        )


def _slot(index: object) -> int | None:
    """Slot of a row: its index, or the last part of it; None: the end of the window."""
    last = index[-1] if isinstance(index, tuple) else index
    return last if isinstance(last, int) else None


def held_back(certificate: Mapping[str, Any]) -> list[str]:
    """What held a plan back and what a little more of it is worth, at the prices of its certificate.

    The bound is linear in these data at given prices, so a difference of two bounds is a price: right for a
    small change, too high for a large one.
    """
    w, unit = dict(certificate), str(certificate["unit"])
    whole, said = float(lower_bound(w)), []

    def worth(**changed: Any) -> float:
        return whole - float(lower_bound(w | changed))

    ramp = worth(ramp_k=np.float64(np.inf))
    if ramp > 1e-6 * abs(whole):
        said.append(
            f"the ramp of {w['ramp_k'] / w['slot_h']:.3g} K/h costs up to {ramp:,.4g} {unit}"
        )
    said += _levels(w, unit)
    if (peak := float(w["peak_price"].clip(0).sum())) > 0:
        hours = int((w["peak_price"] > 0).sum()) * float(w["slot_h"])
        said.append(
            f"the month's peak is set in {hours:g} h; a kW less then is worth {peak:,.4g} {unit}"
        )
    for store in ("battery", "tank"):
        room = float(w[f"{store}_most_kwh"].max())
        if room > 0 and (gain := worth(**{f"{store}_most_kwh": 1.01 * w[f"{store}_most_kwh"]})) > 0:
            said.append(
                f"the {store} is full at times; a kWh more is worth {gain / (0.01 * room):,.4g} {unit}"
            )
    if w["battery_kw"] > 0 and (gain := worth(battery_kw=1.01 * w["battery_kw"])) > 0:
        more = gain / (0.01 * float(w["battery_kw"]))
        said.append(
            f"the battery's power is used up at times; a kW more is worth {more:,.4g} {unit}"
        )
    return said


def _levels(w: Mapping[str, Any], unit: str) -> list[str]:
    """The hours in which the warmest or the coldest supply air was the cheapest."""
    levels = np.unique(w["supply_degc"])
    if len(levels) < 2:
        return []
    used = (w["bus_price"] + w["facility_price"])[:, None, None] * w["facility_kw"] + w["side"]
    cost = w["slot_h"] * (used - (w["it_price"][:, None] * w["it_kw"])[:, None, :]).min(axis=2)
    by_level = np.stack(
        [cost[:, w["supply_degc"] == level].min(axis=1) for level in levels], axis=1
    )
    said = []
    for end, beside, word in ((-1, -2, "warmest"), (0, 1, "coldest")):
        at_end = by_level.argmin(axis=1) == end % len(levels)
        step_k = abs(levels[end] - levels[beside])
        per_k = float((by_level[at_end, beside] - by_level[at_end, end]).sum() / step_k)
        if at_end.any() and per_k > 0:
            hours = int(at_end.sum()) * float(w["slot_h"])
            said.append(
                f"in {hours:g} h the {word} supply air allowed, {levels[end]:g} degC, is the cheapest; "
                f"a kelvin beyond it is worth about {per_k:,.4g} {unit}"
            )
    return said
