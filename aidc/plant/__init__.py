"""The plant: air, power chain and cooling as functions of arrays, composed in `aidc.plant.facility`."""
