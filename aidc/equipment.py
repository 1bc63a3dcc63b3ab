"""Equipment as its data sheet gives it: one class a table of ``models/``."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from aidc.config import Config, Number, nearest

Drive = Literal["vfd", "constant"]
OutOfRange = Literal["error", "clamp", "extrapolate"]


class Row(Config):
    """A row of a table: its name, and where its numbers come from (a guess says ``assumed: ...``)."""

    name: str = Field(min_length=1)
    source: str = Field(min_length=3)


def named_in(table: str) -> BeforeValidator:
    """Reads ``NAME`` or ``{like: NAME, key: value}`` as the catalog's row with changes laid on it.

    The validation context maps a table to its rows.
    """

    def look_up(value: object, info: ValidationInfo) -> object:
        asked = {"like": value} if isinstance(value, str) else value
        if not isinstance(asked, Mapping) or "like" not in asked:
            return value
        rows: Mapping[str, Row] = info.context[table] if info.context else {}
        name = str(asked["like"])
        if name not in rows:
            hint = nearest(name, rows) or "; it has " + ", ".join(sorted(rows))
            raise PydanticCustomError(
                "catalog",
                "{table}.csv has no '{name}'{hint}",
                {"table": table, "name": name, "hint": hint},
            )
        changes = {key: item for key, item in asked.items() if key != "like"}
        base: dict[str, Any] = rows[name].model_dump()
        if changes:
            base["source"] = f"{base['source']}; changed: {', '.join(sorted(changes))}"
        return base | changes

    return BeforeValidator(look_up)


def _numbers(value: object) -> object:
    """``"0 0.5 1"`` as a tuple of numbers; anything else is left to pydantic."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(float(part) for part in value.split())
    except ValueError:
        raise PydanticCustomError(
            "numbers", "'{value}' is not a list of numbers parted by spaces", {"value": value}
        ) from None


Numbers = Annotated[tuple[float, ...], BeforeValidator(_numbers), Field(min_length=2, strict=False)]


