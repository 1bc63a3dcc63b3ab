"""Starts of single jobs made better against what the plant really takes, where many jobs share a site.

A linear programme sees the convex hull of the plant. A plant has steps, where a kilowatt more costs some per cent
of site power, and a load between two corners of the hull pays up to the whole step.
With thousands of jobs a load can lie beside a step instead. Jobs are looked at some at a time and go where
they cost least on the curve as it is; moves that together do not pay are halved until they do. The curve is
smoothed over a wide range first and a narrower one each time after, so that a step is seen from afar.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aidc.optimization import classes
from aidc.optimization.class_model import Work
from aidc.optimization.class_relaxation import Relaxed
from aidc.optimization.objective import Prices
from aidc.optimization.plant_tables import PlantTables
from aidc.optimization.view import View

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
FINE_POINTS = 96  # of IT power: a step of the plant must be seen where it is
WIDTHS_FRAC = (0.25, 0.12, 0.06, 0.03, 0.0)  # of the highest power
AT_ONCE = 64  # jobs
SHORT_FACTOR = 10.0  # a board that is not there, over its power where power is dearest
HALVINGS = 4
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """Cost of IT power in each slot, on points that are evenly spaced in each.

    Attributes:
        low_kw, step_kw: first point and distance, shape (slots,).
        cost: shape (slots, points).
        site_kw: power of the site, same shape.
        most_site_kw: from here on it raises the month's peak, shape (slots,).
        peak_price: of a kW above, shape (slots,).
    """

    low_kw: Array
    step_kw: Array
    cost: Array
    site_kw: Array
    most_site_kw: Array
    peak_price: Array

    def of(self, it_kw: Array) -> Array:
        """Cost of loads, shape (..., slots)."""
        over = self.power_of(it_kw) - self.most_site_kw
        return self._at(self.cost, it_kw) + self.peak_price * np.maximum(over, 0.0)

    def power_of(self, it_kw: Array) -> Array:
        """Power of the site [kW] at loads, shape (..., slots)."""
        return self._at(self.site_kw, it_kw)

    def _at(self, values: Array, it_kw: Array) -> Array:
        slots, points = values.shape
        at = np.clip((it_kw - self.low_kw) / self.step_kw, 0.0, points - 1 - 1e-9)
        left = at.astype(np.int64)
        slot = np.arange(slots)
        here = values[slot, left]
        return np.asarray(here + (values[slot, left + 1] - here) * (at - left))

    def smoothed(self, width_kw: float) -> "Curve":
        """Its mean over a range about each point."""
        cost, points = self.cost.copy(), self.cost.shape[1]
        for slot, half in enumerate((width_kw / 2 / self.step_kw).astype(int).tolist()):
            if half:
                line = np.linspace(cost[slot, 0], cost[slot, -1], points)
                padded = np.pad(cost[slot] - line, half, mode="edge")
                total = np.append(0.0, np.cumsum(padded))
                cost[slot] = line + (total[2 * half + 1 :] - total[: -2 * half - 1]) / (
                    2 * half + 1
                )
        return replace(self, cost=cost)


def refined(
    view: View, fine: PlantTables, money: Prices, work: Work, found: Relaxed, at: Rows
) -> Rows:
    """Starts of the planned jobs that cost less where they may, as rows of ``side.starts``, shape (jobs,).

    Boards count as means of slots here: what results is held against a calendar after.

    Args:
        view: of the window.
        fine: tables with evenly spaced points.
        money: prices on them.
        work: the jobs.
        found: the relaxation, whose prices of energy at the bus and month's peak are kept.
        at: where the jobs stand, such rows too.
    """
    slot_h, slots = view.bus.slot_h, len(view.bus.pv_kw)
    at_bus = np.array([found.duals["bus_balance"][t] for t in range(slots)]) / slot_h
    energy = np.minimum(at_bus, money.import_price) + money.facility_price
    cost = slot_h * (energy[:, None, None] * fine.facility_kw + money.side)
    best = cost.argmin(axis=1)[:, None, :]
    low = fine.it_kw[:, 0]
    step = np.maximum((fine.it_kw[:, -1] - low) / (fine.it_kw.shape[1] - 1), TIE)
    cheapest, site_kw = (
        np.take_along_axis(one, best, axis=1)[:, 0] for one in (cost, fine.facility_kw)
    )
    month = view.bus.month_of_slot
    share = np.array([view.bus.peaks.share[one] for one in month.tolist()])
    plain = Curve(low, step, cheapest, site_kw, found.most_site_kw, money.demand_price * share)
    per_kw = float(((cheapest[:, -1] - cheapest[:, 0]) / (fine.it_kw[:, -1] - low)).max())
    search = _Search.of(view, work, at, SHORT_FACTOR * per_kw)
    most_kw = np.maximum(found.most_site_kw, plain.power_of(search.load_kw))
    plain = replace(plain, most_site_kw=most_kw)
    rng = np.random.default_rng(view.problem.scenario.seed)
    stood = search.copy()
    for width_frac in WIDTHS_FRAC:
        search.go_once(plain.smoothed(width_frac * float(fine.it_kw.max())), rng, True)
    if search.cost(plain) >= stood.cost(plain):
        search = stood
    search.go_once(plain, rng, False)
    return search.at


@dataclass(slots=True)
class _Search:
    """Where the jobs stand, and what they load."""

    side: classes.JobSide
    edges: Array
    first: Rows  # start of each job among all starts, shape (jobs + 1,)
    tail: Array  # of each start
    at: Rows  # start of each job, shape (jobs,)
    load_kw: Array  # of the site, shape (slots,)
    short: Array  # boards left by all jobs, below 0 where too many run, shape (pools, slots)
    short_price: float

    @classmethod
    def of(cls, view: View, work: Work, at: Rows, short_price: float) -> "_Search":
        side, edges = work.side, view.edges
        jobs, slot_s = side.jobs, float(edges[1] - edges[0])
        share = classes.profile(side.starts.start_s[at], jobs.run_s, edges)
        free = side.columns.gpus_free.copy()
        np.subtract.at(free, jobs.pool, share * jobs.gpus[:, None])
        tail = classes.tail_cost(side.starts, jobs, float(edges[-1]), slot_s, work.tail)
        first = np.searchsorted(side.starts.job, np.arange(len(at) + 1))
        load_kw = work.fixed_kw + jobs.kw @ share
        # a board's price is that of the power it would draw
        dense = float(np.max(jobs.kw / jobs.gpus))
        return cls(side, edges, first, tail, at.copy(), load_kw, free, short_price * dense)

    def copy(self) -> "_Search":
        """As it stands."""
        return replace(self, at=self.at.copy(), load_kw=self.load_kw, short=self.short)

    def cost(self, curve: Curve) -> float:
        """Of what the jobs load and where they stand."""
        return self._cost(curve, self.load_kw, self.short) + float(self.tail[self.at].sum())

    def go_once(self, curve: Curve, rng: np.random.Generator, loosely: bool) -> None:
        """Every job once, some at a time; ``loosely`` also where their moves together do not pay."""
        order = rng.permutation(len(self.at))
        for begin in range(0, len(order), AT_ONCE):
            self._move(curve, order[begin : begin + AT_ONCE], loosely)

    def _move(self, curve: Curve, who: Rows, loosely: bool) -> None:
        """Moves those of some jobs that pay."""
        jobs, starts, many = self.side.jobs, self.side.starts, len(who)
        run_s, kw, gpus, pool = jobs.run_s[who], jobs.kw[who], jobs.gpus[who], jobs.pool[who]
        share = classes.profile(starts.start_s[self.at[who]], run_s, self.edges)
        without_kw = self.load_kw - share * kw[:, None]
        left = self.short[pool] + share * gpus[:, None]
        lacking = np.maximum(gpus[:, None] - left, 0.0) - np.maximum(-left, 0.0)
        whole = curve.of(without_kw + kw[:, None]) - curve.of(without_kw)
        whole += self.short_price * lacking
        total = np.concatenate([np.zeros((many, 1)), np.cumsum(whole, axis=1)], axis=1)
        count = self.first[who + 1] - self.first[who]
        ahead = np.cumsum(count) - count
        row = np.repeat(np.arange(many), count)
        place = np.arange(int(count.sum())) + np.repeat(self.first[who] - ahead, count)
        begin = (starts.start_s[place] - self.edges[0]) / (self.edges[1] - self.edges[0])
        end = begin + run_s[row] / (self.edges[1] - self.edges[0])

        def until(at: Array) -> Array:
            slot = np.minimum(at.astype(np.int64), whole.shape[1] - 1)
            return np.asarray(total[row, slot] + whole[row, slot] * np.minimum(at - slot, 1.0))

        cost = until(end) - until(begin) + self.tail[place]
        stands = place == self.at[who][row]
        now = np.full(many, np.inf)
        now[row[stands]] = cost[stands]
        least = np.minimum.reduceat(cost, ahead)
        gain = now - least
        chosen = np.zeros(many, np.int64)
        found = np.flatnonzero(cost <= least[row])[::-1]
        chosen[row[found]] = place[found]
        going = np.argsort(-gain, kind="stable")[: int((gain > TIE).sum())]
        before = self._cost(curve, self.load_kw, self.short)
        for _ in range(HALVINGS):
            if not len(going):
                return
            new = chosen[going]
            change = classes.profile(starts.start_s[new], run_s[going], self.edges) - share[going]
            load_kw, short = self.load_kw + kw[going] @ change, self.short.copy()
            np.subtract.at(short, pool[going], change * gpus[going, None])
            tail = float((self.tail[new] - self.tail[self.at[who[going]]]).sum())
            if loosely or self._cost(curve, load_kw, short) + tail < before:
                self.load_kw, self.short = load_kw, short
                self.at[who[going]] = new
                return
            going = going[: len(going) // 2]

    def _cost(self, curve: Curve, load_kw: Array, short: Array) -> float:
        lacking = float(np.maximum(-short, 0.0).sum())
        return float(curve.of(load_kw).sum()) + self.short_price * lacking
