"""Air pressure where nothing measures it."""


def standard_pressure_pa(elevation_m: float) -> float:
    """Pressure of the standard atmosphere at an elevation [Pa].

    References:
        pvlib.atmosphere.alt2pres, from the PVPMC's Wiki.
    """
    from pvlib.atmosphere import alt2pres

    return float(alt2pres(elevation_m))
