"""Re-checks the lower bounds of a plan from its certificate alone: no optimiser, no solver, NumPy only."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Window = Mapping[str, Any]  # name -> array, as in the file
PRICES = ("it_price", "bus_price", "peak_price", "battery_value", "tank_value")
NOT_DATA = {*PRICES, "board_price", "objective", "bound", "sha256"}  # prices and claims


def lower_bound(w: Window) -> Any:
    """What no schedule of a window beats, at any prices: what couples slots is paid, each part at its cheapest."""
    h, power_kw, it, bus = w["slot_h"], w["battery_kw"], w["it_price"], w["bus_price"]
    peak, over_kw = w["peak_price"].clip(0), w["above_mean_kw"]
    bound = _plant(w) + _jobs(w) + _content(w, "battery") + _content(w, "tank") - w["limit_credit"]
    bound += h * (w["fixed_kw"] @ it + w["awake_kw"] @ it.clip(None, 0) - w["pv_kw"] @ bus.clip(0))
    most_kw = w["facility_kw"].max(axis=(1, 2)) + power_kw + over_kw  # nobody imports more
    bound += most_kw @ np.minimum(h * (w["import_price"] - bus) + peak, 0) + peak @ over_kw
    for mine in (w["month"] == month for month in np.unique(w["month"])):
        charge, floor_kw = (w[name][mine][0] for name in ("month_price", "month_floor_kw"))
        price, top_kw = charge - peak[mine].sum(), max(floor_kw, most_kw[mine].max())
        bound += price * (floor_kw if price >= 0 else top_kw) - charge * floor_kw
    value, (into, out_of) = w["battery_value"], w["battery_efficiency"]
    bound += h * power_kw * np.minimum(bus - into * value, 0).sum()
    return bound + h * power_kw * np.minimum(value / out_of - bus + w["battery_ageing"], 0).sum()


def _plant(w: Window) -> Any:
    """The cheapest course of set-points that keeps the ramp, by dynamic programming."""
    into, out_of = w["tank_efficiency"]
    cold_kwh = w["slot_h"] * (into * w["store_charge_kw"] - w["store_discharge_kw"] / out_of)
    used = (w["bus_price"] + w["facility_price"])[:, None, None] * w["facility_kw"] + w["side"]
    cost = w["slot_h"] * (used - (w["it_price"][:, None] * w["it_kw"])[:, None, :])
    cost = (cost - w["tank_value"][:, None, None] * cold_kwh).min(axis=2)
    level, ramp_k = w["supply_degc"], w["ramp_k"] + 1e-9
    near = np.abs(level[:, None] - level) <= ramp_k
    least = np.where(np.abs(level - w["supply_before_degc"]) <= ramp_k, cost[0], np.inf)
    for of_slot in cost[1:]:
        least = of_slot + np.where(near, least[:, None], np.inf).min(axis=0)
    return least.min()


def _content(w: Window, store: str) -> Any:
    """What a store holds, each slot's content between its limits where it is cheapest at its value."""
    value, (keeps, start_kwh) = w[f"{store}_value"], w[f"{store}_start"]
    price = value - keeps * np.append(value[1:], 0.0)
    held_kwh = np.where(price >= 0, w[f"{store}_least_kwh"], w[f"{store}_most_kwh"])
    return price @ held_kwh - keeps * start_kwh * value[0]


def _jobs(w: Window) -> Any:
    """Every movable job at its own cheapest start and power cap, or stopped, with boards for all."""
    early, run, kw, slots = w["earliest_s"], w["run_s"], w["job_kw"], len(w["it_price"])
    end, slot_s, delay = w["latest_s"] + run, w["slot_h"] * 3600.0, w["job_delay"] / 3600.0
    past = int(np.ceil(np.max((end - w["start_s"]) / slot_s, initial=slots))) - slots
    edges = w["start_s"] + slot_s * np.arange(slots + past + 1)
    after = np.append(np.zeros(slots), np.resize(w["tail_price"], past))
    price, least = after + np.append(w["it_price"], np.zeros(past)), np.full(len(run), np.inf)
    total, tail = (np.append(0.0, np.cumsum(one * w["slot_h"])) for one in (price, after))
    for lasts, drawn in zip((run, *w["cap_run_s"]), (kw, *w["cap_kw"]), strict=True):
        for edge in (-np.inf, *edges[:slots]):  # the earliest start, then those of the slots
            begin = np.maximum(early, edge)
            cost = drawn * (np.interp(begin + lasts, edges, total) - np.interp(begin, edges, total))
            cost += delay * (begin + lasts - early - run)  # ends so much later than at once
            np.minimum(least, cost, out=least, where=begin + lasts <= end + 1e-9 * slot_s)
    if "restart_s" in w:  # or stopped: not below its cheapest hours, with one restart
        order, need = np.argsort(price), (run + w["restart_s"])[:, None]
        room = np.diff(np.clip(edges, early[:, None], end[:, None]))[:, order]
        used = np.where(price[order] < 0, room, np.clip(need - room.cumsum(axis=1) + room, 0, room))
        least = np.minimum(least, used @ price[order] * kw / 3600.0)
    return least.sum() - kw @ np.interp(early + run, edges, tail)  # the tail is a difference


def digest(w: Window) -> str:
    """SHA-256 of the data of a window; not of its prices, as any are right, nor of its claims."""
    data = {n: np.asarray(w[n]) for n in sorted(w) if n.split("/")[-1] not in NOT_DATA}
    parts = (f"{name} {x.dtype} {x.shape}".encode() + x.tobytes() for name, x in data.items())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def findings(file: Path, bound_of: Any = lower_bound) -> Iterator[tuple[Window, float, list[str]]]:
    """Each window of a certificate, its bound as found here, and what does not hold, in sentences."""
    with np.load(file, allow_pickle=False) as stored:
        windows: dict[str, dict[str, Any]] = {key[:4]: {} for key in sorted(stored.files)}
        for key in stored.files:
            windows[key[:4]][key[5:]] = stored[key][()]
    for w in windows.values():
        what, found, said = f"{w['site']}, window from {w['start']}", float(bound_of(w)), []
        if digest(w) != w["sha256"]:
            said.append(f"{what}: its data are not those that were hashed when it was planned")
        if not w["bound"] <= found + 1e-9 * abs(found):
            said.append(f"{what}: a bound of {w['bound']:.9g} does not hold; it is {found:.9g}")
        if not w["bound"] <= w["objective"] + 1e-6 * abs(w["objective"]):
            said.append(f"{what}: objective {w['objective']:.9g} is below bound {w['bound']:.9g}")
        yield w, found, said
