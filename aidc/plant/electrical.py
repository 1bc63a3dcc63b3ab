"""From the grid to the servers: losses of transformer, UPS and distribution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.equipment import Transformer, Ups
from aidc.site import Electrical

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain above the servers.

    Attributes:
        pdu_out_kw: what the servers draw, shape (n,).
        ups_out_kw: what the UPS delivers.
        pdu_loss_kw: in PDU and busway.
        ups_loss_kw: in the UPS.
    """

    pdu_out_kw: Array
    ups_out_kw: Array
    pdu_loss_kw: Array
    ups_loss_kw: Array


def ups_loss_kw(ups: Ups, output_kw: Array, rated_kw: float) -> Array:
    """Loss of a UPS system [kW] at an output; the no-load part is there at zero load too.

    Valid from 5 to 110 % of the rated power.

    Args:
        ups: coefficients over rated power.
        output_kw: delivered, shape (n,).
        rated_kw: of all installed units.
    """
    x = output_kw / rated_kw
    return rated_kw * (ups.no_load_frac + x * (ups.linear_frac + x * ups.quadratic_frac))


def transformer_loss_kw(transformer: Transformer, output_kw: Array, rated_kw: float) -> Array:
    """Loss of the transformers [kW] at an output: core loss always, winding loss with its square."""
    x = output_kw / rated_kw
    return rated_kw * (transformer.no_load_frac + transformer.load_frac * x * x)


def chain(electrical: Electrical, rated_it_kw: float, it_kw: Array) -> Chain:
    """What flows through PDU and UPS to feed the servers.

    Args:
        electrical: the chain; its sizes are multiples of the rated IT power.
        rated_it_kw: rated IT power of the site.
        it_kw: draw of the servers, shape (n,).
    """
    pdu_loss = electrical.pdu_loss_frac * it_kw
    ups_out = it_kw + pdu_loss
    ups_rated_kw = electrical.ups_capacity_ratio * rated_it_kw
    return Chain(
        pdu_out_kw=it_kw,
        ups_out_kw=ups_out,
        pdu_loss_kw=pdu_loss,
        ups_loss_kw=ups_loss_kw(electrical.ups, ups_out, ups_rated_kw),
    )