def _low_to_high(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise PydanticCustomError("span", "the second number must be larger than the first", {})
    return value


_FROM_TEXT: Final = BeforeValidator(_numbers), Field(strict=False)
Span = Annotated[tuple[float, float], *_FROM_TEXT, AfterValidator(_low_to_high)]
Three = Annotated[tuple[float, float, float], *_FROM_TEXT]
Six = Annotated[Numbers, Field(min_length=6, max_length=6)]
TwentySeven = Annotated[Numbers, Field(min_length=27, max_length=27)]


def _only(model: str, needed: Mapping[str, object], idle: Mapping[str, object]) -> None:
    """Refuses a row that lacks a number of its model, or has one that its model does not read."""
    wrong = [f"needs {name}" for name, value in needed.items() if value is None]
    wrong += [f"does not use {name}" for name, value in idle.items() if value is not None]
    if wrong:
        text = f"model {model} {', '.join(wrong)}"
        raise PydanticCustomError("together", "{text}", {"text": text})


class Curve(Row):
    """A rising curve by its points: ``models/iec_curves.csv``, ``models/chiller_part_load.csv``."""

    x: Numbers
    y: Numbers

    @model_validator(mode="after")
    def _rises(self) -> "Curve":
        if len(self.x) != len(self.y):
            raise PydanticCustomError(
                "curve", "x has {x} numbers and y has {y}", {"x": len(self.x), "y": len(self.y)}
            )
        pairs = (*pairwise(self.x), *pairwise(self.y))
        if any(after <= before for before, after in pairs):
            raise PydanticCustomError("curve", "x and y must rise from each number to the next", {})
        return self


class Gpu(Row):
    """A GPU board: ``models/gpus.csv``."""

    idle_w: Number = Field(ge=0)
    context_w: Number = Field(ge=0)  # allocated but stalled
    max_w: Number = Field(gt=0)


class AshraeClass(Row):
    """Inlet air that a class of servers is made for: ``models/ashrae_classes.csv``."""

    recommended_min_degc: Number
    recommended_max_degc: Number
    allowable_min_degc: Number
    allowable_max_degc: Number
    dewpoint_max_degc: Number


class Server(Row):
    """A GPU server: ``models/servers.csv``; power is ``base_w + gpu_power_ratio * sum(gpu_w)`` at the reference inlet."""

    gpu: Annotated[Gpu, named_in("gpus")]
    gpu_count: int = Field(ge=1)
    base_w: Number = Field(ge=0)
    gpu_power_ratio: Number = Field(ge=1)  # conversion losses inside the server
    fan_frac: Number = Field(ge=0, le=1)  # c: share of the power that is fan at the reference inlet
    fan_gain_per_k: Number = Field(ge=0)  # g: fan speed per kelvin above the reference inlet
    fan_speed_min_frac: Number = Field(gt=0, le=1)
    reference_inlet_degc: Number
    ashrae_class: Annotated[AshraeClass, named_in("ashrae_classes")]
    off_w: Number = Field(ge=0)  # while it sleeps, switched off
    boot_s: Number = Field(ge=0)  # until it can work again


class Ups(Row):
    """A UPS: loss over rated power is ``no_load + linear x + quadratic x^2`` at load share x."""

    no_load_frac: Number = Field(ge=0)
    linear_frac: Number = Field(ge=0)
    quadratic_frac: Number = Field(ge=0)


class Transformer(Row):
    """A transformer: loss over rated power is ``no_load + load x^2``."""

    no_load_frac: Number = Field(ge=0)
    load_frac: Number = Field(ge=0)


class Fan(Row):
    """An air mover: CRAH, fan wall or supply fan."""

    pressure_pa: Number = Field(gt=0)
    efficiency_frac: Number = Field(gt=0, le=1)
    flow_exponent: Number = Field(ge=1)
    flow_floor_frac: Number = Field(ge=0, le=1)
    drive: Drive


class Pump(Row):
    """A pump with its design head and the water temperature rise it is sized for."""

    pressure_kpa: Number = Field(gt=0)
    temperature_rise_k: Number = Field(gt=0)
    efficiency_frac: Number = Field(gt=0, le=1)
    flow_exponent: Number = Field(ge=1)
    flow_floor_frac: Number = Field(ge=0, le=1)
    drive: Drive


class IecUnit(Row):
    """An indirect evaporative cooler; effectiveness is at equal mass flows of both airs."""

    wet_effectiveness_frac: Number = Field(gt=0, le=1)
    dry_effectiveness_frac: Number = Field(gt=0, le=1)
    wet_curve: Annotated[
        Curve, named_in("iec_curves")
    ]  # factor on effectiveness against flow ratio
    dry_curve: Annotated[Curve, named_in("iec_curves")]
    fan_curve: Annotated[Curve, named_in("iec_curves")]  # share of fan power against share of flow
    secondary_flow_ratio: Number = Field(gt=0)  # secondary over primary at design
    secondary_fan_w_per_m3_s: Number = Field(gt=0)
    spray_pump_w_per_m3_s: Number = Field(ge=0)
    spray_pump_low_frac: Number = Field(ge=0, le=1)  # two-speed pump: share of power at low speed
    spray_pump_switch_frac: Number = Field(ge=0, le=1)  # secondary flow share of the switch
    dewpoint_factor_frac: Number = Field(gt=0, le=1)
    spray_from_degc: Number  # no spray below this dry bulb
    concentration_cycles: Number = Field(gt=1)


class DxUnit(Row):
    """Direct-expansion trim behind an IEC, or a small room's own cooling."""

    eir_factor: Number = Field(gt=0)
    carnot_a: Number = Field(ge=0)
    carnot_b: Number = Field(gt=0)
    evaporator_approach_k: Number = Field(ge=0)
    condenser_approach_k: Number = Field(ge=0)
    lift_min_k: Number = Field(gt=0)
    fan_frac: Number = Field(ge=0)  # condenser fans over heat
    wet_condenser_share_frac: Number = Field(ge=0, le=1)  # in wet mode: way from dry to wet bulb


class ChillerCurves(Row):
    """ElectricEIR curves of a tested machine, valid inside their limits: ``models/chiller_curves.csv``.

    Biquadratics ``c0 + c1 t + c2 t^2 + c3 u + c4 u^2 + c5 t u`` of leaving chilled water t and
    entering condenser water u [degC]; the part-load curve is ``c0 + c1 PLR + c2 PLR^2``.
    """

    reference_cop: Number = Field(gt=0)
    capacity_curve: Six  # available over reference capacity
    eir_curve: Six  # full-load power over heat, relative to 1/reference_cop
    part_load: Three  # share of full-load power
    leaving_degc: Span  # limits of the curves: leaving chilled water,
    condenser_degc: Span  # entering condenser water,
    plr: Span  # heat over available capacity


class Chiller(Row):
    """A chiller, whose power follows one of two laws; Carnot bounds both.

    ``carnot``: ``1/COP = (a + b lift/Te) f(PLR)/PLR``, f is the part-load curve.
    ``eir``: the curves of a tested machine, and what to do outside their limits.
    """

    model: Literal["carnot", "eir"]
    capacity_kw: Number = Field(gt=0)
    carnot_a: Number | None = Field(default=None, ge=0)
    carnot_b: Number | None = Field(default=None, gt=0)
    part_load_curve: Annotated[Curve | None, named_in("chiller_part_load")] = None
    curves: Annotated[ChillerCurves | None, named_in("chiller_curves")] = None
    out_of_range: OutOfRange | None = None
    plr_min_frac: Number = Field(gt=0, le=1)
    evaporator_approach_k: Number = Field(ge=0)
    condenser_approach_k: Number = Field(ge=0)
    condenser_approach_per_plr_k: Number = Field(ge=0)
    lift_min_k: Number = Field(gt=0)
    carnot_limit_frac: Number = Field(gt=0, lt=1)
    rejection_ratio: Number = Field(ge=1)  # condenser heat over evaporator heat at rating

    @model_validator(mode="after")
    def _has_its_law(self) -> "Chiller":
        fitted = {
            "carnot_a": self.carnot_a,
            "carnot_b": self.carnot_b,
            "part_load_curve": self.part_load_curve,
        }
        tested = {"curves": self.curves, "out_of_range": self.out_of_range}
        carnot = self.model == "carnot"
        _only(self.model, fitted if carnot else tested, tested if carnot else fitted)
        return self


class TowerCorrelation(Row):
    """The YorkCalc correlation and its limits: ``models/tower_coefficients.csv``.

    Approach [K] is the sum of ``c_ijk (L/G)^i range^j wetbulb^k``, each power 0 to 2; the
    coefficients stand in the order of the powers, that of the wet bulb fastest.
    """

    coefficients: TwentySeven
    wetbulb_degc: Span  # limits of the correlation: wet bulb,
    range_k: Span  # cooling of the water,
    approach_k: Span  # leaving water over the wet bulb,
    water_ratio: Span  # water flow over design,
    liquid_gas_max: Number = Field(gt=0)  # and the largest L/G


class Tower(Row):
    """A cooling tower.

    ``simple``: the approach grows with the load, fan power with the heat rejected.
    ``yorkcalc``: the fan turns as fast as the correlation asks to keep the approach, and at full
    speed the water floats.
    """

    model: Literal["simple", "yorkcalc"]
    approach_k: Number = Field(gt=0)  # at design
    approach_floor_frac: Number | None = Field(default=None, ge=0, le=1)
    correlation: Annotated[TowerCorrelation | None, named_in("tower_coefficients")] = None
    design_wetbulb_degc: Number | None = None
    air_ratio_min: Number | None = Field(default=None, gt=0, le=1)
    fan_w_per_kw: Number = Field(gt=0)  # per kW rejected at design
    fan_exponent: Number = Field(ge=1)  # of the load (simple) or of the air flow (yorkcalc)
    water_min_degc: Number
    evaporation_l_per_kwh: Number = Field(gt=0)  # per kWh rejected
    concentration_cycles: Number = Field(gt=1)

    @model_validator(mode="after")
    def _has_its_law(self) -> "Tower":
        plain = {"approach_floor_frac": self.approach_floor_frac}
        york = {
            "correlation": self.correlation,
            "design_wetbulb_degc": self.design_wetbulb_degc,
            "air_ratio_min": self.air_ratio_min,
        }
        simple = self.model == "simple"
        _only(self.model, plain if simple else york, york if simple else plain)
        return self


class DryCooler(Row):
    """A dry cooler: outdoor air, no water."""

    approach_k: Number = Field(gt=0)  # leaving water over the dry bulb
    fan_w_per_kw: Number = Field(gt=0)  # per kW rejected at design
    fan_exponent: Number = Field(ge=1)


class Humidifier(Row):
    """Humidification of make-up air."""

    kind: Literal["adiabatic", "steam"]
    energy_kwh_per_kg: Number = Field(ge=0)
    makeup_air_frac: Number = Field(ge=0, le=1)
    dewpoint_min_degc: Number


class PvMount(Row):
    """How PV modules are mounted: the cell-temperature model and its parameters."""

    model: Literal["faiman", "sapm"]
    u0_w_per_m2_k: Number | None = Field(default=None, gt=0)
    u1_w_s_per_m3_k: Number | None = Field(default=None, ge=0)
    sapm_a: Number | None = None
    sapm_b: Number | None = None
    sapm_delta_t_k: Number | None = None


class PvModule(Row):
    """A PV module and its inverter, as PVWatts describes them."""

    gamma_per_k: Number = Field(lt=0)
    losses_frac: Number = Field(ge=0, lt=1)
    inverter_efficiency_frac: Number = Field(gt=0, le=1)
    dc_ac_ratio: Number = Field(gt=0)
    diffuse_iam: Number = Field(gt=0, le=1)
    degradation_frac_per_year: Number = Field(ge=0, lt=1)
    albedo: Number = Field(ge=0, le=1)


class RackMass(Row):
    """What warms up in the hall when cooling is lost, a rack."""

    air_m3: Number = Field(gt=0)
    mass_kg: Number = Field(gt=0)
    mass_kj_per_kg_k: Number = Field(gt=0)
    ua_kw_per_k: Number = Field(gt=0)  # between air and mass


class Battery(Row):
    """A battery system, per kWh of its capacity."""

    charge_efficiency_frac: Number = Field(gt=0, le=1)
    discharge_efficiency_frac: Number = Field(gt=0, le=1)
    c_rate_per_h: Number = Field(gt=0)
    soc_min_frac: Number = Field(ge=0, lt=1)
    soc_max_frac: Number = Field(gt=0, le=1)
    soc_start_frac: Number = Field(ge=0, le=1)
    ageing_cny_per_kwh: Number = Field(ge=0)  # per kWh discharged


class ThermalStore(Row):
    """A chilled-water tank, per kWh of its thermal capacity: ``models/thermal_stores.csv``."""

    charge_efficiency_frac: Number = Field(gt=0, le=1)
    discharge_efficiency_frac: Number = Field(gt=0, le=1)
    loss_frac_per_day: Number = Field(ge=0, lt=1)  # of what is stored
    charge_h: Number = Field(gt=0)  # from empty to full
    discharge_h: Number = Field(gt=0)  # from full to empty
    soc_start_frac: Number = Field(ge=0, le=1)


class Generator(Row):
    """A diesel set: ``models/generators.csv``."""

    fuel: str = Field(min_length=1)  # of models/fuel_factors.csv
    no_load_l_per_kw_h: Number = Field(ge=0)  # litres an hour over rated kW
    l_per_kwh: Number = Field(gt=0)  # on top, of output
    heat_kwh_per_l: Number = Field(gt=0)  # lower heating value
    start_s: Number = Field(ge=0)


TABLES: Final[dict[str, type[Row]]] = {
    "gpus": Gpu,
    "ashrae_classes": AshraeClass,
    "servers": Server,
    "ups": Ups,
    "transformers": Transformer,
    "fans": Fan,
    "pumps": Pump,
    "iec_curves": Curve,
    "iec_units": IecUnit,
    "dx_units": DxUnit,
    "chiller_part_load": Curve,
    "chiller_curves": ChillerCurves,
    "chillers": Chiller,
    "tower_coefficients": TowerCorrelation,
    "towers": Tower,
    "dry_coolers": DryCooler,
    "humidifiers": Humidifier,
    "pv_mounts": PvMount,
    "pv_modules": PvModule,
    "rack_masses": RackMass,
    "batteries": Battery,
    "thermal_stores": ThermalStore,
    "generators": Generator,
}
