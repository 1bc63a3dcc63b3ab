"""Servers against the temperature of the air they breathe."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Server

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ServerPower:
    """Power of the servers of a pool.

    Attributes:
        it_kw: all that the servers draw, fans included, shape (n,).
        fan_kw: of it the fans.
        air_flow_ratio: air through the servers over that at the reference inlet, at least 1.
    """

    it_kw: Array
    fan_kw: Array
    air_flow_ratio: Array


def at_inlet(server: Server, it_reference_kw: Array, inlet_degc: Array) -> ServerPower:
    """Power and air flow of a pool at an inlet temperature.

    The fans follow the inlet and draw with the cube of their speed; below the reference inlet the
    servers still ask for the reference air flow, as boards are cooled to their temperature rise.
    The measurements behind the law are of inlets from 18 to 37 degC.

    Args:
        server: fan share, gain and reference inlet.
        it_reference_kw: power at the reference inlet, fans included, shape (n,).
        inlet_degc: air at the inlets, shape (n,).
    """
    speed = np.maximum(
        1.0 + server.fan_gain_per_k * (inlet_degc - server.reference_inlet_degc),
        server.fan_speed_min_frac,
    )
    cube = speed * speed * speed
    return ServerPower(
        it_kw=it_reference_kw * (1.0 + server.fan_frac * (cube - 1.0)),
        fan_kw=it_reference_kw * server.fan_frac * cube,
        air_flow_ratio=np.maximum(speed, 1.0),
    )
