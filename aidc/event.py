"""What may go wrong at a site, or come from outside: the ``events`` of a scenario."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aidc.config import Config, Frac, Kelvin, Kw, Time, at_key


class _Event(Config):
    """From ``start`` to ``end`` at one site, or at all."""

    start: Time
    end: Time
    site: str | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "_Event":
        if self.end <= self.start:
            text = f"{self.end.isoformat()} is not after start {self.start.isoformat()}"
            raise at_key("end", text)
        return self


class HeatWave(_Event):
    """Outdoor air warmer than the weather says; moisture as given, so the wet bulb follows."""

    kind: Literal["heat_wave"]
    drybulb_rise_k: Kelvin = Field(alias="drybulb_rise", ge=0, le=15)
    dewpoint_rise_k: Kelvin = Field(alias="dewpoint_rise", default=0.0, ge=0, le=10)


class CoolingTrip(_Event):
    """A share of the cooling units stands still, with their fans, coolers and compressors."""

    kind: Literal["cooling_trip"]
    lost_frac: Frac = Field(alias="lost", gt=0, le=1)


class DxTrip(_Event):
    """The compressors behind evaporative coolers stand still."""

    kind: Literal["dx_trip"]


class WaterLoss(_Event):
    """No water: coolers run dry; a plant whose heat leaves through towers rejects none."""

    kind: Literal["water_loss"]


class SensorBias(_Event):
    """The supply sensor reads wrong: the air is warmer than its set-point by ``bias``."""

    kind: Literal["sensor_bias"]
    bias_k: Kelvin = Field(alias="bias", ge=-5, le=5)


class PvLoss(_Event):
    """A share of the PV output is missing: soiling, storm, curtailment."""

    kind: Literal["pv_loss"]
    lost_frac: Frac = Field(alias="lost", gt=0, le=1)


class UtilityLoss(_Event):
    """The grid is gone: generators carry the site once they have started, or nothing does."""

    kind: Literal["utility_loss"]


class ImportLimit(_Event):
    """The grid asks for no more import than ``limit``: a plan foresees it, nothing enforces it."""

    kind: Literal["import_limit"]
    limit_kw: Kw = Field(alias="limit", ge=0)


Event = Annotated[
    HeatWave | CoolingTrip | DxTrip | WaterLoss | SensorBias | PvLoss | UtilityLoss | ImportLimit,
    Field(discriminator="kind"),
]
