"""A CSV file as a regular series: time with an offset, columns with names that end in their unit."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from aidc.config import nearest
from aidc.errors import Fault, SeriesError
from aidc.horizon import Horizon
from aidc.supply.sun import Array, edges_h
from aidc.supply.weather import Series
from aidc.units import S_PER_H, S_PER_MIN

_OFFSET: Final = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_SHOWN: Final = 20  # faults of one kind that are listed one by one


def read_series(path: Path, horizon: Horizon, columns: Mapping[str, tuple[float, float]]) -> Series:
    """Columns of a CSV file that cover the horizon without a gap.

    Column ``time`` is the start of each interval, with its offset; intervals are equal.

    Args:
        path: the file.
        horizon: what must be covered.
        columns: name -> lowest and highest value that can be.

    Raises:
        SeriesError: every fault of the file at once, each with its line.
    """
    file = str(path)
    header, rows = _rows(path)
    faults = [
        Fault(file, 1, 0, name, f"column is missing{nearest(name, header)}")
        for name in ("time", *columns)
        if name not in header
    ]
    if not rows:
        faults.append(Fault(file, 1, 0, "", "has no rows; give one for every interval"))
    if faults and ("time" not in header or not rows):
        raise SeriesError(faults)

    lines = [line for line, _ in rows]
    times_s, time_faults = _times(file, [(n, cells[header.index("time")]) for n, cells in rows])
    faults += time_faults
    values: dict[str, Array] = {}
    for name, (lowest, highest) in columns.items():
        if name in header:
            at = header.index(name)
            values[name], wrong = _numbers(
                file, name, [(n, cells[at]) for n, cells in rows], lowest, highest
            )
            faults += wrong
    interval_s = 0.0
    if not time_faults:
        interval_s, gaps = _interval(file, lines, times_s, horizon)
        faults += gaps
        if not gaps:
            faults += _cover_faults(file, times_s, interval_s, horizon)
    if faults:
        raise SeriesError(faults)
    return Series(float(times_s[0]) / S_PER_H, interval_s / S_PER_H, values)


def means_on_steps(series: Series, column: str, horizon: Horizon) -> Array:
    """Mean of a column over every step; its sum over time is kept, shape (steps,)."""
    values = series.columns[column]
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = (edges_h(horizon) - series.first_h) / series.interval_h
    up_to = np.interp(at, np.arange(len(sums)), sums)
    return np.asarray(np.diff(up_to) / np.diff(at), np.float64)


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and (line, cells); short rows are filled with empty cells."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened)
            header = [cell.strip() for cell in next(reader, [])]
            rows = [
                (reader.line_num, [*cells, *[""] * (len(header) - len(cells))])
                for cells in reader
                if cells
            ]
    except OSError as error:
        raise SeriesError(Fault(str(path), 0, 0, "", f"cannot be read: {error.strerror}")) from None
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"is no CSV text in UTF-8 ({error}); save it as such"
        raise SeriesError(Fault(str(path), 0, 0, "", message)) from None
    return header, rows


def _times(file: str, cells: Sequence[tuple[int, str]]) -> tuple[Array, list[Fault]]:
    """Seconds since 1970 UTC, and what is no time or naive."""
    import pandas as pd

    texts = [text.strip() for _, text in cells]
    read = pd.to_datetime(pd.Series(texts), utc=True, errors="coerce", format="ISO8601")
    faults = []
    naive = [n for n, text in enumerate(texts) if not _OFFSET.search(text) and not pd.isna(read[n])]
    unread = np.flatnonzero(read.isna().to_numpy()).tolist()
    for kind, say in (
        (naive, "has no offset; write e.g. {text}+08:00"),
        (unread, "is no time; write e.g. 2023-07-03T00:00:00+08:00"),
    ):
        rest = f"; {len(kind)} such rows in all" if len(kind) > _SHOWN else ""
        for n in kind[:_SHOWN]:
            message = f"'{texts[n]}' {say.format(text=texts[n])}{rest}"
            faults.append(Fault(file, cells[n][0], 1, "time", message))
    seconds = read.dt.tz_localize(None).to_numpy("datetime64[s]").astype(np.float64)
    return seconds, faults


def _numbers(
    file: str, name: str, cells: Sequence[tuple[int, str]], lowest: float, highest: float
) -> tuple[Array, list[Fault]]:
    """A column as numbers, and the cells that are none or cannot be."""
    import pandas as pd

    texts = pd.Series([text.strip() for _, text in cells])
    values = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(~((values >= lowest) & (values <= highest))).tolist()
    rest = f"; {len(wrong)} such rows in all" if len(wrong) > _SHOWN else ""
    faults = []
    for n in wrong[:_SHOWN]:
        if np.isfinite(values[n]):
            say = f"{values[n]:g} is outside {lowest:g} to {highest:g}; check the unit{rest}"
        else:
            say = f"'{texts[n]}' is no number; fill the gap and say how{rest}"
        faults.append(Fault(file, cells[n][0], 0, name, say))
    return values, faults


def _interval(
    file: str, lines: Sequence[int], times_s: Array, horizon: Horizon
) -> tuple[float, list[Fault]]:
    """Length of an interval [s], and the rows that do not keep it."""
    if len(times_s) == 1:
        return float(horizon.step_s), []
    between = np.diff(times_s)
    usual = float(np.median(between))
    wrong = np.flatnonzero((between != usual) | (between <= 0)).tolist()
    rest = f"; {len(wrong)} such places in all" if len(wrong) > _SHOWN else ""
    faults = []
    for n in wrong[:_SHOWN]:
        step_min, usual_min = between[n] / S_PER_MIN, usual / S_PER_MIN
        what = "a gap; fill it and say how" if step_min > usual_min else "times must rise evenly"
        message = f"{step_min:g} min after the row before, not {usual_min:g} min: {what}{rest}"
        faults.append(Fault(file, lines[n + 1], 1, "time", message))
    return usual, faults


def _cover_faults(file: str, times_s: Array, interval_s: float, horizon: Horizon) -> list[Fault]:
    edges_s = edges_h(horizon) * S_PER_H
    first_s, last_s = float(times_s[0]), float(times_s[-1]) + interval_s
    if first_s <= edges_s[0] and edges_s[-1] <= last_s:
        return []
    import pandas as pd

    first, last = (
        pd.Timestamp(s, unit="s", tz="UTC").tz_convert(horizon.zone) for s in (first_s, last_s)
    )
    message = (
        f"covers {first} to {last}, but the horizon is {horizon.start} to {horizon.end}; "
        "give a series of the whole horizon, or change start and end"
    )
    return [Fault(file, 0, 0, "time", message)]
