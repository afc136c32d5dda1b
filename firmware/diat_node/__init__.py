"""A thing of DIAT on MicroPython or CPython: declare what it has, and ``run()``. See firmware/README.md."""

VERSION = "0.1.0"


def __getattr__(name):
    # Imported when asked for: boot and update code must not load all of it.
    if name == "Node":
        from diat_node.node import Node

        return Node
    raise AttributeError(name)
