"""Runs the node of ``thing.py`` for ever; see firmware/README.md."""

from diat_node.start import start

start()
