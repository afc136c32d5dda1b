"""A thing of DIAT on MicroPython or CPython: declare what it has, and ``run()``. See firmware/README.md."""

VERSION = "0.1.0"
