"""Security across all layers: who asks, what for, what they may do with what, and what was decided."""
