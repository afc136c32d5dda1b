"""Service Layer: what people ask for, and its life cycle."""
