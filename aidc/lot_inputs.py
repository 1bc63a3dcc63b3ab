"""Instruments that a scenario counts on: certificates and contracts of a plan, none of them owned."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aidc import catalog
from aidc.config import Config, Day, at_key, quantity_in
from aidc.units import W_PER_KW

_PIECE_WH = 10**6  # certificates are issued in MWh


class LotRow(Config):
    """A row of models/lots.csv."""

    name: str = Field(min_length=1)
    type: Literal["gec_single", "gec_green_trade", "irec_go", "ppa"]
    technology: str = Field(min_length=1)
    region: str = Field(min_length=2)
    zone: str = Field(min_length=2)
    commissioned_on: Day
    unmet: str | None = None  # QC5 QC8
    source: str = Field(min_length=3)

    @property
    def in_pieces(self) -> bool:
        """Whether it comes in whole MWh with serial numbers."""
        return self.type != "ppa"


class PlannedLot(Config):
    """An amount of one row of models/lots.csv, retired for the run."""

    lot: str = Field(min_length=1)
    quantity_kwh: Annotated[float, *quantity_in("kwh", bare=False)] = Field(alias="quantity", gt=0)
    site: str | None = None  # None: all sites

    @property
    def row(self) -> LotRow:
        """The instrument."""
        return catalog.table("lots", LotRow)[self.lot]

    @property
    def quantity_wh(self) -> int:
        """Amount in whole Wh."""
        return round(self.quantity_kwh * W_PER_KW)

    @model_validator(mode="after")
    def _in_whole_pieces(self) -> "PlannedLot":
        rows = catalog.table("lots", LotRow)
        if self.lot not in rows:
            text = catalog.missing("lots.csv", self.lot, rows)
            raise at_key("lot", text)
        if rows[self.lot].in_pieces and self.quantity_wh % _PIECE_WH:
            text = f"{self.quantity_kwh:g} kWh of {self.lot}: certificates come in whole MWh"
            raise at_key("quantity", text)
        return self
