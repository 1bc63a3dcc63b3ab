"""The site as one function: IT power, weather and set-points in, every power and water flow out.

Simulation, sweep and the tables of the optimiser all call `facility`; there is no second plant.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aidc.plant import air, chilled_water, electrical, humidifier, iec_plant, liquid, server
from aidc.plant.cooling import Cooling, Limits, Load, mode_names
from aidc.plant.faults import Faults
from aidc.plant.iec import Airs
from aidc.plant.iec_plant import Choice
from aidc.plant.psychrometrics import density_kg_per_m3, humidity_ratio, saturation_pa
from aidc.site import IecCooling, LiquidLoop, ModePolicy, Site

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outdoor:
    """Outdoor air; every array has shape (n,)."""

    drybulb_degc: Array
    wetbulb_degc: Array
    dewpoint_degc: Array
    pressure_pa: Array


@dataclass(frozen=True, slots=True)
class Facility:
    """What the site draws and gives off; names as in the trace, every array has shape (n,).

    Attributes:
        it_kw: at the server inputs, fans of the servers included.
        server_fan_kw: of it the fans.
        chiller_kw: compressors of the chillers.
        iec_fan_kw: secondary fans of the IEC units.
        iec_pump_kw: their spray pumps.
        crah_fan_kw: fans that move the hall air, whatever the plant.
        tower_fan_kw: of the cooling towers.
        pump_kw: chilled and condenser water.
        humidifier_kw: of the make-up air.
        dx_kw: direct expansion with its condenser fans.
        cooling_kw: the sum of the eight.
        heat_removed_kw: taken out of the hall.
        unmet_cooling_kw: left in the hall, more than the plant can take.
        heat_reused_kw: of the heat removed, what a user beside the site took.
        store_charge_kw: cold put into the tank, thermal; less than asked where machines are short.
        store_discharge_kw: cold taken from the tank, no more than the hall's heat.
        ups_out_kw: what the UPS delivers.
        pdu_out_kw: what the PDUs deliver.
        electrical_loss_kw: transformer, UPS, PDU and busway.
        other_kw: lighting and controls.
        water_evaporated_l_per_h: of spray or tower.
        water_blowdown_l_per_h: drained from spray or tower.
        water_humidifier_l_per_h: into the make-up air.
        water_l_per_h: the sum of the three.
        supply_air_degc: what was reached; the set-point unless heat is unmet.
        chilled_water_degc: leaving water; nan where the plant has none.
        inlet_degc: air at the servers.
        mode: words of `aidc.site.CoolingMode`.
        limits: where the plant's laws met their limits.
    """

    it_kw: Array
    server_fan_kw: Array
    chiller_kw: Array
    iec_fan_kw: Array
    iec_pump_kw: Array
    crah_fan_kw: Array
    tower_fan_kw: Array
    pump_kw: Array
    humidifier_kw: Array
    dx_kw: Array
    cooling_kw: Array
    heat_removed_kw: Array
    unmet_cooling_kw: Array
    heat_reused_kw: Array
    store_charge_kw: Array
    store_discharge_kw: Array
    ups_out_kw: Array
    pdu_out_kw: Array
    electrical_loss_kw: Array
    other_kw: Array
    water_evaporated_l_per_h: Array
    water_blowdown_l_per_h: Array
    water_humidifier_l_per_h: Array
    water_l_per_h: Array
    supply_air_degc: Array
    chilled_water_degc: Array
    chillers_on: Array
    inlet_degc: Array
    mode: NDArray[np.object_]
    limits: Limits

    @property
    def facility_kw(self) -> Array:
        """All that the site draws, without PV and battery, shape (n,)."""
        return self.it_kw + self.cooling_kw + self.electrical_loss_kw + self.other_kw


def facility(
    site: Site,
    it_reference_kw: Array,
    outdoor: Outdoor,
    supply_degc: Array,
    *,
    spray: NDArray[np.int8],
    policy: ModePolicy,
    tariff_cny_per_kwh: Array,
    water_cny_per_m3: float,
    faults: Faults | None = None,
    store_charge_kw: Array | None = None,
    store_discharge_kw: Array | None = None,
    chillers_on: NDArray[np.int8] | None = None,
    mass_heat_kw: Array | None = None,
) -> Facility:
    """Powers, water and temperatures of a site in quasi-steady operation.

    The servers answer to the inlet that the set-point gives. Where the plant cannot hold it, the
    supply air is warmer by the unmet heat over the air's capacity flow; how the hall warms up from
    there in minutes is not told.

    Args:
        site: servers, hall, power chain and cooling.
        it_reference_kw: IT power at the servers' reference inlet, shape (pools, n).
        outdoor: weather, shape (n,).
        supply_degc: set-point of the supply air, shape (n,).
        spray: -1 the policy decides, 0 dry only, 1 sprayed where frost allows; for an IEC.
        policy: how an IEC chooses its mode.
        tariff_cny_per_kwh: for the policy ``lowest_cost``, shape (n,).
        water_cny_per_m3: for the same.
        faults: what of the plant does not work; None: nothing.
        store_charge_kw: cold asked into the tank of a chilled-water plant, shape (n,); None: none.
        store_discharge_kw: cold asked out of it; what it holds is the caller's to know.
        chillers_on: machines of a chilled-water plant asked to run, shape (n,); -1, and None: by its own
            rule.
        mass_heat_kw: that the hall gives off as its mass cools down, negative as it warms up, shape (n,);
            None: none, the quasi-steady hall.
    """
    faults = faults or Faults.none(len(supply_degc))
    at_rest = np.zeros_like(supply_degc)
    supply_degc = supply_degc + faults.supply_bias_k
    hall, rated_kw = site.hall, site.rated_it_kw
    inlet = air.inlet_degc(hall, supply_degc)
    it_kw, fan_kw, needed = np.zeros_like(inlet), np.zeros_like(inlet), np.zeros_like(inlet)
    captured_kw = np.zeros_like(inlet)
    for pool, reference_kw in zip(site.pools, it_reference_kw, strict=True):
        power = server.at_inlet(pool.server, reference_kw, inlet)
        it_kw += power.it_kw
        fan_kw += power.fan_kw
        to_air = 1.0
        if site.liquid is not None and pool.liquid_cooled:
            to_air -= site.liquid.captured_frac
            captured_kw += site.liquid.captured_frac * power.it_kw
        needed += air.needed_m3_per_s(hall, to_air * reference_kw) * power.air_flow_ratio

    chain = electrical.chain(site.electrical, rated_kw, it_kw)
    lighting_kw = site.electrical.lighting_frac * rated_kw
    cooling = site.cooling
    flow = air.supply(
        cooling.supply_fan, hall, needed, rated_kw, cooling.air_capacity_ratio, faults.running_frac
    )
    heat = it_kw - captured_kw + flow.fan_kw + hall_loss_kw(site, chain)
    if mass_heat_kw is not None:
        heat = heat + mass_heat_kw
    load = Load(
        heat_kw=heat,
        supply_degc=supply_degc,
        return_degc=supply_degc + air.rise_k(heat, flow),
        air_kg_per_s=flow.mass_kg_per_s,
        design_m3_per_s=flow.design_m3_per_s,
        rated_it_kw=rated_kw,
        faults=faults,
        store_charge_kw=at_rest if store_charge_kw is None else store_charge_kw,
        store_discharge_kw=at_rest if store_discharge_kw is None else store_discharge_kw,
        chillers_on=at_rest - 1.0 if chillers_on is None else chillers_on.astype(np.float64),
    )
    ratio = humidity_ratio(saturation_pa(outdoor.dewpoint_degc), outdoor.pressure_pa)
    choice = Choice(spray, policy, tariff_cny_per_kwh, water_cny_per_m3)
    done = _cool(site, load, outdoor, ratio, choice)
    left_in_air_kw = done.unmet_kw
    if site.liquid is not None:
        done = _with_liquid(site, site.liquid, done, captured_kw, outdoor, faults)

    humidifier_l_per_h = humidifier.water_l_per_h(
        cooling.humidifier, flow.mass_kg_per_s, ratio, outdoor.pressure_pa
    )
    humidifier_kw = humidifier.humidifier_kw(cooling.humidifier, humidifier_l_per_h)
    cooling_kw = (
        done.chiller_kw + done.iec_fan_kw + done.iec_pump_kw + flow.fan_kw
        + done.tower_fan_kw + done.pump_kw + humidifier_kw + done.dx_kw
    )  # fmt: skip
    loss_kw = chain.ups_loss_kw + chain.pdu_loss_kw
    loss_kw = loss_kw + electrical.transformer_loss_kw(
        site.electrical.transformer,
        it_kw + cooling_kw + loss_kw + lighting_kw,
        site.electrical.transformer_capacity_ratio * rated_kw,
    )
    reached = supply_degc + air.rise_k(left_in_air_kw, flow)
    return Facility(
        it_kw=it_kw,
        server_fan_kw=fan_kw,
        chiller_kw=done.chiller_kw,
        iec_fan_kw=done.iec_fan_kw,
        iec_pump_kw=done.iec_pump_kw,
        crah_fan_kw=flow.fan_kw,
        tower_fan_kw=done.tower_fan_kw,
        pump_kw=done.pump_kw,
        humidifier_kw=humidifier_kw,
        dx_kw=done.dx_kw,
        cooling_kw=cooling_kw,
        heat_removed_kw=done.removed_kw,
        unmet_cooling_kw=done.unmet_kw,
        heat_reused_kw=done.reused_kw,
        store_charge_kw=done.store_charge_kw,
        store_discharge_kw=done.store_discharge_kw,
        ups_out_kw=chain.ups_out_kw,
        pdu_out_kw=chain.pdu_out_kw,
        electrical_loss_kw=loss_kw,
        other_kw=np.full_like(it_kw, lighting_kw),
        water_evaporated_l_per_h=done.evaporated_l_per_h,
        water_blowdown_l_per_h=done.blowdown_l_per_h,
        water_humidifier_l_per_h=humidifier_l_per_h,
        water_l_per_h=done.evaporated_l_per_h + done.blowdown_l_per_h + humidifier_l_per_h,
        supply_air_degc=reached,
        chilled_water_degc=done.chilled_water_degc,
        chillers_on=done.chillers_on,
        inlet_degc=air.inlet_degc(hall, reached) + air.short_k(hall, needed, flow),
        mode=mode_names(done.mode),
        limits=done.limits,
    )


def hall_loss_kw(site: Site, chain: electrical.Chain) -> Array:
    """Losses and lighting that heat the hall [kW], shape (n,)."""
    parts = site.electrical
    return (
        parts.ups_heat_in_hall_frac * chain.ups_loss_kw
        + parts.pdu_heat_in_hall_frac * chain.pdu_loss_kw
        + parts.lighting_heat_in_hall_frac * parts.lighting_frac * site.rated_it_kw
    )


def _with_liquid(
    site: Site,
    loop: LiquidLoop,
    done: Cooling,
    captured_kw: Array,
    outdoor: Outdoor,
    faults: Faults,
) -> Cooling:
    """The air plant's answer with the water loop's added; the mode stays that of the air plant."""
    rated = sum(p.server_count for p in site.pools if p.liquid_cooled) / sum(
        p.server_count for p in site.pools
    )
    rated_kw = loop.captured_frac * rated * site.rated_it_kw
    if rated_kw <= 0:
        return done
    wet = liquid.cool(
        loop, captured_kw, rated_kw, outdoor.drybulb_degc, outdoor.wetbulb_degc, faults.has_water
    )
    return replace(
        done,
        removed_kw=done.removed_kw + wet.removed_kw,
        unmet_kw=done.unmet_kw + wet.unmet_kw,
        reused_kw=wet.reused_kw,
        chiller_kw=done.chiller_kw + wet.chiller_kw,
        pump_kw=done.pump_kw + wet.pump_kw,
        tower_fan_kw=done.tower_fan_kw + wet.fan_kw,
        evaporated_l_per_h=done.evaporated_l_per_h + wet.evaporated_l_per_h,
        blowdown_l_per_h=done.blowdown_l_per_h + wet.blowdown_l_per_h,
    )


def _cool(site: Site, load: Load, outdoor: Outdoor, ratio: Array, choice: Choice) -> Cooling:
    """The plant that the site has."""
    plant = site.cooling
    if not isinstance(plant, IecCooling):
        return chilled_water.cool(plant, load, outdoor.wetbulb_degc)
    airs = Airs(
        return_degc=load.return_degc,
        primary_kg_per_s=load.air_kg_per_s,
        drybulb_degc=outdoor.drybulb_degc,
        wetbulb_degc=outdoor.wetbulb_degc,
        dewpoint_degc=outdoor.dewpoint_degc,
        outdoor_kg_per_m3=density_kg_per_m3(outdoor.drybulb_degc, ratio, outdoor.pressure_pa),
        secondary_m3_per_s=plant.unit.secondary_flow_ratio
        * load.design_m3_per_s
        * load.faults.running_frac,
    )
    return iec_plant.cool(plant, load, airs, choice)
