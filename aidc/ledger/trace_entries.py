"""A simulated trace as entries: one site, one meter a stream, one block a month."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import Fault, LedgerError, SeriesError
from aidc.ledger.journal.activity import block_entry, wh_from_kw, whole
from aidc.ledger.journal.canonical import utc_text
from aidc.ledger.journal.fields import Role, base_unit_of
from aidc.ledger.ledger import Ledger
from aidc.units import L_PER_M3

if TYPE_CHECKING:
    import pandas as pd

_ML_PER_L: Final = L_PER_M3  # a thousand, as litres to the cubic metre
_STREAM_OF: Final = {
    "grid_import_kw": "grid_import",
    "grid_export_kw": "grid_export",
    "battery_charge_kw": "storage_in",
    "battery_discharge_kw": "storage_out",
    "it_kw": "it_in",
    "cooling_kw": "cooling",
    "electrical_loss_kw": "loss",
    "other_kw": "other",
}
_SELDOM: Final = {  # a meter of their own only where there is something to count
    "generator_kw": "generator",
    "generator_fuel_kw": "fuel",
    "heat_reused_kw": "heat_out",
}
COLUMNS: Final = (*_STREAM_OF, *_SELDOM, "pv_kw", "pv_curtailed_kw", "water_l_per_h")
_IN: Final = ("grid_import", "pv", "storage_out", "generator")
_OUT: Final = ("it_in", "cooling", "loss", "other", "storage_in", "grid_export")


def trace_entries(
    frame: "pd.DataFrame",
    *,
    entity: str,
    site: str,
    region: str,
    zone: str,
    ledger_zone: str,
    step_h: float,
    attribute_kept: bool,
    fuel: str | None,
) -> Iterator[dict[str, Any]]:
    """The site, its meters, and a block a stream and month, all ``simulated``.

    The few Wh left by rounding stay between the streams: at most one a stream and interval.

    Args:
        frame: rows of one site with `COLUMNS`, stamped at the start of the step, tz-aware.
        entity: reporting entity, such as ``baseline``.
        site: name of the site.
        region: ISO 3166-2 code of its grid.
        zone: zone of the site.
        ledger_zone: zone whose calendar months end the blocks.
        step_h: length of a step [h].
        attribute_kept: whether the certificates of own PV stay with the site.
        fuel: what its generators burn, of models/fuel_factors.csv; None: it has none.

    Raises:
        SeriesError: missing columns, a naive or irregular index, negative power, gaps; all at once.
        LedgerError: inflow and outflow of an interval differ by more than rounding (D17).
    """
    _check(frame, step_h)
    counts = _counts(frame, step_h)
    _check_balance(counts, frame.index)
    key = f"site:{entity}:{site}"
    start, end = frame.index[0].to_pydatetime(), frame.index[-1].to_pydatetime()
    step = timedelta(hours=step_h)
    common = {"valid_from": utc_text(start), "valid_to": utc_text(end + step)}
    yield {
        "id": key,
        "kind": "site",
        **common,
        "payload": {
            "entity": entity,
            "name": site,
            "region": region,
            "zone": zone,
            "use": "AIDC",
            "approach": "operational_control",
            "share": "1",
            **({} if zone == ledger_zone else {"calendar": "ledger"}),
        },
    }
    for stream in counts:
        payload: dict[str, Any] = {"site": key, "stream": stream, "unit": base_unit_of(stream)}
        if stream == "fuel":
            payload["fuel"] = fuel
        if stream == "pv":
            payload["attribute_kept"] = attribute_kept
        yield {
            "id": f"meter:{entity}:{site}:{stream}",
            "kind": "meter",
            **common,
            "payload": payload,
        }
    yield from _blocks(counts, frame.index, f"{entity}:{site}", step, ledger_zone)


def _counts(frame: "pd.DataFrame", step_h: float) -> dict[str, NDArray[np.int64]]:
    made = {
        stream: wh_from_kw(frame[column].to_numpy(np.float64), step_h)
        for column, stream in _STREAM_OF.items()
    }
    pv_kw, curtailed_kw = (frame[c].to_numpy(np.float64) for c in ("pv_kw", "pv_curtailed_kw"))
    produced_kw = np.maximum(pv_kw - curtailed_kw, 0.0)  # float dust of all-curtailed steps
    made["pv"] = wh_from_kw(produced_kw, step_h)
    for column, stream in _SELDOM.items():
        if (frame[column] > 0).any():
            made[stream] = wh_from_kw(frame[column].to_numpy(np.float64), step_h)
    made["water_in"] = whole(frame["water_l_per_h"].to_numpy(np.float64) * step_h * _ML_PER_L)
    return made


def _blocks(
    counts: dict[str, NDArray[np.int64]],
    index: "pd.DatetimeIndex",
    name: str,
    step: timedelta,
    ledger_zone: str,
) -> Iterator[dict[str, Any]]:
    local = index.tz_convert(ledger_zone)
    month = local.year * 12 + local.month
    edges = [0, *(np.flatnonzero(np.diff(month)) + 1).tolist(), len(index)]
    for first, last in pairwise(edges):
        start: datetime = index[first].to_pydatetime()
        for stream, counted in counts.items():
            yield block_entry(
                f"activity:{name}:{stream}:{utc_text(start)}",
                f"meter:{name}:{stream}",
                base_unit_of(stream),
                start,
                step,
                counted[first:last].tolist(),
                "simulated",
            )


def _check(frame: "pd.DataFrame", step_h: float) -> None:
    import pandas as pd

    faults: list[str] = []
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or not len(index):
        faults.append("the index is empty or naive; give every time its zone")
    elif len(index) > 1 and set(np.diff(index.as_unit("ns").asi8)) != {round(step_h * 3.6e12)}:
        faults.append(f"the index is not regular with a step of {step_h:g} h: one site at a time")
    for column in COLUMNS:
        if column not in frame:
            faults.append(f"column {column} is missing")
            continue
        values = frame[column].to_numpy(np.float64)
        if not np.isfinite(values).all():
            faults.append(f"column {column} has {int((~np.isfinite(values)).sum())} gaps")
        elif (values < 0).any():
            faults.append(
                f"column {column} is {values.min():g} at {index[int(values.argmin())]}: never negative"
            )
    if not faults and (frame["pv_curtailed_kw"] > frame["pv_kw"] + 1e-9).any():
        faults.append("pv_curtailed_kw is above pv_kw")
    if faults:
        raise SeriesError([Fault("", 0, 0, "trace", fault) for fault in faults])


def _check_balance(counts: dict[str, NDArray[np.int64]], index: Iterable[object]) -> None:
    into, out = (np.sum([counts[s] for s in group if s in counts], axis=0) for group in (_IN, _OUT))
    left = np.asarray(into - out, np.int64)
    allowed = len(_IN) + len(_OUT)
    over = np.flatnonzero(np.abs(left) > allowed)
    if len(over):
        times = list(index)
        raise LedgerError(
            f"D17: the energy balance is open by {left[over[0]]} Wh in the interval at {times[over[0]]}; "
            f"rounding explains {allowed} Wh at most"
        )


def post_trace(
    ledger: Ledger,
    frame: "pd.DataFrame",
    *,
    entity: str,
    site: str,
    region: str,
    zone: str,
    step_h: float,
    attribute_kept: bool,
    fuel: str | None,
    recorded_at: datetime,
    role: Role = "planner",
) -> int:
    """Posts a simulated run of one site; how many entries were new.

    Args:
        ledger: where to post.
        frame: `Trace.frame` of one site; see `aidc.ledger.trace_entries`.
        entity: reporting entity, such as ``baseline`` or ``optimized``.
        site: name of the site.
        region: ISO 3166-2 code of its grid.
        zone: zone of the site.
        step_h: length of a step [h].
        attribute_kept: whether the certificates of own PV stay with the site.
        fuel: what its generators burn, of models/fuel_factors.csv; None: it has none.
        recorded_at: when it is posted.
        role: who posts.

    Raises:
        SeriesError: the frame does not hold.
        InputError: an overlap with what is recorded.
    """
    entries = trace_entries(
        frame,
        entity=entity,
        site=site,
        region=region,
        zone=zone,
        ledger_zone=ledger.zone,
        step_h=step_h,
        attribute_kept=attribute_kept,
        fuel=fuel,
    )
    return ledger.post(entries, recorded_at=recorded_at, role=role)
