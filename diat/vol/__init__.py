"""Virtual Object Layer: one virtual object for each thing, and the one way to drive it."""
