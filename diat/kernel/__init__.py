"""Clock, ids, errors, overlays and the one writer: standard library only."""
