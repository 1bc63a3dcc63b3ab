"""A site: where it is, what stands in it, and how it is built. A file of ``models/sites/``."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aidc.config import Config, Degc, Frac, Hours, Kelvin, Kw, Kwh, Kwp, Metres, Number, at_key
from aidc.equipment import (
    Battery,
    Chiller,
    DryCooler,
    DxUnit,
    Fan,
    Generator,
    Humidifier,
    IecUnit,
    Pump,
    PvModule,
    PvMount,
    RackMass,
    Server,
    ThermalStore,
    Tower,
    Transformer,
    Ups,
    named_in,
)

CoolingMode = Literal["off", "dry", "wet", "dry_dx", "wet_dx", "dx", "chiller", "free", "tank"]
ModePolicy = Literal["lowest_power", "lowest_cost", "spray_above_temperature"]


class Pool(Config):
    """GPU servers of one kind that take jobs from one queue."""

    name: str = Field(min_length=1)
    server: Annotated[Server, named_in("servers")]
    server_count: int = Field(ge=1)
    liquid_cooled: bool = False
    power_cap_frac: Frac | None = Field(
        default=None, alias="power_cap", gt=0, le=1
    )  # of the boards' maximum power; none: no cap
    sleep_after_min: Number | None = Field(
        default=None, gt=0
    )  # idle servers switch off; none: never

    @property
    def gpu_count(self) -> int:
        """Boards in the pool."""
        return self.server_count * self.server.gpu_count


class Hall(Config):
    """Air in the hall; all halls of a site are alike.

    ``rack_kw`` with ``rack_mass`` says how fast the hall warms without cooling.
    """

    air_rise_k: Kelvin = Field(gt=0)  # across the servers
    recirculation_frac: Frac = Field(ge=0, lt=1)
    bypass_frac: Frac = Field(ge=0, lt=1)
    supply_min_degc: Degc
    supply_max_degc: Degc
    inlet_max_degc: Degc
    rack_kw: Kw = Field(gt=0)  # rated IT power of a rack
    rack_mass: Annotated[RackMass, named_in("rack_masses")]
    source: str = Field(min_length=3)


class Electrical(Config):
    """From the grid to the servers."""

    ups: Annotated[Ups, named_in("ups")]
    ups_capacity_ratio: Number = Field(ge=1)  # installed over rated IT; 2N is 2
    ups_heat_in_hall_frac: Frac = Field(ge=0, le=1)  # of its loss; the rest leaves another way
    transformer: Annotated[Transformer, named_in("transformers")]
    transformer_capacity_ratio: Number = Field(ge=1)
    pdu_loss_frac: Frac = Field(ge=0, lt=1)
    pdu_heat_in_hall_frac: Frac = Field(ge=0, le=1)
    lighting_frac: Frac = Field(ge=0, lt=1)  # of rated IT, always on
    lighting_heat_in_hall_frac: Frac = Field(ge=0, le=1)
    source: str = Field(min_length=3)


class IecCooling(Config):
    """Indirect evaporative cooling with DX trim behind it."""

    kind: Literal["iec"]
    unit: Annotated[IecUnit, named_in("iec_units")]
    dx: Annotated[DxUnit, named_in("dx_units")]
    dx_capacity_frac: Frac = Field(ge=0)  # of rated IT heat
    supply_fan: Annotated[Fan, named_in("fans")]
    air_capacity_ratio: Number = Field(ge=1)  # installed air flow over that of rated IT
    humidifier: Annotated[Humidifier, named_in("humidifiers")]
    source: str = Field(min_length=3)


class WaterTank(Config):
    """Chilled-water storage beside the chillers; it is charged with water of its own temperature."""

    store: Annotated[ThermalStore, named_in("thermal_stores")]
    capacity_kwh: Kwh = Field(gt=0)  # thermal
    water_degc: Degc  # of the charged water; supply air needs it this cold at least
    source: str = Field(min_length=3)

    @property
    def charge_max_kw(self) -> float:
        """Most heat taken out of the tank's water at once."""
        return self.capacity_kwh / self.store.charge_h

    @property
    def discharge_max_kw(self) -> float:
        """Most heat that the tank's water takes from the hall."""
        return self.capacity_kwh / self.store.discharge_h


class ChilledWaterCooling(Config):
    """Chillers and towers, with or without a water-side economiser in series."""

    kind: Literal["chilled_water"]
    chiller: Annotated[Chiller, named_in("chillers")]
    chiller_count: int = Field(ge=1)  # N + 1
    stage_up_frac: Frac = Field(gt=0, le=1)  # next machine on above this load
    chiller_min_up_h: Hours = Field(ge=0)  # that a plan leaves a started machine on
    chiller_min_down_h: Hours = Field(ge=0)  # and a stopped one off
    air_water_approach_k: Kelvin = Field(gt=0)  # supply air over chilled water
    tower: Annotated[Tower, named_in("towers")]
    chilled_water_pump: Annotated[Pump, named_in("pumps")]
    condenser_water_pump: Annotated[Pump, named_in("pumps")]
    economiser: bool
    economiser_approach_k: Kelvin = Field(gt=0)
    supply_fan: Annotated[Fan, named_in("fans")]
    air_capacity_ratio: Number = Field(ge=1)
    humidifier: Annotated[Humidifier, named_in("humidifiers")]
    tank: WaterTank | None = None
    source: str = Field(min_length=3)


class HeatReuse(Config):
    """Someone beside the site who takes heat from the returning facility water, as much as is wanted."""

    demand_kw: Kw = Field(gt=0)
    needed_degc: Degc  # water that the user needs
    approach_k: Kelvin = Field(gt=0)  # of the exchanger between
    source: str = Field(min_length=3)


