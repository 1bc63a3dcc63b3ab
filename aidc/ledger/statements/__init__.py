"""Books, and what one says of an entity and a period: derived, traced, with its uncertainty."""
