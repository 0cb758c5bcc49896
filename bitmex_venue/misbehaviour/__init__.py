"""What the faults of `bitmex_venue.faults` do: the catalogue, and the effects at each door."""
