"""Which published figures were put into a ledger: what agrees with itself is no evidence."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from aidc.ledger.checks.published import Basis, figure_locator
from aidc.ledger.journal import canonical
from aidc.ledger.journal.chain import Line
from aidc.ledger.journal.payloads import ReportedFigure
from aidc.ledger.journal.register import Register

_CITES: Final = b'"locator":'
_COUNTS: Final = ("activity", "adjustment")
# What is made of other figures: solved for, where one of them is.
QUOTIENTS: Final[Mapping[str, tuple[str, str]]] = {
    "energy_intensity": ("total_energy", "employees"),
    "emission_intensity": ("scope1_and_2", "employees"),
    "water_intensity": ("water", "employees"),
    "waste_water_intensity": ("waste_water", "employees"),
}
_MADE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "scope1_and_2": ("scope1", "scope2"),
    "scope1_and_2_location": ("scope1", "scope2_location"),
    "scope1_and_2_market": ("scope1", "scope2_market"),
    **QUOTIENTS,
}


def bases(register: Register, lines: Iterable[Line]) -> dict[str, Basis]:
    """By id of a published figure, whether the ledger derives it or was filled from it.

    An activity that names a figure as its evidence, by the figure's id or as "document, table,
    quantity year", was entered from it; one that is estimated was chosen so that it comes out.

    Args:
        register: of the ledger.
        lines: of its journal.
    """
    figures = register.of(ReportedFigure)
    names = {figure_locator(figure): name for name, figure in figures.items()}
    cited: dict[str, set[bool]] = {}  # figure -> whether what cites it is estimated
    for line in lines:
        if _CITES not in line.body:
            continue
        body: Mapping[str, Any] = canonical.read(line.body)
        if body["kind"] not in _COUNTS:
            continue
        payload = body["payload"]
        counted = payload if body["kind"] == "activity" else payload.get("replacement", {})
        for one in body["evidence"]:
            name = names.get(one["locator"], register.key(one["locator"]))
            if name in figures:
                cited.setdefault(name, set()).add(counted.get("quality") == "estimated")
    own: dict[str, Basis] = {
        name: "derived" if name not in cited else "solved for" if all(cited[name]) else "input"
        for name in figures
    }
    solved = {
        (figures[name].entity, figures[name].quantity, figures[name].year)
        for name, basis in own.items()
        if basis == "solved for"
    }
    return {name: _with_parts(figures[name], basis, solved) for name, basis in own.items()}


def _with_parts(figure: ReportedFigure, basis: Basis, solved: set[tuple[str, str, int]]) -> Basis:
    if basis != "derived":
        return basis
    waiting, seen = [figure.quantity], set()
    while waiting:
        quantity = waiting.pop()
        seen.add(quantity)
        if (figure.entity, quantity, figure.year) in solved:
            return "solved for"
        waiting.extend(part for part in _MADE_OF.get(quantity, ()) if part not in seen)
    return "derived"