class LiquidLoop(Config):
    """Warm facility water behind the cold plates of liquid-cooled pools."""

    captured_frac: Frac = Field(gt=0, le=1)  # of the pools' IT heat; the rest goes to the air
    facility_water_degc: Degc
    cdu_approach_k: Kelvin = Field(gt=0)
    rise_k: Kelvin = Field(gt=0)  # of the facility water
    pump_frac: Frac = Field(ge=0, lt=1)  # CDU pumps over captured heat
    tower: Annotated[Tower, named_in("towers")] | None = None
    dry_cooler: Annotated[DryCooler, named_in("dry_coolers")] | None = None
    chiller: Annotated[Chiller, named_in("chillers")]
    chiller_capacity_frac: Frac = Field(ge=0)  # of the captured heat at rated power
    reuse: HeatReuse | None = None
    source: str = Field(min_length=3)

    @property
    def rejection(self) -> Tower | DryCooler:
        """What gives the heat to the outdoor air."""
        found = self.tower or self.dry_cooler
        if found is None:
            raise ValueError("a loop has a tower or a dry cooler")
        return found

    @model_validator(mode="after")
    def _is_warm_enough_for_its_user(self) -> "LiquidLoop":
        returned = self.facility_water_degc + self.rise_k
        if self.reuse is not None and returned - self.reuse.approach_k < self.reuse.needed_degc:
            text = (
                f"water returns at {returned:g} degC: less {self.reuse.approach_k:g} K it is colder than "
                f"the {self.reuse.needed_degc:g} degC needed; a heat pump between is not modelled"
            )
            raise at_key("reuse.needed_degc", text)
        return self

    @model_validator(mode="after")
    def _rejects_one_way(self) -> "LiquidLoop":
        if (self.tower is None) == (self.dry_cooler is None):
            text = "give either tower or dry_cooler"
            raise at_key("tower", text)
        return self


class Backup(Config):
    """What carries the site when the grid is lost: the UPS for seconds, then generators."""

    generator: Annotated[Generator, named_in("generators")]
    generator_kw: Kw = Field(gt=0)  # all sets that may run at once
    cooling_restart_s: Number = Field(ge=0)  # from power to cold air
    source: str = Field(min_length=3)


class Pv(Config):
    """A PV plant; its size is the site's ``pv_kwp``."""

    module: Annotated[PvModule, named_in("pv_modules")]
    mount: Annotated[PvMount, named_in("pv_mounts")]
    tilt_deg: Number = Field(ge=0, le=90)
    azimuth_deg: Number = Field(ge=0, lt=360)
    soiling_frac: Frac = Field(ge=0, lt=1)
    derate_frac: Frac = Field(gt=0, le=1)  # documented site factor on the modelled output
    age_years: Number = Field(ge=0)
    source: str = Field(min_length=3)


class Site(Config):
    """One data centre."""

    name: str = Field(min_length=1)
    label: str = Field(min_length=1)
    latitude_deg: Number = Field(ge=-90, le=90)
    longitude_deg: Number = Field(ge=-180, le=180)
    elevation_m: Metres
    zone: str  # IANA name
    grid_region: str = Field(min_length=2)  # ISO 3166-2, or the country
    rated_it_kw: Kw = Field(gt=0)
    pools: tuple[Pool, ...] = Field(min_length=1, strict=False)
    hall: Hall
    electrical: Electrical
    cooling: IecCooling | ChilledWaterCooling = Field(discriminator="kind")
    liquid: LiquidLoop | None = None  # for pools that are liquid-cooled
    pv_kwp: Kwp = Field(ge=0)
    pv: Pv
    battery_kwh: Kwh = Field(ge=0)
    battery: Annotated[Battery, named_in("batteries")]
    backup: Backup | None = None  # none: a lost grid is a dark site
    grid_export: bool  # whether surplus may leave the site; else it is curtailed
    source: str = Field(min_length=3)

    @model_validator(mode="after")
    def _inlet_suits_the_servers(self) -> "Site":
        for pool in self.pools:
            made_for = pool.server.ashrae_class
            if self.hall.inlet_max_degc > made_for.allowable_max_degc:
                text = (
                    f"{self.hall.inlet_max_degc:g} degC is above the {made_for.allowable_max_degc:g} degC "
                    f"that class {made_for.name} of pool {pool.name} allows"
                )
                raise at_key("hall.inlet_max_degc", text)
        return self

    @model_validator(mode="after")
    def _tank_is_cold_enough(self) -> "Site":
        plant = self.cooling
        if plant.kind == "chilled_water" and plant.tank is not None:
            needed = self.hall.supply_min_degc - plant.air_water_approach_k
            if plant.tank.water_degc > needed:
                text = (
                    f"{plant.tank.water_degc:g} degC is warmer than the {needed:g} degC that "
                    f"hall.supply_min_degc needs after air_water_approach_k; give {needed:g} or less"
                )
                place = "cooling.tank.water_degc"
                raise at_key(place, text)
        return self

    @property
    def tank(self) -> WaterTank | None:
        """Chilled-water storage, where the plant has it."""
        return self.cooling.tank if self.cooling.kind == "chilled_water" else None

    @model_validator(mode="after")
    def _liquid_has_a_loop(self) -> "Site":
        if self.liquid is None and any(pool.liquid_cooled for pool in self.pools):
            text = "a liquid-cooled pool needs the block liquid"
            raise at_key("liquid", text)
        return self

    @property
    def gpu_count(self) -> int:
        """Boards in all pools."""
        return sum(pool.gpu_count for pool in self.pools)
