"""Composite Virtual Object Layer: templates, matching, binding, steps and their execution."""
